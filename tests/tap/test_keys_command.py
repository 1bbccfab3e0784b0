"""`sipveil keys`: a key's life from the command line, and no secret in sight."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.keys import load, load_or_create
from tap.keys_command import keys
from tests.tap.fakes import CONFIG

NOW = 1_790_000_000.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration whose key ring has been made."""
    path = tmp_path / "sipveil.toml"
    path.write_text(CONFIG)
    load_or_create(ring(path), NOW)
    return path


def ring(config: Path) -> Path:
    return config.parent / "state" / "keys.json"


def call(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(keys, [arguments[0], "--config", str(config), *arguments[1:]])


def test_show(config: Path) -> None:
    """Id, state, when it was made, and what it does."""
    result = call(config, "show")
    assert result.exit_code == 0
    assert re.search(r"0\s*│ current │ 2026-09-2\d \d\d:\d\d:\d\d UTC", result.output)


def test_life_of_a_key(config: Path) -> None:
    """Added, used, and the former one retired when no call needs it: not before."""
    assert "key 1 added" in call(config, "add").output
    assert re.search(r"1\s*│ new ", call(config, "show").output)
    assert re.search(r"1\s*│ current ", call(config, "use", "1").output)
    refused = call(config, "retire", "0")
    assert refused.exit_code == 1
    assert "calls may still need key 0 until" in refused.output
    assert call(config, "retire", "--force", "0").exit_code == 0
    assert [key.id for key in load(ring(config)).keys] == [1]


def test_no_secret_is_ever_printed(config: Path) -> None:
    """Neither in tables nor in messages, in whatever form the file has it."""
    outputs = [call(config, *arguments).output for arguments in (["show"], ["add"], ["use", "1"], ["retire", "0"])]
    outputs.append(call(config, "use", "0").output)
    secrets = [key.secret for key in load(ring(config)).keys]
    strings = re.findall(r'"([^"]{20,})"', json.dumps(json.loads(ring(config).read_text())))
    for output in outputs:
        assert not any(secret.hex() in output or repr(secret)[2:-1] in output for secret in secrets)
        assert not any(text in output for text in strings)


@pytest.mark.parametrize("arguments", [["use", "0"], ["use", "7"], ["retire", "0"]])
def test_what_may_not_be_done_is_one_line(config: Path, arguments: list[str]) -> None:
    """Exit code 1 and a sentence."""
    result = call(config, *arguments)
    assert result.exit_code == 1
    assert result.output.startswith("sipveil: ")
    assert result.output.count("\n") == 1


def test_before_the_first_start(tmp_path: Path) -> None:
    """There is no ring to show yet; looking does not make one."""
    path = tmp_path / "sipveil.toml"
    path.write_text(CONFIG)
    result = call(path, "show")
    assert result.exit_code == 1
    assert "first start" in result.output
    assert not ring(path).exists()


def test_bad_configuration(tmp_path: Path) -> None:
    """Says what is wrong with it."""
    path = tmp_path / "sipveil.toml"
    path.write_text("nonsense = 1\n")
    result = call(path, "show")
    assert result.exit_code == 1
    assert "nonsense" in result.output
