"""A run of a scenario whose ends are our own programs: what they need around them, and the order of things.

class Ours(Trial[Load, Found]):      what the configuration is, how many accounts, what is played and shown
run(Ours, load, folder, watch)       ports → configuration → accounts → proxy → play → what it has shown
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Generic, TypeVar

from scripts.load.accounts import import_accounts
from scripts.load.addresses import PHONE, PROXY, free
from scripts.load.cores import pinned
from scripts.load.looks import Looks, Shown, Watch
from scripts.load.meter import Meter
from scripts.load.offered import Offered
from scripts.load.outcome import Outcome
from scripts.load.proxy import Proxy, answers, sipveil

Load = TypeVar("Load", bound=Offered)
Found = TypeVar("Found", bound=Outcome)


class Trial(Shown, Generic[Load, Found]):
    """One run; `close` ends it in any case."""

    accounts = 0
    """How many are imported before the proxy starts."""

    def __init__(self, load: Load, folder: Path, port: int = 0) -> None:
        """Prepare what has to be there before the proxy is. folder: for files; port: the proxy's, 0 for any.

        Raises LoadError where that cannot be.
        """
        self.load, self.folder = load, folder
        self.proxy = free(PROXY, port)
        """Where the proxy listens for trunks."""

    @abstractmethod
    def configuration(self) -> str:
        """Return the proxy's."""

    @abstractmethod
    def play(self, proxy: Proxy, looks: Looks) -> Found:
        """Play to the end, looking about once a second; return what it has shown.

        Raises LoadError where that cannot be.
        """

    def ready(self) -> bool:
        """Tell whether the proxy is."""
        return answers(self.proxy, PHONE)

    def surroundings(self) -> AbstractContextManager[None]:
        """Return what holds while the proxy runs."""
        return nullcontext()

    def close(self) -> None:
        """Let go of addresses and files."""


def run(kind: type[Trial[Load, Found]], load: Load, folder: Path, watch: Watch = lambda _at, _words: None) -> Found:
    """Start a Sipveil in folder, play, stop it.

    Raises LoadError where that cannot be.
    """
    trial = kind(load, folder)
    try:
        return _run(trial, watch)
    finally:
        trial.close()


def _run(trial: Trial[Load, Found], watch: Watch) -> Found:
    config, cores = trial.folder / "sipveil.toml", trial.load.cores
    config.write_text(trial.configuration())
    if trial.accounts:
        import_accounts(trial.accounts, config, trial.folder)
    with (
        trial.surroundings(),
        Proxy(sipveil(config), trial.proxy, trial.folder, cores=cores.proxy, ready=trial.ready) as proxy,
        pinned(cores.load),
    ):
        found = trial.play(proxy, Looks(trial, Meter(proxy.pid), watch))
        proxy.check()
        return found
