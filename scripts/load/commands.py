"""The commands of scenarios whose ends are our own programs, each with options of its own."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from scripts.load import authenticated as calls_with_passwords
from scripts.load import flows as registered_flows
from scripts.load import trunk_group as group
from scripts.load.cores import Cores, available, share
from scripts.load.errors import LoadError
from scripts.load.progress import PLAIN_EVERY
from scripts.load.series import Sample
from tap.native import CORE

GOOD, LEAKING, IMPOSSIBLE, FAILING = 0, 1, 2, 3
"""Exit status; a usage error is 2 as well."""
VERSION = 1
"""Of the JSON."""
Function = TypeVar("Function", bound=Callable[..., Any])


class Shown(Protocol):
    """A result."""

    @property
    def leaking(self) -> bool:
        """Tell whether a trunk saw what it should not."""

    @property
    def failing(self) -> bool:
        """Tell whether something was lost."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Return how it went, second by second."""

    def text(self) -> str:
        """Return it for a person."""

    def as_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""


def _outputs(command: Function) -> Function:
    """Add what all have in common."""
    options = (
        click.option("--plot", "picture", type=click.Path(dir_okay=False, path_type=Path),
                     help="Draw how the run went, second by second, into this file (.svg, .png, .pdf)."),
        click.option("--json", "json_file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
                     help="Write the result here as JSON; - for standard output, which then has nothing else."),
        click.option("--pin/--no-pin", default=True, show_default=True,
                     help="The proxy on cores of its own, where there are two or more."),
    )  # fmt: skip
    for option in options:
        command = option(command)
    return command


class Progress:
    """A line on standard error every few seconds."""

    def __init__(self, title: str) -> None:
        """Begin; title stands in front."""
        self._title, self._next = title, PLAIN_EVERY

    def __call__(self, at: float, words: str) -> None:
        """Print, if it is time."""
        if at >= self._next:
            self._next = at + PLAIN_EVERY
            click.echo(f"{self._title}: {at:.0f} s, {words}", err=True)


def _finish(
    play: Callable[[Path], Shown],
    json_file: Path | None,
    picture: Path | None,
    marks: Mapping[str, float] | None = None,
) -> None:
    """Run in a folder that goes afterwards, say what came of it, and exit."""
    click.echo(f"core: {CORE}", err=True)
    try:
        with tempfile.TemporaryDirectory(prefix="loadtest-") as folder:
            result = play(Path(folder))
    except LoadError as error:
        click.echo(f"loadtest: {error}", err=True)
        sys.exit(IMPOSSIBLE)
    except KeyboardInterrupt:
        click.echo("loadtest: interrupted", err=True)
        sys.exit(130)
    text = json.dumps({"version": VERSION, "leaking": result.leaking, "runs": [result.as_json()]}, indent=1)
    if json_file == Path("-"):
        click.echo(text)
    else:
        click.echo(result.text())
        if json_file:
            json_file.write_text(text + "\n")
    if picture:
        from scripts.load.series import plot_series  # noqa: PLC0415 - a second that only a picture needs

        plot_series(result.samples, picture, marks or {})
    sys.exit(LEAKING if result.leaking else FAILING if result.failing else GOOD)


def _cores(pin: bool, workers: int = 1) -> Cores:
    return share(available(), workers) if pin else Cores()


@click.command()
@click.option("--rate", default=1000, type=click.IntRange(1), show_default=True, help="New calls a second.")
@click.option("--seconds", default=10, type=click.IntRange(1), show_default=True, help="How long calls begin.")
@click.option(
    "--accounts",
    default=5000,
    type=click.IntRange(1, 1_000_000),
    show_default=True,
    help="Callers, in turn; `guard.subscriber_calls` allows each 120 calls a minute.",
)
@click.option(
    "--sources",
    default=calls_with_passwords.MOST_SOURCES,
    show_default=True,
    type=click.IntRange(1, calls_with_passwords.MOST_SOURCES),
    help="Addresses that they share.",
)
@click.option("--algorithm", default="SHA-256", type=click.Choice(["SHA-256", "MD5"]), show_default=True)
@click.option(
    "--reuse/--no-reuse",
    default=False,
    show_default=True,
    help="A phone begins its next call with the nonce that it has and a higher nc, as most do; else without "
    "credentials.",
)
@click.option("--ring", default=20, type=click.IntRange(0), show_default=True, help="Milliseconds from 180 to 200.")
@click.option("--talk", default=200, type=click.IntRange(0), show_default=True, help="Milliseconds of a call.")
@click.option("--workers", default=1, type=click.IntRange(1), show_default=True, help="Workers of the proxy.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The proxy's port; default: any free one.")
@_outputs
def authenticated(
    *,
    json_file: Path | None,
    picture: Path | None,
    pin: bool,
    workers: int,
    **options: Any,  # noqa: ANN401 - as click read them
) -> None:
    """Calls of phones that answer 407: digest authentication, accounts in the store, the guard as it is by default."""
    load = calls_with_passwords.Calls(workers=workers, cores=_cores(pin, workers), **options)
    progress = Progress(f"authenticated at {load.rate}/s")

    def watch(now: calls_with_passwords.Snapshot) -> None:
        said = {name: f"{number:.0f}" for name, number in now.said.items()}
        words = f"{said['completed']}/{load.rate * load.seconds} completed, {said['refused']} refused, "
        words += f"{said['expired']} lost, {said['retransmissions']} repeated, CPU {now.cpu / now.at / 1e4:.0f} %"
        progress(now.at, words)

    _finish(lambda folder: calls_with_passwords.run(load, folder, watch), json_file, picture)


@click.command()
@click.option(
    "--flows",
    "flows",
    default=0,
    type=click.IntRange(0, registered_flows.MOST),
    help="Phones, a connection each; default: as many as the hard limit of open files less 1,000 allows, at "
    "most 20,000.",
)
@click.option(
    "--seconds",
    default=60.0,
    type=click.FloatRange(0),
    show_default=True,
    help="How long they are kept alive, once all are registered.",
)
@click.option(
    "--keep-alive",
    default=20.0,
    type=click.FloatRange(0.1),
    show_default=True,
    help="Seconds between two pings of a phone (RFC 5626 has 95 to 120 for TCP).",
)
@click.option("--calls", default=100, type=click.IntRange(0), show_default=True, help="Phones that are called then.")
@click.option("--digest/--no-digest", default=True, show_default=True, help="Whether phones have to prove themselves.")
@click.option("--tls/--tcp", default=False, help="What connections are of; default: TCP.")
@_outputs
def flows(
    *,
    json_file: Path | None,
    picture: Path | None,
    pin: bool,
    **options: Any,  # noqa: ANN401 - as click read them
) -> None:
    """Registered phones behind TCP or TLS connections, kept alive by CRLF, and a sample of them called by a trunk."""
    load = registered_flows.Flows(cores=_cores(pin), **options)
    progress = Progress("flows")

    def watch(now: registered_flows.Snapshot) -> None:
        progress(now.at, f"{now.up} registered, {now.pongs} pongs, {now.lost} lost, {now.resident / 2**20:.0f} MB, "
                 f"CPU {now.cpu / now.at / 1e4:.0f} %")  # fmt: skip

    _finish(lambda folder: registered_flows.run(load, folder, watch), json_file, picture)


@click.command(name="trunk-group")
@click.option("--rate", default=250.0, type=click.FloatRange(0.1), show_default=True, help="New calls a second.")
@click.option(
    "--seconds",
    default=90.0,
    type=click.FloatRange(5),
    show_default=True,
    help="How long calls begin. The first trunk is killed after a fifth, the second swallows from two fifths "
    "on, both are back after three.",
)
@click.option(
    "--failover",
    default=5.0,
    type=click.FloatRange(1, 32),
    show_default=True,
    help="Seconds without an answer until the next trunk is tried (`groups.failover`).",
)
@click.option(
    "--options",
    default=0.0,
    type=click.FloatRange(0, 3600),
    show_default=True,
    help="Seconds between two OPTIONS to each trunk (`trunks.health.options`); 0: only calls find out.",
)
@click.option("--ring", default=20, type=click.IntRange(0), show_default=True, help="Milliseconds from 180 to 200.")
@click.option("--talk", default=500, type=click.IntRange(0), show_default=True, help="Milliseconds of a call.")
@_outputs
def trunk_group(
    *,
    json_file: Path | None,
    picture: Path | None,
    pin: bool,
    **options: Any,  # noqa: ANN401 - as click read them
) -> None:
    """Calls to a group of three trunks, of which one is killed and one begins to swallow all; each call is followed."""
    if options["seconds"] <= 10 * options["failover"]:
        raise click.UsageError("a call could meet both: --seconds has to be more than ten times --failover")
    load = group.Group(cores=_cores(pin), **options)
    progress = Progress(f"trunk-group at {load.rate:g}/s")

    def watch(now: group.Snapshot) -> None:
        progress(now.at, f"{now.done}/{now.begun} ended, {now.waiting} without an answer yet, "
                 f"CPU {now.cpu / now.at / 1e4:.0f} %")  # fmt: skip

    _finish(lambda folder: group.run(load, folder, watch), json_file, picture, {
        "first killed": load.killed_at, "second swallows": load.swallows_at, "both back": load.back_at,
    })  # fmt: skip
