"""JSON arrays and JSON lines; the way back is in test_subscriber_csv."""

from __future__ import annotations

import pytest

from config.subscriber import Subscriber
from config.subscriber_json import read_json, write_json
from config.subscriber_rows import Cells, FileError

A, B = {"subscriber": "a@b", "name": None}, {"subscriber": "c@d", "telemarketer": True}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('[{"subscriber": "a@b", "name": null},\n {"subscriber":"c@d","telemarketer":true}]\n', [1, 2]),
        ('{"subscriber": "a@b", "name": null}\r\n\r\n{"subscriber":"c@d","telemarketer":true}', [1, 3]),
        ('\n[\n{"subscriber": "a@b",\n "name": null}\n,{"subscriber":"c@d","telemarketer":true}\n]', [3, 5]),
    ],
)
def test_array_or_lines(text: str, lines: list[int]) -> None:
    assert [*read_json(text)] == [Cells(lines[0], A), Cells(lines[1], B)]


def test_no_subscribers() -> None:
    assert [*read_json("[ ]")] == []
    assert "".join(write_json([])) == "[]\n"
    (nobody,) = read_json("".join(write_json([Subscriber("a@b")])))
    assert nobody.cells["name"] is None


def test_elements_that_are_no_objects() -> None:
    """One at a time; the others may be good."""
    found = [*read_json('[1,\n"a@b",\n{"subscriber": "a@b", "name": null}, null]')]
    assert [bool(each.mistakes) for each in found] == [True, True, False, True]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "f:1: is empty"),
        ("  \n", "f:1: is empty"),
        ('[{"subscriber": "a@b"}', "f:1: is not JSON"),
        ('[{"subscriber": "a@b"} {}]', "f:1: is not JSON"),
        ('[{"subscriber": "a@b"}]\n]', "f:2: is not JSON"),
        ('[\n{"subscriber": \n nonsense}]', "f:3: is not JSON"),
        ("subscriber,name", "f:1: is not JSON"),
        ('[{"name": "hide",\n "name": "show"}]', "f:1: has a key twice; write each key once"),
        ("[" * 100_000, "f:1: is not JSON"),
        ("9" * 5000, "f:1: is not JSON"),
    ],
)
def test_files_that_cannot_be_read(text: str, place: str) -> None:
    with pytest.raises(FileError) as caught:
        [*read_json(text)]
    assert str(caught.value.problem("f")).startswith(place)
