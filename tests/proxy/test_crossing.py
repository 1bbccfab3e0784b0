"""Crossings make the two dialog records, each for its side (dialogs.md "Two records a dialog")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.vocabulary import Zone
from proxy import initial
from proxy.crossing import Crossing, Records, context, keeps_record_route, packed
from proxy.encoding import from_base64
from proxy.flow import Flow
from proxy.initial import Arrival, Destination
from proxy.record import HARD_LIMIT, Mark, Record, RecordTooBig, decode
from proxy.tokens import Purpose
from proxy.uri import parse_sip_uri
from tests.agents import ALICE, read
from tests.world import PHONE, PROXY, SETTINGS, TRUNK, WALL, World, settings

NEAR, FAR = Flow("UDP", PROXY, PHONE), Flow("UDP", PROXY, TRUNK)


def crossing(world: World | None = None, **invite: Any) -> tuple[World, Crossing]:
    """Return the crossing of ALICE's INVITE to the carrier."""
    world = world or World()
    generation = world.core.generation
    request = read(ALICE.invite(**invite).data)
    source = generation.network.party_of(PHONE)
    assert source is not None
    arrival = Arrival(request, parse_sip_uri(request.uri), source, NEAR, WALL)
    (hop,) = generation.network.route(request, arrival.uri, source, emergency=False)
    made = initial.cross(generation, arrival, Destination(hop, b""), (), emergency=False)
    made.far_flow = FAR
    return world, made


def records(world: World) -> Records:
    generation = world.core.generation
    return Records(generation.tokens, generation.identity)


def opened(world: World, user: bytes, purpose: Purpose) -> Record:
    found = world.core.generation.tokens.open(from_base64(user))
    assert found is not None
    assert found.purpose is purpose
    return decode(found.payload)


def test_the_callees_record_leads_back_to_the_caller() -> None:
    """It serves requests from the callee's side: caller's target, flow and route set, original From and To."""
    world, made = crossing()
    user = records(world).route(made, for_near=False, target=b"sip:alice@10.1.1.23:5062", routes=(b"sip:p.example;lr",))
    record = opened(world, user, Purpose.ROUTE)
    assert not record.marks & Mark.FROM_CALLER
    assert (record.near.zone, record.far.zone) == (Zone.TRUNK, Zone.ACCESS)
    assert (record.target, record.flow, record.routes) == (b"sip:alice@10.1.1.23:5062", NEAR, (b"sip:p.example;lr",))
    assert record.from_original is not None
    assert record.from_original.uri == b"sip:alice@sip.example.net"
    assert record.from_outward is not None
    assert b"alice" not in record.from_outward.uri


def test_the_callers_record_leads_to_the_callee() -> None:
    """It serves requests from the caller's side: callee's target, route set and the trunk."""
    world, made = crossing()
    user = records(world).route(made, for_near=True, target=b"sip:gw@198.51.100.7", routes=())
    record = opened(world, user, Purpose.ROUTE)
    assert record.marks & Mark.FROM_CALLER
    assert (record.near.zone, record.far.zone) == (Zone.ACCESS, Zone.TRUNK)
    assert record.far.trunk_id == made.far.end.trunk_id != 0
    assert (record.target, record.flow) == (b"sip:gw@198.51.100.7", FAR)


def test_both_records_are_of_one_dialog() -> None:
    """The same fingerprint, call, subscriber, issue time and decisions, and different tokens."""
    world, made = crossing()
    users = [records(world).route(made, for_near=near, target=b"sip:x@h", routes=()) for near in (True, False)]
    one, other = (opened(world, user, Purpose.ROUTE) for user in users)
    assert users[0] != users[1]
    for name in ("fingerprint", "call", "subscriber", "issued", "to_callee", "to_caller", "caller", "callee"):
        assert getattr(one, name) == getattr(other, name)
    assert one.fingerprint == world.core.generation.identity.fingerprint(3, b"call-1@10.1.1.23", b"from1")
    assert one.issued == WALL


def test_a_second_call_of_the_same_subscriber_has_other_tokens() -> None:
    """dialogs.md "Opening", 3: also where everything but the Call-ID is the same."""
    world, first = crossing()
    _, second = crossing(world, call_id=b"call-2@10.1.1.23")
    one, other = (
        records(world).contact(made, for_near=False, target=b"sip:a@h", routes=()) for made in (first, second)
    )
    assert one != other
    assert one[8:] not in other


def test_the_same_request_makes_the_same_tokens() -> None:
    """A retransmission after a restart is the same bytes."""
    users = []
    for _ in range(2):
        world, made = crossing()
        users.append(records(world).route(made, for_near=False, target=b"sip:a@h", routes=()))
    assert users[0] == users[1]


def test_a_contact_holds_only_target_and_flow_where_record_route_is_kept() -> None:
    """The rest stands in the Record-Route of the same message."""
    world, made = crossing()
    user = records(world).contact(made, for_near=False, target=b"sip:alice@10.1.1.23:5062", routes=(b"sip:p;lr",))
    record = opened(world, user, Purpose.CONTACT)
    assert (record.target, record.flow) == (b"sip:alice@10.1.1.23:5062", NEAR)
    assert (record.routes, record.from_original, record.to_outward, record.call_id) == ((), None, None, b"")


def test_a_contact_holds_the_whole_record_where_record_route_is_dropped() -> None:
    """dialogs.md "Trunk profile": record_route = no."""
    carrier, *others = SETTINGS["trunks"]
    world = World(
        settings(trunks=[{**carrier, "record_route": False, "record_budget": 512, "max_user": 1500}, *others])
    )
    world, made = crossing(world)
    assert not keeps_record_route(made.hop.party)
    record = opened(
        world, records(world).contact(made, for_near=False, target=b"sip:a@h", routes=(b"sip:p;lr",)), Purpose.CONTACT
    )
    assert record.routes == (b"sip:p;lr",)
    assert record.from_original is not None


def test_what_exceeds_the_budget_towards_the_hop_is_refused_but_a_response_is_not() -> None:
    """dialogs.md: 513 for a request; a response cannot be refused, nor an emergency call."""
    world, made = crossing()
    routes = tuple(b"sip:proxy%d.example.com:5070;lr" % nth for nth in range(8))
    with pytest.raises(RecordTooBig):
        records(world).route(made, for_near=False, target=b"sip:a@h", routes=routes)
    user = records(world).route(made, for_near=True, target=b"sip:a@h", routes=routes)
    assert opened(world, user, Purpose.ROUTE).routes == routes
    made.emergency = True
    assert opened(world, records(world).route(made, for_near=False, target=b"sip:a@h", routes=routes), Purpose.ROUTE)
    with pytest.raises(RecordTooBig):
        records(world).route(
            made, for_near=True, target=b"sip:" + b"x" * 300 + b"@h", routes=(b"sip:" + b"y" * 390,) * 3
        )
    assert HARD_LIMIT == 1024


def test_a_user_part_longer_than_the_trunk_takes_is_refused() -> None:
    """dialogs.md "Trunk profile": longest user part."""
    carrier, *others = SETTINGS["trunks"]
    world, made = crossing(World(settings(trunks=[{**carrier, "max_user": 128}, *others])))
    with pytest.raises(RecordTooBig):
        records(world).route(made, for_near=False, target=b"sip:alice@10.1.1.23:5062", routes=())


def test_base32_is_written_for_trunks_that_lose_case() -> None:
    """dialogs.md "Trunk profile": token alphabet."""
    carrier, *others = SETTINGS["trunks"]
    world = World(settings(trunks=[{**carrier, "token_alphabet": "base32", "max_user": 1500}, *others]))
    world, made = crossing(world)
    user = records(world).route(made, for_near=False, target=b"sip:a@h", routes=())
    assert user == user.lower()
    found = world.core.generation.tokens.open_text(user.upper())
    assert found is not None
    assert found.purpose is Purpose.ROUTE


@pytest.mark.parametrize("first", [True, False], ids=["before a token was made", "afterwards"])
def test_a_packed_record_makes_the_same_tokens_again(*, first: bool) -> None:
    """A second 2xx of the same call: what was let go is made again, with the issue time that it had."""
    world, made = crossing()
    makers = records(world)

    def users() -> list[bytes]:
        return [
            make(made, for_near=near, target=b"sip:a@h", routes=())
            for make in (makers.route, makers.contact)
            for near in (True, False)
        ]

    payload = packed(made) if first else b""
    before = users()
    payload = payload or packed(made)
    made.base = decode(payload)
    assert made.base.issued == made.issued
    made.mould = None
    made.sealed.clear()
    assert users() == before


def test_a_change_of_flow_is_seen() -> None:
    """A hop that was looked up after all: the token of before does not lead there."""
    world, made = crossing()
    makers = records(world)
    makers.route(made, for_near=True, target=b"sip:a@h", routes=())
    made.far_flow = Flow("UDP", PROXY, ("198.51.100.9", 5060))
    made.sealed.clear()
    user = makers.route(made, for_near=True, target=b"sip:a@h", routes=())
    assert opened(world, user, Purpose.ROUTE).flow == made.far_flow


def test_names_leave_a_record_that_is_too_long_and_what_is_remembered_agrees() -> None:
    """The plain form takes over where the mould cannot; memory holds what the bytes hold."""
    world, made = crossing()
    made.passage = replace(made.passage, far_budget=96)
    user = records(world).route(made, for_near=False, target=b"sip:alice@10.1.1.23:5062", routes=())
    here = world.core.generation.tokens.open_text(user)
    assert here is not None
    assert here.record == opened(world, user, Purpose.ROUTE)
    assert here.record.to_original is None


def test_a_pseudonym_is_of_one_call_one_side_and_one_value() -> None:
    """Stable within a dialog, different elsewhere."""
    world, made = crossing()
    _, other = crossing(world, call_id=b"call-2@10.1.1.23")
    tokens = world.core.generation.tokens

    def pseudonym(of: Crossing, value: bytes, *, towards_far: bool = True) -> bytes:
        return context(of, tokens, of.request, towards_far=towards_far).pseudonym(value)

    values = {
        pseudonym(made, b"x"), pseudonym(made, b"y"), pseudonym(other, b"x"), pseudonym(made, b"x", towards_far=False)
    }  # fmt: skip
    assert len(values) == 4
    assert all(len(value) == 16 and int(value, 16) >= 0 for value in values)
    assert pseudonym(made, b"x") == pseudonym(crossing()[1], b"x")


def test_a_lasting_pseudonym_is_of_one_side_and_one_value() -> None:
    """The same in all calls towards one side, and nothing that two of them could compare."""
    world, made = crossing()
    _, other = crossing(world, call_id=b"call-2@10.1.1.23")
    tokens = world.core.generation.tokens
    far, again = (context(one, tokens, one.request, towards_far=True) for one in (made, other))
    near = context(made, tokens, made.request, towards_far=False)
    assert far.lasting(b"x") == again.lasting(b"x")
    assert len({far.lasting(b"x"), far.lasting(b"y"), near.lasting(b"x"), far.pseudonym(b"x")}) == 4


def test_edits_are_told_which_message_and_which_side() -> None:
    """Origin is what the side that reads the message is told of us."""
    world, made = crossing()
    far = context(made, world.core.generation.tokens, made.request, towards_far=True)
    assert (far.is_request, far.method, far.status, far.origin) == (True, b"INVITE", 0, b"192.0.2.1:5060")
