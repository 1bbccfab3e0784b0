"""As many registered flows as the limit of open files allows, kept alive, and a sample of them called.

phones (127.12.x.y) ══ TCP or TLS: REGISTER, pings ══> proxy <── INVITE for a sample ── trunk
"""

from __future__ import annotations

import resource
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from scripts.load import figures
from scripts.load.account import account
from scripts.load.accounts import REALM, import_accounts
from scripts.load.addresses import PROXY, TRUNK, Address, free, is_bound
from scripts.load.cores import Cores, pinned
from scripts.load.errors import LoadError
from scripts.load.flow_calls import FlowCalls
from scripts.load.flow_phones import RESERVED_FILES, Phones, open_files
from scripts.load.proxy import Proxy, sipveil
from scripts.load.series import Sample

TEXT = """\
state_dir = "state"
realms = ["{realm}"]

[[listeners]]
name = "phones"
address = "{phones[0]}"
port = {phones[1]}
transport = "{transport}"
{certificate}
[[listeners]]
name = "trunks"
address = "{proxy[0]}"
port = {proxy[1]}

[access]
networks = ["127.12.0.0/16"]
listener = "phones"

{who}
[[trunks]]
name = "carrier"
hosts = ["{trunk[0]}:{trunk[1]}"]
listener = "trunks"

[[routes]]
source = "access"
to = ["carrier"]

[[routes]]
source = "trunk"
to = ["registered"]

[metrics]
port = 0
"""
"""All else has its default, the bounds of [streams] and [guard] too."""
AUTHENTICATED = """\
[subscribers]

[authentication]
realm = "{realm}"

[registrar]
domains = ["{realm}"]
"""
OPEN = """\
[registrar]
domains = ["{realm}"]
unauthenticated = true
"""
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
LOOK = 1.0
PATIENCE = 5.0
"""Seconds that calls may take, and registrations without any that succeeds."""


@dataclass(frozen=True, kw_only=True)
class Flows:
    """What is offered to the proxy."""

    flows: int = 0
    """How many; 0: as many as there may be."""
    seconds: float = 60.0
    """How long they are kept alive once all are there."""
    keep_alive: float = 20.0
    """Seconds between two pings of a phone."""
    calls: int = 100
    """Flows that are called then."""
    digest: bool = True
    tls: bool = False
    cores: Cores = field(default_factory=Cores)


class Snapshot(NamedTuple):
    """How far a run is."""

    at: float
    """Seconds since the first phone connected."""
    up: int
    lost: int
    cpu: float
    """Microseconds that the proxy has used since then."""
    resident: int
    pongs: int


Watch = Callable[[Snapshot], None]


@dataclass(frozen=True, kw_only=True)
class Flowing:
    """What a run has shown."""

    load: Flows
    wanted: int
    registered: int
    registering_seconds: float
    register_ms: dict[str, float | None]
    register_cpu_us: float
    """The proxy's, for a connection with its registration."""
    resident_before: int
    resident_after: int
    held_cpu_percent: float
    """Of a core, while they were only kept alive."""
    pongs: int
    pong_ms: dict[str, float | None]
    lost: dict[str, int]
    """Why flows ended → how many."""
    called: int
    answered: int
    ended: int
    """Calls whose BYE was answered."""
    refused: dict[int, int]
    samples: tuple[Sample, ...]

    @property
    def bytes_per_flow(self) -> float:
        """Return what the proxy's memory grew by for each flow."""
        return (self.resident_after - self.resident_before) / max(1, self.registered)

    @property
    def leaking(self) -> bool:
        """No trunk hears anything of a phone here but its answers, which are not searched."""
        return False

    @property
    def failing(self) -> bool:
        """Tell whether a flow or a call was lost."""
        return bool(self.lost) or self.registered < self.wanted or min(self.answered, self.ended) < self.called

    def text(self) -> str:
        """Return it for a person."""
        load = self.load
        refused = ", ".join(f"{code} {number}" for code, number in self.refused.items())
        lost = ", ".join(f"{why} {number}" for why, number in self.lost.items())
        rate = self.registered / max(0.001, self.registering_seconds)
        rows = {
            "registered": f"{self.registered} of {self.wanted}, {rate:.0f}/s, "
            f"{self.register_cpu_us:.0f} µs of CPU each",
            "to the 200, ms": figures.words(self.register_ms),
            "memory per flow": f"{self.bytes_per_flow / 1024:.1f} KiB ({self.resident_before / 2**20:.1f} MB before, "
            f"{self.resident_after / 2**20:.1f} after)",
            "keep-alives": f"{self.pongs} answered, ms: {figures.words(self.pong_ms)}",
            "CPU meanwhile": f"{self.held_cpu_percent:.1f} % of a core",
            "flows lost": f"{sum(self.lost.values())}" + (f" ({lost})" if lost else ""),
            "called": f"{self.called}, answered {self.answered}, ended {self.ended}"
            + (f" ({refused})" if refused else ""),
        }
        head = (
            f"flows: {self.wanted} over {'TLS' if load.tls else 'TCP'}, {'digest' if load.digest else 'no passwords'}, "
            f"a ping every {load.keep_alive:g} s for {load.seconds:g} s"
        )
        return "\n".join([head, *(f"  {name:<16}  {value}" for name, value in rows.items())])

    def as_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        found = asdict(self)
        samples = [{"at": sample.at, **sample.values} for sample in self.samples]
        more = {"bytes_per_flow": self.bytes_per_flow, "samples": samples}
        return {"scenario": "flows", **found.pop("load"), **found, **more}


def room() -> int:
    """Return how many flows there may be: the hard limit of open files less SPARE, and MOST."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if hard == resource.RLIM_INFINITY else max(0, min(MOST, hard - SPARE))


def run(load: Flows, folder: Path, watch: Watch = lambda _: None) -> Flowing:
    """Start a registrar in folder, register and call, stop it.

    Raises LoadError where that cannot be.
    """
    wanted = min(load.flows or MOST, room())
    if wanted < max(1, load.flows):
        raise LoadError(f"the hard limit of open files leaves room for {wanted} flows (ulimit -Hn), not {load.flows}")
    proxy, near, trunk = free(PROXY), free_tcp(PROXY), free(TRUNK)
    config = folder / "sipveil.toml"
    certificate = _certificate(folder) if load.tls else ""
    who = (AUTHENTICATED if load.digest else OPEN).format(realm=REALM)
    config.write_text(TEXT.format(
        realm=REALM, phones=near, proxy=proxy, trunk=trunk, who=who, transport="tls" if load.tls else "tcp",
        certificate=certificate,
    ))  # fmt: skip
    if load.digest:
        import_accounts(wanted, config, folder)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(SOFT, hard) if hard >= 0 else SOFT, hard))
    try:
        with Proxy(
            sipveil(config), proxy, folder, cores=load.cores.proxy, ready=lambda: is_bound(proxy) and _listens(near)
        ) as running:
            return _play(load, wanted, running, near, trunk, watch)
    finally:
        open_files()


def free_tcp(host: str) -> Address:
    """Return an address of host with a free TCP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind((host, 0))
        address: Address = sock.getsockname()
        return address


def _listens(address: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(address) == 0


def _certificate(folder: Path) -> str:
    """Make a certificate that nobody has signed, and return the listener's lines about it."""
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={REALM}", "-addext", f"subjectAltName=DNS:{REALM}", "-keyout", str(state / "own.key"),
             "-out", str(state / "own.pem")]  # fmt: skip
    try:
        subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - what to run is our own choice
    except (OSError, subprocess.CalledProcessError) as error:
        raise LoadError("no certificate could be made; on Debian: apt-get install openssl") from error
    (state / "own.key").chmod(0o600)
    return 'certificates = ["own.pem"]\nkeys = ["own.key"]\n'


def _client() -> ssl.SSLContext:
    """Return what phones speak TLS with; whose certificate it is is not what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Looks:
    """Samples about a second apart."""

    def __init__(self, phones: Phones, pid: int, watch: Watch) -> None:
        self._phones, self._pid, self._watch = phones, pid, watch
        self._before, self._began = account(pid), time.monotonic()
        self._last = Snapshot(0.0, 0, 0, 0.0, self._before.resident, 0)
        self.samples: list[Sample] = []

    def now(self) -> Snapshot:
        phones, used = self._phones, account(self._pid).since(self._before)
        at = time.monotonic() - self._began
        return Snapshot(at, phones.up, phones.lost.total(), used.total, used.resident, len(phones.pong_ms))

    def look(self) -> None:
        """Take one, if it is time."""
        last = self._last
        if time.monotonic() - self._began < last.at + LOOK:
            return
        now = self._last = self.now()
        span = now.at - last.at
        self.samples.append(Sample(now.at, {
            "registered flows": now.up, "proxy's memory, MB": now.resident / 2**20,
            "proxy's CPU, % of a core": (now.cpu - last.cpu) / span / 1e4,
            "pongs/s": (now.pongs - last.pongs) / span, "flows lost": now.lost,
        }))  # fmt: skip
        self._watch(now)


def _play(load: Flows, wanted: int, proxy: Proxy, near: Address, trunk: Address, watch: Watch) -> Flowing:
    if open_files() < wanted + RESERVED_FILES:
        raise LoadError(f"the phones need {wanted + RESERVED_FILES} open files; raise the hard limit (ulimit -Hn)")
    count = -(-wanted // PER_HOST)
    hosts = [f"127.12.{host >> 8}.{host & 255}" for host in range(1, count + 1)]
    with pinned(load.cores.load):
        phones = Phones(near, hosts, load.keep_alive, _client() if load.tls else None)
        calls = FlowCalls(trunk, proxy.address)
        phones.watch(calls.sock)
        looks = _Looks(phones, proxy.pid, watch)
        try:
            began, start = looks.now(), account(proxy.pid).resident
            _register(phones, wanted, looks)
            there = looks.now()
            _until(load.seconds, phones, looks)
            proxy.check()
            held = looks.now()
            called = _call(load.calls, phones, calls, looks, wanted)
        finally:
            phones.close()
            calls.sock.close()
    registered = len(phones.registered_ms)
    return Flowing(
        load=load, wanted=wanted, registered=registered, registering_seconds=there.at - began.at,
        register_ms=figures.percentiles(phones.registered_ms),
        register_cpu_us=(there.cpu - began.cpu) / max(1, registered),
        resident_before=start, resident_after=held.resident,
        held_cpu_percent=(held.cpu - there.cpu) / max(0.001, held.at - there.at) / 1e4,
        pongs=len(phones.pong_ms), pong_ms=figures.percentiles(phones.pong_ms), lost=dict(phones.lost),
        called=called, answered=calls.answered, ended=calls.ended, refused=calls.refused, samples=tuple(looks.samples),
    )  # fmt: skip


def _register(phones: Phones, wanted: int, looks: _Looks) -> None:
    moved, settled = time.monotonic(), 0
    while phones.begun < wanted or phones.registering:
        while phones.begun < wanted and phones.registering < TOGETHER:
            phones.begin()
        phones.turn(TURN)
        looks.look()
        done = len(phones.registered_ms) + phones.lost.total()
        if done != settled:
            moved, settled = time.monotonic(), done
        elif time.monotonic() - moved > PATIENCE:
            raise LoadError(f"no phone has registered for {PATIENCE:.0f} s, after {done}: {dict(phones.lost)}")


def _until(seconds: float, phones: Phones, looks: _Looks) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        phones.turn(TURN)
        looks.look()


def _call(wanted: int, phones: Phones, calls: FlowCalls, looks: _Looks, registered: int) -> int:
    """Call a sample that is spread over all, and return how many."""
    called = min(wanted, registered)
    for number in range(called):
        calls.call(number * registered // called)
        phones.turn(TURN)
        calls.turn()
    end = time.monotonic() + PATIENCE
    while calls.ended + sum(calls.refused.values()) < called and time.monotonic() < end:
        phones.turn(TURN)
        calls.turn()
        looks.look()
    return called
