"""A small world for core tests: a core with real filters, a phone, trunks, and what leaves for each of them.

Time stands still unless a test moves it. Nothing here opens a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from config.accounts import Accounts
from config.keyring import Key, KeyRing, KeyState
from config.recorder_keys import RecorderKeys
from config.settings import Settings, Trunk
from config.subscribers import Subscribers
from filters.catalogue import Catalogue, load_catalogue
from filters.engine import NO_KEYS, Engine, catalogue_of
from filters.signer import Signer
from filters.verifier import Verifier
from proxy.core import Core
from proxy.digest_client import Account
from proxy.flow import Flow
from proxy.nonce_counts import Counts
from proxy.sinks import Event
from proxy.wish_table import WishTable, in_memory

PROXY = ("192.0.2.1", 5060)
PHONE = ("10.1.1.23", 5062)
OTHER_PHONE = ("10.1.1.99", 5060)
TRUNK = ("198.51.100.7", 5060)
SECOND_TRUNK = ("198.51.100.8", 5060)
CORE = ("203.0.113.5", 5060)
PSAP = ("198.51.100.112", 5060)
STRANGER = ("203.0.113.66", 5060)
WALL = 1_790_000_000

SETTINGS: dict[str, Any] = {
    "realms": ["sip.example.net"],
    "listeners": [{"name": "main", "address": PROXY[0], "port": PROXY[1]}],
    "access": {"networks": ["10.0.0.0/8"], "listener": "main", "edge_proxies": ["10.9.9.9"]},
    "core": {"networks": ["203.0.113.5"], "listener": "main", "next_hop": "203.0.113.5:5060"},
    "trunks": [
        {"name": "carrier", "hosts": ["198.51.100.7:5060"], "networks": ["198.51.100.16/28"], "listener": "main"},
        {"name": "second", "hosts": ["198.51.100.8:5060"], "listener": "main"},
        {"name": "psap", "hosts": ["198.51.100.112:5060"], "listener": "main", "emergency": True},
    ],
    "routes": [
        {"emergency": True, "to": ["psap"]},
        {"source": "trunk", "to": ["core"]},
        {"source": "core", "prefix": "+", "to": ["carrier"]},
        {"source": "core", "to": ["access"]},
        {"prefix": "9", "to": ["carrier", "second"]},
        {"prefix": "8", "to": ["core"]},
        {"source": "access", "to": ["carrier"]},
    ],
}


def settings(**changes: Any) -> Settings:
    """Return the world's settings with top-level sections replaced."""
    return Settings.model_validate({**SETTINGS, **changes})


def keyring(*ids: int) -> KeyRing:
    """Return a key ring whose last id is current."""
    ids = ids or (3,)
    keys = [
        Key(number, bytes([number]) * 32, WALL, KeyState.CURRENT if number == ids[-1] else KeyState.OLD, WALL)
        for number in ids
    ]
    return KeyRing(tuple(keys), (ids[-1] + 1) % 32)


packaged = cache(load_catalogue)
"""Returns our own catalogue; it is immutable, and reading it takes longer than most tests."""


def catalogue(of: Settings) -> Catalogue:
    """Return the catalogue of settings; an operator's files may have changed since they were last read."""
    return catalogue_of(of) if of.catalogue else packaged()


def build(
    of: Settings, subscribers: Subscribers | None = None, signer: Signer | None = None,
    verifier: Verifier | None = None, recorder_keys: Mapping[str, RecorderKeys] = NO_KEYS,
) -> Engine:  # fmt: skip
    """Return the engine as filters.engine.build does, with our catalogue read once for all tests."""
    return Engine(of, catalogue(of), subscribers, signer, verifier, recorder_keys)


@dataclass
class World:
    """A core and everything that leaves it."""

    settings: Settings = field(default_factory=settings)
    ring: KeyRing = field(default_factory=keyring)
    retired: Sequence[Trunk] = ()
    now: float = 1000.0
    wall: float = WALL
    signer: Signer | None = None
    verifier: Verifier | None = None
    accounts: Accounts | None = None
    counts: Counts | None = None
    passwords: Mapping[str, Account] = field(default_factory=dict)
    make_wishes: Callable[[], WishTable] = in_memory
    refuse_send: set[tuple[str, int]] = field(default_factory=set)
    flows: dict[tuple[str, int], Flow] = field(default_factory=dict)
    """How messages of an address come in, where it is not by UDP."""
    gone: set[int] = field(default_factory=set)
    """Connections that have ended."""

    def __post_init__(self) -> None:
        self.sent: list[tuple[tuple[str, int], bytes]] = []
        self.sent_over: list[Flow] = []
        self.lookups: list[tuple[int, str, int]] = []
        self.wanted = ""
        """Transport that the last look-up was for."""
        self.events: list[Event] = []
        self.privacy: Any = build(self.settings, signer=self.signer, verifier=self.verifier)
        self.core = self.new_core()

    def new_core(self) -> Core:
        """Return a fresh core, as after kill -9: same settings, same key ring, nothing else."""
        self.core = Core(
            self.settings, self.ring, self.privacy, self, now=self.now, wall=self.wall, retired=self.retired,
            accounts=self.accounts, passwords=self.passwords, counts=self.counts,
            make_wishes=self.make_wishes,
        )  # fmt: skip
        return self.core

    def reload(self, **changes: Any) -> None:
        """Swap the running generation for one with these sections replaced; trunks that are gone are retired."""
        former, self.settings = self.settings, settings(**changes)
        names = {trunk.name for trunk in self.settings.trunks}
        self.retired = [*self.retired, *(trunk for trunk in former.trunks if trunk.name not in names)]
        self.privacy = build(self.settings)
        self.core.adopt(self.settings, self.ring, self.privacy, self.retired, self.passwords)

    # --- sinks

    def send(self, flow: Flow, data: bytes) -> bool:
        if flow.peer in self.refuse_send or flow.connection in self.gone:
            return False
        self.sent.append((flow.peer, data))
        self.sent_over.append(flow)
        return True

    def lookup(self, ticket: int, host: str, port: int, transport: str = "UDP") -> None:
        self.lookups.append((ticket, host, port))
        self.wanted = transport

    def event(self, event: Event) -> None:
        self.events.append(event)

    # --- what tests do

    def receive(self, source: tuple[str, int], data: bytes) -> list[tuple[tuple[str, int], bytes]]:
        """Hand a datagram to the core and return what left because of it."""
        before = len(self.sent)
        flow = self.flows.get(source)
        self.core.receive(data, Flow("UDP", PROXY, source) if flow is None else flow, self.now)
        return self.sent[before:]

    def close(self, connection: Flow) -> list[tuple[tuple[str, int], bytes]]:
        """End a connection, tell the core, and return what left because of it."""
        before = len(self.sent)
        self.gone.add(connection.connection)
        self.core.closed(connection, self.now)
        return self.sent[before:]

    def wait(self, seconds: float) -> list[tuple[tuple[str, int], bytes]]:
        """Let time pass in ticks and return what left meanwhile."""
        before = len(self.sent)
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 0.05)
            self.core.timeout(self.now)
        return self.sent[before:]

    def count(self, name: str, label: str) -> int:
        """Return a counter's value."""
        return self.core.counters.values.get((name, label), 0)
