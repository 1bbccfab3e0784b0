"""Whether a proxy answers, asked every few milliseconds: its start is to be timed, not a pause between two looks."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable

from scripts.load.addresses import Address
from scripts.load.proxy import OPTIONS

PATIENCE = 0.25
"""Seconds that one look may take, during which it asks again and again."""
PAUSE = 0.002


def prompt(address: Address, source: str) -> Callable[[], bool]:
    """Return what tells a `Proxy` within a few milliseconds that it answers, asked from an IP address."""

    def ready() -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if answers(address, source):
                return True
            time.sleep(PAUSE)
        return False

    return ready


def answers(address: Address, source: str) -> bool:
    """Tell whether somebody answers at once; a connected socket hears of a closed port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(0.02)
        own, token = sock.getsockname(), secrets.token_hex(8)
        text = OPTIONS.format(host=address[0], port=address[1], own=own, token=token)
        try:
            sock.connect(address)
            sock.send(text.replace("\n", "\r\n").encode())
            return sock.recv(65535).startswith(b"SIP/2.0 ")
        except OSError:
            return False
