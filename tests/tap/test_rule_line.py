"""Where the rule of a ruling stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import tomlfile
from config.load import load
from tap.rule_line import RuleLines
from tests.tap.fakes import CONFIG

TEXT = (
    CONFIG
    + """\
[[trunks]]
name = "privacy"
hosts = ["127.0.0.1:5081"]
listener = "access"
trusted = true
privacy = { name = "keep" }
[privacy.default]
number = "keep"
[[rules]]
level = "floor"
[rules.privacy]
device = "remove"
"""
)


@pytest.fixture
def lines(tmp_path: Path) -> RuleLines:
    path = tmp_path / "a.toml"
    path.write_text(TEXT)
    return RuleLines(load(path), tomlfile.read(path, ""))


def line(text: str) -> int:
    return TEXT.splitlines().index(text) + 1


def test_keys_that_are_written_have_their_line(lines: RuleLines) -> None:
    """A trunk is found by its name, whatever it is called."""
    for rule, text in (
        ("privacy.default.number", 'number = "keep"'),
        ("goes with the number (privacy.default.number)", 'number = "keep"'),
        ("rules[0].privacy.device", 'device = "remove"'),
        ("trunks.privacy.privacy.name", 'privacy = { name = "keep" }'),
        ("trunks.privacy.trusted: RFC 3325", "trusted = true"),
    ):
        assert lines(rule) == line(text), rule
        assert lines.is_key(rule)


def test_built_in_defaults_have_none(lines: RuleLines) -> None:
    """Not even that of the table that they would stand in."""
    for rule in ("privacy.default.name", "access.privacy.device", "trunks.privacy.pstn: 47 CFR 64.1601(a)"):
        assert lines(rule) is None
        assert lines.is_key(rule)


@pytest.mark.parametrize(
    "rule", ["subscriber.number@privacy", "Privacy: id;header", "RFC 3325 §7: Privacy: id", "dialled prefix", ""]
)
def test_words_and_wishes_are_no_keys(lines: RuleLines, rule: str) -> None:
    assert lines(rule) is None
    assert not lines.is_key(rule)
