"""`sipveil reload` and SIGHUP, with a real process."""

from __future__ import annotations

import signal
from pathlib import Path

from click.testing import CliRunner, Result

from tap.main import main
from tests.tap.fakes import CONFIG
from tests.tap.processes import BIN, running


def reload(config: Path) -> Result:
    return CliRunner().invoke(main, ["reload", str(config)])


def test_nobody_runs(tmp_path: Path) -> None:
    """Exit code 1, and a sentence."""
    config = tmp_path / "sipveil.toml"
    config.write_text(CONFIG)
    result = reload(config)
    assert result.exit_code == 1
    assert "no Sipveil runs with the state folder" in result.output


def test_a_running_process(tmp_path: Path) -> None:
    """Good, bad, needing a restart, by command and by signal: it goes on in every case."""
    config = tmp_path / "sipveil.toml"
    config.write_text(CONFIG)
    with running(BIN / "sipveil", "run", config, cwd=tmp_path) as process:
        process.wait_for("sipveil is ready")
        config.write_text(CONFIG.replace("carrier", "other"))
        result = reload(config)
        assert (result.exit_code, "generation 2, hash " in result.output) == (0, True), result.output
        process.wait_for("reloaded .*: generation 2")
        config.write_text(CONFIG.replace("5080", "x").replace("numbers = []", "numbers = 3"))
        result = reload(config)
        assert result.exit_code == 1
        assert result.output.count(f"{config}:") == 2
        process.popen.send_signal(signal.SIGHUP)
        process.wait_for("error not reloaded: generation 2, ")
        assert sum("error reload: " in line for line in process.lines) == 2
        config.write_text(CONFIG.replace("port = 0", "port = 5070", 1))
        result = reload(config)
        assert result.exit_code == 1
        assert "listeners[0].port: changed from 0 to 5070, which a reload cannot do" in result.output
        config.write_text(CONFIG)
        process.popen.send_signal(signal.SIGHUP)
        process.wait_for("reloaded .*: generation 3")
        assert process.end() == 0
    assert not (tmp_path / "state" / "control").exists()
