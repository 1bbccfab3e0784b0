"""One metrics page for all workers: their counters and gauges summed, and a few numbers of each.

Every series of a process exists from the start (tap/metrics.py), so a worker's numbers are a row whose order supervisor
and worker know alike. Only those of trunks come and go with reloads: for them a row has room behind the others, and
says which trunks they are of, so that for the moment in which supervisor and worker differ they count as none. Counters
of a worker that died are kept, so that no sum goes backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from config.recorder_trunk import names_of
from config.settings import Settings
from proxy.counters import Counters
from proxy.datagrams import TransportStats
from proxy.transport_handover import HandoverStats
from tap.board import Board
from tap.boundary import PLACES
from tap.metrics import BUILD_INFO, GAUGES, TRUNK_GAUGES, SipveilCollector, Sources, trunk_families

NOT_SUMMED = frozenset({
    BUILD_INFO[0], "sipveil_overload_active", "sipveil_overload_refused_ratio", "sipveil_overload_lag_seconds",
    "sipveil_tls_certificates_invalid", "sipveil_tls_certificate_end_seconds",
    "sipveil_recorder_certificate_end_seconds",
    "sipveil_accounts", "sipveil_subscribers", "sipveil_subscribers_knowledge", "sipveil_subscribers_age_seconds",
    "sipveil_trunk_addresses_passed_over", "sipveil_trunk_registered",
    "sipveil_bindings", "sipveil_registered_addresses",
    "sipveil_registrations_store_failing", "sipveil_privacy_wishes_strict_until_seconds",
})  # fmt: skip
"""Gauges of which the largest counts, not the sum."""


class WorkerSpec(NamedTuple):
    """A counter of each worker; its label is the worker's number, from 0."""

    name: str
    help: str


WORKER_COUNTERS = (
    WorkerSpec(
        "sipveil_worker_datagrams_received_total",
        "Datagrams read from the network, and messages from connections, by worker.",
    ),
    WorkerSpec(
        "sipveil_worker_datagrams_handed_over_total", "Datagrams given to the worker they belong to, by reader."
    ),
    WorkerSpec("sipveil_worker_datagrams_taken_over_total", "Datagrams that other workers read, by who handled them."),
    WorkerSpec(
        "sipveil_worker_datagrams_lost_total",
        "Datagrams and messages lost because another worker's inbox was full, by who had them.",
    ),
    WorkerSpec(
        "sipveil_worker_messages_sent_by_others_total",
        "Messages given to the worker that has the connection they are for, by who made them.",
    ),
    WorkerSpec("sipveil_worker_cpu_seconds_total", "CPU time, by worker."),
)
"""In the order of `own_numbers`."""
WORKER_UP = WorkerSpec("sipveil_worker_up", "Whether a worker takes calls (1) or is being restarted (0).")
WORKER_RESTARTS = WorkerSpec("sipveil_worker_restarts_total", "How often a worker died and was started again.")


TRUNK_ROOM = 256
"""Trunks that there is room for besides those of the start, in as many gauges as TRUNK_GAUGES has."""


def own_numbers(listeners: Iterable[TransportStats], handover: HandoverStats, cpu_seconds: float) -> list[float]:
    """Return what WORKER_COUNTERS says of one worker."""
    received = sum(stats.datagrams_received for stats in listeners)
    return [received, handover.handed_over, handover.taken_over, handover.lost, handover.sent_by_others, cpu_seconds]


def numbers(collector: SipveilCollector) -> list[float]:
    """Return the values of all series of a collector that stay, in its order."""
    return [sample.value for family in collector.fixed() for sample in family.samples]


def trunk_numbers(collector: SipveilCollector, room: int) -> list[float]:
    """Return which trunks there are, and the values of their gauges: for `room` trunks, beyond which none are shown."""
    trunks, gauges = collector.trunks()
    found = [mark(trunks)]
    for name in TRUNK_GAUGES:
        values = [gauges.get(f"{name} {trunk}", 0.0) for trunk in trunks[:room]]
        found += [*values, *[0.0] * (room - len(values))]
    return found


def mark(trunks: Sequence[str]) -> float:
    """Return a number that tells one list of trunks from another; 0 is none's."""
    return float(crc32("\0".join(trunks).encode()) + 1)


def blank(settings: Settings) -> SipveilCollector:
    """Return what a worker collects before it has counted anything: all series that there are."""
    stats = {listener.name: TransportStats() for listener in settings.listeners}
    nothing = Sources(
        Counters(), lambda: dict.fromkeys(GAUGES, 0), stats, dict.fromkeys(PLACES, 0), lambda: names_of(settings)
    )
    return SipveilCollector(nothing)


class Ledger:
    """What all workers have counted, those included that are no more."""

    def __init__(self, settings: Settings) -> None:
        """Make the board for as many workers as settings say."""
        self.workers = settings.workers
        self.families = list(blank(settings).fixed())
        self._series = [family for family in self.families for _ in family.samples]
        self.room = len(names_of(settings)) + TRUNK_ROOM
        self.settings = settings
        """Those whose trunks the pages show; see `follow`."""
        self.trunks = names_of(settings)
        self._lasting = len(self._series) + len(WORKER_COUNTERS)
        self.board = Board(self.workers, self._lasting + 1 + len(TRUNK_GAUGES) * self.room)
        self._kept = [[0.0] * self._lasting for _ in range(self.workers)]
        """Worker → what its dead predecessors had counted; 0 where a number is a gauge."""

    def follow(self, settings: Settings) -> None:
        """Show the trunks of other settings from now on."""
        self.settings, self.trunks = settings, names_of(settings)

    def bury(self, worker: int) -> None:
        """Keep what a dead worker had counted, and clear its row for the next."""
        row = self.board.read(worker)[: self._lasting]
        kept = self._kept[worker]
        for place, value in enumerate(row):
            if place >= len(self._series) or self._series[place].type == "counter":
                kept[place] += value
        self.board.clear(worker)

    def rows(self) -> list[list[float]]:
        """Return each worker's numbers, its predecessors' included, but for those of trunks."""
        return [
            [kept + value for kept, value in zip(self._kept[worker], self.board.read(worker), strict=False)]
            for worker in range(self.workers)
        ]

    def trunk_gauges(self) -> dict[str, float]:
        """Return the gauges of trunks, as `Core.gauges()` has them, of all workers that know the same trunks."""
        wanted, found = mark(self.trunks), dict[str, float]()
        for worker in range(self.workers):
            its, *values = self.board.read(worker)[self._lasting :]
            if its != wanted:
                continue
            for place, name in enumerate(TRUNK_GAUGES):
                merge = max if name in NOT_SUMMED else _sum
                for trunk, value in zip(self.trunks, values[place * self.room : (place + 1) * self.room], strict=False):
                    key = f"{name} {trunk}"
                    found[key] = merge(found.get(key, 0.0), value)
        return found


class WorkersCollector(Collector):
    """Turns the ledger into metric families."""

    def __init__(self, ledger: Ledger, restarts: Mapping[int, int], is_up: Callable[[int], bool]) -> None:
        """Read from ledger, and what the supervisor knows of each worker, whenever somebody scrapes."""
        self._ledger = ledger
        self._restarts = restarts
        self._is_up = is_up

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        rows = self._ledger.rows()
        columns = zip(*rows, strict=True)
        for family in self._ledger.families:
            merge = max if family.name in NOT_SUMMED else sum
            yield _filled(family, [float(merge(next(columns))) for _ in family.samples])
        yield from trunk_families(self._ledger.trunks[: self._ledger.room], self._ledger.trunk_gauges())
        for spec, column in zip(WORKER_COUNTERS, columns, strict=True):
            yield _by_worker(CounterMetricFamily(spec.name, spec.help, labels=["worker"]), column)
        workers = range(self._ledger.workers)
        yield _by_worker(GaugeMetricFamily(*WORKER_UP, labels=["worker"]), [self._is_up(each) for each in workers])
        restarts = [self._restarts.get(each, 0) for each in workers]
        yield _by_worker(CounterMetricFamily(*WORKER_RESTARTS, labels=["worker"]), restarts)

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not collect."""
        return []


def _sum(one: float, other: float) -> float:
    return one + other


def _filled(family: Metric, values: list[float]) -> Metric:
    """Return a family with the same series and other values."""
    filled = Metric(family.name, family.documentation, family.type)
    for sample, value in zip(family.samples, values, strict=True):
        filled.add_sample(sample.name, sample.labels, value)
    return filled


def _by_worker(family: CounterMetricFamily | GaugeMetricFamily, values: Iterable[float]) -> Metric:
    """Return family with one series a worker."""
    for worker, value in enumerate(values):
        family.add_metric([str(worker)], value)
    return family
