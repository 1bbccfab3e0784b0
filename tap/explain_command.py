"""`sipveil explain`: what the proxy would make of a message, edit by edit, and what it would still tell."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click

from filters.engine import catalogue_of
from filters.leaks import Search, SecretError
from tap.explain import Replay, Wish, throw_away_ring
from tap.explain_ends import ExplainError
from tap.explain_input import InputError, conversation
from tap.explain_report import Document
from tap.explain_report import explain as explained
from tap.explain_view import show
from tap.given_configuration import credentials_now, given, subscribers_now
from tap.input_file import InputFileError, open_input, secret_options, secrets
from tap.printed import Form, printed

LEAKS = 3
"""Exit code when a secret would leak."""


class _Options(NamedTuple):
    message: str
    config: Path | None
    subscriber: str
    trunk: str
    direction: str
    call: int
    secret: tuple[str, ...]
    secrets_file: str | None


@click.command()
@click.argument("message")
@click.option("--config", "config", type=click.Path(path_type=Path), help="The configuration; default: the example's.")
@click.option("--subscriber", default="", help="Address of record whose settings apply; default: the message's own.")
@click.option("--trunk", default="", help="The trunk that it goes to, or comes from; default: as routed.")
@click.option(
    "--direction", type=click.Choice(["out", "in"]), default="out", show_default=True,
    help="out: from a phone (or the core) to a trunk; in: from a trunk.",
)  # fmt: skip
@click.option("--call", type=click.IntRange(1), default=1, show_default=True, help="Which call of a capture.")
@secret_options
@printed
def explain(form: Form, **given_options: Any) -> None:  # noqa: ANN401 - as click has read them
    """Show what the proxy would make of MESSAGE: a file of SIP messages, a capture, or `-` for standard input.

    It runs the proxy's own code with a key ring of this run; it opens no socket and writes no file. Exit code 3: a
    secret would leak; 1: nothing could be explained.
    """
    options = _Options(**given_options)
    try:
        document = _explained(options)
    except InputError as error:
        _fail(f"{options.message} {error}")
    except (InputFileError, ExplainError, SecretError) as error:
        _fail(str(error))
    form.show(document, show)
    sys.exit(LEAKS if document["secrets"]["leaks"] else 0)


def _explained(options: _Options) -> Document:
    settings, _ = given(options.config)
    search = Search(secrets(options.secret, options.secrets_file))
    with open_input(options.message) as stream:
        what = conversation(stream, options.call)
    if options.config is None:
        what.remarks.append("with the example's configuration; give your own by --config")
    wish = Wish(options.direction == "in", options.trunk, options.subscriber.encode("utf-8", "surrogateescape"))
    wall = time.time()
    credentials, trouble = credentials_now(settings, wall)
    what.remarks.extend(trouble)
    replay = Replay(
        settings, wish, ring=throw_away_ring(wall), now=time.monotonic(), wall=wall,
        subscribers=subscribers_now(settings, "explain"), credentials=credentials,
    )  # fmt: skip
    return explained(replay, what, search, catalogue_of(settings))


def _fail(why: str) -> NoReturn:
    click.echo(f"sipveil explain: {why}", err=True)
    sys.exit(1)
