"""Password files, as `sipveil check` and a reload judge them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.check_credentials import credential_mistakes
from config.load import ConfigError, load
from config.problem import key_text

FILE = """
[[listeners]]
name = "a"
address = "127.0.0.1"
[[trunks]]
name = "carrier"
hosts = ["198.51.100.7"]
listener = "a"
[trunks.credentials]
user = "sipveil"
password_file = "carrier.password"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "carrier.password").write_text("canary\n")
    (state / "carrier.password").chmod(0o600)
    (tmp_path / "sipveil.toml").write_text(FILE)
    return tmp_path


def mistakes(folder: Path) -> list[tuple[str, str]]:
    """Key and whole text of each mistake."""
    with pytest.raises(ConfigError) as caught:
        load(folder / "sipveil.toml", 0.0)
    texts = [str(problem) for problem in caught.value.problems]
    assert "canary" not in "".join(texts)
    return [(problem.key, text) for problem, text in zip(caught.value.problems, texts, strict=True)]


def test_a_good_file_is_none(folder: Path) -> None:
    settings = load(folder / "sipveil.toml", 0.0)
    assert "canary" not in repr(settings) + settings.model_dump_json()


def test_one_that_others_may_read(folder: Path) -> None:
    (folder / "state" / "carrier.password").chmod(0o644)
    ((key, text),) = mistakes(folder)
    assert key == "trunks[1].credentials.password_file" or "password_file" in key
    assert "chmod 600" in text


def test_one_that_is_missing_or_empty(folder: Path) -> None:
    (folder / "state" / "carrier.password").write_text("")
    assert "is empty" in mistakes(folder)[0][1]
    (folder / "state" / "carrier.password").unlink()
    assert "there is no password file" in mistakes(folder)[0][1]


def test_without_a_time_no_file_is_read(folder: Path) -> None:
    """What only shows a configuration, as a command of another user, needs no password."""
    (folder / "state" / "carrier.password").unlink()
    assert load(folder / "sipveil.toml").trunks[0].credentials is not None


def test_the_place_is_that_of_the_file_s_name() -> None:
    draft = {"trunks": [{}, {"credentials": {"password_file": "x"}}, {"credentials": {"password_file": 5}}]}
    found = [key_text(each.path) for each in credential_mistakes(draft, Path("/nowhere"))]
    assert len(found) == 1
    assert found[0].endswith("credentials.password_file")
