"""Sipveil as a Twisted service: a configuration becomes keys, policy, core and sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import IServiceCollection, Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from config.settings import Settings
from config.statefile import StateFileError
from config.subscribers import Subscribers
from filters.catalogue import CatalogueError
from filters.engine import build
from proxy.core import Core
from proxy.sinks import Sinks
from tap import CORE, signing
from tap.candidate import Candidate
from tap.control import Control
from tap.log import LineObserver, logger
from tap.reload import Reloader
from tap.shell import Clocks, MakeCore, Shell, StartError
from tap.signing import passwords_of, signer_of, verifier_of
from tap.state import prepare
from tap.subscriber_watch import subscribers_of


class SystemClocks:
    """The machine's clocks."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return Unix time in seconds."""
        return time.time()


def core_maker(clocks: Clocks, subscribers: Subscribers | None = None) -> Callable[[Settings, Sinks], Core]:
    """Return what builds the real core: key ring (made on first start), trunks of the past, policy, subscribers."""

    def make(settings: Settings, sinks: Sinks) -> Core:
        wall = clocks.wall()
        try:
            state = prepare(settings, wall)
            credentials = signing.read(settings, wall, state.retired)
            signer, verifier = signer_of(settings, credentials), verifier_of(credentials)
            privacy = build(settings, subscribers, signer, verifier, credentials.recorders)
        except (StateFileError, CatalogueError) as error:
            raise StartError(str(error)) from error
        return Core(
            settings, state.ring, privacy, sinks, now=clocks.now(), wall=wall, retired=state.retired,
            accounts=None if subscribers is None else subscribers.accounts,
            passwords=passwords_of(settings, credentials),
        )  # fmt: skip

    return make


class SipveilService(Service):
    """Opens sockets before privileges are dropped, starts after, and closes everything at the end."""

    name = "sipveil"
    failed = False
    """Whether it stopped because it could not go on; one process does not."""

    def __init__(
        self,
        settings: Settings,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        make_core: MakeCore | None = None,
        observer: LineObserver | None = None,
        path: Path | None = None,
    ) -> None:
        """Set up.

        Args:
            settings: what path says.
            reactor: a Twisted reactor.
            make_core: in place of the real one.
            observer: becomes the log of the application that the service is added to (twistd).
            path: what is read again at SIGHUP or `sipveil reload`; without it there is no such thing.
        """
        clocks = SystemClocks()
        self._observer = observer
        self._log = logger("service")
        subscribers = subscribers_of(settings)
        make = make_core or core_maker(clocks, subscribers)
        self._reloader: Reloader | None = None
        if path is not None:
            self._reloader = Reloader(
                reactor, path, settings, subscribers, self._adopt, wall=clocks.wall, log=self._log
            )  # fmt: skip
        self._control: Control | None = None
        self.shell = Shell(
            reactor, settings, make, clocks=clocks, log=self._log, subscribers=subscribers,
            history=self._reloader.history if self._reloader else None,
        )  # fmt: skip
        self._reactor = reactor

    def setServiceParent(self, parent: IServiceCollection) -> None:  # noqa: N802 - IService
        """Join an application, and see to it that it logs our way, without personal data."""
        if self._observer is not None and isinstance(parent, Componentized):
            Componentized.setComponent(parent, ILogObserver, self._observer)
        Service.setServiceParent(self, parent)

    def privilegedStartService(self) -> None:  # noqa: N802 - IService
        """Bind the sockets, which may need root for ports below 1024.

        Raises:
            SystemExit: with the reason, where an address cannot be bound.
        """
        self._or_exit(self.shell.open)

    def startService(self) -> None:  # noqa: N802 - IService
        """Start to take calls.

        Raises:
            SystemExit: with the reason, where keys or metrics page cannot be used.
        """
        Service.startService(self)
        self._log.info("core {core}", core=str(CORE))
        self._or_exit(self.shell.start)
        if self._reloader is not None:
            self._control = Control(self._reactor, Path(self.shell.settings.state_dir), self._reloader, self._log)

    def stopService(self) -> Deferred[None]:  # noqa: N802 - IService
        """Close everything; fires when it is done."""
        Service.stopService(self)
        if self._control is not None:
            self._control.close()
        return self.shell.stop()

    def _adopt(self, candidate: Candidate) -> None:
        """Put what a reload has made ready to work."""
        self.shell.adopt(candidate)

    def _or_exit(self, step: Callable[[], None]) -> None:
        """Take a step of the start; what keeps it from succeeding is one line, not a traceback."""
        try:
            step()
        except StartError as error:
            self._log.error("{reason}", reason=str(error))
            self.shell.stop()
            raise SystemExit(f"sipveil: {error}") from None
