"""All workers take a configuration up, or none: told by hand what the others would say."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tap.candidate import ReloadRefused
from tap.worker_reload import PATIENCE, Conductor, Follower, Line


class FakeShelf:
    """Counts."""

    def __init__(self) -> None:
        self.laid = self.commits = 0

    def lay(self, candidate: object) -> None:
        self.laid += 1

    def commit(self) -> None:
        self.commits += 1


class Bench:
    """A conductor of two workers, whose ends of the lines are ours."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.lines = [Line(), Line()]
        self.shelf = FakeShelf()
        shelf: Any = self.shelf
        self.away: set[int] = set()
        self.conductor = Conductor(self.clock, self.lines, shelf, lambda worker: worker not in self.away)
        self.results: list[object] = []

    def begin(self) -> None:
        candidate: Any = object()
        done: Deferred[None] = self.conductor.adopt(candidate)
        done.addBoth(self.results.append)

    def told(self) -> list[str]:
        return [line.theirs.recv(64).decode() for line in self.lines]

    def say(self, worker: int, text: str) -> None:
        self.conductor.heard(worker, text.encode())

    def refusal(self) -> str:
        (result,) = self.results
        assert isinstance(result, Failure)
        assert result.check(ReloadRefused)
        return str(result.value)

    def close(self) -> None:
        for line in self.lines:
            line.close()


@pytest.fixture
def bench() -> Any:
    made = Bench()
    yield made
    made.close()


def test_both_phases(bench: Bench) -> None:
    """Nothing counts before all are ready; nobody is told success before all have taken it up."""
    bench.begin()
    assert bench.told() == ["prepare 1", "prepare 1"]
    bench.say(0, "ready 1")
    bench.say(0, "ready 1")
    assert bench.shelf.commits == 0
    bench.say(1, "ready 1")
    assert bench.shelf.commits == 1
    assert bench.told() == ["adopt 1", "adopt 1"]
    bench.say(0, "adopted 1")
    assert bench.results == []
    bench.say(1, "adopted 1")
    assert bench.results == [None]
    assert not bench.clock.getDelayedCalls()


def test_one_that_fails_keeps_all_back(bench: Bench) -> None:
    """With its reason; the next reload has another number, and late answers to this one count for nothing."""
    bench.begin()
    bench.told()
    bench.say(0, "ready 1")
    bench.say(1, "failed 1 ValueError at tap/shelf.py:1")
    assert bench.told() == ["drop 1", "drop 1"]
    assert bench.refusal() == "worker 1: ValueError at tap/shelf.py:1"
    bench.begin()
    assert bench.told() == ["prepare 2", "prepare 2"]
    for worker in (0, 1):
        bench.say(worker, "ready 1")
    assert bench.shelf.commits == 0


def test_one_that_dies_or_sleeps_before_keeps_all_back(bench: Bench) -> None:
    """Whatever the reason."""
    bench.begin()
    bench.conductor.died(1)
    assert "worker 1 has ended meanwhile" in bench.refusal()
    bench.results.clear()
    bench.begin()
    bench.say(0, "ready 2")
    bench.clock.advance(PATIENCE)
    assert bench.refusal() == "worker 1 has not answered"
    assert bench.shelf.commits == 0


def test_one_that_dies_after_the_commit_comes_back_with_it(bench: Bench) -> None:
    """So it is waited for no longer."""
    bench.begin()
    bench.say(0, "ready 1")
    bench.say(1, "ready 1")
    bench.say(0, "adopted 1")
    bench.conductor.died(1)
    assert bench.results == [None]


def test_one_that_sleeps_after_the_commit_is_waited_for_no_longer(bench: Bench) -> None:
    """It takes up what it finds when it wakes."""
    bench.begin()
    bench.say(0, "ready 1")
    bench.say(1, "ready 1")
    bench.clock.advance(PATIENCE)
    assert bench.results == [None]


def test_while_a_worker_is_missing_nothing_begins(bench: Bench) -> None:
    """It would begin with the old one."""
    bench.away.add(1)
    with pytest.raises(ReloadRefused, match="worker 1 is being started"):
        bench.begin()
    assert bench.shelf.laid == 0


class HandReactor(Clock):
    """Threads that are none, and whether it was stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    def getThreadPool(self) -> HandReactor:  # noqa: N802
        return self

    def callInThreadWithCallback(self, done: Any, call: Any, *arguments: Any) -> None:  # noqa: N802
        try:
            result = call(*arguments)
        except Exception:
            done(False, Failure())
        else:
            done(True, result)

    def callFromThread(self, call: Any, *arguments: Any) -> None:  # noqa: N802
        call(*arguments)

    def stop(self) -> None:
        self.stopped = True


class Shelved:
    """A shelf with one thing on it, or a fault."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def spare(self, subscribers: object) -> object:
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


def follower(line: Line, thing: object, adopt: Any) -> tuple[Follower, HandReactor]:
    reactor, shelf = HandReactor(), Shelved(thing)
    nobody: Any = None
    return Follower(reactor, line, shelf, nobody, adopt), reactor  # type: ignore[arg-type]


def test_a_worker_prepares_and_takes_up() -> None:
    """What was dropped is not taken up."""
    line = Line()
    adopted: list[object] = []
    worker, reactor = follower(line, "candidate", adopted.append)
    worker.heard(b"prepare 4")
    assert line.ours.recv(64) == b"ready 4"
    worker.heard(b"adopt 4")
    assert (line.ours.recv(64), adopted, reactor.stopped) == (b"adopted 4", ["candidate"], False)
    worker.heard(b"prepare 5")
    worker.heard(b"drop 5")
    worker.heard(b"adopt 5")
    assert (len(adopted), reactor.stopped) == (1, True)
    line.close()


def test_a_worker_that_cannot_says_so() -> None:
    """Before: the reload is off. After: it is started anew, with the new one."""
    line = Line()

    def fails(candidate: object) -> None:
        raise ValueError("secret")

    worker, _ = follower(line, ValueError("secret"), fails)
    worker.heard(b"prepare 1")
    said = line.ours.recv(200)
    assert said.startswith(b"failed 1 ValueError at ")
    assert b"secret" not in said
    worker, reactor = follower(line, "candidate", fails)
    worker.heard(b"prepare 2")
    worker.heard(b"adopt 2")
    assert reactor.stopped
    line.close()
