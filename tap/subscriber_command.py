"""`sipveil subscriber`: subscribers' settings by hand and by file.

What is personal goes to the operator's terminal or file, because the operator asked for it, and nowhere else: no
message about a mistake repeats what it is about.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from config.recorder_trunk import names_of
from config.settings import Settings
from config.subscriber import EVERYWHERE, FLAGS, WORDS, Subscriber, key_of
from config.subscriber_address import AddressError, canonical, forms
from config.subscriber_change import UNSET, Change, Mistakes, read_change
from config.subscriber_csv import read_csv, write_csv
from config.subscriber_json import read_json, write_json
from config.subscriber_rows import FileError, Rows, text_of, understand
from tap.state import subscriber_store_path
from tap.store_command import CONFIG, attempt, fail, settings_with_store

if TYPE_CHECKING:
    from config.store.book import Book, Counts

ADDRESS = click.argument("address")
SAID = click.argument("said", nargs=-1, metavar="[WORD=VALUE | WORD@TRUNK=VALUE]…")
FORMAT = click.option(
    "--format", "form", type=click.Choice(["csv", "json"]), default=None, help="Default: what the file's name ends in."
)
_WORDS = "\n    ".join(f"{word:10} {each.meaning} ({', '.join(each.values)})" for word, each in WORDS.items())
_FLAGS = "\n    ".join(f"{flag:18} {meaning} (yes, no)" for flag, meaning in FLAGS.items())
HELP = f"""\
    Show and change what single subscribers want hidden, towards all trunks or towards one.

    A running Sipveil obeys a change within a second. ADDRESS is an address of record ("alice@example.net",
    "+15550123"); WORD=VALUE is one of

    \b
    {_WORDS}
    {_FLAGS}

    and WORD@TRUNK=VALUE an exception for one trunk; the value `{UNSET}` leaves it to the configuration again.
    """
"""The words come from the table that they are made of."""


@click.group(help=HELP)
def subscriber() -> None:
    """Hold the commands together."""


@subscriber.command()
@CONFIG
@ADDRESS
@SAID
def add(config: Path, address: str, said: tuple[str, ...]) -> None:
    """Add a subscriber."""
    settings = settings_with_store(config)
    change = _change(address, said, settings)
    if not attempt(lambda: _book(settings, create=True).add(change, time.time())):
        fail("this subscriber is there already; use `set`")
    click.echo("added")


@subscriber.command(name="set")
@CONFIG
@ADDRESS
@SAID
def set_(config: Path, address: str, said: tuple[str, ...]) -> None:
    """Change what a subscriber wants; what is not named stays as it is."""
    settings = settings_with_store(config)
    change = _change(address, said, settings)
    if not said:
        raise click.UsageError("say what is to be set, such as name=hide")
    if not attempt(lambda: _book(settings).change(change, time.time())):
        fail("there is no such subscriber; use `add`")
    click.echo("set")


@subscriber.command()
@CONFIG
@ADDRESS
def remove(config: Path, address: str) -> None:
    """Remove a subscriber, who has the default profile from then on."""
    settings = settings_with_store(config)
    known = _address(address)
    if not attempt(lambda: _book(settings).remove(known)):
        fail("there is no such subscriber")
    click.echo("removed")


@subscriber.command()
@CONFIG
@click.argument("address", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many are listed.")
@click.option("--after", default="", help="List those whose addresses come after this one.")
def show(config: Path, address: str | None, limit: int, after: str) -> None:
    """Show a subscriber, or list the first of them in the order of their addresses."""
    settings = settings_with_store(config)
    if address is None:
        found = attempt(lambda: _book(settings).page(after, limit))
        _print(_listed(found))
        if len(found) == limit:
            click.echo(f"there may be more: --after {found[-1].address}", err=True)
        return
    realms = tuple(realm.lower().encode() for realm in settings.own_realms)
    known = forms(_address(address).encode(), realms)
    one = attempt(lambda: _first(_book(settings), known))
    if one is None:
        fail("there is no such subscriber, so the default profile decides")
    _print(_one(one))


def _first(book: Book, addresses: Iterable[bytes]) -> Subscriber | None:
    """Return the subscriber whose settings hold for the first of these addresses that is stored."""
    return next(filter(None, (book.find(each.decode()) for each in addresses)), None)


@subscriber.command(name="import")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@FORMAT
@click.option("--skip-bad", is_flag=True, help="Take the good rows where others are bad; without it, none is taken.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--shown", type=click.IntRange(0), default=20, show_default=True, help="Mistakes that are shown.")
def import_(config: Path, file: Path, form: str | None, skip_bad: bool, dry_run: bool, shown: int) -> None:
    """Add or change the subscribers of a CSV or JSON FILE (- for standard input), all or none.

    What a file has no column or key for stays as it is; an empty cell leaves it to the configuration again.
    """
    settings = settings_with_store(config)
    rows = _read(file, _form(file, form), _trunks(settings))
    for problem in rows.problems[:shown]:
        click.echo(str(problem), err=True)
    if len(rows.problems) > shown:
        click.echo(f"… and {len(rows.problems) - shown} more mistakes", err=True)
    if rows.bad and not skip_bad:
        total = rows.bad + len(rows.changes)
        fail(f"{rows.bad} of {total} rows are bad; nothing was imported (--skip-bad takes the others)")
    path = subscriber_store_path(settings)
    if dry_run and not path.exists():
        counts = attempt(lambda: _all_new(rows.changes))
    else:
        with _bar("importing", len(rows.changes)) as done:
            counts = attempt(
                lambda: _book(settings, create=not dry_run).put(rows.changes, time.time(), done, dry_run=dry_run)
            )
    would = "would be " if dry_run else ""
    click.echo(f"{would}added: {counts.added}, changed: {counts.changed}, as they were: {counts.same}, bad: {rows.bad}")


@subscriber.command()
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@FORMAT
def export(config: Path, file: Path, form: str | None) -> None:
    """Write all subscribers to a new FILE that only its owner may read (- for standard output)."""
    settings = settings_with_store(config)
    kind = _form(file, form)
    attempt(lambda: _export(_book(settings), file, kind))


def _export(book: Book, file: Path, kind: str) -> None:
    """Write the file; one that was there is left as it is."""
    with book.everything() as store, _target(file) as target, _bar("exporting", store.total) as done:
        people = _counted(store.subscribers, done)
        target.writelines(write_csv(people, store.exceptions) if kind == "csv" else write_json(people))


@contextmanager
def _target(file: Path) -> Iterator[IO[str]]:
    """Yield what an export is written to."""
    if str(file) == "-":
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as target:
            yield target
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}; what is there of it is not all")


def _read(file: Path, kind: str, trunks: Collection[str]) -> Rows:
    """Return the rows of a file; where it cannot be read, say why and exit."""
    name = "standard input" if str(file) == "-" else str(file)
    try:
        text = text_of(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
        return understand(name, read_csv(text, trunks) if kind == "csv" else read_json(text), trunks)
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except FileError as error:
        fail(f"{error.problem(name)}; nothing was imported")


def _form(file: Path, form: str | None) -> str:
    """Return the format of a file."""
    if form is not None:
        return form
    found = {".csv": "csv", ".json": "json", ".jsonl": "json"}.get(file.suffix.lower())
    if found is None:
        raise click.UsageError("say --format csv or --format json; the name of the file does not tell")
    return found


def _all_new(changes: Sequence[Change]) -> Counts:
    """Return what an import into no store would do."""
    from config.store.book import Counts  # noqa: PLC0415 - see _book

    return Counts(added=len(changes))


def _book(settings: Settings, *, create: bool = False) -> Book:
    """Return the store of a configuration."""
    from config.store.book import Book  # noqa: PLC0415 - the other commands do without the database library

    return Book(subscriber_store_path(settings), create=create)


def _trunks(settings: Settings) -> list[str]:
    return list(names_of(settings))


def _change(address: str, said: Iterable[str], settings: Settings) -> Change:
    """Return the change that arguments amount to; where they amount to none, say why and exit."""
    pairs = [each.partition("=") for each in said]
    if not all(equals for _, equals, _ in pairs):
        raise click.UsageError("write WORD=VALUE, such as name=hide or name@carrier=show")
    if len({key for key, _, _ in pairs}) != len(pairs):
        raise click.UsageError("say each word once")
    try:
        return read_change(address, {key: value for key, _, value in pairs}, _trunks(settings))
    except Mistakes as mistakes:
        for found in mistakes.found:
            click.echo(f"sipveil: {found.key}: {found.wrong}; {found.right}", err=True)
    sys.exit(1)


def _address(text: str) -> str:
    """Return the canonical address; where there is none in text, say why and exit."""
    try:
        return canonical(text).decode()
    except AddressError as error:
        fail(f"the address {error}")


def _listed(people: Iterable[Subscriber]) -> Table:
    """Return subscribers as a table, a row each."""
    table = Table("subscriber", *WORDS, *FLAGS, "exceptions")
    for each in people:
        said = {setting.word: str(setting.value) for setting in each.settings if setting.trunk == EVERYWHERE}
        special = ", ".join(f"{each.key}={each.value}" for each in each.settings if each.trunk != EVERYWHERE)
        flags = ("yes" if flag else "" for flag in (each.telemarketer, each.reject_anonymous))
        table.add_row(each.address, *(said.get(word, "") for word in WORDS), *flags, special)
    return table


def _one(subscriber: Subscriber) -> Table:
    """Return one subscriber as a table, a row for each thing that can be said."""
    said = {(setting.trunk, setting.word): str(setting.value) for setting in subscriber.settings}
    table = Table(subscriber.address, "", "what it is about")
    for word, each in WORDS.items():
        table.add_row(word, said.get((EVERYWHERE, word), UNSET), each.meaning)
        for trunk, special in sorted(said):
            if special == word and trunk != EVERYWHERE:
                table.add_row(key_of(word, trunk), said[trunk, word], f"towards {trunk}")
    for flag, value in zip(FLAGS, (subscriber.telemarketer, subscriber.reject_anonymous), strict=True):
        table.add_row(flag, "yes" if value else "no", FLAGS[flag])
    return table


def _print(table: Table) -> None:
    # An IPv6 address in brackets is no markup.
    Console(width=None if sys.stdout.isatty() else 240, markup=False, emoji=False, highlight=False).print(table)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far a long piece of work has come; yields what is to be called with the number that is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _counted(people: Iterable[Subscriber], done: Callable[[int], None]) -> Iterator[Subscriber]:
    """Yield people, and count them."""
    for number, each in enumerate(people, 1):
        yield each
        if number % 1000 == 0:
            done(number)
