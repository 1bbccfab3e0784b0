"""`twistd sipveil`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from scripts.load.ports import free_port
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


def test_workers_under_twistd(tmp_path: Path) -> None:
    """The same with a supervisor: its workers have reactors of their own, not twistd's."""
    path = tmp_path / "sipveil.toml"
    path.write_text("workers = 2\n" + CONFIG)
    command: list[str | Path] = [BIN / "twistd", "-n", "--pidfile=", "sipveil", "--config", str(path)]
    with running(*command, cwd=tmp_path) as process:
        process.wait_for("sipveil is ready")
        process.end()
        output = "\n".join(process.lines)
    assert output.count("sipveil has stopped") == 1
    assert "Traceback" not in output


def test_workers_of_a_daemon(tmp_path: Path) -> None:
    """Forked after twistd has become a daemon, and gone with it."""
    path = tmp_path / "sipveil.toml"
    text = "workers = 2\n" + CONFIG
    port = free_port("127.0.0.1")
    path.write_text(text.replace("[metrics]\nport = 0", f"[metrics]\nport = {port}"))
    pidfile = tmp_path / "pid"
    command: list[str | Path] = [BIN / "twistd", f"--pidfile={pidfile}", "sipveil", "--config", path]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=30)
    try:
        assert _until(lambda: _healthy(port))
    finally:
        pid = int(pidfile.read_text())
        os.kill(pid, signal.SIGTERM)
    assert _until(lambda: not Path(f"/proc/{pid}").exists())


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as page:
            return bool(page.read() == b"ok\n")
    except OSError:
        return False


def _until(true: Callable[[], bool]) -> bool:
    for _ in range(200):
        if true():
            return True
        time.sleep(0.05)
    return False


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
