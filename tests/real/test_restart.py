"""kill -9 in the middle of a call: the dialog lives in its own messages, so a new process goes on with it."""

from __future__ import annotations

import time

import pytest

from tests.real.agent import Call, Dialog
from tests.real.harness import Lab, Sipveil


@pytest.fixture
def call(lab: Lab, sipveil: Sipveil) -> Call:
    """Return a phone and a trunk, not yet in a call."""
    return Call(lab, sipveil)


def restart(sipveil: Sipveil) -> None:
    """Kill the process and start another on the same configuration and state."""
    sipveil.kill()
    sipveil.start()


@pytest.mark.parametrize("by_phone", [True, False], ids=["by-phone", "by-trunk"])
def test_bye_after_a_restart(call: Call, sipveil: Sipveil, by_phone: bool) -> None:
    """Either end hangs up."""
    call.ring()
    call.answer()
    restart(sipveil)
    call.exchange("BYE", by_phone=by_phone)
    call.expect_private_and_unchanged()


@pytest.mark.parametrize("by_phone", [True, False], ids=["by-phone", "by-trunk"])
def test_reinvite_after_a_restart(call: Call, sipveil: Sipveil, by_phone: bool) -> None:
    """Either end changes the session, another restart, the other one does, and hangs up."""
    call.ring()
    call.answer()
    restart(sipveil)
    call.exchange("INVITE", by_phone=by_phone)
    restart(sipveil)
    call.exchange("INVITE", by_phone=not by_phone)
    call.exchange("BYE", by_phone=not by_phone)
    call.expect_private_and_unchanged()


def ring_over_a_restart(call: Call, sipveil: Sipveil) -> None:
    """Kill the process while it rings, and start another in another second, which is what records are dated by."""
    call.ring()
    sipveil.kill()
    time.sleep(1)
    sipveil.start()


def expect_repetition(call: Call) -> None:
    """The trunk must take the INVITE that comes next for a copy of the first (RFC 3261 §17.2.3, §8.2.2.2)."""
    again = call.trunk.expect("INVITE")
    for name in ("via", "call-id", "from", "to", "cseq"):
        assert again.value(name) == call.invited.value(name)
    assert again.uri == call.invited.uri
    assert again.body == call.invited.body


def test_ringing_over_a_restart(call: Call, sipveil: Sipveil) -> None:
    """The phone repeats its INVITE; the trunk sees a repetition, not a second call, and answers the first."""
    ring_over_a_restart(call, sipveil)
    call.phone.send(call.invite.raw)
    expect_repetition(call)
    call.answer()
    call.exchange("INVITE", by_phone=False)
    call.exchange("BYE", by_phone=True)
    call.expect_private_and_unchanged()


def test_answer_over_a_restart(call: Call, sipveil: Sipveil) -> None:
    """A 200 that comes before the repeated INVITE is nobody's; the trunk repeats it, and the call stands."""
    ring_over_a_restart(call, sipveil)
    call.trunk.respond(call.invited, "200 OK", "abnahme", body=True)
    assert call.phone.next(0.5) is None
    call.phone.send(call.invite.raw)
    expect_repetition(call)
    call.answer()
    call.exchange("BYE", by_phone=False)
    call.expect_private_and_unchanged()


def test_bye_sent_while_nobody_was_there(call: Call, sipveil: Sipveil) -> None:
    """A BYE is lost with the process; its repetition goes through, once."""
    call.ring()
    call.answer()
    sipveil.kill()
    bye = call.phone.request("BYE", call.caller)
    sipveil.start()
    call.phone.send(bye.raw)
    call.trunk.respond(call.trunk.expect("BYE"), "200 OK")
    call.phone.expect(200)
    call.phone.send(bye.raw)
    assert call.phone.next() is not None
    assert call.trunk.next(0.3) is None
    call.expect_private_and_unchanged()


def test_another_state_is_another_proxy(call: Call, sipveil: Sipveil, lab: Lab) -> None:
    """With a new key ring nothing of an old call opens: the request gets 403 and goes nowhere."""
    call.ring()
    call.answer()
    sipveil.kill()
    (lab.folder / "state" / "keys.json").unlink()
    sipveil.start()
    call.phone.request("BYE", call.caller)
    call.phone.expect(403)
    assert call.trunk.next(0.3) is None


def test_keys_outlive_the_process(call: Call, sipveil: Sipveil, lab: Lab) -> None:
    """The key ring is for its owner alone, and a restart does not touch it."""
    path = lab.folder / "state" / "keys.json"
    before = path.read_bytes()
    restart(sipveil)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == before
    call.ring()
    call.answer()
    assert isinstance(call.caller, Dialog)
    call.exchange("BYE", by_phone=True)
