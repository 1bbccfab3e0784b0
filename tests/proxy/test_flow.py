"""Flows are plain values (RFC 5626 §2)."""

from __future__ import annotations

from proxy.flow import Flow


def test_a_flow_is_a_value() -> None:
    """Two with the same ends are the same key; another port, another connection or another transport is not."""
    flow = Flow("UDP", ("192.0.2.1", 5060), ("10.1.1.23", 5062))
    assert flow == Flow("UDP", ("192.0.2.1", 5060), ("10.1.1.23", 5062))
    assert (
        len(
            {flow, flow._replace(peer=("10.1.1.23", 5063)), flow._replace(transport="TCP"), flow._replace(connection=1)}
        )
        == 4
    )


def test_datagrams_have_no_connection() -> None:
    """0 stands for none."""
    assert Flow("UDP", ("::1", 5060), ("::1", 5062)).connection == 0
