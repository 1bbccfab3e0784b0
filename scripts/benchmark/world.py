"""A core without sockets: what it sends stays in a list, and time passes as the benchmark says.

Only the core's public face is used (`receive`, `timeout`, its sinks), so that it can be rewritten underneath.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.accounts import Accounts
from config.keyring import Key, KeyRing, KeyState
from config.settings import Settings
from filters.engine import build
from proxy.core import Core
from proxy.flow import Flow
from proxy.sinks import Event

PROXY = ("127.0.0.1", 5060)
CALLER = ("127.0.0.11", 5060)
TRUNK = ("127.0.0.21", 5060)
WALL = 1_790_000_000.0
START = 1000.0

CARRIER: Mapping[str, Any] = {
    "name": "carrier",
    "hosts": ["127.0.0.21:5060"],
    "listener": "main",
    "privacy": {"device": "remove", "location": "remove", "software": "remove", "network": "seal"},
}
SETTINGS: Mapping[str, Any] = {
    "realms": ["sip.example.net"],
    "listeners": [{"name": "main", "address": PROXY[0], "port": PROXY[1]}],
    "access": {"networks": ["127.0.0.11/32"], "listener": "main"},
    "trunks": [CARRIER],
    "routes": [{"source": "access", "to": ["carrier"]}],
    "limits": {"transactions": 1_000_000},
    "guard": {"source_rate": 1e6, "source_burst": 1_000_000, "subscriber_calls": 60_000_000},
}
"""The same as contenders.configuration."""


def ring() -> KeyRing:
    """Return a key ring with one key; a benchmark has no secrets."""
    return KeyRing((Key(3, bytes(range(32)), WALL, KeyState.CURRENT, WALL),), 4)


RECORDING: Mapping[str, Any] = {
    "listeners": [
        *SETTINGS["listeners"],
        {"name": "tls", "address": PROXY[0], "port": 5061, "transport": "tls", "client_ca": "ca.pem"},
    ],
    "recorders": [{"name": "srs", "hosts": ["srs.invalid:5061"], "listener": "tls", "certificate": "srs.pem"}],
    "recording_clients": [{"name": "pbx", "networks": ["127.0.0.31"], "listener": "tls", "tls_names": ["pbx.invalid"]}],
}
"""A client and a recorder; nothing here has anything to do with them."""


class World:
    """A core with real filters, and all that it sent since anyone last looked."""

    def __init__(self, accounts: Accounts | None = None, **changes: Any) -> None:  # noqa: ANN401 - sections of the configuration, as they are written
        """Build the core; changes replace whole sections of the settings. accounts: who phones may prove to be."""
        self.settings = Settings.model_validate({**SETTINGS, **changes})
        self.now = START
        self.sent: list[tuple[tuple[str, int], bytes]] = []
        self.from_caller = Flow("UDP", PROXY, CALLER)
        self.from_trunk = Flow("UDP", PROXY, TRUNK)
        self.core = Core(self.settings, ring(), build(self.settings), self, now=self.now, wall=WALL, accounts=accounts)

    def take(self, peer: tuple[str, int]) -> list[bytes]:
        """Return what was sent to peer, and forget everything that was sent."""
        found = [data for to, data in self.sent if to == peer]
        self.sent.clear()
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass in ticks."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + self.core.tick)
            self.core.timeout(self.now)

    # The core's sinks

    def send(self, flow: Flow, data: bytes) -> bool:
        """Keep what was sent."""
        self.sent.append((flow.peer, data))
        return True

    def lookup(self, ticket: int, host: str, port: int, transport: str = "UDP") -> None:
        """Nothing has a name here."""
        raise AssertionError(f"the core asks for {host}, ticket {ticket}")

    def event(self, event: Event) -> None:
        """Nobody listens."""


def recorder_world() -> World:
    """Return a core that has to look whether a call is a recording session."""
    return World(**RECORDING)
