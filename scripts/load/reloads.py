"""Reloading the proxy's configuration again and again while it takes calls.

    with Reloads(0.5, folder / "sipveil.toml", folder / "state", texts) as reloads:
        ...
    reloads.done, reloads.refused, reloads.during(at)

Each reload writes the next of the texts, so that each really changes something, and asks as `sipveil reload` does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tap.control import PATIENCE, ControlError, ask

AFTERWARDS = 0.1
"""Seconds after the answer in which the proxy still pays for a reload: it remembers nothing of the new plans yet."""


class Span(NamedTuple):
    """From the moment that a reload was asked for to its answer, in Unix seconds."""

    began: float
    ended: float


class Reloads:
    """A context manager: reloads from `with` to its end, in a thread of its own."""

    def __init__(self, every: float, config: Path, state: Path, texts: Sequence[str]) -> None:
        """Say how many seconds after one reload the next begins, and what is written into config in turn."""
        self._every, self._config, self._state, self._texts = every, config, state, cycle(texts)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reloads", daemon=True)
        self.done: list[Span] = []
        """Those that were taken up."""
        self.refused: list[str] = []
        """Why others were not."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the one that runs, and stop; safe to call twice."""
        self.stop()

    def stop(self) -> None:
        """Finish the one that runs, and stop; safe to call twice."""
        self._stop.set()
        self._thread.join(PATIENCE + 1)

    def during(self, began: float, ended: float) -> bool:
        """Tell whether the proxy was busy with a reload at some time between two moments."""
        return any(began < span.ended + AFTERWARDS and span.began < ended for span in self.done)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._reload()

    def _reload(self) -> None:
        self._config.write_text(next(self._texts))
        began = time.time()
        try:
            outcome = ask(self._state, f"reload {self._config}")
        except ControlError as error:
            self.refused.append(str(error))
            return
        if outcome.ok:
            self.done.append(Span(began, time.time()))
        else:
            self.refused.append(" ".join(outcome.said))
