"""What a command was given to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.subscriber import STRICT
from tap.given_configuration import credentials_now, given, subscribers_now
from tap.signing import NO_CREDENTIALS
from tests.tap.fakes import CONFIG


def test_a_configuration_and_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(CONFIG)
    settings, file = given(path)
    assert settings.trunks[0].name == "carrier"
    assert (file.path, file.written(("listeners", 0, "name"))) == (path, 2)


def test_the_examples_without_one() -> None:
    settings, file = given(None)
    assert [trunk.name for trunk in settings.trunks] == ["carrier", "psap"]
    assert file.path.name == "example.toml"
    assert file.written(("privacy", "default", "name"))


def test_mistakes_end_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(CONFIG.replace("port = 0", 'port = "x"', 1))
    with pytest.raises(SystemExit) as caught:
        given(path)
    assert caught.value.code == 1
    assert "listeners[0].port" in capsys.readouterr().err


def test_a_store_that_is_not_there_makes_everybody_strict(tmp_path: Path) -> None:
    """As in the proxy; without a section nobody has said anything."""
    path = tmp_path / "a.toml"
    path.write_text(CONFIG)
    assert subscribers_now(given(path)[0], "test").find(b"a@b") is None
    path.write_text(CONFIG + "[subscribers]\n")
    assert subscribers_now(given(path)[0], "test").find(b"a@b") is STRICT


def test_keys_that_cannot_be_read_are_remarked_upon(tmp_path: Path) -> None:
    """Who explains a message may not be who may read the signing key; else a call would seem to tell less."""
    path = tmp_path / "a.toml"
    path.write_text(CONFIG)
    assert credentials_now(given(path)[0], 0.0) == (NO_CREDENTIALS, [])
    path.write_text(CONFIG + '[signing]\nx5u = "https://cert.example.org/p.pem"\n')
    credentials, (remark,) = credentials_now(given(path)[0], 0.0)
    assert credentials == NO_CREDENTIALS
    assert "signing.key" in remark
    assert remark.endswith("shown as if no call were signed or verified")
