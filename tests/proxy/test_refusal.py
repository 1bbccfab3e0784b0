"""What is refused under overload by a look at the raw bytes, what passes, and that the look agrees with the parse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from config.settings import Limits
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.matching import server_key
from proxy.parse import parse
from proxy.refusal import FRESH, PROXY_RETRY_AFTER, glance
from proxy.reply import reply
from tests.agents import ALICE, CARRIER, PBX, PSAP, STRANGER, Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence
from tests.strategies import mutations as mutations_of
from tests.strategies import requests
from tests.world import PROXY, World, settings

CORPUS = sorted((Path(__file__).parents[1] / "corpus").rglob("*.dat"))
TO_CORE = b"sip:8123@192.0.2.1"


def behind(world: World | None = None, share: float = 0.0) -> Ladder:
    """Return a ladder whose core is in overload and takes that share of new requests."""
    ladder = Ladder(world)
    overwhelm(ladder, share)
    return ladder


def overwhelm(ladder: Ladder, share: float = 0.0) -> None:
    ladder.world.core.overload.active = True
    ladder.world.core.overload.share = share


def changed(packet: Packet, old: bytes, new: bytes) -> Packet:
    assert old in packet.data
    return packet._replace(data=packet.data.replace(old, new, 1))


def refusals(ladder: Ladder) -> int:
    return sum(n for (name, _), n in ladder.world.core.counters.values.items() if name == "overload_refused")


# --- what is refused


def test_a_new_call_is_refused() -> None:
    """503 with Retry-After, to the sender alone; no transaction is kept (RFC 3261 §21.5.4)."""
    ladder = behind() >> ALICE.invite() << Sent(ALICE, 503)
    response = read(ladder[503])
    assert 10 <= int(response.value(b"retry-after") or 0) <= 20
    assert response.to_tag
    assert response.value(b"via") == b"SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bKone;received=10.1.1.23;rport=5062"
    assert not ladder.world.core.servers
    assert ladder.world.count("overload_refused", "INVITE") == 1
    assert ladder.world.count("requests_received", "INVITE") == 1
    assert ladder


@pytest.mark.parametrize("method", sorted(FRESH))
def test_so_is_every_other_request_outside_dialogs(method: bytes) -> None:
    """RFC 4320 forbids 408 to a non-INVITE, not 503."""
    assert behind() >> ALICE.request(method, contact=method != b"MESSAGE") << Sent(ALICE, 503)


def test_a_method_that_nobody_knows_is_refused_after_the_parse() -> None:
    ladder = behind() >> ALICE.request(b"WHISTLE") << Sent(ALICE, 503)
    assert ladder
    assert ladder.world.count("overload_refused", "other") == 1


def test_a_share_is_taken() -> None:
    """Half of the calls, and each repetition as its first copy."""
    ladder = behind(share=0.5)
    for number in range(400):
        for _ in range(2):
            ladder.world.receive(*ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number))
    taken = len(ladder.world.core.servers)
    assert 140 < taken < 260
    assert refusals(ladder) == 2 * (400 - taken)


def test_a_repeated_refusal_is_the_same() -> None:
    """Byte for byte, To tag and Retry-After included: there is no transaction that could remember."""
    ladder = behind() >> ALICE.invite() >> ALICE.invite()
    (_, one), (_, two) = ladder.left
    assert one == two


def test_phones_do_not_all_return_at_once() -> None:
    ladder = behind(World(settings(overload={"retry_after": 30})))
    for number in range(200):
        ladder = ladder >> ALICE.invite(branch=b"z9hG4bK%d" % number)
    seconds = {int(read(data).value(b"retry-after") or 0) for _, data in ladder.left}
    assert min(seconds) >= 30
    assert max(seconds) <= 60
    assert len(seconds) > 20


@pytest.mark.parametrize("proxy", [CARRIER, PBX, Agent(("10.9.9.9", 5060), b"edge")], ids=repr)
def test_a_proxy_is_told_a_second(proxy: Agent) -> None:
    """By §21.5.4 it sends nothing at all until then, whoever calls."""
    ladder = behind() >> proxy.invite() << Sent(proxy, 503)
    assert read(ladder[503]).value(b"retry-after") == b"%d" % PROXY_RETRY_AFTER


# --- the refusal itself


def test_without_rport_it_goes_to_sent_by() -> None:
    """RFC 3261 §18.2.2: received address, sent-by port."""
    packet = ALICE.invite(rport=False)._replace(source=(ALICE.address[0], 33333))
    assert behind() >> packet << Sent(ALICE, 503)


def test_only_the_sender_gets_anything() -> None:
    """Its lines come back to it; of what it said besides, and of us or others, nothing is in there."""
    secrets = b"User-Agent: Plaudertasche/7", b"X-Device-ID: 001565abcdef", b"P-Asserted-Identity: <tel:+4930555017342>"
    packet = ALICE.invite(headers=secrets)
    ladder = behind() >> packet
    ((address, data),) = ladder.left
    assert address == ALICE.address
    for secret in (
        b"Plaudertasche",
        b"001565abcdef",
        b"4930555017342",
        b"192.0.2.1:",
        b"v=0",
        CARRIER.address[0].encode(),
    ):
        assert secret not in data
    sent = set(packet.data.split(b"\r\n"))
    new = [line for line in data.split(b"\r\n") if line not in sent]
    assert [line.partition(b" ")[0] for line in new] == [
        b"SIP/2.0",
        b"Via:",
        b"To:",
        b"Retry-After:",
        b"Content-Length:",
    ]


def test_it_amplifies_nothing() -> None:
    """Smaller than any INVITE with an offer, and little more than the barest request from a network that we know."""
    packet = ALICE.invite()
    ladder = behind() >> packet
    assert len(ladder.left.pop()[1]) < len(packet.data)
    bare = ALICE.request(b"OPTIONS", contact=False)
    ladder = ladder >> bare
    assert len(ladder.left.pop()[1]) < len(bare.data) + 64


def test_every_via_comes_back() -> None:
    """In order, compact or not; only the topmost is stamped."""
    packet = changed(ALICE.invite(), b"Max-Forwards", b"v: SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKlower\r\nMax-Forwards")
    ladder = behind() >> packet << Sent(ALICE, 503)
    assert read(ladder[503]).values(b"via")[1] == b"SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKlower"


def test_strangers_get_silence() -> None:
    assert behind() >> STRANGER.invite() << Silence()


# --- what passes


@pytest.mark.parametrize(
    "uri",
    [b"urn:service:sos", b"urn:service:sos.fire", b"URN:service:sos", b"urn:service:test.sos", b"sip:112@192.0.2.1",
     b"sips:112@192.0.2.1", b"sip:112@192.0.2.1;user=phone", b"sip:911;phone-context=+1@192.0.2.1", b"tel:112",
     b"tel:9-1-1", b"sip:%3112@192.0.2.1", b"sip:1.1.2@192.0.2.1", b"sip:(112)@192.0.2.1", b"SIP:112@192.0.2.1:5060"],
)  # fmt: skip
def test_an_emergency_call_passes(uri: bytes) -> None:
    """In every form, from a phone that writes as all do and from one that does not."""
    assert behind() >> ALICE.invite(uri=uri) << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    odd = changed(ALICE.invite(uri=uri), b"CSeq: 1", b"CSEQ :\r\n 1")
    assert behind() >> odd << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")


def test_a_call_back_passes() -> None:
    """RFC 7090: by its mark, from an emergency trunk; that trunk's other calls are refused like everybody's."""
    call = PSAP.invite(uri=b"sip:8@192.0.2.1", headers=(b"Priority: psap-callback",))
    assert behind() >> call << Sent(PSAP, 100) << Sent(PBX, b"INVITE")
    assert behind() >> PSAP.invite(uri=b"sip:8@192.0.2.1") << Sent(PSAP, 503)
    liar = CARRIER.invite(uri=b"sip:8@192.0.2.1", headers=(b"Priority: psap-callback",))
    assert behind() >> liar << Sent(CARRIER, 503)


@pytest.mark.parametrize("uri", [b"sip:1120@192.0.2.1", b"urn:service:sosx", b"sip:alice@112", b"sip:0112@192.0.2.1"])
def test_what_only_looks_like_one_does_not(uri: bytes) -> None:
    assert behind() >> ALICE.invite(uri=uri) << Sent(ALICE, 503)


def test_a_call_in_progress_goes_on() -> None:
    """Responses, ACK, re-INVITE and BYE of a call that was taken before."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    overwhelm(ladder)
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    answer = ladder[200]
    assert (
        ladder
        >> ALICE.within(b"ACK", answer, cseq=1)
        << Sent(CARRIER, b"ACK")
        >> ALICE.within(b"INVITE", answer, cseq=2)
        << Sent(ALICE, 100)
        << Sent(CARRIER, b"INVITE")
        >> ALICE.within(b"BYE", answer, cseq=3)
        << Sent(CARRIER, b"BYE")
    )
    assert refusals(ladder) == 0


def test_a_repeated_invite_that_was_taken_is_answered_as_before() -> None:
    """503 would contradict the 100; silence would bring more of them."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    overwhelm(ladder)
    assert ladder >> ALICE.invite() << Sent(ALICE, 100)
    assert ladder.world.count("retransmissions_absorbed", "INVITE") == 1


def test_cancel_passes() -> None:
    """Of a call that was taken: 200 and 487. Of one that was refused there is none: 481."""
    invite = ALICE.invite()
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    overwhelm(ladder)
    assert ladder >> ALICE.cancel(invite) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    assert behind() >> invite << Sent(ALICE, 503) >> ALICE.cancel(invite) << Sent(ALICE, 481)


# --- ACK


@pytest.mark.parametrize("uri", [b"sip:+15550100@192.0.2.1", TO_CORE])
def test_the_ack_of_a_refusal_ends_here(uri: bytes) -> None:
    """It went nowhere, so there is nowhere to pass it to; also when overload is over, and from an odd phone."""
    invite = ALICE.invite(uri=uri)
    ladder = behind() >> invite << Sent(ALICE, 503)
    ack = ALICE.ack_failure(invite, ladder[503])
    assert ladder >> ack << Silence()
    assert ladder.world.count("dropped", "ack-without-dialog") == 0
    assert ladder >> changed(ack, b"CSeq: 1", b"CSEQ :\r\n 1") << Silence()
    ladder.world.core.overload.active = False
    assert ladder >> ack << Silence()


def test_the_ack_of_another_refusal_does_not() -> None:
    """One with a transaction is what its timers wait for."""
    invite = ALICE.invite(max_forwards=0)
    ladder = Ladder() >> invite << Sent(ALICE, 483)
    overwhelm(ladder)
    ladder = ladder >> ALICE.ack_failure(invite, ladder[483]) << Silence()
    assert ladder.world.wait(3) == []


def test_a_forged_tag_is_not_ours() -> None:
    """What merely looks like our tag takes the ordinary path."""
    for tag in (b"0" * 16, b"503-" + b"0" * 16):
        to = b"To: <sip:+1@192.0.2.1>;tag=" + tag
        ladder = behind() >> changed(ALICE.request(b"ACK"), b"To: <sip:+15550100@192.0.2.1>", to) << Silence()
        assert ladder.world.count("dropped", "ack-without-dialog") == 1


@pytest.mark.parametrize("change", [(b"call-1@", b"call-2@"), (b"branch=z9hG4bKone", b"branch=z9hG4bKtwo")])
def test_the_tag_of_a_refusal_serves_no_other_request(change: tuple[bytes, bytes]) -> None:
    """It is bound to branch and Call-ID; what bears it all the same goes nowhere either."""
    invite = ALICE.invite()
    ladder = behind() >> invite << Sent(ALICE, 503)
    ladder = ladder >> changed(ALICE.ack_failure(invite, ladder[503]), *change) << Silence()
    assert ladder.world.count("dropped", "ack-without-dialog") == 1


# --- a full table


def test_a_full_table_lets_calls_end() -> None:
    """Requests within dialogs find some more room, but not without end: a To tag is easily written."""
    world = World(settings(limits={"transactions": 100}))
    ladder = Ladder(world)
    for number in range(100):
        world.receive(*ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number))
    assert ladder >> ALICE.invite(branch=b"z9hG4bKmore") << Sent(ALICE, 503)
    tagged = [
        changed(ALICE.request(b"BYE", branch=b"z9hG4bKb%d" % n), b"1>\r\nCall", b"1>;tag=x\r\nCall") for n in range(40)
    ]
    codes = [read(world.receive(*packet)[0][1]).status for packet in tagged]
    assert codes == [481] * 25 + [503] * 15
    assert (
        ladder
        >> ALICE.invite(uri=b"urn:service:sos", branch=b"z9hG4bKsos")
        << Sent(ALICE, 100)
        << Sent(PSAP, b"INVITE")
    )


# --- the look and the parse

ODD = {
    "folded Via": (b";branch=z9hG4bKone", b"\r\n ;branch=z9hG4bKone"),
    "folded From": (b"From: ", b"From:\r\n "),
    "two To": (b"Call-ID", b"To: <sip:eve@192.0.2.1>\r\nCall-ID"),
    "long and compact To": (b"Call-ID", b"t: <sip:eve@192.0.2.1>\r\nCall-ID"),
    "no From": (b"From:", b"Form:"),
    "two Vias in a line": (b";rport", b";rport, SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKtwo"),
    "old branch": (b"z9hG4bKone", b"1"),
    "empty branch": (b"z9hG4bKone", b"z9hG4bK"),
    "branch of no Via": (b"SIP/2.0/UDP ", b""),
    "another CSeq method": (b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
    "CSeq without number": (b"CSeq: 1 ", b"CSeq: x "),
    "Call-ID with a space": (b"call-1@", b"call 1@"),
    "control character": (b'"Alice Liddell"', b'"Alice\x00Liddell"'),
    "bare CR": (b'"Alice Liddell"', b'"Alice\rX: y"'),
    "bare LF": (b'"Alice Liddell"', b'"Alice\nX: y"'),
    "quoted pair": (b'"Alice Liddell"', b'"Alice \\"x\\""'),
    "no brackets": (b"To: <sip:+15550100@192.0.2.1>", b"To: sip:+15550100@192.0.2.1"),
    "another version": (b" SIP/2.0\r\nVia", b" SIP/3.0\r\nVia"),
    "space in the URI": (b"INVITE sip:", b"INVITE  sip:"),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_anything_odd_takes_the_ordinary_path(change: tuple[bytes, bytes]) -> None:
    """There the answer is what it always is, or a refusal after the parse."""
    packet = changed(ALICE.invite(), *change)
    assert glance(packet.data, b"INVITE") is None
    ordinary = [(address, data) for address, data in Ladder().world.receive(*packet) if address == ALICE.address]
    under_load = behind().world.receive(*packet)
    assert [address for address, _ in under_load] == [address for address, _ in ordinary][: len(under_load)]
    assert all(data[8:11] in (b"400", b"501", b"505", b"503") for _, data in under_load)


def test_junk_is_no_reason_to_stumble() -> None:
    """Cut anywhere, with any byte changed, nothing raises and nothing goes to anybody else."""
    packet = ALICE.request(b"OPTIONS")
    ladder = behind()
    for place in range(len(packet.data)):
        ladder.world.receive(packet.source, packet.data[:place])
        for byte in (b"\0", b"\n", b"\r", b":", b",", b'"', b"<", b"\xff"):
            ladder.world.receive(packet.source, packet.data[:place] + byte + packet.data[place + 1 :])
    assert {address[0] for address, _ in ladder.world.sent} == {ALICE.address[0]}
    assert {data[8:11] for _, data in ladder.world.sent} <= {b"400", b"481", b"501", b"503", b"505"}


def test_a_huge_header_costs_little() -> None:
    """Linear in the length of hostile input, and no answer that is huge."""
    for header in (b"X: " + b"a" * 60000, b"Via" * 20000, b"Subject: " + b" " * 60000, b"V " * 30000):
        ladder = behind() >> ALICE.invite(headers=(header,))
        assert all(len(data) < 1000 for _, data in ladder.left)


def test_a_long_request_meets_the_limits_of_the_parse() -> None:
    """A look knows none, and what is remembered of a URI counts on them."""
    packet = ALICE.invite()
    long = packet.data.replace(b" sip:", b" sip:" + b"1" * 20_000, 1)
    assert behind() >> packet._replace(data=long) << Sent(ALICE, 414)


def mutations() -> list[bytes]:
    """Return requests as they come, and each with a line moved, doubled, renamed or respelled."""
    base = ALICE.invite(headers=(b"Route: <sip:192.0.2.1;lr>", b"Subject: To: x")).data
    head, _, body = base.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    found = [base]
    for place, line in enumerate(lines):
        name, _, value = line.partition(b":")
        rest = lines[:place] + lines[place + 1 :]
        for other in (
            [line, *rest], [*rest, line], [*lines, line], rest, [name.upper() + b":" + value, *rest],
            [name + b" \t:" + value, *rest], [name[:1] + b":" + value, *rest], [name + b":" + value + b" ", *rest],
            [name + b":\t " + value.strip() + b";x=y", *rest], [name + b":" + value + b";tag=z;Tag=w", *rest],
        ):  # fmt: skip
            found.append(b"\r\n".join([start, *other, b"", body]))
    return found


def agree(data: bytes) -> bool:
    """Assert that look and parse agree on a message; False where one of them has nothing to say."""
    method = data[: data.find(b" ", 0, 10)]
    seen = glance(data, method) if method in FRESH or method == b"ACK" else None
    try:
        message = parse(data, Limits())
    except Malformed:
        return False
    if seen is None:
        return False
    flow = Flow("UDP", PROXY, ALICE.address)
    assert (seen.uri, seen.call_id, seen.to_tag) == (message.uri, message.call_id, message.to_tag)
    assert server_key(seen) == server_key(message)
    assert reply(seen, flow, 503, b"x") == reply(message, flow, 503, b"x")
    return True


def test_the_look_agrees_with_the_parse() -> None:
    """Where both read a request, they read the same: key, To tag, and the response that it gets."""
    assert sum(map(agree, mutations())) > 50


@given(requests.flatmap(mutations_of))
def test_it_agrees_on_anything(data: bytes) -> None:
    """The same for whatever the grammar allows, and for damage done to it."""
    agree(data)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "corpus").rglob("*.dat")), ids=lambda path: path.name
)
def test_it_agrees_on_torture(path: Path) -> None:
    """RFC 4475 and RFC 5118."""
    agree(path.read_bytes())


def test_header_names_are_told_apart_in_the_head_only() -> None:
    """What looks like a header in a body or behind a space is none."""
    packet = ALICE.invite(headers=(b"Subject: a\r\n To: <sip:eve@x>",), body=b"a\r\nTo: <sip:eve@x>\r\nVia: x\r\n")
    seen = glance(packet.data, b"INVITE")
    assert seen is not None
    assert re.findall(b"eve", b"".join(seen.lines)) == []
