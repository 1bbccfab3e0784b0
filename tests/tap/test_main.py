"""The `sipveil` command, in real processes where it runs."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tap import CORE
from tap.main import main
from tap.version import version
from tests.tap.fakes import CONFIG
from tests.tap.processes import BIN, running
from tests.tap.test_service import options

ROOT = Path(__file__).parents[2]
BAD = """\
[[listeners]]
name = "access"
address = "127.0.0.1"
port = "5060"

[[trunks]]
name = "carrier"
hosts = ["127.0.0.1:99999"]
listener = "nobody"
colour = "blue"
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def configured(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "sipveil.toml"
    path.write_text(text)
    return path


def test_version() -> None:
    """Name and number, and which core runs."""
    assert call("--version").output == f"sipveil {version()}, core: {CORE}\n"


def test_help_names_all_commands() -> None:
    """What there is."""
    output = call("--help").output
    assert all(
        command in output for command in ("run", "check", "keys", "subscriber", "explain", "plan", "scan", "demo")
    )


def test_check_of_the_example() -> None:
    """The example is good as it stands."""
    result = call("check", str(ROOT / "config/example.toml"))
    assert result.exit_code == 0
    assert "example.toml: good; 1 listener, 2 trunks, 3 routes, no warnings" in result.output


@pytest.mark.parametrize("command", ["check", "run"])
def test_all_mistakes_at_once(command: str, tmp_path: Path) -> None:
    """File, line, key, what is wrong and what would be right; one a line; exit code 1, and nothing is started."""
    path = configured(tmp_path, BAD)
    result = call(command, str(path))
    lines = result.output.splitlines()
    assert result.exit_code == 1
    places = ((4, "listeners[0].port"), (8, "trunks[0].hosts[0]"), (9, "trunks[0].listener"), (10, "trunks[0].colour"))
    for line, key in places:
        assert any(each.startswith(f"{path}:{line}: {key}: ") and "; " in each for each in lines), (key, result.output)
    assert lines[-1] == f"{len(lines) - 1} mistakes; nothing was started"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("command", ["check", "run"])
def test_mistakes_of_the_catalogue_are_said_with_them(command: str, tmp_path: Path) -> None:
    """An operator's own file is checked like the configuration that names it."""
    (tmp_path / "own.toml").write_text('[headers]\nx-a = { category = "nam" }\nx-b = 1\n')
    result = call(command, str(configured(tmp_path, f'catalogue = ["own.toml"]\n{BAD}')))
    assert result.exit_code == 1
    assert f'{tmp_path}/own.toml:2: headers.x-a.category: "nam" is not a category; write one of ' in result.output
    assert f"{tmp_path}/own.toml:3: headers.x-b: " in result.output
    assert "sipveil.toml:5: listeners[0].port: " in result.output
    assert not (tmp_path / "state").exists()


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """Is a mistake like any other."""
    result = call("check", str(tmp_path / "absent.toml"))
    assert result.exit_code == 1
    assert "cannot be read" in result.output


def test_warnings_are_no_mistakes(tmp_path: Path) -> None:
    """They are said, and the exit code is 0."""
    result = call("check", str(configured(tmp_path, CONFIG.replace("numbers = []", 'numbers = ["112"]'))))
    assert result.exit_code == 0
    assert re.search(r"^warning: .*sipveil\.toml:\d+: emergency\.numbers: ", result.output, re.MULTILINE)
    assert "1 warning" in result.output


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_run_until_a_signal(how: signal.Signals, tmp_path: Path) -> None:
    """Says where it listens and that it is ready, answers, and ends cleanly with 0."""
    with running(BIN / "sipveil", "run", str(configured(tmp_path)), cwd=tmp_path) as process:
        process.wait_for(r"info core pure Python")
        port = int(process.wait_for(r"listening udp 127\.0\.0\.1:(\d+)")[1])
        metrics = process.wait_for(r"metrics http (\S+)")[1]
        process.wait_for("sipveil is ready")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(5)
            peer.sendto(options(peer.getsockname()[1]), ("127.0.0.1", port))
            assert peer.recv(65535).startswith(b"SIP/2.0 483 ")
        with urllib.request.urlopen(f"http://{metrics}/metrics") as page:
            assert b'sipveil_requests_received_total{method="OPTIONS"} 1.0' in page.read()
        assert process.end(how) == 0
        output = "\n".join(process.lines)
    assert "sipveil has stopped" in output
    assert "Traceback" not in output


def test_garbage_kills_nothing_and_is_not_logged(tmp_path: Path) -> None:
    """What nobody can read is dropped or answered; the log, at its most talkative, does not quote it."""
    text = CONFIG + '\n[log]\nlevel = "debug"\n'
    garbage = [b"\0" * 100, b"\r\n\r\n", b"x", b"INVITE penelope-was-here\r\n\r\n", bytes(range(256)) * 4]
    with running(BIN / "sipveil", "run", str(configured(tmp_path, text)), cwd=tmp_path) as process:
        port = int(process.wait_for(r"listening udp 127\.0\.0\.1:(\d+)")[1])
        process.wait_for("sipveil is ready")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(5)
            for data in garbage:
                peer.sendto(data, ("127.0.0.1", port))
            peer.sendto(options(peer.getsockname()[1]), ("127.0.0.1", port))
            while not peer.recv(65535).startswith(b"SIP/2.0 483 "):
                pass
        assert process.end() == 0
        output = "\n".join(process.lines)
    assert "penelope" not in output
    assert "Traceback" not in output
    assert " failed: " not in output


def test_second_start_finds_its_port_taken(tmp_path: Path) -> None:
    """One sentence, exit code 1, no traceback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        path = configured(tmp_path, CONFIG.replace("port = 0", f"port = {taken.getsockname()[1]}", 1))
        done = subprocess.run([BIN / "sipveil", "run", path], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "sipveil: cannot open udp 127.0.0.1:" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_check_judges_keys_and_certificates(tmp_path: Path) -> None:
    """What a start would find only when it needs them; a start itself does so on its own."""
    path = configured(tmp_path, CONFIG + '[signing]\nx5u = "https://a.example/"\nchain = "chain.pem"\n[verification]\n')
    result = call("check", str(path))
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert [line.split(": ")[1] for line in lines[:-1]] == [
        "signing.key", "signing.chain", "verification.anchors", "verification.certificates"
    ]  # fmt: skip
    assert all("; " in line for line in lines[:-1])
    assert lines[-1] == "4 mistakes; nothing was started"


def test_a_start_reads_no_command_but_its_own() -> None:
    """What explains, plans and scans is a tenth of a second of reading, which a proxy that comes up again has not."""
    code = "import sys, tap.main; print([name for name in ('rich', 'tap.explain_command') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_all_commands_are_listed_and_found() -> None:
    runner = CliRunner()
    listed = runner.invoke(main, ["--help"]).output
    for name in ("check", "demo", "explain", "keys", "plan", "reload", "run", "scan", "subscriber"):
        assert f"  {name} " in listed
        assert runner.invoke(main, [name, "--help"]).exit_code == 0
    assert runner.invoke(main, ["unheard-of"]).exit_code == 2
