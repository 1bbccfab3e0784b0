"""PASSporTs that refer to each other."""

from __future__ import annotations

from typing import Any

from filters.chain import ends, follows, reached
from filters.passport import Passport, read
from tests.passports import HEADER, claims, value


def shaken(dest: str, **more: Any) -> Passport:
    return read(value(claims(dest=dest, **more)))


def div(before: str, dest: str, orig: str = "15550142") -> Passport:
    return read(div_value(before, dest, orig))


def div_value(before: str, dest: str, orig: str = "15550142", **more: Any) -> bytes:
    found = claims(orig, dest, div={"tn": before}, attest=None, origid=None, **more)
    return value(found, HEADER | {"ppt": "div"}).replace(b"ppt=shaken", b"ppt=div")


FIRST = shaken("1001")
ONE, TWO, THREE = div("1001", "1002"), div("1002", "1003"), div("1003", "1004")


def test_a_div_names_whom_the_call_was_for() -> None:
    assert follows(ONE, FIRST)
    assert follows(TWO, ONE)
    assert not follows(TWO, FIRST)
    assert not follows(FIRST, ONE), "only a div diverts"
    assert not follows(div("1001", "1002", orig="15550143"), FIRST), "another caller's call"


def test_a_div_that_names_two_is_none() -> None:
    """RFC 8946 §3: exactly one identity."""
    payload = claims(dest="1002", div={"tn": ["1001", "1005"]})
    both = read(value(payload, HEADER | {"ppt": "div"}).replace(b"ppt=shaken", b"ppt=div"))
    assert not follows(both, FIRST)


def test_a_chain_in_any_order() -> None:
    """Headers of one name stand in an order that proxies need not keep."""
    links = [THREE, ONE, FIRST, TWO]
    assert reached(FIRST, links) == [FIRST, ONE, TWO, THREE]
    assert ends(FIRST, links) == [THREE]
    assert ends(FIRST, [THREE, ONE]) == [ONE], "one is missing"
    assert ends(FIRST, []) == [FIRST]


def test_a_fork_has_two_ends() -> None:
    other = div("1001", "1009")
    assert ends(FIRST, [ONE, other]) == [ONE, other]


def test_a_circle_has_none() -> None:
    """And is walked once."""
    back = div("1002", "1001")
    assert ends(FIRST, [ONE, back]) == []
    assert ends(FIRST, [ONE, back, TWO]) == [TWO]
    itself = div("1001", "1001")
    assert ends(FIRST, [itself]) == [itself]
