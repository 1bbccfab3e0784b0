"""The topmost Via's received and rport (RFC 3261 §18.2.1, RFC 3581 §4)."""

from __future__ import annotations

import pytest
from hypothesis import given

from proxy.headers import parse_via
from proxy.via import stamp
from tests import strategies as sip

PEER = ("10.1.1.23", 5062)


def stamped(value: bytes, peer: tuple[str, int] = PEER) -> bytes:
    via = parse_via(value)
    return stamp(value, via.params, via.host, peer)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        # sent-by is the source: nothing to say
        (b"SIP/2.0/UDP 10.1.1.23;branch=1", b"SIP/2.0/UDP 10.1.1.23;branch=1"),
        (b"SIP/2.0/UDP 10.1.1.23:9999;branch=1", b"SIP/2.0/UDP 10.1.1.23:9999;branch=1"),
        # another address, or a name: received
        (b"SIP/2.0/UDP 192.168.1.2;branch=1", b"SIP/2.0/UDP 192.168.1.2;branch=1;received=10.1.1.23"),
        (b"SIP/2.0/UDP a.example", b"SIP/2.0/UDP a.example;received=10.1.1.23"),
        # rport without value: both, received even if equal (RFC 3581 §4)
        (b"SIP/2.0/UDP 10.1.1.23;rport;branch=1", b"SIP/2.0/UDP 10.1.1.23;branch=1;received=10.1.1.23;rport=5062"),
        (b"SIP/2.0/UDP a;RPORT=", b"SIP/2.0/UDP a;received=10.1.1.23;rport=5062"),
        # a value that the sender chose is no request
        (b"SIP/2.0/UDP a;rport=9", b"SIP/2.0/UDP a;rport=9;received=10.1.1.23"),
        # what the sender claims to be received is replaced
        (b"SIP/2.0/UDP a;received=1.2.3.4;branch=1", b"SIP/2.0/UDP a;branch=1;received=10.1.1.23"),
        (b"SIP/2.0/UDP a;Received = 1.2.3.4", b"SIP/2.0/UDP a;received=10.1.1.23"),
        (b"SIP/2.0/UDP a; received=[2001:db8::1];rport", b"SIP/2.0/UDP a;received=10.1.1.23;rport=5062"),
        (b"SIP/2.0/UDP a;received=10.1.1.23", b"SIP/2.0/UDP a;received=10.1.1.23"),
    ],
)
def test_the_source_is_noted_where_the_rfcs_want_it(value: bytes, outcome: bytes) -> None:
    """The server adds what the sender cannot know, and believes nothing else."""
    assert stamped(value) == outcome


def test_ipv6_is_noted_without_brackets() -> None:
    """RFC 5118 §4.5."""
    value = b"SIP/2.0/UDP [2001:db8::9:1]:6050;branch=1"
    assert stamped(value, ("2001:db8::9:1", 5060)) == value
    assert stamped(value, ("2001:db8::5", 5060)) == value + b";received=2001:db8::5"


@given(sip.hosts, sip.ports, sip.params)
def test_stamping_is_stable_and_keeps_everything_else(host: bytes, port: bytes, params: bytes) -> None:
    """Read again, the Via says where the packet came from, and all else as before."""
    value = b"SIP/2.0/UDP " + host + port + b";branch=z9hG4bK1;rport" + params
    before, after = parse_via(value), parse_via(stamped(value))
    assert (after.transport, after.host, after.port) == (before.transport, before.host, before.port)
    assert after.branch == before.branch
    assert (after.params[b"received"], after.params[b"rport"]) == (b"10.1.1.23", b"5062")
    assert set(after.params) == set(before.params) | {b"received"}
    assert stamped(stamped(value)) == stamped(value)
