"""The privacy side as the core sees it, and the torture set of standards.md §7.3 through the whole core.

t01 to t30 are the numbers there. Whether every header, line and body is covered is tests/test_no_leak.py's
business; here are the odd shapes, each with what must not arrive and what must.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from config.settings import Limits, Settings
from config.subscribers import Subscribers
from config.vocabulary import Action, Category, Zone
from filters import engine as engine_module
from filters.engine import Engine, build
from filters.leaks import found_in
from filters.patterns import PATTERNS
from proxy.message import Draft
from proxy.parse import parse
from proxy.party import Party
from proxy.policy import KEEP_ALL, EditContext, pack
from tests.agents import ALICE, CARRIER, PBX, PSAP, SDP, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent
from tests.torture import (
    BOB,
    COMPACT_LINES,
    CONNECTED_IDENTITY,
    DEVICE_TAG,
    DIALOG_INFO,
    DIALOG_INFO_LINES,
    ENCODED,
    ENCODINGS,
    FROM_IN_ANY_SHAPE,
    HISTORY_LINES,
    IMPOSSIBLE_WISHES,
    LATER_SDP,
    MORE_VIA,
    MULTIPART_LINES,
    MULTIPARTS,
    REDIRECTION,
    REFER_LINES,
    SECRET,
    SERVICES,
    SIPFRAG,
    SIPFRAG_LINES,
    SPELT_ADDRESS,
    SPELT_CALL_ID,
    TWO_ROWS_AND_A_LIST,
    UNKNOWN_IN_ANY_CASE,
    WARNING,
    sent_as,
)  # fmt: skip
from tests.world import PHONE, SETTINGS, TRUNK, World, settings


@pytest.fixture
def engine() -> Engine:
    return build(settings())


def parties(of: Settings) -> list[Party]:
    """Return a party of every zone, and of every trunk."""
    trunks = [Party(zone, trunk) for trunk in of.trunks for zone in (Zone.TRUNK, Zone.PSAP)]
    return [Party(Zone.ACCESS), Party(Zone.CORE), *trunks]


# --- the engine itself


def test_a_plan_is_compiled_once_for_a_decision_and_hop(engine: Engine) -> None:
    """design.md §2, step 3: cached by (decision, trunk, direction)."""
    hops = parties(settings())
    plans = [engine.plan(decision, hop) for decision in (KEEP_ALL, 1) for hop in hops]
    assert len(set(map(id, plans))) == len(plans)
    assert [engine.plan(decision, hop) for decision in (KEEP_ALL, 1) for hop in hops] == plans


def test_a_flood_of_decisions_costs_a_bounded_memory(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wishes are the callers' choice; beyond MAX_PLANS plans are compiled anew, and are the same plans."""
    monkeypatch.setattr(engine_module, "MAX_PLANS", 8)
    hop = Party(Zone.CORE)
    for actions in product(Action, repeat=2):
        decision = pack(dict(zip((Category.NAME, Category.UNKNOWN), actions, strict=True)))
        assert engine.plan(decision, hop)._decision == decision
        assert len(engine._plans) <= 8


def test_a_hop_has_the_plan_of_its_trunk() -> None:
    """allow_headers is a trunk's; our credentials leave towards everybody but the core."""
    odd = {**SETTINGS["trunks"][0], "allow_headers": ["X-Odd"]}
    world = settings(trunks=[odd, *SETTINGS["trunks"][1:]])
    engine = build(world)
    request = parse(
        ALICE.request(headers=(b"x-odd: 1", b'Authorization: Digest realm="SIP.example.NET"')).data, Limits()
    )
    for hop in parties(world):
        draft = Draft(request)
        engine.plan(pack({Category.UNKNOWN: Action.REMOVE}), hop).apply(
            draft, EditContext(bytes, b"192.0.2.1", True, b"INVITE", 0)
        )
        assert (draft.first(b"x-odd") is not None) is (hop.trunk is not None and hop.trunk.name == "carrier")
        assert (draft.first(b"authorization") is not None) is (hop.zone is Zone.CORE)


def test_decisions_are_the_policys(engine: Engine) -> None:
    """`decide` for what the sender of an initial request discloses, `towards` for everything else."""
    plain, private = (parse(ALICE.request(headers=lines).data, Limits()) for lines in ((), (b"Privacy: id",)))
    access = Party(Zone.ACCESS)
    assert engine.decide(plain, access, access) == engine.towards(access)
    assert engine.decide(private, access, access) != engine.towards(access)


@pytest.mark.parametrize(
    ("text", "leaks"),
    [
        (b"001b2112-34560003-1b2c3d4e-5f607182", True), (b"SEP001122334455", True), (b"192.168.1.5", True),
        (b"1234@BJC.BGI.B.F", True), (b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", True),
        (b"00%3A1b%3a21%3A12%3A34%3A56", True), (b"00.1b.21.12.34.56", True),
        (b"", False), (b"as58f4201b", False), (b"as%3A58", False), (b"1.22.33.44.55.66.77", False),
        (b"+15550123", False), (b"a84b4c76e66710", False),
        (b"3848276298220188511@atlanta.example", False),
    ],
)  # fmt: skip
def test_every_pattern_counts_in_an_opaque_value(engine: Engine, text: bytes, leaks: bool) -> None:
    """Tags and Call-IDs: whatever the decision says, for they are no field of anybody's choosing (dialogs.md)."""
    assert engine.leaks(text) is leaks
    assert set(engine._catalogue.patterns) <= PATTERNS


# --- through the whole core


def call(*lines: bytes, **changes: Any) -> bytes:
    """Return what the trunk gets of an INVITE with these header lines."""
    sent = World().receive(*ALICE.invite(headers=(*lines, b"Content-Type: application/sdp"), **changes))
    assert [address for address, _ in sent] == [PHONE, TRUNK], sent
    return sent[1][1]


def trunk_gets(packet: Packet) -> bytes:
    [data] = [data for address, data in World().receive(*packet) if address == TRUNK]
    assert not found_in(data, [SECRET])
    return data


FROM = b'From: "Alice Liddell" <sip:alice@sip.example.net>;tag=from1'
ANONYMOUS = b'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=from1'


@pytest.mark.parametrize("line", FROM_IN_ANY_SHAPE.values(), ids=FROM_IN_ANY_SHAPE)
def test_t01_t02_t04_t05_t06_from_in_any_shape(line: bytes) -> None:
    """However From is written, the trunk sees RFC 3323's form, and one From."""
    message = read(trunk_gets(sent_as(ALICE.invite(), FROM, line)))
    [value] = message.values(b"from")
    assert b"From: " + value == ANONYMOUS


def test_t01_compact_names() -> None:
    """`m: s: b: y: k: c:` are what they stand for (RFC 3261 §7.3.3)."""
    packet = sent_as(ALICE.invite(), b"Content-Type:", b"\r\n".join([*COMPACT_LINES, b"c:"]))
    data = trunk_gets(sent_as(packet, b"Contact: <sip:alice@10.1.1.23:5062>", b"m: " + BOB))
    assert b"\r\nc: application/sdp\r\n" in data
    assert b"\r\nk: timer\r\n" in data
    assert len(read(data).items(b"contact")) == 1


def test_t03_two_rows_and_a_list() -> None:
    """Every row, and every value of a row."""
    data = call(*TWO_ROWS_AND_A_LIST)
    assert not found_in(data, [SECRET, b"+15550123"])
    assert not {b"subject", b"p-asserted-identity"} & set(read(data).names)


def test_t07_unknown_header_in_any_case() -> None:
    """Names are compared without regard to case, known or not."""
    assert not found_in(call(*UNKNOWN_IN_ANY_CASE), [SECRET])


@pytest.mark.parametrize("status", [180, 183, 200, 302])
def test_t08_name_in_contact_of_responses(status: int) -> None:
    """Of a phone that the trunk calls through the core; of a redirection the number alone is left."""
    ladder = callee()
    ladder = ladder >> ALICE.answer(ladder[b"INVITE"], status, contact=BOB.replace(b"bob" + SECRET, b"+15550177"))
    [(_, data)] = [one for one in ladder.left if read(one[1]).status == status]
    assert not found_in(data, [SECRET, b"10.1.1.77"])
    if status == 302:
        assert read(data).items(b"contact") == [b"<sip:+15550177@192.0.2.1:5060>"]


@pytest.mark.parametrize(("status", "told"), [(404, False), (415, False), (485, True), (486, False), (603, False)])
def test_t08_contact_of_a_refusal_tells_nobodys_name(status: int, told: bool) -> None:
    """RFC 3261 table 2: from 400 on only 485 leads anywhere, so no other has a user part for the trunk to see."""
    ladder = callee()
    ladder = ladder >> ALICE.answer(ladder[b"INVITE"], status, headers=(b"Contact: <sip:+15550177@10.1.1.23>",))
    [(_, data)] = [one for one in ladder.left if read(one[1]).status == status]
    assert bool(found_in(data, [b"+15550177"])) is told


def callee() -> Ladder:
    """A call of the trunk's that has reached the phone, through the core."""
    world = World(settings(routes=[{"source": "trunk", "to": ["access"]}]))
    inbound = CARRIER.invite(uri=b"sip:alice@10.1.1.23:5062", call_id=b"in-1@carrier.example")
    return Ladder(world) >> inbound << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")


def test_t09_name_in_to_of_a_reinvite_of_the_callee() -> None:
    """What the caller wrote of the callee comes back as the caller wrote it, not as the callee now calls itself."""
    ladder, answer = answered()
    request = CARRIER.within(b"INVITE", ladder[b"INVITE"], own=answer, cseq=9)
    renamed = request.data.replace(b"From: <", b'From: "%b" <' % SECRET).replace(b"\r\nTo: ", b'\r\nTo: "%b" ' % SECRET)
    renamed = renamed.replace(b'"%b" "Anonymous"' % SECRET, b'"%b"' % SECRET)
    assert renamed.count(SECRET) == 2
    ladder = ladder >> Packet(TRUNK, renamed) << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")
    got = read(ladder[b"INVITE"])
    assert not found_in(ladder[b"INVITE"], [SECRET])
    assert got.to.address == b'"Alice Liddell" <sip:alice@sip.example.net>'


def answered(world: World | None = None, *lines: bytes) -> tuple[Ladder, Packet]:
    """A call of the phone's that the trunk has answered; and the answer."""
    ladder = Ladder(world) >> ALICE.invite(headers=(*lines, b"Content-Type: application/sdp"))
    ladder = ladder << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    answer = CARRIER.answer(ladder[b"INVITE"], 200, contact=b"<sip:gw@198.51.100.7:5060>")
    return ladder >> answer << Sent(ALICE, 200), answer


def in_call(method: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """Return what the trunk gets of a request of the phone's in a call."""
    ladder, _ = answered()
    ladder = ladder >> ALICE.within(method, ladder[200], own=ALICE.invite(), headers=lines, body=body)
    return next(data for address, data in ladder.left if address == TRUNK)


def test_t10_asserted_identity_in_update() -> None:
    """RFC 4916 and 5876: a connected identity is an identity."""
    data = in_call(b"UPDATE", *CONNECTED_IDENTITY)
    assert not found_in(data, [SECRET, b"from-change"])


def test_t11_sipfrag_of_a_notify() -> None:
    """RFC 3515 §2.4.5: the status of a transfer is its function; what else stands in the fragment names people."""
    data = in_call(b"NOTIFY", *SIPFRAG_LINES, body=SIPFRAG)
    assert not found_in(data, [SECRET])
    assert read(data).body == b"SIP/2.0 200 OK\r\n"


def test_t12_dialog_info() -> None:
    """RFC 4235 is a list of whom somebody talks to: the event stays, the document does not."""
    data = in_call(b"NOTIFY", *DIALOG_INFO_LINES, body=DIALOG_INFO)
    assert not found_in(data, [SECRET])
    assert (read(data).body, read(data).value(b"event")) == (b"", b"dialog")


@pytest.mark.parametrize(("kind", "body"), MULTIPARTS.values(), ids=MULTIPARTS)
def test_t13_t14_multipart(kind: bytes, body: bytes) -> None:
    """The location goes with the header that points at it; the offer is left, alone and clean."""
    packet = ALICE.invite(headers=(b"Content-Type: " + kind, *MULTIPART_LINES), body=body)
    message = read(trunk_gets(packet))
    assert message.value(b"content-type") == b"application/sdp"
    assert b"m=audio 49170" in message.body
    assert b"geolocation" not in message.index


@pytest.mark.parametrize("row", ENCODINGS)
def test_t15_an_encoded_body_is_415(row: bytes) -> None:
    """Nobody looks into it here, so nothing of the call leaves (RFC 3261 §8.2.3)."""
    ladder = Ladder() >> ALICE.invite(headers=(b"Content-Type: application/sdp", row), body=ENCODED)
    assert ladder << Sent(ALICE, 415)


def test_t16_refer_to_with_embedded_headers() -> None:
    """Whom to call stays, and which dialog to replace as the other side knows it; From and Referred-By do not."""
    data = in_call(b"REFER", *REFER_LINES)
    assert not found_in(data, [SECRET])
    assert b"Refer-To: <sip:+15550111@192.0.2.1:5060?Replaces=" in data
    assert b"referred-by" not in read(data).index


def test_t17_redirection_with_embedded_headers() -> None:
    """A 3xx Contact that would have the caller's phone write headers (RFC 3261 §19.1.5)."""
    ladder = callee()
    ladder = ladder >> ALICE.answer(ladder[b"INVITE"], 302, contact=REDIRECTION)
    [(_, data)] = [one for one in ladder.left if read(one[1]).status == 302]
    assert not found_in(data, [SECRET, b"Privacy"])
    assert read(data).items(b"contact") == [b"<sip:+15550177@192.0.2.1:5060>;q=0.7"]


def test_t18_history_info_with_escaped_headers() -> None:
    """RFC 7044 §10.1.2: who forwarded the call is the caller's history."""
    assert not found_in(call(*HISTORY_LINES), [SECRET])


def test_t19_call_id_with_a_spelt_address() -> None:
    """Grandstream: 192.168.1.5 in letters (standards.md F6). The phone sees its own Call-ID again."""
    ladder = Ladder() >> ALICE.invite(call_id=SPELT_CALL_ID)
    ladder = ladder << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert not found_in(ladder[b"INVITE"], [b"BJC.BGI.B.F", SPELT_ADDRESS, b"523072316"])
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert read(ladder[180]).call_id == SPELT_CALL_ID


@pytest.mark.parametrize("method", [b"ACK", b"PRACK", b"UPDATE"])
def test_t20_session_descriptions_after_the_first(method: bytes) -> None:
    """An answer in ACK or PRACK, an offer in UPDATE (RFC 3261 §13.2.1, 3262 §5, 3311): cleaned like the first."""
    data = in_call(method, b"Content-Type: application/sdp", b"RAck: 1 1 INVITE", body=LATER_SDP)
    assert not found_in(data, [SECRET, b"10.1.1.77", b"laptop"])
    assert b"o=- 2890844526 1 IN IP4 192.0.2.1\r\n" in data


def test_t21_warning_host() -> None:
    """RFC 5379 §5.1.13: the code is for the caller, host and text are of the callee."""
    ladder = callee()
    answer = ALICE.answer(ladder[b"INVITE"], 488, headers=(WARNING,))
    ladder = ladder >> answer << Sent(ALICE, b"ACK") << Sent(CARRIER, 488)
    assert not found_in(ladder[488], [SECRET, b"10.1.1.77"])
    assert read(ladder[488]).value(b"warning") == b'305 - ""'


def test_t22_via_with_received_and_rport() -> None:
    """All Via of the sender's side stay here, whatever parameters proxies have put into them."""
    data = trunk_gets(sent_as(ALICE.invite(), b"branch=z9hG4bKone;rport\r\n", MORE_VIA))
    assert not found_in(data, [b"10.1.1.77", b"10.1.1.78"])
    assert len(read(data).items(b"via")) == 1


def test_t24_cancel_and_ack_carry_what_the_invite_carried() -> None:
    """RFC 3261 §9.1 and §17.1.1.3: the same identifiers, so that the far side finds its transaction."""
    invite = ALICE.invite(tag=DEVICE_TAG)
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    ladder = ladder >> ALICE.cancel(invite) << Sent(ALICE, 200) << Sent(CARRIER, b"CANCEL")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 487) << Sent(CARRIER, b"ACK") << Sent(ALICE, 487)
    assert ladder
    sent = [read(ladder[method]) for method in (b"INVITE", b"CANCEL", b"ACK")]
    assert len({(one.uri, one.values(b"from")[0], one.call_id, one.to.address, one.via.branch) for one in sent}) == 1
    assert not any(found_in(one.raw, [DEVICE_TAG]) for one in sent)


def test_t25_a_retransmission_is_the_same_bytes() -> None:
    """Of the request when the trunk is slow, and of the answer when the phone asks again (RFC 3261 §17)."""
    world = World()
    first = world.receive(*ALICE.invite())
    again = [data for address, data in world.wait(0.6) if address == TRUNK]
    assert again == [data for address, data in first if address == TRUNK]
    other = World().receive(*ALICE.invite())
    assert [data for address, data in other if address == TRUNK] == again, "on another node too"


def test_t26_restart_in_a_dialog() -> None:
    """What was hidden before kill -9 is hidden after it, and looks the same."""
    ladder, _ = answered(None, b"Subject: " + SECRET)
    before = read(ladder[b"INVITE"])
    bye = ALICE.within(b"BYE", ladder[200], own=ALICE.invite(), headers=(b"Subject: " + SECRET,))
    ladder = ladder >> Restart() >> bye << Sent(CARRIER, b"BYE")
    after = read(ladder[b"BYE"])
    assert (after.call_id, after.values(b"from")) == (before.call_id, before.values(b"from"))
    assert not found_in(ladder[b"BYE"], [SECRET, b"alice", b"10.1.1.23"])


def test_t27_privacy_none() -> None:
    """RFC 3323 §4.2 for names and numbers; what the phone is and where it stands was nobody's wish to show."""
    data = call(
        b"Privacy: none", b'P-Asserted-Identity: "Alice" <tel:+15550123>', b"Diversion: <sip:bob@x>",
        b"User-Agent: " + SECRET, b"X-Odd: " + SECRET,
    )  # fmt: skip
    message = read(data)
    assert message.from_.address == b'"Alice Liddell" <sip:alice@192.0.2.1:5060>'
    own = message.value(b"p-asserted-identity")
    assert own == b'"Alice Liddell" <sip:alice@192.0.2.1:5060>', "in the words of From: nobody believes a phone"
    assert message.value(b"diversion") == b"<sip:bob@192.0.2.1:5060>", "the network is not what it is about"
    assert not found_in(data, [SECRET, b"10.1.1.23:5062"])


@pytest.mark.parametrize("value", IMPOSSIBLE_WISHES)
def test_t28_critical_and_unsupported_is_500(value: bytes) -> None:
    """RFC 3323 §5; nothing leaves, and the reason phrase says which level it is."""
    ladder = Ladder() >> ALICE.request(b"OPTIONS", headers=(b"Privacy: " + value,)) << Sent(ALICE, 500)
    assert ladder
    assert ladder[500].startswith(b"SIP/2.0 500 Privacy cannot be met: ")


@pytest.mark.parametrize("urn", SERVICES)
def test_t29_emergency_calls_arrive_complete(urn: bytes) -> None:
    """standards.md §2.6 E2: nothing hidden, `critical` ignored; our credentials leave all the same."""
    kept = (b"Geolocation: <cid:a@x>", b'P-Asserted-Identity: "A" <tel:+15550123>', b"User-Agent: Phone/1", b"X-Odd: 1")
    ours = b'Authorization: Digest username="alice", realm="sip.example.net", response="' + SECRET + b'"'
    lines = *kept, ours, b"Privacy: session;critical", b"Content-Type: application/sdp"
    packet = ALICE.invite(uri=urn, headers=lines)
    ladder = Ladder() >> packet << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert ladder
    message = read(ladder[b"INVITE"])
    assert set(kept) <= set(message.lines)
    assert FROM in message.lines
    assert message.body == SDP
    assert SECRET not in ladder[b"INVITE"]


def test_t29_without_a_psap_the_service_is_still_named() -> None:
    """Towards a trunk that is none, the call is hidden like any other, and still says what it is for."""
    world = World(settings(routes=[{"source": "access", "to": ["carrier"]}]))
    sent = world.receive(*ALICE.invite(uri=b"urn:service:sos.animal-control"))
    [data] = [data for address, data in sent if address == TRUNK]
    assert data.startswith(b"INVITE urn:service:sos.animal-control SIP/2.0\r\n")
    assert read(data).values(b"from")[0] == ANONYMOUS[6:]


def test_t30_the_registrar_sees_the_instance_and_a_trunk_does_not() -> None:
    """RFC 5626 needs +sip.instance at the registrar, RFC 7255 §8 nowhere else."""
    contact = b'Contact: <sip:alice@10.1.1.23:5062;ob>;+sip.instance="<urn:uuid:%b>";reg-id=1' % SECRET
    ladder = Ladder() >> ALICE.request(b"REGISTER", b"sip:8@192.0.2.1", contact=False, headers=(contact,))
    ladder = ladder << Sent(PBX, b"REGISTER")
    assert contact in read(ladder[b"REGISTER"]).lines
    assert not found_in(trunk_gets(ALICE.request(b"OPTIONS", contact=False, headers=(contact,))), [SECRET, b"reg-id"])


# --- one setting at a time


def with_levels(agent: Agent, *lines: bytes, **trunk: Any) -> bytes:
    """Return what a trunk with these settings gets of an OPTIONS."""
    world = World(settings(trunks=[{**SETTINGS["trunks"][0], **trunk}, *SETTINGS["trunks"][1:]]))
    [(address, data)] = world.receive(*agent.request(b"OPTIONS", contact=False, headers=lines))
    assert address == TRUNK
    return data


def test_a_trunk_that_gets_numbers_gets_no_names() -> None:
    """S-name alone (standards.md §2.4): a common contract, and the name must not travel beside the number."""
    lines = b'P-Asserted-Identity: "%b" <tel:+15550123>' % SECRET, b'Remote-Party-ID: "%b" <sip:+1@x>' % SECRET
    data = with_levels(Agent(PHONE, b"+15550123", b'"%b" ' % SECRET), *lines, privacy={"number": "keep"})
    assert not found_in(data, [SECRET])
    assert read(data).value(b"p-asserted-identity") == b"<sip:+15550123@192.0.2.1:5060>"
    assert read(data).from_.address == b"<sip:+15550123@192.0.2.1:5060>"


def test_a_trunk_that_gets_addresses_gets_no_device_ids() -> None:
    """standards.md §10: regardless of profile, pn-* and sip.instance never go beyond the registrar."""
    contact = b'Contact: "%b" <sip:alice@10.1.1.23:5062>;+sip.instance="<urn:%b>";pn-prid=%b;audio' % ((SECRET,) * 3)
    data = with_levels(ALICE, contact, privacy={"network": "keep", "number": "keep"})
    assert not found_in(data, [SECRET])
    assert read(data).items(b"contact") == [b"<sip:alice@10.1.1.23:5062>;audio"]


def test_a_challenge_reaches_the_phone_whatever_its_realm() -> None:
    """A registrar whose realm is its private address, with any nonce: without the challenge nobody could register."""
    challenge = b'WWW-Authenticate: Digest realm="192.168.1.10", nonce="5d41402abc4b11d2b9719d911017c592"'
    ladder = Ladder() >> ALICE.request(b"REGISTER", b"sip:8@192.0.2.1") << Sent(PBX, b"REGISTER")
    ladder = ladder >> PBX.answer(ladder[b"REGISTER"], 401, headers=(challenge,)) << Sent(ALICE, 401)
    assert challenge in read(ladder[401]).lines


def test_subscribers_are_those_it_was_given() -> None:
    """And nobody, where there is no store."""
    subscribers = Subscribers(60)
    assert build(settings(), subscribers).subscribers is subscribers
    assert build(settings()).subscribers.find(b"alice@example.net") is None


def test_a_trunk_that_refuses_bodies() -> None:
    """The setting arrives where it counts: 415 with what the trunk takes; the other trunk is sent the rest."""
    trunks = [{**SETTINGS["trunks"][0], "refuse_bodies": True}, *SETTINGS["trunks"][1:]]
    packet = ALICE.request(b"INFO", headers=(b"Content-Type: text/plain",), body=b"hello")
    ladder = Ladder(World(settings(trunks=trunks))) >> packet << Sent(ALICE, 415)
    assert read(ladder[415]).items(b"accept")[0] == b"application/sdp"
    assert ladder
    assert Ladder() >> packet << Sent(CARRIER, b"INFO")


# --- pseudonyms


def test_one_device_stays_one_device_to_whom_it_is_told() -> None:
    """A keyed token for its serial number: the same in all calls to one trunk, another to the next."""
    privacy = {"default": {"device": "pseudonymise"}}
    world = World(settings(privacy=privacy, routes=[{"source": "access", "to": ["carrier", "second"]}]))
    tokens: dict[Any, set[bytes]] = {}
    for number in range(2):
        line = b"X-Serialnumber: 00041325476C"
        call = ALICE.request(branch=b"z9hG4bK%d" % number, call_id=b"call%d@x" % number, headers=(line,))
        for peer, data in world.receive(*call):
            if read(data).method:
                tokens.setdefault(peer, set()).add(read(data).items(b"x-serialnumber")[0])
    assert [len(values) for values in tokens.values()] == [1, 1]
    assert len(set.union(*tokens.values())) == 2
    assert all(len(value) == 16 and int(value, 16) for values in tokens.values() for value in values)


def test_a_called_device_is_one_device_too() -> None:
    """In answers, towards whoever calls."""
    world = World(settings(privacy={"default": {"device": "pseudonymise"}}, routes=[{"to": ["access"]}]))
    seen = set()
    for number in range(2):
        call = CARRIER.request(
            uri=b"sip:alice@10.1.1.23:5062", branch=b"z9hG4bK%d" % number, call_id=b"call%d@x" % number
        )
        invite = next(data for _, data in world.receive(*call) if read(data).method)
        answer = ALICE.answer(invite, 200, headers=(b"X-Serialnumber: 00041325476C",))
        seen |= {read(data).items(b"x-serialnumber")[0] for _, data in world.receive(*answer)}
    assert len(seen) == 1
    assert b"00041325476C" not in seen


def test_an_operators_own_pattern_is_looked_for_everywhere(tmp_path: Path) -> None:
    """In kept values, display names, and tags, which are sealed where one stands in them."""
    own = tmp_path / "own.toml"
    own.write_text("[patterns]\nbadge = { category = 'device', pattern = 'ACME-\\d{6}' }\n")
    shown = {"default": {"content": "keep", "name": "keep", "number": "keep"}}
    for catalogue, told in (((), True), ((str(own),), False)):
        world = World(settings(catalogue=catalogue, privacy=shown))
        packet = ALICE.request(headers=(b"Subject: ACME-123456 calls",), tag=b"ACME-654321")
        data = packet.data.replace(b'"Alice Liddell"', b'"ACME-777777"')
        sent = next(data for peer, data in world.receive(packet.source, data) if peer == CARRIER.address)
        assert (b"ACME-123456" in sent, b"ACME-654321" in sent, b"ACME-777777" in sent) == (told, told, told)
