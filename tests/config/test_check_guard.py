"""What `[guard]` keeps out although the configuration counts on it is a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from config.check_guard import guard_mistakes

BASE: dict[str, Any] = {
    "access": {"networks": ["10.0.0.0/8"]},
    "core": {"networks": ["203.0.113.5"], "next_hop": "203.0.113.5:5060"},
    "trunks": [{"hosts": ["198.51.100.7:5060"], "networks": ["198.51.100.16/28", "2001:db8::/32"]}],
}


def found(**guard: list[str]) -> list[str]:
    return [each.wrong for each in guard_mistakes({**BASE, "guard": guard})]


@pytest.mark.parametrize("guard", [{}, {"deny": ["10.66.0.0/16", "192.0.2.0/24", "198.51.100.7:9"]}, {"allow": []}])
def test_a_part_of_a_network_may_be_denied(guard: dict[str, list[str]]) -> None:
    assert found(**guard) == []


def test_a_trunk_or_core_that_is_denied_is_a_mistake() -> None:
    assert found(deny=["198.51.100.0/24", "203.0.113.5"]) == [
        "203.0.113.5/32 is denied by",
        "198.51.100.16/28 is denied by",
        "203.0.113.5:5060 is denied by",
        "198.51.100.7:5060 is denied by",
    ]


def test_who_is_allowed_has_to_be_complete() -> None:
    """Phones alone are not enough: trunks and the core stand behind the same door."""
    wrong = found(allow=["10.0.0.0/8", "203.0.113.0/24"])
    assert len(wrong) == 3, wrong
    assert all("2001:db8" in each or "198.51.100" in each for each in wrong)
    assert found(allow=["10.1.0.0/16", "203.0.113.0/24", "198.51.100.0/24", "::/0"]) == []
