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
    outages.heard(ONE, 200, takes_calls=False)
    assert not over(outages, 101)
    outages.busy(ONE, 20, 200)
    outages.heard(ONE, 200, takes_calls=False)
    assert over(outages, 219)
    assert not over(outages, 220)
    assert not outages.marks
    outages.heard(ONE, 200, takes_calls=False)


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


def test_some_refusals_in_a_row_are_an_outage() -> None:
    """Any other answer to an INVITE in between and they are none; what belongs to old calls says nothing."""
    outages = Outages()
    for status, takes_calls, over_then in ((486, True, False), (200, False, True), (503, True, True)):
        outages.refused(ONE, 3, 100)
        outages.refused(ONE, 3, 100)
        assert not over(outages, 100)
        outages.heard(ONE, status, takes_calls=takes_calls)
        outages.refused(ONE, 3, 100)
        assert over(outages, 100) is over_then
        outages.heard(ONE, 503, takes_calls=True)
        assert over(outages, 101) is over_then, "one more refusal ends nothing"
        outages.heard(ONE, 200, takes_calls=True)
        assert not over(outages, 101)
    assert not outages.marks
    assert not outages.refusals


def test_it_is_half_open_after_a_while_or_a_probe() -> None:
    """One request then decides."""
    for probed in (False, True):
        outages = Outages()
        outages.refused(ONE, 1, 100)
        assert over(outages, 101)
        if probed:
            outages.probed(ONE, 101)
        now = 102.0 if probed else 100 + SILENT_FOR
        assert not over(outages, now)
        assert over(outages, now), "the others wait for it"
        outages.refused(ONE, 5, now)
        assert over(outages, now + SILENT_FOR - 1), "its refusal opens it again, whatever the count"


def test_a_probe_ends_no_retry_after() -> None:
    outages = Outages()
    outages.busy(ONE, 60, 100)
    outages.probed(ONE, 101)
    assert over(outages, 102)
    outages.probed(OTHER, 101)


def test_the_count_of_refusals_is_bounded() -> None:
    outages = Outages()
    for number in range(MAX_MARKS + 5):
        outages.refused(("10.0.0.1", number), 2, 0)
    assert len(outages.refusals) == MAX_MARKS
