"""Accounts as a CSV file: a header line, then a row each; what is wrong is told by line, and never quoted.

username     as the phone sends it
password     or, from a system that keeps none:
ha1_sha256   and
ha1_md5      hexadecimal, both; and where it is known
ha1_sha512_256
addresses    separated by blanks; none: the one that the username stands for
disabled     yes or no
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from config.account import (
    AccountChange,
    AccountError,
    Secret,
    checked_addresses,
    checked_username,
    secret_from_hex,
    secret_of,
)

COLUMNS = ("username", "password", "ha1_sha256", "ha1_md5", "ha1_sha512_256", "addresses", "disabled")
_FLAGS = {"": None, "yes": True, "no": False}


class AccountRows(NamedTuple):
    """What a file amounts to."""

    changes: list[AccountChange]
    mistakes: list[tuple[int, str]]
    """Line, and what is wrong with it."""


def read_accounts(text: str, realm: str) -> AccountRows:
    """Return the changes that a file asks for, and all that is wrong with it."""
    changes: list[AccountChange] = []
    mistakes: list[tuple[int, str]] = []
    names: set[str] = set()
    for line, row in _rows(text):
        try:
            if isinstance(row, str):
                raise AccountError(row)
            change = _change(row, realm)
            if change.username in names:
                raise AccountError("the username stands in an earlier row too")
            names.add(change.username)
            changes.append(change)
        except AccountError as error:
            mistakes.append((line, str(error)))
    return AccountRows(changes, mistakes)


def _rows(text: str) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield the line of each row with its cells by column, or with what is wrong."""
    reader = csv.reader(StringIO(text), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if "username" not in header or len({*header}) != len(header) or not {*header} <= {*COLUMNS}:
            yield 1, f"the first line has to name columns, username and more of {', '.join(COLUMNS)}, each once"
            return
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                yield reader.line_num, f"has {len(cells)} cells, and the first line {len(header)}"
            else:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error:
        yield reader.line_num, "is no CSV; check its quotes"


def _change(row: dict[str, str], realm: str) -> AccountChange:
    """Return the change that a row asks for; an empty cell leaves what there is.

    Raises:
        AccountError: it is none.
    """
    username = checked_username(row["username"])
    hashes = row.get("ha1_sha256", ""), row.get("ha1_md5", ""), row.get("ha1_sha512_256", "")
    password = row.get("password", "")
    secret: Secret | None = None
    if password and any(hashes):
        raise AccountError("has a password and an HA1; one of them is enough")
    if password:
        secret = secret_of(username, realm, password)
    elif any(hashes):
        secret = secret_from_hex(*hashes)
    given = row.get("addresses", "").split()
    disabled = row.get("disabled", "").strip().lower()
    if disabled not in _FLAGS:
        raise AccountError("disabled has to be yes or no")
    addresses = checked_addresses(username, realm, given) if given else None
    return AccountChange(username, realm, secret, addresses, _FLAGS[disabled])
