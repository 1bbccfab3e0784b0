"""`sipveil plan` as a command: output, exit codes, and nothing left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tap.main import main
from tests.tap.fakes import CONFIG


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, with a configuration that knows subscribers, and one of them."""
    monkeypatch.chdir(tmp_path)
    Path("sipveil.toml").write_text(CONFIG + "[subscribers]\n")
    result = CliRunner().invoke(
        main, ["subscriber", "add", "alice@example.net", "number=show", "--config", "sipveil.toml"]
    )
    assert result.exit_code == 0, result.output


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plan", "--config", "sipveil.toml", *arguments])


def document(*arguments: str) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_json_has_a_form_that_does_not_change() -> None:
    """Programs read it: keys that go are a new version."""
    found = document("--subscriber", "alice@example.net", "--method", "MESSAGE", "--privacy", "history")
    assert set(found) == {
        "version", "configuration", "trunk", "direction", "source", "receiver", "method", "privacy", "subscriber",
        "profile", "remarks", "refused", "categories", "fields",
    }  # fmt: skip
    assert (found["version"], found["configuration"], found["trunk"]) == (1, "sipveil.toml", "carrier")
    assert (found["method"], found["privacy"], found["profile"]) == ("MESSAGE", "history", "own")
    assert len(found["categories"]) == 12
    rule = {"action", "level", "rule", "line", "built_in"}
    assert all(set(one) == {*rule, "category", "overrode"} for one in found["categories"])
    [overrode] = next(one["overrode"] for one in found["categories"] if one["category"] == "number")
    assert set(overrode) == rule
    assert all(
        set(one) == {"section", "name", "compact", "categories", "fate", "source"} for one in found["fields"]
    )  # fmt: skip


def test_a_table_for_people() -> None:
    """Plain where there is no terminal."""
    result = call("--subscriber", "alice@example.net", "--width", "100")
    assert result.exit_code == 0, result.output
    assert "subscriber.number" in result.output
    assert "\x1b[" not in result.output
    assert max(map(len, result.output.splitlines())) <= 100
    assert "\x1b[" in call("--color").output


def test_options_reach_the_policy() -> None:
    assert document("--direction", "in")["direction"] == "in"
    number = next(one for one in document("--privacy", "id")["categories"] if one["category"] == "number")
    assert number["action"] == "anonymise"
    assert document("--trunk", "carrier")["trunk"] == "carrier"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--trunk", "nobody"), "no trunk is called 'nobody'; write one of carrier"),
        (("--subscriber", "nobody"), "is no address of record"),
        (("--method", "invite"), "in capitals"),
        (("--direction", "up"), "--direction"),
    ],
)
def test_mistakes_of_use(arguments: tuple[str, ...], why: str) -> None:
    """One sentence, never a traceback, and no subscriber is named."""
    result = call(*arguments)
    assert result.exit_code in (1, 2)
    assert why in result.output
    assert "alice" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_who_is_not_in_the_store_has_the_default_profile() -> None:
    """And that is said; the others are not."""
    result = call("--subscriber", "bob@example.net")
    assert result.exit_code == 0
    assert "this subscriber is not in the store, and so has the default profile" in result.output
    assert "alice" not in result.output


def test_a_refusal_is_a_result() -> None:
    result = call("--privacy", "critical;session")
    assert (result.exit_code, "refused: 500" in result.output) == (0, True)


def test_a_broken_configuration() -> None:
    """Its mistakes, one a line."""
    Path("sipveil.toml").write_text(CONFIG.replace("port = 0", 'port = "x"', 1))
    result = call()
    assert result.exit_code == 1
    assert "listeners[0].port" in result.output


def test_without_a_configuration() -> None:
    """The example's, and that is said."""
    result = CliRunner().invoke(main, ["plan"])
    assert result.exit_code == 0
    assert "example's configuration" in result.output


def test_nothing_is_left_behind() -> None:
    """The files are those that were there: no key ring is made."""
    before = sorted(os.listdir("state"))
    assert call().exit_code == 0
    assert sorted(os.listdir("state")) == before
