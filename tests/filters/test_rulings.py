"""One category's way through the levels."""

from __future__ import annotations

from config.vocabulary import Action, Category
from filters.rulings import Level, Weighing


def test_a_higher_level_replaces_and_remembers_what_it_overrode() -> None:
    found = Weighing(Category.NUMBER, Level.DEFAULT, "privacy.default.number", Action.ANONYMISE)
    found.replace(Level.SUBSCRIBER, "subscriber", Action.KEEP)
    found.replace(Level.CONTRACT, "trunks.carrier.privacy.number", Action.ANONYMISE)
    ruling = found.ruling()
    assert ruling[:4] == (Category.NUMBER, Action.ANONYMISE, Level.CONTRACT, "trunks.carrier.privacy.number")
    assert ruling.overrode == ("subscriber: keep", "privacy.default.number: anonymise")


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
    assert found.ruling()[1:] == (Action.REMOVE, Level.FLOOR, "floor", ("a: anonymise",))
