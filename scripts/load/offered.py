"""What all runs offer to the proxy, whatever their ends are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.load.cores import Cores


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What is offered to the proxy."""

    cores: Cores = field(default_factory=Cores)

    @property
    def marks(self) -> Mapping[str, float]:
        """Return what happens after how many seconds, to be drawn into a picture."""
        return {}


@dataclass(frozen=True, kw_only=True)
class OfferedCalls(Offered):
    """Calls that ring and are talked."""

    ring: int = 20
    """Milliseconds from 180 to 200."""
    talk: int = 200
    """Milliseconds from ACK to what comes next."""
