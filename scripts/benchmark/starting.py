"""How long a proxy takes from its start to its first answer."""

from __future__ import annotations

import time
from pathlib import Path

from scripts.benchmark.contenders import Contender, ends
from scripts.load.cores import Cores


def first_answers(contender: Contender, folder: Path, cores: Cores, times: int) -> list[float]:
    """Return the seconds from the start of the process to its first answer, so many times."""
    found = []
    for number in range(times):
        own = folder / f"start{number}"
        own.mkdir()
        proxy = contender.start(own, ends(), cores.proxy)
        began = time.monotonic()
        with proxy:
            found.append(time.monotonic() - began)
    return found
