"""Exceptions for trunks that are not there are told, by number."""

from __future__ import annotations

from config.subscriber import Profile
from config.subscribers import Mark, Subscribers
from tap.lapsed import lapsed
from tests.world import settings


def kept(*exceptions: tuple[str, ...]) -> Subscribers:
    """Subscribers with exceptions for these trunks."""
    subscribers = Subscribers(60.0)
    profiles = {b"%d@x" % n: Profile(0, 0, dict.fromkeys(names, (1, 1)), False) for n, names in enumerate(exceptions)}
    subscribers.replace(profiles, Mark(1, 1), 0.0)
    return subscribers


def test_exceptions_for_trunks_that_are_configured_are_fine() -> None:
    assert lapsed(settings(), kept((), ("carrier",), ("carrier", "second"))) == []
    assert lapsed(settings(), Subscribers()) == []


def test_others_are_counted() -> None:
    """Each trunk once, whoever said it; no address of record is in it."""
    found = lapsed(settings(), kept(("old", "carrier"), ("old",), ("older",)))
    assert [(each.key, each.wrong.partition(" ")[0]) for each in found] == [
        ("exceptions for old", "2"), ("exceptions for older", "1"),
    ]  # fmt: skip
    assert "@" not in "".join(map(str, found))
