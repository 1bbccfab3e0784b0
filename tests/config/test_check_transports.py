"""Hops over TLS whose certificates could be anybody's."""

from __future__ import annotations

import tomllib

import pytest

from config.check_transports import transport_mistakes

LISTENERS = """
[[listeners]]
name = "tls"
transport = "tls"
[[listeners]]
name = "wss"
transport = "wss"
[[listeners]]
name = "tcp"
transport = "tcp"
"""


def mistakes(text: str) -> list[str]:
    found = transport_mistakes(tomllib.loads(LISTENERS + text))
    return [f"{'.'.join(map(str, each.path))} {each.wrong}" for each in found]


@pytest.mark.parametrize("listener", ["tls", "wss"])
def test_an_address_over_tls_needs_a_name(listener: str) -> None:
    """RFC 5922 §7.2: a certificate shows names."""
    trunk = f'[[trunks]]\nlistener = "{listener}"\nhosts = ["198.51.100.7"]\n'
    core = f'[core]\nlistener = "{listener}"\nnext_hop = "203.0.113.5:5061"\n'
    assert mistakes(trunk + core) == [
        "trunks.0.tls_name is missing, and 198.51.100.7 is reached over TLS",
        "core.tls_name is missing, and 203.0.113.5 is reached over TLS",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[[trunks]]\nlistener = "tcp"\nhosts = ["198.51.100.7"]\n',
        '[[trunks]]\nlistener = "tls"\nhosts = ["198.51.100.7"]\ntls_name = "sip.x.example"\n',
        '[[trunks]]\nlistener = "tls"\nhosts = ["sip.x.example", "198.51.100.7"]\n',
        '[core]\nlistener = "tls"\n',
        "[[trunks]]\nlistener = 7\nhosts = 7\n[[trunks]]\n",
    ],
)
def test_nothing_to_say(text: str) -> None:
    """A name is known, or nobody needs one, or the schema tells."""
    assert mistakes(text) == []
