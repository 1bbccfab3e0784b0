"""Calls that a trunk sends to our Contact, and whom they reach."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agents import ALICE, CARRIER, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.proxy.registering import contact, registered, world
from tests.world import CORE as CORE_ADDRESS

PBX = Agent(CORE_ADDRESS, b"pbx")


def call(
    ladder: Ladder, *headers: bytes, to: bytes = b"<sip:+15550142@carrier.example>", agent: Any = CARRIER
) -> Packet:
    """Return an INVITE to the Contact that the carrier was told."""
    uri = contact(ladder[b"REGISTER"])[1:].partition(b">")[0]
    packet = agent.invite(uri=uri, headers=(*headers, b"Content-Type: application/sdp"))
    return Packet(packet.source, packet.data.replace(b"To: <%b>" % uri, b"To: " + to))


def called(ladder: Ladder, packet: Packet) -> bytes:
    """Return the Request-URI that the core gets."""
    ladder = ladder >> packet << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    return read(ladder[b"INVITE"]).uri


@pytest.mark.parametrize(
    ("to", "headers", "who"),
    [
        (b"<sip:+15550142@carrier.example>", (), b"+15550142"),
        (b"<tel:+15550142;x=y>", (), b"+15550142"),
        (b"<sip:+15550142;npdi@carrier.example>", (), b"+15550142"),
        (b"<sip:+15550199@x>", (b"P-Called-Party-ID: <sip:+15550142@carrier.example;user=phone>",), b"+15550142"),
        (b"<sip:+15550142@x>", (b"P-Called-Party-ID: <sip:+15550100@carrier.example>",), b"+15550142"),
        (b"<sip:+15550142@x>", (b"P-Called-Party-ID: <sip:",), b"+15550142"),
        (b"<sip:+15550100@carrier.example>", (), b"+15550100"),
        (b"<sip:carrier.example>", (), b"+15550100"),
        (b"<urn:x:y>", (), b"+15550100"),
    ],
)
def test_who_is_called_stands_in_one_of_two_headers(to: bytes, headers: tuple[bytes, ...], who: bytes) -> None:
    ladder = registered()
    assert called(ladder, call(ladder, *headers, to=to)) == b"sip:%b@192.0.2.1:5060" % who


def test_the_operator_says_who_is_called_when_nobody_is_named() -> None:
    ladder = registered(world({"number": "+15550111"}))
    assert called(ladder, call(ladder, to=b"<sip:+15550100@x>")) == b"sip:+15550111@192.0.2.1:5060"


def test_to_can_be_left_out_of_account() -> None:
    """A forwarded call may have another's number there."""
    ladder = registered(world({"called": ("p-called-party-id",)}))
    assert called(ladder, call(ladder)) == b"sip:+15550100@192.0.2.1:5060"


def test_a_number_before_our_address_is_what_it_was() -> None:
    ladder = registered()
    invite = CARRIER.invite(uri=b"sip:+15550142@192.0.2.1")
    other = Packet(invite.source, invite.data.replace(b"To: <sip:+15550142@", b"To: <sip:+15550199@"))
    assert called(ladder, other) == b"sip:+15550142@192.0.2.1"


def test_a_user_that_the_carrier_insists_on() -> None:
    ladder = registered(world({"contact_user": "+15550100"}))
    assert contact(ladder[b"REGISTER"]).startswith(b"<sip:+15550100@192.0.2.1")
    assert called(ladder, call(ladder)) == b"sip:+15550142@192.0.2.1:5060"


@pytest.mark.parametrize("agent", [SECOND, ALICE])
def test_nobody_else_is_obeyed(agent: Any) -> None:
    """Another trunk or a phone that knows the Contact reaches nobody by a To that it writes."""
    ladder = registered()
    ladder = ladder >> call(ladder, agent=agent)
    assert not any(b"+15550142@192.0.2.1" in data.partition(b"\r\n")[0] for _, data in ladder.left)


def test_the_registered_phone_rings() -> None:
    """By the line of the routing table for registered phones, it is the number in To that is looked for."""
    ladder = registered(world(routes=[{"source": "trunk", "prefix": "+15550142", "to": ["core"]}]))
    assert called(ladder, call(ladder)) == b"sip:+15550142@192.0.2.1:5060"
    ladder = registered(world(routes=[{"source": "trunk", "prefix": "+15550142", "to": ["core"]}]))
    ladder = ladder >> call(ladder, to=b"<sip:+15550143@x>")
    assert ladder << Sent(CARRIER, 404)


def test_within_the_dialog_all_is_as_ever() -> None:
    ladder = registered()
    invite = call(ladder)
    ladder = ladder >> invite << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200) << Sent(CARRIER, 200)
    ladder = ladder >> CARRIER.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(PBX, b"ACK")
    assert ladder >> CARRIER.within(b"BYE", ladder[200], own=invite) << Sent(PBX, b"BYE")
