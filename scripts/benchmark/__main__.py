"""The command line of scripts/bench."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from scripts.benchmark import CORE, baseline, profiling, report, report_core, report_memory
from scripts.benchmark import core as core_module
from scripts.benchmark import growth as growth_module
from scripts.benchmark import instructions as counting
from scripts.benchmark import memory as memory_module
from scripts.benchmark import peers as peers_module
from scripts.benchmark.calls import CALL
from scripts.benchmark.contenders import CONTENDERS, Contender
from scripts.benchmark.digest_calls import DIGEST_CALL
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Load
from scripts.benchmark.instructed import DIGEST, OPEN, PLAIN, RECORDER
from scripts.benchmark.lingering import KINDS, measure_apart
from scripts.benchmark.plots import draw
from scripts.benchmark.starting import first_answers
from scripts.load.cores import available, pinned, share
from scripts.load.errors import LoadError
from scripts.load.proxy import ROOT


class Commands(click.Group):
    """Says in one line what a person can mend."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (BenchError, LoadError) as error:
            click.echo(f"scripts/bench: {error}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Measure what Sipveil costs, alone and beside others.

    What is measured is the core that scripts/run would run; SIPVEIL_CORE=pure or =native chooses.
    """
    click.echo(f"core: {CORE}", err=True)


@main.command()
@click.option("--rounds", default=3, type=click.IntRange(1), help="Every contender is measured so often.")
@click.option("--rate", default=1000, type=click.IntRange(0), help="Calls a second of the unsaturated load; 0: none.")
@click.option("--saturated/--no-saturated", default=True, help="Whether to measure at capacity too.")
@click.option("--seconds", default=5, type=click.IntRange(1), help="Length of one measurement.")
@click.option("--with", "names", default=",".join(CONTENDERS), help="Contenders, with commas between them.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was measured as JSON.")
def peers(rounds: int, rate: int, saturated: bool, seconds: int, names: str, as_json: bool) -> None:
    """Compare CPU per call with Kamailio's and with a forwarder that looks at nothing."""
    console = report.console(stderr=as_json)
    plan = peers_module.Plan(
        contenders_of(names),
        peers_module.loads(rate, seconds, saturated=saturated),
        rounds,
        share(available()),
    )
    with tempfile.TemporaryDirectory(prefix="sipveil-bench-") as folder:
        turns = peers_module.compare(plan, Path(folder), lambda turn: report.show_turn(console, turn))
    if as_json:
        click.echo(json.dumps([{**turn._asdict(), "played": turn.played._asdict()} for turn in turns]))
        return
    for table in report.peers_tables(turns):
        console.print(table)
    for sentence in report.verdicts(turns):
        console.print(sentence)


@main.command()
@click.option("--rounds", default=15, type=click.IntRange(1), help="Rounds that count.")
@click.option("--batch", default=100, type=click.IntRange(1), help="Calls in a round.")
@click.option("--subscribers", default=1000, type=click.IntRange(1), help="Different callers.")
@click.option("--save", is_flag=True, help="Store the result as the baseline that later runs are compared with.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was measured as JSON.")
def core(rounds: int, batch: int, subscribers: int, save: bool, as_json: bool) -> None:
    """Measure each stage and each kind of message in the process, without sockets."""
    if save and CORE.native:
        raise BenchError("the baseline is of the core in pure Python: SIPVEIL_CORE=pure scripts/bench core --save")
    console = report.console(stderr=as_json)
    options = core_module.Options(rounds, batch, subscribers)
    with Progress(console=console, transient=True) as bar, pinned(share(available()).proxy):
        task = bar.add_task("measuring", total=rounds + 1)
        samples = core_module.run(options, lambda: bar.advance(task))
    before = baseline.load()
    if as_json:
        click.echo(json.dumps(report_core.as_json(samples)))
    else:
        console.print(report_core.core_table(samples, before))
        if CORE.native and before is not None:
            console.print("the baseline is of the core in pure Python", highlight=False)
        for name, why in samples.missing.items():
            console.print(f"not measured: {name} ({why})", highlight=False)
    if save:
        baseline.save(baseline.of(samples.of))
        console.print(f"stored as {baseline.FILE}", highlight=False)
    elif before is None:
        console.print("there is no baseline yet: scripts/bench core --save")


@main.command()
@click.option("--calls", default=500, type=click.IntRange(50), help="Calls with the profiler, and as many without it.")
@click.option("--top", default=0, type=click.IntRange(0), help="Show so many of the dearest functions too.")
@click.option("--of", "kinds", multiple=True, type=click.Choice(CALL), help="For these messages only; with --top.")
def profile(calls: int, top: int, kinds: tuple[str, ...]) -> None:
    """Show where each microsecond of a message goes."""
    console = report.console()
    with pinned(share(available()).proxy):
        found = profiling.run(calls, top=top)
    console.print(report_core.profile_table(found))
    if found.others:
        console.print(f"other: {', '.join(sorted(found.others))}", highlight=False)
    for kind in (kinds or CALL) if top else ():
        console.print(report_core.dearest_table(found, kind))


@main.command()
@click.option("--top", default=0, type=click.IntRange(0), help="Show so many of the dearest functions too.")
@click.option(
    "--tree", default=ROOT, type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="Count another checkout's compiled core.",
)  # fmt: skip
@click.option(
    "--kind", default=PLAIN, type=click.Choice([PLAIN, DIGEST, RECORDER]),
    help="Calls as they are; challenged, nine messages; or ordinary ones where recording is configured.",
)  # fmt: skip
@click.option(
    "--open/--private", "are_open", default=False,
    help="Calls whose callers ask for no privacy for themselves; else all do.",
)  # fmt: skip
def instructions(top: int, tree: Path, kind: str, *, are_open: bool) -> None:
    """Count the compiled core's instructions for a call: they do not drift with what else the machine does."""
    console = report.console()
    with console.status("counting, a minute or two"):
        found = counting.count(tree, top=top, kind=kind + OPEN * are_open)
    messages = len(CALL) + len(DIGEST_CALL) * (kind == DIGEST)
    console.print(f"{found.call:,.0f} instructions of the core for a call of {messages} messages", highlight=False)
    for function, number in found.dearest:
        console.print(f"{number:12,.0f}  {function}", highlight=False)


@main.command()
@click.option("--rounds", default=7, type=click.IntRange(1), help="Rounds that count.")
@click.option("--of", "names", multiple=True, type=click.Choice(list(growth_module.AXES)), help="Default: everything.")
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Draw into this folder.")
def growth(rounds: int, names: tuple[str, ...], plots: Path | None) -> None:
    """Show how cost grows with message size, headers, policies, subscribers and calls in flight."""
    console = report.console()
    curves = []
    with Progress(console=console, transient=True) as bar, pinned(share(available()).proxy):
        for name in names or growth_module.AXES:
            task = bar.add_task(name, total=rounds + 1)
            curves.append(growth_module.run(growth_module.AXES[name], rounds, progress=partial(bar.advance, task)))
            bar.console.print(report_core.growth_table(curves[-1]))
    if plots:
        console.print(f"drawn: {draw(curves, plots)}", highlight=False)


@main.command()
@click.option("--ringing", default=5000, type=click.IntRange(0), help="Hold so many calls ringing; 0: leave that out.")
@click.option("--rate", default=150, type=click.IntRange(1), help="Calls a second to begin them with.")
@click.option("--lingering", default=3000, type=click.IntRange(0), help="Calls whose transactions linger; 0: none.")
@click.option("--starts", default=5, type=click.IntRange(0), help="Starts to time.")
@click.option("--calls", default=0, type=click.IntRange(0), help="Look whether memory stays flat over so many calls.")
@click.option("--steady", default=600, type=click.IntRange(1), help="Calls a second to look for that with.")
@click.option("--with", "names", default="sipveil", help="Contenders, with commas between them.")
def memory(ringing: int, rate: int, lingering: int, starts: int, calls: int, steady: int, names: str) -> None:
    """Measure what calls and transactions keep resident, and the time from start to first answer."""
    console = report.console()
    cores = share(available())
    for contender in contenders_of(names):
        with tempfile.TemporaryDirectory(prefix="sipveil-bench-") as text:
            folder = Path(text)
            if starts:
                console.print(report_memory.starts(contender.name, first_answers(contender, folder, cores, starts)))
            if ringing:
                found = memory_module.ringing(contender, folder, cores, ringing, rate)
                console.print(report_memory.ringing(contender.name, found))
            if calls:
                with console.status("playing") as status:
                    say = report_memory.progress(status)
                    load = Load(calls=calls, rate=steady)
                    flatness = memory_module.flat(contender, folder, cores, load, say)
                console.print(report_memory.flat(contender.name, flatness))
    if lingering:
        kept = {kind: measure_apart(kind, lingering) for kind in KINDS}
        console.print(report_memory.lingering(kept))


def contenders_of(names: str) -> list[Contender]:
    """Return the contenders that a list with commas names.

    Raises BenchError for one that there is not.
    """
    unknown = [name for name in names.split(",") if name not in CONTENDERS]
    if unknown:
        raise BenchError(f"there is no contender {unknown[0]!r}, only {', '.join(CONTENDERS)}")
    return [CONTENDERS[name] for name in names.split(",")]


if __name__ == "__main__":
    main()
