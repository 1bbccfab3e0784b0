"""What phones claim that only networks may say, as it reaches a trunk that is shown names and numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.accounts import REALM, accounts, again, proof
from tests.agents import ALICE, CARRIER, PBX, Agent, read
from tests.world import PSAP, World

SHOWN = {"default": {"name": "keep", "number": "keep", "network": "keep"}}
CEO = b"<sip:ceo@sip.example.net>"
SELF = b"<sip:alice@sip.example.net>"
OF_SOMEBODY = [
    "Remote-Party-ID", "P-Charge-Info", "Charge-Info", "P-Served-User", "P-Called-Party-ID", "P-Associated-URI",
    "Additional-Identity", "Relayed-Charge", "P-DCS-Trace-Party-ID", "P-DCS-Redirect", "Also", "Requested-By",
]  # fmt: skip
OTHERS = ["Diversion", "History-Info", "Referred-By", "b", "Reply-To"]
KEPT = {"default": {"name": "keep", "number": "keep", "network": "keep", "history": "keep"}}
OF_A_NETWORK = [
    "Attestation-Info: A", "Origination-Id: 1", "P-Attestation-Indicator: A", "P-Origination-Id: 1",
    "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mmtel", "P-Charging-Vector: icid-value=1",
    "P-Charging-Function-Addresses: ccf=192.0.2.9", "P-DCS-Billing-Info: x", "P-Profile-Key: <sip:a@b>",
    "P-User-Database: <aaa://x>", "P-DCS-LAES: x", "P-DCS-OSPS: BLV",
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


# --- who else had to do with a call


def asked(*headers: bytes, uri: bytes = b"sip:+15550100@192.0.2.1", method: bytes = b"INVITE") -> bytes:
    """Return what the far side gets of a request that has proved to be of alice, who has a number too."""
    known = accounts(alice=("alice@sip.example.net", "+15550123"))
    trunks = [{**trunk, "trusted": True} for trunk in world.SETTINGS["trunks"]]
    there = World(world.settings(trunks=trunks, privacy=KEPT, authentication={"realm": REALM}), accounts=known)
    packet = ALICE.request(method, uri, headers=headers)
    [(_, challenge)] = there.receive(*packet)
    sent = there.receive(*again(packet, proof(packet, challenge)))
    return next(data for _, data in sent if data.startswith(method))


OWN_VALUES = [SELF, b"<tel:+1-555-0123>;reason=unconditional", b"<sip:+15550123@elsewhere.example>, " + SELF]


@pytest.mark.parametrize("uri", [b"sip:+15550100@192.0.2.1", b"sip:8000@192.0.2.1"], ids=["trunk", "core"])
@pytest.mark.parametrize("name", OTHERS)
def test_an_account_forwards_in_its_own_name_alone(name: str, uri: bytes) -> None:
    """A number in Diversion has calls go through and pays for them: towards a trunk and the core it is one's own."""
    line, whole = name.encode() + b": ", {"b": b"referred-by"}.get(name, name.lower().encode())
    for value in (CEO, SELF + b", " + CEO, b"<tel:+15559999>", b"garbage <", SELF + b"\r\n" + line + CEO,
                  b"<sip:alice@sip.example.net.evil.example>", b'"' + SELF + b'" ' + CEO):  # fmt: skip
        assert whole not in read(asked(line + value, uri=uri)).index, value
    for value in OWN_VALUES:
        assert whole in read(asked(line + value, uri=uri)).index, value


def test_a_history_may_name_whom_the_request_is_for() -> None:
    """RFC 7044 §9.1: who retargets a request adds the Request-URI."""
    own = b"History-Info: " + SELF + b";index=1, <sip:8000@192.0.2.1?Reason=SIP%3Bcause%3D302>;index=1.1"
    assert b"history-info" in read(asked(own, uri=b"sip:8000@192.0.2.1")).index
    assert b"history-info" not in read(asked(own, uri=b"sip:8001@192.0.2.1")).index


def test_who_transfers_within_a_call_is_who_is_in_it() -> None:
    """Nobody is asked for a password there: the record tells who it is."""
    trunks = [{**trunk, "trusted": True} for trunk in world.SETTINGS["trunks"]]
    there = World(world.settings(trunks=trunks, privacy=KEPT))
    invite = ALICE.invite()
    [_, (_, sent)] = there.receive(*invite)
    [(_, answer)] = there.receive(*CARRIER.answer(sent, 200))
    for number, (value, stays) in enumerate(((CEO, False), (SELF, True), (SELF + b", " + CEO, False)), 2):
        lines = (b"Refer-To: <sip:bob@192.0.2.1>", b"Referred-By: " + value)
        [(_, data)] = there.receive(*ALICE.within(b"REFER", answer, own=invite, cseq=number, headers=lines))
        assert (b"referred-by" in read(data).index) is stays, value


@pytest.mark.parametrize("line", [
    b"Remote-Party-ID: " + CEO + b";party=called", b"P-Charge-Info: " + CEO, b"Diversion: " + CEO,
    b"History-Info: " + CEO + b";index=1", b"Reply-To: " + CEO, b"P-Charging-Vector: icid-value=1",
])  # fmt: skip
@pytest.mark.parametrize("code", [180, 200, 302])
def test_who_answers_names_nobody_else(line: bytes, code: int) -> None:
    """A core that is told by a phone's 302 who forwards says so to the trunk, and is believed."""
    there = World(world.settings(privacy=KEPT))
    [_, (phone, sent)] = there.receive(*PBX.invite(uri=b"sip:alice@10.1.1.23:5062"))
    assert phone == ALICE.address
    sent_back = there.receive(*ALICE.answer(sent, code, headers=(line,)))
    back = next(data for address, data in sent_back if address == PBX.address)
    assert line.partition(b":")[0].lower() not in read(back).index
    assert b"ceo@" not in back


def test_who_answers_may_forward_by_its_own_name() -> None:
    there = World(world.settings(privacy=KEPT))
    [_, (_, sent)] = there.receive(*PBX.invite(uri=b"sip:alice@10.1.1.23:5062"))
    answer = ALICE.answer(sent, 302, headers=(b"Diversion: <sip:alice@10.1.1.23:5062>;reason=unconditional",))
    back = next(data for address, data in there.receive(*answer) if address == PBX.address)
    assert b"diversion" in read(back).index


def test_a_second_answer_names_nobody_either() -> None:
    """A 2xx that comes when the transaction has been let go."""
    there = World(world.settings(privacy=KEPT))
    [_, (_, sent)] = there.receive(*PBX.invite(uri=b"sip:alice@10.1.1.23:5062"))
    there.receive(*ALICE.answer(sent, 200))
    [(_, back)] = there.receive(*ALICE.answer(sent, 200, tag=b"to2", headers=(b"Diversion: " + CEO,)))
    assert b"diversion" not in read(back).index
