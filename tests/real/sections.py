"""Sections of a configuration that several flows have: further listeners beside the one of UDP."""

from __future__ import annotations

from scripts.load.config import listener
from tests.real.harness import Address


def stream(name: str, address: Address, transport: str) -> str:
    """Return a listener of a transport without TLS."""
    return "\n" + listener(name, address, transport=transport)


def secure(
    name: str, address: Address, transport: str = "tls", *, certificate: str = "own", **more: str | list[str]
) -> str:
    """Return a listener that shows a certificate of tests/tls.py."""
    files = {"certificates": [f"{certificate}.pem"], "keys": [f"{certificate}.key"]}
    return "\n" + listener(name, address, transport=transport, **files, **more)


AUTHORITY = "Test-authority.pem"
"""Who has issued those of the far ends, as `ca` or `client_ca`."""
