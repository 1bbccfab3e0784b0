"""*67 and *82 in front of a number (47 CFR 64.1601(b))."""

from __future__ import annotations

import time

import pytest

from proxy.dialled import Prefixes, Wish, canonical

PREFIXES = Prefixes(("*67", "1167"), ("*82",))


@pytest.mark.parametrize(
    ("user", "wish", "number"),
    [
        (b"+15550100", Wish.NONE, b"+15550100"),
        (b"*67+15550100", Wish.WITHHOLD, b"+15550100"),
        (b"*6715550100;phone-context=+1", Wish.WITHHOLD, b"15550100;phone-context=+1"),
        (b"%2A6715550100", Wish.WITHHOLD, b"15550100"),
        (b"%2A67+1555%40evil", Wish.WITHHOLD, b"+1555%40evil"),
        (b"*67*82*67*82%2A67%2B1", Wish.WITHHOLD, b"%2B1"),
        (b"116715550100", Wish.WITHHOLD, b"15550100"),
        (b"*8215550100", Wish.SHOW, b"15550100"),
        (b"*82*6715550100", Wish.WITHHOLD, b"15550100"),
        (b"*67*8215550100", Wish.WITHHOLD, b"15550100"),
        (b"*67", Wish.NONE, b"*67"),
        (b"*67;isub=1", Wish.NONE, b"*67;isub=1"),
        (b"5*67", Wish.NONE, b"5*67"),
        (b"", Wish.NONE, b""),
    ],
)
def test_a_prefix_is_told_from_its_number(user: bytes, wish: Wish, number: bytes) -> None:
    """However a phone writes it; of two that contradict each other the one that hides holds."""
    assert PREFIXES.read(user) == (wish, number)


@pytest.mark.parametrize(
    ("uri", "wish", "rest"),
    [
        (b"sip:*67+15550100@example.net;user=phone", Wish.WITHHOLD, b"sip:+15550100@example.net;user=phone"),
        (b"sips:%2A67555:pw@example.net", Wish.WITHHOLD, b"sips:555:pw@example.net"),
        (b"sip:+15550100@example.net;x=%41", Wish.NONE, b"sip:+15550100@example.net;x=%41"),
        (b"sip:example.net", Wish.NONE, b"sip:example.net"),
        (b"tel:*67+15550100", Wish.WITHHOLD, b"tel:+15550100"),
        (b"TEL:*82%2A675550100;phone-context=+1", Wish.WITHHOLD, b"TEL:5550100;phone-context=+1"),
        (b"tel:*67;phone-context=+1", Wish.NONE, b"tel:*67;phone-context=+1"),
        (b"tel:+15550100;ext=*67", Wish.NONE, b"tel:+15550100;ext=*67"),
        (b"urn:service:*67", Wish.NONE, b"urn:service:*67"),
    ],
)
def test_a_prefix_is_told_from_its_uri(uri: bytes, wish: Wish, rest: bytes) -> None:
    """A tel URI dials as a sip URI does (RFC 3966); without a prefix nothing is written anew."""
    assert PREFIXES.in_uri(uri) == (wish, rest)


@pytest.mark.parametrize("prefix", [b"*67", b"*82%2A67"])
def test_prefixes_without_end_take_no_time(prefix: bytes) -> None:
    """The whole line of a request nobody has asked who sends: this is read to tell whether it calls for help."""
    many = prefix * (8100 // len(prefix))
    users = many + b"112", many + b"-1-1.2;x"
    began = time.process_time()
    assert [PREFIXES.read(user).number for user in users] == [b"112", b"-1-1.2;x"]
    assert time.process_time() - began < 0.1


def test_without_prefixes_nothing_is_taken_off() -> None:
    assert Prefixes((), ()).read(b"*6715550100") == (Wish.NONE, b"*6715550100")


@pytest.mark.parametrize("user", [b"112", b"1-1-2", b"112;phone-context=+1", b"%31%31%32", b"*67112"])
def test_no_prefix_is_taken_off_an_emergency_number(user: bytes) -> None:
    """However clumsy a prefix, help is on the line; behind a prefix of its own it is found too."""
    number = Prefixes(("11", "*67"), (), ("112",)).read(user).number
    assert number in (user, b"112")
    assert Prefixes(("11",), (), ("112",)).read(b"115550100") == (Wish.WITHHOLD, b"5550100")


def test_the_longer_of_two_is_tried_first() -> None:
    prefixes = Prefixes(("*6",), ("*67",))
    assert prefixes.read(b"*6715") == (Wish.SHOW, b"15")
    assert prefixes.read(b"*6815") == (Wish.WITHHOLD, b"815")


@pytest.mark.parametrize(
    ("user", "number"),
    [
        (b"+15550100", b"+15550100"), (b"%2B1555", b"+1555"), (b"+1-555.(01)", b"+155501"), (b"+1;isub=2", b"+1"),
        (b"555;phone-context=+1-900", b"+1900555"), (b"+555;phone-context=+1900", b"+555"),
        (b"555;phone-context=example.net", b"555"), (b"555;x=1;PHONE-CONTEXT=%2B49", b"+49555"), (b"*43", b"*43"),
        (b"al.ice-b", b"al.ice-b"), (b"al%69ce", b"alice"), (b"alice;x", b"alice;x"), (b"", b""), (b"%", b"%"),
        (b"555%3Bphone-context=+1", b"+1555"), (b"\xd9\xa1%", b"\xd9\xa1%"),
    ],
)  # fmt: skip
def test_a_number_is_one_however_it_is_written(user: bytes, number: bytes) -> None:
    """By which prefixes of routes are told."""
    assert canonical(user) == number


def test_the_first_letter_tells_that_there_is_no_prefix() -> None:
    """Escaped, it may be any."""
    assert all(map(PREFIXES.may_stand_in, (b"*6715550100", b"1167", b"15550100", b"%2A67")))
    assert not any(map(PREFIXES.may_stand_in, (b"", b"+15550100", b"alice")))
