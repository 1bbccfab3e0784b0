"""All registrations at trunks of one core: which there are to be, and what calls have of them.

They follow the settings: a reload leaves alone what it does not change, and a restart registers anew, with the same
Contact. Of several workers the first one registers: a trunk that has two bindings of one Contact has one. It tells the
others what became of it, and they a first worker that begins anew, until its own registrar has answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from config.settings import Trunk
from config.vocabulary import Zone
from proxy.flow import Flow
from proxy.party import Party
from proxy.register_client import contact_user, domain_of, user_of
from proxy.trunk_registration import TrunkRegistration

if TYPE_CHECKING:
    from proxy.core import Core


class Standing(NamedTuple):
    """What calls have of a registration."""

    is_up: bool
    """Whether the trunk has a binding of ours."""
    routes: tuple[bytes, ...]
    """Its Service-Route."""


class TrunkRegistrations:
    """The registrations of one core."""

    __slots__ = ("_core", "_heard", "_leaving", "_running", "_told", "stale", "tell")

    def __init__(self, core: Core) -> None:
        """Begin with none; `begin` makes those of the running settings."""
        self._core = core
        self._running: dict[str, TrunkRegistration] = {}
        self._leaving = 0
        self._told: dict[str, Standing] = {}
        """What became of ours, as all others know it."""
        self._heard: dict[str, Standing] = {}
        """What another worker has said, of those of which nothing became here."""
        self.tell: Callable[[bytes], None] | None = None
        """Tells all other workers what became of a registration, for their `learn`."""
        self.stale = core.worker == 0
        """Whether the settings are other ones than at the last `begin`, and ours to follow."""
        self._mark()

    def adopt(self) -> None:
        """Learn that the settings are other ones."""
        self.stale = self._core.worker == 0
        self._mark()

    def begin(self, now: float) -> None:
        """Register where the settings want it, and nowhere else."""
        self.stale = False
        core = self._core
        wanted = {
            trunk.name: trunk for trunk in core.generation.network.settings.trunks if trunk.registration is not None
        }
        for name in [name for name in self._running if name not in wanted]:
            self._leave(self._running.pop(name), now)
        for name, trunk in wanted.items():
            self._follow(name, trunk, now)
        self._mark()

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
        """Learn what became of a registration, for our calls and those of the other workers."""
        name, standing = registration.party.label, Standing(registration.is_up, registration.routes)
        self._heard.pop(name, None)
        if self._told.get(name) != standing:
            self._told[name] = standing
            if self.tell is not None:
                self.tell(self._said(name, standing))
        self._mark()

    def _mark(self) -> None:
        """Let groups turn last to trunks that are of no use without their registrations."""
        trunks = self._core.generation.network.settings.trunks
        self._core.outages.trunks = {
            each.name for each in trunks
            if each.registration is not None and each.registration.required and not self._standing(each.name).is_up
        }  # fmt: skip

    def _standing(self, name: str) -> Standing:
        return self._heard.get(name) or self._told.get(name) or _NONE

    # --- between workers

    def known(self) -> list[bytes]:
        """Return what a worker is told that begins."""
        return [self._said(name, standing) for name, standing in (self._told | self._heard).items()]

    def learn(self, said: bytes) -> None:
        """Take what another worker tells of a registration: the first one, whose they are, or others of what it was.

        The first one believes others until it knows better: a process that was killed has left its binding behind.
        """
        sender, is_up = said[0], bool(said[1])
        name, *routes = said[2:].split(b"\n")
        known_better = sender != 0 if self._core.worker else name.decode() in self._told
        if known_better:
            return
        self._heard[name.decode()] = Standing(is_up, tuple(routes))
        self._mark()

    def _said(self, name: str, standing: Standing) -> bytes:
        return bytes((self._core.worker, standing.is_up)) + b"\n".join((name.encode(), *standing.routes))

    # --- what is asked

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
        return self._standing(party.label).routes if party.zone is Zone.TRUNK else ()

    def is_up(self, name: str) -> bool:
        """Tell whether a trunk has a binding that we have made; in other workers than the first none has."""
        running = self._running.get(name)
        return running is not None and running.is_up


_NONE = Standing(is_up=False, routes=())
