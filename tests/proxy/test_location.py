"""RFC 2782: priorities, weights, and an order that a repeated request meets again."""

from __future__ import annotations

from collections import Counter

import pytest

from proxy.location import MAX_TARGETS, Place, is_address, order, plain


@pytest.mark.parametrize(
    ("host", "literal"), [("192.0.2.1", True), ("2001:db8::1", True), ("sip.example", False), ("a1", False)]
)
def test_names_are_told_from_addresses(host: str, literal: bool) -> None:
    """Only names wait for a look-up."""
    assert is_address(host) is literal


def place(address: str, priority: int = 0, weight: int = 0, port: int = 0) -> Place:
    return Place(priority, weight, port, (address,))


def firsts(*places: Place) -> Counter[str]:
    """Return how often each address came first in a thousand requests."""
    return Counter(order(places, 0, b"%d" % number)[0][0] for number in range(1000))


def test_the_lowest_priority_number_comes_first() -> None:
    """Whatever the weights say."""
    places = [place("192.0.2.2", 20, 60_000), place("192.0.2.1", 10, 0), place("192.0.2.3", 30, 9)]
    assert [address for address, _ in order(places, 0, b"x")] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_weights_share() -> None:
    """60 to 30 to 10, and 0 hardly ever (a draw of 0 to 100)."""
    found = firsts(
        place("192.0.2.1", 0, 60), place("192.0.2.2", 0, 30), place("192.0.2.3", 0, 10), place("192.0.2.4", 0, 0)
    )
    assert 540 < found["192.0.2.1"] < 660
    assert 240 < found["192.0.2.2"] < 360
    assert 60 < found["192.0.2.3"] < 140
    assert found["192.0.2.4"] < 40


def test_weights_of_zero_share_alike() -> None:
    """Where nobody has said how; each is tried once."""
    places = [place("192.0.2.2"), place("192.0.2.1")]
    assert 400 < firsts(*places)["192.0.2.1"] < 600
    assert {address for address, _ in order(places, 0, b"x")} == {"192.0.2.1", "192.0.2.2"}


def test_a_weight_of_zero_is_drawn_rarely_and_not_never() -> None:
    """RFC 2782 puts those first, so that a draw of 0 takes them: one of two numbers here."""
    assert 430 < firsts(place("192.0.2.1", 0, 1), place("192.0.2.2", 0, 0))["192.0.2.2"] < 570


def test_equal_addresses_share_the_load_ipv4_first() -> None:
    """What name servers do by shuffling is done here, where it can be repeated."""
    both = Place(0, 0, 0, ("2001:db8::1", "192.0.2.1", "192.0.2.2"))
    found = firsts(both)
    assert set(found) == {"192.0.2.1", "192.0.2.2"}
    assert 400 < found["192.0.2.1"] < 600
    assert order([both], 0, b"x")[-1] == ("2001:db8::1", 5060)


def test_one_seed_one_order_however_name_servers_shuffle() -> None:
    """A request that is repeated after a restart is no second call."""
    places = [Place(1, 5, 5070 + number, (f"192.0.2.{number}", f"198.51.100.{number}")) for number in range(1, 4)]
    shuffled = [each._replace(addresses=each.addresses[::-1]) for each in reversed(places)]
    for number in range(50):
        assert order(places, 0, b"%d" % number) == order(shuffled, 0, b"%d" % number)


def test_ports() -> None:
    """An SRV record's, else the hop's, else the default one; the same address at two ports is two targets."""
    assert order(plain(["192.0.2.1"]), 0, b"") == [("192.0.2.1", 5060)]
    assert order(plain(["192.0.2.1"]), 5070, b"") == [("192.0.2.1", 5070)]
    twice = [place("192.0.2.1", 0, 0, 5062), place("192.0.2.1", 1, 0, 5064), place("192.0.2.1", 2, 0, 5062)]
    assert order(twice, 0, b"") == [("192.0.2.1", 5062), ("192.0.2.1", 5064)]


def test_listed_addresses_keep_their_order() -> None:
    """The operator wrote the first one first."""
    listed = ["192.0.2.9", "192.0.2.1", "2001:db8::1", "192.0.2.5"]
    assert [address for address, _ in order(plain(listed), 0, b"any")] == listed


def test_targets_are_bounded() -> None:
    """A name with a thousand addresses is no thousand tries."""
    assert len(order(plain([f"10.0.{n // 250}.{n % 250}" for n in range(1000)]), 0, b"")) == MAX_TARGETS
    assert order((), 0, b"") == []
