"""How much one account and one source may register, and that nobody uses up what is another's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts import REALM, accounts, again, proof
from tests.agents import Packet, read
from tests.phones import REGISTRAR, ROUTES, Phone, ask, bound, registrar_world, status
from tests.world import OTHER_PHONE, PHONE, World, settings

EDGE = ("10.9.9.9", 5060)


def asking(**registrar: Any) -> World:
    """Return a world with passwords: alice has two addresses and a number, bob one."""
    section = {**REGISTRAR, "unauthenticated": False, **registrar}
    known = accounts("bob", alice=("alice@example.net", "sales@example.net", "+15550100"), bob=("bob@example.net",))
    made = settings(registrar=section, routes=ROUTES, authentication={"realm": REALM})
    return World(made, accounts=known)


def proved(world: World, phone: Phone, name: str, contact: bytes = b"", **changes: Any) -> bytes:
    """Register as an account and return the answer to the proof."""
    packet = phone.register(contact or None, **changes)
    challenge = ask(world, packet)
    assert status(challenge) == 401
    second: Packet = again(packet, proof(packet, challenge, name), branch=b"z9hG4bKp%d" % phone.sent, cseq=phone.cseq)
    return ask(world, second)


def test_an_account_has_so_many_bindings_at_all_its_addresses() -> None:
    """Those that are there are renewed; one that is taken out makes room."""
    world, phone = asking(account_bindings=2), Phone(PHONE)
    assert status(proved(world, phone, "alice")) == 200
    assert status(proved(world, phone, "alice", user=b"sales", call_id=b"b")) == 200
    third = proved(world, phone, "alice", user=b"+15550100", call_id=b"c")
    assert (status(third), read(third).value(b"retry-after")) == (503, b"60")
    assert status(proved(world, phone, "alice", user=b"sales", call_id=b"b")) == 200
    assert status(proved(world, phone, "alice", b"*", user=b"sales", call_id=b"b")) == 400
    assert world.count("registrations", "limited") == 1
    out = proved(world, phone, "alice", b"<sip:alice@10.1.1.23:5062>;expires=0", user=b"sales", call_id=b"b")
    assert status(out) == 200
    assert status(proved(world, phone, "alice", user=b"+15550100", call_id=b"c")) == 200


def test_one_account_takes_no_room_from_another() -> None:
    world, phone = asking(account_bindings=1), Phone(PHONE)
    assert status(proved(world, phone, "alice")) == 200
    assert status(proved(world, Phone(OTHER_PHONE, b"bob"), "bob")) == 200


def test_a_number_counts_at_each_domain() -> None:
    world, phone = asking(account_bindings=1, domains=["example.net", "sip.example.net"]), Phone(PHONE)
    assert status(proved(world, phone, "alice", user=b"+15550100")) == 200
    other = proved(
        world, phone, "alice", user=b"+15550100", call_id=b"c", domain=b"sip.example.net", uri=b"sip:sip.example.net"
    )
    assert status(other) == 503


def test_a_source_has_so_many_bindings() -> None:
    """Whatever names it uses; another source has its own."""
    world, phone = registrar_world(source_bindings=2), Phone(PHONE)
    assert [status(ask(world, phone.register(user=b"u%d" % n, call_id=b"c%d" % n))) for n in range(3)] == [
        200,
        200,
        503,
    ]
    assert status(ask(world, phone.register(user=b"u1", call_id=b"c1"))) == 200
    assert status(ask(world, Phone(OTHER_PHONE).register(user=b"u9"))) == 200
    assert status(ask(world, phone.register(b"*", b"Expires: 0", user=b"u1", call_id=b"c1"))) == 200
    assert status(ask(world, phone.register(user=b"u2", call_id=b"c2"))) == 200


def test_several_contacts_at_once_count_each() -> None:
    world, phone = registrar_world(source_bindings=2), Phone(PHONE)
    many = b"<sip:a@10.1.1.1>, <sip:b@10.1.1.1>, <sip:c@10.1.1.1>"
    assert status(ask(world, phone.register(many))) == 503
    assert bound(world) == []


def test_behind_an_edge_proxy_the_source_says_nothing() -> None:
    world, edge = registrar_world(source_bindings=1, source_rate=1), Phone(EDGE)
    path = b"Path: <sip:edge.example.net;lr>"
    answers = [status(ask(world, edge.register(None, path, user=b"u%d" % n, call_id=b"c%d" % n))) for n in range(3)]
    assert answers == [200, 200, 200]


def test_registers_a_minute_of_a_source() -> None:
    """Retry-After says when the minute is over, and then it may again; another source may all the time."""
    world, phone = registrar_world(source_rate=2), Phone(PHONE)
    answers = [ask(world, phone.register()) for _ in range(3)]
    assert [status(each) for each in answers] == [200, 200, 503]
    wait = read(answers[2]).value(b"retry-after")
    assert wait is not None
    assert status(ask(world, Phone(OTHER_PHONE, b"bob").register())) == 200
    world.wait(int(wait) + 0.1)
    assert status(ask(world, phone.register())) == 200


def test_registers_a_minute_of_an_account() -> None:
    """From wherever it comes; who does not know the password uses up nothing."""
    world = asking(account_rate=2)
    thief = Phone(OTHER_PHONE, b"alice")
    for _ in range(5):
        packet = thief.register()
        wrong = again(packet, proof(packet, ask(world, packet), "alice", "guess"), cseq=thief.cseq)
        ask(world, wrong)
    phone = Phone(PHONE)
    assert [status(proved(world, phone, "alice")) for _ in range(3)] == [200, 200, 503]
    assert status(proved(world, Phone(OTHER_PHONE, b"bob"), "bob")) == 200


@pytest.mark.parametrize(
    ("host", "expected"), [("2001:db8:1:2::1", 503), ("2001:db8:1:2:ffff::9", 503), ("2001:db8:1:3::1", 200)]
)
def test_a_network_of_64_bits_is_one_source(host: str, expected: int) -> None:
    section, access = {**REGISTRAR, "source_bindings": 1}, {"networks": ["2001:db8::/32"], "listener": "main"}
    world = World(settings(registrar=section, routes=ROUTES, access=access))
    first, second = Phone(("2001:db8:1:2::1", 5060), b"alice"), Phone((host, 5070), b"bob")
    for number, phone in enumerate((first, second)):
        phone.host, phone.call_id = b"[%b]:%d" % (phone.address[0].encode(), phone.address[1]), b"c%d" % number
    assert [status(ask(world, phone.register())) for phone in (first, second)] == [200, expected]
