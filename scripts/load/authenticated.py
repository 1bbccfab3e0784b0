"""Calls of phones with passwords: the generator of scripts/bench on both sides, digest authentication in the proxy.

    phones ── INVITE, 407, ACK, INVITE with credentials, 200, ACK, BYE ──> proxy ──> trunk

SIPp reads its credentials from a file anew for each call and computes MD5 alone; both ends of it need more than a core
at 1,000 calls a second. The accounts are in the store, and the guard has its defaults.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from scripts.benchmark import generator
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Played
from scripts.load.account import Account, account
from scripts.load.accounts import PASSWORD, REALM, USER, import_accounts
from scripts.load.addresses import PHONES, PROXY, TRUNK, Address, dropped, free, phones
from scripts.load.authenticated_messages import URI, as_file
from scripts.load.cores import Cores, pinned
from scripts.load.errors import LoadError
from scripts.load.proxy import Proxy, sipveil
from scripts.load.series import Sample

TEXT = """\
state_dir = "state"
realms = ["{realm}"]
{workers}
[[listeners]]
name = "access"
address = "{proxy[0]}"
port = {proxy[1]}

[access]
networks = ["{phones}"]
listener = "access"

[subscribers]

[authentication]
realm = "{realm}"
algorithms = ["SHA-256", "MD5"]

[[trunks]]
name = "carrier"
hosts = ["{trunk[0]}:{trunk[1]}"]
listener = "access"

[[routes]]
source = "access"
to = ["carrier"]

[limits]
# The default is for a carrier's traffic; transactions linger for 32 s.
transactions = 1000000

[metrics]
port = 0
"""
"""All else, [guard] too, has its default."""
EVERY = 1000
"""Milliseconds between two lines of the generator."""
MOST_SOURCES = 64


@dataclass(frozen=True, kw_only=True)
class Calls:
    """What is offered to the proxy."""

    rate: int = 1000
    """New calls a second."""
    seconds: int = 10
    accounts: int = 5000
    """Callers, in turn; each may make `guard.subscriber_calls` a minute."""
    sources: int = MOST_SOURCES
    """Addresses that they share."""
    algorithm: str = "SHA-256"
    reuse: bool = False
    """Whether a phone begins its next call with the nonce that it has, as most do."""
    ring: int = 20
    """Milliseconds from 180 to 200."""
    talk: int = 200
    """Milliseconds from ACK to BYE."""
    workers: int = 1
    port: int = 0
    cores: Cores = field(default_factory=Cores)


class Snapshot(NamedTuple):
    """How far a run is."""

    at: float
    """Seconds since the first call."""
    said: dict[str, float]
    """What the generator has counted so far."""
    cpu: float
    """Microseconds that the proxy has used since then."""
    resident: int


Watch = Callable[[Snapshot], None]


@dataclass(frozen=True, kw_only=True)
class Authenticated:
    """What a run has shown."""

    calls: Calls
    played: Played
    dropped: int
    """Datagrams for the proxy that the kernel threw away."""
    cpu_us_per_call: float | None
    cpu_percent: float
    generator_percent: float
    """Of a core: above some 80 it is the generator that is measured."""
    resident_before: int
    resident_after: int
    samples: tuple[Sample, ...]

    @property
    def lost(self) -> int:
        """Return the calls that got no final answer, or whose BYE got none."""
        return self.played.expired + self.played.unfinished

    @property
    def busy(self) -> int:
        """Return the calls that the proxy refused with 503."""
        return self.played.statuses.get("503", 0)

    @property
    def failed(self) -> int:
        """Return the calls that were refused with anything else."""
        return self.played.refused - self.busy

    @property
    def leaking(self) -> bool:
        """Tell whether the trunk saw what it should not."""
        return self.played.leaks > 0

    @property
    def failing(self) -> bool:
        """Tell whether a call was lost or failed."""
        return self.lost + self.failed > 0

    def text(self) -> str:
        """Return it for a person."""
        calls, played = self.calls, self.played
        nonce = "its last nonce" if calls.reuse else "no credentials"
        missing = ", ".join(f"{what} {number}" for what, number in played.expired_in.items() if number)
        others = ", ".join(f"{code} {number}" for code, number in played.statuses.items() if code != "503")
        cpu = "-" if self.cpu_us_per_call is None else f"{self.cpu_us_per_call:.0f}"
        rows = {
            "calls/s": f"{played.rate:.1f} over {played.elapsed:.1f} s",
            "completed": f"{played.completed} of {played.created}",
            "lost": f"{self.lost}" + (f" ({missing})" if missing else ""),
            "failed": f"{self.failed}" + (f" ({others})" if others else ""),
            "refused (503)": f"{self.busy}",
            "challenges": f"{played.challenges}, of which {played.stale} for a nonce that did not hold any longer",
            "retransmissions": f"{played.retransmissions}",
            "lost (full buffer)": f"{self.dropped}",
            "set-up time, ms": f"p50 {played.setup_p50:.1f}, p95 {played.setup_p95:.1f}, p99 {played.setup_p99:.1f}, "
            f"max {played.setup_max:.1f} (rings {calls.ring})",
            "CPU of the proxy": f"{cpu} µs a call, {self.cpu_percent:.0f} % of a core",
            "of the generator": f"{self.generator_percent:.0f} % of a core, behind by {played.late:.1f} ms at worst",
            "its memory, MB": f"{self.resident_after / 2**20:.1f}, before the first call "
            f"{self.resident_before / 2**20:.1f}",
            "searched": f"{played.checked} requests at the trunk",
        }
        head = (
            f"authenticated: {calls.rate} calls/s for {calls.seconds} s, {calls.algorithm}, {calls.accounts} accounts "
            f"at {calls.sources} addresses, a call begins with {nonce}"
        )
        leak = f"  LEAKS: {played.leaked!r} and more in {played.leaks} requests" if self.leaking else "  no leaks"
        return "\n".join([head, *(f"  {name:<18}  {value}" for name, value in rows.items()), leak])

    def as_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        mine = {
            name: getattr(self, name)
            for name in ("dropped", "cpu_us_per_call", "cpu_percent", "generator_percent", "resident_before",
                         "resident_after", "lost", "busy", "failed")
        }  # fmt: skip
        played = self.played._asdict() | {"expired_in": dict(self.played.expired_in)}
        samples = [{"at": sample.at, **sample.values} for sample in self.samples]
        return {"scenario": "authenticated", **asdict(self.calls), **played, **mine, "samples": samples}


def run(calls: Calls, folder: Path, watch: Watch = lambda _: None) -> Authenticated:
    """Start a Sipveil with accounts in folder, play calls, stop it.

    Raises LoadError where that cannot be.
    """
    try:
        program = generator.build(digest=True)
    except BenchError as error:
        raise LoadError(str(error)) from error
    address, trunk = free(PROXY, calls.port), free(TRUNK)
    config = folder / "sipveil.toml"
    workers = f"workers = {calls.workers}\n" if calls.workers > 1 else ""
    config.write_text(TEXT.format(realm=REALM, proxy=address, trunk=trunk, phones=PHONES, workers=workers))
    import_accounts(calls.accounts, config, folder)
    templates = folder / "templates"
    templates.write_text(as_file(), newline="")
    sources = [free(host) for host in phones(calls.sources)]
    with Proxy(sipveil(config), address, folder, cores=calls.cores.proxy, probe_from=sources[0][0]) as proxy:
        before, began = account(proxy.pid), time.monotonic()
        words = _command(program, calls, address, sources, trunk, templates)
        played, samples = _play(words, calls, proxy, before, watch)
        seconds = time.monotonic() - began
        proxy.check()
        used, lost = account(proxy.pid).since(before), dropped(address)
    return Authenticated(
        calls=calls, played=played, dropped=lost,
        cpu_us_per_call=used.total / played.completed if played.completed else None,
        cpu_percent=used.total / seconds / 1e4, generator_percent=played.own_cpu / seconds / 1e4,
        resident_before=before.resident, resident_after=used.resident, samples=tuple(samples),
    )  # fmt: skip


def _command(
    program: Path, calls: Calls, proxy: Address, sources: list[Address], trunk: Address, templates: Path
) -> list[str]:
    load = generator.Load(seconds=calls.seconds, rate=calls.rate, ring=calls.ring, hold=calls.talk,
                          subscribers=calls.accounts)  # fmt: skip
    words = generator.command(program, proxy, sources[0], trunk, templates, load)
    words[2] = ",".join(f"{host}:{port}" for host, port in sources)
    more = {
        "uri": URI.format(proxy=proxy), "realm": REALM, "user": USER, "password": PASSWORD, "tell": EVERY,
        "algorithm": calls.algorithm, "reuse": int(calls.reuse), "search": 1 << 62,
    }  # fmt: skip
    return words + [f"{key}={value}" for key, value in more.items()]


def _play(words: list[str], calls: Calls, proxy: Proxy, before: Account, watch: Watch) -> tuple[Played, list[Sample]]:
    """Run the generator to its end; return what became of the calls, and how that went."""
    with pinned(calls.cores.load):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603 - what to run is our own choice
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    samples: list[Sample] = []
    last = Snapshot(0.0, {}, 0.0, before.resident)
    line = said = ""
    try:
        while process.poll() is None or reader.is_alive() or not lines.empty():
            with suppress(queue.Empty):
                line = lines.get(timeout=0.25)
                said = line or said
                if '"at"' in line:
                    used = account(proxy.pid).since(before)
                    now = Snapshot(json.loads(line)["at"], json.loads(line), used.total, used.resident)
                    samples.append(_sample(last, now))
                    watch(now)
                    last = now
            proxy.check()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode or '"created"' not in said:
        raise LoadError(f"the load generator has ended with {process.returncode}")
    return generator.read(said), samples


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    with process.stdout or nullcontext(()) as output:
        for line in output:
            lines.put(line.strip())


def _sample(last: Snapshot, now: Snapshot) -> Sample:
    span = max(0.001, now.at - last.at)
    return Sample(now.at, {
        "calls/s completed": (now.said["completed"] - last.said.get("completed", 0)) / span,
        "proxy's CPU, % of a core": (now.cpu - last.cpu) / span / 1e4,
        "proxy's memory, MB": now.resident / 2**20,
        "calls refused or lost": now.said["refused"] + now.said["expired"],
    })  # fmt: skip
