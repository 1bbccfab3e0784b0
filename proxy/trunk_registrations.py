"""All registrations at trunks of one core: which there are to be, and what calls have of them.

They follow the settings: a reload leaves alone what it does not change, and a restart registers anew, with the same
Contact. Of several workers the first one registers: a trunk that has two bindings of one Contact has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.settings import Trunk
from config.vocabulary import Zone
from proxy.flow import Flow
from proxy.register_client import contact_user, domain_of, user_of
from proxy.routing import Party
from proxy.trunk_registration import TrunkRegistration

if TYPE_CHECKING:
    from proxy.core import Core


class TrunkRegistrations:
    """The registrations of one core."""

    __slots__ = ("_core", "_leaving", "_running", "stale")

    def __init__(self, core: Core) -> None:
        """Begin with none; `begin` makes those of the running settings."""
        self._core = core
        self._running: dict[str, TrunkRegistration] = {}
        self._leaving = 0
        self.stale = core.worker == 0
        """Whether the settings are other ones than at the last `begin`, and ours to follow."""

    def adopt(self) -> None:
        """Learn that the settings are other ones."""
        self.stale = self._core.worker == 0

    def begin(self, now: float) -> None:
        """Register where the settings want it, and nowhere else."""
        self.stale = False
        core = self._core
        wanted = {
            trunk.name: trunk for trunk in core.generation.network.settings.trunks if trunk.registration is not None
        }
        for name in [name for name in self._running if name not in wanted]:
            self._leave(self._running.pop(name), now)
        core.outages.trunks = set()
        for name, trunk in wanted.items():
            self._follow(name, trunk, now)
            self.changed(self._running[name])

    def _follow(self, name: str, trunk: Trunk, now: float) -> None:
        key, party, running = self._key(trunk), Party(Zone.TRUNK, trunk), self._running.get(name)
        if running is not None and running.key == key:
            running.party = party
            return
        if running is not None and running.key[0] == key[0]:
            running.change(party, key, now)
            return
        if running is not None:
            self._leave(running, now)
        made = self._running[name] = TrunkRegistration(self._core, party, key)
        made.begin(now)

    def _key(self, trunk: Trunk) -> tuple[object, ...]:
        """Return what a registration hangs on: at the head whose binding it is, with which Contact."""
        tokens = self._core.generation.tokens
        binding = (user_of(trunk), domain_of(trunk), contact_user(tokens, trunk), trunk.listener)
        return binding, trunk.registration, trunk.hosts, trunk.tls_name, self._core.logins.account(trunk.name)

    def changed(self, registration: TrunkRegistration) -> None:
        """Let groups turn last to a trunk that is of no use without its registration."""
        trunk = registration.party.trunk
        if trunk is None or trunk.registration is None or not trunk.registration.required:
            return
        if registration.is_up:
            self._core.outages.trunks.discard(trunk.name)
        else:
            self._core.outages.trunks.add(trunk.name)

    def closed(self, flow: Flow, now: float) -> None:
        """Learn that a connection has ended."""
        for registration in self._running.values():
            registration.ended(flow, now)

    def stop(self, now: float) -> None:
        """Take all bindings out; `leaving` tells how many REGISTERs for that are on their way."""
        self.stale = False
        for registration in self._running.values():
            self._leave(registration, now)
        self._running.clear()

    def _leave(self, registration: TrunkRegistration, now: float) -> None:
        if registration.leave(now) is not None:
            self._leaving += 1

    def left(self) -> None:
        """Learn that one of them was answered, or will not be."""
        self._leaving -= 1

    @property
    def leaving(self) -> int:
        """How many bindings are being taken out."""
        return self._leaving

    def routes(self, party: Party) -> tuple[bytes, ...]:
        """Return the Service-Route for initial requests to a trunk (RFC 3608 §6.1)."""
        running = self._running.get(party.label)
        return running.routes if running is not None and party.zone is Zone.TRUNK else ()

    def is_up(self, name: str) -> bool:
        """Tell whether a trunk has a binding of ours."""
        running = self._running.get(name)
        return running is not None and running.is_up
