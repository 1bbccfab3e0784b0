"""The `sipveil` command: run, reload, check, keys, subscriber, account, explain, plan, scan, cms, demo."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path

import click

from config.load import ConfigError, Problem
from config.settings import Settings
from tap import CORE, configuration
from tap.clock import use_monotonic
from tap.console import COLOR, WIDTH
from tap.version import version

CONFIG = click.argument("config", type=click.Path(path_type=Path))


_ELSEWHERE = {
    "account": "tap.account_command", "cms": "tap.cms_command",
    "explain": "tap.explain_command", "keys": "tap.keys_command", "plan": "tap.plan_command",
    "reload": "tap.reload_command", "scan": "tap.scan_command", "subscriber": "tap.subscriber_command",
}  # fmt: skip
"""Commands in modules of their own, which are read when they are asked for: a proxy that starts needs none of them."""


class Commands(click.Group):
    """The commands of this file, and those that stand elsewhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all."""
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, None where there is none."""
        module = _ELSEWHERE.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(module), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 -- as the list above says
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="sipveil", message=f"%(prog)s %(version)s, core: {CORE}")
def main() -> None:
    """Sipveil: a SIP proxy that lets calls cross to a trunk without what they should not say."""


def load_or_exit(path: Path, wall: float | None = None) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings at path, and warnings; with mistakes, print them one a line and exit with 1."""
    try:
        return configuration.read(path, wall)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        click.echo(f"{_count(len(error.problems), 'mistake')}; nothing was started", err=True)
        sys.exit(1)


@main.command()
@CONFIG
def run(config: Path) -> None:
    """Run the proxy in the foreground, as CONFIG says, until SIGTERM or SIGINT."""
    settings, _ = load_or_exit(config)
    from tap.reactor import install  # noqa: PLC0415 - brings Twisted, which the other commands do without

    install()
    from twisted.internet import reactor  # noqa: PLC0415

    from tap.allocator import give_back  # noqa: PLC0415
    from tap.collector import relax  # noqa: PLC0415
    from tap.log import begin, observer  # noqa: PLC0415
    from tap.plugin import service_for  # noqa: PLC0415

    give_back()
    begin(observer(sys.stdout, settings.log))
    use_monotonic(reactor)
    service = service_for(settings, reactor, path=config)
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    relax()
    reactor.run()
    sys.exit(int(service.failed))


@main.command()
@CONFIG
def check(config: Path) -> None:
    """Check CONFIG and say what is wrong with it, or what it amounts to."""
    from tap.given_configuration import subscribers_now  # noqa: PLC0415 - brings Twisted, which a bad file needs not
    from tap.lapsed import lapsed  # noqa: PLC0415

    settings, warned = load_or_exit(config, time.time())
    found = [*warned, *lapsed(settings, subscribers_now(settings, "check"))]
    for problem in found:
        click.echo(f"warning: {problem}", err=True)
    click.echo(summary(config, settings, len(found)))


def summary(config: Path, settings: Settings, warned: int) -> str:
    """Return one line about a configuration that can be used."""
    parts = [
        _count(len(settings.listeners), "listener"),
        _count(len(settings.trunks), "trunk"),
        _count(len(settings.routes), "route"),
        _count(warned, "warning"),
    ]
    return f"{config}: good; {', '.join(parts)}"


def _count(number: int, noun: str) -> str:
    """Return `no trunks`, `1 trunk`, `2 trunks`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


@main.command()
@COLOR
@WIDTH
def demo(color: bool | None, width: int | None) -> None:
    """Place a call from a demo phone through a proxy of its own to a demo trunk, and show what was edited."""
    from tap.demo import play  # noqa: PLC0415 - brings the reactor

    sys.exit(play(color=color, width=width))


if __name__ == "__main__":
    main()
