"""The demo's phone and trunk, without a proxy between them: they are able to place a call."""

from __future__ import annotations

import time
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor

from tap import demo_messages as say
from tap.demo_call import CallError, End, Phone, Trunk, Wire

reactor: Any = _reactor


@pytest_twisted.ensureDeferred
async def test_a_call_straight_from_phone_to_trunk() -> None:
    """INVITE, 100, 180, 200, ACK, BYE, 200, as the tape has it."""
    tape: list[Wire] = []
    phone, trunk = Phone(reactor, tape, time.monotonic), Trunk(reactor, tape, time.monotonic)
    await phone.call(trunk.address)
    phone.close()
    trunk.close()
    said = [say.title(wire.data) for wire in tape if wire.end == "trunk"]
    assert said == ["INVITE", "100 Trying", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK"]
    assert trunk.methods == ["INVITE", "ACK", "BYE"]
    assert not phone.failures + trunk.failures


class Refuser(End):
    """Answers everything with what the test wants."""

    status = b"403 Forbidden"
    swap = (b"", b"")

    def arrived(self, data: bytes, peer: tuple[str, int]) -> None:
        self.send(say.response(data, self.status, b"h").replace(*self.swap), peer)


@pytest.mark.parametrize(
    ("status", "swap", "complaint"),
    [
        (b"403 Forbidden", (b"", b""), "403 came where 100 was due"),
        (b"100 Trying", (b"Call-ID: ", b"Call-ID: x"), "another call-id"),
        (b"100 Trying", (b"Penelope", b"Anonymous"), "another from"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_call_is_noticed(status: bytes, swap: tuple[bytes, bytes], complaint: str) -> None:
    """A refusal, and an answer in which the phone would not know its own dialog."""
    tape: list[Wire] = []
    phone, end = Phone(reactor, tape, time.monotonic), Refuser(reactor, "trunk", tape, time.monotonic)
    end.status, end.swap = status, swap
    with pytest.raises(CallError, match=complaint):
        await phone.call(end.address)
    phone.close()
    end.close()
