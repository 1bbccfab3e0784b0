"""One page for several processes."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import generate_latest

from proxy.counters import Counters
from proxy.datagrams import TransportStats
from proxy.transport_handover import HandoverStats
from tap.boundary import PLACES
from tap.metrics import GAUGES, SipveilCollector, Sources, registry
from tap.worker_metrics import (
    TRUNK_ROOM,
    WORKER_COUNTERS,
    Ledger,
    WorkersCollector,
    blank,
    numbers,
    own_numbers,
    trunk_numbers,
)
from tests.tap.fakes import CONFIG, settings_of
from tests.tap.test_metrics import samples

INVITES = "sipveil_requests_received_total", ("INVITE",)
OPEN = "sipveil_server_transactions", ()


class Bench:
    """A supervisor's ledger and page, and workers that write what the test says."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.settings = settings_of(folder, f"workers = {workers}\n{CONFIG}")
        self.ledger = Ledger(self.settings)
        self.restarts: dict[int, int] = {}
        self.up: set[int] = set()

    def write(
        self, worker: int, invites: int, open_: int, received: int = 0, trunks: tuple[str, ...] = ("carrier",),
        **of_trunks: float,
    ) -> None:  # fmt: skip
        counters, stats, handover = Counters(), TransportStats(), HandoverStats()
        for _ in range(invites):
            counters.add("requests_received", "INVITE")
        stats.datagrams_received = received
        gauges: dict[str, float] = dict.fromkeys(GAUGES, open_)
        gauges |= {f"sipveil_trunk_{name} {trunk}": value for name, value in of_trunks.items() for trunk in trunks}
        sources = Sources(counters, lambda: gauges, {"access": stats}, dict.fromkeys(PLACES, 0), lambda: trunks)
        own, collector = own_numbers([stats], handover, 0.25), SipveilCollector(sources)
        row = numbers(collector) + own + trunk_numbers(collector, self.ledger.room)
        self.ledger.board.write(worker, row)

    def page(self) -> dict[tuple[str, tuple[str, ...]], float]:
        collector = WorkersCollector(self.ledger, self.restarts, lambda worker: worker in self.up)
        return samples(generate_latest(registry(collector)).decode())


def test_every_series_of_one_process_is_there_and_those_of_workers(tmp_path: Path) -> None:
    """At zero, before any worker has written."""
    bench = Bench(tmp_path)
    page = bench.page()
    alone = samples(generate_latest(registry(blank(bench.settings))).decode())
    assert set(alone) < set(page)
    ours = {key for key in alone if key[0].startswith("sipveil_")} - {key for key in alone if "build" in key[0]}
    assert all(page[key] == 0 for key in ours)
    for spec in WORKER_COUNTERS:
        assert {page[spec.name, (worker,)] for worker in ("0", "1")} == {0}


def test_counters_and_gauges_are_summed(tmp_path: Path) -> None:
    """And the version is no sum."""
    bench = Bench(tmp_path)
    bench.write(0, 3, 10, received=5)
    bench.write(1, 4, 20, received=6)
    page = bench.page()
    assert page[INVITES] == 7
    assert page[OPEN] == 30
    assert page["sipveil_datagrams_received_total", ("access",)] == 11
    assert page["sipveil_worker_datagrams_received_total", ("0",)] == 5
    assert page["sipveil_worker_cpu_seconds_total", ("1",)] == 0.25
    assert [value for (name, _), value in page.items() if name == "sipveil_build_info"] == [1]


def test_counters_of_the_dead_are_kept_and_their_gauges_are_not(tmp_path: Path) -> None:
    """No counter goes backwards, at no moment; what was in progress is no more."""
    bench = Bench(tmp_path)
    bench.write(0, 3, 10, received=5)
    bench.write(1, 4, 20)
    for _ in range(2):
        bench.ledger.bury(0)
        assert bench.page()[INVITES] == 7
        assert bench.page()[OPEN] == 20
    bench.write(0, 1, 5, received=1)
    page = bench.page()
    assert (page[INVITES], page[OPEN]) == (8, 25)
    assert page["sipveil_worker_datagrams_received_total", ("0",)] == 6


def test_the_supervisor_says_who_is_up(tmp_path: Path) -> None:
    """And how often each was started again."""
    bench = Bench(tmp_path)
    bench.restarts, bench.up = {1: 2}, {0}
    page = bench.page()
    assert [page["sipveil_worker_up", (worker,)] for worker in ("0", "1")] == [1, 0]
    assert [page["sipveil_worker_restarts_total", (worker,)] for worker in ("0", "1")] == [0, 2]


CALLS, UP = "sipveil_trunk_calls", "sipveil_trunk_registered"


def test_gauges_of_trunks_are_summed_or_the_largest_counts(tmp_path: Path) -> None:
    """One worker registers for all, and each counts its calls."""
    bench = Bench(tmp_path)
    bench.write(0, 0, 0, calls=2, registered=1)
    bench.write(1, 0, 0, calls=3, registered=0)
    page = bench.page()
    assert (page[CALLS, ("carrier",)], page[UP, ("carrier",)]) == (5, 1)


def test_gauges_of_trunks_follow_a_reload(tmp_path: Path) -> None:
    """A worker that has another list than the supervisor counts as none, and says nothing of a wrong trunk."""
    bench = Bench(tmp_path)
    bench.write(0, 0, 0, calls=2)
    bench.write(1, 0, 0, calls=3, trunks=("new", "carrier"))
    assert bench.page()[CALLS, ("carrier",)] == 2
    new = bench.settings.trunks[0].model_copy(update={"name": "new"})
    bench.ledger.follow(bench.settings.model_copy(update={"trunks": (new, bench.settings.trunks[0])}))
    page = bench.page()
    assert (page[CALLS, ("new",)], page[CALLS, ("carrier",)]) == (3, 3)
    bench.ledger.bury(1)
    assert bench.page()[CALLS, ("new",)] == 0


def test_more_trunks_than_there_is_room_for_are_left_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    names = tuple([f"t{number}" for number in range(TRUNK_ROOM + 5)])
    first = bench.settings.trunks[0]
    trunks = tuple([first.model_copy(update={"name": name}) for name in names])
    bench.ledger.follow(bench.settings.model_copy(update={"trunks": trunks}))
    bench.write(0, 0, 0, calls=1, trunks=names)
    shown = [labels for (name, labels), value in bench.page().items() if name == CALLS and value == 1]
    assert len(shown) == bench.ledger.room == TRUNK_ROOM + 1
