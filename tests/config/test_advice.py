"""What is legal and yet hardly meant."""

from __future__ import annotations

from config.advice import advice
from config.settings import Settings

BASE = {
    "listeners": [{"name": "a", "address": "::1"}],
    "trunks": [
        {"name": "t", "hosts": ["h"], "listener": "a"},
        {"name": "sos", "hosts": ["s"], "listener": "a", "emergency": True},
    ],
}


def found(**values: object) -> list[str]:
    return [each.wrong for each in advice(Settings.model_validate(BASE | values))]


def test_emergency_numbers_need_a_route() -> None:
    assert found(routes=[{"to": ["t", "sos"]}]) == ["no route is for emergency calls (112, 911)"]
    assert found(routes=[{"to": ["t"]}, {"to": ["sos"], "emergency": True}]) == []
    assert found(routes=[{"to": ["t", "sos"]}], emergency={"numbers": []}) == []


def test_trunks_need_a_route() -> None:
    assert found(routes=[{"to": ["sos"], "emergency": True}]) == ['no route leads to trunk "t"']
