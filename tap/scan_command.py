"""`sipveil scan`: does a capture, of whatever SBC, tell what it should not?"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple, NoReturn

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from filters.leaks import Search, SecretError
from tap.capture import Capture
from tap.capture_file import CaptureError
from tap.input_file import InputFileError, open_input, secret_options, secrets
from tap.printed import Form, printed
from tap.scan import Scan, Side, side
from tap.scan_report import ScanDocument, document, show

LEAKS = 3
"""Exit code when a secret was found."""
_EVERY = 100
"""Messages after which the progress is drawn anew."""


class _SideType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A host or network with or without a port, as click reads it."""

    name = "host[/net][:port]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Side:  # noqa: ANN401
        try:
            return value if isinstance(value, Side) else side(str(value))
        except ValueError:
            self.fail("write an IP address or network, with or without a port: 192.0.2.0/24, [2001:db8::1]:5060")


class _Options(NamedTuple):
    capture: str
    sources: tuple[Side, ...]
    destinations: tuple[Side, ...]
    secret: tuple[str, ...]
    secrets_file: str | None


@click.command()
@click.argument("capture")
@click.option("--from", "sources", type=_SideType(), multiple=True, help="Only messages from there; repeatable.")
@click.option("--to", "destinations", type=_SideType(), multiple=True, help="Only messages towards there; repeatable.")
@secret_options
@printed
def scan(form: Form, **given: Any) -> None:  # noqa: ANN401 - as click has read them
    """Search CAPTURE (pcap or pcapng, `-` for standard input) for values that should not be there.

    In clear, percent, hex, base64, base32, quoted-printable, two of them over each other, with separators, and XORed
    with anything that the same message shows. A phone's own leg holds what the phone says: --to the trunk's addresses
    is what matters. Exit code 3: found; 0: not found; 1: nothing could be read.
    """
    options = _Options(**given)
    try:
        found = _scanned(options)
    except CaptureError as error:
        _fail(f"{options.capture} {error}")
    except (InputFileError, SecretError) as error:
        _fail(str(error))
    form.show(found, show)
    if not found["frames"] or not (found["messages"] or found["passed_over"]):
        _fail(f"{options.capture} holds no SIP message that can be read")
    sys.exit(LEAKS if found["findings"] else 0)


def _scanned(options: _Options) -> ScanDocument:
    values = secrets(options.secret, options.secrets_file)
    if not values:
        raise InputFileError("give what to look for, with --secret or --secrets")
    running = Scan(Search(values), options.sources, options.destinations)
    with open_input(options.capture) as stream:
        capture = Capture(stream)
        errors = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.completed} messages"), TimeElapsedColumn())
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task("scan", total=None)

            def tell(number: int) -> None:
                if number % _EVERY == 0:
                    progress.update(task, completed=number)

            running.run(capture.messages(), tell)
    return document(running, capture)


def _fail(why: str) -> NoReturn:
    click.echo(f"sipveil scan: {why}", err=True)
    sys.exit(1)
