"""A received message never changes; a draft of it shows its own edits (style.md: what Kamailio regrets)."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.errors import EditConflict
from proxy.message import Draft, Message
from proxy.parse import parse
from proxy.serialise import serialise

RAW = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1, SIP/2.0/UDP second.example.com\r\n"
    b"Via: SIP/2.0/UDP third.example.com\r\n"
    b"f: <sip:alice@example.com>;tag=a\r\n"
    b"To: <sip:bob@example.com>\r\n"
    b"Call-ID: 1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Subject :  folded\r\n  text \r\n"
    b"s: second, with comma\r\n"
    b"X-Device: 1\r\n"
    b"Content-Length: 3\r\n"
    b"\r\n"
    b"abc"
)


def message() -> Message:
    return parse(RAW, Limits())


def draft(notes: list[tuple[str, str]] | None = None) -> Draft:
    return Draft(message(), notes)


def test_values_are_unfolded_and_found_by_canonical_name() -> None:
    """RFC 3261 §7.3.1 and §7.3.3: any case, compact or long, spaces before the colon."""
    received = message()
    assert received.values(b"subject") == [b"folded text", b"second, with comma"]
    assert received.value(b"subject") == b"folded text"
    assert received.value(b"from") == b"<sip:alice@example.com>;tag=a"
    assert (received.value(b"date"), received.values(b"date"), received.items(b"date")) == (None, [], [])


def test_lists_run_over_lines_and_commas() -> None:
    """§7.3.1: repeated rows and comma lists are the same, and the order counts."""
    assert message().items(b"via") == [
        b"SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1", b"SIP/2.0/UDP second.example.com",
        b"SIP/2.0/UDP third.example.com"
    ]  # fmt: skip


def test_the_received_message_does_not_change_with_its_drafts() -> None:
    """A fresh edit for every branch (design.md §5)."""
    received = message()
    one, other = Draft(received), Draft(received)
    one.remove_all(b"subject", "why")
    one.body = b""
    assert other.first(b"subject") == b"folded text"
    assert received.values(b"subject") == [b"folded text", b"second, with comma"]
    assert serialise(other) == RAW


def test_a_draft_shows_its_own_edits() -> None:
    """What was replaced reads as replaced, what was removed is gone."""
    edited = draft()
    edited.set_only(b"subject", b"new", "why")
    assert edited.first(b"subject") == b"new"
    assert len(list(edited.find(b"subject"))) == 1
    edited.remove_all(b"x-device", "why")
    assert edited.first(b"x-device") is None
    assert list(edited.find(b"x-device")) == []


def test_a_replaced_line_keeps_the_senders_spelling_of_its_name() -> None:
    """§7.3.3: a compact form may stay one; spaces before the colon go."""
    edited = draft()
    edited.set_only(b"subject", b"new", "why")
    edited.set_only(b"from", b"<sip:x@y>", "why")
    lines = serialise(edited).split(b"\r\n")
    assert b"Subject: new" in lines
    assert b"f: <sip:x@y>" in lines
    assert not any(line.startswith(b"s:") for line in lines)


def test_two_edits_of_one_line_are_a_mistake_of_ours() -> None:
    """Two stages that both believe a line theirs would undo each other; it raises instead."""
    for first in ("replace", "remove"):
        for second in ("replace", "remove"):
            edited = draft()
            (place,) = edited.find(b"x-device")

            def edit(how: str, edited: Draft = edited, place: int = place) -> None:
                edited.replace(place, b"2", "why") if how == "replace" else edited.remove(place, "why")

            edit(first)
            with pytest.raises(EditConflict):
                edit(second)


def test_edits_are_told_to_whoever_listens() -> None:
    """The demo shows the reason for each edit."""
    notes: list[tuple[str, str]] = []
    edited = draft(notes)
    edited.set_only(b"subject", b"new", "because")
    edited.note("body", "also")
    assert notes == [("subject", "because"), ("subject", "because"), ("body", "also")]
    quiet = draft()
    quiet.remove_all(b"subject", "because")
    quiet.note("body", "also")
    assert quiet.notes is None


def test_a_removed_line_has_no_value() -> None:
    """Reading it is not an error."""
    edited = draft()
    (place,) = edited.find(b"x-device")
    edited.remove(place, "why")
    assert edited.value(place) == b""


def test_the_last_word_stands_over_an_edit() -> None:
    """What settles a line does so whoever edited it, and tells why."""
    notes: list[tuple[str, str]] = []
    made = draft(notes)
    position = made.find(b"from")[0]
    made.replace(position, b"<sip:a@h>", "one")
    made.settle(position, b"From: <sip:b@h>", "two")
    assert made.value(position) == b"<sip:b@h>"
    assert notes == [("from", "one"), ("from", "two")]


def test_what_is_cleared_again_is_no_conflict() -> None:
    """Lines that are gone stay so; one that was edited is a mistake of ours."""
    made = draft()
    places = (*made.find(b"subject"), *made.find(b"x-device"))
    made.remove(places[0], "why")
    made.clear(places, "why")
    assert [made.lines[place] for place in places] == [None] * len(places)
    edited = draft()
    edited.replace(places[-1], b"1", "why")
    with pytest.raises(EditConflict):
        edited.clear(places, "why")
