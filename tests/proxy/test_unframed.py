"""Heads of messages whose end nobody can tell: requests of those we know are answered, once, statelessly."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from tests.agents import ALICE
from tests.world import PHONE, PROXY, STRANGER, World

FLOW = Flow("UDP", PROXY, PHONE)


def head_of(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def invite() -> bytes:
    lines = head_of(ALICE.invite().data).split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(b"content-length"))


def answers(head: bytes, code: int = 400, why: str = "Missing Content-Length", flow: Flow = FLOW) -> list[bytes]:
    world = World()
    world.core.unframed(head, flow, code, why)
    assert not world.core.servers
    assert not world.core.clients
    return [data for _, data in world.sent]


def test_a_request_is_answered_with_its_own_lines() -> None:
    (answer,) = answers(invite())
    assert answer.startswith(b"SIP/2.0 400 Missing Content-Length\r\n")
    assert b"Call-ID: " in answer
    assert answer.endswith(b"Content-Length: 0\r\n\r\n")


def test_the_code_is_the_framings() -> None:
    """A body that was not waited for is no body that is short."""
    head = invite().replace(b"\r\n\r\n", b"\r\nContent-Length: 99999999\r\n\r\n")
    (answer,) = answers(head, 513, "Message Too Large")
    assert answer.startswith(b"SIP/2.0 513 Message Too Large\r\n")


def test_a_head_that_is_broken_besides_is_answered_as_far_as_it_can_be_read() -> None:
    (answer,) = answers(invite().replace(b"Max-Forwards: 70", b"Max-Forwards: x"))
    assert answer.startswith(b"SIP/2.0 400 ")


@pytest.mark.parametrize(
    "head",
    [
        b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"A" * 70_000,
        b"INVITE sip:a SIP/2.0\r\n\r\n",
        invite().replace(b"INVITE", b"ACK"), b"SIP/2.0 200 OK\r\n" + invite().partition(b"\r\n")[2], b"\0\1\2\3",
    ],
)  # fmt: skip
def test_anything_else_gets_silence(head: bytes) -> None:
    """Responses, ACK, what has no Via, what is no SIP."""
    assert answers(head) == []


def test_strangers_get_silence() -> None:
    assert answers(invite(), flow=FLOW._replace(peer=STRANGER)) == []
