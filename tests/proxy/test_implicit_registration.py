"""Calls to an account's further addresses: whom they ring, and that nobody gets what is another's."""

from __future__ import annotations

from typing import Any

import pytest

from config.account import Account, secret_of
from config.accounts import pack
from config.subscriber import profile
from config.subscribers import Mark, Subscribers
from proxy.flow import Flow
from proxy.implicit_registration import registered_as
from tests.accounts import REALM, accounts, again, proof
from tests.agents import CARRIER, PBX, Packet, read
from tests.ladder import Ladder, Sent
from tests.phones import REGISTRAR, ROUTES, Phone, ask, status
from tests.world import OTHER_PHONE, PHONE, PROXY, World, build, settings

NUMBER = b"+15550123"
ALICE = ("alice@example.net", "+15550123", "sales@example.net")
BOB = ("bob@example.net",)
INSTANCE = b'+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'


def asking(registrar: dict[str, Any] | None = None, **people: tuple[str, ...]) -> World:
    """Return a world with passwords; people: accounts with their addresses."""
    known = accounts(**(people or {"alice": ALICE, "bob": BOB}))
    section = {**REGISTRAR, "unauthenticated": False, **(registrar or {})}
    return World(settings(registrar=section, routes=ROUTES, authentication={"realm": REALM}), accounts=known)


def change(world: World, name: str, *addresses: str, disabled: bool = False) -> None:
    """Let an account have these addresses, as if the store had been polled; none: it is removed."""
    assert world.accounts is not None
    if addresses:
        made = Account(name, REALM, secret_of(name, REALM, f"pw-{name}"), addresses, disabled=disabled)
        world.accounts.patch({REALM.encode(): {name.encode(): pack(made)}}, None)
    else:
        remaining = {(REALM.encode(), each) for each in world.accounts._realms[REALM.encode()]} - {
            (REALM.encode(), name.encode())
        }
        world.accounts.patch({}, remaining)


def sign_in(world: World, phone: Phone, name: str, user: bytes = b"", contact: bytes | None = None, *headers: bytes,
            **changes: Any) -> bytes:  # fmt: skip
    """Register a phone as an account under an address, and return the 200."""
    call_id = b"%b-%b@phone" % (name.encode(), user)
    packet = phone.register(contact, *headers, user=user, call_id=call_id, **changes)
    second = again(packet, proof(packet, ask(world, packet), name), branch=b"z9hG4bKs%d" % phone.sent, cseq=phone.cseq)
    answer = ask(world, second)
    assert status(answer) == 200
    return answer


def rung(world: World, uri: bytes = b"sip:+15550123@192.0.2.1", **changes: Any) -> dict[tuple[str, int], bytes]:
    """Let the trunk call, and return whom it rings, with the address that was called."""
    number = len(world.sent)
    packet = CARRIER.invite(uri=uri, call_id=b"c%d@trunk" % number, branch=b"z9hG4bKc%d" % number, **changes)
    sent = world.receive(*packet)
    if (CARRIER.address, 480) in [(address, status(data)) for address, data in sent]:
        assert len(sent) == 1
    return {address: read(data).values(b"p-called-party-id")[0] for address, data in sent if data.startswith(b"INVITE")}


def party(address: bytes) -> bytes:
    """Return P-Called-Party-ID as our phones are told, who know us by our address."""
    return b"<sip:%b@192.0.2.1:5060>" % address


@pytest.fixture
def phone() -> Phone:
    return Phone(PHONE)


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:+15550123@192.0.2.1",
        b"tel:+1-555-0123",
        b"sip:+15550123@example.net;user=phone",
        b"sips:+15550123@example.net",
    ],
)
def test_a_call_to_the_second_address_rings_the_phone(phone: Phone, uri: bytes) -> None:
    """README's example; the phone hears which of its addresses it was."""
    world = asking()
    sign_in(world, phone, "alice")
    assert rung(world, uri) == {PHONE: party(NUMBER)}
    assert rung(world, b"sip:sales@example.net") == {PHONE: party(b"sales")}
    assert rung(world, b"sip:alice@example.net") == {PHONE: party(b"alice")}


def test_it_is_answered_and_ended(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    invite = CARRIER.invite(uri=b"sip:+15550123@192.0.2.1", call_id=b"c@trunk")
    ladder = Ladder(world) >> invite << Sent(CARRIER, 100) << Sent(phone, b"INVITE")
    ladder = ladder >> phone.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)
    ladder = ladder >> CARRIER.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(phone, b"ACK")
    assert ladder >> CARRIER.within(b"BYE", ladder[200], own=invite) << Sent(phone, b"BYE")
    assert b"alice" not in ladder[200]


def test_an_address_with_phones_of_its_own_rings_these_alone(phone: Phone) -> None:
    world, other = asking(), Phone(OTHER_PHONE)
    sign_in(world, phone, "alice")
    sign_in(world, other, "alice", b"sales")
    assert set(rung(world, b"sip:sales@example.net")) == {OTHER_PHONE}
    assert set(rung(world)) == {PHONE}


def test_without_the_main_address_another_one_serves(phone: Phone) -> None:
    """Whichever the phone has registered; the first of them that has any."""
    world, other = asking(), Phone(OTHER_PHONE)
    sign_in(world, other, "alice", b"sales")
    assert rung(world, b"sip:alice@example.net") == {OTHER_PHONE: party(b"alice")}
    sign_in(world, phone, "alice", NUMBER)
    assert set(rung(world, b"sip:alice@example.net")) == {PHONE}


def test_nobody_there(phone: Phone) -> None:
    """480, as for any address; also once it has gone."""
    world = asking()
    assert rung(world) == {}
    sign_in(world, phone, "alice")
    sign_in(world, phone, "alice", b"", b"<sip:alice@10.1.1.23:5062>;expires=0")
    assert rung(world) == {}
    sign_in(world, Phone(OTHER_PHONE, b"bob"), "bob")
    assert rung(world) == {}
    assert rung(world, b"sip:+15550124@192.0.2.1") == {}


# --- what is another's


def test_an_address_in_common_leads_nobodys_calls_elsewhere(phone: Phone) -> None:
    """Bob registers what both have; what is alice's alone does not reach him, nor the other way round."""
    world = asking(alice=("alice@example.net", "desk@example.net"), bob=("bob@example.net", "desk@example.net"))
    sign_in(world, phone, "bob", b"desk")
    assert rung(world, b"sip:alice@example.net") == {}
    assert set(rung(world, b"sip:bob@example.net")) == {PHONE}
    assert set(rung(world, b"sip:desk@example.net")) == {PHONE}


def test_an_address_in_common_rings_all_who_have_it() -> None:
    world = asking(alice=("alice@example.net", "desk@example.net"), bob=("bob@example.net", "desk@example.net"))
    sign_in(world, Phone(PHONE), "alice")
    sign_in(world, Phone(OTHER_PHONE, b"bob"), "bob")
    assert rung(world, b"sip:desk@example.net") == {PHONE: party(b"desk"), OTHER_PHONE: party(b"desk")}


def test_both_have_the_same_main_address_and_each_its_own() -> None:
    """One list of bindings, and of it what each account has registered itself."""
    world = asking(alice=("desk@example.net", "alice@example.net"), bob=("desk@example.net", "bob@example.net"))
    sign_in(world, Phone(PHONE), "alice", b"desk")
    sign_in(world, Phone(OTHER_PHONE), "bob", b"desk")
    assert set(rung(world, b"sip:alice@example.net")) == {PHONE}
    assert set(rung(world, b"sip:bob@example.net")) == {OTHER_PHONE}
    assert set(rung(world, b"sip:desk@example.net")) == {PHONE, OTHER_PHONE}


def test_who_has_registered_for_nobody_gets_no_call_of_an_account(phone: Phone) -> None:
    """Where proof is not required: what anybody may bind says nothing of an account's other addresses."""
    known = accounts(alice=ALICE)
    section = {"realm": REALM, "required": False}
    world = World(settings(registrar=REGISTRAR, routes=ROUTES, authentication=section), accounts=known)
    assert status(ask(world, phone.register())) == 200
    assert rung(world) == {}
    assert set(rung(world, b"sip:alice@example.net")) == {PHONE}


def test_another_realms_accounts_are_others(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    assert world.accounts is not None
    world.accounts.patch(
        {b"other": {b"bob": pack(Account("bob", "other", secret_of("bob", "other", "x"), ALICE))}}, None
    )
    assert set(rung(world)) == {PHONE}
    change(world, "alice")
    assert rung(world) == {}


# --- what changes in the accounts


def test_an_address_that_is_added_rings_from_then_on(phone: Phone) -> None:
    world = asking(alice=ALICE[:1])
    sign_in(world, phone, "alice")
    assert rung(world) == {}
    change(world, "alice", *ALICE)
    assert set(rung(world)) == {PHONE}


def test_an_address_that_is_taken_away_rings_no_more(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    change(world, "alice", ALICE[0], ALICE[2])
    assert rung(world) == {}
    assert set(rung(world, b"sip:sales@example.net")) == {PHONE}


def test_an_address_that_is_moved_rings_its_new_owner() -> None:
    """Also where the former one has registered that very address, for as long as its registration would have held."""
    world, phone, other = asking(), Phone(PHONE), Phone(OTHER_PHONE, b"bob")
    sign_in(world, phone, "alice", NUMBER)
    sign_in(world, other, "bob")
    assert set(rung(world)) == {PHONE}
    change(world, "alice", ALICE[0], ALICE[2])
    assert rung(world) == {}
    change(world, "bob", *BOB, "+15550123")
    assert set(rung(world)) == {OTHER_PHONE}
    assert rung(world, b"sip:alice@example.net") == {}


@pytest.mark.parametrize("uri", [b"sip:+15550123@192.0.2.1", b"sip:alice@example.net"])
def test_an_account_that_is_disabled_or_gone_is_not_called(phone: Phone, uri: bytes) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    change(world, "alice", *ALICE, disabled=True)
    assert rung(world, uri) == {}
    change(world, "alice", *ALICE)
    assert set(rung(world, uri)) == {PHONE}
    change(world, "alice")
    assert rung(world, uri) == {}


def test_a_gruu_of_an_account_that_is_disabled(phone: Phone) -> None:
    world = asking()
    answer = sign_in(world, phone, "alice", b"", b"<sip:me@%b>;%b" % (phone.host, INSTANCE), b"Supported: gruu")
    public = answer.split(b'pub-gruu="')[1].split(b'"')[0]
    assert rung(world, public) == {PHONE: party(b"alice")}
    change(world, "alice", *ALICE, disabled=True)
    assert rung(world, public) == {}


def test_while_nobody_knows_the_accounts_nothing_follows_from_them(phone: Phone) -> None:
    """The store is gone for long: who has proved an address stays registered for that one."""
    world = asking()
    sign_in(world, phone, "alice")
    assert world.accounts is not None
    world.accounts.are_known = False
    assert rung(world) == {}
    assert set(rung(world, b"sip:alice@example.net")) == {PHONE}


def test_a_reload_changes_nothing_of_it(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    world.reload(registrar=REGISTRAR, routes=ROUTES, authentication={"realm": REALM, "nonce_life": 60})
    assert set(rung(world)) == {PHONE}


def test_a_reload_without_authentication_asks_no_accounts(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    world.reload(registrar=REGISTRAR, routes=ROUTES)
    assert rung(world) == {}
    assert set(rung(world, b"sip:alice@example.net")) == {PHONE}


# --- the phone is told, and nobody else


def test_the_phone_is_told_its_addresses(phone: Phone) -> None:
    """The main one first; a number at the domain that it registers in; also when it signs off (RFC 7315 §4.1)."""
    world = asking()
    expected = [b"<sip:alice@example.net>, <sip:+15550123@example.net>, <sip:sales@example.net>"]
    for contact in (None, b"", b"<sip:alice@10.1.1.23:5062>;expires=0"):
        assert read(sign_in(world, phone, "alice", b"", contact)).values(b"p-associated-uri") == expected
    assert read(sign_in(world, phone, "alice", b"sales")).values(b"p-associated-uri") == expected
    bob = sign_in(world, Phone(OTHER_PHONE, b"bob"), "bob")
    assert read(bob).values(b"p-associated-uri") == [b"<sip:bob@example.net>"]


@pytest.mark.parametrize(("transport", "told"), [("UDP", range(10, 30)), ("TCP", range(64, 65))], ids=["udp", "tcp"])
def test_a_datagram_has_no_room_for_many(phone: Phone, transport: str, told: range) -> None:
    """In pieces it may never arrive, and the phone would not be registered (RFC 3261 §18.1.1); the first are told."""
    addresses = tuple(f"department-{number}@example.net" for number in range(63))
    world = asking(alice=("alice@example.net", *addresses))
    if transport != "UDP":
        world.flows[PHONE] = Flow(transport, PROXY, PHONE, 7)
    answer = sign_in(world, phone, "alice")
    (line,) = read(answer).values(b"p-associated-uri")
    named = line.split(b", ")
    assert named == [b"<sip:%b>" % each.encode() for each in ("alice@example.net", *addresses)[: len(named)]]
    assert len(named) in told
    assert transport != "UDP" or len(answer) <= 1300


def test_who_has_proved_nothing_is_told_nothing(phone: Phone) -> None:
    """No 401, and no 200 of a closed network, says which addresses belong together."""
    world = asking()
    assert b"P-Associated" not in ask(world, phone.register())
    closed = World(settings(registrar=REGISTRAR, routes=ROUTES), accounts=accounts(alice=ALICE))
    answer = ask(closed, phone.register())
    assert status(answer) == 200
    assert b"P-Associated" not in answer


def test_callers_learn_neither_address_from_the_other(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    ladder = Ladder(world) >> CARRIER.invite(uri=b"sip:+15550123@192.0.2.1", call_id=b"c@trunk") << Sent(CARRIER, 100)
    ladder = ladder << Sent(phone, b"INVITE")
    told = b"P-Associated-URI: <sip:alice@example.net>"
    ladder = ladder >> phone.answer(ladder[b"INVITE"], 180, headers=(told,)) << Sent(CARRIER, 180)
    assert b"alice" not in ladder[180]
    assert b"ssociated" not in ladder[180]


# --- as any other call


def test_of_two_phones_the_preferred_one_rings_first(phone: Phone) -> None:
    world, other = asking(), Phone(OTHER_PHONE)
    sign_in(world, phone, "alice", b"", b"<sip:a@10.1.1.23>;q=0.2")
    packet = other.register(b"<sip:b@10.2.2.2>;q=0.9", call_id=b"second")
    ask(world, again(packet, proof(packet, ask(world, packet), "alice"), branch=b"z9hG4bKx"))
    assert set(rung(world)) == {OTHER_PHONE}


def test_430_takes_out_what_is_registered() -> None:
    """The binding is under the main address, whichever was called (RFC 5626 §7)."""
    world, edge = asking(), Phone(("10.9.9.9", 5060))
    sign_in(world, edge, "alice", b"", None, b"Path: <sip:t1@10.9.9.9;lr;ob>")
    ladder = Ladder(world) >> CARRIER.invite(uri=b"sip:+15550123@192.0.2.1", call_id=b"c@trunk") << Sent(CARRIER, 100)
    ladder = ladder << Sent(edge, b"INVITE")
    assert ladder >> edge.answer(ladder[b"INVITE"], 430) << Sent(edge, b"ACK") << Sent(CARRIER, 480)
    assert len(world.core.bindings) == 0


def test_the_core_calls_by_it_too(phone: Phone) -> None:
    world = asking()
    sign_in(world, phone, "alice")
    sent = world.receive(*PBX.invite(uri=b"sip:+15550123@example.net"))
    assert [address for address, data in sent if data.startswith(b"INVITE")] == [PHONE]


def test_after_a_restart_it_is_as_before(phone: Phone) -> None:
    """What a journal gives back has its account; what is from before there were any serves its own address alone."""
    world = asking()
    sign_in(world, phone, "alice")
    (binding,) = world.core.bindings.of(b"alice@example.net")
    assert binding.account == "alice"
    for account, rings in (("alice", {PHONE}), ("", set())):
        core = world.new_core()
        core.bindings.replace(b"alice@example.net", (binding._replace(account=account),), world.now, known=True)
        assert set(rung(world)) == rings
        assert set(rung(world, b"sip:alice@example.net")) == {PHONE}


# --- addresses


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ((b"alice@a",), (b"alice@a",)),
        ((b"+1555", b"x@c"), (b"+1555@a", b"+1555@b", b"x@c")),
        ((b"+1-555@c",), (b"+1555@c", b"+1555@a", b"+1555@b")),
        ((b"+1555@b", b"+1555"), (b"+1555@b", b"+1555@a")),
        ((), ()),
    ],
)
def test_what_an_account_may_register(addresses: tuple[bytes, ...], expected: tuple[bytes, ...]) -> None:
    assert registered_as(addresses, (b"a", b"b")) == expected


def test_a_crowd_is_bounded() -> None:
    """What all accounts have rings those that are looked at, and takes no longer for a thousand more."""
    people = {f"u{number}": (f"u{number}@example.net", "all@example.net") for number in range(200)}
    world = asking(registrar={"account_rate": 1000, "source_rate": 1000}, **people)
    sign_in(world, Phone(PHONE, b"u199"), "u199")
    assert rung(world, b"sip:all@example.net") == {}
    sign_in(world, Phone(OTHER_PHONE, b"u0"), "u0")
    assert set(rung(world, b"sip:all@example.net")) == {OTHER_PHONE}


def anonymous(packet: Packet) -> Packet:
    """Return a request whose From is nobody's."""
    said = b"From: <sip:%b@sip.example.net>" % CARRIER.user
    assert said in packet.data
    return packet._replace(data=packet.data.replace(said, b"From: <sip:anonymous@anonymous.invalid>"))


def test_the_settings_are_those_of_the_address_that_was_called(phone: Phone) -> None:
    """Who takes no anonymous calls at the number may take them at the main address of the same phone."""
    world, subscribers = asking(), Subscribers()
    subscribers.replace({NUMBER: profile([], reject_anonymous=True)}, Mark(1, 1), 0.0)
    world.privacy = build(world.settings, subscribers)
    world.new_core()
    sign_in(world, phone, "alice")
    packet = anonymous(CARRIER.invite(uri=b"sip:+15550123@192.0.2.1", call_id=b"a@trunk"))
    assert [status(data) for _, data in world.receive(*packet)] == [433]
    packet = anonymous(CARRIER.invite(uri=b"sip:alice@example.net", call_id=b"b@trunk", branch=b"z9hG4bKb"))
    assert [address for address, data in world.receive(*packet) if data.startswith(b"INVITE")] == [PHONE]


def test_the_account_itself_says_what_is_its_own(phone: Phone) -> None:
    """What accounts are found by is changed a moment before or after them: it gives nobody a call."""
    world = asking()
    sign_in(world, phone, "bob", b"bob")
    assert world.accounts is not None
    world.accounts.sharing.change(REALM.encode(), b"bob", (), (b"bob@example.net", NUMBER))
    assert rung(world) == {}
