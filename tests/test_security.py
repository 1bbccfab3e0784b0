"""Nobody gets in: one test for each threat, against a core with the built-in filters (docs/threat-model.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from proxy.headers import parse_name_addr
from tests.agents import ALICE, CARRIER, PBX, SECOND, STRANGER, Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence
from tests.world import OTHER_PHONE, PHONE, SECOND_TRUNK, TRUNK, World, settings
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
