"""What a registrar needs of other sections."""

from __future__ import annotations

from typing import Any

import pytest

from config.check_registrar import registrar_mistakes
from config.problem import key_text

GOOD: dict[str, Any] = {
    "access": {"listener": "main"},
    "authentication": {},
    "registrar": {"domains": ["example.net"]},
    "routes": [{"to": ["registered"]}],
}


def keys(**changes: Any) -> list[str]:
    draft = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return [key_text(mistake.path) for mistake in registrar_mistakes(draft)]


def registrar(**changes: Any) -> dict[str, Any]:
    return {**GOOD["registrar"], **changes}


def test_good() -> None:
    assert keys() == []
    assert keys(authentication=None, registrar=registrar(unauthenticated=True)) == []
    assert keys(workers=4) == []
    forward = {"registrar": registrar(mode="forward"), "core": {}, "workers": 4, "authentication": None}
    assert keys(**forward, routes=[{"source": "access", "methods": ["REGISTER"], "to": ["core"]}]) == []
    assert keys(**forward, routes=[{"to": ["carrier", "core"]}]) == []
    assert keys(registrar=None, routes=[]) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"registrar": None}, "routes[0].to[0]"),
        (
            {"registrar": registrar(mode="forward"), "core": {}, "routes": [{"to": ["core", "registered"]}]},
            "routes[0].to[1]",
        ),
        (
            {"registrar": registrar(mode="forward"), "core": {}, "routes": [{"source": "trunk", "to": ["core"]}]},
            "registrar.mode",
        ),
        (
            {"registrar": registrar(mode="forward"), "core": {}, "routes": [{"methods": ["INVITE"], "to": ["core"]}]},
            "registrar.mode",
        ),
        ({"registrar": registrar(mode="forward"), "routes": []}, "registrar.mode"),
        ({"access": None}, "registrar"),
        ({"authentication": None}, "registrar"),
        ({"authentication": None, "registrar": registrar(unauthenticated=False)}, "registrar"),
        ({"registrar": registrar(minimum_expires=3600, default_expires=60)}, "registrar.default_expires"),
        ({"registrar": registrar(maximum_expires=60)}, "registrar.maximum_expires"),
    ],
)
def test_mistakes(changes: dict[str, Any], key: str) -> None:
    assert keys(**changes) == [key]
