"""Two real phones: alice is a subscriber, bob stands where the trunk is. Neither notices Sipveil."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

from tests.real import leaks
from tests.real.baresip import Baresip
from tests.real.dialogs import faults
from tests.real.harness import NO_KEYS, PHONE, TRUNK, Lab, Sipveil, wait_for
from tests.real.sip import Message

ALICE = "+4930555017342"
SECRETS = {key: leaks.CALLER[key] for key in ("first name", "family name", "number", "address that Sipveil sees")}
SOFTWARE = {"software": b"baresip"}


class Pair:
    """Alice, bob, and Sipveil between them."""

    def __init__(self, lab: Lab, sipveil: Sipveil, *, answer: str = "auto", keys: Mapping[str, int] = NO_KEYS) -> None:
        """Start all three. answer: whether a phone takes a call by itself."""
        hub = sipveil.address
        self.bob = Baresip(
            lab, TRUNK, hub, name="Bob Baumeister", user=leaks.DIALLED, domain="carrier.example.net", answer=answer
        )
        sipveil.configure(self.bob.address, keys)
        sipveil.start()
        self.alice = Baresip(
            lab, PHONE, hub, name="Ottilie Quandtner", user=ALICE, domain="sip.example.net", answer=answer
        )

    def dial(self, *, by_alice: bool) -> tuple[Baresip, Baresip]:
        """Let one call the other; return caller and callee."""
        if by_alice:
            self.alice.command("dial", f"sip:{leaks.DIALLED}@sip.example.net")
            return self.alice, self.bob
        host, port = self.alice.address
        self.bob.command("dial", f"sip:{ALICE}@{host}:{port}")
        return self.bob, self.alice

    def ring(self) -> None:
        """Let alice call, and wait until it rings at both."""
        self.dial(by_alice=True)
        self.bob.event("CALL_INCOMING")
        self.alice.event("CALL_RINGING")

    def connect(self, *, by_alice: bool = True) -> tuple[Baresip, Baresip]:
        """Call, and wait until both see the call established; return caller and callee."""
        caller, callee = self.dial(by_alice=by_alice)
        for phone in (caller, callee):
            phone.event("CALL_ESTABLISHED")
        return caller, callee

    def expect_ended(self, method: str, *refused: int) -> None:
        """Wait until both are done with the last request; then assert that neither saw anything strange."""
        for phone in (self.alice, self.bob):
            wait_for(f"{method} to be answered for {phone.name}", partial(_done, phone, method))
            assert (phone.name, faults(phone.tape, refused, names=False)) == (phone.name, [])
            assert leaks.found(phone.received, SOFTWARE) == []

    def expect_private(self) -> None:
        """Assert that bob learned nothing of who called him."""
        call_id = {"Call-ID": Message(self.alice.tape[0].data).call_id.encode()}
        # The connection address is where the media go: exempt as long as Sipveil does not relay them.
        heard = [data.replace(f"c=IN IP4 {PHONE}\r\n".encode(), b"") for data in self.bob.received]
        assert leaks.found(heard, SECRETS | call_id) == []


def _done(phone: Baresip, method: str) -> bool | None:
    """Return True once the last message that a phone sent or received is a final answer to method, or an ACK."""
    last = Message(phone.tape[-1].data)
    return (last.method == method and (last.status >= 200 or method == "ACK")) or None


@pytest.mark.parametrize("by_alice", [True, False], ids=["alice-calls", "bob-calls"])
@pytest.mark.parametrize("by_caller", [True, False], ids=["caller-ends", "callee-ends"])
def test_call(lab: Lab, sipveil: Sipveil, by_alice: bool, by_caller: bool) -> None:
    """A call in either direction, ended by either end."""
    pair = Pair(lab, sipveil)
    caller, callee = pair.connect(by_alice=by_alice)
    ending, other = (caller, callee) if by_caller else (callee, caller)
    ending.command("hangup")
    other.event("CALL_CLOSED")
    pair.expect_ended("BYE")
    if by_alice:
        pair.expect_private()


@pytest.mark.parametrize("by_alice", [True, False], ids=["by-alice", "by-bob"])
def test_hold(lab: Lab, sipveil: Sipveil, by_alice: bool) -> None:
    """Hold and resume, a re-INVITE each, by either end; the other hangs up."""
    pair = Pair(lab, sipveil)
    pair.connect()
    holding, held = (pair.alice, pair.bob) if by_alice else (pair.bob, pair.alice)
    for command, direction in (("hold", b"a=sendonly"), ("resume", b"a=sendrecv")):
        seen = len(held.tape)
        holding.command(command)
        wait_for(f"{command} to be acknowledged", partial(_acknowledged, held, seen))
        offer = next(wire.data for wire in held.tape[seen:] if wire.data.startswith(b"INVITE"))
        assert direction in offer
    held.command("hangup")
    holding.event("CALL_CLOSED")
    pair.expect_ended("BYE")
    pair.expect_private()


def _acknowledged(phone: Baresip, seen: int) -> bool | None:
    return any(wire.data.startswith(b"ACK") for wire in phone.tape[seen:]) or None


def test_cancel(lab: Lab, sipveil: Sipveil) -> None:
    """Alice gives up while it rings at bob's."""
    pair = Pair(lab, sipveil, answer="manual")
    pair.ring()
    pair.alice.command("hangup")
    pair.bob.event("CALL_CLOSED")
    pair.expect_ended("ACK", 487)
    pair.expect_private()


def test_busy(lab: Lab, sipveil: Sipveil) -> None:
    """Bob refuses; alice is told that he is busy."""
    pair = Pair(lab, sipveil, answer="manual")
    pair.ring()
    pair.bob.command("hangup")
    assert "486" in pair.alice.event("CALL_CLOSED")["param"]
    pair.expect_ended("ACK", 486)
    pair.expect_private()


def test_late_answer(lab: Lab, sipveil: Sipveil) -> None:
    """It rings, bob takes the call by hand, alice hangs up."""
    pair = Pair(lab, sipveil, answer="manual")
    pair.ring()
    pair.bob.command("accept")
    for phone in (pair.alice, pair.bob):
        phone.event("CALL_ESTABLISHED")
    pair.alice.command("hangup")
    pair.bob.event("CALL_CLOSED")
    pair.expect_ended("BYE")
    pair.expect_private()


@pytest.mark.parametrize("by_alice", [True, False], ids=["alice-ends", "bob-ends"])
def test_restart(lab: Lab, sipveil: Sipveil, by_alice: bool) -> None:
    """Sipveil dies in the middle of the call and comes back; neither phone notices."""
    pair = Pair(lab, sipveil)
    pair.connect()
    sipveil.kill()
    sipveil.start()
    ending, other = (pair.alice, pair.bob) if by_alice else (pair.bob, pair.alice)
    ending.command("hangup")
    other.event("CALL_CLOSED")
    pair.expect_ended("BYE")
    pair.expect_private()
