"""As many registered flows as the limit of open files allows, kept alive, and a sample of them called.

phones (127.12.x.y) ══ TCP or TLS: REGISTER, pings ══> proxy <── INVITE for a sample ── trunk
"""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.load import figures
from scripts.load.addresses import PROXY, TRUNK, Address, free, is_bound
from scripts.load.config import METRICS, REALM, STATE, access, document, listener, route, table, trunk
from scripts.load.errors import LoadError
from scripts.load.flow_calls import FlowCalls
from scripts.load.flow_phones import RESERVED_FILES, Phones, open_files
from scripts.load.flow_tls import certificate, client
from scripts.load.flows_result import Flowing, Flows
from scripts.load.looks import CPU, MEMORY, Look, Looks
from scripts.load.proxy import Proxy
from scripts.load.trial import Trial

NETWORK = "127.12.0.0/16"
"""Where the phones are."""
PER_HOST = 200
"""Flows from one address: below `streams.per_source`."""
MOST = 20_000
SPARE = 1000
"""Open files that the flows leave to the rest of a process."""
TOGETHER = 100
"""Phones that register at a time."""
SOFT = 1024
"""What many systems give a process that does not ask for more; the proxy has to."""
TURN = 0.02
PATIENCE = 5.0
"""Seconds that calls may take, and registrations without any that succeeds."""


def room() -> int:
    """Return how many flows there may be: the hard limit of open files less SPARE, and MOST."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if hard == resource.RLIM_INFINITY else max(0, min(MOST, hard - SPARE))


class FlowsTrial(Trial[Flows, Flowing]):
    """Phones register, are kept alive, and some are called, all in one thread."""

    def __init__(self, load: Flows, folder: Path) -> None:
        """See how many there may be."""
        super().__init__(load, folder)
        self._wanted = wanted = min(load.flows or MOST, room())
        if wanted < max(1, load.flows):
            raise LoadError(
                f"the hard limit of open files leaves room for {wanted} flows (ulimit -Hn), not {load.flows}"
            )
        self.accounts = wanted if load.digest else 0
        self._near, self._trunk = free(PROXY), free(TRUNK)
        self._phones = Phones(self._near, hosts(wanted), load.keep_alive, client() if load.tls else None)
        self._calls = FlowCalls(self._trunk, self.proxy)
        self._phones.watch(self._calls.sock)

    def configuration(self) -> str:
        """Return a registrar; the bounds of [streams] and [guard] are the defaults too."""
        if self.load.digest:
            who = [table("subscribers"), table("authentication", realm=REALM), table("registrar", domains=[REALM])]
        else:
            who = [table("registrar", domains=[REALM], unauthenticated=True)]
        secure = certificate(self.folder / STATE) if self.load.tls else {}
        return document(
            listener("phones", self._near, transport="tls" if self.load.tls else "tcp", **secure),
            listener("trunks", self.proxy), access("phones", NETWORK), *who,
            trunk("carrier", self._trunk, "trunks"),
            route("access", "carrier"), route("trunk", "registered"), METRICS,
        )  # fmt: skip

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Give the proxy no more open files than it would have elsewhere."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(SOFT, hard) if hard >= 0 else SOFT, hard))
        try:
            yield
        finally:
            open_files()

    def ready(self) -> bool:
        """Tell whether both listeners are there."""
        return is_bound(self.proxy) and _listens(self._near)

    def play(self, proxy: Proxy, looks: Looks) -> Flowing:
        """Register all, keep them alive, call some."""
        if open_files() < self._wanted + RESERVED_FILES:
            needed = self._wanted + RESERVED_FILES
            raise LoadError(f"the phones need {needed} open files; raise the hard limit (ulimit -Hn)")
        phones, calls, meter = self._phones, self._calls, looks.meter
        began = meter.now()
        self._register(looks)
        there = meter.now()
        self._until(self.load.seconds, looks)
        proxy.check()
        held = meter.now()
        called = self._call(looks)
        registered = len(phones.registered_ms)
        return Flowing(
            load=self.load, wanted=self._wanted, registered=registered, registering_seconds=there.at - began.at,
            register_ms=figures.percentiles(phones.registered_ms),
            register_cpu_us=(there.used.total - began.used.total) / max(1, registered),
            resident_before=meter.before.resident, resident_after=held.used.resident,
            held_cpu_percent=held.cpu_percent(there),
            pongs=len(phones.pong_ms), pong_ms=figures.percentiles(phones.pong_ms), lost=dict(phones.lost),
            called=called, answered=calls.answered, ended=calls.ended, refused=calls.refused,
            samples=tuple(looks.samples),
        )  # fmt: skip

    def close(self) -> None:
        """Close all connections."""
        self._phones.close()
        self._calls.sock.close()

    def counted(self) -> Mapping[str, float]:
        """Return how many flows there are, and what came of pings."""
        phones = self._phones
        return {"up": phones.up, "lost": phones.lost.total(), "pongs": len(phones.pong_ms)}

    def panels(self, last: Look, now: Look) -> Mapping[str, float]:
        """Return what is drawn."""
        return {
            "registered flows": now.counted["up"], MEMORY: now.megabytes, CPU: now.moment.cpu_percent(last.moment),
            "pongs/s": now.rate("pongs", last), "flows lost": now.counted["lost"],
        }  # fmt: skip

    def words(self, now: Look) -> str:
        """Return how far it is."""
        up, lost, pongs = (now.counted[each] for each in ("up", "lost", "pongs"))
        return f"{up:.0f} registered, {pongs:.0f} pongs, {lost:.0f} lost, {now.megabytes:.0f} MB"

    def _turn(self, looks: Looks) -> None:
        self._phones.turn(TURN)
        looks.look()

    def _register(self, looks: Looks) -> None:
        phones, moved, settled = self._phones, time.monotonic(), 0
        while phones.begun < self._wanted or phones.registering:
            while phones.begun < self._wanted and phones.registering < TOGETHER:
                phones.begin()
            self._turn(looks)
            done = len(phones.registered_ms) + phones.lost.total()
            if done != settled:
                moved, settled = time.monotonic(), done
            elif time.monotonic() - moved > PATIENCE:
                raise LoadError(f"no phone has registered for {PATIENCE:.0f} s, after {done}: {dict(phones.lost)}")

    def _until(self, seconds: float, looks: Looks) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn(looks)

    def _call(self, looks: Looks) -> int:
        """Call a sample that is spread over all, and return how many."""
        calls, called = self._calls, min(self.load.calls, self._wanted)
        for number in range(called):
            calls.call(number * self._wanted // called)
            self._turn(looks)
            calls.turn()
        end = time.monotonic() + PATIENCE
        while calls.ended + sum(calls.refused.values()) < called and time.monotonic() < end:
            self._turn(looks)
            calls.turn()
        return called


def hosts(flows: int) -> list[str]:
    """Return addresses of NETWORK, as many as so many flows need."""
    count = -(-flows // PER_HOST)
    return [f"127.12.{host >> 8}.{host & 255}" for host in range(1, count + 1)]


def _listens(address: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(address) == 0
