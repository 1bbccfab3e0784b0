"""What a trunk is asked and spared while it works: tables within `[[trunks]]`."""

from __future__ import annotations

from pydantic import Field

from config.section import Section


class TrunkHealth(Section):
    """How it is found out that a trunk is out of order, and that it is back.

    Where it has no stand-in (a further host, a further member of its group) it is asked all the same.
    """

    options: float = Field(
        default=0.0, ge=0, le=3600,
        description="seconds between two OPTIONS to each of its addresses, which say nothing of anybody; 0: none. "
        "Each worker asks for itself",
    )  # fmt: skip
    failures: int = Field(
        default=5, ge=1, le=1000,
        description="how many 503 in a row without Retry-After have an address passed over for half a minute; "
        "then one request finds out",
    )  # fmt: skip


class TrunkLimits(Section):
    """How many calls a trunk takes; when it is full its group goes on to the next member, and else the caller gets 480.

    Counted on this machine, by each worker for its share. Soft: the count is in memory alone, so that it begins at none
    after a restart, and a call that says nothing for `quiet` seconds is counted no more. Emergency calls count, and are
    never refused.
    """

    calls: int | None = Field(default=None, ge=1, le=1_000_000, description="most calls at once; default: no limit")
    rate: float | None = Field(
        default=None, gt=0, le=100_000,
        description="most new calls a second, as an average; a second's worth may come at once; default: no limit",
    )  # fmt: skip
    quiet: int = Field(
        default=7200, ge=60, le=172_800,
        description="how long a call without a request of its own is counted; longer than the session timers of the "
        "trunk (RFC 4028), which renew it",
    )  # fmt: skip
