"""How a mistake reads."""

from __future__ import annotations

import pytest

from config.problem import ConfigError, Problem, key_text, shown

HOST = Problem(
    "example.toml", 14, "trunks[0].hosts[1]", '"foo bar" is not a host', 'write "host", "host:port" or "[IPv6]:port"'
)


def test_a_problem_says_file_line_key_wrong_and_right() -> None:
    assert str(HOST) == (
        'example.toml:14: trunks[0].hosts[1]: "foo bar" is not a host; write "host", "host:port" or "[IPv6]:port"'
    )


def test_a_problem_of_the_whole_file_has_neither_line_nor_key() -> None:
    assert str(Problem("a.toml", 0, "", "cannot be read", "give a path")) == "a.toml: cannot be read; give a path"


def test_an_error_says_all_problems() -> None:
    assert str(ConfigError((HOST, HOST))).split("\n") == [str(HOST)] * 2


def test_keys_are_quoted_where_toml_would() -> None:
    assert key_text(("a", 0, "b", "c d", 1, 2)) == 'a[0].b."c d"[1][2]'
    assert key_text(("c d",)) == '"c d"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.5, "1.5"),
        ("a\nb", '"a\\nb"'),
        ("x" * 99, f'"{"x" * 57}..."'),
        ([1], "an array"),
        ({"a": 1}, "a table"),
    ],
)
def test_values_are_shown_as_in_the_file_and_short(value: object, text: str) -> None:
    assert shown(value) == text
