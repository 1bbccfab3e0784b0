"""Shapes: what follows from the names of header lines, worked out once, within bounds."""

from __future__ import annotations

import pytest

from proxy import shape as module
from proxy.shape import EMPTY, MAX_NAME, MAX_SHAPES, Names, Shape, clue_of, shape_of


def test_the_same_row_of_names_has_one_shape() -> None:
    assert shape_of([b"Via", b"f", b"To "]) is shape_of([b"Via", b"f", b"To "])
    assert shape_of([b"Via", b"f"]) is not shape_of([b"Via", b"From"])


def test_names_are_canonical() -> None:
    """Compact and long names, any case, blanks before the colon: RFC 3261 §7.3.1 and §7.3.3."""
    assert shape_of([b"V", b"fROM", b"t \t", b"X-Own"]).names == [b"via", b"from", b"to", b"x-own"]


def test_what_every_message_is_asked_for_knows_where_it_stands_first() -> None:
    """By an attribute, -1 where it is missing."""
    shape = shape_of([b"f", b"Via", b"v", b"l", b"cseq"])
    assert (shape.from_, shape.via, shape.content_length, shape.cseq) == (0, 1, 3, 4)
    assert (shape.to, shape.call_id, shape.max_forwards) == (-1, -1, -1)


def test_the_next_message_with_the_same_clue_is_expected_to_have_the_same_shape() -> None:
    """The latest one counts; of what is not remembered nothing is expected."""
    clue = clue_of([b"Via: x", b"a:"])
    assert clue == b"Viaa:"
    for names in ([b"Via", b"a"], [b"Viaduct", b"a"]):
        shape = shape_of(names, clue)
        assert module.expected[clue] == ((names[0] + b":", b"a:"), shape)
    assert not shape_of([b"x" * (MAX_NAME + 1)], b"xxx").shared
    assert b"xxx" not in module.expected


def test_each_name_knows_its_places() -> None:
    shape = shape_of([b"Via", b"From", b"v"])
    assert {name: list(places) for name, places in shape.index.items()} == {b"via": [0, 2], b"from": [1]}
    assert not EMPTY.index


@pytest.mark.parametrize(
    ("names", "repeated"),
    [([b"From", b"To"], b""), ([b"Via", b"Via"], b""), ([b"To", b"t"], b"to"), ([b"CSeq", b"a", b"cseq"], b"cseq")],
)
def test_what_must_stand_once_is_noticed(names: list[bytes], repeated: bytes) -> None:
    assert shape_of(names).repeated == repeated


def test_long_names_are_not_remembered() -> None:
    names = [b"x" * (MAX_NAME + 1)]
    assert not shape_of(names).shared
    assert shape_of(names) is not shape_of(names)
    assert shape_of([b"x" * MAX_NAME]).shared


def test_no_more_than_so_many_are_remembered() -> None:
    for number in range(MAX_SHAPES + 10):
        shape_of([b"via", b"x-%d" % number], b"%d" % number)
    assert len(module._shapes) <= MAX_SHAPES
    assert len(module.expected) <= MAX_SHAPES


def test_hostile_numbers_of_lines_are_no_error() -> None:
    assert len(Shape([b"x-%d" % number for number in range(3000)]).index) == 1024


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        (b"PRIVACY ", True),
        (b"remote-party-id", True),
        (b"Diversion", True),
        (b"P-Asserted-Identity", False),
        (b"f", False),
    ],
)
def test_who_may_ask_for_privacy_is_told_by_the_names(name: bytes, asks: bool) -> None:
    """Worked out once for all messages with these headers (RFC 3323; draft-ietf-sip-privacy-04, RFC 5806)."""
    assert shape_of([b"Via", name]).asks is asks


def test_where_a_stage_finds_what_it_looks_for() -> None:
    """In the order of the names that are looked for; worked out once."""
    shape, wanted = shape_of([b"Via", b"Route", b"v", b"f"]), Names(b"route", b"via", b"path")
    assert shape.places(wanted) == (1, 0, 2)
    assert shape.places(wanted) is shape.places(wanted)
    assert shape.places(Names(b"path")) == ()
