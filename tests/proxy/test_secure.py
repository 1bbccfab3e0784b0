"""sips never leaves without TLS (RFC 5630), and nothing leaves over TLS to nobody in particular (RFC 5922)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proxy.hop import Hop
from proxy.secure import check_secure
from proxy.unsent import Unsent
from tests import world as w
from tests.agents import ALICE, PBX, PSAP, read
from tests.ladder import Ladder, Sent, Silence
from tests.proxy.test_transports import TRANSPORTS, carrier, established, ours, phone, world
from tests.world import World, settings

SIPS = b"sips:+15550100@192.0.2.1:5070"


@pytest.mark.parametrize("near", ["TLS", "WSS"])
@pytest.mark.parametrize("far", TRANSPORTS)
def test_sips_goes_over_tls_or_nowhere(near: str, far: str) -> None:
    """480 with the warning of RFC 5630 where the hop has no TLS: no downgrade."""
    alice = phone(near)
    ladder = Ladder(world(near, far)) >> alice.invite(uri=SIPS) << Sent(alice, 100)
    if far in ("TLS", "WSS"):
        assert ladder << Sent(carrier(far), b"INVITE")
        assert read(ladder[b"INVITE"]).uri.startswith(b"sips:")
        return
    assert ladder << Sent(alice, 480)
    assert b'\r\nWarning: 380 192.0.2.1:5070 "SIPS Not Allowed"\r\n' in ladder[480]


@pytest.mark.parametrize("scheme", [b"SIPS", b"Sips"])
def test_a_scheme_has_no_case(scheme: bytes) -> None:
    """RFC 3261 §19.1.4."""
    uri = scheme + b":+15550100@192.0.2.1"
    assert Ladder() >> ALICE.invite(uri=uri) << Sent(ALICE, 100) << Sent(ALICE, 480)


def test_a_sips_dialog_stays_one_on_both_sides() -> None:
    """RFC 3261 §12.1.1: Contact and Record-Route are sips where the Request-URI is."""
    alice, gateway = phone("TLS"), carrier("TLS")
    ladder = Ladder(world("TLS", "TLS")) >> alice.invite(uri=SIPS) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    ladder >> gateway.answer(ladder[b"INVITE"], 200) << Sent(alice, 200)
    assert set(ours(ladder[b"INVITE"])) == {b"sips:192.0.2.2:5080", b"sips:192.0.2.2:5080;lr"}
    assert set(ours(ladder[200])) == {b"sips:192.0.2.1:5070", b"sips:192.0.2.1:5070;lr"}
    again = gateway.answer(ladder[b"INVITE"], 200)
    assert ladder >> again << Sent(alice, 200)
    assert set(ours(ladder[200])) == {b"sips:192.0.2.1:5070", b"sips:192.0.2.1:5070;lr"}


def test_a_trunk_s_sips_contact_needs_tls() -> None:
    """A target of the far side asks for it too: the ACK does not go out in clear."""
    alice, gateway = phone("UDP"), carrier("UDP")
    ladder = Ladder(world("UDP", "UDP"))
    invite = alice.invite(uri=b"sip:+15550100@192.0.2.1:5070")
    ladder >> invite << Sent(alice, 100) << Sent(gateway, b"INVITE")
    ladder >> gateway.answer(ladder[b"INVITE"], 200, contact=b"<sips:gw@198.51.100.7:5090>") << Sent(alice, 200)
    assert ladder >> alice.within(b"ACK", ladder[200], own=invite, cseq=1, branch=b"z9hG4bKa") << Silence()
    assert ladder >> alice.within(b"BYE", ladder[200], own=invite) << Sent(alice, 480)


def test_an_emergency_call_goes_on_as_sip() -> None:
    """It is worth more than that nobody listens."""
    ladder = Ladder() >> ALICE.invite(uri=b"sips:112@192.0.2.1") << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert ladder
    assert read(ladder[b"INVITE"]).uri.startswith(b"sip:112@")


@pytest.mark.parametrize("transport", ["tls", "wss"])
def test_a_hop_without_a_name_is_not_called_over_tls(transport: str) -> None:
    """Anybody's certificate would do: the check of the configuration says so before, and here it fails closed."""
    listeners = [*w.SETTINGS["listeners"], {"name": "t", "address": "192.0.2.2", "transport": transport}]
    trunk = {"name": "carrier", "hosts": ["198.51.100.7"], "listener": "t"}
    made = World(settings(listeners=listeners, trunks=[trunk], routes=[{"source": "access", "to": ["carrier"]}]))
    assert Ladder(made) >> ALICE.invite() << Sent(ALICE, 100) << Sent(ALICE, 480)


@pytest.mark.parametrize("transport", ["TLS", "WS", "WSS"])
def test_nobody_connects_to_a_phone_that_has_no_certificate(transport: str) -> None:
    """A Request-URI names its address; only a flow of its own would lead there."""
    changes = {"routes": [{"source": "core", "to": ["access"]}]}
    made = world(transport, "UDP", **changes)
    ladder = Ladder(made) >> PBX.invite(uri=b"sip:bob@10.1.1.99") << Sent(PBX, 100)
    assert ladder << Sent(PBX, 480)


def test_ordinary_calls_name_tls_as_those_who_speak_it_do() -> None:
    """A sip call over TLS asks for no sips."""
    _, _, _, _, got, _, sent = established("TLS", "TLS")
    assert all(b";transport=tls" in uri for uri in ours(got) + ours(sent))


def test_sips_that_crosses_us_twice_goes_on() -> None:
    """RFC 5630 wants TLS of what others could hear: from ourselves to ourselves nobody can."""
    network = world("TLS", "TLS").core.generation.network
    party = network.party_of(("198.51.100.7", 5090))
    assert party is not None
    around = network.named(party, b"192.0.2.1", 5070)
    assert around is not None
    assert around.transport == "UDP"
    check_secure(_to(around))
    with pytest.raises(Unsent):
        check_secure(_to(around._replace(host="192.0.2.9")))


def _to(hop: Hop) -> Any:
    """Return as much of a crossing as is looked at."""
    return SimpleNamespace(hop=hop, target=SIPS, routes=(), emergency=False, near_origin=b"192.0.2.1")
