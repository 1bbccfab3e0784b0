"""Targets that are passed over: for how long, who tries them again, and what ends it."""

from __future__ import annotations

from proxy.outages import MAX_BUSY, MAX_MARKS, PROBE_FOR, SILENT_FOR, Outages

ONE, OTHER = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


def over(outages: Outages, now: float, *, may_probe: bool = True) -> bool:
    return outages.passed_over(ONE, now, may_probe=may_probe)


def test_a_silent_target_is_passed_over_for_a_while() -> None:
    """And nobody else is."""
    outages = Outages()
    outages.silent(ONE, 100)
    assert over(outages, 100)
    assert over(outages, 100 + SILENT_FOR - 0.1)
    assert not outages.passed_over(OTHER, 100, may_probe=True)


def test_one_request_finds_out_the_others_wait_for_it() -> None:
    """Else all calls of half a minute would go silent again."""
    outages = Outages()
    outages.silent(ONE, 100)
    later = 100 + SILENT_FOR
    assert over(outages, later, may_probe=False), "an emergency call is no probe"
    assert not over(outages, later)
    assert over(outages, later)
    assert over(outages, later + PROBE_FOR - 1)
    assert not over(outages, later + PROBE_FOR)


def test_an_answer_ends_silence_but_not_a_retry_after() -> None:
    """RFC 3261 §21.5.4: what belongs to old calls says nothing about new ones."""
    outages = Outages()
    outages.silent(ONE, 100)
    outages.heard(ONE)
    assert not over(outages, 101)
    outages.busy(ONE, 20, 200)
    outages.heard(ONE)
    assert over(outages, 219)
    assert not over(outages, 220)
    assert not outages.marks
    outages.heard(ONE)


def test_nobody_keeps_us_away_for_long() -> None:
    """Retry-After is bounded."""
    outages = Outages()
    outages.busy(ONE, 1e9, 0)
    assert over(outages, MAX_BUSY - 1)
    assert not over(outages, MAX_BUSY)


def test_the_table_is_bounded() -> None:
    """The oldest leaves first; a mark that is renewed is young."""
    outages = Outages()
    outages.silent(ONE, 0)
    outages.silent(OTHER, 0)
    outages.silent(ONE, 0)
    for number in range(MAX_MARKS - 1):
        outages.silent(("10.0.0.1", number), 0)
    assert len(outages.marks) == MAX_MARKS
    assert over(outages, 1)
    assert not outages.passed_over(OTHER, 1, may_probe=True)
