"""What holds when: fresh, last known, strict."""

from __future__ import annotations

import pytest

from config.subscriber import EVERYWHERE, STRICT, Profile, Setting, Value, profile
from config.subscribers import Knowledge, Mark, Subscribers

OPEN = profile([Setting(EVERYWHERE, "name", Value.SHOW)])
SHUT = profile([Setting(EVERYWHERE, "name", Value.HIDE)])
MARK = Mark(1, 7)


@pytest.fixture
def known() -> Subscribers:
    """Return what knows alice and bob since second 100, for 50 seconds."""
    subscribers = Subscribers(50)
    subscribers.replace({b"alice@a": OPEN, b"bob@a": SHUT}, MARK, 100)
    return subscribers


def test_the_first_of_several_addresses() -> None:
    """One subscriber may be stored in several forms; while nothing is known everybody is strict."""
    subscribers = Subscribers(60)
    assert subscribers.find(b"a") is STRICT
    one, other = profile(()), profile((), telemarketer=True)
    subscribers.replace({b"b": one, b"c": other}, Mark(1, 1), 0.0)
    assert subscribers.find(b"a", b"b", b"c") is one
    assert subscribers.find(b"c", b"b") is other
    assert subscribers.find(b"a") is None
    assert subscribers.find() is None


def test_whether_there_is_a_store_at_all() -> None:
    nowhere = Subscribers()
    assert not nowhere.are_kept
    assert Subscribers(60).are_kept
    nowhere.replace({}, Mark(1, 1), 0.0)
    assert nowhere.are_kept


def test_without_a_store_everybody_gets_the_default_profile() -> None:
    assert Subscribers().find(b"alice@a") is None
    assert Subscribers().knowledge is Knowledge.FRESH


def test_before_the_first_reading_everybody_gets_the_strict_profile() -> None:
    subscribers = Subscribers(50)
    assert subscribers.find(b"alice@a") is STRICT
    assert subscribers.age(10) is None
    subscribers.doubt(10)
    assert subscribers.knowledge is Knowledge.UNKNOWN


def test_found_and_unknown(known: Subscribers) -> None:
    assert known.find(b"alice@a") is OPEN
    assert known.find(b"carol@a") is None
    assert (len(known), known.mark, known.age(103)) == (2, MARK, 3)


def test_a_patch_touches_whom_it_names(known: Subscribers) -> None:
    known.patch({b"bob@a": OPEN, b"carol@a": SHUT}, None, Mark(2, 8), 110)
    assert [known.find(each) for each in (b"alice@a", b"bob@a", b"carol@a")] == [OPEN, OPEN, SHUT]
    assert known.mark == Mark(2, 8)


def test_who_does_not_remain_is_unknown_again(known: Subscribers) -> None:
    known.patch({}, frozenset({b"bob@a"}), Mark(2, 8), 110)
    assert known.find(b"alice@a") is None
    assert known.find(b"bob@a") is SHUT


@pytest.mark.parametrize(
    ("now", "knowledge", "alice", "carol"),
    [(150, Knowledge.LAST_KNOWN, OPEN, None), (150.1, Knowledge.UNKNOWN, STRICT, STRICT)],
)
def test_unreachable_means_last_known_then_strict_then_known_again(
    known: Subscribers, now: float, knowledge: Knowledge, alice: Profile, carol: Profile | None
) -> None:
    known.doubt(now)
    assert known.knowledge is knowledge
    assert (known.find(b"alice@a"), known.find(b"carol@a")) == (alice, carol)
    known.confirm(160)
    assert (known.find(b"alice@a"), known.find(b"carol@a")) == (OPEN, None)


def test_last_known_settings_may_be_given_no_time_at_all() -> None:
    subscribers = Subscribers(0)
    subscribers.replace({b"alice@a": OPEN}, MARK, 100)
    subscribers.doubt(100.5)
    assert subscribers.find(b"alice@a") is STRICT
