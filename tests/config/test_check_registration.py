"""What a registration needs besides its own section, named with its place."""

from __future__ import annotations

from typing import Any

import pytest

from config.check_registration import registration_mistakes
from config.problem import key_text


def found(section: dict[str, Any], trunk: dict[str, Any] | None = None, **draft: Any) -> list[tuple[str, str]]:
    """Return key and words of each mistake."""
    first = {"name": "carrier", "hosts": ["198.51.100.7"], "registration": section} | (trunk or {})
    mistakes = registration_mistakes({"trunks": [{"name": "other"}, first], **draft})
    return [(key_text(each.path), each.wrong) for each in mistakes]


def test_a_good_one_is_none() -> None:
    assert found({"user": "1"}) == []
    assert found({}, {"credentials": {"user": "u"}}) == []
    assert found({"user": "1", "required": True}, workers=1) == []
    assert found({"user": "1"}, workers=4) == []


def test_one_without_a_user() -> None:
    ((key, wrong),) = found({})
    assert key.endswith("registration.user")
    assert "no credentials" in wrong


@pytest.mark.parametrize(
    ("registrar", "networks", "bad"),
    [
        ("198.51.100.7", [], False),
        ("198.51.100.7:5070", [], False),
        ("198.51.100.9", [], True),
        ("198.51.100.9", ["198.51.100.8/29"], False),
        ("198.51.100.99", ["198.51.100.8/29"], True),
        ("reg.carrier.example", [], True),
        ("reg.carrier.example", ["198.51.100.8/29"], False),
        ("::1", ["198.51.100.8/29"], False),
        ("[2001:db8::1]", ["198.51.100.8/29"], True),
    ],
)
def test_a_registrar_that_would_be_a_stranger(registrar: str, networks: list[str], bad: bool) -> None:
    """What cannot be read has been said by the schema."""
    mistakes = found({"user": "1", "registrar": registrar}, {"networks": networks})
    assert [key.rpartition(".")[2] for key, _ in mistakes] == ["registrar"] * bad


def test_one_that_is_required_with_workers_that_do_not_hear_of_it() -> None:
    ((key, wrong),) = found({"user": "1", "required": True}, workers=2)
    assert key.endswith("registration.required")
    assert "several" in wrong


def test_nonsense_is_the_schema_s() -> None:
    assert found(5) == found({"user": 1, "registrar": 7, "required": "x"}) == []  # type: ignore[arg-type]
    assert list(registration_mistakes({"trunks": 5})) == []
