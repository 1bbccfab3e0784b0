"""`sipveil account`: the accounts that phones authenticate with, by hand and by file.

A password comes from a prompt, a file or standard input, never from the command line, where every user of the machine
could read it; and it is shown nowhere. What is kept of it is in config.account.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from config.account import (
    MAX_PASSWORD,
    AccountChange,
    AccountError,
    Secret,
    checked_addresses,
    checked_username,
    secret_of,
)
from config.account_csv import COLUMNS, read_accounts
from config.authentication_section import Authentication
from config.settings import Settings
from tap.state import subscriber_store_path
from tap.store_command import CONFIG, attempt, fail, settings_with_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.store.account_book import AccountBook

Result = TypeVar("Result")

USERNAME = click.argument("username")
REALM = click.option("--realm", default=None, help="Default: that of [authentication].")
ADDRESSES = click.option(
    "--address",
    "addresses",
    multiple=True,
    help="An address of record that it may use; again for each, the main first.",
)
PASSWORD_FILE = click.option(
    "--password-file", default=None, type=click.Path(path_type=Path, allow_dash=True),
    help="A file whose first line is the password (- for standard input).",
)  # fmt: skip
_SHOWN = 20
"""Mistakes in a file that are shown."""


class _Quiet(click.Command):
    """A command that does not repeat what it was given too much of: that may be a password."""

    allow_extra_args = True

    def invoke(self, ctx: click.Context) -> object:
        """Refuse what is left over."""
        if ctx.args:
            raise click.UsageError("give one USERNAME and nothing behind it; the password is asked for", ctx)
        return super().invoke(ctx)


@click.group()
def account() -> None:
    """Show and change the accounts that phones authenticate with.

    A running Sipveil obeys a change within a second. What is stored of a password are hashes for one realm.
    """


@account.command(cls=_Quiet)
@CONFIG
@REALM
@ADDRESSES
@PASSWORD_FILE
@click.option("--disabled", is_flag=True, help="It may do nothing until it is enabled.")
@USERNAME
def add(
    config: Path, realm: str | None, addresses: tuple[str, ...], password_file: Path | None, disabled: bool,
    username: str,
) -> None:  # fmt: skip
    """Add an account; the password is asked for. Without --address it may use USERNAME@REALM."""
    settings = settings_with_store(config)
    of = _realm(settings, realm)
    name = _valid(lambda: checked_username(username))
    known = _valid(lambda: checked_addresses(name, of, addresses))
    change = AccountChange(name, of, _secret(name, of, password_file), known, disabled)
    if not attempt(lambda: _book(settings, create=True).add(change, time.time())):
        fail("this account is there already; use `set`")
    click.echo("added")


@account.command(name="set", cls=_Quiet)
@CONFIG
@REALM
@ADDRESSES
@click.option("--password", is_flag=True, help="Ask for a new password.")
@PASSWORD_FILE
@click.option("--disabled/--enabled", default=None, help="Whether it may do nothing.")
@USERNAME
def set_(
    config: Path, realm: str | None, addresses: tuple[str, ...], password: bool, password_file: Path | None,
    disabled: bool | None, username: str,
) -> None:  # fmt: skip
    """Change an account; what is not named stays as it is, and --address replaces all addresses."""
    settings = settings_with_store(config)
    of = _realm(settings, realm)
    name = _valid(lambda: checked_username(username))
    known = _valid(lambda: checked_addresses(name, of, addresses)) if addresses else None
    secret = _secret(name, of, password_file) if password or password_file else None
    change = AccountChange(name, of, secret, known, disabled)
    if change == AccountChange(name, of):
        raise click.UsageError("say what is to be set: --password, --password-file, --address, --disabled, --enabled")
    if not attempt(lambda: _book(settings).change(change, time.time())):
        fail("there is no such account; use `add`")
    click.echo("set")


@account.command()
@CONFIG
@REALM
@USERNAME
def remove(config: Path, realm: str | None, username: str) -> None:
    """Remove an account; its phones can authenticate no more."""
    settings = settings_with_store(config)
    of = _realm(settings, realm)
    name = _valid(lambda: checked_username(username))
    if not attempt(lambda: _book(settings).remove(of, name)):
        fail("there is no such account")
    click.echo("removed")


@account.command(name="list")
@CONFIG
@REALM
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many are listed.")
@click.option("--after", default="", help="List those whose names come after this one.")
def list_(config: Path, realm: str | None, limit: int, after: str) -> None:
    """List accounts in the order of their names; of passwords nothing is shown."""
    settings = settings_with_store(config)
    of = _realm(settings, realm)
    found = attempt(lambda: _book(settings).page(of, after, limit))
    table = Table("account", "addresses", "disabled", "lacks")
    for each in found:
        table.add_row(
            each.username,
            " ".join(each.addresses),
            "yes" if each.disabled else "",
            "" if each.secret.sha512_256 else "SHA-512-256",
        )
    # An IPv6 address in brackets is no markup.
    Console(width=None if sys.stdout.isatty() else 240, markup=False, emoji=False, highlight=False).print(table)
    if len(found) == limit:
        click.echo(f"there may be more: --after {found[-1].username}", err=True)


@account.command(name="import", help=f"""\
    Add or change the accounts of a CSV FILE (- for standard input), all or none.

    Its first line names the columns: {', '.join(COLUMNS)}. Addresses are separated by blanks; a password, or its HA1
    under SHA-256 and MD5 in hexadecimal, and that under SHA-512-256 where it is known. What a file has no column for,
    or an empty cell, stays as it is.
    """)  # fmt: skip
@CONFIG
@REALM
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def import_(config: Path, realm: str | None, file: Path, dry_run: bool) -> None:
    """Add or change the accounts of a file."""
    settings = settings_with_store(config)
    of = _realm(settings, realm)
    rows = read_accounts(_text(file), of)
    name = "standard input" if str(file) == "-" else str(file)
    for line, wrong in rows.mistakes[:_SHOWN]:
        click.echo(f"{name}:{line}: {wrong}", err=True)
    if rows.mistakes:
        fail(f"{len(rows.mistakes)} rows are bad; nothing was imported")
    changes = rows.changes
    if dry_run and not subscriber_store_path(settings).exists():
        click.echo(f"would be added: {len(changes)}, changed: 0, as they were: 0")
        return
    book = attempt(lambda: _book(settings, create=not dry_run))
    counts = attempt(lambda: _valid(lambda: book.put(changes, time.time(), dry_run=dry_run)))
    would = "would be " if dry_run else ""
    click.echo(f"{would}added: {counts.added}, changed: {counts.changed}, as they were: {counts.same}")


def _text(file: Path) -> str:
    """Return what a file says; where it cannot be read, say why and exit."""
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file}: is no UTF-8")


def _secret(username: str, realm: str, file: Path | None) -> Secret:
    """Return what is kept of a password, once somebody has said it; where it is none, say why and exit."""
    if file is not None:
        return _valid(lambda: secret_of(username, realm, _first_line(file)))
    if not _is_anybody_there():
        fail("nobody is there to be asked for the password; use --password-file (- for standard input)")
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return _valid(lambda: secret_of(username, realm, password))


def _is_anybody_there() -> bool:
    """Tell whether somebody sits before a terminal."""
    return sys.stdin.isatty()


def _first_line(file: Path) -> str:
    """Return the first line of a file, or of standard input."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.readline(4 * MAX_PASSWORD)
        else:
            with file.open("rb") as opened:
                data = opened.readline(4 * MAX_PASSWORD)
        return data.decode().rstrip("\r\n")
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file}: is no UTF-8")


def _realm(settings: Settings, realm: str | None) -> str:
    """Return the realm that is meant."""
    if realm is not None:
        try:
            return Authentication(realm=realm).realm
        except ValidationError:
            fail("this can be no realm; write it as phones are told it, such as sip.example.net")
    if settings.authentication is None:
        fail("the configuration has no section [authentication]; add it, or say --realm")
    return settings.authentication.realm


def _book(settings: Settings, *, create: bool = False) -> AccountBook:
    """Return the accounts of a configuration."""
    from config.store.account_book import AccountBook  # noqa: PLC0415 - the others do without the database library

    return AccountBook(subscriber_store_path(settings), create=create)


def _valid(step: Callable[[], Result]) -> Result:
    """Take a step; where what it was given is no account, say why and exit."""
    try:
        return step()
    except AccountError as error:
        fail(str(error))
