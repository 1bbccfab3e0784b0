"""The commands of scenarios whose ends are our own programs, each with options of its own."""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from scripts.load import layout, options
from scripts.load.authenticated import AuthenticatedTrial
from scripts.load.authenticated_result import MOST_SOURCES, Calls
from scripts.load.cores import Cores, available, share
from scripts.load.flows import MOST, FlowsTrial
from scripts.load.flows_result import Flows
from scripts.load.offered import Offered
from scripts.load.outcome import Outcome
from scripts.load.output import Output, explained, status
from scripts.load.progress import Lines
from scripts.load.trial import Found, Load, Trial, run
from scripts.load.trunk_group import GroupTrial
from scripts.load.trunk_group_result import Group

Asked = tuple[type[Trial[Any, Any]], Offered, str]
"""Who plays, what is offered, and the title of the progress."""


def _plays(command: Callable[..., Asked]) -> Callable[..., None]:
    """Give a command the options that all have, and play what it asks for."""

    @functools.wraps(command)
    def whole(*, json_file: Path | None, picture: Path | None, pin: bool, **own: Any) -> None:  # noqa: ANN401 - click's
        cores = share(available(), own.get("workers", 1)) if pin else Cores()
        _play(*command(cores=cores, **own), Output(json_file, picture))

    for option in (options.plot("how the run went, second by second,"), options.json_file, options.pin):
        whole = option(whole)
    return whole


def _play(kind: type[Trial[Load, Found]], load: Load, title: str, output: Output) -> None:
    """Run in a folder that goes afterwards, say what came of it, and exit."""
    with explained(), tempfile.TemporaryDirectory(prefix="loadtest-") as folder:
        found = run(kind, load, Path(folder), Lines(title))
    output.say(found.text())
    output.write(layout.as_json([found.as_json()], leaking=found.leaking))
    _draw(found, output)
    sys.exit(status(leaking=found.leaking, failing=found.failing))


def _draw(found: Outcome, output: Output) -> None:
    if output.picture:
        from scripts.load.series import plot_series  # noqa: PLC0415 - a second that only a picture needs

        plot_series(found.samples, output.picture, found.load.marks)


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
    default=MOST_SOURCES,
    show_default=True,
    type=click.IntRange(1, MOST_SOURCES),
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
@options.ring
@options.talk(200)
@options.workers
@options.port
@_plays
def authenticated(**own: Any) -> Asked:  # noqa: ANN401 - as click read them
    """Calls of phones that answer 407: digest authentication, accounts in the store, the guard as it is by default."""
    load = Calls(**own)
    return AuthenticatedTrial, load, f"authenticated at {load.rate}/s"


@click.command()
@click.option(
    "--flows",
    default=0,
    type=click.IntRange(0, MOST),
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
@_plays
def flows(**own: Any) -> Asked:  # noqa: ANN401 - as click read them
    """Registered phones behind TCP or TLS connections, kept alive by CRLF, and a sample of them called by a trunk."""
    return FlowsTrial, Flows(**own), "flows"


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
@options.ring
@options.talk(500)
@_plays
def trunk_group(**own: Any) -> Asked:  # noqa: ANN401 - as click read them
    """Calls to a group of three trunks, of which one is killed and one begins to swallow all; each call is followed."""
    if own["seconds"] <= 10 * own["failover"]:
        raise click.UsageError("a call could meet both: --seconds has to be more than ten times --failover")
    load = Group(**own)
    return GroupTrial, load, f"trunk-group at {load.rate:g}/s"
