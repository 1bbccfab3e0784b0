"""What a connection brought for a worker that takes nothing more."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from tests.agents import ALICE
from tests.world import PHONE, PROXY, STRANGER, World

FLOW = Flow("UDP", PROXY, PHONE)


def answers(data: bytes, flow: Flow = FLOW, world: World | None = None) -> list[bytes]:
    world = world or World()
    world.core.unowned(data, flow, world.now)
    return [sent for _, sent in world.sent]


def test_a_request_is_told_to_try_again() -> None:
    """At once, and nothing is kept of it."""
    world = World()
    (answer,) = answers(ALICE.invite().data, world=world)
    assert answer.startswith(b"SIP/2.0 503 ")
    assert b"\r\nRetry-After: 1\r\n" in answer
    assert not world.core.servers


def test_a_call_for_help_goes_through() -> None:
    """Complete, by whoever read it."""
    sent = answers(ALICE.invite(uri=b"urn:service:sos").data)
    assert sent[0].startswith(b"SIP/2.0 100 ")
    assert any(data.startswith(b"INVITE ") for data in sent)


@pytest.mark.parametrize(
    "data",
    [ALICE.invite().data.replace(b"INVITE", b"ACK"), b"SIP/2.0 200 OK" + ALICE.invite().data[35:], b"", b"\0" * 50],
)
def test_anything_else_gets_silence(data: bytes) -> None:
    assert answers(data) == []


def test_strangers_get_silence() -> None:
    assert answers(ALICE.invite().data, FLOW._replace(peer=STRANGER)) == []
