"""The check says so where a configuration keeps emergency calls from a PSAP."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.advice_emergency import emergency_advice
from config.load import load
from config.settings import Settings

LINE = {"emergency": True, "to": ["sos"]}
BASE = {
    "listeners": [{"name": "a", "address": "::1"}],
    "access": {"listener": "a", "networks": ["10.0.0.0/8"]},
    "core": {"listener": "a", "next_hop": "192.0.2.5"},
    "trunks": [
        {"name": "t", "hosts": ["h"], "listener": "a"},
        {"name": "sos", "hosts": ["s"], "listener": "a", "emergency": True},
    ],
    "routes": [{"to": ["t"]}, LINE],
}
UNLED = 'no route with emergency = true leads to emergency trunk "sos"'


def found(**values: object) -> list[str]:
    return [each.wrong for each in emergency_advice(Settings.model_validate(BASE | values))]


def test_a_good_configuration_has_none() -> None:
    """Also with lines in front that would take the number: emergency lines are asked first, wherever they stand."""
    assert found() == []
    assert found(routes=[{"prefix": "9", "to": ["t"]}, {"prefix": "911", "to": ["t"]}, LINE]) == []


@pytest.mark.parametrize("path", [Path("config/example.toml")])
def test_the_example_has_none(path: Path) -> None:
    assert list(emergency_advice(load(Path(__file__).parents[2] / path))) == []


def test_a_line_is_needed() -> None:
    """Whether or not there are numbers: urn:service:sos is one anyway."""
    assert found(routes=[{"to": ["t", "sos"]}]) == [
        "no route is for emergency calls (urn:service:sos, 112, 911)", UNLED,
    ]  # fmt: skip


def test_numbers_are_needed() -> None:
    assert found(emergency={"numbers": []}) == ["no dialled number is an emergency number; only urn:service:sos is"]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ({"prefix": "911"}, ["urn:service:sos, 112 from access", "urn:service:sos, 112 from core"]),
        ({"prefix": "service:"}, ["112, 911 from access", "112, 911 from core"]),
        ({"source": "core"}, ["urn:service:sos, 112, 911 from access"]),
        ({"source": "trunk"}, ["urn:service:sos, 112, 911 from access", "urn:service:sos, 112, 911 from core"]),
        ({"methods": ["MESSAGE"]}, ["urn:service:sos, 112, 911 from access", "urn:service:sos, 112, 911 from core"]),
    ],
)
def test_a_narrow_line_leaves_calls_out(line: dict[str, object], missing: list[str]) -> None:
    assert found(routes=[LINE | line]) == [f"no route with emergency = true takes {each}" for each in missing]


def test_several_lines_together_cover() -> None:
    lines = [LINE | {"prefix": prefix} for prefix in ("9", "11", "service")]
    assert found(routes=lines) == []
    assert found(access=None, routes=[LINE | {"source": "core"}]) == []


def test_other_hops_are_no_psap() -> None:
    """A PBX may pass them on, if they reach it; phones cannot."""
    routes = [LINE, LINE | {"to": ["core"]}]
    assert found(routes=routes) == []
    assert found(routes=routes, core={"listener": "a"}) == ["urn:service:sos names no host, and core has no next_hop"]
    hiding = {"listener": "a", "next_hop": "192.0.2.5", "privacy": {"location": "remove", "name": "keep"}}
    assert found(routes=routes, core=hiding) == ["core gets emergency calls without location"]
    assert found(routes=[LINE, LINE | {"to": ["access"]}]) == ["emergency calls go to phones"]


def test_an_emergency_trunk_needs_its_line() -> None:
    """A line to it without emergency = true is for other calls."""
    assert found(routes=[LINE | {"to": ["core"]}, {"prefix": "911", "to": ["sos"]}]) == [UNLED]


def test_the_parser_bounds_them_too() -> None:
    wrong = "emergency calls that carry their location may be larger than {}, and are refused then"
    assert found(limits={"message": 1300, "headers": 32}) == [wrong.format(1300), wrong.format(32)]
