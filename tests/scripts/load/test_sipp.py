"""SIPp's command line, and its process; python plays SIPp where it is only about processes."""

from __future__ import annotations

import itertools
import shutil
import sys
from pathlib import Path

import pytest

from scripts.load.addresses import PHONE, free, is_bound
from scripts.load.canaries import KEYS
from scripts.load.errors import LoadError
from scripts.load.scenario import SCENARIOS
from scripts.load.sipp import Sipp, options, program

LISTEN = "import socket, sys, time\ns = socket.socket(2, 2)\ns.bind(('{0}', {1}))\ntime.sleep(60)"


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: sys.executable)


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the name of the package."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(LoadError, match=r"^SIPp is not installed; on Debian: apt-get install sip-tester$"):
        program()


def test_options() -> None:
    """The scenario, the address, and every keyword."""
    found = options(SCENARIOS["rich"].caller_file, (PHONE, 6001), 200)
    pairs = set(itertools.pairwise(found))
    assert {("-i", PHONE), ("-p", "6001"), ("-d", "200")} <= pairs
    assert {word for before, word in pairs if before == "-key"} == set(KEYS)
    assert not any("{" in word for word in found)


@pytest.mark.usefixtures("python")
def test_runs_until_the_block_ends(tmp_path: Path) -> None:
    """It listens inside, and is gone outside."""
    address = free(PHONE)
    with Sipp(["-c", LISTEN.format(*address)], address, tmp_path) as sipp:
        assert is_bound(address)
        assert sipp.code is None
        assert sipp.counts.created == 0
    assert sipp.code is not None
    assert not is_bound(address)


@pytest.mark.usefixtures("python")
def test_what_it_said(tmp_path: Path) -> None:
    """The last line, and the first message that was not expected."""
    said = (
        "2026\\t1.2: Aborting call on unexpected message for Call-Id 'x': while expecting '180' (index 2), "
        "received 'SIP/2.0 513 Message Too Large\\r\\nVia: x'\\n\\nwarning\\n\\n"
    )
    code = f"import sys; sys.stderr.write({said!r}.encode().decode('unicode_escape')); sys.exit(7)"
    with Sipp(["-c", code], free(PHONE), tmp_path) as sipp:
        assert sipp.code == 7
        assert sipp.last_line() == "warning"
        assert sipp.first_surprise == "while expecting 180, received SIP/2.0 513 Message Too Large"
