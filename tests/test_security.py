"""Nobody gets in: one test for each threat, against a core with the built-in filters (docs/threat-model.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from config.account import Account, secret_of
from config.accounts import pack
from proxy.errors import Refused
from proxy.flow import Flow
from proxy.flow_token import open_flow, seal_flow
from proxy.headers import parse_name_addr
from tests.accounts import REALM, accounts, again, proof
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, STRANGER, Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence
from tests.phones import ROUTES, Phone, ask, bound, registrar_world, status
from tests.world import OTHER_PHONE, PHONE, PROXY, SECOND_TRUNK, SETTINGS, TRUNK, World, settings
from tests.world import STRANGER as STRANGER_ADDRESS

MALLORY = Agent(OTHER_PHONE, b"mallory")
INVITE = ALICE.invite()
CORPUS = sorted((Path(__file__).parent / "corpus").rglob("*.dat"))
PAGE = (Path(__file__).parents[1] / "docs" / "threat-model.md").read_text(encoding="utf-8")
FROM_TRUNKS = {TRUNK, SECOND_TRUNK}


def ringing(world: World | None = None) -> Ladder:
    """Return a call of ALICE's that rings at the carrier."""
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)


def established(world: World | None = None) -> Ladder:
    """Return a call of ALICE's that is up."""
    ladder = ringing(world)
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def changed(packet: Packet, old: bytes, new: bytes, source: tuple[str, int] | None = None) -> Packet:
    """Return a packet with a part replaced, which must be there, and perhaps from somebody else."""
    assert old in packet.data
    return Packet(source or packet.source, packet.data.replace(old, new))


def to_trunks(world: World) -> list[bytes]:
    return [data for address, data in world.sent if address in FROM_TRUNKS]


# --- who has no business with us


@pytest.mark.parametrize("method", [b"INVITE", b"REGISTER", b"OPTIONS", b"BYE", b"CANCEL", b"ACK", b"X"])
def test_a_stranger_reaches_nobody_and_hears_nothing(method: bytes) -> None:
    assert Ladder() >> STRANGER.request(method) << Silence()


@pytest.mark.parametrize("method", [b"BYE", b"ACK", b"INVITE", b"REFER"])
def test_a_stranger_with_a_token_hears_nothing_either(method: bytes) -> None:
    """Replay from outside: whoever has read a call's messages."""
    ladder = established()
    replayed = ALICE.within(method, ladder[200], own=INVITE)
    assert ladder >> Packet(STRANGER_ADDRESS, replayed.data) << Silence()


def test_a_third_party_ends_no_call_by_bye() -> None:
    """A phone that knows Call-ID and tags, but has no token of the dialog."""
    ladder = established()
    bye = ALICE.within(b"BYE", ladder[200], own=INVITE)
    without = Packet(MALLORY.address, re.sub(rb"Route: [^\r]*\r\n", b"", bye.data))
    target = read(bye.data).uri
    assert ladder >> changed(without, b"BYE " + target, b"BYE sip:+15550100@192.0.2.1") << Sent(MALLORY, 481)


def test_a_third_party_cancels_no_call() -> None:
    """A CANCEL belongs to the branch and sent-by of its INVITE (RFC 3261 §9.2), which it would have to guess."""
    ladder = ringing()
    guess = changed(ALICE.cancel(INVITE), b"z9hG4bKone", b"z9hG4bKtwo", MALLORY.address)
    assert ladder >> guess << Sent(MALLORY, 481)
    outside = Packet(STRANGER_ADDRESS, ALICE.cancel(INVITE).data)
    assert ladder >> outside << Silence()


@pytest.mark.parametrize("status", [180, 200, 302, 486])
@pytest.mark.parametrize("liar", [STRANGER, SECOND, MALLORY, PBX])
def test_only_who_was_asked_answers(liar: Agent, status: int) -> None:
    """Source spoofing of responses: the branch is right, the sender is another."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    answer = CARRIER.answer(ladder[b"INVITE"], status)
    ladder = ladder >> Packet(liar.address, answer.data) << Silence()
    ladder = ladder >> answer
    assert ladder.left
    ladder.left.clear()


# --- what headers claim


@pytest.mark.parametrize(
    "header",
    [
        b"Route: <sip:198.51.100.8:5060;lr>", b"Route: <sip:evil.example;lr>", b"Route: <sip:203.0.113.5;lr>",
        b"Record-Route: <sip:198.51.100.8;lr>", b"Record-Route: <sip:192.0.2.1;lr>", b"Path: <sip:203.0.113.66;lr>",
    ],
)  # fmt: skip
def test_a_phone_writes_no_route(header: bytes) -> None:
    assert Ladder() >> ALICE.invite(headers=(header,)) << Sent(ALICE, 403)


def test_a_via_sends_an_answer_nowhere_else() -> None:
    """Neither sent-by nor received, maddr or a foreign port: only where the datagram came from."""
    world = World(settings(routes=[]))
    for via in (b"203.0.113.66:5060", b"198.51.100.7:5060;received=198.51.100.7", b"10.1.1.23;maddr=203.0.113.66"):
        world.receive(*changed(INVITE, b"10.1.1.23:5062;branch=z9hG4bKone", via + b";branch=z9hG4bK%d" % len(via)))
    assert {address[0] for address, _ in world.sent} == {PHONE[0]}


def test_a_via_of_ours_makes_nobody_ourselves() -> None:
    """A branch as we make them under our own sent-by: nothing that we sent."""
    forged = changed(
        INVITE, b"10.1.1.23:5062;branch=z9hG4bKone", b"192.0.2.1:5060;branch=z9hG4bKa0123456789ab.abcdefgh"
    )
    assert Ladder() >> forged << Silence()


@pytest.mark.parametrize("host", [b"198.51.100.8:5060", b"203.0.113.5:5060", b"198.51.100.7:5060", b"203.0.113.66"])
def test_a_phones_contact_leads_to_the_phone(host: bytes) -> None:
    """However it points into our trunks or core: what the far side sends goes over the flow that the phone came by."""
    own = changed(INVITE, b"<sip:alice@10.1.1.23:5062>", b"<sip:x@%b>" % host)
    ladder = Ladder() >> own << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    invite, answer = ladder[b"INVITE"], CARRIER.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    assert ladder >> CARRIER.within(b"BYE", invite, own=answer) << Sent(ALICE, b"BYE")


@pytest.mark.parametrize("host", [b"198.51.100.8:5060", b"203.0.113.5:5060", b"10.1.1.99:5060", b"203.0.113.66"])
def test_a_trunks_contact_leads_to_the_trunk(host: bytes) -> None:
    ladder = ringing()
    answer = CARRIER.answer(ladder[b"INVITE"], 200, contact=b"<sip:x@%b>" % host)
    ladder = ladder >> answer << Sent(ALICE, 200)
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(CARRIER, b"BYE")


# --- tokens


def tokens_of(packet: Packet) -> list[bytes]:
    """Return the tokens of an in-dialog request: Request-URI and Route."""
    sent = read(packet.data)
    return [re.split(rb"[:@]", uri)[1] for uri in (sent.uri, parse_name_addr(sent.items(b"route")[0]).uri)]


@effort(max_examples=60, deadline=None)
@given(which=st.integers(0, 1), place=st.integers(0, 1000), letter=st.sampled_from(b"AaZz09-_"))
def test_a_forged_token_opens_nothing(which: int, place: int, letter: int) -> None:
    """One letter is enough: nothing is ever decoded anyway."""
    ladder = established()
    bye = ALICE.within(b"BYE", ladder[200], own=INVITE)
    token = tokens_of(bye)[which]
    place %= len(token)
    # The last letter has bits to spare, which name the same bytes.
    if place == len(token) - 1 or token[place] == letter:
        return
    forged = token[:place] + bytes([letter]) + token[place + 1 :]
    ladder = ladder >> changed(bye, token, forged)
    [(address, data)] = ladder.left
    assert (address, data[8:11]) in ((ALICE.address, b"403"), (ALICE.address, b"481"))


def test_a_token_serves_one_dialog() -> None:
    """Of another call of the same phone: Call-ID and tag do not fit."""
    world = World()
    ladder = established(world)
    mine = ALICE.within(b"BYE", ladder[200], own=INVITE)
    assert ladder >> changed(mine, b"call-1@10.1.1.23", b"call-2@10.1.1.23") << Sent(ALICE, 403)
    ladder = ladder >> changed(ALICE.within(b"BYE", ladder[200], own=INVITE, cseq=3), b"tag=from1", b"tag=from2")
    assert ladder.left.pop()[1].startswith(b"SIP/2.0 403")


@pytest.mark.parametrize("thief", [SECOND, CARRIER, PBX])
def test_a_token_serves_one_side(thief: Agent) -> None:
    """The caller's in the hands of a trunk or the core."""
    ladder = established()
    bye = ALICE.within(b"BYE", ladder[200], own=INVITE)
    ladder = ladder >> Packet(thief.address, bye.data)
    assert [data[8:11] for _, data in ladder.left] == [b"403"]
    ladder.left.clear()


def test_the_carriers_token_does_not_serve_another_trunk() -> None:
    ladder = ringing()
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer)
    assert ladder >> Packet(SECOND.address, bye.data) << Sent(SECOND, 403)


def test_a_route_token_begins_no_call() -> None:
    """Replay outside its dialog."""
    ladder = established()
    route = read(ALICE.within(b"BYE", ladder[200], own=INVITE).data).items(b"route")[0]
    assert ladder >> ALICE.invite(branch=b"z9hG4bKr", headers=(b"Route: " + route,)) << Sent(ALICE, 403)


# --- injection


INJECTED = [
    b"sip:+1%0d%0aX-Evil:%201@192.0.2.1", b"sip:+1%0D%0A%0D%0ABYE@192.0.2.1", b"tel:+1;x=%0d%0aX-Evil:1",
    b"sip:+1@192.0.2.1;x=%0d%0aX-Evil:1",
]  # fmt: skip


@pytest.mark.parametrize("uri", INJECTED)
def test_nothing_decoded_becomes_a_header(uri: bytes) -> None:
    """Escaped line ends in users and parameters stay escaped, or are refused."""
    world = World(settings(privacy={"default": {"number": "keep", "name": "keep", "unknown": "keep"}}))
    for number, packet in enumerate((ALICE.invite(uri=uri), Agent(PHONE, uri[4:].partition(b"@")[0]).invite())):
        world.receive(*changed(packet, b"z9hG4bKone", b"z9hG4bK%d" % number))
    for _, data in world.sent:
        assert b"\nX-Evil" not in data
        assert data.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("header", [
    b"Refer-To: <sip:+1@x?Replaces=a%0d%0aX-Evil:1%3Bto-tag%3Db%3Bfrom-tag%3Dc>", b"Refer-To: <sip:+1%0d%0aX-Evil:1@x>",
    b"Replaces: a%0d%0aX-Evil:1;to-tag=b;from-tag=c", b'P-Asserted-Identity: "a%0d%0aX-Evil:1" <sip:+1@x>',
    b'Reason: SIP;cause=200;text="%0d%0aX-Evil: 1"',
])  # fmt: skip
def test_nothing_decoded_of_a_reference_becomes_a_header(header: bytes) -> None:
    ladder = established()
    refer = ALICE.within(b"REFER", ladder[200], own=INVITE, headers=(header,))
    ladder.world.receive(*refer)
    assert not [data for _, data in ladder.world.sent if b"\nX-Evil" in data]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\0", b"\r\r\n", b"\n\r"])
def test_a_bare_line_end_is_no_second_header(end: bytes) -> None:
    """What one parser takes for a blank another takes for a line."""
    world = World()
    world.receive(*ALICE.invite(headers=(b"Subject: a" + end + b"X-Evil: 1",)))
    assert not any(b"\nX-Evil" in data or b"\rX-Evil" in data for data in to_trunks(world))


# --- who phones are, and what they register


SECTION = {"realm": REALM}
AREA = b"sip:example.net"
LOCAL = {"domains": ["example.net"]}


def asking(registrar: dict[str, Any] | None = None, routes: list[dict[str, Any]] = ROUTES, **changes: Any) -> World:
    """Return a world that asks phones, whose registrar is Sipveil: alice, mallory and bob, who is disabled."""
    people = {name: (f"{name}@example.net", f"{name}@sip.example.net") for name in ("alice", "bob", "mallory")}
    known = accounts(**people)
    off = Account("bob", REALM, secret_of("bob", REALM, "pw-bob"), people["bob"], disabled=True)
    known.patch({REALM.encode(): {b"bob": pack(off)}}, None)
    made = settings(registrar=registrar or LOCAL, routes=routes, authentication={**SECTION, **changes})
    world = World(made, accounts=known)
    known.index()
    return world


def sign_in(world: World, phone: Phone, packet: Packet, name: str, *lines: bytes, **changes: Any) -> bytes:
    """Send a request, answer its challenge as an account, and return what comes of it."""
    asked = ask(world, packet)
    assert status(asked) in (401, 407)
    signed = again(packet, *lines, proof(packet, asked, name, **changes), branch=b"z9hG4bKs%d" % len(world.sent))
    sent = world.receive(*signed)
    return [data for address, data in sent if address == phone.address][-1]


@pytest.mark.parametrize("user", [b"alice;x", b"alice;x=1", b"%61lice;x", b"alice:pw", b"alice@x"])
def test_an_account_registers_no_name_of_its_own_making(user: bytes) -> None:
    """What From has for the account is another address of record to a registrar, perhaps somebody's."""
    world, phone = asking(), Phone(PHONE)
    world.receive(*phone.register(b""))
    packet = phone.register(user=user)
    sent = world.receive(*packet)
    if sent and sent[0][1][8:11] == b"401":
        world.receive(*again(packet, proof(packet, sent[0][1], "alice"), branch=b"z9hG4bKs"))
    assert set(world.core.bindings._entries) <= {b"alice@example.net"}


@pytest.mark.parametrize("uri", [b"sip:112@sip.example.net", b"sip:911@example.net", b"urn:service:sos", b"tel:112"])
@pytest.mark.parametrize("mode", ["local", "forward"])
def test_an_emergency_number_registers_nobody(uri: bytes, mode: str) -> None:
    """Emergency calls need no account; a REGISTER is none, whatever stands in its Request-URI."""
    routes = [{"source": "access", "to": ["core"]}, *ROUTES]
    world = asking({"domains": ["example.net", "sip.example.net"], "mode": mode}, routes)
    for method in (b"REGISTER", b"PUBLISH"):
        packet = changed(MALLORY.request(method, uri, branch=b"z9hG4bK" + method), b"To: <" + uri, b"To: <sip:alice@x")
        sent = world.receive(*packet)
        assert [address for address, _ in sent] == [MALLORY.address]
        assert status(sent[0][1]) in (400, 401, 407)
    assert len(world.core.bindings) == 0


@pytest.mark.parametrize("replaces", [False, True])
def test_nobody_is_no_name_for_a_number(replaces: bool) -> None:
    """A From at anonymous.invalid is nobody's; with a number in it a trunk would show that number."""
    routes = [{"source": "access", "to": ["carrier"]}]
    world = asking(routes=routes, foreign_from="replace" if replaces else "refuse")
    for user, passes in ((b"+18005551234", False), (b"ceo", False), (b"anonymous", True), (b"Anonymous", True)):
        invite = Agent(PHONE, b"alice").invite(call_id=b"call-" + user, branch=b"z9hG4bKa" + user.strip(b"+"))
        packet = changed(invite, b"<sip:alice@sip.example.net>;tag", b"<sip:%b@anonymous.invalid>;tag" % user)
        sign_in(world, Phone(PHONE), packet, "alice")
        out = [data for data in to_trunks(world) if user in data]
        assert bool(replaces or passes) is bool(world.sent[-1][0] in FROM_TRUNKS)
        assert passes or out == []


ASKED = [b"REGISTER", b"INVITE", b"OPTIONS", b"MESSAGE", b"SUBSCRIBE", b"PUBLISH", b"REFER", b"NOTIFY", b"X"]


@pytest.mark.parametrize("userhash", [False, True])
@pytest.mark.parametrize("method", ASKED)
def test_no_answer_tells_which_users_there_are(method: bytes, userhash: bool) -> None:
    """Known, unknown and disabled: asked, and answered wrongly or, for the disabled one, rightly; byte by byte."""
    answers = []
    for name, password in (("alice", "guess"), ("bob", "pw-bob"), ("carol", "guess"), ("trent", "pw-trent")):
        world = asking(userhash=True, algorithms=["SHA-512-256", "SHA-256", "MD5"])
        agent = Agent(PHONE, name.ljust(5).replace(" ", "x").encode())
        packet = agent.request(method, AREA if method == b"REGISTER" else b"sip:+15550100@192.0.2.1")
        first = world.receive(*packet)[0][1]
        signed = again(packet, proof(packet, first, name, password, userhash=userhash))
        second = world.receive(*signed)[0][1]
        answers.append(
            [re.sub(rb'nonce="[^"]*"|401-\w+', b"", each).replace(agent.user, b"user") for each in (first, second)]
        )
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert all(status(each) in (401, 407) for each in answers[0])


def test_nobody_unregisters_another() -> None:
    """By `*`, by an expiration of zero, by taking over its Contact, Call-ID, instance, or by repeating what it sent."""
    world, phone, thief = asking(), Phone(PHONE), Phone(OTHER_PHONE, b"mallory")
    instance = b'+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
    own = b"<sip:alice@10.1.1.23:5062>;reg-id=1;" + instance
    packet = phone.register(own, b"Supported: path, outbound")
    asked = ask(world, packet)
    good = again(packet, proof(packet, asked, "alice"))
    assert status(ask(world, good)) == 200
    for contact in (b"*", own + b";expires=0", own):
        attack = thief.register(contact, b"Expires: 0", user=b"alice", call_id=phone.call_id, cseq=99)
        assert status(sign_in(world, thief, attack, "mallory")) == 403
        attack = thief.register(contact, b"Supported: path, outbound", call_id=phone.call_id, cseq=100)
        sign_in(world, thief, attack, "mallory")
        assert bound(world) == [PHONE]
    stolen = Packet(OTHER_PHONE, good.data)
    assert status(ask(world, stolen._replace(data=stolen.data.replace(b"z9hG4bKtwo", b"z9hG4bKthree")))) == 401
    spoofed = good._replace(data=good.data.replace(b"z9hG4bKtwo", b"z9hG4bKfour").replace(own, b"*"))
    assert status(ask(world, spoofed)) == 401
    assert bound(world) == [PHONE]


@pytest.mark.parametrize("host", [
    b"192.0.2.1:5060", b"127.0.0.1:5060", b"198.51.100.7:5060", b"198.51.100.112", b"203.0.113.5", b"[::1]",
    b"10.1.1.99:5060", b"0.0.0.0", b"255.255.255.255", b"localhost", b"example.net",
])  # fmt: skip
def test_a_registered_contact_leads_to_its_phone(host: bytes) -> None:
    """Our trunks, core, own sockets, loopback, somebody else's phone: a call goes over the flow of the REGISTER."""
    world, phone = asking(), Phone(PHONE)
    contact = b"<sip:alice@%b;maddr=198.51.100.7;transport=tcp>" % host
    assert status(sign_in(world, phone, phone.register(contact), "alice")) == 200
    sent = world.receive(*CARRIER.invite(uri=b"sip:alice@example.net"))
    assert {address for address, data in sent if data.startswith(b"INVITE")} == {PHONE}


@effort(max_examples=150, deadline=None)
@given(data=st.data())
def test_nothing_of_a_contact_becomes_a_line(data: st.DataObject) -> None:
    """Neither in what the registrar answers, other phones included, nor in a call to the phone, by GRUU as well."""
    piece = st.sampled_from([
        b"%0d%0a", b"\r\n X: y", b"\\\"", b'"', b"<", b">", b",", b";", b"%", b"?X-Evil=1", b"@", b"%00", b"gr=", b"a",
        b"\xff", b" ", b"X-Evil: 1", b"=",
    ])  # fmt: skip
    text = st.lists(piece, max_size=4).map(b"".join)
    world, phone = registrar_world(), Phone(PHONE, b"alice")
    user, param, tail = data.draw(text), data.draw(text), data.draw(text)
    contact = b'<sip:a%b@10.1.1.23;p=%b>;+sip.instance="<urn:x%b>";q=0.5' % (user, param, tail)
    for sent in (world.receive(*phone.register(contact, b"Supported: gruu")),
                 world.receive(*Phone(OTHER_PHONE, b"alice").register(b"")),
                 world.receive(*CARRIER.invite(uri=b"sip:alice@example.net"))):  # fmt: skip
        for _, answer in sent:
            assert b"\nX" not in answer
            assert b"\rX" not in answer
            read(answer)


def test_a_token_of_one_kind_is_none_of_another() -> None:
    """A flow token is no GRUU, a GRUU no route, and neither is a dialog's."""
    world, phone = registrar_world(), Phone(PHONE)
    instance = b'<sip:alice@10.1.1.23>;+sip.instance="<urn:uuid:1>"'
    answer = ask(world, phone.register(instance, b"Supported: gruu"))
    found = re.findall(rb'(?:pub|temp)-gruu="sip:([^"]*)"', answer)
    public, temporary = found[0].partition(b"gr=")[2], found[1].partition(b"@")[0]
    tokens, places = world.core.generation.tokens, world.core.places
    flow = seal_flow(tokens, Flow("UDP", PROXY, PHONE), places)
    for token in (flow, public, temporary):
        for number, uri in enumerate((b"sip:alice@example.net;gr=" + token, b"sip:" + token + b"@example.net;gr")):
            invite = CARRIER.invite(uri=uri, branch=b"z9hG4bKt%d%b" % (number, token[-8:].strip(b"-_")))
            reached = [data for _, data in world.receive(*invite) if data.startswith(b"INVITE")]
            assert bool(reached) is ((token, number) in ((public, 0), (temporary, 1)))
        if token is not flow:
            with pytest.raises(Refused):
                open_flow(tokens, token, places)
        routed = Agent(PHONE, b"alice").invite(
            branch=b"z9hG4bKr" + token[-8:].strip(b"-_"), headers=(b"Route: <sip:%b@192.0.2.1;lr>" % token,)
        )
        # A Route of ours is taken off and the table decides: what stands in it chooses nothing.
        assert {address for address, data in world.receive(*routed) if data.startswith(b"INVITE")} <= FROM_TRUNKS


ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nc wraps": ({"nc": "ffffffff"}, {"nc": "00000000"}),
    "nc goes back": ({"nc": "00000005"}, {"nc": "00000004"}),
    "the same": ({}, {}),
}


@pytest.mark.parametrize("case", ODD)
def test_a_count_is_used_once(case: str) -> None:
    world, phone = asking(), Phone(PHONE)
    first, second = ODD[case]
    packet = phone.register()
    asked = ask(world, packet)
    assert status(ask(world, again(packet, proof(packet, asked, "alice", **first), branch=b"z9hG4bK1"))) == 200
    assert status(ask(world, again(packet, proof(packet, asked, "alice", **second), branch=b"z9hG4bK2", cseq=9))) == 401


def test_of_several_credentials_those_of_our_realm_count() -> None:
    """Whichever stands first; what cannot be read makes all of them worthless, and twenty are nobody's."""
    other = b'Authorization: Digest username="a", realm="other.example", nonce="n", uri="sip:x", response="ab"'
    broken = b"Authorization: Digest realm=x", b'Authorization: Digest a="'
    cases = ((other,), 200), ((b"Authorization: Basic YTpi",), 200), ((other,) * 20, 400)
    for lines, expected in (*cases, *(((each,), 400) for each in broken)):
        world, phone = asking(), Phone(PHONE)
        assert status(sign_in(world, phone, phone.register(), "alice", *lines)) == expected


@pytest.mark.parametrize(("old", "new"), [
    (b"qop=auth", b"qop=auth-int"), (b"qop=auth, ", b""), (b"qop=auth", b"qop=auth, qop=auth"),
    (b'username="alice"', b'username="al\\ice"'), (b'username="alice"', b'username="alice\x00"'),
    (b'username="alice"', b'username="alice", username="mallory"'), (b'realm="', b'realm="x", realm="'),
    (b'uri="sip:example.net"', b'uri="sip:other.example"'), (b'uri="sip:example.net"', b'uri="*"'),
    (b"nc=00000001", b"nc=0x000001"), (b"nc=00000001", b"nc=-0000001"), (b"nc=00000001", b"nc=00000001;x"),
    (b"Digest ", b"Digest\t, "), (b'"alice", ', b"'alice', "), (b"algorithm=SHA-256", b"algorithm=MD5"),
    (b"algorithm=SHA-256", b"algorithm=sha-256-sess"), (b'username="alice"', b"username*=UTF-8''alice"),
])  # fmt: skip
def test_what_is_written_oddly_proves_nothing(old: bytes, new: bytes) -> None:
    world, phone = asking(), Phone(PHONE)
    packet = phone.register()
    line = proof(packet, ask(world, packet), "alice")
    assert old in line
    assert status(ask(world, again(packet, line.replace(old, new, 1)))) in (400, 401)
    assert bound(world) == []


@pytest.mark.parametrize("header", [
    b"To: <sip:mallory@example.net>", b"t: <sip:mallory@example.net>", b"From: <sip:mallory@example.net>;tag=x",
    b"Call-ID: other", b"i: other", b"CSeq: 9 REGISTER", b"CSeq: 1 INVITE", b"Contact : *", b"Contact: *",
])  # fmt: skip
def test_a_second_line_decides_nothing(header: bytes) -> None:
    """What stands twice is refused: one reader would take the first, the next one the last."""
    world, phone = asking(), Phone(PHONE)
    assert status(sign_in(world, phone, phone.register(), "alice")) == 200
    packet = phone.register(None, header)
    sent = world.receive(*packet)
    if sent and status(sent[0][1]) == 401:
        signed = again(packet, proof(packet, sent[0][1], "alice"), branch=b"z9hG4bKs", cseq=phone.cseq)
        sent = world.receive(*signed)
    assert all(status(data) == 400 for _, data in sent)
    assert bound(world) == [PHONE]


def test_a_flood_in_a_phones_name_keeps_no_challenge_from_it() -> None:
    """A phone that proved itself from there has a number of its own; who is connected needs none."""
    world, phone = asking(challenges=5), Phone(PHONE)
    assert status(sign_in(world, phone, phone.register(), "alice")) == 200
    for number in range(50):
        forged = Agent((PHONE[0], 40_000 + number), b"alice")
        world.receive(*forged.request(b"OPTIONS", branch=b"z9hG4bKf%d" % number, call_id=b"f%d" % number))
    assert world.count("authentications", "silenced") > 40
    assert status(ask(world, phone.register(call_id=b"new"))) == 401
    connected = Phone((PHONE[0], 50_000))
    world.flows[connected.address] = Flow("TCP", PROXY, connected.address, 7)
    assert status(ask(world, connected.register())) == 401
    stranger = Phone((PHONE[0], 50_001))
    assert world.receive(*stranger.register()) == []


# --- who calls for help, and who says so


HELP = [
    b"sip:112;rn=+19005550000;npdi@192.0.2.1", b"sip:112;phone-context=+1900555@192.0.2.1",
    b"tel:112;phone-context=+1900555", b"tel:911;rn=+1900;cic=+16789", b"sip:112;tgrp=x;trunk-context=y@evil.example",
    b"sip:%31%31%32;rn=+1900@evil.example;maddr=203.0.113.66", b"sip:*67112;rn=+1900@192.0.2.1",
    b"sip:112:secret@evil.example;maddr=203.0.113.66",
]  # fmt: skip


@pytest.mark.parametrize("uri", HELP)
@pytest.mark.parametrize("to", ["psap", "carrier", "core"])
def test_an_emergency_number_is_nobody_elses(uri: bytes, to: str) -> None:
    """Nobody was asked who calls: a routing number or phone-context behind 112 would make a premium number of it."""
    world = World(settings(routes=[{"emergency": True, "to": [to]}]))
    [(_, trying), (_, sent)] = world.receive(*ALICE.invite(uri=uri))
    target = read(sent).uri
    assert trying.startswith(b"SIP/2.0 100")
    for part in (b"1900", b"rn=", b"context", b"cic", b"tgrp", b"maddr", b"secret"):
        assert part not in target


@pytest.mark.parametrize(
    "method", [b"REFER", b"SUBSCRIBE", b"NOTIFY", b"OPTIONS", b"INFO", b"UPDATE", b"BYE", b"PRACK", b"PUBLISH", b"X"]
)
@pytest.mark.parametrize("uri", [b"sip:112@192.0.2.1", b"urn:service:sos", b"tel:911"])
def test_only_calls_and_texts_call_for_help(method: bytes, uri: bytes) -> None:
    """A REFER to 112 would ask the emergency trunk, as nobody and complete, to call whomever Refer-To names."""
    world = asking(routes=[{"emergency": True, "to": ["carrier"]}])
    packet = MALLORY.request(method, uri, headers=(b"Refer-To: <sip:+19005550000@192.0.2.1>", b"Event: presence"))
    assert [(address, status(data)) for address, data in world.receive(*packet)] == [(MALLORY.address, 407)]
    for help_ in (b"INVITE", b"MESSAGE"):
        world = asking(routes=[{"emergency": True, "to": ["carrier"]}])
        assert to_trunks(world) == []
        world.receive(*MALLORY.request(help_, uri))
        assert len(to_trunks(world)) == 1


@pytest.mark.parametrize("headers", [
    (b"Route: <sip:198.51.100.8:5060;lr>",), (b"Route: <sip:evil.example;lr>, <sip:203.0.113.5;lr>",),
    (b"Record-Route: <sip:evil.example;lr>", b"Path: <sip:evil.example;lr>"), (b"Max-Forwards-X: " + b"y" * 8000,),
])  # fmt: skip
def test_a_call_for_help_leads_nowhere_else(headers: tuple[bytes, ...]) -> None:
    """Its Route is ignored rather than refused: it goes to the PSAP, and no Route with it."""
    world = World()
    world.receive(*ALICE.invite(uri=b"sip:112@192.0.2.1", headers=headers))
    sent = [(address, data) for address, data in world.sent if data.startswith(b"INVITE")]
    assert [address for address, _ in sent] == [PSAP.address]
    assert b"\r\nRoute:" not in sent[0][1]


def test_a_call_for_help_with_too_large_a_body_is_one_refused_message() -> None:
    world = World()
    world.receive(*ALICE.invite(uri=b"sip:112@192.0.2.1", body=b"x" * 70_000))
    assert to_trunks(world) == []
    assert all(data[8:11] in (b"400", b"413", b"513") for _, data in world.sent)


def test_calls_for_help_without_end_find_an_end() -> None:
    """They pass every limit but memory's."""
    world = World(settings(limits={"transactions": 100}))
    for number in range(300):
        world.receive(*ALICE.invite(uri=b"sip:112@192.0.2.1", branch=b"z9hG4bKh%d" % number, call_id=b"h%d" % number))
    assert len(world.core.servers) == 200


@pytest.mark.parametrize("source", [CARRIER, SECOND, PBX, MALLORY])
def test_nobody_but_a_psap_calls_back(source: Agent) -> None:
    """Who marks a call as a call-back (RFC 7090) and is no emergency trunk gets no exemption."""
    world = World(settings(routes=[{"source": "trunk", "to": ["access"]}]))
    marked = source.invite(uri=b"sip:x@10.1.1.23:5062", headers=(b"Priority: psap-callback", b"X-Device: 1"))
    world.receive(*marked)
    assert world.count("privacy_overrides", "callback") == 0


# --- from one trunk to another


@pytest.mark.parametrize("order", ["first", "longest"])
@pytest.mark.parametrize("method", [b"INVITE", b"MESSAGE", b"SUBSCRIBE", b"REFER", b"OPTIONS"])
def test_no_trunk_calls_another_trunk_unless_a_line_says_so(order: str, method: bytes) -> None:
    """A line for whoever it is, with a longer prefix even: an outside caller dials, and the operator pays."""
    open_ = [{"prefix": "+1900", "to": ["second"]}, {"to": ["carrier", "second"]}]
    lines = [*open_, {"source": "trunk", "to": ["core"]}]
    world = World(settings(routes=lines, route_order=order))
    sent = world.receive(*CARRIER.request(method, b"sip:+19005550000@192.0.2.1"))
    assert {address for address, data in sent if not data.startswith(b"SIP/2.0")} == {PBX.address}
    world = World(settings(routes=[*open_, {"source": "trunk", "prefix": "+1900", "to": ["second"]}]))
    world.receive(*CARRIER.request(method, b"sip:+19005550000@192.0.2.1"))
    assert len(to_trunks(world)) == 1 + (method == b"INVITE")


@pytest.mark.parametrize("route", [b"<sip:198.51.100.8:5060;lr>", b"<sip:192.0.2.1;lr>, <sip:198.51.100.8;lr>"])
@pytest.mark.parametrize("source", [CARRIER, ALICE])
def test_a_route_by_way_of_ourselves_leads_no_further(source: Agent, route: bytes) -> None:
    """Our own address in front, and behind it where the sender may not go."""
    world = World()
    [(address, data)] = world.receive(*source.invite(headers=(b"Route: " + route,)))
    assert (address, status(data)) == (source.address, 403)


# --- a number written otherwise


@pytest.mark.parametrize("uri", [
    b"sip:+19005550000@192.0.2.1", b"sip:%2B19005550000@192.0.2.1", b"sip:+1-900-555-0000@192.0.2.1",
    b"sip:%2b%31%39%30%30555@192.0.2.1", b"sip:+1(900)5550000@evil.example", b"tel:+1.900.5550000",
    b"sip:5550000;phone-context=+1900@192.0.2.1", b"tel:5550000;Phone-Context=+1-900",
    b"sip:555%3Bphone-context%3D+1900@192.0.2.1", b"sip:+19005550000;isub=12;postd=55@192.0.2.1",
    b"sip:*67+19005550000@192.0.2.1", b"sip:*67%2B1900555@192.0.2.1", b"sip:%2A%36%37%2B1900555@192.0.2.1",
    b"sip:*82*67+1-900-1@192.0.2.1", b"sip:+19005550000:pw@192.0.2.1",
])  # fmt: skip
@pytest.mark.parametrize("order", ["first", "longest"])
def test_a_number_is_the_same_however_it_is_written(uri: bytes, order: str) -> None:
    """Escapes, separators, contexts and prefixes lead round no line of the routing table."""
    routes = [{"source": "access", "prefix": "+1900", "to": ["core"]}, {"source": "access", "to": ["carrier"]}]
    world = World(settings(routes=routes, route_order=order))
    sent = world.receive(*ALICE.invite(uri=uri))
    assert [address for address, data in sent if data.startswith(b"INVITE")] == [PBX.address]


@pytest.mark.parametrize("user", [
    b"*67+1555%40evil.example", b"*67%3Fx%3Dy", b"*67%61%3a%62", b"*67+1555%3Brn%3D+1900", b"*67a%2Cb", b"*82%20x",
    b"%2A67+1555%40evil.example%3Bmaddr=1.2.3.4", b"*67%0d%0aX-Evil: 1",
])  # fmt: skip
def test_what_stands_behind_a_prefix_stays_one_user_part(user: bytes) -> None:
    """Taken off with its escapes: unescaped, what follows *67 became another host, parameters or headers."""
    world = World()
    for _, data in world.receive(*ALICE.invite(uri=b"sip:%b@192.0.2.1" % user)):
        assert b"\nX-Evil" not in data
        if data.startswith(b"INVITE"):
            target = read(data).uri
            assert target.endswith(b"@198.51.100.7:5060")
            assert target.count(b"@") == 1
            assert not {b"?", b";"} & {target[i : i + 1] for i in range(len(target))}


@pytest.mark.parametrize("context", [
    b"evil.example", b"sip.example.net;phone-context=evil.example", b"+1;phone-context=evil.example",
])  # fmt: skip
@pytest.mark.parametrize("escaped", [False, True])
def test_a_local_number_of_others_reaches_no_trunk(context: bytes, escaped: bool) -> None:
    text = b";phone-context=" + context
    if escaped:
        text = text.replace(b";", b"%3B").replace(b"=", b"%3D")
    assert Ladder() >> ALICE.invite(uri=b"sip:7042%b@evil.example" % text) << Sent(ALICE, 403)


# --- within a call


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("method", [b"INVITE", b"UPDATE", b"MESSAGE", b"INFO", b"REFER", b"NOTIFY", b"BYE", b"X"])
def test_nobody_becomes_another_within_a_call(method: bytes, trusted: bool) -> None:
    """Another From, asserted or preferred identity in a re-INVITE: nobody asks there, so the record tells who it is."""
    trunks = [{**trunk, "trusted": trusted and trunk["name"] == "carrier"} for trunk in SETTINGS["trunks"]]
    world = World(settings(trunks=trunks, privacy={"default": {"name": "keep", "number": "keep"}}))
    ladder = established(world)
    ceo = (b"P-Asserted-Identity: <sip:ceo@sip.example.net>", b"P-Preferred-Identity: <sip:ceo@sip.example.net>",
           b"Remote-Party-ID: <sip:ceo@sip.example.net>;party=calling", b"P-Charge-Info: <sip:ceo@sip.example.net>",
           b"Refer-To: <sip:bob@192.0.2.1>", b"Event: x")  # fmt: skip
    packet = ALICE.within(method, ladder[200], own=INVITE, headers=ceo)
    packet = packet._replace(data=re.sub(rb"From: [^\r]*;tag", b"From: <sip:ceo@sip.example.net>;tag", packet.data))
    world.receive(*packet)
    sent = to_trunks(world)[-1]
    assert sent.startswith(method)
    assert b"ceo@" not in sent
    # And the side that was called no more than the side that called.
    if method == b"UPDATE":
        answer = CARRIER.answer(ladder[b"INVITE"], 200)
        back = CARRIER.within(method, ladder[b"INVITE"], own=answer, headers=ceo[:1])
        assert b"ceo@" not in world.receive(*back)[-1][1] or trusted


def test_a_phone_that_is_called_asserts_nobody_else() -> None:
    """RFC 4916 the wrong way: the called phone says in an UPDATE that it is another."""
    trunks = [{**trunk, "trusted": trunk["name"] == "carrier"} for trunk in SETTINGS["trunks"]]
    world = World(settings(trunks=trunks, routes=[{"source": "trunk", "to": ["access"]}]))
    ladder = Ladder(world) >> CARRIER.invite(uri=b"sip:alice@10.1.1.23:5062") << Sent(CARRIER, 100)
    ladder = ladder << Sent(ALICE, b"INVITE")
    answer = ALICE.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(CARRIER, 200)
    update = ALICE.within(b"UPDATE", ladder[b"INVITE"], own=answer, headers=(b"P-Asserted-Identity: <sip:ceo@x>",))
    update = update._replace(data=re.sub(rb"From: [^\r]*;tag", b"From: <sip:ceo@sip.example.net>;tag", update.data))
    ladder = ladder >> update << Sent(CARRIER, b"UPDATE")
    assert b"ceo@" not in ladder[b"UPDATE"]


def test_a_to_tag_leads_round_no_limit() -> None:
    """Requests that only look as if they were within a dialog, in which nobody is counted, reached the core."""
    guard = {"source_rate": 1, "source_burst": 2}
    world = World(settings(guard=guard, routes=[{"source": "access", "to": ["core"]}]))
    for number in range(30):
        invite = ALICE.invite(branch=b"z9hG4bKf%d" % number, call_id=b"f%d" % number)
        world.receive(*changed(invite, b"To: <sip:+15550100@192.0.2.1>", b"To: <sip:+15550100@192.0.2.1>;tag=x"))
    assert len([1 for address, _ in world.sent if address == PBX.address]) == 2
    assert world.count("guarded", "source") == 28


@pytest.mark.parametrize("thief", [SECOND, PSAP])
@pytest.mark.parametrize("header", [
    b"Replaces: %b;to-tag=%b;from-tag=%b", b"Join: %b;to-tag=%b;from-tag=%b",
    b"Target-Dialog: %b;local-tag=%b;remote-tag=%b",
])  # fmt: skip
def test_another_trunk_takes_over_no_call(thief: Agent, header: bytes) -> None:
    """Call-ID and tags are other ones for each trunk: what one knows names no dialog in the hands of another."""
    world = World(settings(routes=[{"source": "access", "to": ["carrier"]}, {"source": "trunk", "to": ["core"]}]))
    ladder = established(world)
    known = read(ladder[b"INVITE"])
    line = header % (known.call_id, b"to1", known.from_tag)
    sent = world.receive(*thief.invite(uri=b"sip:alice@192.0.2.1", headers=(line,), call_id=b"c1"))
    assert all(b"call-1@10.1.1.23" not in data for _, data in sent)
    # It is the carrier's own dialog, and the carrier may name it.
    sent = world.receive(
        *CARRIER.invite(uri=b"sip:alice@192.0.2.1", headers=(line,), call_id=b"c2", branch=b"z9hG4bK2")
    )
    assert any(b"call-1@10.1.1.23" in data for _, data in sent)


@pytest.mark.parametrize(
    "method", [b"SUBSCRIBE", b"PUBLISH", b"MESSAGE", b"NOTIFY", b"INFO", b"REFER", b"OPTIONS", b"X"]
)
@pytest.mark.parametrize(
    "uri", [b"sip:bob@evil.example", b"sips:bob@evil.example", b"sip:evil.example", b"im:bob@evil"]
)
def test_no_method_is_relayed_for_others(method: bytes, uri: bytes) -> None:
    world = World()
    sent = world.receive(*ALICE.request(method, uri, headers=(b"Refer-To: <sip:bob@evil.example>", b"Event: presence")))
    assert [(address, status(data)) for address, data in sent] in ([(ALICE.address, 403)], [(ALICE.address, 416)])


# --- what is counted down, and where an answer goes


@pytest.mark.parametrize(("line", "left"), [
    (b"Max-Forwards: 1", 0), (b"Max-Forwards: 255", 254), (b"Max-Forwards: 256", 70), (b"Max-Forwards: 4294967296", 70),
    (b"X: y", 70), (b"Max-Forwards: 0", -1), (b"Max-Forwards: -1", -1), (b"Max-Forwards: 70, 70", -1),
    (b"Max-Forwards: 7\r\nMax-Forwards: 7", -1), (b"Max-Forwards: 0x10", -1), (b"Max-Forwards: \xd9\xa1", -1),
])  # fmt: skip
def test_no_count_of_hops_goes_up(line: bytes, left: int) -> None:
    """Neither by what is too large nor by what is no number; whatever is more than a count can be is 70."""
    world = World()
    world.receive(*changed(INVITE, b"Max-Forwards: 70", line))
    assert [read(data).max_forwards for data in to_trunks(world)] == ([left] if left >= 0 else [])


@pytest.mark.parametrize("via", [
    b";received=203.0.113.66", b";received=198.51.100.7;rport=5060", b";rport=5060", b";rport=99999", b";alias",
    b";maddr=203.0.113.66;ttl=16", b";received=10.1.1.99;received=203.0.113.66", b";rport;rport", b";RPORT;Received=x",
    b";received=::ffff:203.0.113.66", b";comp=sigcomp", b";maddr=224.0.1.75;ttl=255",
])  # fmt: skip
def test_no_parameter_of_a_via_sends_an_answer_elsewhere(via: bytes) -> None:
    """Spoofed received, rport, maddr and alias: the answer goes to where the datagram came from."""
    world = World(settings(routes=[]))
    world.receive(*changed(INVITE, b"branch=z9hG4bKone;rport", b"branch=z9hG4bKone" + via))
    assert {address[0] for address, _ in world.sent} <= {PHONE[0]}
    assert world.core.aliases.offers() == {}


@pytest.mark.parametrize("source", ["::ffff:10.1.1.23", "::ffff:198.51.100.7", "fe80::1%eth0", "fe80::1", "::1", "::"])
def test_an_address_in_other_clothes_is_a_stranger(source: str) -> None:
    """IPv4 addresses written as IPv6 ones, and zone ids: nobody's but whose it is configured to be."""
    world = World(settings(guard={"deny": ["2001:db8::/32"]}))
    assert world.receive((source, 5060), INVITE.data) == []
    assert world.count("dropped", "unknown-source") == 1


def test_a_zone_id_leads_round_no_list() -> None:
    """Denied without one is denied with one; and a network of phones is theirs on whichever interface."""
    access = {"networks": ["fe80::/64", "10.0.0.0/8"], "listener": "main"}
    world = World(settings(access=access, guard={"deny": ["fe80::bad"]}))
    for address in ("fe80::bad", "fe80::bad%eth0", "fe80::bad%1", "fe80:0::0bad%x"):
        assert world.receive((address, 5060), INVITE.data) == []
    assert world.count("dropped", "denied") == 4
    assert world.receive(("fe80::1%eth0", 5060), INVITE.data) != []


# --- bombs and floods


@pytest.mark.parametrize("headers", [
    (b"X: " + b"a" * 9000,), (b"X: a",) * 300,
    tuple(b"Via: SIP/2.0/UDP a%d;branch=z9hG4bK%d" % (n, n) for n in range(300)),
    (b"X: " + b"a,\r\n " * 9000,), (b"Route: " + b", ".join([b"<sip:192.0.2.1;lr>"] * 2000),),
])  # fmt: skip
def test_bombs_are_refused(headers: tuple[bytes, ...]) -> None:
    world = World()
    world.receive(*ALICE.invite(headers=headers))
    assert to_trunks(world) == []


def test_a_flood_leaves_no_more_than_its_transactions() -> None:
    """`limits.transactions` and the guard's tables are all that it fills, and all is empty in the end."""
    world = World(settings(limits={"transactions": 500}, routes=[], guard={"source_rate": 0}))
    for number in range(3000):
        world.receive((f"10.{number >> 8}.1.{number & 255}", 5060), INVITE.data.replace(b"Kone", b"K%d" % number))
    assert len(world.core.servers) <= 500
    world.wait(40)
    assert not any(world.core.gauges().values())


# --- fuzz


@effort(max_examples=200, deadline=None)
@given(source=st.sampled_from((PHONE, STRANGER_ADDRESS)), data=st.data())
def test_nothing_raises_and_nothing_reaches_a_trunk_unasked(source: tuple[str, int], data: st.DataObject) -> None:
    """Torture messages, mangled, from a phone that no route leads to a trunk, and from a stranger."""
    world = World(settings(routes=[{"source": "core", "to": ["access", "carrier"]}]))
    message = bytearray(data.draw(st.sampled_from(CORPUS)).read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(message) - 1))
        piece = data.draw(
            st.sampled_from((b"", b"\r\n", b":", b"<", b">", b'"', b";", b"%00", b",", b"\xff", b"@", b"9"))
        )
        message[place : place + data.draw(st.integers(0, 3))] = piece
    world.receive(source, bytes(message))
    world.wait(1)
    assert to_trunks(world) == []
    if source == STRANGER_ADDRESS:
        assert world.sent == []


# --- the page


def test_every_test_that_the_threat_model_names_exists() -> None:
    """A proof that is gone proves nothing."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 30
    root = Path(__file__).parents[1]
    for file, function in named:
        assert (root / file).is_file(), file
        if function:
            assert f"def {function}(" in (root / file).read_text(encoding="utf-8"), (file, function)
