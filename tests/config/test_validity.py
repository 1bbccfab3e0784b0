"""From when to when certificates hold."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from config.validity import Validity, validity
from tests.authorities import Authority

WALL = 1_790_000_000
DAY = 86_400


def test_both_ends_are_included() -> None:
    held = Validity(100.0, 200.0)
    assert [held.holds(wall) for wall in (99, 100, 200, 201)] == [False, True, True, False]


def test_how_much_is_left() -> None:
    """So it is told in time, and afterwards too."""
    held = Validity(100.0, 200.0)
    assert [held.ends_within(30, wall) for wall in (170, 171, 300)] == [False, True, True]


def test_what_nobody_knows_is_always() -> None:
    assert Validity().holds(0)
    assert Validity().holds(1 << 40)
    assert not Validity().ends_within(DAY, 1 << 40)


def test_days() -> None:
    assert Validity(0.0, DAY).days() == "1970-01-01 to 1970-01-02"
    assert Validity(0.0, DAY).last_day() == "1970-01-02"


def test_a_chain_holds_as_long_as_all_of_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    early, late = Authority(WALL).certificate(key), Authority(WALL + 5 * DAY).certificate(key)
    assert validity(early, late) == (validity(late).begins, validity(early).ends)
    assert validity(late).begins - validity(early).begins == 5 * DAY
