"""Groups by q: who rings when, and what the caller is told in the end."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from tests.agents import CARRIER, Packet, read
from tests.ladder import Ladder, Sent, Wait
from tests.phones import REGISTRAR, ROUTES, Phone, ask, registrar_world
from tests.world import PROXY, World, settings

ONE, TWO, THREE = (Phone((f"10.1.1.{number}", 5060)) for number in (1, 2, 3))


def prepared(**registrar: object) -> World:
    """Return a world with a phone of q 1, one of 0.5 and one of 0.1."""
    world = registrar_world(**registrar)
    for phone, q in ((TWO, b"0.5"), (ONE, b"1"), (THREE, b"0.1")):
        phone.cseq = 0
        ask(world, phone.register(b"<sip:me@%b>;q=%b" % (phone.host, q)))
    return world


def call(method: bytes = b"INVITE") -> Packet:
    if method == b"INVITE":
        return CARRIER.invite(uri=b"sip:alice@192.0.2.1")
    return CARRIER.request(method, b"sip:alice@192.0.2.1", contact=False)


def test_the_next_rings_when_one_has_refused() -> None:
    ladder = Ladder(prepared()) >> call() << Sent(CARRIER, 100) << Sent(ONE, b"INVITE")
    ladder = ladder >> ONE.answer(ladder[b"INVITE"], 486) << Sent(ONE, b"ACK") << Sent(TWO, b"INVITE")
    ladder = ladder >> TWO.answer(ladder[b"INVITE"], 480) << Sent(TWO, b"ACK") << Sent(THREE, b"INVITE")
    assert ladder >> THREE.answer(ladder[b"INVITE"], 486) << Sent(THREE, b"ACK") << Sent(CARRIER, 486)


def test_the_next_rings_when_one_has_rung_for_long() -> None:
    ladder = Ladder(prepared(ring=10)) >> call() << Sent(CARRIER, 100) << Sent(ONE, b"INVITE")
    invite = ladder[b"INVITE"]
    ladder = ladder >> ONE.answer(invite, 180) << Sent(CARRIER, 180)
    ladder = ladder >> Wait(10.1) << Sent(ONE, b"CANCEL") << Sent(TWO, b"INVITE")
    ladder = ladder >> ONE.answer(ladder[b"CANCEL"], 200) >> ONE.answer(invite, 487) << Sent(ONE, b"ACK")
    assert ladder >> TWO.answer(ladder[b"INVITE"], 200, tag=b"two") << Sent(CARRIER, 200)
    assert ladder >> Wait(40)


def test_nobody_answers() -> None:
    """All have rung: that is 480, and not the 487 of our own CANCELs."""
    ladder = Ladder(prepared(ring=10)) >> call() << Sent(CARRIER, 100)
    for phone in (ONE, TWO):
        ladder = ladder << Sent(phone, b"INVITE")
        invite = ladder[b"INVITE"]
        ladder = ladder >> phone.answer(invite, 180, tag=phone.host[5:8]) << Sent(CARRIER, 180)
        ladder = ladder >> Wait(10.1) << Sent(phone, b"CANCEL")
        following = ladder.left.pop(0)
        ladder = ladder >> phone.answer(ladder[b"CANCEL"], 200) >> phone.answer(invite, 487) << Sent(phone, b"ACK")
        ladder.left.append(following)
    ladder = ladder << Sent(THREE, b"INVITE")
    assert ladder >> THREE.answer(ladder[b"INVITE"], 404) << Sent(THREE, b"ACK") << Sent(CARRIER, 404)


@pytest.mark.parametrize("final", [200, 603])
def test_who_decides_ends_the_search(final: int) -> None:
    ladder = Ladder(prepared(ring=10)) >> call() << Sent(CARRIER, 100) << Sent(ONE, b"INVITE")
    ladder = ladder >> ONE.answer(ladder[b"INVITE"], final)
    if final == 603:
        ladder = ladder << Sent(ONE, b"ACK")
    ladder = ladder << Sent(CARRIER, final)
    ladder = ladder >> Wait(0.2)
    world = ladder.world
    before = len(world.sent)
    world.wait(40)
    assert {address for address, _ in world.sent[before:]} <= {CARRIER.address}


def test_a_cancel_ends_the_search() -> None:
    packet = call()
    ladder = Ladder(prepared(ring=10)) >> packet << Sent(CARRIER, 100) << Sent(ONE, b"INVITE")
    invite = ladder[b"INVITE"]
    ladder = ladder >> ONE.answer(invite, 180) << Sent(CARRIER, 180)
    ladder = ladder >> CARRIER.cancel(packet) << Sent(CARRIER, 200) << Sent(ONE, b"CANCEL")
    ladder = ladder >> ONE.answer(ladder[b"CANCEL"], 200)
    ladder = ladder >> ONE.answer(invite, 487) << Sent(ONE, b"ACK") << Sent(CARRIER, 487)
    ladder = ladder >> CARRIER.ack_failure(packet, ladder[487])
    assert ladder >> Wait(40)


def test_a_message_waits_for_no_timer() -> None:
    """Other methods go on as soon as one has refused, and not when their sender has given up."""
    ladder = Ladder(prepared(ring=1)) >> call(b"MESSAGE") << Sent(ONE, b"MESSAGE")
    ladder = ladder >> ONE.answer(ladder[b"MESSAGE"], 480) << Sent(TWO, b"MESSAGE")
    world = ladder.world
    before = len(world.sent)
    world.wait(60)
    assert {address for address, _ in world.sent[before:]} <= {TWO.address, CARRIER.address}


def test_more_phones_than_branches_ring_in_turns() -> None:
    """Max-Breadth bounds how many ring at once (RFC 5393 §5.3.3); those that there is no room for wait."""
    world = registrar_world()
    for phone in (ONE, TWO, THREE):
        phone.cseq = 0
        ask(world, phone.register())
    packet = CARRIER.invite(uri=b"sip:alice@192.0.2.1", headers=(b"Max-Breadth: 2", b"Content-Type: application/sdp"))
    sent = dict(world.receive(*packet)[1:])
    assert len(sent) == 2
    assert [read(data).value(b"max-breadth") for data in sent.values()] == [b"1", b"1"]
    rung = [phone for phone in (ONE, TWO, THREE) if phone.address in sent]
    for phone in rung:
        later = world.receive(*phone.answer(sent[phone.address], 486))
    assert [address for address, data in later if data.startswith(b"INVITE")] == [
        phone.address for phone in (ONE, TWO, THREE) if phone not in rung
    ]


def test_nothing_is_left_behind() -> None:
    """What waits for its turn is let go of with the call."""
    ladder = Ladder(prepared(ring=10)) >> call() << Sent(CARRIER, 100) << Sent(ONE, b"INVITE")
    ladder = ladder >> ONE.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)
    world = ladder.world
    world.wait(300)
    assert not world.core.servers
    assert not world.core.clients


def test_a_flood_leaves_no_more_than_its_branches() -> None:
    """Client transactions, and what waits for connections: Max-Breadth for each request at once, all phones in turn,
    and a CANCEL for each; in the end nothing."""
    limits = {"transactions": 100, "max_breadth": 3}
    world = World(settings(registrar={**REGISTRAR, "ring": 5}, routes=ROUTES, limits=limits))
    for number in range(9):
        peer = (f"10.1.1.{number}", 5060)
        world.flows[peer] = Flow("TCP", PROXY, peer, 100 + number)
        ask(world, Phone(peer).register())
    world.wait(40)
    for number in range(300):
        world.receive(
            *CARRIER.invite(uri=b"sip:alice@192.0.2.1", branch=b"z9hG4bKf%d" % number, call_id=b"f%d" % number)
        )
    core = world.core
    assert (len(core.servers), len(core.clients), len(core.waiting)) == (100, 300, 300)
    for peer, invite in [each for each in world.sent if each[1].startswith(b"INVITE")]:
        world.receive(*Phone(peer).answer(invite, 180))
    most = 0
    for _ in range(100):
        world.wait(1)
        most = max(most, len(core.clients))
    assert 300 < most <= 100 * 9 * 2
    world.wait(400)
    assert (core.servers, core.clients, len(core.waiting)) == ({}, {}, 0)
