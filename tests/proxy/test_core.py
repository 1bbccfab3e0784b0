"""The core as the shell sees it: datagrams, time, look-ups, clocks; and what everything shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from proxy.location import plain
from tests.agents import ALICE, CARRIER, STRANGER, Packet, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import World


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"From: ", b"Frm: ", 400),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", 400),
        (b"Content-Length: ", b"Content-Length: 9", 400),
        (b" SIP/2.0\r\nVia", b" SIP/3.0\r\nVia", 505),
        (b"Max-Forwards: 70", b"Max-Forwards: many", 400),
        (b"sip:+15550100@192.0.2.1 SIP", b"sip:+15550100@192.0.2.1?Subject=x SIP", 400),
        (b"sip:+15550100@192.0.2.1 SIP", b"http://192.0.2.1/ SIP", 416),
        (b"Contact: ", b"X-Long: " + b"x" * 9000 + b"\r\nContact: ", 513),
    ],
)
def test_broken_requests_get_a_clear_answer(old: bytes, new: bytes, status: int) -> None:
    """The status that RFC 3261 §21.4 and §16.3 want, with a phrase that says what is wrong, and nothing forwarded."""
    packet = ALICE.invite()
    assert old in packet.data
    assert Ladder() >> Packet(packet.source, packet.data.replace(old, new, 1)) << Sent(ALICE, status)


@pytest.mark.parametrize(
    "data", [b"SIP/2.0 999 What\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"INVITE"]
)
def test_what_is_no_sip_gets_silence(data: bytes) -> None:
    """Scanners and strays: nothing to answer, nothing kept."""
    ladder = Ladder()
    assert ladder >> Packet(ALICE.address, data) << Silence()
    assert ladder.world.count("dropped", "malformed") == 1


def test_strangers_get_no_answer_to_anything() -> None:
    """Not even to what is broken: no reflection, no sign that somebody is here."""
    ladder = Ladder()
    assert ladder >> STRANGER.invite() << Silence() >> Packet(STRANGER.address, b"BYE x SIP/2.0\r\n\r\n") << Silence()


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 900), st.integers(0, 80))
def test_nothing_on_the_wire_raises(noise: bytes, place: int, cut: int) -> None:
    """A piece of a good INVITE replaced by noise: an answer or silence, never an exception."""
    packet = ALICE.invite()
    World().receive(packet.source, packet.data[:place] + noise + packet.data[place + cut :])


def test_a_used_ticket_is_no_error() -> None:
    """A look-up that answers twice, or after its request has gone."""
    world = World()
    world.core.resume(17, plain(["198.51.100.7"]), world.now)


def test_records_follow_the_wall_clock() -> None:
    """set_wall moves issue times and ages; timers go on as they were."""
    invite = ALICE.invite()
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    world = ladder.world
    world.core.set_wall(world.now, world.wall + 172_801)
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=invite) << Sent(ALICE, 481)
    world.core.set_wall(world.now, world.wall - 3600)
    bye = ALICE.within(b"BYE", ladder[200], own=invite, cseq=3)
    assert ladder >> bye << Sent(CARRIER, b"BYE") >> Wait(0.6) << Sent(CARRIER, b"BYE")


def test_one_worker_owns_everything() -> None:
    """design.md §6: owner(data) is asked before anything is parsed."""
    core = World().core
    assert core.owner(ALICE.invite().data) == core.owner(b"garbage") == 0
    assert 0 <= core.owner(ALICE.invite().data, 4) < 4


def test_our_own_to_tag_is_the_same_for_every_copy() -> None:
    """A stateless answer that is repeated must not look like a second one (§8.2.7), and CANCEL shares it (§9.2)."""
    tags = set()
    for _ in range(2):
        invite = ALICE.invite(max_forwards=0)
        tags.add(read((Ladder() >> invite << Sent(ALICE, 483))[483]).to_tag)
    assert len(tags) == 1
    invite = ALICE.invite()
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> ALICE.cancel(invite) << Sent(ALICE, 200)
    assert read(ladder[200]).to_tag in tags


def test_overload_is_an_event_of_nobody() -> None:
    """Once when it begins and once when it is over, and the metrics page tells how bad it is."""
    world = World()
    control = world.core.overload
    control.measured("main", 0.2, 0, world.now)
    gauges = world.core.gauges()
    assert gauges["sipveil_overload_active"] == 1
    assert gauges["sipveil_overload_refused_ratio"] == 1
    assert gauges["sipveil_overload_lag_seconds"] == 0.2
    control.measured("main", 0.0, 0, world.now)
    world.wait(2)
    assert [(event.kind, event.detail) for event in world.events] == [("overload", "begins"), ("overload", "ends")]
    assert not any(world.core.gauges().values())
