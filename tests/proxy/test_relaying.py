"""No relay for third parties (issue 5): what phones may call at a trunk, and what nobody may write."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER, PBX, PSAP, Agent
from tests.ladder import Ladder, Sent, Silence
from tests.world import World, settings

EDGE = Agent(("10.9.9.9", 5060), b"edge")
ROUTES = [{"emergency": True, "to": ["psap"]}, {"source": "access", "prefix": "8", "to": ["core"]},
          {"source": "access", "to": ["carrier"]}, {"source": "core", "to": ["carrier"]}]  # fmt: skip


def world(*routes: dict[str, object], **changes: object) -> World:
    return World(settings(routes=[*routes, *ROUTES], **changes))


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:bob@evil.example", b"sip:bob@203.0.113.66", b"sips:bob@evil.example", b"sip:bob@192.0.2.1:5070",
        b"sip:bob@198.51.100.8:5060", b"sip:evil.example", b"sip:bob@evil.example;user=phone",
        b"tel:7042;phone-context=evil.example", b"sip:7042;phone-context=evil.example@192.0.2.1;user=phone",
        b"urn:isbn:0451450523", b"sip:bob%40192.0.2.1@evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("agent", [ALICE, EDGE])
def test_what_is_neither_ours_nor_a_number_reaches_no_trunk(uri: bytes, agent: Agent) -> None:
    """Nor does an edge proxy in front of phones make it so."""
    ladder = Ladder(world()) >> agent.invite(uri=uri)
    [(address, data)] = ladder.left
    assert address == agent.address
    assert data[8:11] in (b"403", b"404")


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:+15550100@192.0.2.1", b"sip:bob@192.0.2.1", b"sip:bob@SIP.example.net", b"sip:bob@proxy.example.net:5062",
        b"tel:+15550100", b"tel:7042;phone-context=+1", b"tel:7042;phone-context=sip.example.net",
        b"sip:+1-555-0100@evil.example;user=phone", b"sip:%2B15550100@evil.example", b"sip:*43@192.0.2.1",
        b"sip:15550100;npdi;rn=+15550199@192.0.2.1", b"urn:service:counseling",
    ],
)  # fmt: skip
def test_what_is_ours_or_a_number_does(uri: bytes) -> None:
    """And is addressed to the trunk: whose host stood there does not matter."""
    ladder = Ladder(world(names=["proxy.example.net"])) >> ALICE.invite(uri=uri) << Sent(ALICE, 100)
    assert ladder << Sent(CARRIER, b"INVITE")
    assert b"evil.example" not in ladder[b"INVITE"].partition(b"\r\n")[0]


@pytest.mark.parametrize(("domain", "reached"), [("partner.example", True), ("*", True), ("other.example", False)])
def test_a_line_may_name_domains(domain: str, reached: bool) -> None:
    """Routed on purpose."""
    ladder = Ladder(world({"source": "access", "domains": [domain], "to": ["carrier"]}))
    ladder = ladder >> ALICE.invite(uri=b"sip:bob@Partner.example") << Sent(ALICE, 100 if reached else 403)
    assert [address for address, _ in ladder.left] == [CARRIER.address] * reached


def test_the_core_and_emergency_calls_are_not_asked() -> None:
    """The core is the operator's own; and an emergency call goes out by any line that there is."""
    assert Ladder(world()) >> PBX.invite(uri=b"sip:bob@evil.example") << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    assert Ladder(world()) >> ALICE.invite(uri=b"urn:service:sos") << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    lone = World(settings(routes=[{"source": "access", "to": ["carrier"]}]))
    assert Ladder(lone) >> ALICE.invite(uri=b"urn:service:sos") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


@pytest.mark.parametrize("agent", [ALICE, CARRIER, EDGE])
@pytest.mark.parametrize("maddr", [b"203.0.113.66", b"evil.example", b"198.51.100.8", b"[2001:db8::1]"])
def test_a_maddr_that_is_not_us_is_refused(agent: Agent, maddr: bytes) -> None:
    """The core would obey it (§19.1.1); it is ours to keep from it."""
    uri = b"sip:8000@192.0.2.1;transport=udp;MADDR=" + maddr
    assert Ladder(world({"source": "trunk", "to": ["core"]})) >> agent.invite(uri=uri) << Sent(agent, 403)


def test_a_maddr_that_is_us_is_not() -> None:
    """§16.4: as if it were not there."""
    ladder = Ladder(world()) >> ALICE.invite(uri=b"sip:+1@192.0.2.1;maddr=192.0.2.1") << Sent(ALICE, 100)
    assert ladder << Sent(CARRIER, b"INVITE")
    assert b"maddr" not in ladder[b"INVITE"]


@pytest.mark.parametrize("route", [b"<sip:198.51.100.8:5060;lr>", b"<sip:evil.example;lr>", b"<sip:10.1.1.99;lr>"])
def test_an_edge_proxy_leads_round_no_routing_table(route: bytes) -> None:
    """It passes on what a phone wrote: Route to a trunk was obeyed, and any other sent on to the trunk."""
    assert Ladder(world()) >> EDGE.invite(headers=(b"Route: " + route,)) << Sent(EDGE, 403)


def test_an_edge_proxy_leads_to_the_core() -> None:
    """As a P-CSCF does, by what the registrar told it (RFC 3608)."""
    ladder = Ladder(world()) >> EDGE.invite(headers=(b"Route: <sip:203.0.113.5:5060;lr>",)) << Sent(EDGE, 100)
    assert ladder << Sent(PBX, b"INVITE")


@pytest.mark.parametrize("source", ["any", "trunk"])
def test_a_call_for_ourselves_does_not_come_back_as_a_phones(source: str) -> None:
    """Our address lies in the phones' network; a trunk called a number there, and another trunk got it as a phone's."""
    listeners = [{"name": "main", "address": "10.0.0.1", "port": 5060}]
    routes: list[dict[str, object]] = [{"source": "trunk", "to": ["access"]}, {"source": source, "to": ["access"]},
                                       {"source": "access", "to": ["second"]}]  # fmt: skip
    ladder = Ladder(World(settings(routes=routes, listeners=listeners)))
    assert ladder >> CARRIER.invite(uri=b"sip:+1900@10.0.0.1") << Sent(CARRIER, 404)


def test_nobody_else_is_ourselves() -> None:
    """A phone's network holds our address; who sends from there is not taken for a phone, and not for us."""
    listeners = [{"name": "main", "address": "10.0.0.1", "port": 5060}]
    us = Agent(("10.0.0.1", 5060), b"us")
    assert Ladder(World(settings(listeners=listeners))) >> us.invite() << Silence()


@pytest.mark.parametrize("own", [ALICE, CARRIER])
def test_a_route_behind_ours_is_refused_within_a_dialog(own: Agent) -> None:
    """The far side would relay to it: neither end was ever told a further Route."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    invite = ladder[b"INVITE"]
    answer = CARRIER.answer(invite, 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    if own is ALICE:
        bye = ALICE.within(b"BYE", ladder[200], own=ALICE.invite())
    else:
        bye = CARRIER.within(b"BYE", invite, own=answer)
    evil = bye._replace(data=bye.data.replace(b"\r\nFrom:", b"\r\nRoute: <sip:evil.example;lr>\r\nFrom:", 1))
    assert ladder >> evil << Sent(own, 403)
    other = CARRIER if own is ALICE else ALICE
    again = bye._replace(data=bye.data.replace(b"z9hG4bK", b"z9hG4bKagain"))
    assert ladder >> again << Sent(other, b"BYE")
