"""A reactor whose timers follow the monotonic clock."""

from __future__ import annotations

import time
from typing import Any


def use_monotonic(reactor: Any) -> bool:  # noqa: ANN401 - Twisted types `seconds` as a method; here it is replaced
    """Let reactor count its timers in monotonic seconds; False where timers are set already.

    Twisted's reactor counts in `time.time`: set the wall clock back by an hour, and the 50 ms tick
    that drives every SIP timer stands still for that hour. Call this before anything is scheduled.
    """
    if reactor.getDelayedCalls():
        return False
    reactor.seconds = time.monotonic
    return True
