"""What lingers is small, and nobody outside can tell: repetitions and further 2xx go as they always went."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.headers import NameAddr
from proxy.lingering import Accepted, CompletedClient, CompletedServer
from proxy.location import plain
from proxy.record import MAX_FIELD
from proxy.transaction import ServerTransaction
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import OTHER_PHONE, SETTINGS, World, settings

BOB = Agent(OTHER_PHONE, b"bob")
ROUTES = (b"Record-Route: <sip:203.0.113.8;lr>", b"Record-Route:\r\n <sip:203.0.113.9;lr>, <sip:p@203.0.113.10;lr>")


def kinds(world: World) -> list[type]:
    """Return what stands in the tables, servers first."""
    core = world.core
    return [type(each) for each in (*core.servers.values(), *core.clients.values())]


def trunks(**changes: object) -> list[object]:
    carrier, *others = SETTINGS["trunks"]
    return [{**carrier, **changes}, *others]


def call(caller: Agent, callee: Agent, world: World | None = None, **invite: object) -> tuple[World, bytes]:
    """Return a world in which the callee has been called, and its INVITE."""
    world = world or World()
    sent = world.receive(*caller.invite(**invite))
    return world, next(data for peer, data in sent if peer == callee.address)


def again(direction: str) -> tuple[World, bytes, Agent]:
    """Return a world with a call, the re-INVITE of one side as it reached the other, and that other."""
    invite = ALICE.invite()
    world, sent = call(ALICE, CARRIER)
    answer = CARRIER.answer(sent, 200)
    got = world.receive(*answer)[0][1]
    world.wait(40)
    if direction == "from the caller":
        out = world.receive(*ALICE.within(b"INVITE", got, own=invite, cseq=3))
        return world, out[-1][1], CARRIER
    out = world.receive(*CARRIER.within(b"INVITE", sent, own=answer, cseq=7))
    return world, out[-1][1], ALICE


def parked() -> tuple[World, bytes, Agent]:
    """Return a world with a call whose hop had to be looked up."""
    world = World(settings(trunks=trunks(hosts=["sip.carrier.example:5060"], networks=["198.51.100.0/24"])))
    world.receive(*ALICE.invite())
    before = len(world.sent)
    world.core.resume(world.lookups[0][0], plain([CARRIER.address[0]]), world.now)
    return world, world.sent[before][1], CARRIER


def without_record() -> tuple[World, bytes, Agent]:
    """Return a world with an INVITE between phone and core whose dialog Sipveil has never seen."""
    world, uri = World(), b"sip:8000@192.0.2.1"
    packet = ALICE.invite(uri=uri)
    data = packet.data.replace(b"To: <%b>" % uri, b"To: <%b>;tag=theirs" % uri)
    return world, world.receive(packet.source, data)[-1][1], PBX


def simply(caller: Agent, callee: Agent, **invite: object) -> Callable[[], tuple[World, bytes, Agent]]:
    return lambda: (*call(caller, callee, None, **invite), callee)


def at_trunk(**changes: object) -> Callable[[], tuple[World, bytes, Agent]]:
    return lambda: (*call(ALICE, CARRIER, World(settings(trunks=trunks(**changes)))), CARRIER)


CALLS: dict[str, Callable[[], tuple[World, bytes, Agent]]] = {
    "phone to trunk": simply(ALICE, CARRIER),
    "trunk to core": simply(CARRIER, PBX, uri=b"sip:8@192.0.2.1"),
    "core to phone": simply(PBX, BOB, uri=b"sip:bob@10.1.1.99"),
    "trunk behind proxies of its own": simply(CARRIER, PBX, uri=b"sip:8@192.0.2.1", headers=ROUTES, body=b""),
    "without rport": simply(ALICE, CARRIER, rport=False),
    "emergency": simply(ALICE, PSAP, uri=b"urn:service:sos"),
    "a Call-ID too long to be sealed": simply(ALICE, CARRIER, call_id=b"x" * 60 + b"@10.1.1.23"),
    "a name too long for a record": lambda: (
        *call(Agent(ALICE.address, b"alice", b'"%b" ' % (b"Alice " * 90)), CARRIER), CARRIER
    ),
    "a trunk that keeps no Record-Route": at_trunk(record_route=False, record_budget=512, max_user=1500),
    "a trunk that wants its tags sealed": at_trunk(seal_tags=True),
    "re-INVITE from the caller": lambda: again("from the caller"),
    "re-INVITE from the callee": lambda: again("from the callee"),
    "a hop that was looked up": parked,
    "without a record": without_record,
}  # fmt: skip


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("routes", [(), (b"sip:198.51.100.17;lr", b"sip:198.51.100.18;lr")], ids=["", "routes"])
@pytest.mark.parametrize("contact", [None, b""], ids=["", "no contact"])
def test_a_repeated_2xx_leaves_as_the_first_one_did(
    kind: str, routes: tuple[bytes, ...], contact: bytes | None
) -> None:
    """Byte for byte: it comes once more when the ACK was lost, and the caller must not see another dialog."""
    world, sent, callee = CALLS[kind]()
    answer = callee.answer(sent, 200, routes=routes, contact=contact)
    first = world.receive(*answer)
    assert kinds(world).count(Accepted) == 2, "one transaction on each side"
    assert [data[:11] for _, data in first] == [b"SIP/2.0 200"]
    world.wait(20)
    assert world.receive(*answer) == first
    assert world.receive(*answer) == first
    world.wait(12)
    assert not any(world.core.gauges().values())
    assert world.receive(*answer) == [], "a stray (RFC 6026 §7.3)"


def test_one_object_stands_for_both_sides() -> None:
    world, sent = call(ALICE, CARRIER)
    world.receive(*CARRIER.answer(sent, 200))
    (server,), (client,) = world.core.servers.values(), world.core.clients.values()
    assert server is client


def test_further_2xx_of_forks_behind_the_hop_pass_with_all_edits() -> None:
    """RFC 6026 §7.2: another To tag, another Contact, other proxies; nothing of the far side's network."""
    world, sent = call(ALICE, CARRIER)
    first = read(world.receive(*CARRIER.answer(sent, 200, tag=b"one"))[0][1])
    headers = (b"Server: Gateway/1", b"Contact-Secret: x")
    answer = CARRIER.answer(sent, 200, tag=b"two", headers=headers, contact=b"<sip:g2@198.51.100.9>")
    ((peer, data),) = world.receive(*answer)
    second = read(data)
    assert (peer, second.to_tag, second.call_id) == (ALICE.address, b"two", first.call_id)
    assert second.items(b"record-route") != first.items(b"record-route"), "a record of its own"
    assert b"198.51.100.9" not in data
    for name in (b"via", b"from", b"cseq"):
        assert second.values(name) == first.values(name)


def test_after_the_2xx_everything_else_is_absorbed() -> None:
    """INVITEs again, and 1xx and refusals that come late; the ACK goes on, and a CANCEL changes nothing."""
    invite = ALICE.invite()
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    sent = ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(sent, 200) << Sent(ALICE, 200)
    ladder = ladder >> invite << Silence()
    for status in (100, 180, 486):
        ladder = ladder >> CARRIER.answer(sent, status) << Silence()
    assert ladder.world.count("dropped", "late") == 3
    assert ladder.world.count("retransmissions_absorbed", "INVITE") == 1
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(CARRIER, b"ACK")
    ladder = ladder >> ALICE.cancel(invite) << Sent(ALICE, 200) << Silence()
    assert ladder >> Wait(40) << Silence()


@pytest.mark.parametrize("status", [200, 486])
def test_only_the_side_that_was_asked_may_repeat_a_response(status: int) -> None:
    """Who knows the branch could else make us send: a 2xx to the caller, an ACK to the trunk."""
    world, sent = call(ALICE, CARRIER)
    answer = CARRIER.answer(sent, status)
    world.receive(*answer)
    assert world.receive(SECOND.address, answer.data) == []
    assert world.receive(ALICE.address, answer.data) == []
    assert world.count("dropped", "stray-response") == 2


def test_a_further_2xx_that_cannot_be_finished_leaves_in_no_form() -> None:
    """Fail closed: the call is up already; this answer gets silence, and its phone ends it without an ACK."""
    world, sent = call(ALICE, CARRIER)
    world.receive(*CARRIER.answer(sent, 200))
    broken = CARRIER.answer(sent, 200, tag=b"two", headers=(b"Content-Type: application/sdp",), body=b"nothing")
    assert world.receive(*broken) == []
    assert world.count("failed_closed", "invite-2xx") == 1
    assert world.receive(*CARRIER.answer(sent, 200, tag=b"three")) != []


def test_a_first_2xx_that_cannot_be_finished_keeps_what_ends_the_call() -> None:
    """Nothing gives way: its repetition is acknowledged again."""
    world, sent = call(ALICE, CARRIER)
    broken = CARRIER.answer(sent, 200, headers=(b"Content-Type: application/sdp",), body=b"nothing")
    world.receive(*broken)
    assert Accepted not in kinds(world)
    assert [data[:4] for _, data in world.receive(*broken)] == [b"ACK "]
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_forks_give_way_when_all_have_ended() -> None:
    """Until then the others are cancelled; afterwards further 2xx of either pass, and go under their own crossing."""
    world = World()
    out = world.receive(*ALICE.invite(uri=b"sip:9000@192.0.2.1"))
    first, second = (data for peer, data in out if peer != ALICE.address)
    one, two = CARRIER.answer(first, 200, tag=b"a"), SECOND.answer(second, 200, tag=b"b")
    assert len(world.receive(*one)) == 1
    assert Accepted not in kinds(world), "the other may still ring"
    passed = world.receive(*two)
    assert kinds(world).count(Accepted) == 3
    assert world.receive(*two) == passed
    assert read(world.receive(*one)[0][1]).to_tag == b"a"
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_a_fork_whose_others_refuse_gives_way_too() -> None:
    """The 487 of the cancelled branch is what it waits for."""
    world = World()
    out = world.receive(*ALICE.invite(uri=b"sip:9000@192.0.2.1"))
    first, second = (data for peer, data in out if peer != ALICE.address)
    world.receive(*SECOND.answer(second, 180))
    answer = CARRIER.answer(first, 200)
    passed = [each for each in world.receive(*answer) if each[0] == ALICE.address]
    world.receive(*SECOND.answer(second, 487))
    assert kinds(world).count(Accepted) == 2
    assert kinds(world).count(CompletedClient) == 1
    assert world.receive(*answer) == passed


def test_a_fork_whose_second_2xx_fails_keeps_what_ends_that_call() -> None:
    """The one that passed gives way, the other is taken down again and again; nothing stays for ever."""
    world = World()
    out = world.receive(*ALICE.invite(uri=b"sip:9000@192.0.2.1"))
    first, second = (data for peer, data in out if peer != ALICE.address)
    one = CARRIER.answer(first, 200, tag=b"a")
    passed = world.receive(*one)
    broken = SECOND.answer(second, 200, headers=(b"Content-Type: application/sdp",), body=b"nothing")
    assert [data[:4] for _, data in world.receive(*broken)] == [b"ACK ", b"BYE "]
    world.wait(10)
    assert [data[:4] for peer, data in world.receive(*broken) if peer == SECOND.address] == [b"ACK "]
    assert world.receive(*one) == passed
    late = SECOND.answer(second, 200, tag=b"late")
    assert len(world.receive(*late)) == 1
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_a_refused_invite_keeps_its_ack() -> None:
    """Timer D: every repetition of the refusal is acknowledged with the same bytes, anything else absorbed."""
    world, sent = call(ALICE, CARRIER)
    busy = CARRIER.answer(sent, 486)
    (acknowledged,) = (each for each in world.receive(*busy) if each[0] == CARRIER.address)
    assert CompletedClient in kinds(world)
    assert world.receive(*busy) == [acknowledged]
    assert world.receive(*CARRIER.answer(sent, 180)) == world.receive(*CARRIER.answer(sent, 200)) == []
    assert world.count("dropped", "late") == 2
    world.wait(33)
    assert world.receive(*busy) == []


def test_an_answered_request_keeps_its_answer() -> None:
    """Timer J: whoever repeats the request gets it; so does one that comes while there is overload."""
    request = ALICE.request(b"OPTIONS")
    world = World()
    sent = world.receive(*request)[0][1]
    answer = world.receive(*CARRIER.answer(sent, 200))
    assert CompletedServer in kinds(world)
    assert world.receive(*request) == answer
    world.core.overload.active = True
    assert world.receive(*request) == answer
    world.core.overload.active = False
    assert world.count("retransmissions_absorbed", "OPTIONS") == 2
    world.wait(33)
    assert not any(value for name, value in world.core.gauges().items() if name.endswith("transactions"))


def test_what_does_not_go_into_bytes_keeps_everything() -> None:
    """A URI may be longer than records take where no record travels; its 2xx pass all the same, every time."""
    world, sent, callee = without_record()
    (server,) = world.core.servers.values()
    assert isinstance(server, ServerTransaction)
    assert server.context is not None
    (branch,) = server.context.branches
    long = NameAddr(b"", b"sip:%b@sip.example.net" % (b"a" * MAX_FIELD), b"")
    branch.crossing.base = branch.crossing.base.replace(from_original=long)
    answer = callee.answer(sent, 200)
    first = world.receive(*answer)
    assert [data[:11] for _, data in first] == [b"SIP/2.0 200"]
    assert Accepted not in kinds(world)
    assert world.receive(*answer) == first
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_kill_minus_nine() -> None:
    """Nothing of what lingers survives, and nothing has to: the repeated INVITE is placed as it was."""
    world, sent = call(ALICE, CARRIER)
    world.receive(*CARRIER.answer(sent, 200))
    world.new_core()
    assert world.receive(*ALICE.invite())[-1][1] == sent


def test_a_recorder_hears_of_further_2xx() -> None:
    """`scripts/run demo` shows them with the reason of each edit."""
    heard: list[tuple[bytes, list[tuple[str, str]]]] = []

    class Ear:
        def forwarded(self, received: bytes, sent: bytes, flow: object, notes: list[tuple[str, str]]) -> None:
            heard.append((sent, notes))

    world, sent = call(ALICE, CARRIER)
    world.core.recorder = Ear()
    answer: Packet = CARRIER.answer(sent, 200)
    world.receive(*answer)
    world.receive(*answer)
    assert heard[0] == heard[1]
    assert heard[0][1]
