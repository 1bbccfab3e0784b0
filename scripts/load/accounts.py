"""Accounts of phones for a load test: as many as wanted, imported as an operator does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts.load.config import REALM
from scripts.load.errors import LoadError
from scripts.load.proxy import ROOT

USER = "awa-tisch-"
"""A phone's username begins with it; its number, of eight digits, follows."""
PASSWORD = "moorgeheim-"  # noqa: S105 - of nobody
"""The same of its password."""
NUMBER = "+49151"
"""The same of its number, which is its address in REALM."""


def name_of(phone: int) -> str:
    """Return the username of a phone."""
    return f"{USER}{phone:08}"


def password_of(phone: int) -> str:
    """Return the password of a phone."""
    return f"{PASSWORD}{phone:08}"


def number_of(phone: int) -> str:
    """Return the number of a phone, which is the user part of its address."""
    return f"{NUMBER}{phone:08}"


def import_accounts(count: int, config: Path, folder: Path) -> None:
    """Let `sipveil account import` add so many to the store of a configuration.

    Raises LoadError where it does not.
    """
    file = folder / "accounts.csv"
    rows = (f"{name_of(each)},{password_of(each)},{number_of(each)}@{REALM}\n" for each in range(count))
    file.write_text("username,password,addresses\n" + "".join(rows))
    words = [sys.executable, "-m", "tap.main", "account", "import", str(file), "--config", str(config)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    if done.returncode:
        raise LoadError(f"the accounts could not be imported: {done.stderr.strip()}")
