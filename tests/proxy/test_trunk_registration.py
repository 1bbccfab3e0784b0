"""One registration at a trunk: made, renewed, tried again."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from proxy.trunk_registration import MOST_RETRY_AFTER, SOONEST, spread
from tests.agents import ALICE, CARRIER, Agent, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.passwords import ask, is_right
from tests.proxy.registering import asked, contact, next_register, ok, registered, with_password, world
from tests.world import SETTINGS, World

SPARE = Agent(("198.51.100.17", 5060), b"spare")
SECURE = {"name": "secure", "address": "192.0.2.1", "port": 5061, "transport": "tls"}
TCP = {"name": "stream", "address": "192.0.2.1", "port": 5070, "transport": "tcp"}


def outcome(ladder: Ladder, what: str) -> int:
    return ladder.world.count("trunk_registrations", what)


def is_up(ladder: Ladder) -> bool:
    return ladder.world.core.registrations.is_up("carrier")


def test_the_register_tells_our_address_and_nothing_else() -> None:
    sent = read(asked()[b"REGISTER"])
    assert (sent.uri, sent.from_.uri, sent.to.uri) == (b"sip:carrier.example", *[b"sip:+15550100@carrier.example"] * 2)
    user, _, where = contact(asked()[b"REGISTER"])[5:].partition(b"@")
    assert (len(user), where) == (24, b"192.0.2.1:5060>;expires=3600")
    assert not {b"user-agent", b"allow", b"route"} & set(sent.names)


def test_it_is_renewed_before_its_time_is_over_with_the_next_cseq() -> None:
    ladder = registered(expires=600)
    first = read(ladder[b"REGISTER"])
    assert next_register(ladder, 600 * 0.85 * 0.9 - 2) is None
    second = next_register(ladder, 600 * 0.85 * 0.1 + 4)
    assert second is not None
    assert (read(second).call_id, read(second).cseq) == (first.call_id, first.cseq + 1)
    assert contact(second) == contact(ladder[b"REGISTER"])


def test_the_shortest_time_does_not_make_us_ask_all_the_time() -> None:
    ladder = registered(expires=1)
    assert next_register(ladder, SOONEST - 1) is None
    assert outcome(ladder, "lapsed") == 1
    assert next_register(ladder, 3) is not None


@pytest.mark.parametrize(
    ("headers", "said", "until"),
    [((b"Expires: 200",), None, 200), ((), None, 3600), ((b"Expires: x",), None, 3600), ((b"Expires: 90",), 300, 300)],
)
def test_the_time_is_that_of_our_contact_else_that_of_the_answer(
    headers: tuple[bytes, ...], said: int | None, until: int
) -> None:
    ladder = asked()
    ladder = ladder >> ok(ladder[b"REGISTER"], said, *headers)
    assert next_register(ladder, until * 0.85 * 0.9 - 2) is None
    assert next_register(ladder, until * 0.85 * 0.1 + 5) is not None


def test_a_challenge_is_answered_and_nobody_hears_of_it() -> None:
    ladder = asked(with_password())
    first = read(ladder[b"REGISTER"])
    ladder = ladder >> ask(CARRIER, ladder[b"REGISTER"], status=401) << Sent(CARRIER, b"REGISTER")
    again = ladder[b"REGISTER"]
    assert is_right(again, b"authorization")
    assert (read(again).call_id, read(again).cseq) == (first.call_id, first.cseq + 1)
    assert read(again).via.branch != first.via.branch
    ladder = ladder >> ok(again)
    assert is_up(ladder)
    renewed = next_register(ladder, 600)
    assert renewed is not None
    assert is_right(renewed, b"authorization")
    assert read(renewed).cseq == first.cseq + 2


def test_a_wrong_password_waits_like_any_failure() -> None:
    ladder = asked(with_password(retry=30.0))
    ladder = ladder >> ask(CARRIER, ladder[b"REGISTER"], status=401) << Sent(CARRIER, b"REGISTER")
    ladder = ladder >> ask(CARRIER, ladder[b"REGISTER"], b"n2", status=401) << Silence()
    assert (is_up(ladder), outcome(ladder, "password")) == (False, 1)
    assert [(each.kind, each.peer, each.detail) for each in ladder.world.events if "regist" in each.kind] == [
        ("registration-failed", "carrier", "password")
    ]
    assert next_register(ladder, 14) is None
    assert next_register(ladder, 17) is not None


def test_423_is_obeyed_once() -> None:
    ladder = asked()
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], 423, headers=(b"Min-Expires: 7200",))
    ladder = ladder << Sent(CARRIER, b"REGISTER")
    assert contact(ladder[b"REGISTER"]).endswith(b";expires=7200")
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], 423, headers=(b"Min-Expires: 9000",)) << Silence()
    assert outcome(ladder, "refused") == 1


@pytest.mark.parametrize("least", [b"Min-Expires: 60", b"Min-Expires: 999999999", b"Min-Expires: x", b"X: y"])
def test_a_423_of_no_use_is_a_failure(least: bytes) -> None:
    ladder = asked()
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], 423, headers=(least,)) << Silence()
    assert outcome(ladder, "refused") == 1


@pytest.mark.parametrize("status", [302, 400, 403, 404, 603])
def test_a_refusal_leads_nowhere_else(status: int) -> None:
    """A redirection neither: what a registrar says adds no hop."""
    ladder = asked(world(carrier={"hosts": ["198.51.100.7:5060", "198.51.100.17:5060"]}))
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], status, contact=b"<sip:203.0.113.66>") << Silence()
    assert outcome(ladder, "refused") == 1


def test_failures_wait_ever_longer_and_not_for_ever() -> None:
    ladder = asked(world({"retry": 10.0, "retry_most": 40.0}))
    before = ladder.world.now
    waits = []
    request: bytes | None = ladder[b"REGISTER"]
    for _ in range(5):
        assert request is not None
        ladder = ladder >> CARRIER.answer(request, 403)
        request = next_register(ladder, 100)
        waits.append(ladder.world.now - before)
        before = ladder.world.now
    for wait, most in zip(waits, (10, 20, 40, 40, 40), strict=True):
        assert most / 2 - 1 <= wait <= most + 1


def test_a_200_with_a_contact_that_cannot_be_read_is_one() -> None:
    """What it does not say is as we asked for it; it ends no registration for good."""
    ladder = asked(world({"expires": 600}))
    broken = contact(ladder[b"REGISTER"]).partition(b";")[0] + b";expires=90 s"
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], 200, contact=broken) << Silence()
    assert is_up(ladder)
    assert next_register(ladder, 600) is not None


@pytest.mark.parametrize("status", [403, 500, 503])
def test_retry_after_is_honoured(status: int) -> None:
    ladder = asked()
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], status, headers=(b"Retry-After: 120 (later)",))
    assert next_register(ladder, 119) is None
    assert next_register(ladder, 3) is not None


def test_retry_after_is_bounded() -> None:
    ladder = asked()
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], 403, headers=(b"Retry-After: 999999999",))
    assert next_register(ladder, MOST_RETRY_AFTER + 2) is not None


@pytest.mark.parametrize("status", [500, 503, 504])
def test_the_next_target_is_asked(status: int) -> None:
    ladder = asked(world(carrier={"hosts": ["198.51.100.7:5060", "198.51.100.17:5060"]}))
    ladder = ladder >> CARRIER.answer(ladder[b"REGISTER"], status) << Sent(SPARE, b"REGISTER")
    ladder = ladder >> ok(ladder[b"REGISTER"], agent=SPARE)
    assert is_up(ladder)


def test_a_silent_target_is_left_after_8_seconds() -> None:
    ladder = asked(world(carrier={"hosts": ["198.51.100.7:5060", "198.51.100.17:5060"]}))
    ladder = ladder >> Wait(7.8)
    ladder.left.clear()
    ladder = ladder >> Wait(0.4) << Sent(SPARE, b"REGISTER")
    assert ladder >> ok(ladder[b"REGISTER"], agent=SPARE) << Silence()
    assert is_up(ladder)


def test_no_way_there_is_a_failure_that_is_told() -> None:
    there = world()
    there.refuse_send.add(CARRIER.address)
    ladder = Ladder(there) >> Wait(0.3) << Silence()
    assert (outcome(ladder, "unreachable"), is_up(ladder)) == (1, False)


def test_a_name_is_looked_up_and_one_that_leads_nowhere_is_a_failure() -> None:
    named = {"hosts": ["gw.carrier.example"], "networks": ["198.51.100.16/28"]}
    there = world({"registrar": "reg.carrier.example"}, named)
    ladder = Ladder(there) >> Wait(0.05) << Silence()
    ticket, host, _ = there.lookups[0]
    assert host == "reg.carrier.example"
    there.core.resume(ticket, [], there.now)
    assert outcome(ladder, "unreachable") == 1


def test_what_could_not_be_renewed_holds_until_its_time_is_over() -> None:
    ladder = registered(expires=600)
    ladder.world.refuse_send.add(CARRIER.address)
    ladder = ladder >> Wait(590)
    assert is_up(ladder)
    assert outcome(ladder, "unreachable") >= 1
    ladder = ladder >> Wait(11)
    assert (is_up(ladder), outcome(ladder, "lapsed")) == (False, 1)


def test_a_binding_without_time_is_none() -> None:
    ladder = asked()
    ladder = ladder >> ok(ladder[b"REGISTER"], 0)
    assert (is_up(ladder), outcome(ladder, "refused")) == (False, 1)


def test_the_service_route_is_that_of_further_calls() -> None:
    route = b"<sip:edge.carrier.example;lr>"
    ladder = registered(None, 600, b"Service-Route: " + route)
    ladder = ladder >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).items(b"route") == [route]


@pytest.mark.parametrize(
    "route", [b"<sip:edge.carrier.example>", b"<sip:x;lr", b"<tel:1;lr>", b"<sip:%b;lr>" % (b"x" * 300)]
)
def test_a_service_route_that_is_no_loose_route_is_none(route: bytes) -> None:
    ladder = registered(None, 600, b"Service-Route: " + route)
    party = ladder.world.core.generation.network.party_of(CARRIER.address)
    assert party is not None
    assert ladder.world.core.registrations.routes(party) == ()


def over(transport: dict[str, object]) -> World:
    """A world whose carrier is reached over a connection."""
    listeners = [*SETTINGS["listeners"], transport]
    carrier = {"listener": transport["name"], "tls_name": "carrier.example"}
    return world(None, carrier, listeners=listeners)


def test_over_a_connection_it_is_an_outbound_registration_that_is_kept_alive() -> None:
    there = over(TCP)
    ladder = asked(there)
    told = contact(ladder[b"REGISTER"])
    assert b"@192.0.2.1:5070;transport=tcp>" in told
    assert b';+sip.instance="<urn:uuid:' in told
    assert told.endswith(b";reg-id=1")
    assert b"outbound" in (read(ladder[b"REGISTER"]).value(b"supported") or b"")
    there.flows[CARRIER.address] = Flow("TCP", ("192.0.2.1", 5070), CARRIER.address, 7)
    ladder = ladder >> ok(ladder[b"REGISTER"], 600, b"Flow-Timer: 50")
    sent = there.wait(51)
    assert [data for _, data in sent] == [b"\r\n\r\n"]
    assert [data for _, data in there.wait(51)] == [b"\r\n\r\n"] * 1


def up_over_tcp() -> tuple[World, Ladder, Flow]:
    """Return a registration that stands for 3,000 seconds, and the connection that it was made over."""
    there = over(TCP)
    flow = Flow("TCP", ("192.0.2.1", 5070), CARRIER.address, 7)
    ladder = asked(there)
    there.flows[CARRIER.address] = flow
    return there, ladder >> ok(ladder[b"REGISTER"], 3000), flow


def test_a_connection_that_ends_is_followed_by_another_registration() -> None:
    there, ladder, flow = up_over_tcp()
    there.wait(300)
    there.core.closed(flow, there.now)
    assert next_register(ladder, 5) is not None


def test_one_that_ends_at_once_is_not_followed_at_once() -> None:
    there, ladder, flow = up_over_tcp()
    there.core.closed(flow, there.now)
    assert next_register(ladder, 14) is None
    assert next_register(ladder, 17) is not None


def test_another_connection_that_ends_is_none_of_ours() -> None:
    there, ladder, _ = up_over_tcp()
    there.wait(300)
    there.core.closed(Flow("TCP", ("192.0.2.1", 5070), ("198.51.100.7", 40001), 8), there.now)
    assert next_register(ladder, 60) is None


def test_a_connection_that_another_worker_has_made_there_is_none_of_ours() -> None:
    there, ladder, _ = up_over_tcp()
    there.wait(300)
    there.core.closed(Flow("TCP", ("192.0.2.1", 5070), CARRIER.address, (1 << 32) + 7), there.now, here=False)
    assert next_register(ladder, 60) is None


def test_one_that_ends_again_and_again_is_not_followed_at_once() -> None:
    """Each has to last: that the first one did says nothing of those behind it."""
    there, ladder, flow = up_over_tcp()
    there.wait(300)
    there.core.closed(flow, there.now)
    request = next_register(ladder, 5)
    assert request is not None
    ladder = ladder >> ok(request, 3000)
    there.core.closed(flow, there.now)
    assert next_register(ladder, 14) is None
    assert next_register(ladder, 17) is not None


def test_over_tls_the_registrar_has_to_show_its_name() -> None:
    there = over(SECURE)
    asked(there)
    assert there.sent_over[-1].identity == ("carrier.example",)


def test_it_is_spread_out() -> None:
    found = {round(spread(100, 0.5)) for _ in range(200)}
    assert min(found) >= 50
    assert max(found) <= 100
    assert len(found) > 10
