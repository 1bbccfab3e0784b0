"""The schema of groups."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.groups_section import Group, expand, expand_draft

GROUP = Group.model_validate({"name": "g", "members": [{"trunk": "t"}, {"trunk": "u", "priority": 2, "weight": 0}]})


def test_members_are_equal_unless_said_otherwise() -> None:
    assert [(each.priority, each.weight) for each in GROUP.members] == [(1, 1), (2, 0)]


@pytest.mark.parametrize("members", [[], [{}], [{"trunk": "t", "weight": -1}], [{"trunk": "t", "priority": 70_000}]])
def test_bounds(members: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        Group.model_validate({"name": "g", "members": members})


def test_a_group_stands_for_its_members() -> None:
    assert list(expand([GROUP], ["x", "g", "core"])) == ["x", "t", "u", "core"]
    assert expand_draft({"groups": [{"name": "g", "members": [{"trunk": "t"}, {"trunk": 3}]}, {}]}) == {"g": ["t"]}
    assert expand_draft({"groups": [{"name": "g"}]}) == {"g": []}
