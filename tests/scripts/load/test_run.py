"""What can be said before a run; runs are in tests/real/test_loadtest.py."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from scripts.load.addresses import PROXY
from scripts.load.errors import LoadError
from scripts.load.run import Load, run
from scripts.load.scenario import SCENARIOS


def test_without_sipp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before a proxy is started."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(LoadError, match="apt-get install sip-tester"):
        run(SCENARIOS["rich"], Load(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_taken_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same."""
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((PROXY, 0))
        port = sock.getsockname()[1]
        with pytest.raises(LoadError, match=f"cannot use UDP {PROXY}:{port}"):
            run(SCENARIOS["rich"], Load(port=port), tmp_path)
    assert list(tmp_path.iterdir()) == []
