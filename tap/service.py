"""Sipveil as a Twisted service: a configuration becomes keys, policy, core and sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from config.settings import Settings
from config.statefile import StateFileError
from config.subscribers import Subscribers
from filters.catalogue import CatalogueError
from filters.engine import build
from proxy.core import Core
from proxy.sinks import Sinks
from tap import CORE, signing
from tap.application import ApplicationService
from tap.candidate import Candidate
from tap.log import LineObserver, logger
from tap.reload import Reloader
from tap.shell import Clocks, MakeCore, Shell, StartError
from tap.signing import passwords_of, signer_of, verifier_of
from tap.state import prepare
from tap.subscriber_watch import subscribers_of
from tap.wish_file import WishFile


class SystemClocks:
    """The machine's clocks."""

    now = staticmethod(time.monotonic)
    """Monotonic seconds; with no function of ours around it, for it is asked for each datagram."""
    wall = staticmethod(time.time)
    """Unix time in seconds."""


def core_maker(clocks: Clocks, subscribers: Subscribers | None = None) -> Callable[[Settings, Sinks], Core]:
    """Return what builds the real core: key ring (made on first start), trunks of the past, policy, subscribers."""

    def make(settings: Settings, sinks: Sinks) -> Core:
        wall = clocks.wall()
        wishes = WishFile(settings, logger("service"))
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
            passwords=passwords_of(settings, credentials), make_wishes=lambda: wishes.table(0, clocks.wall()),
        )  # fmt: skip

    return make


class SipveilService(ApplicationService):
    """Opens sockets before privileges are dropped, starts after, and closes everything at the end."""

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
        super().__init__(reactor, "service", observer)
        clocks = SystemClocks()
        subscribers = subscribers_of(settings)
        make = make_core or core_maker(clocks, subscribers)
        if path is not None:
            self._reloader = Reloader(
                reactor, path, settings, subscribers, self._adopt, wall=clocks.wall, log=self._log
            )  # fmt: skip
        self.shell = Shell(
            reactor, settings, make, clocks=clocks, log=self._log, subscribers=subscribers,
            history=self._reloader.history if self._reloader else None,
        )  # fmt: skip

    def privilegedStartService(self) -> None:  # noqa: N802 - IService
        """Bind the sockets, which may need root for ports below 1024.

        Raises:
            SystemExit: with the reason, where an address cannot be bound.
        """
        self.or_exit(self.shell.open)

    def startService(self) -> None:  # noqa: N802 - IService
        """Start to take calls.

        Raises:
            SystemExit: with the reason, where keys or metrics page cannot be used.
        """
        Service.startService(self)
        self._log.info("core {core}", core=str(CORE))
        self.or_exit(self.shell.start)
        self.take_commands(self.shell.settings.state_dir)

    def stopService(self) -> Deferred[None]:  # noqa: N802 - IService
        """Close everything; fires when it is done."""
        Service.stopService(self)
        self.take_no_more_commands()
        return self.shell.stop()

    def _adopt(self, candidate: Candidate) -> None:
        """Put what a reload has made ready to work."""
        self.shell.adopt(candidate)

    def give_up(self) -> None:
        """Close what was opened."""
        self.shell.stop()
