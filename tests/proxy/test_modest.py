"""No answer of ours to a phone is much larger than its question, and there is one answer to one question."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Limits
from proxy.flow import Flow
from proxy.modest import ADDED, modest
from proxy.parse import parse
from proxy.reply import reply
from tests.accounts import accounts
from tests.agents import ALICE, PBX, Packet, read
from tests.world import PHONE, PROXY, World, settings

CORPUS = sorted((Path(__file__).parents[1] / "corpus").rglob("*.dat"))
FLOW = Flow("UDP", PROXY, PHONE)


def bare(method: bytes = b"INVITE", *, uri: bytes = b"sip:a@b", more: bytes = b"") -> bytes:
    """Return a request with no more than it needs."""
    return (
        b"%b %b SIP/2.0\r\nv:SIP/2.0/UDP a;branch=z9hG4bK%b;rport\r\nf:<sip:a@b>;tag=1\r\nt:<sip:a@b>\r\ni:1\r\n"
        b"CSeq:1 %b\r\n%b\r\n" % (method, uri, method.lower(), method, more)
    )


def test_an_answer_that_is_small_enough_stays_as_it_is() -> None:
    request = read(ALICE.invite().data)
    answer = reply(request, FLOW, 404, b"0123456789abcdef")
    assert modest(answer, request) == answer


def test_a_larger_one_says_what_it_must() -> None:
    """RFC 3261 §8.2.6.2: Via, From, To, Call-ID, CSeq."""
    request = parse(bare(uri=b"sip:0123456789@192.0.2.1", more=b"Max-Forwards:70\r\nl:0\r\n"), Limits())
    answer = reply(request, FLOW, 404, b"0123456789abcdef", extra=(b"X-Long: " + b"x" * 300,))
    short = modest(answer, request)
    assert len(short) <= len(request.raw) + ADDED
    assert short.startswith(b"SIP/2.0 404 \r\n")
    assert read(short).index.keys() == {b"via", b"from", b"to", b"call-id", b"cseq"}


def test_the_shortest_question_is_answered() -> None:
    """With what the RFCs add, be the address as long as it may."""
    request = parse(bare(b"A", uri=b"a:b"), Limits())
    six = Flow("UDP", ("2001:db8::1", 5060), ("2001:db8:1111:2222:3333:4444:5555:6666", 65535))
    answer = modest(reply(request, six, 416, b"0123456789abcdef"), request)
    assert answer.startswith(b"SIP/2.0 416 ")
    assert len(request.raw) < len(answer) <= len(request.raw) + ADDED


@pytest.mark.parametrize(("size", "said"), [(150, True), (900, False)])
def test_a_challenge_may_be_three_times_as_large(size: int, said: bool) -> None:
    """RFC 9000 §8.1: without it nobody could prove who he is."""
    request = parse(bare(uri=b"sip:0123456789@192.0.2.1", more=b"m:<sip:a@10.1.1.23>\r\n"), Limits())
    challenge = b"WWW-Authenticate: Digest " + b"x" * size
    answer = modest(reply(request, FLOW, 401, b"0123456789abcdef", extra=(challenge,)), request)
    assert (challenge in answer) is said
    assert len(answer) <= 3 * len(request.raw)


def answered(world: World, packet: Packet) -> list[bytes]:
    """Return all that goes back within 64*T1 and more."""
    sent = world.receive(*packet) + world.wait(40)
    return [data for address, data in sent if address[0] == packet.source[0]]


QUESTIONS = {
    "refused by the table": ALICE.invite(uri=b"sip:nobody@192.0.2.1"),
    "without a dialog": Packet(PHONE, ALICE.request(b"BYE").data.replace(b"To: <", b"To: <sip:x@y>;tag=1\r\nX: <")),
    "Route": ALICE.invite(headers=(b"Route: <sip:evil.example;lr>",)),
    "Proxy-Require": ALICE.invite(headers=(b"Proxy-Require: a, b, c, d, e, f",)),
    "no hops left": ALICE.invite(max_forwards=0),
    "unmatched CANCEL": ALICE.cancel(ALICE.invite()),
    **{f"as short as can be: {method.decode()}": Packet(PHONE, bare(method)) for method in (
        b"INVITE", b"REGISTER", b"OPTIONS", b"MESSAGE", b"SUBSCRIBE", b"BYE", b"CANCEL", b"X")},
    "broken": Packet(PHONE, bare(more=b"CSeq: 2 INVITE\r\n")),
    "broken, and short": Packet(PHONE, b"A a:b SIP/3.0\r\nv:SIP/2.0/UDP a\r\nCSeq:1 A\r\n\r\n"),
    **{file.name: Packet(PHONE, file.read_bytes()) for file in CORPUS},
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_is_amplified(name: str) -> None:
    """One question, one answer, hardly larger: in bytes and in number, timer G included."""
    world = World(settings(routes=[{"source": "core", "to": ["access"]}]))
    packet = QUESTIONS[name]
    back = answered(world, packet)
    assert len(back) <= 1
    assert sum(map(len, back)) <= len(packet.data) + ADDED


def test_who_repeats_the_question_is_answered_again() -> None:
    """So an answer that was lost is no loss: an INVITE is repeated until it is answered (§17.1.1.2)."""
    world = World(settings(routes=[]))
    invite = ALICE.invite()
    first = world.receive(*invite)
    assert [data[:11] for _, data in first] == [b"SIP/2.0 404"]
    assert world.wait(10) == []
    assert world.receive(*invite) == first
    assert world.receive(*ALICE.ack_failure(invite, first[0][1])) == []
    world.wait(40)
    assert not any(world.core.gauges().values())


def test_the_core_gets_whole_answers_and_gets_them_again() -> None:
    """It is at a configured address, and a proxy of its own."""
    world = World(settings(routes=[]))
    back = answered(world, Packet(PBX.address, bare(uri=b"sip:a@192.0.2.1")))
    assert len(back) > 5
    assert b"Content-Length: 0" in back[0]


def test_silence_stays_silence() -> None:
    """Where nothing may be said, the repetition of the question is absorbed, and nothing empty is sent."""
    realm = "a.realm.of.253.letters" + 231 * "x"
    world = World(settings(authentication={"realm": realm}, routes=[]), accounts=accounts("alice"))
    for method in (b"A", b"INVITE"):
        packet = Packet(PHONE, bare(method, uri=b"sip:a@192.0.2.1"))
        assert world.receive(*packet) == []
        assert world.receive(*packet) == []
