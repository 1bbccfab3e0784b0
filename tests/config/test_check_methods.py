"""Rules for methods that no rule is asked about."""

from __future__ import annotations

import tomllib

import pytest

from config.check_methods import WITHIN, method_mistakes
from config.problem import key_text

RULE = '[[rules]]\nlevel = "floor"\nmethods = ["INVITE", "METHOD"]\n'


@pytest.mark.parametrize("method", sorted(WITHIN))
def test_what_comes_within_something_else_has_no_rule_of_its_own(method: str) -> None:
    (mistake,) = method_mistakes(tomllib.loads(RULE.replace("METHOD", method)))
    assert key_text(mistake.path) == "rules[0].methods[1]"
    assert method in mistake.wrong


@pytest.mark.parametrize("method", ["MESSAGE", "OPTIONS", "REFER", "INFO", "X-OWN"])
def test_others_may_have_one(method: str) -> None:
    assert list(method_mistakes(tomllib.loads(RULE.replace("METHOD", method)))) == []
    assert list(method_mistakes({"rules": [{"methods": 5}]})) == []
