"""Real processes around a test: started, waited for with a bound, shown when a test fails, ended whatever happens.

Everything talks on the loopback. Zones are told apart by address: phones are on PHONE, the trunk provider is
on TRUNK, Sipveil listens on PROXY. Ports are free ones, chosen when a test runs.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from scripts.load.ports import free_port as free_port  # noqa: PLC0414 - real tests have it from here
from tests.real import leaks

Address = tuple[str, int]
T = TypeVar("T")

PROXY = "127.0.0.1"
PHONE = "127.0.0.11"
TRUNK = "127.0.0.21"

READY = 15.0
"""Seconds that a process may take to start, or to stop, on a slow machine."""


def now() -> float:
    """Return monotonic seconds: real processes have no other clock."""
    return time.monotonic()  # noqa: TID251


def wait_for(what: str, look: Callable[[], T | None], seconds: float = READY) -> T:
    """Return the first thing that look finds; fail after so many seconds."""
    end = now() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if now() > end:
            pytest.fail(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.005)


def program(name: str, package: str) -> str:
    """Return the path of a program; skip the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return path


def is_bound(address: Address) -> bool:
    """Tell whether a process has bound a UDP address, without getting in its way."""
    host = "".join(f"{int(octet):02X}" for octet in reversed(address[0].split(".")))
    return f" {host}:{address[1]:04X} " in Path("/proc/net/udp").read_text()


class Process:
    """A program in the background whose output goes to files."""

    def __init__(self, name: str, argv: Sequence[str | Path], folder: Path) -> None:
        """Start it, with folder as working directory."""
        self.name = name
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._popen.pid

    @property
    def output_bytes(self) -> bytes:
        """Return what it has written to standard output so far."""
        return self._out.read_bytes()

    @property
    def output(self) -> str:
        """Return the same as text."""
        return self.output_bytes.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Return what it has written to standard error so far."""
        return self._err.read_text("utf-8", "replace")

    def running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._popen.poll() is None

    def wait(self, seconds: float) -> int:
        """Return the exit code; fail if it does not end in time."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.name} has not ended within {seconds:.0f} s")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        self._popen.send_signal(number)

    def close(self) -> None:
        """End it: politely, then not."""
        if self.running():
            self._popen.terminate()
            try:
                self._popen.wait(3)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        self._popen.wait(10)


class Closable(Protocol):
    """What a lab takes down at the end, and what it tells when a test has failed."""

    def close(self) -> None:
        """Close it; safe to call twice."""

    def shown(self) -> tuple[str, str]:
        """Return title and text."""


C = TypeVar("C", bound=Closable)


class Lab:
    """All that one test has started."""

    def __init__(self, folder: Path) -> None:
        """Keep files in folder."""
        self.folder = folder
        self.processes: list[Process] = []
        self._others: list[Closable] = []

    def start(self, name: str, argv: Sequence[str | Path]) -> Process:
        """Start a program; its name becomes unique within the test."""
        unique = f"{name}{len(self.processes)}"
        process = Process(unique, argv, self.folder)
        self.processes.append(process)
        return process

    def keep(self, other: C) -> C:
        """Close other at the end as well."""
        self._others.append(other)
        return other

    def close(self) -> None:
        """End everything, the youngest first."""
        for process in reversed(self.processes):
            process.close()
        for other in reversed(self._others):
            other.close()

    def report(self) -> list[tuple[str, str]]:
        """Return title and text of all that may explain a failure."""
        texts = [(f"{each.name}, standard {kind}", text[-4000:])
                 for each in self.processes
                 for kind, text in (("output", each.output), ("error", each.errors)) if text]  # fmt: skip
        texts += [(path.name, path.read_text("utf-8", "replace")[-4000:]) for path in self.folder.glob("*.log")]
        return texts + [other.shown() for other in self._others]


CONFIG = """\
state_dir = "state"
workers = {workers}
realms = ["sip.example.net"]

[[listeners]]
name = "main"
address = "{proxy[0]}"
port = {proxy[1]}

[access]
networks = ["{phone}/32"]
listener = "main"

[[trunks]]
name = "carrier"
hosts = ["{trunk[0]}:{trunk[1]}"]
networks = ["{trunk[0]}/32"]
{keys}
listener = "main"

[trunks.privacy]
{contract}

[[routes]]
source = "access"
to = ["carrier"]

[[routes]]
source = "trunk"
to = ["access"]

[metrics]
address = "127.0.0.1"
port = 0

[guard]
# All that SIPp calls is from one phone, as that of nobody who dials.
source_rate = 1000000
source_burst = 1000000
subscriber_calls = 60000

[log]
level = "debug"
"""

NO_KEYS: Mapping[str, int] = {}
ROOMY: Mapping[str, int] = {"record_budget": 400, "max_user": 700}
"""Keys of a trunk in whose messages a dialog record has room for display names; by default they leave first."""


class Sipveil:
    """The proxy as its operator runs it: `sipveil run CONFIG`, again and again on the same state."""

    def __init__(self, lab: Lab, *, port: int | None = None) -> None:
        """Choose the address; nothing runs yet."""
        self.workers = 1
        self.sections = ""
        """Further sections of the configuration."""
        self.address: Address = (PROXY, port or free_port(PROXY))
        self.prefix: Sequence[str] = ()
        """A command that runs a command, for a Sipveil elsewhere: in another network, at another time."""
        self.near: Callable[[Callable[[], dict[str, float]]], dict[str, float]] = lambda look: look()
        """Calls a function where Sipveil's loopback is."""
        self._lab = lab
        self._config = lab.folder / "sipveil.toml"
        self.runs: list[Process] = []

    def configure(self, trunk: Address, keys: Mapping[str, int] = NO_KEYS, contract: str = "") -> None:
        """Write the configuration: the trunk's first host, further keys of it, and the lines of its contract."""
        lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
        text = CONFIG.format(
            workers=self.workers, proxy=self.address, phone=PHONE, trunk=trunk, keys=lines, contract=contract
        )
        self._config.write_text(text + self.sections)

    def reach_trunk_by(self, listener: str, tls_name: str) -> None:
        """Change the configuration: the trunk is reached by a listener of TLS, and has to prove a name."""
        head, trunk = self._config.read_text().split("[[trunks]]", 1)
        trunk = trunk.replace('listener = "main"', f'listener = "{listener}"\ntls_name = "{tls_name}"', 1)
        self._config.write_text(f"{head}[[trunks]]{trunk}")

    @property
    def config(self) -> Path:
        """Where the configuration is."""
        return self._config

    def start(self) -> None:
        """Start and wait until it takes calls."""
        command = Path(sys.executable).parent / "sipveil"
        process = self._lab.start("sipveil", [*self.prefix, command, "run", self._config])
        self.runs.append(process)

        def ready() -> bool | None:
            if not process.running():
                pytest.fail(f"sipveil has ended with {process.wait(1)} instead of being ready")
            return "sipveil is ready" in process.output or None

        wait_for("sipveil to be ready", ready)

    def kill(self) -> None:
        """End it as a power failure does; workers end a moment after it, and have its sockets until then."""
        self.runs[-1].signal(signal.SIGKILL)
        assert self.runs[-1].wait(READY) == -signal.SIGKILL
        wait_for("its workers to end", lambda: not is_bound(self.address) or None)

    def metrics(self) -> dict[str, float]:
        """Return all series of the metrics page that are not 0: name with labels → value."""
        return self.near(self._metrics)

    def _metrics(self) -> dict[str, float]:
        url = self.runs[-1].output.partition("metrics http ")[2].partition("\n")[0]
        with urllib.request.urlopen(f"http://{url}/metrics", timeout=READY) as page:
            lines = page.read().decode().splitlines()
        values = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in values if float(value)}

    def stop(self) -> None:
        """Stop with SIGTERM and look at what the whole run has left behind: no fault, no person."""
        if self.runs and self.runs[-1].running():
            faults = [name for name in self.metrics() if name.startswith(("sipveil_failures", "sipveil_failed_closed"))]
            self.runs[-1].signal(signal.SIGTERM)
            assert self.runs[-1].wait(READY) == 0
            assert not faults
        for run in self.runs:
            assert run.errors == ""
            assert "Traceback" not in run.output
            assert leaks.in_log(run.output.encode()) == []
