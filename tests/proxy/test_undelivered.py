"""Messages that never left: requests fail at once, everything else is nobody's loss."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from tests import world as w
from tests.agents import ALICE, CARRIER, SECOND
from tests.ladder import Ladder, Sent, Silence
from tests.world import PROXY, World, settings

TO_TRUNK = Flow("UDP", PROXY, CARRIER.address)


def undelivered(ladder: Ladder, flow: Flow, data: bytes) -> Ladder:
    """Tell the core that a message never left."""
    before = len(ladder.world.sent)
    ladder.world.core.undelivered(flow, data, ladder.world.now)
    ladder.left += ladder.world.sent[before:]
    return ladder


def test_a_request_that_never_left_is_answered_at_once() -> None:
    """RFC 3261 §17.1.4: a transport error, as 503, which goes back as 500 (§16.7 item 6)."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert undelivered(ladder, TO_TRUNK, ladder[b"INVITE"]) << Sent(ALICE, 500)


def test_the_next_host_is_tried() -> None:
    """RFC 3263 §4.3: what could not be sent to one goes to the next."""
    carrier, *others = w.SETTINGS["trunks"]
    both = {**carrier, "hosts": ["198.51.100.7:5060", "198.51.100.20:5060"]}
    ladder = Ladder(World(settings(trunks=[both, *others])))
    ladder >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    undelivered(ladder, TO_TRUNK, ladder[b"INVITE"])
    address, data = ladder.left.pop()
    assert address == ("198.51.100.20", 5060)
    assert data.startswith(b"INVITE ")


def test_who_has_answered_was_there() -> None:
    """A copy that got lost after a 180 ends no call."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert undelivered(ladder, TO_TRUNK, ladder[b"INVITE"]) << Silence()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"ACK sip:a@b SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"x" * 99])
def test_anything_else_is_nobodys_loss(data: bytes) -> None:
    """Whatever the transport gives back, nothing raises and nothing is sent."""
    assert undelivered(Ladder(), TO_TRUNK, data) << Silence()


def test_only_where_it_went() -> None:
    """A message that was for somebody else fails nothing."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert undelivered(ladder, Flow("UDP", PROXY, SECOND.address), ladder[b"INVITE"]) << Silence()
