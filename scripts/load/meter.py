"""What the proxy uses from one moment on: the clock and the account of its processes together."""

from __future__ import annotations

import time
from typing import NamedTuple

from scripts.load.account import Account, account


class Moment(NamedTuple):
    """What was used by a moment of a run."""

    at: float
    """Seconds since the meter began."""
    used: Account
    """Since then; memory: now."""

    def cpu_percent(self, earlier: Moment) -> float:
        """Return the share of a core that was used since earlier."""
        return (self.used.total - earlier.used.total) / max(0.001, self.at - earlier.at) / 1e4


START = Moment(0.0, Account({}, 0))
"""When nothing is used yet."""


class Meter:
    """Begins when it is made; the processes have to be there as long as it is asked."""

    def __init__(self, pid: int) -> None:
        """Account pid and its descendants."""
        self._pid, self.before, self.began = pid, account(pid), time.monotonic()

    @property
    def seconds(self) -> float:
        """Return for how long it has run."""
        return time.monotonic() - self.began

    def now(self) -> Moment:
        """Return what was used by now."""
        return Moment(self.seconds, account(self._pid).since(self.before))
