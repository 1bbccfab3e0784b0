"""Calls in numbers: SIPp as a phone that tells everything, and SIPp as the trunk, with Sipveil in between."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.real import leaks
from tests.real.harness import NO_KEYS, ROOMY, Lab, Sipveil
from tests.real.sipp import CALLS, Calls


@pytest.fixture
def calls(lab: Lab, sipveil: Sipveil) -> Calls:
    """Return a running Sipveil between two relays."""
    return Calls(lab, sipveil)


def test_call(calls: Calls) -> None:
    """INVITE, 100, 180, 200, ACK, BYE, 200: the caller hangs up."""
    calls.play("caller_call", "trunk_call")
    calls.expect_private()
    calls.expect_unchanged()
    assert calls.transactions() == {"INVITE": CALLS, "ACK": CALLS, "BYE": CALLS}


def test_planted_secrets_are_found(calls: Calls) -> None:
    """The search finds every secret in what the phone sent, so that finding none at the trunk says something."""
    calls.play("caller_call", "trunk_call", calls=1)
    planted = leaks.CALLER | {"address that Sipveil sees": b"192.168"}
    assert leaks.found(calls.phone.sent, planted) == list(planted)
    assert set(leaks.everywhere(calls.phone.sent, planted)) == set(planted)
    assert leaks.found(calls.trunk.sent, leaks.TRUNK) == list(leaks.TRUNK)
    assert any(leaks.DIALLED.encode() in data for data in calls.trunk.received)


@pytest.mark.parametrize("side", ["phone", "trunk"])
def test_lost_datagrams(lab: Lab, sipveil: Sipveil, side: str) -> None:
    """The first copy of every datagram is lost on one side, both ways; calls complete, and none becomes two."""
    calls = Calls(lab, sipveil, lossy=side)
    calls.play("caller_call", "trunk_call", talk=2000)  # time for the ACK: it follows the third copy of the 200
    calls.expect_private()
    calls.expect_unchanged()
    assert calls.transactions()["INVITE"] == CALLS


@pytest.mark.parametrize("keys", [NO_KEYS, ROOMY], ids=["default", "roomy"])
def test_hang_up_by_the_trunk(lab: Lab, sipveil: Sipveil, keys: Mapping[str, int]) -> None:
    """BYE from the callee's side, addressed as the phone knows the call; by name too, where a record has room."""
    calls = Calls(lab, sipveil, keys=keys)
    calls.play("caller_hung_up_on", "trunk_hangs_up")
    calls.expect_private()
    calls.expect_unchanged(names=keys is ROOMY)


def test_reinvite_by_the_caller(calls: Calls) -> None:
    """Two re-INVITEs and an INFO within the call."""
    calls.play("caller_reinvite", "trunk_reinvited")
    calls.expect_private()
    calls.expect_unchanged()
    assert calls.transactions() == {"INVITE": 3 * CALLS, "ACK": 3 * CALLS, "INFO": CALLS, "BYE": CALLS}


def test_reinvite_by_the_trunk(calls: Calls) -> None:
    """A re-INVITE, OPTIONS and BYE from the callee's side; the phone's answers are as private as its requests."""
    calls.play("caller_reinvited", "trunk_reinvites")
    calls.expect_private()
    calls.expect_unchanged(names=False)


def test_early_bye(calls: Calls) -> None:
    """BYE on an early dialog (RFC 3261 §15)."""
    calls.play("caller_early_bye", "trunk_early_bye")
    calls.expect_private()
    calls.expect_unchanged(487)


def test_fork(calls: Calls) -> None:
    """Two early dialogs in answer to one INVITE, each with requests of its own: the first ends early, one answers."""
    calls.play("caller_forked", "trunk_forks")
    calls.expect_private()
    calls.expect_unchanged(places=2)
    assert calls.transactions() == {"INVITE": CALLS, "UPDATE": 2 * CALLS, "ACK": CALLS, "BYE": 2 * CALLS}


def test_cancel(calls: Calls) -> None:
    """CANCEL while it rings."""
    calls.play("caller_cancel", "trunk_cancelled")
    calls.expect_private()
    calls.expect_unchanged(487)
    assert calls.transactions() == {"INVITE": CALLS, "CANCEL": CALLS, "ACK": CALLS}


def test_busy(calls: Calls) -> None:
    """486, acknowledged on both sides."""
    calls.play("caller_busy", "trunk_busy")
    calls.expect_private()
    calls.expect_unchanged(486)


def test_prack_and_update(calls: Calls) -> None:
    """A reliable 183, and an UPDATE in the early dialog."""
    calls.play("caller_prack", "trunk_prack")
    calls.expect_private()
    calls.expect_unchanged()
    assert calls.transactions() == dict.fromkeys(("INVITE", "PRACK", "UPDATE", "ACK", "BYE"), CALLS)


def test_requests_outside_calls(lab: Lab, sipveil: Sipveil) -> None:
    """OPTIONS, MESSAGE and INFO; the contract lets messages pass, and with them nothing of who wrote."""
    calls = Calls(lab, sipveil, contract='content = "keep"')
    calls.play("caller_others", "trunk_others")
    calls.expect_private()
    calls.expect_unchanged()
    assert sum(b"Fischmarkt" in data for data in calls.trunk.received) == CALLS


def test_message_under_the_strict_default(calls: Calls) -> None:
    """Without such a contract a message is refused, and nothing leaves."""
    calls.play("caller_message_refused", None)
    calls.expect_unchanged(415)
    assert calls.trunk.tape == []
