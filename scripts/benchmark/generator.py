"""The load: builds generator.c once, runs it, and reads what it counted.

Two SIPps on one core take some 240 µs a call for themselves: they would saturate hardly later than the proxies do.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from scripts.benchmark import messages
from scripts.benchmark.errors import BenchError
from scripts.load.addresses import Address
from scripts.load.cores import pinned

SOURCE = Path(__file__).with_name("generator.c")
DIGEST_SOURCE = Path(__file__).with_name("digest.h")
FLAGS = ("-O2", "-Wall")
DIGEST_FLAGS = ("-DDIGEST", "-lcrypto")
"""What makes a generator whose phones answer challenges."""
PEAK = 25_000
"""Calls a second that no proxy in Python or Kamailio reaches on one core: how many calls to make room for."""
PATIENCE = 8.0
"""Seconds without an answer after which a call has failed."""


class Load(NamedTuple):
    """What to play."""

    seconds: int = 0
    """Begin no call after so many seconds; 0: until `calls` have begun."""
    calls: int = 0
    """Begin no more than so many calls; 0: as many as fit into `seconds`."""
    rate: int = 0
    """Calls a second; 0: a closed loop."""
    window: int = 50
    """Calls in flight of the closed loop."""
    ring: int = 0
    """Milliseconds from 180 to 200."""
    hold: int = 0
    """Milliseconds from ACK to BYE."""
    subscribers: int = 1000
    """So many different callers."""
    patience: float = PATIENCE
    verbose: int = 0
    """Write the messages of so many first calls to standard error."""

    def limit(self) -> int:
        """Return how many calls to make room for."""
        return self.calls or (self.rate or PEAK) * self.seconds + 1


class Played(NamedTuple):
    """What became of the calls."""

    created: int
    completed: int
    refused: int
    expired: int
    unfinished: int
    elapsed: float
    """Seconds from the first INVITE to the last call's end."""
    retransmissions: int
    setup_p50: float
    """Milliseconds from INVITE to 200."""
    setup_p95: float
    setup_p99: float
    late: float
    """Milliseconds that the generator was behind its own schedule, at worst."""
    own_cpu: float
    """Microseconds of CPU that the generator itself took."""
    checked: int
    """Requests at the trunk that were searched for canaries."""
    leaks: int
    """How many of them held one."""
    leaked: str
    """The first that was found."""
    strangers: int
    """Messages that belong to no call."""
    statuses: Mapping[str, int]
    """Status code → how often a call was refused with it."""
    setup_max: float = 0.0
    """No more than 10,000."""
    challenges: int = 0
    """407 that a phone has answered."""
    stale: int = 0
    """How many of them were for a nonce that did not hold any longer."""
    expired_in: Mapping[str, int] = MappingProxyType({})
    """What the last thing was that calls waited for → how many of those that expired."""

    @property
    def failed(self) -> int:
        """Return the calls that did not complete."""
        return self.created - self.completed

    @property
    def rate(self) -> float:
        """Return completed calls a second, up to the last call's end."""
        return self.completed / self.elapsed if self.elapsed else 0.0


def cache_folder() -> Path:
    """Return where compiled programs are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sipveil"


def build(folder: Path | None = None, *, digest: bool = False) -> Path:
    """Return the compiled generator, which is made when there is none of this source yet; digest: one with passwords.

    Raises BenchError without a compiler.
    """
    folder = folder or cache_folder()
    more = DIGEST_FLAGS if digest else ()
    sources = SOURCE.read_bytes() + (DIGEST_SOURCE.read_bytes() if digest else b"")
    code = hashlib.sha256(sources + " ".join((*FLAGS, *more)).encode()).hexdigest()[:16]
    program = folder / f"generator-{code}"
    if program.exists():
        return program
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise BenchError("the load generator needs a C compiler: apt-get install gcc libc6-dev")
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{program.name}.{os.getpid()}"
    words = [compiler, *FLAGS, "-o", fresh, SOURCE, *more]  # libraries behind what asks for them
    made = subprocess.run(words, check=False, capture_output=True, text=True)  # noqa: S603
    if made.returncode:
        hint = "; are the headers of OpenSSL there (apt-get install libssl-dev)?" if digest else ":"
        raise BenchError(f"the load generator could not be compiled{hint}\n{made.stderr}")
    fresh.replace(program)  # at once, so that another run never sees half of it
    return program


def command(program: Path, proxy: Address, caller: Address, trunk: Address, templates: Path, load: Load) -> list[str]:
    """Return the command line; every run has Call-IDs of its own."""
    options = {
        "calls": load.limit(), "seconds": load.seconds, "rate": load.rate, "window": load.window, "ring": load.ring,
        "hold": load.hold, "subscribers": load.subscribers, "patience": int(load.patience * 1000),
        "verbose": load.verbose, "run": secrets.token_hex(4),
    }  # fmt: skip
    ends = (f"{host}:{port}" for host, port in (proxy, caller, trunk))
    return [str(program), *ends, str(templates), *(f"{key}={value}" for key, value in options.items())]


def read(output: str) -> Played:
    """Return what the generator's last line says."""
    return Played(**json.loads(output.strip().splitlines()[-1]))


class Generator:
    """Plays calls between two addresses through any proxy, on cores of its own."""

    def __init__(self, folder: Path, caller: Address, trunk: Address, cores: Sequence[int] = ()) -> None:
        """Build it, and keep the templates in folder."""
        self._program = build()
        self._templates = folder / "templates"
        self._templates.write_text(messages.as_file(), newline="")
        self.caller, self.trunk, self._cores = caller, trunk, cores

    def start(self, proxy: Address, load: Load) -> subprocess.Popen[str]:
        """Begin to play; the caller reads its output and waits for it."""
        words = command(self._program, proxy, self.caller, self.trunk, self._templates, load)
        with pinned(self._cores):
            return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603

    def play(self, proxy: Address, load: Load) -> Played:
        """Play to the end.

        Raises BenchError when the generator cannot, for which it has given the reason on standard error.
        """
        process = self.start(proxy, load)
        try:
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode or not output.strip():
            raise BenchError(f"the load generator has ended with {process.returncode}")
        return read(output)
