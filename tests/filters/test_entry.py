"""Tables find entries by name, exact names first, and remember what they were asked for within bounds."""

from __future__ import annotations

from config.vocabulary import Category
from filters.entry import (
    MAX_CACHED,
    UNKNOWN,
    UNKNOWN_BODY,
    BodyEntry,
    HeaderEntry,
    Table,
    body_towards,
    header_towards,
)
from filters.zones import Towards

NAME = HeaderEntry(Category.NAME, False, None)
DEVICE = HeaderEntry(Category.DEVICE, False, None, frozenset({Towards.UNTRUSTED}))


def test_exact_names_before_globs_before_the_default() -> None:
    table = Table({b"x-a": NAME}, [("x-*", DEVICE), ("*", NAME)], UNKNOWN)
    assert [table.find(name) for name in (b"x-a", b"x-b", b"y", b"x-b")] == [NAME, DEVICE, NAME, DEVICE]
    assert Table({}, [("x-*", NAME)], UNKNOWN).find(b"y") is UNKNOWN


def test_memory_is_bounded() -> None:
    table = Table({b"x-a": NAME}, [], UNKNOWN)
    for number in range(2 * MAX_CACHED):
        table.find(b"%d" % number)
    assert len(table._cache) <= MAX_CACHED + 1
    assert table.find(b"x-a") is NAME


def test_towards_a_zone() -> None:
    """What never goes there is marked; the rest is as it was."""
    table = Table({b"a": DEVICE, b"b": NAME}, [("x-*", DEVICE)], UNKNOWN)
    there, elsewhere = header_towards(table, Towards.UNTRUSTED), header_towards(table, Towards.TRUSTED)
    assert [there.find(name).fixed for name in (b"a", b"b", b"x-y", b"z")] == [True, False, True, False]
    assert not any(elsewhere.find(name).fixed for name in (b"a", b"b", b"x-y"))


def test_bodies_towards_a_zone() -> None:
    sealed = BodyEntry((), "sdp", frozenset({Towards.ACCESS}))
    table = Table({b"a/b": sealed}, [("c/*", sealed)], UNKNOWN_BODY)
    there = body_towards(table, Towards.ACCESS)
    assert there.find(b"a/b").fixed
    assert there.find(b"c/d").fixed
    assert not there.find(b"e/f").fixed
