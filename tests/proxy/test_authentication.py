"""Phones prove who they are, and nothing is to be had for those who cannot."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from config.account import Account, secret_of
from config.accounts import Accounts, pack
from config.user_hashes import user_hash
from proxy.flow import Flow
from proxy.initial import Arrival
from proxy.nonce_counts import Counts, NonceCounts
from proxy.party import ACCESS
from tap.shared_nonce_counts import SharedNonceCounts
from tests.accounts import REALM, accounts, again, challenges, proof
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait
from tests.world import OTHER_PHONE, PROXY, SETTINGS, WALL, World, settings

SECTION = {"realm": REALM}
BOB = Agent(OTHER_PHONE, b"bob")
EDGE = Agent(("10.9.9.9", 5060), b"alice")
AREA = b"sip:sip.example.net"


def world(known: Accounts | None = None, sections: dict[str, Any] | None = None, **changes: Any) -> World:
    """Return a world that asks phones; alice, bob and carol have accounts, and REGISTER goes to the core."""
    known = accounts("alice", "bob", "carol") if known is None else known
    routes = [{"source": "access", "methods": ["REGISTER"], "to": ["core"]}, *SETTINGS["routes"]]
    made = settings(authentication=SECTION | changes, routes=routes, **(sections or {}))
    return World(made, accounts=known)


def ladder(known: Accounts | None = None, **changes: Any) -> Ladder:
    return Ladder(world(known, **changes))


def outcome(ladder: Ladder | World, label: str) -> int:
    found = ladder if isinstance(ladder, World) else ladder.world
    return found.count("authentications", label)


def register(agent: Agent = ALICE, user: bytes = b"alice", *headers: bytes, to: bytes = b"") -> Packet:
    """Return a REGISTER of an agent for an address of record."""
    packet = agent.request(b"REGISTER", AREA, headers=headers)
    return packet._replace(
        data=packet.data.replace(b"To: <%b>" % AREA, b"To: <sip:%b@sip.example.net>" % (to or user)).replace(
            b"<sip:%b@sip.example.net>;tag" % agent.user, b"<sip:%b@sip.example.net>;tag" % user
        )
    )


def proved(packet: Packet, *args: Any, cseq: int = 2, branch: bytes = b"z9hG4bKtwo", status: int = 0,
           **changes: Any) -> Callable[[Ladder], Packet]:  # fmt: skip
    """Return the step that answers the last challenge."""
    wanted = status or (401 if packet.data.startswith(b"REGISTER") else 407)
    return lambda found: again(packet, proof(packet, found[wanted], *args, **changes), cseq=cseq, branch=branch)


# --- the ordinary case


@pytest.mark.parametrize("pick", [0, 1])
def test_a_call(pick: int) -> None:
    """407 with both algorithms, the stronger first (RFC 8760 §2.4); either proves it; the ACK of 407 is absorbed."""
    invite = ALICE.invite()
    found = ladder()
    assert (
        found
        >> invite
        << Sent(ALICE, 407)
        >> (lambda seen: ALICE.ack_failure(invite, seen[407]))
        << Silence()
        >> proved(invite, pick=pick)
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
        >> (lambda seen: CARRIER.answer(seen[b"INVITE"], 200))
        << Sent(ALICE, 200)
    )
    asked = challenges(found[407])
    assert [each["algorithm"] for each in asked] == ["SHA-256", "MD5"]
    assert all(each["realm"] == REALM and each["qop"] == "auth" and "stale" not in each for each in asked)
    assert b"roxy-Auth" not in found[b"INVITE"]
    assert (outcome(found, "challenged"), outcome(found, "accepted")) == (1, 1)
    assert found.world.count("dropped", "ack-without-dialog") == 0


@pytest.mark.parametrize("pick", [0, 1])
def test_a_registration(pick: int) -> None:
    """401 and WWW-Authenticate: towards a registrar we are where it ends (§22.2). Own credentials reach no core."""
    found = ladder()
    assert found >> register() << Sent(ALICE, 401) >> proved(register(), pick=pick) << Sent(PBX, b"REGISTER")
    assert b"WWW-Authenticate: Digest" in found[401]
    assert b"uthorization" not in found[b"REGISTER"]


@pytest.mark.parametrize("pick", [0, 1, 2])
def test_three_algorithms(pick: int) -> None:
    """RFC 8760 §2.4: the operator's preference is the order; each of them proves it."""
    found = ladder(algorithms=["MD5", "SHA-256", "SHA-512-256"]) >> register() << Sent(ALICE, 401)
    assert [each["algorithm"] for each in challenges(found[401])] == ["SHA-512-256", "SHA-256", "MD5"]
    assert found >> proved(register(), pick=pick) << Sent(PBX, b"REGISTER")


def without_sha512_256(*names: str) -> Accounts:
    """Return accounts of which the first lacks HA1 under SHA-512-256."""
    known = accounts(*names)
    secret = secret_of(names[0], REALM, f"pw-{names[0]}")._replace(sha512_256=None)
    first = Account(names[0], REALM, secret, (f"{names[0]}@{REALM}",))
    known.patch({REALM.encode(): {names[0].encode(): pack(first)}}, None)
    return known


@pytest.mark.parametrize("who", ["alice", "bob", "nobody"])
def test_what_is_offered_tells_of_no_account(who: str) -> None:
    """One account without that HA1, and nobody is offered the algorithm, whoever asks and whatever it answers."""
    found = ladder(without_sha512_256("alice", "bob"), algorithms=["SHA-512-256", "SHA-256"])
    agent = Agent(OTHER_PHONE, who.encode())
    invite = agent.invite()
    found >> invite << Sent(agent, 407)
    assert [each["algorithm"] for each in challenges(found[407])] == ["SHA-256"]
    full = ladder(algorithms=["SHA-512-256", "SHA-256"]) >> invite << Sent(agent, 407)
    assert found >> again(invite, proof(invite, full[407], who)) << Sent(agent, 407)
    assert [each["algorithm"] for each in challenges(found[407])] == ["SHA-256"]


def test_an_account_is_offered_more_once_all_have_it() -> None:
    known = without_sha512_256("alice", "bob")
    found = ladder(known, algorithms=["SHA-512-256"])
    found >> ALICE.invite() << Sent(ALICE, 407)
    assert challenges(found[407]) == []
    known.replace(accounts("alice", "bob")._realms)
    found >> ALICE.invite(branch=b"z9hG4bK9") << Sent(ALICE, 407)
    assert [each["algorithm"] for each in challenges(found[407])] == ["SHA-512-256"]


def hashing(**changes: Any) -> Ladder:
    """Return a ladder where phones may hash their usernames."""
    known = accounts("alice", "bob")
    found = ladder(known, userhash=True, algorithms=["SHA-512-256", "SHA-256", "MD5"], **changes)
    known.index()
    return found


@pytest.mark.parametrize("pick", [0, 1, 2])
def test_a_hashed_username(pick: int) -> None:
    """RFC 7616 §3.4.4: offered with each challenge; who sends the plain name is taken too."""
    invite = ALICE.invite()
    found = hashing() >> invite << Sent(ALICE, 407)
    assert all(each["userhash"] == "true" for each in challenges(found[407]))
    assert found >> proved(invite, pick=pick, userhash=True) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    plain = hashing() >> invite << Sent(ALICE, 407)
    assert plain >> proved(invite, pick=pick) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_hashed_username_that_is_nobodys() -> None:
    """The same answer, and the same count, as for a name that is nobody's; and it speaks as its account alone."""
    invite = ALICE.invite()
    found = hashing() >> invite << Sent(ALICE, 407) >> proved(invite, "mallory", userhash=True) << Sent(ALICE, 407)
    assert outcome(found, "wrong") == 1
    found = hashing() >> invite << Sent(ALICE, 407) >> proved(invite, "bob", userhash=True) << Sent(ALICE, 403)
    assert outcome(found, "identity") == 1


def test_a_hash_is_no_name() -> None:
    """Who is called as another's hash is not that one, nor is a hash without `userhash` anybody."""
    hashed = user_hash(b"SHA-256", b"bob", REALM.encode()).hex()
    known = accounts("bob", hashed)
    found = ladder(known, userhash=True, algorithms=["SHA-256"])
    known.index()
    invite = BOB.invite()
    found >> invite << Sent(BOB, 407) >> proved(invite, "bob", userhash=True) << Sent(BOB, 100)
    assert found << Sent(CARRIER, b"INVITE")
    other = BOB.invite(call_id=b"other", branch=b"z9hG4bKo")
    assert found >> other << Sent(BOB, 407) >> proved(other, hashed, branch=b"z9hG4bKp") << Sent(BOB, 403)


def test_where_it_is_not_configured_a_hash_is_nobodys() -> None:
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    assert "userhash" not in challenges(found[407])[0]
    assert found >> proved(invite, userhash=True) << Sent(ALICE, 407)
    assert outcome(found, "challenged") == 2


def test_one_challenge_where_one_algorithm_is_offered() -> None:
    found = ladder(algorithms=["MD5"])
    assert found >> ALICE.invite() << Sent(ALICE, 407)
    assert [each["algorithm"] for each in challenges(found[407])] == ["MD5"]


def test_the_stronger_one_is_first_however_it_is_written() -> None:
    found = ladder(algorithms=["MD5", "SHA-256"])
    assert found >> ALICE.invite() << Sent(ALICE, 407)
    assert [each["algorithm"] for each in challenges(found[407])] == ["SHA-256", "MD5"]


def test_a_phone_that_answers_both_challenges() -> None:
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    lines = [proof(invite, found[407], pick=1), proof(invite, found[407], pick=0)]
    assert found >> again(invite, *lines) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_what_is_not_offered_any_more_proves_nothing() -> None:
    """A phone that goes on with MD5 is asked anew, rather than told that it is broken."""
    invite = ALICE.invite()
    old = ladder() >> invite << Sent(ALICE, 407)
    found = ladder(algorithms=["SHA-256"])
    assert found >> again(invite, proof(invite, old[407], pick=1)) << Sent(ALICE, 407)


def test_nobody_is_asked_without_the_section_or_without_accounts() -> None:
    assert Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    bare = World(settings(authentication=SECTION))
    assert Ladder(bare) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_core_and_trunks_are_never_asked() -> None:
    found = ladder()
    assert found >> PBX.invite(uri=b"sip:+15550100@192.0.2.1") << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    assert (
        found >> CARRIER.invite(uri=b"sip:alice@192.0.2.1", call_id=b"c2") << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    )


def test_the_arrival_tells_whose_it_is() -> None:
    """What a registrar reads."""
    found = ladder() >> register() << Sent(ALICE, 401)
    core, flow = found.world.core, Flow("UDP", PROXY, ALICE.address)
    request = read(again(register(), proof(register(), found[401])).data)
    account = core.authentication.judge(request, flow, ACCESS, found.world.now)
    assert account == "alice"
    arrival = Arrival(request, None, ACCESS, flow, int(found.world.wall))
    core.authentication.vouch(arrival, account)
    assert arrival.account == "alice"


def test_the_registrar_takes_whom_it_has_asked() -> None:
    """And a To tag, which no REGISTER has, opens nothing."""
    sections = {"registrar": {"domains": ["sip.example.net"]}}
    found = ladder(sections=sections) >> register() << Sent(ALICE, 401) >> proved(register()) << Sent(ALICE, 200)
    assert b"Contact: " in found[200]
    tagged = register()
    tagged = tagged._replace(data=tagged.data.replace(b"\r\nCall-ID", b";tag=x\r\nCall-ID", 1))
    assert ladder(sections=sections) >> tagged << Sent(ALICE, 401)


# --- what is never asked


def test_cancel_is_not_challenged() -> None:
    invite = ALICE.invite()
    second = again(invite)
    assert ladder() >> ALICE.cancel(invite) << Sent(ALICE, 481)
    found = ladder() >> invite << Sent(ALICE, 407)
    second = again(invite, proof(invite, found[407]))
    assert (
        found
        >> second
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
        >> (lambda seen: CARRIER.answer(seen[b"INVITE"], 180))
        << Sent(ALICE, 180)
        >> ALICE.cancel(second)
        << Sent(ALICE, 200)
        << Sent(CARRIER, b"CANCEL")
    )


def test_within_a_dialog_the_record_speaks() -> None:
    """Neither ACK nor BYE nor re-INVITE needs proof, and a Proxy-Authorization in them goes no further."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    second = again(invite, proof(invite, found[407]))
    stale = proof(invite, found[407])
    assert (
        found
        >> second
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
        >> (lambda seen: CARRIER.answer(seen[b"INVITE"], 200))
        << Sent(ALICE, 200)
        >> (lambda seen: ALICE.within(b"ACK", seen[200], own=second, cseq=2, headers=(stale,)))
        << Sent(CARRIER, b"ACK")
        >> (lambda seen: ALICE.within(b"INVITE", seen[200], own=second, cseq=3, headers=(stale,)))
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
        >> (lambda seen: ALICE.within(b"BYE", seen[200], own=second, cseq=4, headers=(stale,)))
        << Sent(CARRIER, b"BYE")
    )
    assert not any(b"roxy-Auth" in found[what] for what in (b"ACK", b"INVITE", b"BYE"))


def test_a_to_tag_of_ones_own_making_opens_nothing() -> None:
    """Between phones and core a dialog may have begun without us; who says so has to say who it is."""
    packet = ALICE.invite(uri=b"sip:8100@192.0.2.1")
    forged = packet._replace(data=packet.data.replace(b"To: <sip:8100@192.0.2.1>", b"To: <sip:8100@192.0.2.1>;tag=x"))
    found = ladder() >> forged << Sent(ALICE, 407) >> (lambda seen: ALICE.ack_failure(forged, seen[407])) << Silence()
    assert found >> proved(forged) << Sent(ALICE, 100) << Sent(PBX, b"INVITE")
    trunk = ALICE.invite(branch=b"z9hG4bK9")
    trunk = trunk._replace(data=trunk.data.replace(b"To: <sip:+15550100@192.0.2.1>", b"To: <sip:+1@h>;tag=x"))
    assert ladder() >> trunk << Sent(ALICE, 481)


@pytest.mark.parametrize("uri", [b"urn:service:sos", b"sip:112@192.0.2.1", b"tel:911"])
def test_an_emergency_call_needs_nobody(uri: bytes) -> None:
    """Without credentials, with wrong or broken ones, and as somebody else (RFC 6881; RFC 6443 §16)."""
    for line in (
        (),
        (b"Proxy-Authorization: Digest broken",),
        (b'Proxy-Authorization: Digest realm="sip.example.net"',),
    ):
        found = ladder()
        assert (
            found
            >> BOB.invite(uri=uri, headers=line)
            << Sent(BOB, 100)
            << Sent(Agent(("198.51.100.112", 5060), b""), b"INVITE")
        )
        assert outcome(found, "emergency") == 1
    unknown = ladder(Accounts())
    assert unknown >> BOB.invite(uri=uri) << Sent(BOB, 100) << Sent(Agent(("198.51.100.112", 5060), b""), b"INVITE")


def test_an_emergency_call_of_an_account_may_name_anybody() -> None:
    invite = BOB.invite(uri=b"sip:112@192.0.2.1")
    asked = ladder() >> BOB.invite(uri=b"sip:+1@192.0.2.1") << Sent(BOB, 407)
    line = proof(invite, asked[407], "alice")
    found = Ladder(asked.world)
    assert found >> again(invite, line) << Sent(BOB, 100) << Sent(Agent(("198.51.100.112", 5060), b""), b"INVITE")
    assert b"roxy-Auth" not in found[b"INVITE"]
    assert outcome(found, "accepted") == 1


@pytest.mark.parametrize("exempt", [["10.1.1.23"], ["10.0.0.0/8"], ["10.1.1.23:5062"]])
def test_exempt_networks(exempt: list[str]) -> None:
    assert ladder(exempt=exempt) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


@pytest.mark.parametrize("exempt", [["10.1.1.24"], ["10.1.1.23:5063"]])
def test_networks_that_are_not_exempt(exempt: list[str]) -> None:
    assert ladder(exempt=exempt) >> ALICE.invite() << Sent(ALICE, 407)


def test_where_proof_is_not_required_wrong_proof_is_refused() -> None:
    invite = ALICE.invite()
    asked = ladder() >> invite << Sent(ALICE, 407)
    asked.world.reload(authentication=SECTION | {"required": False})
    found = Ladder(asked.world)
    assert found >> again(invite, proof(invite, asked[407], password="x")) << Sent(ALICE, 407)
    assert found >> ALICE.invite(branch=b"z9hG4bK8", call_id=b"c8") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert outcome(found, "not-asked") == 1


# --- what proves nothing


@pytest.mark.parametrize(
    ("changes", "status", "label"),
    [
        ({"password": "guess"}, 407, "wrong"),
        ({"name": "mallory"}, 407, "wrong"),
        ({"name": "bob", "password": "pw-alice"}, 407, "wrong"),
        ({"method": b"REGISTER"}, 407, "wrong"),
        ({"uri": b"sip:+15550199@192.0.2.1"}, 400, "uri"),
        ({"uri": b"tel:+15550100"}, 400, "uri"),
        ({"uri": b"sip:+15550100@192.0.2.1:5061"}, 400, "uri"),
        ({"realm": "other.example"}, 407, "challenged"),
        ({"realm": "SIP.example.net"}, 407, "challenged"),
        ({"nonce": "dcd98b7102dd2f0e8b11d0f600"}, 407, "foreign"),
        ({"nc": "00000000"}, 407, "replayed"),
        ({"nc": "1"}, 400, "malformed"),
        ({"qop": "auth-int"}, 407, "challenged"),
        ({"algorithm": "SHA-512-256"}, 407, "challenged"),
        ({"algorithm": "MD5-sess"}, 407, "challenged"),
        ({"response": "0" * 64}, 407, "wrong"),
        ({"response": ""}, 400, "malformed"),
        ({"cnonce": ""}, 400, "malformed"),
    ],
)  # fmt: skip
def test_almost_right(changes: dict[str, Any], status: int, label: str) -> None:
    """Nothing goes on, and nothing is kept of it."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407) >> proved(invite, **changes) << Sent(ALICE, status)
    assert found
    assert outcome(found, label) == (2 if label == "challenged" else 1)
    assert found.world.core.servers == {}
    if status == 407:
        assert all(("stale" in each) is (label in ("foreign", "replayed")) for each in challenges(found[407]))


def test_uris_that_are_the_same() -> None:
    """What a proxy in a row adds behind them, and a port that is the default, do not tell them apart."""
    invite = ALICE.invite(uri=b"sip:+15550100@192.0.2.1;transport=udp")
    found = ladder() >> invite << Sent(ALICE, 407) >> proved(invite, uri=b"sip:+15550100@192.0.2.1:5060")
    assert found << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_replay() -> None:
    """The same proof in another transaction; the next count is right, and one that was skipped over never will be."""
    invite = ALICE.invite()
    found = ladder()
    assert found >> invite << Sent(ALICE, 407) >> proved(invite) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = found[407]
    for count, expected in ((1, 407), (3, 100), (2, 407), (3, 407)):
        step = again(invite, proof(invite, first, uses=count), branch=b"z9hG4bKr%d%d" % (count, expected), cseq=5)
        found >> step << Sent(ALICE, expected)
        if expected == 100:
            found << Sent(CARRIER, b"INVITE")
    assert found
    assert outcome(found, "replayed") == 3
    assert challenges(found[407])[0]["stale"] == "true"


def test_the_repetition_of_a_request_is_no_replay() -> None:
    """RFC 3261 §17: it is absorbed before anybody asks."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    second = again(invite, proof(invite, found[407]))
    assert found >> second << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE") >> second << Sent(ALICE, 100)


def test_a_wrong_answer_uses_nothing_up() -> None:
    """Else who overhears a nonce could spoil it."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    first = found[407]
    found >> again(invite, proof(invite, first, password="x", uses=7), branch=b"z9hG4bKw") << Sent(ALICE, 407)
    assert found >> again(invite, proof(invite, first)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_proof_that_was_overheard_is_of_no_use_elsewhere() -> None:
    """From another address, before or after its use: a new nonce, and the phone asks nobody for a password."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    line = proof(invite, found[407])
    thief = again(invite, line)._replace(source=OTHER_PHONE)
    assert found >> thief << Sent(BOB, 407)
    assert challenges(found[407])[0]["stale"] == "true"
    assert found >> again(invite, line) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    later = again(invite, line, branch=b"z9hG4bKlater")._replace(source=OTHER_PHONE)
    assert found >> later << Sent(BOB, 407)
    assert outcome(found, "foreign") == 2


def next_call(number: int, line: bytes) -> Packet:
    """Return a call of its own that begins with credentials."""
    invite = ALICE.invite(call_id=b"call-%d@phone" % number, branch=b"z9hG4bKn%d" % number)
    return again(invite, line, branch=b"z9hG4bKnext%d" % number, cseq=1)


def test_the_next_call_goes_on_with_the_nonce() -> None:
    """RFC 7616 §3.4: a higher count and another Call-ID, and no round trip; until the nonce is too old."""
    invite = ALICE.invite()
    found = ladder(nonce_life=60) >> invite << Sent(ALICE, 407)
    first = found[407]
    found >> proved(invite) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    for count in (2, 3, 9):
        found >> next_call(count, proof(invite, first, uses=count)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert found
    assert (outcome(found, "challenged"), outcome(found, "accepted")) == (1, 4)
    found.world.wall += 62
    found.world.core.set_wall(found.world.now, found.world.wall)
    assert found >> next_call(10, proof(invite, first, uses=10)) << Sent(ALICE, 407)
    assert all(each["stale"] == "true" for each in challenges(found[407]))


def test_a_replay_in_another_call() -> None:
    """Whoever writes the phone's address: a count that was used, or was skipped over, begins no call."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    first = found[407]
    found >> next_call(1, proof(invite, first, uses=4)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    for number, count in enumerate((4, 3, 1), 2):
        assert found >> next_call(number, proof(invite, first, uses=count)) << Sent(ALICE, 407)
        assert challenges(found[407])[0]["stale"] == "true"
    assert outcome(found, "replayed") == 3


def test_a_neighbour_spoils_no_nonce() -> None:
    """Who has an account, shares the address and overhears a nonce may use it, and leaves its owner's counts alone."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    first = found[407]
    neighbour = Agent((ALICE.address[0], 5999), b"bob")
    theirs = neighbour.invite(call_id=b"bob", branch=b"z9hG4bKbob")
    found >> again(theirs, proof(theirs, first, "bob", nc="ffffffff")) << Sent(neighbour, 100)
    found << Sent(CARRIER, b"INVITE")
    assert found >> next_call(1, proof(invite, first, uses=1)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_what_one_worker_was_told_is_nothing_to_another() -> None:
    """Where they count apart, and an attacker chooses the worker: none takes what another has counted."""
    workers = [worker_of(number) for number in (0, 1)]
    invite = ALICE.invite()
    one, other = (Ladder(each) for each in workers)
    one >> invite << Sent(ALICE, 407)
    first = one[407]
    used = again(invite, proof(invite, first))
    assert one >> used << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    for number, count in enumerate((1, 2)):
        assert other >> next_call(number, proof(invite, first, uses=count)) << Sent(ALICE, 407)
        assert challenges(other[407])[0]["stale"] == "true"
    assert outcome(other, "foreign") == 2


@pytest.mark.parametrize("kind", [NonceCounts, None], ids=["one", "shared"])
def test_workers_that_count_together_take_one_nonce(kind: type[NonceCounts] | None) -> None:
    """Each takes it with a higher count, whoever made it; none what another has taken; a reload forgets nothing."""
    counts: Counts = SharedNonceCounts(int(WALL)) if kind is None else kind(int(WALL), 300)
    one, other = (Ladder(worker_of(number, counts)) for number in (0, 1))
    invite = ALICE.invite()
    one >> invite << Sent(ALICE, 407)
    first = one[407]
    assert one >> again(invite, proof(invite, first)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    for number, (by, count) in enumerate(((other, 2), (one, 3), (other, 4))):
        call = next_call(number, proof(invite, first, uses=count))
        assert by >> call << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    for each in (one, other):
        each.world.reload(authentication=SECTION | {"nonce_life": 3000}, routes=each.world.settings.routes)
        for number, count in enumerate((4, 3, 2, 1), 10):
            assert each >> next_call(number, proof(invite, first, uses=count)) << Sent(ALICE, 407)
            assert challenges(each[407])[0]["stale"] == "true"
        assert outcome(each, "replayed") == 4


def worker_of(number: int, counts: Counts | None = None) -> World:
    """Return a world that is the worker of that number, with the keys and clock of the others."""
    found = world()
    found.counts = counts
    found.new_core()
    found.core.worker = number
    found.core.authentication.obey()
    return found


def test_each_worker_has_its_part_of_the_limits() -> None:
    """Requests are spread by Call-ID: together they allow what is configured, and three wrong answers each at least."""
    made = {"workers": 4}
    found = Ladder(world(sections=made, challenges=8, source_failures=40, failures=8))
    for number in range(3):
        ask = ALICE.invite(call_id=b"c%d" % number, branch=b"z9hG4bKc%d" % number)
        if number < 2:
            assert found >> ask << Sent(ALICE, 407)
        else:
            assert found >> ask << Silence()
    attempts = found.world.core.authentication._attempts
    assert (attempts.failures, attempts.source_failures) == (3, 10)


def test_an_old_nonce_is_stale() -> None:
    invite = ALICE.invite()
    found = ladder(nonce_life=60) >> invite << Sent(ALICE, 407) >> Wait(62) >> proved(invite) << Sent(ALICE, 407)
    assert all(each["stale"] == "true" for each in challenges(found[407]))
    assert found >> proved(invite, branch=b"z9hG4bK3", cseq=3) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_nonce_from_before_a_restart_is_stale() -> None:
    """What was used before it nobody knows."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    first = found[407]
    found.world.wall += 5
    found >> Restart() >> again(invite, proof(invite, first)) << Sent(ALICE, 407)
    assert challenges(found[407])[0]["stale"] == "true"
    assert found >> proved(invite, branch=b"z9hG4bK3") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_another_node_takes_the_nonce_of_one() -> None:
    """One has the key ring of the other, and no more."""
    invite = ALICE.invite()
    one, other = world(), world()
    Ladder(other) >> ALICE.invite(call_id=b"before") << Sent(ALICE, 407)
    one.core.set_wall(1000.0, one.wall + 10)
    other.core.set_wall(1000.0, other.wall + 10)
    asked = Ladder(one) >> invite << Sent(ALICE, 407)
    second = again(invite, proof(invite, asked[407]))
    assert Ladder(other) >> second << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_disabled_account_is_none() -> None:
    known = accounts("alice")
    secret = secret_of("alice", REALM, "pw-alice")
    known.patch({REALM.encode(): {b"alice": pack(Account("alice", REALM, secret, ("a@b",), disabled=True))}}, None)
    invite = ALICE.invite()
    found = ladder(known) >> invite << Sent(ALICE, 407) >> proved(invite) << Sent(ALICE, 407)
    assert outcome(found, "wrong") == 1
    known.patch({}, set())
    assert found >> proved(invite, branch=b"z9hG4bK4") << Sent(ALICE, 407)


def test_while_accounts_are_not_known_nobody_gets_in() -> None:
    known = accounts("alice")
    known.are_known = False
    found = ladder(known) >> ALICE.invite() << Sent(ALICE, 503)
    assert b"\r\nRetry-After: 10\r\n" in found[503]
    known.are_known = True
    assert found >> ALICE.invite(branch=b"z9hG4bK2") << Sent(ALICE, 407)


# --- who it may be


def test_another_ones_from_is_refused() -> None:
    """Account alice, From bob; the refusal is an answer like others, with its transaction."""
    invite = BOB.invite()
    found = ladder() >> invite << Sent(BOB, 407) >> proved(invite, "alice") << Sent(BOB, 403)
    assert outcome(found, "identity") == 1
    assert ("authentication", "identity") in {(event.kind, event.detail) for event in found.world.events}


@pytest.mark.parametrize(("user", "to"), [(b"bob", b""), (b"alice", b"bob"), (b"bob", b"alice")])
def test_nobody_registers_for_another(user: bytes, to: bytes) -> None:
    """Registration hijack: From or To of another (RFC 3261 §10.3, step 4), whatever becomes of an ordinary From."""
    packet = register(ALICE, user, to=to)
    for what in ("refuse", "replace"):
        assert ladder(foreign_from=what) >> packet << Sent(ALICE, 401) >> proved(packet, "alice") << Sent(ALICE, 403)


def test_another_ones_from_is_replaced() -> None:
    """Everywhere: in From, in what we assert, and within the dialog, whose ends see no change."""
    trunk = SETTINGS["trunks"][0] | {"trusted": True, "privacy": {"number": "keep", "network": "keep", "name": "keep"}}
    shown = {"default": {"number": "keep", "name": "keep", "network": "keep"}}
    sections = {"trunks": [trunk, *SETTINGS["trunks"][1:]], "privacy": shown}
    invite = BOB.invite()
    found = ladder(foreign_from="replace", sections=sections) >> invite << Sent(BOB, 407)
    second = again(invite, proof(invite, found[407], "alice"))
    assert (
        found
        >> second
        << Sent(BOB, 100)
        << Sent(CARRIER, b"INVITE")
        >> (lambda seen: CARRIER.answer(seen[b"INVITE"], 200))
        << Sent(BOB, 200)
        >> (lambda seen: BOB.within(b"ACK", seen[200], own=second, cseq=2))
        << Sent(CARRIER, b"ACK")
        >> (lambda seen: BOB.within(b"BYE", seen[200], own=second, cseq=3))
        << Sent(CARRIER, b"BYE")
    )
    for what in (b"INVITE", b"ACK", b"BYE"):
        assert read(found[what]).from_.uri == b"sip:alice@sip.example.net"
        assert b"bob@sip.example.net" not in found[what]
    assert read(found[b"INVITE"]).value(b"p-asserted-identity") == b"<sip:alice@sip.example.net>"
    assert b"From: <sip:bob@sip.example.net>;tag=from1" in found[200]


@pytest.mark.parametrize("method", [b"MESSAGE", b"INFO", b"REFER", b"UPDATE", b"INVITE", b"BYE", b"X"])
def test_nobody_becomes_another_within_a_call_to_the_core(method: bytes) -> None:
    """Where nothing has to be hidden From went on as it came, and within a call nobody asks whose it is."""
    invite = ALICE.invite(uri=b"sip:8000@192.0.2.1")
    found = ladder() >> invite << Sent(ALICE, 407)
    second = again(invite, proof(invite, found[407], "alice"))
    found = found >> second << Sent(ALICE, 100) << Sent(PBX, b"INVITE")
    found = found >> PBX.answer(found[b"INVITE"], 200) << Sent(ALICE, 200)
    lines = (b"Refer-To: <sip:bob@192.0.2.1>", b"Referred-By: <sip:bob@sip.example.net>")
    within = ALICE.within(method, found[200], own=second, cseq=3, headers=lines)
    changed = re.sub(rb"From: [^\r]*;tag", b"From: <sip:bob@sip.example.net>;tag", within.data)
    found.world.receive(*within._replace(data=changed))
    sent = read(found.world.sent[-1][1])
    assert (sent.method, sent.from_.uri, sent.from_tag) == (method, b"sip:alice@sip.example.net", b"from1")
    assert b"referred-by" not in sent.index


@pytest.mark.parametrize("method", [b"MESSAGE", b"REFER", b"UPDATE", b"INVITE"])
def test_a_phone_that_the_core_calls_becomes_nobody_else(method: bytes) -> None:
    found = ladder() >> PBX.invite(uri=b"sip:alice@10.1.1.23:5062") << Sent(PBX, 100) << Sent(ALICE, b"INVITE")
    answer = ALICE.answer(found[b"INVITE"], 200)
    found = found >> answer << Sent(PBX, 200)
    within = ALICE.within(method, found[b"INVITE"], own=answer, headers=(b"Refer-To: <sip:bob@192.0.2.1>",))
    changed = re.sub(rb"From: [^\r]*;tag", b"From: <sip:bob@sip.example.net>;tag", within.data)
    found.world.receive(*within._replace(data=changed))
    sent = read(found.world.sent[-1][1])
    assert (sent.method, sent.from_.uri) == (method, b"sip:alice@10.1.1.23:5062")


def test_a_from_of_ones_own_is_left_alone() -> None:
    known = accounts(alice=("main@sip.example.net", "alice@sip.example.net"))
    shown = {"privacy": {"default": {"number": "keep", "name": "keep", "network": "keep"}}}
    invite = ALICE.invite()
    found = ladder(known, foreign_from="replace", sections=shown) >> invite << Sent(ALICE, 407)
    assert found >> proved(invite) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(found[b"INVITE"]).from_.uri.startswith(b"sip:alice@")


def test_a_preferred_identity_of_another_is_refused() -> None:
    for line, status in (
        (b"P-Preferred-Identity: <sip:bob@sip.example.net>", 403),
        (b"P-Preferred-Identity: <sip:alice@sip.example.net>, <tel:+15550199>", 403),
        (b"P-Preferred-Identity: <<", 400),
        (b"P-Preferred-Identity: <sip:alice@sip.example.net>", 100),
    ):
        invite = ALICE.request(headers=(line,))
        found = ladder() >> invite << Sent(ALICE, 407) >> proved(invite) << Sent(ALICE, status)
        if status == 100:
            found << Sent(CARRIER, b"INVITE")
        assert found


# --- what is told to nobody


def _answer(name: str, password: str) -> bytes:
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407) >> proved(invite, name, password) << Sent(ALICE, 407)
    return re.sub(rb'nonce="[^"]*"', b"", found[407])


def test_who_has_an_account_is_told_to_nobody() -> None:
    """Byte for byte, but for the nonce, which is as long."""
    assert _answer("bob", "wrong") == _answer("mallory", "wrong") == _answer("m" * 60, "")
    assert b"mallory" not in _answer("mallory", "wrong")


@pytest.mark.parametrize("pick", [0, 1])
def test_the_work_is_the_same(pick: int) -> None:
    """The same calls in the same order, for a password that is wrong and for an account that there is not."""

    def work(name: str) -> list[str]:
        invite = ALICE.invite()
        found = ladder() >> invite << Sent(ALICE, 407)
        step = again(invite, proof(invite, found[407], name, "wrong", pick=pick))
        called: list[str] = []

        def note(frame: Any, event: str, arg: Any) -> None:
            if event in ("call", "c_call"):
                called.append(frame.f_code.co_name if event == "call" else arg.__name__)

        gc.disable()  # it calls whom it likes
        sys.setprofile(note)
        try:
            found.world.receive(*step)
        finally:
            sys.setprofile(None)
            gc.enable()
        return called

    work("bob")  # what is remembered is remembered then
    assert work("bob") == work("nob")


def test_nothing_of_a_name_or_password_is_in_events() -> None:
    invite = BOB.invite()
    found = ladder() >> invite << Sent(BOB, 407) >> proved(invite, "alice", "x") << Sent(BOB, 407)
    events = found.world.events
    assert any(event.kind == "authentication" and event.detail == "wrong" and event.call for event in events)
    assert not any(word in repr(events) for word in ("alice", "bob", "10.1", "sip.example"))


@pytest.mark.parametrize(
    "evil", [b'alice\\"\r\nX-Evil: yes', b"alice\r\n X-Evil: yes", b"a\nX-Evil: yes", b"\xff\xfe", b"a\0b"]
)
def test_nothing_that_is_said_comes_back_in_a_line_of_its_own(evil: bytes) -> None:
    """Response splitting: of credentials nothing is repeated, and what is echoed is the request's own lines."""
    invite = ALICE.invite()
    found = ladder() >> invite << Sent(ALICE, 407)
    line = proof(invite, found[407], "NAME").replace(b"NAME", evil)
    for address, data in found.world.receive(*again(invite, line)):
        assert address == ALICE.address
        assert not any(each.startswith(b"X-Evil") for each in data.split(b"\r\n"))
        assert b"yes" not in data


# --- who guesses


def _guess(found: Ladder, number: int, name: str, agent: Agent = BOB, password: str | None = "x") -> None:
    invite = agent.invite(call_id=b"g%d" % number, branch=b"z9hG4bKg%d" % number)
    found >> invite << Sent(agent, 407)
    found >> again(invite, proof(invite, found[407], name, password), branch=b"z9hG4bKh%d" % number)


def test_a_guesser_is_slowed_down() -> None:
    """After so many wrong answers the right one is wrong too, and looks it; a minute later it is right again."""
    found = ladder(failures=3)
    for number in range(3):
        _guess(found, number, "bob")
        found << Sent(BOB, 407)
    _guess(found, 4, "bob", password=None)
    found << Sent(BOB, 407)
    assert (outcome(found, "wrong"), outcome(found, "slowed")) == (3, 1)
    assert "stale" not in challenges(found[407])[0]
    found >> Wait(60)
    _guess(found, 5, "bob", password=None)
    assert found << Sent(BOB, 100) << Sent(CARRIER, b"INVITE")


def test_nobody_is_locked_out_from_elsewhere() -> None:
    """Who knows a name can keep nobody from calling: not from another address, and not from behind the same one."""
    found = ladder(failures=3)
    _guess(found, 0, "alice", ALICE, None)
    found << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    neighbour = Agent((ALICE.address[0], 40000), b"alice")
    for agent in (BOB, neighbour):
        for number in range(6):
            _guess(found, 10 * agent.address[1] + number, "alice", agent)
            found << Sent(agent, 407)
    _guess(found, 1, "alice", ALICE, None)
    assert found << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert outcome(found, "slowed") == 6


def test_nobody_can_be_made_to_look_as_if_they_guessed() -> None:
    """A nonce is for one address: who spoofs another's gets none that is for that, so nothing counts there."""
    found = ladder(failures=2)
    invite = BOB.invite()
    found >> invite << Sent(BOB, 407)
    wrong = again(invite, proof(invite, found[407], "alice", "x"))
    for _ in range(10):
        found >> wrong._replace(source=ALICE.address) << Sent(ALICE, 407)
    _guess(found, 1, "alice", ALICE, None)
    assert found << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert outcome(found, "foreign") == 10


def test_many_accounts_from_one_address() -> None:
    """Spraying one password over many names."""
    found = ladder(failures=5, source_failures=4)
    for number in range(6):
        _guess(found, number, f"user{number}")
        found << Sent(BOB, 407)
    assert found
    assert (outcome(found, "wrong"), outcome(found, "slowed")) == (4, 2)


def test_challenges_to_one_address_are_bounded() -> None:
    """A flood in another's name brings that one so many answers a second, and no more; whoever proves it gets in."""
    found = ladder(challenges=3)
    invite = ALICE.invite(call_id=b"mine", branch=b"z9hG4bKmine")
    found >> invite << Sent(ALICE, 407)
    mine = found[407]
    for number in range(5):
        found >> ALICE.invite(call_id=b"f%d" % number, branch=b"z9hG4bKf%d" % number)
        if number < 2:
            found << Sent(ALICE, 407)
    assert found << Silence()
    assert (outcome(found, "silenced"), found.world.count("dropped", "challenge-rate")) == (3, 3)
    assert found >> BOB.invite(call_id=b"else") << Sent(BOB, 407)
    options = ALICE.request(b"OPTIONS", call_id=b"later", branch=b"z9hG4bKl")
    assert found >> Wait(1) >> options << Sent(ALICE, 407)
    assert found >> again(invite, proof(invite, mine)) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_flood_leaves_nothing_behind() -> None:
    """No transaction, no timer, no record: what is kept of a thousand requests is one count."""
    found = world(challenges=10_000)
    wheel = len(found.core.clients), len(found.core.servers)
    for number in range(1000):
        (sent,) = found.receive(*ALICE.invite(call_id=b"f%d" % number, branch=b"z9hG4bKf%d" % number))
    assert (len(found.core.clients), len(found.core.servers)) == wheel == (0, 0)
    assert not found.wait(40)
    assert sent[0] == ALICE.address


def test_a_challenge_adds_little() -> None:
    """No amplification that pays (RFC 3261 §26.3.2.4); who asks with less than any phone writes gets no answer."""
    found = world()
    least = b"\r\n".join((
        b"OPTIONS sip:a SIP/2.0", b"v:SIP/2.0/UDP a;branch=z9hG4bKa", b"f:<sip:a>;tag=a", b"t:<sip:a>", b"i:a",
        b"CSeq:1 OPTIONS", b"", b"",
    ))  # fmt: skip
    assert found.receive(ALICE.address, least) == []
    more = least.replace(b"=z9hG4bKa", b"=z9hG4bKb")[:-2] + b"Contact: <sip:a@10.1.1.23:5062>\r\n\r\n"
    ((_, answer),) = found.receive(ALICE.address, more)
    assert len(answer) - len(more) < 330
    assert len(answer) <= 3 * len(more)


# --- proxies in between


def test_behind_an_edge_proxy_each_phone_is_itself() -> None:
    """Its second Via says who asks; a guesser behind it slows down itself alone."""

    def via(packet: Packet, phone: bytes) -> Packet:
        line = b"\r\nVia: SIP/2.0/UDP 172.16.0.9:5060;branch=z9hG4bKp;received=%b;rport=777\r\nMax-" % phone
        return packet._replace(data=packet.data.replace(b"\r\nMax-", line, 1))

    found = ladder(failures=2)

    def guess(number: int, phone: bytes, password: str | None, expected: int) -> None:
        invite = via(EDGE.invite(call_id=b"e%d" % number, branch=b"z9hG4bKe%d" % number), phone)
        found >> invite << Sent(EDGE, 407)
        step = again(invite, proof(invite, found[407], "alice", password, uri=b"sip:before@example.net"))
        found >> step._replace(data=step.data.replace(b"z9hG4bKtwo", b"z9hG4bKx%d" % number)) << Sent(EDGE, expected)

    for number in range(3):
        guess(number, b"172.30.0.1", "x", 407)
    guess(3, b"172.30.0.1", None, 407)
    guess(4, b"172.30.0.2", None, 100)
    assert found << Sent(CARRIER, b"INVITE")
    assert outcome(found, "slowed") == 2


def test_an_edge_proxy_whose_second_via_is_broken() -> None:
    packet = EDGE.invite()
    packet = packet._replace(data=packet.data.replace(b"\r\nMax-", b"\r\nVia: broken\r\nMax-", 1))
    found = world()
    assert [data.split(b" ")[1] for _, data in found.receive(*packet)] in ([b"407"], [b"400"])


def test_a_call_that_crosses_us_twice_is_asked_once() -> None:
    """What we send to ourselves has proved it already, and has no credentials any more."""
    everywhere = {"access": SETTINGS["access"] | {"networks": ["10.0.0.0/8", "192.0.2.0/24"]}}
    invite = ALICE.invite()
    found = world(sections=everywhere)
    ((_, asked),) = found.receive(*invite)
    found.core.looped[b"z9hG4bKtwo"] = ACCESS
    sent = found.receive(PROXY, again(invite).data)
    assert [data.split(b" ")[0] for _, data in sent][-1] == b"INVITE"
    assert found.receive(PROXY, again(invite, branch=b"z9hG4bKq").data) == []  # our address, and we sent no such thing
    assert asked


# --- reloads


def test_a_reload_switches_it_on_and_off() -> None:
    found = World(accounts=accounts("alice"))
    steps = Ladder(found) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    found.reload(authentication=SECTION)
    second = ALICE.invite(call_id=b"c2", branch=b"z9hG4bK2")
    steps >> second << Sent(ALICE, 407)
    found.reload(authentication=SECTION | {"failures": 5})
    assert steps >> proved(second) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    found.reload()
    assert steps >> ALICE.invite(call_id=b"c3", branch=b"z9hG4bK3") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
