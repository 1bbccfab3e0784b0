"""Rows understood, and what is said of the others."""

from __future__ import annotations

import pytest

from config.subscriber_change import Wrong
from config.subscriber_rows import Cells, FileError, text_of, understand


def test_good_rows_and_bad_ones() -> None:
    """Every mistake has its line and its key, and says what would be right; nothing of the row is repeated."""
    rows = understand(
        "people.csv",
        [
            Cells(2, {"subscriber": "alice@example.net", "name": "hide"}),
            Cells(3, {"subscriber": "Jane Q. Public", "name": "secret"}),
            Cells(4, {}, (Wrong("", "has 3 cells", "write 2, one for each column"),)),
            Cells(5, {"subscriber": "alice@EXAMPLE.net"}),
            Cells(6, {"name": "hide"}),
        ],
        [],
    )
    assert [change.address for change in rows.changes] == ["alice@example.net"]
    assert rows.bad == 4
    texts = [str(problem) for problem in rows.problems]
    assert texts[0].startswith("people.csv:3: subscriber: is no address of record; write ")
    assert texts[1].startswith("people.csv:3: name: has no such value; write one of hide")
    assert texts[2] == "people.csv:4: has 3 cells; write 2, one for each column"
    assert texts[3] == "people.csv:5: subscriber: stands in line 2 already; give each subscriber one row"
    assert texts[4].startswith("people.csv:6: subscriber: is missing")
    assert not any(word in text for text in texts for word in ("Jane", "Public", "secret", "alice"))


def test_a_byte_order_mark_is_none_of_the_text() -> None:
    assert text_of(b"\xef\xbb\xbfsubscriber\n") == "subscriber\n"


def test_what_is_not_utf8_has_a_line() -> None:
    with pytest.raises(FileError) as caught:
        text_of(b"subscriber\na@b\njos\xe9@c\n")
    assert str(caught.value.problem("f.csv")) == "f.csv:3: is not UTF-8; save the file as UTF-8"
