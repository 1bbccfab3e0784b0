"""What all runs offer."""

from __future__ import annotations

from scripts.load.cores import Cores
from scripts.load.offered import Offered, OfferedCalls


def test_defaults() -> None:
    """Any core, nothing that happens; a call rings and is talked."""
    assert Offered().cores == Cores((), ())
    assert OfferedCalls().marks == {}
    assert (OfferedCalls().ring, OfferedCalls().talk) == (20, 200)
