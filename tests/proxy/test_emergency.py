"""Emergency calls and call-backs (standards.md §2.6): nothing refuses them, nothing that fails stops them."""

from __future__ import annotations

from typing import Any

import pytest

from config.vocabulary import Zone
from proxy.emergency import as_psap, is_callback, is_exempt
from proxy.message import Draft
from proxy.party import Party
from proxy.policy import EditContext
from tests.agents import ALICE, CARRIER, PBX, PSAP, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.world import OTHER_PHONE, SETTINGS, WALL, World, settings

SOS = ALICE.invite(uri=b"urn:service:sos")
MARKED = (b"Priority: psap-callback",)
DEVICE = b"User-Agent: Phone/1"
FAULTS = ("decide", "towards", "plan", "apply", "address")


def callback(uri: bytes, **changes: Any) -> Packet:
    return PSAP.invite(uri=uri, call_id=b"back@psap", branch=b"z9hG4bKback", **changes)


def called(world: World | None = None) -> Ladder:
    """An emergency call that was answered; its Contact is in ladder[b"INVITE"]."""
    ladder = Ladder(world) >> SOS << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    return ladder >> PSAP.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


def contact_of(data: bytes) -> bytes:
    contact = read(data).address(b"contact")
    assert contact is not None
    return contact.uri


class Failing:
    """A privacy side of which one part raises."""

    def __init__(self, real: Any, part: str) -> None:
        self._real, self._part = real, part

    def _of(self, part: str) -> Any:
        if part == self._part:
            raise RuntimeError("secret")
        return self._real

    def decide(self, *arguments: Any) -> Any:
        return self._of("decide").decide(*arguments)

    def towards(self, hop: Party) -> Any:
        return self._of("towards").towards(hop)

    def plan(self, decision: int, hop: Party) -> Any:
        plan = self._of("plan").plan(decision, hop)
        return FailingPlan(plan, self._part) if self._part in ("apply", "address") else plan

    def leaks(self, text: bytes) -> Any:
        return self._real.leaks(text)


class FailingPlan:
    """A plan of which one part raises."""

    def __init__(self, real: Any, part: str) -> None:
        self._real, self._part = real, part
        self.keeps_all = False

    def apply(self, draft: Draft, context: EditContext) -> None:
        if self._part == "apply":
            raise RuntimeError("secret")
        self._real.apply(draft, context)

    def address(self, *arguments: Any, is_from: bool) -> Any:
        if self._part == "address":
            raise RuntimeError("secret")
        return self._real.address(*arguments, is_from=is_from)

    def contact_params(self, params: bytes) -> Any:
        return self._real.contact_params(params)


def failing(part: str, **changes: Any) -> World:
    world = World(settings(**changes))
    world.privacy = Failing(world.privacy, part)
    world.new_core()
    return world


# --- a filter or a store that fails


@pytest.mark.parametrize("part", FAULTS)
def test_a_filter_that_fails_does_not_stop_it(part: str) -> None:
    """E3: the call, its answer and its end go through complete, less credentials; any other call fails closed."""
    headers = (b"Geolocation: <cid:me@x>", DEVICE, b'Authorization: Digest realm="sip.example.net", username="alice"')
    world = failing(part)
    invite = ALICE.invite(uri=b"sip:911@192.0.2.1", headers=headers)
    ladder = Ladder(world) >> invite << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    sent = ladder[b"INVITE"]
    for kept in (b"Geolocation", DEVICE, b"Alice Liddell"):
        assert kept in sent
    assert b"Authorization" not in sent
    answer = PSAP.answer(sent, 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(PSAP, b"ACK")
    ladder = ladder >> PSAP.within(b"BYE", sent, own=answer) << Sent(ALICE, b"BYE")
    assert ladder
    assert world.count("privacy_overrides", "filter") > 0
    assert world.count("privacy_overrides", "emergency") == 1
    other = Ladder(failing(part)) >> ALICE.invite()
    assert {read(data).status for _, data in other.left} <= {100, 500}


# --- nothing refuses it


@pytest.mark.parametrize(
    "headers",
    [
        (b"Proxy-Require: unheard-of",),
        (b"Require: unheard-of",),
        (b"Route: <sip:192.0.2.77;lr>",),
        (b"Route: <<>",),
        (b"Record-Route: <sip:10.1.1.1;lr>",),
        (b"Record-Route: <<>",),
        (b"Path: <sip:10.1.1.1;lr>",),
        (b"Privacy: session;critical",),
        (b"Content-Type: application/sdp", b"Content-Encoding: gzip"),
        tuple(b"Record-Route: <sip:%d.example;lr>" % number for number in range(20)),
    ],
)
@pytest.mark.parametrize("uri", [b"urn:service:sos", b"sip:*67911@192.0.2.1", b"tel:%2A67112", b"tel:+112"])
def test_what_other_calls_are_refused_for_does_not_refuse_it(headers: tuple[bytes, ...], uri: bytes) -> None:
    """However it is dialled: with a prefix that withholds the number too."""
    ladder = Ladder() >> ALICE.invite(uri=uri, headers=headers) << Sent(ALICE, 100)
    ladder = ladder << Sent(PSAP, b"INVITE")
    assert ladder >> PSAP.answer(ladder[b"INVITE"], 486) << Sent(PSAP, b"ACK") << Sent(ALICE, 486)


def test_a_contact_that_no_record_holds_does_not_stop_it() -> None:
    """Without a record the two ends talk to each other; that is better than no call."""
    long = ALICE.invite(uri=b"urn:service:sos", contact=False, headers=(b"Contact: <sip:%b@10.1.1.23>" % (b"a" * 900),))
    assert Ladder() >> long << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")


def test_a_loop_is_one_all_the_same() -> None:
    """RFC 5393: a call that circles helps nobody."""
    assert Ladder() >> ALICE.invite(uri=b"urn:service:sos", max_forwards=0) << Sent(ALICE, 483)


def test_the_core_may_name_the_psap_in_route() -> None:
    """RFC 6881 ED-62.2: Request-URI urn:service:sos, and the PSAP in Route: an emergency trunk is one there too."""
    route = b"Route: <sip:%b:5060;lr>" % PSAP.address[0].encode()
    call = PBX.invite(uri=b"urn:service:sos", headers=(route, DEVICE))
    ladder = Ladder() >> call << Sent(PBX, 100) << Sent(PSAP, b"INVITE")
    assert DEVICE in ladder[b"INVITE"]
    assert ladder


@pytest.mark.parametrize(
    "routes",
    [
        [{"emergency": True, "prefix": "911", "to": ["psap"]}],
        [{"emergency": True, "methods": ["MESSAGE"], "to": ["psap"]}],
        [{"emergency": True, "source": "core", "to": ["psap"]}, {"source": "trunk", "to": ["core"]}],
        [{"emergency": True, "source": "access", "to": ["core"]}, {"emergency": True, "to": ["psap"]}],
    ],
)
def test_a_narrow_line_is_rather_widened_than_the_call_refused(routes: list[dict[str, object]]) -> None:
    core = {**SETTINGS["core"], "next_hop": None}
    ladder = Ladder(World(settings(routes=routes, core=core))) >> SOS << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert ladder


# --- told from others


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:911@sip.example.net;user=dialstring",
        b"sip:911;phone-context=atlanta.example.com@192.0.2.1;user=dialstring",
        b"sips:911@192.0.2.1;user=phone",
        b"urn:service:test.sos.fire",
        b"sip:9933@192.0.2.1",
    ],
)
def test_dial_strings(uri: bytes) -> None:
    """RFC 4967, NENA's user=phone, a configured number, the test service: the whole call is exempt."""
    world = World(settings(emergency={"numbers": ["911", "9933"]}))
    ladder = Ladder(world) >> ALICE.invite(uri=uri, headers=(DEVICE,)) << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert DEVICE in ladder[b"INVITE"]
    assert ladder
    assert world.count("privacy_overrides", "emergency") == 1
    assert [event.detail for event in world.events if event.kind == "privacy-override"] == ["emergency"]


def test_towards_any_other_hop_it_is_no_override() -> None:
    world = World(settings(routes=[{"to": ["carrier"]}]))
    ladder = Ladder(world) >> SOS._replace(data=SOS.data.replace(b"urn:service:sos", b"sip:911@192.0.2.1"))
    assert ladder << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert world.count("privacy_overrides", "emergency") == 0


def test_who_is_exempt() -> None:
    psap = Party(Zone.PSAP, None)
    trunk = Party(Zone.TRUNK, None)
    phone, core = Party(Zone.ACCESS), Party(Zone.CORE)
    exempt = [is_exempt(one, emergency=True, callback=False) for one in (psap, trunk, phone, core)]
    assert exempt == [True, False, False, False]
    exempt = [is_exempt(one, emergency=False, callback=True) for one in (psap, trunk, phone, core)]
    assert exempt == [False, False, True, True]


# --- call-backs


def test_the_contact_of_an_emergency_call_is_good_outside_its_dialog() -> None:
    """ED-62.5: it reaches the phone over its flow, with all that the PSAP may know of it; its parameters stay."""
    contact = b'Contact: "Alice" <sip:alice@10.1.1.23:5062>;+sip.instance="<urn:uuid:1>"'
    sos = ALICE.invite(uri=b"urn:service:sos", contact=False, headers=(contact,))
    ladder = Ladder() >> sos << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    given = read(ladder[b"INVITE"]).value(b"contact")
    assert given is not None
    assert given.startswith(b'"Alice" <sip:')
    assert given.endswith(b'@192.0.2.1:5060>;+sip.instance="<urn:uuid:1>"')
    answer = PSAP.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    ladder = ladder >> PSAP.within(b"BYE", ladder[b"INVITE"], own=answer) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).uri == b"sip:alice@10.1.1.23:5062"
    ladder = ladder >> callback(contact_of(ladder[b"INVITE"])) << Sent(PSAP, 100) << Sent(ALICE, b"INVITE")
    assert read(ladder[b"INVITE"]).uri == b"sip:alice@10.1.1.23:5062"
    assert ladder


def test_a_gruu_is_left() -> None:
    """It works from everywhere by itself (RFC 5627)."""
    contact = b"Contact: <sip:alice@sip.example.net;gr=urn:uuid:1>"
    sos = ALICE.invite(uri=b"urn:service:sos", contact=False, headers=(contact,))
    ladder = Ladder() >> sos << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert contact in ladder[b"INVITE"]
    assert ladder


def test_the_answer_to_a_call_back_is_complete() -> None:
    """Towards the PSAP nothing is hidden, in its own dialog as in the caller's."""
    ladder = called()
    call = callback(contact_of(ladder[b"INVITE"]))
    ladder = ladder >> call << Sent(PSAP, 100) << Sent(ALICE, b"INVITE")
    answer = ALICE.answer(ladder[b"INVITE"], 200, headers=(b"Server: Phone/1", b"Geolocation: <cid:me@x>"))
    ladder = ladder >> answer << Sent(PSAP, 200)
    assert b"Server: Phone/1" in ladder[200]
    assert b"Geolocation" in ladder[200]
    assert b"10.1.1.23" not in contact_of(ladder[200]), "reachable from outside"
    invite, ok = ladder[b"INVITE"], ladder[200]
    ladder = ladder >> PSAP.within(b"ACK", ok, own=call, cseq=1) << Sent(ALICE, b"ACK")
    ladder = ladder >> PSAP.within(b"INFO", ok, own=call, cseq=2) << Sent(ALICE, b"INFO")
    ladder = ladder >> ALICE.answer(ladder[b"INFO"], 200, headers=(b"Server: Phone/1",)) << Sent(PSAP, 200)
    assert b"Server: Phone/1" in ladder[200]
    ladder = ladder >> ALICE.within(b"BYE", invite, own=answer, headers=(DEVICE,)) << Sent(PSAP, b"BYE")
    assert DEVICE in ladder[b"BYE"]
    assert ladder
    world = ladder.world
    assert world.count("privacy_overrides", "callback") == 1


def test_no_limit_holds_within_the_window() -> None:
    """`limits.contact_calls` bounds calls through a Contact; not a PSAP's, until `emergency.callback` is over."""
    world = World(settings(limits={"contact_calls": 1}, emergency={"callback": 300}))
    uri = contact_of(called(world)[b"INVITE"])

    def again(number: int) -> list[int]:
        call = PSAP.invite(uri=uri, call_id=b"b%d" % number, branch=b"z9hG4bKb%d" % number)
        return [read(data).status for _, data in world.receive(*call)]

    assert [again(number) for number in range(3)] == [[100, 0]] * 3
    world.core.set_wall(world.now, WALL + 301)
    assert [again(number) for number in range(3, 5)] == [[100, 0], [480]], "then it is a Contact like others"


def test_a_contact_serves_the_trunk_that_it_was_given_to() -> None:
    """No other gets a call-back through it."""
    ladder = called()
    uri = contact_of(ladder[b"INVITE"])
    call = CARRIER.invite(uri=uri, call_id=b"b", branch=b"z9hG4bKb", headers=MARKED)
    assert ladder >> call << Sent(CARRIER, 403)


@pytest.mark.parametrize("uri", [b"sip:+15550142@192.0.2.1", b"sip:8@192.0.2.1"])
def test_a_marked_call_back_takes_the_ordinary_route(uri: bytes) -> None:
    """RFC 7090: by number, to the subscriber's registrar; the mark stays, and what comes back is complete."""
    call = callback(uri, headers=MARKED)
    ladder = Ladder() >> call << Sent(PSAP, 100) << Sent(PBX, b"INVITE")
    assert MARKED[0] in ladder[b"INVITE"]
    ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200, headers=(b"Server: Pbx/1",)) << Sent(PSAP, 200)
    assert b"Server: Pbx/1" in ladder[200]
    assert ladder


@pytest.mark.parametrize("agent", [ALICE, CARRIER])
def test_nobody_else_is_believed(agent: Agent) -> None:
    """RFC 7090 §6: the mark of others is taken out, or a called phone would set its rules aside for it."""
    call = agent.invite(uri=b"sip:8@192.0.2.1", call_id=b"b", branch=b"z9hG4bKb", headers=MARKED)
    ladder = Ladder() >> call << Sent(agent, 100) << Sent(PBX, b"INVITE")
    assert b"psap-callback" not in ladder[b"INVITE"]
    assert ladder
    assert ladder.world.count("privacy_overrides", "callback") == 0


def test_the_core_is_believed() -> None:
    """It may pass a call-back on that came through it."""
    phone = Agent(OTHER_PHONE, b"bob")
    call = PBX.invite(uri=b"sip:bob@10.1.1.99", headers=MARKED)
    ladder = Ladder() >> call << Sent(PBX, 100) << Sent(phone, b"INVITE")
    assert MARKED[0] in ladder[b"INVITE"]
    assert ladder


def test_another_trunk_gets_no_exemption() -> None:
    """An emergency trunk that marks a call to some number: it is filtered on its way to a trunk, like every call."""
    world = World(settings(routes=[{"source": "trunk", "to": ["carrier"]}]))
    call = callback(b"sip:+15550142@192.0.2.1", headers=(*MARKED, DEVICE))
    ladder = Ladder(world) >> call << Sent(PSAP, 100) << Sent(CARRIER, b"INVITE")
    assert b"Phone/1" not in ladder[b"INVITE"]
    assert b"psap-callback" not in ladder[b"INVITE"]
    assert ladder


@pytest.mark.parametrize("part", FAULTS)
def test_a_filter_that_fails_does_not_stop_a_call_back(part: str) -> None:
    world = failing(part)
    ladder = Ladder(world) >> callback(b"sip:8@192.0.2.1", headers=MARKED) << Sent(PSAP, 100) << Sent(PBX, b"INVITE")
    assert ladder >> PBX.answer(ladder[b"INVITE"], 200) << Sent(PSAP, 200)


def test_a_full_table_takes_call_backs() -> None:
    """`limits.transactions` (and overload: tests/proxy/test_refusal.py)."""
    world = World(settings(limits={"transactions": 100}))
    uri = contact_of(called(world)[b"INVITE"])
    for number in range(100):
        world.receive(ALICE.address, ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number).data)
    refused = PSAP.invite(uri=b"sip:8@192.0.2.1", branch=b"z9hG4bKplain", call_id=b"plain")
    assert [read(data).status for _, data in world.receive(*refused)] == [503]
    assert [read(data).status for _, data in world.receive(*callback(uri))] == [100, 0]


def test_only_a_new_invite_is_a_call_back() -> None:
    world = World()
    generation = world.core.generation
    psap = generation.network.party_of(PSAP.address)
    assert psap is not None
    for packet, expected in (
        (callback(b"sip:8@192.0.2.1", headers=MARKED), True),
        (callback(b"sip:8@192.0.2.1", headers=(b"Priority: PSAP-Callback ",)), True),
        (callback(b"sip:8@192.0.2.1", headers=(b"Priority: emergency",)), False),
        (callback(b"sip:%zz@192.0.2.1"), False),
        (callback(b"tel:+15550142"), False),
        (PSAP.request(b"MESSAGE", headers=MARKED), False),
    ):
        assert is_callback(generation, read(packet.data), psap, WALL) is expected
    assert as_psap(generation, psap).zone is Zone.PSAP


@pytest.mark.parametrize("who", [PSAP, ALICE])
def test_nothing_that_is_asked_for_later_refuses_it(who: Agent) -> None:
    """`critical` is ignored within the call too (standards.md §2.6 E3), whoever writes it."""
    ladder = called()
    line = (b"Privacy: session;critical;unheard-of",)
    if who is ALICE:
        update, far = ALICE.within(b"UPDATE", ladder[200], own=SOS, headers=line), PSAP
    else:
        answer = PSAP.answer(ladder[b"INVITE"], 200)
        update, far = PSAP.within(b"UPDATE", ladder[b"INVITE"], own=answer, headers=line), ALICE
    assert ladder >> update << Sent(far, b"UPDATE")
