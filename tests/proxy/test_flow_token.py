"""Flow tokens by themselves; on the way: test_forwarded_register.py."""

from __future__ import annotations

import pytest

from proxy.errors import Refused
from proxy.flow import Flow
from proxy.flow_token import open_flow, open_services, seal_flow, seal_services
from proxy.places import alone
from proxy.tokens import Tokens
from tests.world import keyring

TOKENS = Tokens(keyring(3))
UDP = Flow("UDP", ("192.0.2.1", 5060), ("10.0.0.1", 5062))
TLS = Flow("TLS", ("192.0.2.1", 5061), ("2001:db8::1", 40000), 7)
HERE = alone(77)


@pytest.mark.parametrize("flow", [UDP, TLS])
def test_a_flow_comes_back(flow: Flow) -> None:
    assert open_flow(TOKENS, seal_flow(TOKENS, flow, HERE), HERE) == flow


def test_a_connection_of_another_process_is_gone() -> None:
    """Its number may be another's by now; a datagram needs none."""
    with pytest.raises(Refused) as caught:
        open_flow(TOKENS, seal_flow(TOKENS, TLS, HERE), alone(78))
    assert caught.value.code == 430
    assert open_flow(TOKENS, seal_flow(TOKENS, UDP, HERE), alone(78)) == UDP


@pytest.mark.parametrize("user", [b"", b"x", b"A" * 60, seal_services(TOKENS, (b"sip:a;lr",))])
def test_anything_else_is_refused(user: bytes) -> None:
    with pytest.raises(Refused) as caught:
        open_flow(TOKENS, user, HERE)
    assert caught.value.code == 403


def test_services() -> None:
    routes = (b"sip:one@203.0.113.5;lr", b"sip:203.0.113.6:5070;lr")
    assert open_services(TOKENS, seal_services(TOKENS, routes)) == routes
    assert open_services(TOKENS, seal_flow(TOKENS, UDP, HERE)) is None
    assert open_services(TOKENS, b"name") is None
    with pytest.raises(ValueError, match="too many"):
        seal_services(TOKENS, routes * 9)
