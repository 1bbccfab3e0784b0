"""What a service of an application has to do whether it works itself or has workers: its log, its end, its commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import IServiceCollection, Service
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from tap.control import Control
from tap.log import LineObserver, logger
from tap.reload import Reloader
from tap.shell import StartError


class ApplicationService(Service):
    """Logs our way, ends a start that fails with one line, and takes commands where it can be reloaded."""

    name = "sipveil"
    failed = False
    """Whether it stopped because it could not go on."""

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
        part: str,
        observer: LineObserver | None = None,
    ) -> None:
        """Set up.

        Args:
            reactor: a Twisted reactor.
            part: whose lines in the log they are.
            observer: becomes the log of the application that the service is added to (twistd).
        """
        self._reactor = reactor
        self._observer = observer
        self._log = logger(part)
        self._reloader: Reloader | None = None
        self._control: Control | None = None

    def setServiceParent(self, parent: IServiceCollection) -> None:  # noqa: N802 - IService
        """Join an application, and see to it that it logs our way, without personal data."""
        if self._observer is not None and isinstance(parent, Componentized):
            Componentized.setComponent(parent, ILogObserver, self._observer)
        Service.setServiceParent(self, parent)

    def take_commands(self, state_dir: str) -> None:
        """Listen for `sipveil reload` in a folder, if there is what reloads."""
        if self._reloader is not None:
            self._control = Control(self._reactor, Path(state_dir), self._reloader, self._log)

    def take_no_more_commands(self) -> None:
        """Stop to listen."""
        if self._control is not None:
            self._control.close()

    def or_exit(self, step: Callable[[], None]) -> None:
        """Take a step of the start; what keeps it from succeeding is one line, not a traceback.

        Raises:
            SystemExit: with that line.
        """
        try:
            step()
        except StartError as error:
            self._log.error("{reason}", reason=str(error))
            self.give_up()
            raise SystemExit(f"sipveil: {error}") from None

    def give_up(self) -> None:
        """Let go of what a start that failed has taken."""
        raise NotImplementedError
