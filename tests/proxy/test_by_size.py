"""Above 1,300 bytes over TCP, and over UDP all the same where nobody takes that (RFC 3261 §18.1.1)."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.by_size import MAX_DATAGRAM, MAX_REFUSED, REFUSED_FOR, RefusedConnections
from proxy.flow import Flow
from tests import world as w
from tests.agents import ALICE, CARRIER, PBX, PSAP, read
from tests.ladder import Ladder, Sent, Silence
from tests.world import PHONE, PROXY, World, settings

LONG = (b"Subject: " + b"x" * 1300,)
BOTH = [*w.SETTINGS["listeners"], {"name": "tcp", "address": PROXY[0], "port": PROXY[1], "transport": "tcp"}]
SUBJECT = {"privacy": {"content": "keep", "unknown": "keep"}}


def world(**trunk: Any) -> World:
    carrier, *others = w.SETTINGS["trunks"]
    return World(settings(listeners=BOTH, trunks=[{**carrier, **SUBJECT, **trunk}, *others]))


def long_call(made: World) -> tuple[Ladder, bytes]:
    """Return a ladder on which a long INVITE has left, and that INVITE."""
    ladder = Ladder(made) >> ALICE.invite(headers=LONG) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    return ladder, ladder[b"INVITE"]


def test_a_long_request_goes_over_tcp() -> None:
    """Its Via says so, its branch is one of its own, and nothing is sent again by timer."""
    ladder, sent = long_call(world())
    assert len(sent) > MAX_DATAGRAM
    assert ladder.world.sent_over[-1] == Flow("TCP", PROXY, CARRIER.address)
    assert sent.partition(b"\r\n")[2].startswith(b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK")
    assert ladder.world.wait(20) == []
    assert ladder >> CARRIER.answer(sent, 200) << Sent(ALICE, 200)


def test_a_short_request_goes_over_udp() -> None:
    """Whatever the size it came in."""
    made = world(privacy={"content": "remove"})
    ladder = Ladder(made) >> ALICE.invite(headers=LONG) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder
    assert made.sent_over[-1].transport == "UDP"


def test_without_a_tcp_listener_it_is_a_datagram() -> None:
    """As ever, up to what the trunk takes."""
    carrier, *others = w.SETTINGS["trunks"]
    made = World(settings(trunks=[{**carrier, **SUBJECT}, *others]))
    assert long_call(made)[0]
    assert made.sent_over[-1].transport == "UDP"


def test_a_long_request_for_a_phone_stays_on_its_flow() -> None:
    """Nobody connects to what is behind a NAT."""
    made = world()
    ladder = Ladder(made) >> PBX.invite(uri=b"sip:alice@10.1.1.23:5062", headers=LONG) << Sent(PBX, 100)
    assert ladder << Sent(ALICE, b"INVITE")
    assert (made.sent[-1][0], made.sent_over[-1].transport) == (PHONE, "UDP")


def test_udp_takes_over_where_the_connection_fails() -> None:
    """A transaction of its own, found by its own branch; and the trunk is not marked as silent."""
    made = world()
    ladder, sent = long_call(made)
    made.core.undelivered(Flow("TCP", PROXY, CARRIER.address), sent, made.now)
    ladder.left += made.sent[2:]
    assert ladder << Sent(CARRIER, b"INVITE")
    again = ladder[b"INVITE"]
    assert made.sent_over[-1] == Flow("UDP", PROXY, CARRIER.address)
    assert read(again).via.branch != read(sent).via.branch
    bare = again.replace(read(again).via.branch, b"").replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    assert bare == sent.replace(read(sent).via.branch, b"")
    assert not made.core.outages.marks
    ladder >> CARRIER.answer(sent, 200) << Silence()
    assert ladder >> CARRIER.answer(again, 200) << Sent(ALICE, 200)


def test_the_next_long_request_does_not_wait_for_a_connection() -> None:
    """What refused is remembered for five minutes."""
    made = world()
    _, sent = long_call(made)
    made.core.undelivered(Flow("TCP", PROXY, CARRIER.address), sent, made.now)
    made.receive(*ALICE.invite(headers=LONG, call_id=b"2", branch=b"z9hG4bK2"))
    assert made.sent_over[-1].transport == "UDP"
    made.wait(REFUSED_FOR)
    made.receive(*ALICE.invite(headers=LONG, call_id=b"3", branch=b"z9hG4bK3"))
    assert made.sent_over[-1].transport == "TCP"


def test_a_refusal_at_once_falls_back_too() -> None:
    """`send` says False."""

    class Sinks(World):
        def send(self, flow: Flow, data: bytes) -> bool:
            return flow.transport != "TCP" and super().send(flow, data)

    carrier, *others = w.SETTINGS["trunks"]
    made = Sinks(settings(listeners=BOTH, trunks=[{**carrier, **SUBJECT}, *others]))
    ladder = Ladder(made) >> ALICE.invite(headers=LONG) << Sent(ALICE, 100)
    ladder.left += made.wait(0.1)
    assert ladder << Sent(CARRIER, b"INVITE")
    assert made.sent_over[-1].transport == "UDP"


def test_what_the_trunk_takes_no_datagram_for_does_not_fall_back() -> None:
    """`max_datagram` holds; over TCP it is no limit."""
    made = world(max_datagram=1300)
    ladder, sent = long_call(made)
    made.core.undelivered(Flow("TCP", PROXY, CARRIER.address), sent, made.now)
    ladder.left += made.sent[2:]
    assert ladder << Sent(ALICE, 500)
    refused = Ladder(made) >> ALICE.invite(headers=LONG, call_id=b"2", branch=b"z9hG4bK2") << Sent(ALICE, 100)
    assert refused << Sent(ALICE, 513)


def test_a_cancelled_call_does_not_begin_anew() -> None:
    """CANCEL while the connection was being made."""
    made = world()
    ladder = Ladder(made)
    invite = ALICE.invite(headers=LONG)
    ladder >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE") >> ALICE.cancel(invite) << Sent(ALICE, 200)
    before = len(made.sent)
    made.core.undelivered(Flow("TCP", PROXY, CARRIER.address), ladder[b"INVITE"], made.now)
    ladder.left += made.sent[before:]
    assert ladder << Sent(ALICE, 487)


def test_an_ack_falls_back_without_a_transaction() -> None:
    """Nobody answers an ACK, so it is sent again as it was."""
    made = world()
    ladder = Ladder(made)
    invite = ALICE.invite()
    ladder >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ack = ALICE.within(b"ACK", ladder[200], own=invite, cseq=1, branch=b"z9hG4bKa", headers=LONG)
    ladder >> ack << Sent(CARRIER, b"ACK")
    assert made.sent_over[-1].transport == "TCP"
    before = len(made.sent)
    made.core.undelivered(made.sent_over[-1], ladder[b"ACK"], made.now)
    ladder.left += made.sent[before:]
    assert ladder << Sent(CARRIER, b"ACK")
    assert made.sent_over[-1].transport == "UDP"
    assert b"\r\nVia: SIP/2.0/UDP" in ladder[b"ACK"]


def test_an_emergency_call_goes_either_way() -> None:
    """However long."""
    made = world()
    ladder = Ladder(made) >> ALICE.invite(uri=b"sip:112@192.0.2.1", headers=LONG) << Sent(ALICE, 100)
    ladder << Sent(PSAP, b"INVITE")
    before = len(made.sent)
    made.core.undelivered(made.sent_over[-1], ladder[b"INVITE"], made.now)
    ladder.left += made.sent[before:]
    assert ladder << Sent(PSAP, b"INVITE")


@pytest.mark.parametrize("target", [b"sip:x@198.51.100.7;branch=z9hG4bKaaaaaaaaaaaaat.", b"sip:x@198.51.100.7"])
def test_a_request_uri_does_not_pass_for_a_via(target: bytes) -> None:
    """Only the Via is rewritten, whatever else looks like a branch."""
    made = world()
    ladder = Ladder(made)
    invite = ALICE.invite()
    ladder >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder >> CARRIER.answer(ladder[b"INVITE"], 200, contact=b"<%b>" % target) << Sent(ALICE, 200)
    bye = ALICE.within(b"BYE", ladder[200], own=invite, headers=LONG)
    ladder >> bye << Sent(CARRIER, b"BYE")
    before = len(made.sent)
    made.core.undelivered(made.sent_over[-1], ladder[b"BYE"], made.now)
    ladder.left += made.sent[before:]
    assert ladder << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).uri == target


def test_the_memory_is_bounded() -> None:
    """The oldest leaves first."""
    refused = RefusedConnections()
    for port in range(MAX_REFUSED + 1):
        refused.note(("198.51.100.7", port), 0.0)
    assert not refused.knows(("198.51.100.7", 0), 1.0)
    assert refused.knows(("198.51.100.7", 1), 1.0)
    assert not refused.knows(("198.51.100.7", 1), REFUSED_FOR)
