"""The configuration that a command was given, the example's without one, and what subscribers have said by now."""

from __future__ import annotations

import sys
import time
from importlib import resources
from pathlib import Path

import click

from config import tomlfile
from config.load import ConfigError
from config.settings import Settings
from config.statefile import StateFileError
from config.subscribers import Subscribers
from config.tomlfile import TomlFile
from tap import configuration
from tap.log import logger
from tap.signing import NO_CREDENTIALS, Credentials, read
from tap.subscriber_watch import SubscriberWatch, subscribers_of


def given(path: Path | None) -> tuple[Settings, TomlFile]:
    """Return the settings, and the file with its lines; with mistakes, print them one a line and exit with 1."""
    try:
        if path is not None:
            return configuration.read(path)[0], tomlfile.read(path, "")
        with resources.as_file(resources.files("config") / "example.toml") as example:
            return configuration.read(example)[0], tomlfile.read(example, "")
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)


def credentials_now(settings: Settings, wall: float) -> tuple[Credentials, list[str]]:
    """Return what calls are signed and verified with, and a remark where who asks may not read it.

    A PASSporT tells who calls: what is shown without it is not all that a trunk would be told.
    """
    try:
        return read(settings, wall), []
    except StateFileError as error:
        return NO_CREDENTIALS, [f"{error}; shown as if no call were signed or verified"]


def subscribers_now(settings: Settings, who: str) -> Subscribers:
    """Return what subscribers have said, as the proxy would find it now: where the store cannot be read, strictly.

    who: the command, for the log.
    """
    known = subscribers_of(settings)
    SubscriberWatch(settings, known, time.monotonic, logger(who)).begin()
    return known
