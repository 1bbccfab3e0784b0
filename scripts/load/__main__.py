"""The command: scripts/loadtest --help."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from scripts.load import options, report
from scripts.load.commands import authenticated, flows, trunk_group
from scripts.load.config import CATEGORIES
from scripts.load.cores import Cores, available, share
from scripts.load.output import Output, explained, status
from scripts.load.progress import shown
from scripts.load.result import Result
from scripts.load.run import Load, run
from scripts.load.scenario import SCENARIOS, Scenario
from tap.native import VARIABLE

SUMMARY = "\n\n".join(
    (
        "Play SIPp calls through a Sipveil of its own, and search every message that the trunk gets for what it must "
        "not hear of the caller.",
        "\b\nScenarios:\n" + "\n".join(f"  {each.name:<10} {each.what}" for each in SCENARIOS.values()),
        "Scenarios with options of their own, and ends that are no SIPp, are the commands below: COMMAND --help.",
        f"The proxy has the core that scripts/run would run; {VARIABLE}=pure or =native chooses.",
        "Exit status: 1 when something leaked, 3 when calls failed or a reload was refused (in a sweep they may), "
        "2 when it could not be run.",
    )
)


def rates(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """Return the rates in a text with commas between them."""
    if text is None:
        return None
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < rate < float("inf") for rate in found):
        raise click.BadParameter(f"{text!r} is no list of rates, such as 100,200,400")
    return found


def chosen(names: tuple[str, ...]) -> list[Scenario]:
    """Return the scenarios of these names, each once; `all` are all, none is `rich`."""
    wanted = dict.fromkeys(names or ("rich",))
    return list(SCENARIOS.values()) if "all" in wanted else [SCENARIOS[name] for name in wanted]


def kept(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the categories of these names; `all` are all."""
    return CATEGORIES if "all" in names else tuple(dict.fromkeys(names))


@click.group(
    help=SUMMARY,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    commands=[authenticated, flows, trunk_group],
)
@click.option(
    "--scenario",
    "names",
    multiple=True,
    type=click.Choice([*SCENARIOS, "all"]),
    help="What is played; may be given several times. Default: rich.",
)
@click.option("--rate", default=100.0, type=click.FloatRange(0.1), show_default=True, help="New calls a second.")
@click.option("--calls", type=click.IntRange(1), help="How many calls; default: ten seconds of them.")
@click.option(
    "--limit",
    default=0,
    type=click.IntRange(0),
    help="Most calls in flight. With a rate that is too high this makes a closed loop: saturation. "
    "Add --talk 0: calls that talk are in flight without work.",
)
@click.option(
    "--sources",
    default=1,
    type=click.IntRange(1, 9_000),
    show_default=True,
    help="Addresses that calls come from, a port on each.",
)
@click.option(
    "--ports",
    default=1,
    type=click.IntRange(1, 9_000),
    show_default=True,
    help="Instead: ports of one address that calls come from, another for each call, so many at a time.",
)
@options.workers
@options.ring
@options.talk(200)
@click.option("--sweep", callback=rates, metavar="RATE,…", help="One run at each of these rates, instead of --rate.")
@options.plot("the sweep")
@options.json_file
@click.option(
    "--keep",
    multiple=True,
    type=click.Choice([*CATEGORIES, "all"]),
    help="Let the proxy keep this category of data: a fire drill, the search must find it.",
)
@click.option(
    "--reload-every",
    type=click.FloatRange(0.05),
    metavar="SECONDS",
    help="Reload the proxy's configuration so long after each reload, each time with another contract.",
)
@options.port
@options.pin
@click.pass_context
def main(  # noqa: PLR0913 - one for each option
    context: click.Context, *, names: tuple[str, ...], rate: float, calls: int | None, limit: int, sources: int,
    ports: int, workers: int, ring: int, talk: int, sweep: tuple[float, ...] | None, picture: Path | None,
    json_file: Path | None, keep: tuple[str, ...], reload_every: float | None, port: int, pin: bool,
) -> None:  # fmt: skip
    """Read the options, run, report."""
    if context.invoked_subcommand:
        return
    if picture and not sweep:
        raise click.UsageError("--plot draws a sweep: give --sweep RATE,RATE,… too")
    if sources > 1 and ports > 1:
        raise click.UsageError("either --sources or --ports: SIPp has one port on each of several addresses")
    cores = share(available(), workers) if pin else Cores()
    load = Load(limit=limit, sources=sources, ports=ports, workers=workers, ring=ring, talk=talk, keep=kept(keep),
                reload_every=reload_every, port=port, cores=cores)  # fmt: skip
    loads = [replace(load, rate=each, calls=calls or round(each * 10) or 1) for each in sweep or (rate,)]
    output = Output(json_file, picture)
    results: list[Result] = []
    with explained():
        for scenario in chosen(names):
            for each in loads:
                results.append(_play(scenario, each))
                output.say(report.text(results[-1]))
    output.write(report.as_json(results))
    _draw(results, output)
    sys.exit(status_of(results, in_a_sweep=sweep is not None))


def status_of(results: list[Result], *, in_a_sweep: bool) -> int:
    """Return the exit status; in a sweep calls may fail."""
    failed = any(result.failed or (result.reloads and result.reloads.refused) for result in results)
    return status(leaking=any(result.leaks for result in results), failing=failed and not in_a_sweep)


def _play(scenario: Scenario, load: Load) -> Result:
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="loadtest-") as folder, shown(console, scenario, load) as watch:
        return run(scenario, load, Path(folder), watch)


def _draw(results: list[Result], output: Output) -> None:
    if output.picture:
        from scripts.load.plot import plot  # noqa: PLC0415 - a second that only a picture needs

        plot(results, output.picture)


if __name__ == "__main__":
    main(prog_name="scripts/loadtest")
