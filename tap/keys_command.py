"""`sipveil keys`: look at the key ring and change it, without ever showing a secret."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from config import keys as ring_file
from config.keyring import ID_COUNT, Key, KeyRing, KeyState
from config.load import ConfigError, load
from config.settings import Settings
from config.statefile import StateFileError
from tap.state import key_ring_path

Result = TypeVar("Result")
CONFIG = click.option(
    "--config", "config", required=True, type=click.Path(path_type=Path), help="The configuration whose keys are meant."
)
KEY = click.argument("key_id", type=click.IntRange(0, ID_COUNT - 1))
USES = {
    KeyState.NEW: "opens; `use` it when every node has it",
    KeyState.CURRENT: "opens and seals",
    KeyState.OLD: "opens; `retire` it when its last call has ended",
}


@click.group()
def keys() -> None:
    """Show and change the key ring, which dialog records are sealed with.

    A key is added on every node (add), made current (use), and, 48 hours after its successor was (the
    `max_dialog_age` of the configuration), destroyed (retire). A running Sipveil takes the ring up with
    `sipveil reload`.
    """


@keys.command()
@CONFIG
def show(config: Path) -> None:
    """List the keys."""
    settings = _settings(config)
    _print(_attempt(lambda: ring_file.load(key_ring_path(settings))), settings)


@keys.command()
@CONFIG
def add(config: Path) -> None:
    """Add a key that opens but does not seal yet."""
    settings = _settings(config)
    key = _attempt(lambda: ring_file.add(key_ring_path(settings), time.time()))
    click.echo(f"key {key.id} added")
    _print(_attempt(lambda: ring_file.load(key_ring_path(settings))), settings)


@keys.command()
@CONFIG
@KEY
def use(config: Path, key_id: int) -> None:
    """Make a new key the current one."""
    settings = _settings(config)
    _print(_attempt(lambda: ring_file.use(key_ring_path(settings), key_id, time.time())), settings)


@keys.command()
@CONFIG
@KEY
@click.option("--force", is_flag=True, help="At once: calls that were set up under it are lost.")
def retire(config: Path, key_id: int, force: bool) -> None:
    """Destroy an old key for good."""
    settings = _settings(config)
    age = settings.limits.max_dialog_age
    _print(
        _attempt(lambda: ring_file.retire(key_ring_path(settings), key_id, time.time(), age, force=force)),
        settings,
    )


def _settings(config: Path) -> Settings:
    """Return the settings, or say what is wrong and exit."""
    try:
        return load(config)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _attempt(step: Callable[[], Result]) -> Result:
    """Take a step; where it may not be taken, say why and exit."""
    try:
        return step()
    except StateFileError as error:
        click.echo(f"sipveil: {error}", err=True)
        sys.exit(1)


def _print(ring: KeyRing, settings: Settings) -> None:
    """Print the ring as a table."""
    table = Table("key", "state", "made", "superseded", "may be retired", "what it does")
    for key in ring.keys:
        table.add_row(*_row(key, settings.limits.max_dialog_age))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _row(key: Key, max_dialog_age: float) -> tuple[str, ...]:
    """Return a key's cells; the secret is none of them."""
    free = "" if key.superseded is None else _utc(key.superseded + max_dialog_age)
    superseded = "" if key.superseded is None else _utc(key.superseded)
    return str(key.id), str(key.state), _utc(key.created), superseded, free, USES[key.state]


def _utc(wall: float) -> str:
    """Return a time as an operator reads it."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
