"""Calls for registered phones: whom they reach, by which flow, and what a caller learns where nobody is."""

from __future__ import annotations

import pytest

from config.subscriber import profile
from config.subscribers import Mark, Subscribers
from tests.agents import CARRIER, PBX, Packet, read
from tests.ladder import Ladder, Sent, Wait
from tests.phones import Phone, ask, bound, contacts, registrar_world, status
from tests.world import OTHER_PHONE, PHONE, World, build

EDGE = ("10.9.9.9", 5060)
INSTANCE = b'+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'


@pytest.fixture
def world() -> World:
    return registrar_world()


@pytest.fixture
def phone() -> Phone:
    return Phone(PHONE)


def call(uri: bytes = b"sip:alice@192.0.2.1", **changes: object) -> Packet:
    return CARRIER.invite(**{"uri": uri, "call_id": b"c@trunk", **changes})


def sent_to(world: World, packet: Packet, method: bytes = b"INVITE") -> dict[tuple[str, int], bytes]:
    """Return whom a request was forwarded to, and what."""
    return {address: data for address, data in world.receive(*packet) if data.startswith(method + b" ")}


def test_a_call_from_a_trunk(world: World, phone: Phone) -> None:
    """It rings, is answered and ended; the trunk never sees where the phone is."""
    ladder = Ladder(world) >> phone.register(b"<sip:desk@10.1.1.23:5062;line=7>") << Sent(phone, 200)
    invite = call()
    assert ladder >> invite << Sent(CARRIER, 100) << Sent(phone, b"INVITE")
    assert read(ladder[b"INVITE"]).uri == b"sip:desk@10.1.1.23:5062;line=7"
    ladder = ladder >> phone.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)
    assert b"10.1.1.23" not in ladder[200]
    ladder = ladder >> CARRIER.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(phone, b"ACK")
    ladder = ladder >> phone.within(b"BYE", ladder[b"INVITE"], own=phone.answer(ladder[b"INVITE"], 200))
    assert ladder << Sent(CARRIER, b"BYE")


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:alice@192.0.2.1",
        b"sip:alice@192.0.2.1:5060;user=phone",
        b"sip:%61lice@EXAMPLE.net",
        b"sips:alice@example.net",
    ],
)
def test_whom_a_request_uri_means(world: World, phone: Phone, uri: bytes) -> None:
    ask(world, phone.register())
    assert list(sent_to(world, call(uri))) == [PHONE]


@pytest.mark.parametrize("uri", [b"sip:+1-555-0100@192.0.2.1", b"tel:+1-555-0100", b"sip:+15550100;npdi@192.0.2.1"])
def test_a_number_is_one_however_it_is_written(world: World, uri: bytes) -> None:
    ask(world, Phone(PHONE, b"+15550100").register())
    assert list(sent_to(world, call(uri))) == [PHONE]


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:nobody@example.net",
        b"sip:alice@example.net",  # known once, by now not registered
        b"sip:alice@example.com",
        b"sip:example.net",
        b"sip:alice@example.net;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        b"sip:alice@example.net;gr=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        b"sip:x@example.net;gr",
    ],
)
@pytest.mark.parametrize("caller", [CARRIER, PBX], ids=repr)
def test_there_is_no_list_of_users(world: World, phone: Phone, uri: bytes, caller: Phone) -> None:
    """Whoever calls in vain hears the same, byte for byte but for what he wrote himself."""
    ask(world, phone.register())
    ask(world, phone.register(b"*", b"Expires: 0"))
    ask(world, Phone(OTHER_PHONE, b"bob").register())
    (answer,) = [data for _, data in world.receive(*caller.invite(uri=uri))]
    assert answer.startswith(b"SIP/2.0 480 Temporarily Unavailable\r\n")
    assert len(read(answer).names) == 6


def test_all_phones_ring_and_one_answers(world: World, phone: Phone) -> None:
    other = Phone(OTHER_PHONE)
    ladder = Ladder(world) >> phone.register() << Sent(phone, 200) >> other.register() << Sent(other, 200)
    ladder = ladder >> call() << Sent(CARRIER, 100)
    branches = dict(ladder.left)
    assert set(branches) == {PHONE, OTHER_PHONE}
    assert [read(data).value(b"max-breadth") for data in branches.values()] == [b"30", b"30"]
    ladder.left.clear()
    ladder = ladder >> other.answer(branches[OTHER_PHONE], 180) << Sent(CARRIER, 180)
    ladder = ladder >> phone.answer(branches[PHONE], 200, tag=b"p") << Sent(CARRIER, 200)
    assert ladder << Sent(other, b"CANCEL")


def test_a_contact_chooses_no_hop(world: World, phone: Phone) -> None:
    """A Contact that names a trunk, the core or another phone is what the phone itself is called, no more."""
    for number, host in enumerate((b"198.51.100.7:5060", b"203.0.113.5", b"10.1.1.99", b"192.0.2.1")):
        ask(world, phone.register(b"*", b"Expires: 0"))
        ask(world, phone.register(b"<sip:+19005550199@%b>" % host))
        packet = call(call_id=b"c%d@t" % number, branch=b"z9hG4bKc%d" % number)
        ((address, data),) = sent_to(world, packet).items()
        assert (address, read(data).uri) == (PHONE, b"sip:+19005550199@%b" % host)


def test_what_may_not_stand_in_a_request_uri_leaves(world: World, phone: Phone) -> None:
    ask(world, phone.register(b"<sip:desk@10.1.1.23;method=BYE;x=y?Subject=hi>"))
    (data,) = sent_to(world, call()).values()
    assert read(data).uri == b"sip:desk@10.1.1.23;x=y"


def test_push_parameters_come_back_to_their_phone_alone(world: World, phone: Phone) -> None:
    """A call goes to the phone as it registered; a trunk sees none of it, in no message of the call."""
    ask(world, phone.register(b"<sip:desk@10.1.1.23:5062;pn-provider=fcm;pn-prid=secret-token>;" + INSTANCE))
    (invite,) = sent_to(world, call()).values()
    answer = phone.answer(invite, 200, contact=b"<sip:desk@10.1.1.23:5062;pn-prid=secret-token>;" + INSTANCE)
    ((_, back),) = world.receive(*answer)
    assert b"secret" not in back
    assert b"f81d4fae" not in back


def test_a_phone_of_an_edge_proxy(world: World) -> None:
    """The Path becomes the route set, over the flow of the edge proxy (RFC 3327 §5.4)."""
    edge = Phone(EDGE)
    ask(world, edge.register(b"<sip:a@10.3.3.3>", b"Path: <sip:t1@10.9.9.9;lr>, <sip:t2@10.9.9.8;lr>"))
    ((address, data),) = sent_to(world, call()).items()
    assert (address, read(data).uri) == (EDGE, b"sip:a@10.3.3.3")
    assert read(data).items(b"route") == [b"<sip:t1@10.9.9.9;lr>", b"<sip:t2@10.9.9.8;lr>"]


def test_who_was_called(world: World, phone: Phone) -> None:
    """P-Called-Party-ID names the address and nothing that the trunk wrote; its host is ours, as in To."""
    ask(world, phone.register(b"<sip:desk@10.1.1.23:5062>"))
    packet = call(b"sip:alice@192.0.2.1;trunk=7", headers=(b"P-Called-Party-ID: <sip:mallory@evil.example>",))
    (data,) = sent_to(world, packet).values()
    assert read(data).values(b"p-called-party-id") == [b"<sip:alice@192.0.2.1:5060>"]


def test_a_message_reaches_a_phone_too(world: World, phone: Phone) -> None:
    ask(world, phone.register())
    packet = CARRIER.request(b"MESSAGE", b"sip:alice@192.0.2.1", contact=False)
    ((address, data),) = sent_to(world, packet, b"MESSAGE").items()
    assert address == PHONE
    ((_, answer),) = world.receive(*phone.answer(data, 200))
    assert status(answer) == 200


# --- GRUUs


def gruus(world: World, phone: Phone) -> tuple[bytes, bytes]:
    """Register a phone and return its public and temporary GRUU."""
    contact = b"<sip:me@%b>;%b" % (phone.host, INSTANCE)
    (line,) = [each for each in contacts(ask(world, phone.register(contact, b"Supported: gruu"))) if b"gruu" in each]
    _, public, temporary = line.split(b"gruu=")
    return public.split(b'"')[1], temporary.split(b'"')[1]


def test_a_gruu_reaches_its_instance_alone(world: World, phone: Phone) -> None:
    ask(world, Phone(OTHER_PHONE, call_id=b"other").register())
    for number, uri in enumerate(gruus(world, phone)):
        packet = call(uri, call_id=b"c%d@t" % number, branch=b"z9hG4bKc%d" % number)
        ((address, data),) = sent_to(world, packet).items()
        assert (address, read(data).uri) == (PHONE, b"sip:me@" + phone.host)


def test_a_gruu_comes_with_the_settings_of_whose_it_is(world: World, phone: Phone) -> None:
    """Neither by the name of somebody else in front of it, nor by a temporary one, which tells no name at all."""
    subscribers = Subscribers()
    subscribers.replace({b"alice@example.net": profile([], reject_anonymous=True)}, Mark(1, 1), 0.0)
    world.privacy = build(world.settings, subscribers)
    world.new_core()
    public, temporary = gruus(world, phone)
    others = public.replace(b"sip:alice@", b"sip:bob@")
    for number, (uri, code) in enumerate(((public, 433), (temporary, 433), (others, 480))):
        packet = call(uri, call_id=b"a%d@t" % number, branch=b"z9hG4bKa%d" % number)
        said = b"From: <sip:gateway@sip.example.net>"
        assert said in packet.data
        packet = packet._replace(data=packet.data.replace(said, b"From: <sip:anonymous@anonymous.invalid>"))
        assert [status(data) for _, data in world.receive(*packet)] == [code]
    packet = call(others, call_id=b"n@t", branch=b"z9hG4bKn")
    assert [status(data) for _, data in world.receive(*packet)] == [480]


def test_a_temporary_gruu_ends_with_its_registration(world: World, phone: Phone) -> None:
    _, temporary = gruus(world, phone)
    phone.call_id = b"started-anew@phone"
    gruus(world, phone)
    (answer,) = [data for _, data in world.receive(*call(temporary))]
    assert status(answer) == 480


def test_only_who_knows_gruus_gets_them(world: World, phone: Phone) -> None:
    assert b"gruu=" not in ask(world, phone.register(b"<sip:me@10.1.1.23>;" + INSTANCE))
    assert b"gruu=" not in ask(world, phone.register(b"<sip:me@10.1.1.23>", b"Supported: gruu"))


# --- flows


def outbound(phone: Phone, reg_id: int, headers: tuple[bytes, ...] = ()) -> Packet:
    contact = b"<sip:me@%b;ob>;%b;reg-id=%d" % (phone.host, INSTANCE, reg_id)
    return phone.register(contact, b"Supported: outbound, path", *headers)


def test_of_two_flows_one_is_tried_and_then_the_other(world: World, phone: Phone) -> None:
    """The youngest first; the next after four seconds of silence, which is all that a caller waits (RFC 5626 §7)."""
    other = Phone((PHONE[0], 7000))
    ask(world, outbound(phone, 1))
    world.wall += 5
    world.core.set_wall(world.now, world.wall)
    ask(world, outbound(other, 2))
    ladder = Ladder(world) >> call() << Sent(CARRIER, 100) << Sent(other, b"INVITE")
    for _ in range(3):
        ladder = ladder >> Wait(1.15 if _ == 1 else 0.55 if not _ else 2.0)
    resent = [address for address, _ in ladder.left]
    assert set(resent) == {other.address}
    ladder.left.clear()
    ladder = ladder >> Wait(0.5) << Sent(phone, b"INVITE")
    assert ladder >> phone.answer(ladder[b"INVITE"], 180) << Sent(CARRIER, 180)
    assert world.count("failovers", "flow") == 1


def test_a_phone_that_refuses_is_not_asked_again(world: World, phone: Phone) -> None:
    other = Phone((PHONE[0], 7000))
    ask(world, outbound(phone, 1))
    ask(world, outbound(other, 2))
    ((address, data),) = sent_to(world, call()).items()
    who = phone if address == PHONE else other
    sent = world.receive(*who.answer(data, 486))
    assert [(to, status(data)) for to, data in sent if not data.startswith(b"ACK")] == [(CARRIER.address, 486)]


def test_430_takes_the_binding_out(world: World, phone: Phone) -> None:
    """An edge proxy says that the flow is gone: its binding goes, and the phone's other flow is tried (§7)."""
    edge = Phone(EDGE, call_id=b"by-edge")
    ask(world, outbound(phone, 1))
    world.wall += 5
    world.core.set_wall(world.now, world.wall)
    via = b"Via: SIP/2.0/UDP 10.3.3.3;branch=z9hG4bKx"
    ask(world, outbound(edge, 2, (via, b"Path: <sip:t1@10.9.9.9;lr;ob>")))
    assert sorted(bound(world)) == [PHONE, EDGE] or set(bound(world)) == {PHONE, EDGE}
    ladder = Ladder(world) >> call() << Sent(CARRIER, 100) << Sent(edge, b"INVITE")
    ladder = ladder >> edge.answer(ladder[b"INVITE"], 430) << Sent(edge, b"ACK") << Sent(phone, b"INVITE")
    assert bound(world) == [PHONE]
    assert ladder >> phone.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)


def test_430_of_the_last_flow_is_480(world: World) -> None:
    edge = Phone(EDGE)
    ask(world, edge.register(None, b"Path: <sip:t1@10.9.9.9;lr;ob>"))
    ladder = Ladder(world) >> call() << Sent(CARRIER, 100) << Sent(edge, b"INVITE")
    assert ladder >> edge.answer(ladder[b"INVITE"], 430) << Sent(edge, b"ACK") << Sent(CARRIER, 480)
    assert bound(world) == []


def test_a_flow_that_is_gone_is_480(world: World, phone: Phone) -> None:
    ask(world, phone.register())
    world.refuse_send = {PHONE}
    assert [status(data) for _, data in [*world.receive(*call()), *world.wait(0.2)]] == [100, 480]


def test_within_a_call_a_phone_is_followed(world: World, phone: Phone) -> None:
    """The phone's address changes and it registers anew: requests of the trunk find it there (dialogs.md "Flows")."""
    ladder = Ladder(world) >> outbound(phone, 1) << Sent(phone, 200)
    invite = call()
    ladder = ladder >> invite << Sent(CARRIER, 100) << Sent(phone, b"INVITE")
    ladder = ladder >> phone.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)
    ladder = ladder >> CARRIER.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(phone, b"ACK")
    moved = Phone((PHONE[0], 7000), call_id=phone.call_id)
    moved.cseq = phone.cseq
    world.now += 10
    ladder = ladder >> outbound(moved, 1)
    assert status(ladder.left.pop()[1]) == 200
    assert ladder >> CARRIER.within(b"BYE", invite_answer(ladder), own=invite) << Sent(moved, b"BYE")


def invite_answer(ladder: Ladder) -> bytes:
    """Return the 200 to the INVITE, which is the last that the trunk has seen."""
    return ladder[200]
