"""A reload in a running process: asked for once or often, taken up, refused, told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import gatherResults
from twisted.logger import Logger

from config.subscribers import Subscribers
from tap.candidate import Candidate
from tap.log import LineObserver
from tap.reload import Reloader
from tap.state import prepare
from tests.tap.fakes import CONFIG, Lines, settings_of

reactor: Any = _reactor


class Bench:
    """A reloader, what it put to work, and its log."""

    def __init__(self, folder: Path) -> None:
        settings = settings_of(folder)
        prepare(settings, 1000.0)
        self.path = folder / "sipveil.toml"
        self.lines = Lines()
        self.adopted: list[Candidate] = []
        self.raises: Exception | None = None
        log = Logger("sipveil.reload", observer=LineObserver(self.lines))
        self.reloader = Reloader(
            reactor, self.path, settings, Subscribers(), self.adopt, wall=lambda: 2000.0, log=log
        )  # fmt: skip

    def adopt(self, candidate: Candidate) -> None:
        if self.raises is not None:
            raise self.raises
        self.adopted.append(candidate)


@pytest_twisted.ensureDeferred
async def test_a_good_one_is_put_to_work(tmp_path: Path) -> None:
    """With generation and hash, told to whoever asked and to the log."""
    bench = Bench(tmp_path)
    bench.path.write_text(CONFIG.replace("carrier", "other"))
    outcome = await bench.reloader.request()
    (candidate,) = bench.adopted
    assert outcome.ok
    assert outcome.said[-1] == f"reloaded {bench.path}: generation 2, hash {candidate.digest}"
    assert bench.reloader.history.generation == 2
    assert outcome.said[-1] in bench.lines.getvalue()


@pytest_twisted.ensureDeferred
async def test_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    """Every problem is told; a later good one works."""
    bench = Bench(tmp_path)
    bench.path.write_text(CONFIG.replace("5080", "x").replace("numbers = []", "numbers = 3"))
    outcome = await bench.reloader.request()
    assert (outcome.ok, len(outcome.said), bench.adopted) == (False, 3, [])
    assert outcome.said[-1].startswith("not reloaded: generation 1, hash ")
    assert all(line in bench.lines.getvalue() for line in outcome.said)
    bench.path.write_text(CONFIG)
    assert (await bench.reloader.request()).ok


@pytest_twisted.ensureDeferred
async def test_a_fault_of_ours_changes_nothing_either(tmp_path: Path) -> None:
    """Its place is told, not its text."""
    bench = Bench(tmp_path)
    bench.raises = ValueError("secret")
    outcome = await bench.reloader.request()
    assert not outcome.ok
    assert "reload failed: ValueError at tests/tap/test_reload.py:" in outcome.said[0]
    assert "secret" not in bench.lines.getvalue()
    assert bench.reloader.history.results == {"ok": 0, "refused": 1}


@pytest_twisted.ensureDeferred
async def test_who_asks_meanwhile_gets_the_next(tmp_path: Path) -> None:
    """One at a time: what was written after a reload had begun is read by the one after."""
    bench = Bench(tmp_path)
    outcomes = await gatherResults([bench.reloader.request() for _ in range(5)])
    assert all(outcome.ok for outcome in outcomes)
    assert len(bench.adopted) == 2
    assert outcomes[0] != outcomes[1] == outcomes[4]
