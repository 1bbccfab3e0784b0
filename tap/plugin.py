"""`twistd sipveil --config FILE`: the same proxy under Twisted's own daemon command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.python import usage

from config.load import ConfigError
from config.settings import Settings
from tap import configuration
from tap.allocator import give_back
from tap.clock import use_monotonic
from tap.collector import relax
from tap.log import LineObserver, observer
from tap.service import SipveilService

if TYPE_CHECKING:
    from tap.supervisor import SupervisorService


class SipveilOptions(usage.Options):
    """Options after `twistd sipveil`."""

    optParameters = [["config", "c", None, "The configuration file (TOML); required."]]  # noqa: N815, RUF012 - Twisted's
    settings: Settings

    def postOptions(self) -> None:  # noqa: N802 - Twisted's name
        """Read the configuration.

        Raises:
            UsageError: with every mistake in it, one a line.
        """
        if not self["config"]:
            raise usage.UsageError("--config is missing")
        try:
            self.settings, _ = configuration.read(Path(self["config"]))
        except ConfigError as error:
            raise usage.UsageError(str(error)) from None


def service_for(
    settings: Settings,
    reactor: Any,  # noqa: ANN401 - Twisted has no one interface for all that a reactor does
    log_observer: LineObserver | None = None,
    path: Path | None = None,
) -> SipveilService | SupervisorService:
    """Return what runs as settings say: the proxy in this process, or a supervisor with workers.

    path is where settings come from, and come from again at a reload.
    """
    if settings.workers == 1:
        return SipveilService(settings, reactor, observer=log_observer, path=path)
    from tap.supervisor import SupervisorService  # noqa: PLC0415 - one process needs none of it

    return SupervisorService(settings, reactor, log_observer, path)


def make_service(options: SipveilOptions) -> SipveilService | SupervisorService:
    """Return the service for twistd to start; its log replaces twistd's, which would write failures out in full."""
    from twisted.internet import reactor  # noqa: PLC0415 - twistd has chosen one by now

    give_back()
    use_monotonic(reactor)
    reactor.callWhenRunning(relax)
    stream = sys.__stdout__ or sys.stdout  # twistd turns sys.stdout into a logger
    # twistd changes to another folder before anything is reloaded.
    path = Path(options["config"]).absolute()
    return service_for(options.settings, reactor, observer(stream, options.settings.log), path)


# The names that twistd looks for.
Options = SipveilOptions
makeService = make_service  # noqa: N816
