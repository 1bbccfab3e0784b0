"""`sipveil reload`: have the running Sipveil take up its configuration anew, and say what came of it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config.load import ConfigError
from tap import configuration
from tap.control import ControlError, ask


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
def reload(config: Path) -> None:
    """Have the running Sipveil take up CONFIG, its catalogue files and its key ring, losing no call.

    Everything is checked first. What fails leaves the running configuration in place, with exit code 1. Calls that
    are up keep the privacy that they began with. Listeners, workers, state folder, metrics page, log and the store of
    subscribers cannot be changed without a restart.
    """
    try:
        settings, _ = configuration.read(config)
        outcome = ask(Path(settings.state_dir), f"reload {config.absolute()}")
    except (ConfigError, ControlError) as error:
        for line in str(error).splitlines():
            click.echo(line, err=True)
        click.echo("not reloaded; what runs goes on unchanged", err=True)
        sys.exit(1)
    for line in outcome.said:
        click.echo(line, err=not outcome.ok)
    sys.exit(0 if outcome.ok else 1)
