"""What phones claim that only networks may say, as it reaches a trunk that is shown names and numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.agents import ALICE, CARRIER, PBX, Agent, read
from tests.world import PSAP, World

SHOWN = {"default": {"name": "keep", "number": "keep", "network": "keep"}}
CEO = b"<sip:ceo@sip.example.net>"
SELF = b"<sip:alice@sip.example.net>"
OF_SOMEBODY = [
    "Remote-Party-ID", "P-Charge-Info", "Charge-Info", "P-Served-User", "P-Called-Party-ID", "P-Associated-URI",
]  # fmt: skip
OF_A_NETWORK = [
    "Attestation-Info: A", "Origination-Id: 1", "P-Attestation-Indicator: A", "P-Origination-Id: 1",
    "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mmtel", "P-Charging-Vector: icid-value=1",
    "P-Charging-Function-Addresses: ccf=192.0.2.9", "P-DCS-Billing-Info: x", "P-Profile-Key: <sip:a@b>",
    "P-User-Database: <aaa://x>",
]  # fmt: skip


def arrived(caller: Agent, *headers: bytes, trusted: bool = True, **request: Any) -> bytes:
    """Return the INVITE that the far side gets."""
    trunks = [{**trunk, "trusted": trusted} for trunk in world.SETTINGS["trunks"]]
    there = World(world.settings(trunks=trunks, privacy=SHOWN))
    sent = there.receive(*caller.invite(headers=(b"Content-Type: application/sdp", *headers), **request))
    return next(data for _, data in sent if data.startswith(b"INVITE"))


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("uri", [b"sip:+15550100@192.0.2.1", b"sip:8000@192.0.2.1"])
@pytest.mark.parametrize("name", OF_SOMEBODY)
def test_nobody_names_another(name: str, uri: bytes, trusted: bool) -> None:
    """Towards a trunk and the core; however it is written, and be it oneself."""
    line = name.encode() + b": "
    for value in (CEO, SELF, SELF + b", " + CEO, b"<tel:+15559999>", b"garbage <", SELF + b"\r\n" + line + CEO):
        sent = read(arrived(ALICE, line + value, trusted=trusted, uri=uri))
        assert name.lower().encode() not in sent.index


@pytest.mark.parametrize("line", OF_A_NETWORK)
def test_nobody_speaks_for_a_network(line: str) -> None:
    name = line.partition(":")[0].lower().encode()
    assert name not in read(arrived(ALICE, line.encode())).index


@pytest.mark.parametrize("line", [f"{name}: {CEO.decode()}" for name in OF_SOMEBODY[:2]] + OF_A_NETWORK[:2])
def test_the_core_says_what_it_says(line: str) -> None:
    name = line.partition(":")[0].lower().encode()
    assert name in read(arrived(PBX, line.encode())).index


def test_an_emergency_call_arrives_complete() -> None:
    there = World()
    sent = there.receive(*ALICE.invite(uri=b"urn:service:sos", headers=(b"Remote-Party-ID: " + CEO,)))
    assert [(address, b"Remote-Party-ID: " + CEO in data) for address, data in sent][1:] == [(PSAP, True)]


def test_within_a_call_as_well() -> None:
    there = World(world.settings(privacy=SHOWN))
    invite = ALICE.invite()
    [_, (_, sent)] = there.receive(*invite)
    [(_, answer)] = there.receive(*CARRIER.answer(sent, 200))
    for method in (b"UPDATE", b"INVITE", b"INFO", b"BYE", b"ACK"):
        cseq = 1 if method == b"ACK" else 2
        packet = ALICE.within(method, answer, own=invite, cseq=cseq, headers=(b"Remote-Party-ID: " + CEO,))
        data = next(data for _, data in there.receive(*packet) if data.startswith(method))
        assert b"remote-party-id" not in read(data).index
