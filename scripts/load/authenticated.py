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
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

from scripts.benchmark import generator
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Played
from scripts.load.accounts import PASSWORD, USER
from scripts.load.addresses import TRUNK, dropped, free, phones
from scripts.load.authenticated_messages import URI, as_file
from scripts.load.authenticated_result import Authenticated, Calls
from scripts.load.config import MANY_CALLS, METRICS, REALM, access, document, listener, route, table, trunk
from scripts.load.errors import LoadError
from scripts.load.looks import CPU, MEMORY, Look, Looks
from scripts.load.proxy import Proxy
from scripts.load.trial import Trial

EVERY = 1000
"""Milliseconds between two lines of the generator."""


class AuthenticatedTrial(Trial[Calls, Authenticated]):
    """The generator plays, and says each second how far it is."""

    def __init__(self, load: Calls, folder: Path) -> None:
        """Build the generator."""
        super().__init__(load, folder, load.port)
        try:
            self._program = generator.build(digest=True)
        except BenchError as error:
            raise LoadError(str(error)) from error
        self.accounts = load.accounts
        self._trunk, self._sources = free(TRUNK), [free(host) for host in phones(load.sources)]
        self._said: dict[str, float] = {}

    def configuration(self) -> str:
        """Return phones that have to prove themselves; the guard has its defaults."""
        return document(
            listener("access", self.proxy), access("access"),
            table("subscribers"), table("authentication", realm=REALM, algorithms=["SHA-256", "MD5"]),
            trunk("carrier", self._trunk, "access"), route("access", "carrier"), MANY_CALLS, METRICS,
            workers=self.load.workers,
        )  # fmt: skip

    def play(self, proxy: Proxy, looks: Looks) -> Authenticated:
        """Run the generator to its end."""
        before = looks.meter.before
        played = self._generate(proxy, looks)
        end, lost = looks.meter.now(), dropped(self.proxy)
        return Authenticated(
            load=self.load, played=played, dropped=lost,
            cpu_us_per_call=end.used.total / played.completed if played.completed else None,
            cpu_percent=end.used.total / end.at / 1e4, generator_percent=played.own_cpu / end.at / 1e4,
            resident_before=before.resident, resident_after=end.used.resident, samples=tuple(looks.samples),
        )  # fmt: skip

    def counted(self) -> Mapping[str, float]:
        """Return what the generator has said."""
        return self._said

    def panels(self, last: Look, now: Look) -> Mapping[str, float]:
        """Return what is drawn."""
        return {
            "calls/s completed": now.rate("completed", last), CPU: now.moment.cpu_percent(last.moment),
            MEMORY: now.megabytes, "calls refused or lost": now.counted["refused"] + now.counted["expired"],
        }  # fmt: skip

    def words(self, now: Look) -> str:
        """Return how far it is."""
        said = {name: f"{number:.0f}" for name, number in now.counted.items()}
        return (
            f"{said['completed']}/{self.load.rate * self.load.seconds} completed, {said['refused']} refused, "
            f"{said['expired']} lost, {said['retransmissions']} repeated"
        )

    def _generate(self, proxy: Proxy, looks: Looks) -> Played:
        process = subprocess.Popen(self._command(), stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own choice
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        line = said = ""
        try:
            while process.poll() is None or reader.is_alive() or not lines.empty():
                with suppress(queue.Empty):
                    line = lines.get(timeout=0.25)
                    said = line or said
                    if '"at"' in line:
                        self._said = json.loads(line)
                        looks.take()
                proxy.check()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode or '"created"' not in said:
            raise LoadError(f"the load generator has ended with {process.returncode}")
        return generator.read(said)

    def _command(self) -> list[str]:
        load, sources = self.load, self._sources
        templates = self.folder / "templates"
        templates.write_text(as_file(), newline="")
        offered = generator.Load(seconds=load.seconds, rate=load.rate, ring=load.ring, hold=load.talk,
                                 subscribers=load.accounts)  # fmt: skip
        words = generator.command(self._program, self.proxy, sources[0], self._trunk, templates, offered)
        words[2] = ",".join(f"{host}:{port}" for host, port in sources)
        more = {
            "uri": URI.format(proxy=self.proxy), "realm": REALM, "user": USER, "password": PASSWORD, "tell": EVERY,
            "algorithm": load.algorithm, "reuse": int(load.reuse), "search": 1 << 62,
        }  # fmt: skip
        return words + [f"{key}={value}" for key, value in more.items()]


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    with process.stdout or nullcontext(()) as output:
        for line in output:
            lines.put(line.strip())
