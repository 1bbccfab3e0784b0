"""Requests with a To tag and no record of ours (dialogs.md "Opening", 5)."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER, PBX, Agent, Packet
from tests.ladder import Ladder, Sent, Silence
from tests.world import OTHER_PHONE, World, settings

BOB = Agent(OTHER_PHONE, b"bob")


def stray(agent: Agent, method: bytes, uri: bytes) -> Packet:
    """A request of a dialog that Sipveil has never seen."""
    packet = agent.request(method, uri=uri)
    return packet._replace(data=packet.data.replace(b"To: <%b>" % uri, b"To: <%b>;tag=theirs" % uri))


@pytest.mark.parametrize("method", [b"BYE", b"INFO", b"ACK"])
def test_between_phones_and_core_they_pass(method: bytes) -> None:
    """No trunk is on either side, so they take the route of a request outside dialogs."""
    assert Ladder() >> stray(ALICE, method, b"sip:8000@192.0.2.1") << Sent(PBX, method)
    assert Ladder() >> stray(PBX, method, b"sip:bob@10.1.1.99") << Sent(BOB, method)


@pytest.mark.parametrize(
    ("agent", "uri"), [(ALICE, b"sip:1@192.0.2.1"), (PBX, b"sip:+1@192.0.2.1"), (CARRIER, b"sip:8@x")]
)
def test_to_and_from_a_trunk_they_do_not(agent: Agent, uri: bytes) -> None:
    """481, and an ACK is dropped."""
    assert Ladder() >> stray(agent, b"BYE", uri) << Sent(agent, 481)
    assert Ladder() >> stray(agent, b"ACK", uri) << Silence()


def test_without_a_route_they_are_refused() -> None:
    """As any other request that may not go anywhere."""
    assert Ladder(World(settings(routes=[]))) >> stray(ALICE, b"BYE", b"sip:8@elsewhere.example") << Sent(ALICE, 403)


def test_a_loop_of_theirs_is_found() -> None:
    """They take the routing table, so they may come round again (RFC 5393 §4.2), which a record never lets them."""
    there = stray(PBX, b"INFO", b"sip:bob@10.1.1.99")
    ladder = Ladder() >> there << Sent(BOB, b"INFO")
    ours = b"\r\nVia: " + ladder[b"INFO"].partition(b"\r\nVia: ")[2].partition(b"\r\n")[0]
    again = there.data.replace(b"branch=z9hG4bKone", b"branch=z9hG4bKtwo").replace(b"\r\nMax-F", ours + b"\r\nMax-F", 1)
    assert ladder >> there._replace(data=again) << Sent(PBX, 482)
