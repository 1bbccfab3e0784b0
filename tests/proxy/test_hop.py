"""Hops and the flows that they lead to."""

from __future__ import annotations

from proxy.flow import Flow
from proxy.hop import Hop, hop_over
from proxy.party import ACCESS

LOCAL, THERE = ("192.0.2.1", 5060), ("203.0.113.5", 5062)


def test_over_udp_a_flow_is_its_two_addresses() -> None:
    assert Hop(ACCESS, *THERE, LOCAL).flow == Flow("UDP", LOCAL, THERE)


def test_a_connection_is_used_and_no_other() -> None:
    """What a phone has registered over is its only way (RFC 5626)."""
    flow = Flow("TLS", LOCAL, THERE, 7, ("phone.example",))
    assert hop_over(ACCESS, flow) == Hop(ACCESS, *THERE, LOCAL, (), "TLS", 7, ("phone.example",))
    assert hop_over(ACCESS, flow).flow == flow


def test_where_there_is_none_it_is_made_under_the_name_to_be_shown() -> None:
    """RFC 5922 §4: the name that was looked up."""
    hop = Hop(ACCESS, *THERE, LOCAL, (), "TLS", 0, ("gw.example",))
    assert hop.flow == Flow("TLS", LOCAL, THERE, 0, ("gw.example",))
