"""Authentication without accounts, without phones, or of nobody."""

from __future__ import annotations

import pytest

from config.check_authentication import authentication_mistakes
from config.problem import Mistake

GOOD: dict[str, object] = {"authentication": {"realm": "r", "exempt": ["10.9.9.9"]}, "access": {}, "subscribers": {}}


def found(draft: dict[str, object]) -> list[Mistake]:
    return [*authentication_mistakes(draft)]


def test_nothing_wrong() -> None:
    assert found(GOOD) == []
    assert found({}) == []


@pytest.mark.parametrize(("missing", "wrong"), [("access", "no phones"), ("subscribers", "no store")])
def test_what_is_missing(missing: str, wrong: str) -> None:
    (mistake,) = found({key: value for key, value in GOOD.items() if key != missing})
    assert mistake.path == ("authentication",)
    assert wrong in mistake.wrong


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_an_exemption_for_everybody(everybody: str) -> None:
    (mistake,) = found({**GOOD, "authentication": {"exempt": ["10.9.9.9", everybody]}})
    assert mistake.path == ("authentication", "exempt", 1)


def test_what_is_no_network_the_schema_tells() -> None:
    assert found({**GOOD, "authentication": {"exempt": [7, "x"]}}) == []
