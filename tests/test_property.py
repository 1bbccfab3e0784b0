"""Any message made of the catalogue's entries, any policy, any order: nothing that is hidden arrives.

tests/plantings.py makes the messages. The oracle is exact and knows no precedence of its own: it reads the decision
that the policy made, and a canary may arrive only if all of its categories are kept in it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from config.vocabulary import SENSIBLE_ACTIONS, Action, Category
from filters.catalogue import load_catalogue
from filters.leaks import found_in
from filters.zones import Towards
from proxy.message import Message
from proxy.party import ACCESS, Party
from proxy.policy import action
from tests import world
from tests.agents import ALICE, CARRIER, Agent, Packet, read
from tests.plantings import Canaries, Planter
from tests.world import PHONE, SETTINGS, TRUNK, World

PLANTERS = {
    trusted: Planter(load_catalogue().towards(Towards.TRUSTED if trusted else Towards.UNTRUSTED))
    for trusted in (False, True)
}
METHODS = (
    b"INVITE", b"MESSAGE", b"OPTIONS", b"REFER", b"SUBSCRIBE", b"NOTIFY", b"INFO", b"UPDATE", b"PUBLISH", b"FOO",
    b"PRACK",
)  # fmt: skip
WISHES = ("id", "user", "header", "history", "none", "session", "critical", "full", "")
DIALLED = b"+15550100"
TAG = b"from1"
EXAMPLES = settings(
    max_examples=120, derandomize=True, phases=[Phase.generate], database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip


@st.composite
def levels(draw: st.DrawFn) -> dict[str, str]:
    """A level of policy: an action for some categories."""
    chosen = draw(st.dictionaries(st.sampled_from(Category), st.integers(0, 7), max_size=12))
    sensible = {category: SENSIBLE_ACTIONS[category] for category in chosen}
    return {
        category.name.lower(): sensible[category][number % len(sensible[category])].name.lower()
        for category, number in chosen.items()
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world with any policy."""
    open_ = {category.name.lower(): "keep" for category in Category}
    default = draw(st.sampled_from(({}, open_))) | draw(levels())
    carrier = SETTINGS["trunks"][0] | {"trusted": draw(st.booleans()), "privacy": draw(levels()), "record_budget": 400,
                                       "max_user": 1500}  # fmt: skip
    return World(
        world.settings(
            trunks=[carrier, *SETTINGS["trunks"][1:]],
            privacy={"floor": draw(st.one_of(st.just({}), levels())), "default": default},
            access={**SETTINGS["access"], "privacy": draw(levels()), "record_budget": 1024},
            routes=[{"source": "trunk", "to": ["access"]}, {"source": "access", "to": ["carrier"]}],
        )
    )


def carrier(of: World) -> Party:
    """Return the trunk as a hop."""
    trunk = of.settings.trunks[0]
    return Party(trunk.zone(emergency_call=False), trunk)


def planter(of: World) -> Planter:
    """Return the strategies for what this world's trunk may never see."""
    return PLANTERS[of.settings.trunks[0].trusted]


def privacy_lines(draw: st.DrawFn) -> list[bytes]:
    """Return a caller's wish, in one field or several, with `;` or `,`."""
    values = draw(st.lists(st.sampled_from(WISHES), max_size=2))
    joint = draw(st.sampled_from((";", ", ", "; ")))
    return [b"Privacy: " + joint.join(values).encode()] if values else []


def framed(lines: list[bytes], content_type: bytes, body: bytes) -> bytes:
    """Return header lines and body with what frames them."""
    if body:
        lines = [*lines, b"Content-Type: " + content_type]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


@st.composite
def requests(draw: st.DrawFn, of: World, canaries: Canaries, method: bytes) -> Packet:
    """A request of the phone's outside dialogs."""
    plant = planter(of)
    lines = [
        b"Via: SIP/2.0/UDP %b:5062;branch=z9hG4bKone;rport;%b=1"
        % (PHONE[0].encode(), canaries(Category.NETWORK)),
        b"Max-Forwards: 70",
        plant.from_(draw, canaries, TAG), plant.to(draw, canaries, DIALLED),
        b"Call-ID: %b@%b" % (canaries(Category.NETWORK), PHONE[0].encode()),
        b"CSeq: 1 " + method,
        plant.contact(draw, canaries, ALICE.host),
        *privacy_lines(draw),
        *(plant.header(draw, canaries) for _ in range(draw(st.integers(0, 12)))),
        *([plant.reference(draw, canaries)] if draw(st.booleans()) else []),
    ]  # fmt: skip
    lines = list(draw(st.permutations(lines)))
    content_type, body = plant.body(draw, canaries) if draw(st.booleans()) else (b"", b"")
    start = b"%b sip:%b@192.0.2.1 SIP/2.0" % (method, DIALLED)
    return Packet(PHONE, framed([start, *lines], content_type, body))


def expect_hidden(sent: list[tuple[tuple[str, int], bytes]], canaries: Canaries, decision: int) -> None:
    """Assert that no canary reached the trunk that the decision hides."""
    allowed = canaries.allowed(lambda category: action(decision, category) is Action.KEEP)
    for address, data in sent:
        if address == TRUNK:
            read(data)
            if action(decision, Category.NUMBER) is Action.INDICATE:
                # Hidden by indicator: the number stands in P-Asserted-Identity, and there alone (RFC 3325 §7).
                told = b"\r\n".join(line for line in data.split(b"\r\n") if not line.startswith(b"P-Asserted-Id"))
            else:
                told = data
            arrived = found_in(told, canaries.needs) - allowed
            assert not arrived, (sorted((value, canaries.needs[value]) for value in arrived), data)


@EXAMPLES
@given(st.data(), worlds(), st.sampled_from(METHODS))
def test_a_request_tells_only_what_is_kept(data: st.DataObject, of: World, method: bytes) -> None:
    """Outside dialogs; the answer finds the phone's own identifiers again, and what follows is as private."""
    canaries = Canaries()
    packet = data.draw(requests(of, canaries, method))
    request = read(packet.data)
    before = len(of.sent)
    of.receive(*packet)
    of.receive(*packet)
    arrived = [one for address, one in of.sent[before:] if address == TRUNK]
    event(f"{method.decode()} forwarded: {bool(arrived)}")
    if not arrived:
        return
    decision = of.privacy.decide(request, ACCESS, carrier(of))
    expect_hidden(of.sent[before:], canaries, decision)
    got = read(arrived[0])
    assert (got.from_tag, got.cseq, got.method) == (TAG, 1, method)
    assert DIALLED in got.uri
    expect_restored(of, request, arrived[0])
    if method == b"INVITE":
        expect_later_hidden(data, of, arrived[0], packet, decision)


def expect_restored(of: World, request: Message, arrived: bytes) -> None:
    """Answer, and assert that the phone sees its own identifiers as it wrote them."""
    [(_, data)] = of.receive(*CARRIER.answer(arrived, 200 if request.method == b"INVITE" else 486))
    answer = read(data)
    assert (answer.from_, answer.from_tag, answer.call_id) == (request.from_, request.from_tag, request.call_id)
    assert (answer.to, answer.cseq) == (request.to, request.cseq)
    assert [via.partition(b";")[0] for via in answer.items(b"via")] == [
        via.partition(b";")[0] for via in request.items(b"via")
    ]


def expect_later_hidden(data: st.DataObject, of: World, arrived: bytes, invite: Packet, decision: int) -> None:
    """Send a request in the dialog: the decision is pinned, and its identifiers are those of the first."""
    ok = next(one for address, one in reversed(of.sent) if address == PHONE and read(one).status == 200)
    canaries, plant = Canaries(b"wj"), planter(of)
    lines = [plant.header(data.draw, canaries) for _ in range(data.draw(st.integers(0, 6)))]
    method = data.draw(st.sampled_from((b"ACK", b"BYE", b"INFO", b"UPDATE", b"REFER", b"NOTIFY", b"PRACK", b"INVITE")))
    content_type, body = plant.body(data.draw, canaries) if data.draw(st.booleans()) else (b"", b"")
    if body:
        lines.append(b"Content-Type: " + content_type)
    before = len(of.sent)
    of.receive(*ALICE.within(method, ok, own=invite, headers=tuple(lines), body=body, contact=False))
    later = [one for address, one in of.sent[before:] if address == TRUNK]
    event(f"in the dialog {method.decode()} forwarded: {bool(later)}")
    expect_hidden(of.sent[before:], canaries, decision)
    for one in map(read, later):
        first = read(arrived)
        assert (one.call_id, one.from_, one.from_tag) == (first.call_id, first.from_, first.from_tag)


@EXAMPLES
@given(st.data(), worlds(), st.sampled_from((180, 183, 200, 302, 404, 407, 415, 486, 603)))
def test_a_response_tells_only_what_is_kept(data: st.DataObject, of: World, status: int) -> None:
    """Of a phone that the trunk calls; the trunk finds its own identifiers again."""
    call = CARRIER.invite(uri=b"sip:alice@10.1.1.23:5062", call_id=b"in-1@carrier.example")
    of.receive(*call)
    invited = next(one for address, one in of.sent if address == PHONE)
    canaries, plant = Canaries(), planter(of)
    lines = [plant.header(data.draw, canaries) for _ in range(data.draw(st.integers(0, 12)))]
    if status not in (302, 485):
        lines.append(plant.contact(data.draw, canaries, ALICE.host))
    content_type, body = plant.body(data.draw, canaries) if data.draw(st.booleans()) else (b"", b"")
    if body:
        lines.append(b"Content-Type: " + content_type)
    before = len(of.sent)
    answer = Agent(PHONE, b"alice").answer(
        invited, status, contact=b"", headers=tuple(data.draw(st.permutations(lines))), body=body,
        reason=canaries(Category.UNKNOWN),
    )  # fmt: skip
    of.receive(*answer)
    sent = [one for address, one in of.sent[before:] if address == TRUNK and read(one).status]
    event(f"{status} forwarded: {bool(sent)}")
    expect_hidden(of.sent[before:], canaries, of.privacy.towards(carrier(of)))
    asked = read(call.data)
    for got in map(read, sent):
        assert (got.from_, got.from_tag, got.call_id, got.cseq) == (asked.from_, TAG, asked.call_id, asked.cseq)


@settings(
    max_examples=40, derandomize=True, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_what_is_kept_does_arrive(data: st.DataObject) -> None:
    """Under a policy that hides nothing nearly all canaries arrive: the other tests look for what is there."""
    everything: dict[str, Any] = {category.name.lower(): "keep" for category in Category}
    trunk = SETTINGS["trunks"][0] | {"trusted": True, "privacy": everything, "record_budget": 1024, "max_user": 1500}
    of = World(world.settings(trunks=[trunk, *SETTINGS["trunks"][1:]]))
    canaries = Canaries()
    packet = data.draw(requests(of, canaries, b"OPTIONS"))
    arrived = [one for address, one in of.receive(*packet) if address == TRUNK]
    if arrived and b"privacy" not in read(packet.data).index:  # a withheld number takes others along
        planted = found_in(packet.data, canaries.allowed(lambda category: True))
        assert len(found_in(arrived[0], planted)) > 0.8 * len(planted)
