"""Phones whose connections are gone: 430 to the core, 480 to others, and never to somebody else's connection."""

from __future__ import annotations

import pytest

from config.vocabulary import Zone
from proxy.lost_flow import flow_failed
from proxy.party import CORE, Party
from tests.agents import PBX
from tests.ladder import Ladder, Restart, Sent, Silence
from tests.proxy.test_transports import PHONE, carrier, established, flow_of, phone, world

STREAMS = ("TCP", "TLS", "WS", "WSS")


def test_the_core_s_registrar_learns_to_try_another_flow() -> None:
    """RFC 5626 §11.5."""
    assert (flow_failed(CORE), flow_failed(Party(Zone.TRUNK))) == (430, 480)


@pytest.mark.parametrize("transport", STREAMS)
def test_a_request_for_a_dead_connection_is_answered_at_once(transport: str) -> None:
    """dialogs.md "Flows"; nobody connects to the port that it came from."""
    ladder, _, gateway, _, _, answer, sent = established(transport, "UDP")
    ladder.world.close(flow_of(phone(transport), transport, 7))
    ladder >> gateway.within(b"BYE", sent, own=answer) << Silence()
    ladder.left += ladder.world.wait(0.1)
    assert ladder << Sent(gateway, 480)
    assert ladder >> gateway.within(b"ACK", sent, own=answer, cseq=3) << Silence()


@pytest.mark.parametrize("transport", STREAMS)
def test_after_a_restart_its_number_is_another_phone_s(transport: str) -> None:
    """Connections are counted anew: what was number 7 leads to a stranger now."""
    ladder, _, gateway, _, _, answer, sent = established(transport, "UDP")
    ladder.world.wall += 60.001
    assert ladder >> Restart() >> gateway.within(b"BYE", sent, own=answer) << Sent(gateway, 480)


def test_the_other_side_goes_on_after_a_restart() -> None:
    """Only the way to the phone was lost: what the phone sends over its next connection passes."""
    ladder, alice, gateway, invite, got, _, _ = established("TCP", "UDP")
    ladder.world.wall += 60.001
    ladder >> Restart()
    ladder.world.flows[PHONE] = flow_of(alice, "TCP", 3)
    assert ladder >> alice.within(b"BYE", got, own=invite) << Sent(gateway, b"BYE")


def test_a_dead_connection_behind_a_contact_of_the_core_is_430() -> None:
    """The core calls a phone by the Contact that it was given in a dialog."""
    core = {
        "networks": ["203.0.113.5"], "listener": "inside", "next_hop": "203.0.113.5:5060",
        "privacy": {"network": "seal"},
    }  # fmt: skip
    made, alice = world("TCP", "UDP", routes=[{"source": "access", "to": ["core"]}], core=core), phone("TCP")
    ladder = Ladder(made) >> alice.invite(uri=b"sip:8@192.0.2.1:5070") << Sent(alice, 100) << Sent(PBX, b"INVITE")
    target = ladder[b"INVITE"].partition(b"Contact: <")[2].partition(b">")[0]
    made.gone.add(7)
    ladder >> PBX.invite(uri=target, call_id=b"2", branch=b"z9hG4bK2") << Sent(PBX, 100)
    ladder.left += made.wait(0.1)
    assert ladder << Sent(PBX, 430)


def test_a_trunk_s_dead_connection_is_no_lost_call() -> None:
    """Its hosts are configured: the transport connects anew."""
    ladder, alice, gateway, invite, got, _, _ = established("UDP", "TCP")
    ladder.world.close(flow_of(carrier("TCP"), "TCP", 8))
    assert ladder >> alice.within(b"BYE", got, own=invite) << Sent(gateway, b"BYE")
    assert ladder.world.sent_over[-1].connection == 0


def test_udp_has_no_connection_to_lose() -> None:
    """A phone over UDP is reached after any restart (dialogs.md)."""
    ladder, alice, gateway, _, _, answer, sent = established("UDP", "TCP")
    ladder.world.wall += 60.001
    assert ladder >> Restart() >> gateway.within(b"BYE", sent, own=answer) << Sent(alice, b"BYE")
