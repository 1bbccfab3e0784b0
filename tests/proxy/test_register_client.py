"""REGISTERs and what their answers say, without a core."""

from __future__ import annotations

import pytest

from config.keyring import KeyRing
from proxy.message import Message
from proxy.register_client import (
    MAX_EXPIRES,
    MAX_ROUTES,
    Terms,
    contact_user,
    domain_of,
    granted,
    is_contact_user,
    register,
    terms_of,
    user_of,
)  # fmt: skip
from proxy.tokens import Tokens
from tests.agents import CARRIER, read
from tests.passwords import CREDENTIALS
from tests.proxy.registering import world
from tests.world import keyring

TERMS = Terms(b"sip:carrier.example", b"sip:1@carrier.example", b"sip:abc@192.0.2.1", b"")


def answer(*headers: bytes) -> Message:
    """Return a 200 to a REGISTER."""
    packet = CARRIER.request(b"REGISTER", b"sip:carrier.example")
    return read(CARRIER.answer(packet.data, 200, contact=b"", headers=headers).data)


def test_user_and_domain_have_defaults() -> None:
    plain = world().settings.trunks[0]
    assert (user_of(plain), domain_of(plain)) == (b"+15550100", "carrier.example")
    bare = world({"user": None, "domain": None}, {"credentials": CREDENTIALS}).settings.trunks[0]
    assert (user_of(bare), domain_of(bare)) == (b"sipveil-at-carrier", "198.51.100.7")
    named = world({"domain": None}, {"domain": "voice.example"}).settings.trunks[0]
    assert domain_of(named) == "voice.example"
    assert user_of(world().settings.trunks[1]) == b""
    six = world({"domain": None}, {"hosts": ["[2001:db8::7]:5070"]}).settings.trunks[0]
    assert domain_of(six) == "[2001:db8::7]"


def test_the_contact_is_known_by_all_keys_that_there_are() -> None:
    carrier, second, _ = world().settings.trunks
    old, both = Tokens(keyring(3)), Tokens(keyring(3, 4))
    new = Tokens(KeyRing(keyring(3, 4).keys[1:], 5))
    user = contact_user(old, carrier)
    assert contact_user(both, carrier) == user
    assert is_contact_user(both, carrier, user)
    assert is_contact_user(both, carrier, contact_user(new, carrier))
    assert not is_contact_user(new, carrier, user)
    assert not is_contact_user(old, second, user)
    assert not is_contact_user(old, carrier, user.upper())
    assert b"carrier" not in user


def test_a_removal_has_no_time_left() -> None:
    what = register(TERMS, b"id", 5, 0)
    assert what.extra[:2] == (b"Contact: <sip:abc@192.0.2.1>;expires=0", b"Expires: 0")
    assert (what.method, what.uri, what.cseq, what.call_id) == (b"REGISTER", TERMS.uri, 5, b"id")


def test_the_instance_is_a_uuid_that_stays_and_tells_no_address() -> None:
    listener = {"name": "stream", "address": "192.0.2.1", "port": 5070, "transport": "tcp"}
    there = world(None, {"listener": "stream"}, listeners=[{"name": "main", "address": "192.0.2.1"}, listener])
    generation = there.core.generation
    party = generation.network.party_of(CARRIER.address)
    assert party is not None
    hop = generation.network.home(party)
    assert hop is not None
    found = terms_of(generation, party, hop)
    assert found == terms_of(generation, party, hop)
    parts = found.instance.removeprefix(b"urn:uuid:").split(b"-")
    assert [len(part) for part in parts] == [8, 4, 4, 4, 12]
    assert (parts[2][:1], parts[3][:1]) == (b"4", b"8")


@pytest.mark.parametrize(
    ("headers", "expires"),
    [
        ((b"Contact: <sip:other@192.0.2.9>;expires=20, <sip:abc@203.0.113.1>;expires=90",), 90),
        ((b"Contact: <sip:other@192.0.2.9>;expires=20", b"Expires: 70"), 70),
        ((b"Contact: *",), 600),
        ((b"Contact: <sip:abc@x>;expires=",), 600),
        ((b"Contact: <sip:abc@x>;expires=99999999999",), 600),
        ((b"Contact: <sip:abc@x>;expires=90 s",), 600),
        ((b"Contact: <sip:abc@x>;=;expires=90", b"Expires: 70"), 70),
        ((b"Expires: 999999999",), MAX_EXPIRES),
        ((), 600),
    ],
)
def test_the_time_that_is_granted(headers: tuple[bytes, ...], expires: int) -> None:
    assert granted(answer(*headers), TERMS, 600).expires == expires


def test_service_routes_are_kept_in_their_order_and_bounded() -> None:
    two = answer(b"Service-Route: <sip:a;lr>, <sip:b;lr>")
    assert granted(two, TERMS, 600).routes == (b"sip:a;lr", b"sip:b;lr")
    many = answer(*[b"Service-Route: <sip:a;lr>"] * (MAX_ROUTES + 1))
    assert granted(many, TERMS, 600).routes == ()


def test_how_often_it_wants_to_hear_of_us() -> None:
    assert granted(answer(b"Flow-Timer: 120"), TERMS, 600).flow_timer == 120
    assert granted(answer(), TERMS, 600).flow_timer == 0
