"""How soon a worker is started again."""

from __future__ import annotations

from tap.backoff import HEALTHY, LONGEST, Backoff


def test_the_first_death_costs_nothing_and_further_ones_ever_more() -> None:
    """At once, then twice as long each time, up to a limit."""
    backoff = Backoff()
    delays = [backoff.died(0.1) for _ in range(12)]
    assert delays[:5] == [0, 0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == LONGEST


def test_a_healthy_life_makes_it_a_first_one_again() -> None:
    """Who has worked for a while is no crash loop."""
    backoff = Backoff()
    for _ in range(5):
        backoff.died(0.1)
    assert backoff.died(HEALTHY) == 0
    assert backoff.died(0.1) == 0.1
