"""Looks at a run, about a second apart: each is a sample for the picture and a line for who waits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from scripts.load.meter import START, Meter, Moment

EVERY = 1.0
"""Seconds."""
CPU = "proxy's CPU, % of a core"
MEMORY = "proxy's memory, MB"
MEGABYTE = 1 << 20

Watch = Callable[[float, str], None]
"""Told the seconds since the beginning and how far it is, in words."""


class Sample(NamedTuple):
    """What is drawn of a look."""

    at: float
    """Seconds since the run began."""
    values: Mapping[str, float]
    """By the title of the panel."""


class Look(NamedTuple):
    """How far a run is."""

    moment: Moment
    counted: Mapping[str, float]
    """What the ends have counted so far."""

    def rate(self, what: str, last: Look) -> float:
        """Return how much a second what was counted since last."""
        span = max(0.001, self.moment.at - last.moment.at)
        return (self.counted[what] - last.counted.get(what, 0)) / span

    @property
    def megabytes(self) -> float:
        """Return the proxy's memory."""
        return self.moment.used.resident / MEGABYTE


class Shown(Protocol):
    """Who knows what there is to see of a run."""

    @abstractmethod
    def counted(self) -> Mapping[str, float]:
        """Return what the ends have counted so far."""

    @abstractmethod
    def panels(self, last: Look, now: Look) -> Mapping[str, float]:
        """Return what is drawn of the time between two looks, by the title of its panel."""

    @abstractmethod
    def words(self, now: Look) -> str:
        """Return how far it is, without the proxy's CPU."""


class Looks:
    """Keeps the samples, and tells whoever watches."""

    def __init__(self, shown: Shown, meter: Meter, watch: Watch) -> None:
        """Begin."""
        self.meter, self._shown, self._watch = meter, shown, watch
        self._last = Look(START, {})
        self.samples: list[Sample] = []

    def look(self) -> None:
        """Look, if it is time."""
        if self.meter.seconds >= self._last.moment.at + EVERY:
            self.take()

    def take(self) -> None:
        """Look now."""
        last, now = self._last, Look(self.meter.now(), self._shown.counted())
        self._last = now
        self.samples.append(Sample(now.moment.at, self._shown.panels(last, now)))
        self._watch(now.moment.at, f"{self._shown.words(now)}, CPU {now.moment.cpu_percent(START):.0f} %")
