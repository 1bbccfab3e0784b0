"""`twistd sipveil`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.tap.fakes import CONFIG
from tests.tap.processes import BIN, running


def test_runs_under_twistd(tmp_path: Path) -> None:
    """In the foreground, with our log and not twistd's; stopped by SIGTERM without a traceback."""
    path = tmp_path / "sipveil.toml"
    path.write_text(CONFIG)
    command: list[str | Path] = [BIN / "twistd", "-n", "--pidfile=", "sipveil", "--config", str(path)]
    with running(*command, cwd=tmp_path) as process:
        process.wait_for("sipveil is ready")
        process.end()  # twistd ends by the signal itself, so its exit code is that
        output = "\n".join(process.lines)
    assert re.search(r"Z info listening udp 127\.0\.0\.1:\d+", output)
    assert "sipveil has stopped" in output
    assert "Traceback" not in output


def test_mistakes_are_all_said(tmp_path: Path) -> None:
    """As `sipveil check` says them, without a traceback."""
    path = tmp_path / "sipveil.toml"
    path.write_text("nonsense = 1\n")
    command: list[str | Path] = [BIN / "twistd", "-n", "sipveil", "--config", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"{path}:1: nonsense: " in output
    assert "listeners" in output
    assert "Traceback" not in output


def test_config_is_required(tmp_path: Path) -> None:
    """Says what is missing."""
    command: list[str | Path] = [BIN / "twistd", "-n", "sipveil"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "--config is missing" in done.stdout + done.stderr
