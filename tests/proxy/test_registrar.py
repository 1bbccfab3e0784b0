"""REGISTER answered here: RFC 3261 §10.3 rule by rule, and who may not change what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.flow import Flow
from proxy.initial import Arrival
from proxy.party import ACCESS
from proxy.registrar import FLOW_GRACE
from tests.agents import CARRIER, PBX, read
from tests.ladder import Ladder, Sent
from tests.phones import ALICE_AOR, ROUTES, Phone, ask, bound, contacts, registrar_world, status
from tests.world import OTHER_PHONE, PHONE, PROXY, STRANGER, TRUNK, World

INSTANCE = b'+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
OUTBOUND = b"Supported: path, outbound"


@pytest.fixture
def world() -> World:
    return registrar_world()


@pytest.fixture
def phone() -> Phone:
    return Phone(PHONE)


def test_a_binding_is_made_and_told(world: World, phone: Phone) -> None:
    """200 with all current bindings, each with expires, and Date (step 8)."""
    answer = ask(world, phone.register())
    assert status(answer) == 200
    assert contacts(answer) == [b"<sip:alice@10.1.1.23:5062>;expires=3600"]
    assert read(answer).value(b"date") == b"Mon, 21 Sep 2026 14:13:20 GMT"
    assert read(answer).to_tag
    assert bound(world) == [PHONE]


def test_a_question_changes_nothing(world: World, phone: Phone) -> None:
    """Without Contact all that is asked for is what there is."""
    ask(world, phone.register())
    world.now += 100
    answer = ask(world, Phone(OTHER_PHONE).register(b""))
    assert contacts(answer) == [b"<sip:alice@10.1.1.23:5062>;expires=3500"]
    assert world.count("registrations", "queried") == 1


@pytest.mark.parametrize(
    ("contact", "headers", "seconds"),
    [
        (b"<sip:a@10.1.1.23>;expires=120", (b"Expires: 600",), 120),
        (b"<sip:a@10.1.1.23>", (b"Expires: 600",), 600),
        (b"<sip:a@10.1.1.23>", (), 3600),
        (b"sip:a@10.1.1.23;expires=120", (), 120),
        (b"<sip:a@10.1.1.23>;expires=soon", (b"Expires: 600",), 600),
        (b"<sip:a@10.1.1.23>", (b"Expires: soon",), 3600),
        (b"<sip:a@10.1.1.23>;expires=4294967295", (), 7200),
        (b"<sip:a@10.1.1.23>;expires=99999999999999999999", (), 3600),
    ],
)
def test_expiration(world: World, phone: Phone, contact: bytes, headers: tuple[bytes, ...], seconds: int) -> None:
    """The parameter before the header before the default; no longer than the longest (step 7)."""
    answer = ask(world, phone.register(contact, *headers))
    assert contacts(answer)[0].endswith(b";expires=%d" % seconds)


def test_too_short_is_told_the_shortest(world: World, phone: Phone) -> None:
    answer = ask(world, phone.register(b"<sip:a@10.1.1.23>;expires=59"))
    assert status(answer) == 423
    assert read(answer).value(b"min-expires") == b"60"
    assert bound(world) == []


def test_a_binding_ends(world: World, phone: Phone) -> None:
    ask(world, phone.register(b"<sip:a@10.1.1.23>;expires=60"))
    world.wait(59.5)
    assert bound(world) == [PHONE]
    world.wait(1)
    assert bound(world) == []
    assert len(world.core.bindings) == world.core.bindings.addresses == 0


def test_each_binding_ends_in_its_own_time(world: World) -> None:
    one, other = Phone(PHONE), Phone(OTHER_PHONE)
    ask(world, one.register(b"<sip:a@10.1.1.23>;expires=60"))
    ask(world, other.register(b"<sip:a@10.1.1.99>;expires=90"))
    world.wait(61)
    assert bound(world) == [OTHER_PHONE]
    world.wait(30)
    assert bound(world) == []


def test_zero_takes_out_what_is_equal(world: World, phone: Phone) -> None:
    """Equal by §19.1.4: host in either case, what is escaped needlessly, a parameter that one alone has."""
    ask(world, phone.register(b"<sip:alice@Phone.example.net;line=7>"))
    answer = ask(world, phone.register(b"<sip:%61lice@phone.EXAMPLE.net>;expires=0"))
    assert (status(answer), contacts(answer), bound(world)) == (200, [], [])


def test_all_are_taken_out(world: World, phone: Phone) -> None:
    ask(world, Phone(OTHER_PHONE).register())
    ask(world, phone.register())
    answer = ask(world, phone.register(b"*", b"Expires: 0"))
    assert (status(answer), contacts(answer), bound(world)) == (200, [], [])


@pytest.mark.parametrize(
    ("contact", "headers"),
    [
        (b"*", ()),
        (b"*", (b"Expires: 60",)),
        (b"*", (b"Contact: <sip:a@10.1.1.23>", b"Expires: 0")),
        (b"<tel:+15550100>", ()),
        (b"<sip:a@>", ()),
        (b"<sip:" + b"a" * 1100 + b"@10.1.1.23>", ()),
    ],
)
def test_what_cannot_be_done_is_refused(world: World, phone: Phone, contact: bytes, headers: tuple[bytes, ...]) -> None:
    ask(world, phone.register())
    assert status(ask(world, phone.register(contact, *headers))) == 400
    assert bound(world) == [PHONE]


def test_what_comes_late_changes_nothing(world: World, phone: Phone) -> None:
    """The same Call-ID with a CSeq that is not higher: the update is given up as a whole (step 7)."""
    ask(world, phone.register(cseq=7))
    late = phone.register(b"<sip:new@10.1.1.23>, <sip:alice@10.1.1.23:5062>;expires=0", cseq=6)
    assert status(ask(world, late)) == 400
    assert status(ask(world, phone.register(b"*", b"Expires: 0", cseq=5))) == 400
    assert [each.uri for each in world.core.bindings.of(ALICE_AOR)] == [b"sip:alice@10.1.1.23:5062"]


def test_another_call_id_begins_anew(world: World, phone: Phone) -> None:
    """A phone that was started anew counts from one."""
    ask(world, phone.register(cseq=700))
    assert status(ask(world, phone.register(cseq=1, call_id=b"anew@phone"))) == 200


def test_a_repetition_is_answered_the_same(world: World, phone: Phone) -> None:
    packet = phone.register()
    assert ask(world, packet) == ask(world, packet)


@pytest.mark.parametrize(
    ("one", "other"),
    [(b"alice", b"%61lice"), (b"+15550100", b"+1-555-0100"), (b"+15550100", b"+15550100;npdi"), (b"a%2Fb", b"a%2fb")],
)
def test_one_address_of_record(world: World, one: bytes, other: bytes) -> None:
    """What is written otherwise is the same subscriber (step 5)."""
    ask(world, Phone(PHONE, one).register(b"<sip:1@10.1.1.23>"))
    answer = ask(world, Phone(OTHER_PHONE, other).register(b"<sip:2@10.1.1.99>"))
    assert len(contacts(answer)) == 2


def test_the_user_keeps_its_case(world: World) -> None:
    ask(world, Phone(PHONE).register())
    answer = ask(world, Phone(OTHER_PHONE, b"Alice").register())
    assert len(contacts(answer)) == 1


@pytest.mark.parametrize("domain", [b"example.com", b"192.0.2.1", b"net"])
def test_another_domain_in_to_is_not_found(world: World, phone: Phone, domain: bytes) -> None:
    assert status(ask(world, phone.register(domain=domain))) == 404


def test_another_domain_is_routed(world: World, phone: Phone) -> None:
    """We are the registrar of our domains alone (step 1): without a route, there is no way for a REGISTER to others."""
    sent = world.receive(*phone.register(uri=b"sip:8@example.com", domain=b"example.com"))
    assert [address for address, _ in sent] == [PBX.address]


def test_unknown_extensions(world: World, phone: Phone) -> None:
    answer = ask(world, phone.register(None, b"Require: path, magic"))
    assert (status(answer), read(answer).value(b"unsupported")) == (420, b"magic")


# --- who may


def test_without_authentication_nobody_registers(phone: Phone) -> None:
    """Unless the operator has written that anybody may."""
    world = registrar_world(unauthenticated=False)
    assert status(ask(world, phone.register())) == 403
    assert status(ask(world, phone.register(b""))) == 403
    assert world.count("registrations", "forbidden") == 2


@pytest.mark.parametrize("user", [b"alice", b"911", b"112"])
def test_a_request_uri_has_no_user(phone: Phone, user: bytes) -> None:
    """§10.2; above all none that looks like an emergency call, which nobody is asked for a password for."""
    world = registrar_world(unauthenticated=False)
    assert status(ask(world, phone.register(uri=b"sip:%b@example.net" % user))) == 400
    assert bound(world) == []


@pytest.mark.parametrize("source", [CARRIER, PBX], ids=repr)
def test_only_phones_register(world: World, source: Any) -> None:
    """The core and trunks have other ways; a binding of theirs would send calls to them."""
    assert status(ask(world, Phone(source.address).register())) == 403


def test_strangers_get_silence(world: World) -> None:
    assert world.receive(*Phone(STRANGER).register()) == []


def test_a_phone_writes_no_path(world: World, phone: Phone) -> None:
    """It would choose a way for calls; edge proxies alone are believed."""
    assert status(ask(world, phone.register(None, b"Path: <sip:198.51.100.7;lr>"))) == 403
    assert status(ask(world, phone.register(None, b"Route: <sip:198.51.100.7;lr>"))) == 403
    assert bound(world) == []


def test_an_edge_proxys_path_is_kept_and_told(world: World) -> None:
    edge = Phone(("10.9.9.9", 5060))
    answer = ask(world, edge.register(None, b"Path: <sip:two@10.9.9.9;lr>", b"Path: <sip:one@10.9.9.8;lr>"))
    assert read(answer).items(b"path") == [b"<sip:two@10.9.9.9;lr>", b"<sip:one@10.9.9.8;lr>"]
    assert world.core.bindings.of(ALICE_AOR)[0].path == (b"sip:two@10.9.9.9;lr", b"sip:one@10.9.9.8;lr")


# --- Outbound


def test_the_same_flow_is_replaced(world: World) -> None:
    """Instance and reg-id decide, whatever the Contact says by now (RFC 5626 §6)."""
    before, after = Phone(PHONE, call_id=b"a@b"), Phone((PHONE[0], 7000), call_id=b"c@d")
    contact = b"<sip:alice@%b;ob>;" + INSTANCE + b";reg-id=1"
    answer = ask(world, before.register(contact % before.host, OUTBOUND))
    assert read(answer).items(b"require") == [b"outbound"]
    assert contacts(answer)[0].endswith(b";expires=3600;" + INSTANCE + b";reg-id=1")
    ask(world, after.register(contact % after.host, OUTBOUND))
    assert bound(world) == [after.address]


def test_two_flows_of_one_phone(world: World) -> None:
    phone, other = Phone(PHONE), Phone((PHONE[0], 7000))
    for number, each in enumerate((phone, other), 1):
        contact = b"<sip:alice@10.1.1.23;ob>;%b;reg-id=%d" % (INSTANCE, number)
        ask(world, each.register(contact, OUTBOUND))
    assert bound(world) == [phone.address, other.address]


def test_one_flow_at_a_time(world: World, phone: Phone) -> None:
    contact = b"<sip:a@1.2.3.4>;%b;reg-id=1, <sip:b@1.2.3.4>;%b;reg-id=2" % (INSTANCE, INSTANCE)
    assert status(ask(world, phone.register(contact, OUTBOUND))) == 400


def test_reg_id_says_nothing_without_outbound(world: World, phone: Phone) -> None:
    answer = ask(world, phone.register(b"<sip:a@1.2.3.4>;%b;reg-id=1" % INSTANCE))
    assert b"require" not in read(answer).index
    assert world.core.bindings.of(ALICE_AOR)[0].reg_id == 0


@pytest.mark.parametrize(("path", "code"), [(b"<sip:x@10.9.9.9;lr>", 439), (b"<sip:x@10.9.9.9;lr;ob>", 200)])
def test_the_first_proxy_must_keep_flows(world: World, path: bytes, code: int) -> None:
    edge = Phone(("10.9.9.9", 5060))
    headers = (b"Via: SIP/2.0/UDP 10.1.1.23;branch=z9hG4bKx", b"Path: " + path, OUTBOUND)
    assert status(ask(world, edge.register(b"<sip:a@1.2.3.4>;%b;reg-id=1" % INSTANCE, *headers))) == code


# --- push parameters, device ids


def connected(world: World, phone: Phone, transport: str = "TCP", number: int = 1) -> Flow:
    """Return the connection by which a phone's messages come in from now on."""
    world.flows[phone.address] = Flow(transport, PROXY, phone.address, number)
    return world.flows[phone.address]


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_a_phone_with_outbound_is_told_how_often_to_be_heard(phone: Phone, transport: str) -> None:
    """RFC 5626 §4.4.1: Flow-Timer; whoever is silent for longer, and some grace, is gone."""
    world = registrar_world(flow_timer=90)
    flow = connected(world, phone, transport)
    assert world.core.silence(flow) == 0
    answer = ask(world, phone.register(b"<sip:a@10.1.1.23>;reg-id=1;" + INSTANCE, OUTBOUND))
    assert read(answer).value(b"flow-timer") == b"90"
    assert read(answer).value(b"require") == b"outbound"
    assert world.core.silence(flow) == 90 + FLOW_GRACE
    world.close(flow)
    assert (bound(world), world.core.silence(flow)) == ([], 0)


@pytest.mark.parametrize(
    ("transport", "contact", "headers", "changes"),
    [
        ("UDP", b";reg-id=1;" + INSTANCE, (OUTBOUND,), {}),
        ("WSS", b";reg-id=1;" + INSTANCE, (OUTBOUND,), {}),
        ("TCP", b";reg-id=1;" + INSTANCE, (), {}),
        ("TCP", b"", (OUTBOUND,), {}),
        ("TCP", b";expires=0;reg-id=1;" + INSTANCE, (OUTBOUND,), {}),
        ("TCP", b";reg-id=1;" + INSTANCE, (OUTBOUND,), {"flow_timer": 0}),
        ("TCP", b";reg-id=1;" + INSTANCE, (OUTBOUND, b"Path: <sip:edge.example.net;lr;ob>"), {"edge": True}),
    ],
)
def test_nobody_else_is(
    phone: Phone, transport: str, contact: bytes, headers: tuple[bytes, ...], changes: dict[str, Any]
) -> None:
    """Over UDP, WebSockets, without Outbound, or behind an edge proxy, whose flow is that of many."""
    edge = changes.pop("edge", False)
    sender = Phone(("10.9.9.9", 5060), b"alice") if edge else phone
    world = registrar_world(**changes)
    flow = connected(world, sender, transport)
    answer = ask(world, sender.register(b"<sip:a@10.1.1.23>" + contact, *headers))
    assert status(answer) == 200
    assert read(answer).value(b"flow-timer") is None
    assert world.core.silence(flow) == 0


def test_a_reload_changes_whom_the_registrar_takes(world: World, phone: Phone) -> None:
    ask(world, phone.register())
    kept = {"domains": ["example.net", "example.org"], "unauthenticated": True, "minimum_expires": 120}
    world.reload(registrar=kept, routes=ROUTES)
    assert status(ask(world, phone.register(b"<sip:a@10.1.1.23>;expires=60"))) == 423
    assert bound(world) == [PHONE]
    other = phone.register(uri=b"sip:example.org", domain=b"example.org", call_id=b"other")
    assert status(ask(world, other)) == 200


def test_push_parameters_stay_between_a_phone_and_us(world: World, phone: Phone) -> None:
    """The phone gets its own Contact back as it wrote it; another phone of the address does not see what wakes it."""
    push = b"<sip:alice@10.1.1.23:5062;pn-provider=fcm;pn-prid=secret-token>;" + INSTANCE
    assert b"pn-prid=secret-token" in contacts(ask(world, phone.register(push)))[0]
    seen = ask(world, Phone(OTHER_PHONE).register())
    assert len(contacts(seen)) == 2
    assert b"secret" not in seen
    assert b"urn:uuid" not in seen


# --- bounds


def test_the_oldest_binding_gives_way() -> None:
    world = registrar_world(bindings=3)
    for number in range(5):
        world.wall += 1
        world.core.set_wall(world.now, world.wall)
        ask(world, Phone((f"10.1.2.{number}", 5060)).register())
    assert bound(world) == [(f"10.1.2.{number}", 5060) for number in (2, 3, 4)]


def test_more_contacts_than_bindings_are_refused() -> None:
    world = registrar_world(bindings=2)
    many = b", ".join(b"<sip:a@10.1.1.%d>" % number for number in range(3))
    assert status(ask(world, Phone(PHONE).register(many))) == 403


def test_a_full_table_keeps_what_it_has() -> None:
    """Who is registered goes on; who is not is told when to come back. Nothing grows."""
    world = registrar_world(all_bindings=50)
    known = Phone(PHONE)
    ask(world, known.register())
    for number in range(200):
        answer = ask(world, Phone((f"10.2.0.{number}", 5060), b"user%d" % number).register())
    assert (status(answer), read(answer).value(b"retry-after")) == (500, b"60")
    assert len(world.core.bindings) == 50
    assert status(ask(world, known.register())) == 200
    assert world.count("registrations", "full") == 151
    ask(world, known.register(b"*", b"Expires: 0"))
    assert status(ask(world, Phone(OTHER_PHONE, b"new").register())) == 200


def test_a_contact_chooses_no_hop(world: World) -> None:
    """One that names a trunk is bound to the phone that wrote it."""
    ask(world, Phone(PHONE).register(b"<sip:+19005550199@%b:5060>" % TRUNK[0].encode()))
    assert bound(world) == [PHONE]


def test_a_register_never_leaves(world: World, phone: Phone) -> None:
    assert Ladder(world) >> phone.register() << Sent(phone, 200)


def test_arrivals_have_no_account_by_themselves() -> None:
    assert not Arrival(read(Phone(PHONE).register().data), None, ACCESS, Flow("UDP", PROXY, PHONE), 0).account


# --- against a simple model

PEERS = [("10.1.1.23", 5062), ("10.1.1.99", 5060), ("10.1.1.50", 6000)]
actions = st.lists(
    st.tuples(
        st.integers(0, 2),  # which phone
        st.sampled_from([b"alice", b"bob"]),
        st.sampled_from([None, 0, 30, 60, 100, 3600, 9999]),  # expires; None: all are taken out
        st.integers(0, 90),  # seconds before
        st.booleans(),  # late: an old CSeq
    ),
    max_size=25,
)


@given(actions)
def test_sequences_of_registers_follow_the_model(steps: list[tuple[int, bytes, int | None, int, bool]]) -> None:
    """The model: address of record → phone → (end, CSeq), with bounds checked beforehand."""
    world = registrar_world()
    phones = [Phone(peer) for peer in PEERS]
    model: dict[bytes, dict[int, tuple[float, int]]] = {b"alice": {}, b"bob": {}}
    for which, user, expires, pause, late in steps:
        world.wait(pause)
        for known in model.values():
            for other in [each for each, (end, _) in known.items() if end <= world.now]:
                del known[other]
        phone, known = phones[which], model[user]
        cseq = phone.cseq + 1
        if late and which in known:
            cseq = known[which][1]
        if expires is None:
            packet = phone.register(b"*", b"Expires: 0", user=user, cseq=cseq)
        else:
            packet = phone.register(b"<sip:me@%b>;expires=%d" % (phone.host, expires), user=user, cseq=cseq)
        answer = status(ask(world, packet))
        if expires is not None and 0 < expires < 60:
            assert answer == 423
        elif which in known and cseq <= known[which][1]:
            assert answer == 400
        else:
            assert answer == 200
            if expires is None:
                known.clear()
            elif expires:
                known[which] = (world.now + min(expires, 7200), cseq)
            else:
                known.pop(which, None)
        assert sorted(bound(world, user)) == sorted(PEERS[each] for each in known)
        assert len(world.core.bindings) == sum(map(len, model.values()))
