"""What is legal and yet hardly meant."""

from __future__ import annotations

from config.advice import advice
from config.settings import Settings

TRUNKS: list[dict[str, object]] = [
    {"name": "t", "hosts": ["h"], "listener": "a"},
    {"name": "sos", "hosts": ["s"], "listener": "a", "emergency": True},
]
BASE = {"listeners": [{"name": "a", "address": "::1"}], "trunks": TRUNKS}


def found(**values: object) -> list[str]:
    return [each.wrong for each in advice(Settings.model_validate(BASE | values))]


def test_emergency_calls_are_looked_after() -> None:
    """tests/config/test_advice_emergency.py has them all."""
    assert found(routes=[{"to": ["t", "sos"]}])[0] == "no route is for emergency calls (urn:service:sos, 112, 911)"
    assert found(routes=[{"to": ["t"]}, {"to": ["sos"], "emergency": True}]) == []


def test_trunks_need_a_route() -> None:
    assert found(routes=[{"to": ["sos"], "emergency": True}]) == ['no route leads to trunk "t"']


def test_a_route_to_a_group_leads_to_its_members() -> None:
    group = {"name": "g", "members": [{"trunk": "t"}]}
    assert found(groups=[group], routes=[{"to": ["g"]}, {"to": ["sos"], "emergency": True}]) == []


def test_several_workers_count_calls_badly() -> None:
    first, psap = TRUNKS
    limited = [{**first, "limits": {"calls": 3}}, psap]
    routes = [{"to": ["t"]}, {"to": ["sos"], "emergency": True}]
    assert found(trunks=limited, routes=routes) == []
    assert "each worker counts for itself" in found(trunks=limited, routes=routes, workers=2)[0]


def test_a_trunk_that_says_nothing_of_itself_is_abroad() -> None:
    routes = [{"to": ["t"]}, {"to": ["sos"], "emergency": True}]
    there = found(region={"countries": ("DE",)}, routes=routes)
    assert there == [f'"{name}" names no country, so that it is outside of [region]' for name in ("t", "sos")]
    known = [{**trunk, "country": "FR"} for trunk in TRUNKS]
    assert found(region={"countries": ("DE",)}, trunks=known, routes=routes) == []
