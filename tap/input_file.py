"""Files that commands read, standard input among them, and secrets that they look for."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
MAX_PIPED = 1 << 28
"""Bytes that are read from what cannot be read twice, such as a pipe."""
MAX_SECRETS = 1000
"""Values that are looked for at once."""


class InputFileError(Exception):
    """A file that cannot be read; the text says which and why."""


def open_input(name: str) -> BinaryIO:
    """Open a file for reading, `-` for standard input; it can seek.

    Raises:
        InputFileError: it cannot be opened.
    """
    if name == "-":
        return io.BytesIO(_bounded(sys.stdin.buffer))
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - the caller closes it
        if not file.seekable():
            with file:
                return io.BytesIO(_bounded(file))
        file.read(1)
        file.seek(0)
    except OSError as error:
        raise InputFileError(f"{name}: cannot be read: {error.strerror}") from None
    return file


def _bounded(stream: BinaryIO) -> bytes:
    data = stream.read(MAX_PIPED + 1)
    if len(data) > MAX_PIPED:
        raise InputFileError(f"more than {MAX_PIPED >> 20} MiB from a pipe; give a file")
    return data


def secrets(given: tuple[str, ...], file: str | None) -> list[bytes]:
    """Return the values of `--secret` and then those of `--secrets`, one a line.

    Raises:
        InputFileError: the file cannot be read, or there are too many.
    """
    found = [value.encode("utf-8", "surrogateescape") for value in given]
    if file is not None:
        with open_input(file) as stream:
            lines = stream.read(1 << 20).removeprefix(b"\xef\xbb\xbf").splitlines()
        found += [line.strip() for line in lines if line.strip()]
    if len(found) > MAX_SECRETS:
        raise InputFileError(f"more than {MAX_SECRETS} secrets")
    return found


def secret_options(command: Command) -> Command:
    """Add `--secret` and `--secrets` to a command."""
    one = click.option(
        "--secret", multiple=True, metavar="VALUE",
        help="A value that must not be told; repeatable. Others on this machine see command lines: --secrets is safer.",
    )  # fmt: skip
    many = click.option(
        "--secrets", "secrets_file", metavar="FILE", help="A file of such values, one a line; they are named by number."
    )  # fmt: skip
    return one(many(command))
