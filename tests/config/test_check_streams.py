"""Listeners of connections that could not work, each with what would be right."""

from __future__ import annotations

import tomllib

import pytest

from config.check_streams import stream_mistakes
from config.problem import key_text

TLS = 'name = "secure"\ntransport = "tls"\n'
FILES = 'certificates = ["a.pem"]\nkeys = ["a.key"]\n'


def found(listener: str, rest: str = "") -> list[str]:
    draft = tomllib.loads(f"{rest}\n[[listeners]]\n{listener}")
    return [f"{key_text(each.path)}: {each.wrong}; {each.right}" for each in stream_mistakes(draft)]


@pytest.mark.parametrize(
    "listener",
    ['transport = "udp"', 'transport = "tcp"', TLS + FILES, TLS + FILES + 'ca = "c.pem"\nclient_ca = "c.pem"',
     TLS + FILES + 'client_ca = "c.pem"\nrequire_client_certificate = true',
     'transport = "wss"\norigins = ["https://a.example"]\n' + FILES, 'transport = "ws"'],
)  # fmt: skip
def test_what_is_right(listener: str) -> None:
    assert found(listener) == []


@pytest.mark.parametrize("transport", ["tls", "wss"])
def test_tls_needs_a_certificate(transport: str) -> None:
    assert found(f'transport = "{transport}"') == [
        f"listeners[0].certificates: is missing for transport {transport}; "
        'write certificates = ["example.net.pem"] and keys = ["example.net.key"]'
    ]


@pytest.mark.parametrize("keys", ["", 'keys = ["a.key", "b.key"]'])
def test_each_certificate_has_a_key(keys: str) -> None:
    (only,) = found(TLS + 'certificates = ["a.pem"]\n' + keys)
    assert only.startswith("listeners[0].keys: has ")
    assert only.endswith("write the key of each certificate, in the same order")


def test_nobody_vouches_for_clients() -> None:
    (only,) = found(TLS + FILES + "require_client_certificate = true")
    assert "listeners[0].require_client_certificate: is true, and nothing says who certifies clients" in only


@pytest.mark.parametrize(
    ("key", "transport", "right"),
    [("certificates", "tcp", "tls"), ("keys", "udp", "tls"), ("client_ca", "ws", "tls"), ("ca", "wss", "tls"),
     ("origins", "tls", "ws"), ("require_client_certificate", "udp", "tls")],
)  # fmt: skip
def test_what_means_nothing_is_a_mistake(key: str, transport: str, right: str) -> None:
    """Else somebody believes that it protects."""
    listener = f'transport = "{transport}"\n{FILES if transport in ("tls", "wss") else ""}{key} = ["x"]'
    assert (
        f"listeners[0].{key}: means nothing for transport {transport}; take it out, or write transport = "
        in found(listener)[0]
    )
    assert right in found(listener)[0]


@pytest.mark.parametrize("transport", ["tcp", "ws"])
def test_several_workers(transport: str) -> None:
    assert found(f'transport = "{transport}"', "workers = 2") == []


@pytest.mark.parametrize(
    ("rest", "key"),
    [('[core]\nlistener = "web"', "core.listener"), ('[[trunks]]\nlistener = "web"', "trunks[0].listener")],
)
def test_nobody_is_reached_by_a_websocket(rest: str, key: str) -> None:
    (only,) = found('name = "web"\ntransport = "ws"', rest)
    assert only.startswith(f"{key}: web takes WebSockets")


@pytest.mark.parametrize("listener", ["transport = 7", 'transport = "tls"\ncertificates = 7', "name = 7"])
def test_what_the_schema_refuses_is_passed_over(listener: str) -> None:
    found(listener)
