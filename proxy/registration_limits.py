"""How much one account and one source may register: bindings, and REGISTERs a minute (`[registrar]`).

Counted against an account once it is proved, and against a source too where phones prove who they are: nobody uses up
what another may by writing its name or address. In a closed network without passwords the source alone counts. What is
behind an edge proxy counts for its account, since the source is the proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.registrar_section import Registrar as Section
from proxy.bindings import Binding
from proxy.errors import Refused
from proxy.guard import source_of
from proxy.implicit_registration import domains_of, registered_as
from proxy.initial import Arrival
from proxy.rate import RateLimit, part_of

if TYPE_CHECKING:
    from proxy.core import Core

RETRY_BINDINGS = 60
"""Seconds until a phone may ask again that found no room: bindings end by themselves."""
WINDOW = 60
"""Seconds in which REGISTERs are counted together, by the clock on the wall."""
MOST = 1_000_000
"""Accounts, and sources, that are counted in one window; some 100 MB at worst, for accounts that have all proved it."""


class RegistrationLimits:
    """Counts of one core; bindings are counted in the location service."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._accounts = RateLimit(1, WINDOW, MOST)
        self._sources = RateLimit(1, WINDOW, MOST)

    def check_rate(self, arrival: Arrival, section: Section, workers: int) -> None:
        """Count a REGISTER that may be answered; workers: how many share those of a source.

        Raises:
            Refused: 503 where it is one too many; Retry-After tells when one may again.
        """
        # REGISTERs of one address all meet one worker: an account's few are not spread, a source's many phones are.
        self._accounts.limit = section.account_rate
        self._sources.limit = part_of(section.source_rate, workers, section.account_rate)
        allowed = True
        if arrival.account:
            allowed = self._accounts.allow(arrival.account.encode(), arrival.wall)
        if not arrival.source.edge:
            allowed = self._sources.allow(source_of(arrival.flow).encode(), arrival.wall) and allowed
        if not allowed:
            raise Refused(503, "Too Many Registrations", b"Retry-After: %d" % (WINDOW - arrival.wall % WINDOW))

    def check_room(
        self, core: Core, arrival: Arrival, section: Section, wanted: tuple[bytes, tuple[Binding, ...]]
    ) -> None:
        """Refuse what would be more bindings than an account or a source may have; fewer or as many always pass.

        Args:
            core: whose bindings count.
            arrival: the REGISTER.
            section: the limits.
            wanted: the address of record, and all bindings that it is to have.

        Raises:
            Refused: 503.
        """
        aor, after = wanted
        before = core.bindings.of(aor)
        if len(after) > len(before) and arrival.account:
            own = registered_as(core.authentication.addresses(arrival.account), domains_of(section))
            others = sum(len(core.bindings.of(each)) for each in own if each != aor)
            if others + len(after) > section.account_bindings:
                raise _full()
        if arrival.source.edge:
            return
        source = source_of(arrival.flow)
        more = _from(source, after) - _from(source, before)
        if more > 0 and core.bindings.from_source(source) + more > section.source_bindings:
            raise _full()


def _full() -> Refused:
    return Refused(503, "Too Many Bindings", b"Retry-After: %d" % RETRY_BINDINGS)


def _from(source: str, bindings: tuple[Binding, ...]) -> int:
    return sum(1 for each in bindings if not each.path and source_of(each.flow) == source)
