"""The process as init systems know it: it stops when told to, says so, and has told nobody's secrets."""

from __future__ import annotations

import signal

import pytest

from tests.real import leaks
from tests.real.agent import Call
from tests.real.harness import READY, Lab, Sipveil, is_bound


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_stop_in_the_middle_of_a_call(lab: Lab, sipveil: Sipveil, number: signal.Signals) -> None:
    """Exit code 0, no traceback, the port is free again, and the log, at its most talkative, names nobody."""
    call = Call(lab, sipveil)
    call.ring()
    call.answer()
    call.exchange("INVITE", by_phone=False)
    run = sipveil.runs[-1]
    run.signal(number)
    assert run.wait(READY) == 0
    assert run.errors == ""
    assert "sipveil has stopped" in run.output
    assert "answered" in run.output, "events are logged at level debug"
    assert leaks.in_log(run.output.encode()) == []
    assert not is_bound(sipveil.address)


def test_metrics_name_nobody(lab: Lab, sipveil: Sipveil) -> None:
    """The metrics page counts the call, and no series tells whose it was."""
    call = Call(lab, sipveil)
    call.ring()
    call.answer()
    call.exchange("BYE", by_phone=True)
    series = sipveil.metrics()
    assert series['sipveil_calls_total{zone="trunk"}'] == 1
    assert series['sipveil_requests_received_total{method="BYE"}'] == 1
    assert leaks.in_log("\n".join(series).encode()) == []
