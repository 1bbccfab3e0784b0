"""What the commands that work on the store share: which store it is, and how they end where it cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from config.load import ConfigError, load
from config.settings import Settings
from config.statefile import StateFileError

Result = TypeVar("Result")

CONFIG = click.option(
    "--config", "config", required=True, type=click.Path(path_type=Path), help="The configuration whose store is meant."
)


def settings_with_store(config: Path) -> Settings:
    """Return the settings, which name a store, or say what is wrong and exit."""
    try:
        settings = load(config)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if settings.subscribers is None:
        fail(f"{config}: has no section [subscribers]; add it, for without it a running Sipveil asks no store")
    return settings


def attempt(step: Callable[[], Result]) -> Result:
    """Take a step; where it may not be taken, say why and exit."""
    try:
        return step()
    except StateFileError as error:
        fail(str(error))


def fail(reason: str) -> NoReturn:
    """Say why there is no going on, and exit."""
    click.echo(f"sipveil: {reason}", err=True)
    sys.exit(1)
