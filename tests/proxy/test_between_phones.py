"""A phone that asks another one for its password gets nothing: the "digest leak" that most phones have."""

from __future__ import annotations

import pytest

from tests.accounts import REALM, accounts, again, proof
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet
from tests.ladder import Ladder, Sent
from tests.phones import Phone, ask, registrar_world
from tests.world import OTHER_PHONE, PHONE, World, settings

BOB = Agent(OTHER_PHONE, b"bob")
REALMS = (b"sip.example.net", b"other.example", b"SIP.example.net", b"sip.example.net.")


def answered(callee: Agent, zone: str) -> tuple[Ladder, Packet]:
    """Return a call of ALICE's that is up, and its INVITE as it was sent."""
    made = settings(authentication={"realm": REALM}, routes=[{"source": "access", "to": [zone]}])
    invite = ALICE.invite(uri=b"sip:bob@10.1.1.99:5060" if callee is BOB else b"sip:+15550100@192.0.2.1")
    ladder = Ladder(World(made, accounts=accounts("alice", "bob"))) >> invite << Sent(ALICE, 407)
    second = again(invite, proof(invite, ladder[407]))
    ladder = ladder >> second << Sent(ALICE, 100) << Sent(callee, b"INVITE")
    return ladder >> callee.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200), second


def answer_of(realm: bytes) -> bytes:
    return b'Proxy-Authorization: Digest username="alice", realm="%b", nonce="evil", uri="sip:x", response="ab"' % realm


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("realm", REALMS)
def test_a_bye_is_challenged_in_vain(realm: bytes, status: int) -> None:
    """The phone hears 403; and what it would have answered reaches nobody, whatever the realm."""
    ladder, invite = answered(BOB, "access")
    bye = ALICE.within(b"BYE", ladder[200], own=invite)
    ladder = ladder >> bye << Sent(BOB, b"BYE")
    name = b"WWW-Authenticate" if status == 401 else b"Proxy-Authenticate"
    question = b'%b: Digest realm="%b", nonce="evil"' % (name, realm)
    ladder = ladder >> BOB.answer(ladder[b"BYE"], status, headers=(question,)) << Sent(ALICE, 403)
    assert b"evil" not in ladder[403]
    again_ = ALICE.within(b"BYE", ladder[200], own=invite, cseq=4, headers=(answer_of(realm),))
    assert ladder >> again_ << Sent(BOB, b"BYE")
    assert b"evil" not in ladder[b"BYE"]


def test_so_is_an_invite() -> None:
    """Of a registered phone too; the core that asks is passed on beside it, and what it asks is its own."""
    world = registrar_world()
    ask(world, Phone(OTHER_PHONE, b"bob").register())
    world.reload(
        registrar={"domains": ["example.net"], "unauthenticated": True},
        routes=[{"source": "access", "to": ["registered", "core"]}],
    )
    ladder = Ladder(world) >> ALICE.invite(uri=b"sip:bob@example.net") << Sent(ALICE, 100)
    ladder = ladder << Sent(BOB, b"INVITE") << Sent(PBX, b"INVITE")
    to_bob, to_core = (data for address, data in world.sent if data.startswith(b"INVITE"))
    evil = BOB.answer(to_bob, 407, headers=(b'Proxy-Authenticate: Digest realm="x", nonce="evil"',))
    good = PBX.answer(to_core, 407, headers=(b'Proxy-Authenticate: Digest realm="y", nonce="core"',))
    ladder >> evil
    ladder >> good
    told = [data for address, data in world.sent if address == PHONE and not data.startswith(b"SIP/2.0 100")]
    assert told
    assert not any(b"evil" in data for data in told)


def test_the_core_may_ask() -> None:
    """It is who asks where Sipveil does not."""
    ladder, invite = answered(PBX, "core")
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=invite) << Sent(PBX, b"BYE")
    question = b'Proxy-Authenticate: Digest realm="core.example", nonce="n"'
    ladder = ladder >> PBX.answer(ladder[b"BYE"], 407, headers=(question,)) << Sent(ALICE, 407)
    assert b'nonce="n"' in ladder[407]
    bye = ALICE.within(b"BYE", ladder[200], own=invite, cseq=4, headers=(answer_of(b"core.example"),))
    assert ladder >> bye << Sent(PBX, b"BYE")
    assert b"core.example" in ladder[b"BYE"]


@pytest.mark.parametrize("realm", REALMS)
def test_a_trunk_asks_and_gets_no_answer(realm: bytes) -> None:
    """By default credentials are for no trunk: who is behind one learns nothing by asking."""
    ladder, invite = answered(CARRIER, "carrier")
    bye = ALICE.within(b"BYE", ladder[200], own=invite, headers=(answer_of(realm),))
    assert ladder >> bye << Sent(CARRIER, b"BYE")
    assert b"evil" not in ladder[b"BYE"]
