"""A core that only remembers, clocks that stand, and settings for loopback: what the shell's tests share."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from config.keyring import KeyRing
from config.load import load
from config.settings import Settings, Trunk
from proxy.aliases import Aliases
from proxy.bindings import Bindings
from proxy.counters import Counters
from proxy.digest_client import NO_ACCOUNTS, Account
from proxy.flow import Flow
from proxy.location import Place
from proxy.overload import Overload
from proxy.policy import Privacy
from proxy.sinks import Sinks
from proxy.timed_flows import TimedFlows
from proxy.timers import TimerWheel

CONFIG = """\
[[listeners]]
name = "access"
address = "127.0.0.1"
port = 0

[access]
networks = ["127.0.0.0/8"]
listener = "access"

[[trunks]]
name = "carrier"
hosts = ["127.0.0.1:5080"]
listener = "access"

[[routes]]
source = "access"
to = ["carrier"]

[emergency]
numbers = []

[metrics]
port = 0
"""


class FakeRegistrations:
    """Remembers what other workers tell."""

    def __init__(self) -> None:
        self.tell: Callable[[bytes], None] | None = None
        self.heard: list[bytes] = []

    def known(self) -> list[bytes]:
        return list(self.heard)

    def learn(self, said: bytes) -> None:
        self.heard.append(said)


class FakeCore:
    """Has the interface of proxy.core.Core; keeps what it is given."""

    tick = 0.01

    def __init__(self, settings: Settings, sinks: Sinks) -> None:
        self.settings = settings
        self.sinks = sinks
        self.aliases = Aliases()
        self.registrations = FakeRegistrations()
        self.timed = TimedFlows(0)
        self.gone: list[int] = []
        self.refused: list[bytes] = []
        self.bindings = Bindings(TimerWheel(0.0), 0.0)
        self.counters = Counters()
        self.overload = Overload(settings.overload, lambda begins: None)
        self.received: list[tuple[bytes, Flow]] = []
        self.resumed: list[tuple[int, list[Place]]] = []
        self.lost: list[tuple[Flow, bytes]] = []
        self.ended: list[Flow] = []
        self.broken: list[tuple[bytes, Flow, int, str]] = []
        self.timeouts = 0
        self.left = 0
        self.on_leaving: Callable[[], int] = lambda: 0
        self.walls: list[float] = []
        self.on_receive: Callable[[bytes, Flow], None] = lambda data, flow: None
        self.on_timeout: Callable[[], None] = lambda: None
        self.on_resume: Callable[[], None] = lambda: None

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append((data, flow))
        self.on_receive(data, flow)

    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        self.lost.append((flow, data))

    def closed(self, flow: Flow, now: float, *, here: bool = True) -> None:
        self.ended.append(flow)

    def worker_ended(self, worker: int, now: float) -> None:
        self.gone.append(worker)

    def unowned(self, data: bytes, flow: Flow, now: float) -> None:
        self.refused.append(data)

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        self.broken.append((data, flow, code, why))

    def silence(self, flow: Flow) -> float:
        return 0.0

    def timeout(self, now: float) -> None:
        self.timeouts += 1
        self.on_timeout()

    def resume(self, ticket: int, places: Sequence[Place], now: float) -> None:
        self.resumed.append((ticket, list(places)))
        self.on_resume()

    def leave(self, now: float) -> None:
        self.left += 1

    @property
    def leaving(self) -> int:
        return self.on_leaving()

    def set_wall(self, now: float, wall: float) -> None:
        self.walls.append(wall)

    def adopt(
        self, settings: Settings, keyring: KeyRing, privacy: Privacy, retired: Sequence[Trunk] = (),
        passwords: Mapping[str, Account] = NO_ACCOUNTS,
    ) -> None:  # fmt: skip
        self.settings = settings

    def gauges(self) -> Mapping[str, float]:
        return {
            "sipveil_server_transactions": 3, "sipveil_client_transactions": 2, "sipveil_parked_requests": 1,
            "sipveil_targets_passed_over": 0, "sipveil_bindings": 0, "sipveil_registered_addresses": 0,
            "sipveil_overload_active": 1, "sipveil_overload_refused_ratio": 0.25, "sipveil_overload_lag_seconds": 0.02,
            "sipveil_guard_banned": 3, "sipveil_guard_limited": 4, "sipveil_recorder_certificate_end_seconds": 0,
            "sipveil_privacy_wishes_strict_until_seconds": 0,
        }  # fmt: skip


class StoppedClocks:
    """Time that the test sets."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.unix = 1_790_000_000.0

    def now(self) -> float:
        return self.monotonic

    def wall(self) -> float:
        return self.unix


class Lines(io.StringIO):
    """A stream for a LineObserver."""

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()


def settings_of(folder: Path, text: str = CONFIG) -> Settings:
    """Return the settings that text in folder makes."""
    path = folder / "sipveil.toml"
    path.write_text(text)
    return load(path)
