"""What has become of reloads, for the metrics page and for whoever asked for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

GENERATION = ("sipveil_configuration_generation", "Which configuration runs: 1 since the start, one more a reload.")
INFO = ("sipveil_configuration_info", "Short hash of the effective configuration and catalogue; always 1.")
TIME = ("sipveil_configuration_loaded_timestamp_seconds", "When the running configuration was taken up, Unix time.")
RELOADS = ("sipveil_reloads_total", "Reloads that were asked for, by what became of them.")
RESULTS = ("ok", "refused")


class Outcome(NamedTuple):
    """What became of one reload."""

    ok: bool
    said: tuple[str, ...]
    """Lines for the operator."""


class History(Collector):
    """Counts reloads, and knows what runs."""

    def __init__(self, digest: str, wall: float) -> None:
        """Begin with the first generation.

        Args:
            digest: its hash.
            wall: when it was taken up, Unix time in seconds.
        """
        self.generation = 1
        self.digest = digest
        self.loaded = wall
        self.results = dict.fromkeys(RESULTS, 0)

    def adopted(self, digest: str, wall: float) -> None:
        """Take note of a new generation."""
        self.generation += 1
        self.digest = digest
        self.loaded = wall
        self.results["ok"] += 1

    def refused(self) -> None:
        """Take note that the running one stays."""
        self.results["refused"] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        yield GaugeMetricFamily(*GENERATION, value=self.generation)
        info = GaugeMetricFamily(*INFO, labels=["hash"])
        info.add_metric([self.digest], 1)
        yield info
        yield GaugeMetricFamily(*TIME, value=self.loaded)
        reloads = CounterMetricFamily(*RELOADS, labels=["result"])
        for result, count in self.results.items():
            reloads.add_metric([result], count)
        yield reloads

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not collect."""
        return []
