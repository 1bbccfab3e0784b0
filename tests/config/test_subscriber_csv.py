"""CSV as people and spreadsheets write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.subscriber import EVERYWHERE, WORDS, Setting, Subscriber, Value
from config.subscriber_change import changed
from config.subscriber_csv import read_csv, write_csv
from config.subscriber_json import read_json, write_json
from config.subscriber_rows import Cells, FileError, understand

TRUNKS = ["carrier", "other"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    lines = ["", "subscriber,name,status", "a@b,hide,", "", ",,", ' "c@d" , show ,hide', ""]
    text = end.join(lines).replace(",", delimiter).replace(' "c@d" ', '"c@d"')
    assert [*read_csv(text, TRUNKS)] == [
        Cells(3, {"subscriber": "a@b", "name": "hide", "status": ""}),
        Cells(6, {"subscriber": "c@d", "name": "show", "status": "hide"}),
    ]


def test_quotes_and_lines_within_them() -> None:
    found = [*read_csv('subscriber,name\n"a,""b\nc",hide\nd@e,show\n', TRUNKS)]
    assert found == [
        Cells(2, {"subscriber": 'a,"b\nc', "name": "hide"}),
        Cells(4, {"subscriber": "d@e", "name": "show"}),
    ]


def test_rows_of_another_width() -> None:
    narrow, wide = read_csv("subscriber,name\na@b\na@b,hide,show\n", TRUNKS)
    assert narrow.mistakes[0].wrong == "has 1 cells"
    assert wide.mistakes[0].right == "write 2, one for each column"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "f:1: is empty"),
        ("\n\n", "f:1: is empty"),
        ("address,name\n", "f:1: has no column subscriber"),
        ("subscriber,nmae\n", "f:1: column 2: is no setting; write one of name"),
        ("\nsubscriber,name,name\n", "f:2: column 3: has the name of column 2; name each column once"),
        (
            "subscriber,name@nobody\n",
            "f:1: column 2: names a trunk that is not configured; write one of carrier, other",
        ),
        ('subscriber,name\na@b,hide\n"c@d,hide\ne@f,hide\n', "f:3: is not CSV: quotes do not match"),
        ('subscriber,name\na@b,"hide"x\n', "f:2: is not CSV"),
    ],
)
def test_files_that_cannot_be_read(text: str, place: str) -> None:
    with pytest.raises(FileError) as caught:
        [*read_csv(text, TRUNKS)]
    assert str(caught.value.problem("f")).startswith(place)


def settings() -> st.SearchStrategy[tuple[Setting, ...]]:
    """Return a strategy for the settings of one subscriber."""
    keys = [(trunk, word) for trunk in (EVERYWHERE, *TRUNKS) for word in WORDS]
    one = st.sampled_from(keys).flatmap(
        lambda key: st.sampled_from(WORDS[key[1]].values).map(lambda value: Setting(*key, value))
    )
    return st.lists(one, unique_by=lambda each: each[:2]).map(lambda found: tuple(sorted(found)))


PEOPLE = st.lists(
    st.builds(
        Subscriber,
        st.from_regex(r"[A-Za-z0-9;,=+.'%(-]{1,8}@[a-z]{1,8}|\+[0-9]{1,15}", fullmatch=True).filter(
            lambda text: "%" not in text
        ),
        settings(),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda each: each.address,
)


@given(PEOPLE)
def test_what_is_written_reads_back(people: list[Subscriber]) -> None:
    """Export and import are the identity, in both formats."""
    exceptions = {(each.trunk, each.word) for one in people for each in one.settings if each.trunk}
    for cells in (
        read_csv("".join(write_csv(people, exceptions)), TRUNKS),
        read_json("".join(write_json(people))),
    ):
        rows = understand("f", cells, TRUNKS)
        assert not rows.problems
        assert [changed(Subscriber(""), change) for change in rows.changes] == people


def test_values_are_words() -> None:
    text = "".join(write_csv([Subscriber("a@b", (Setting("carrier", "name", Value.HIDE),))], [("carrier", "name")]))
    assert text.splitlines()[1] == "a@b,,,,,,,,,,,no,no,hide"
