"""One category's way through the levels."""

from __future__ import annotations

from config.vocabulary import Action, Category
from filters.rulings import Level, Overruled, Weighing


def test_a_higher_level_replaces_and_remembers_what_it_overrode() -> None:
    found = Weighing(Category.NUMBER, Level.DEFAULT, "privacy.default.number", Action.ANONYMISE)
    found.replace(Level.SUBSCRIBER, "subscriber", Action.KEEP)
    found.replace(Level.CONTRACT, "trunks.carrier.privacy.number", Action.ANONYMISE)
    ruling = found.ruling()
    assert ruling[:4] == (Category.NUMBER, Action.ANONYMISE, Level.CONTRACT, "trunks.carrier.privacy.number")
    assert list(map(str, ruling.overrode)) == ["subscriber: keep"]
    found.least(Level.FLOOR, "privacy.floor.number", Action.REMOVE)
    assert found.ruling().overrode == (
        Overruled(Level.CONTRACT, "trunks.carrier.privacy.number", Action.ANONYMISE),
        Overruled(Level.SUBSCRIBER, "subscriber", Action.KEEP),
        Overruled(Level.DEFAULT, "privacy.default.number", Action.ANONYMISE),
    )


def test_a_least_that_was_met_is_overruled_by_who_shows_it() -> None:
    """The caller asked for what the default did already; then the contract showed it: against both."""
    found = Weighing(Category.NUMBER, Level.DEFAULT, "privacy.default.number", Action.ANONYMISE)
    found.least(Level.CALL, "Privacy: id", Action.ANONYMISE)
    found.least(Level.CALL, "nothing", Action.KEEP)
    assert found.ruling()[2:] == (Level.DEFAULT, "privacy.default.number", ())
    found.replace(Level.CONTRACT, "trunks.carrier.privacy.number", Action.KEEP)
    assert list(map(str, found.ruling().overrode)) == ["Privacy: id: anonymise", "privacy.default.number: anonymise"]


def test_who_says_the_same_overrides_nobody() -> None:
    found = Weighing(Category.NAME, Level.DEFAULT, "a", Action.REMOVE)
    found.replace(Level.CONTRACT, "b", Action.REMOVE)
    assert found.ruling()[2:] == (Level.CONTRACT, "b", ())


def test_a_least_decides_only_where_it_hides_more() -> None:
    found = Weighing(Category.NAME, Level.DEFAULT, "a", Action.ANONYMISE)
    found.least(Level.FLOOR, "floor", Action.KEEP)
    found.least(Level.FLOOR, "floor", Action.ANONYMISE)
    assert found.ruling()[2:] == (Level.DEFAULT, "a", ())
    found.least(Level.FLOOR, "floor", Action.REMOVE)
    assert found.ruling()[1:] == (
        Action.REMOVE,
        Level.FLOOR,
        "floor",
        (Overruled(Level.DEFAULT, "a", Action.ANONYMISE),),
    )
