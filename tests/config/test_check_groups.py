"""Groups: who is in them, and that no request could reach one trunk twice."""

from __future__ import annotations

import tomllib

import pytest

from config.check_groups import group_mistakes
from config.check_names import name_mistakes
from config.problem import key_text

SECOND = "groups[0].members[1].trunk"
GOOD = """
trunks = [{ name = "t" }, { name = "u" }, { name = "sos", emergency = true }]
groups = [{ name = "g", members = [{ trunk = "t" }, { trunk = "u" }] }, { name = "e", members = [{ trunk = "sos" }] }]
routes = [{ to = ["g", "sos"] }, { to = ["t", "u"] }, { to = ["e"], emergency = true }]
"""


def found(text: str) -> list[str]:
    draft = tomllib.loads(text)
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in (*name_mistakes(draft), *group_mistakes(draft))
    ]


def test_a_good_file_has_none() -> None:
    assert found(GOOD) == []
    assert found("") == []
    assert found("groups = 3\nroutes = [{ to = [] }, 3]") == [], "the schema says so"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('name = "e"', 'name = "g"', 'groups[1].name: "g" is taken by groups[0].name'),
        ('name = "e"', 'name = "sos"', 'groups[1].name: "sos" is taken by trunks[2].name'),
        ('name = "e"', 'name = "core"', 'groups[1].name: "core" means something else in routes'),
        ('trunk = "u"', 'trunk = "x"', f'{SECOND}: there is no trunk "x"'),
        ('trunk = "u"', 'trunk = "e"', f'{SECOND}: there is no trunk "e"'),
        ('trunk = "u"', 'trunk = "t"', f'{SECOND}: "t" is in the group already: groups[0].members[0].trunk'),
        ('["g", "sos"]', '["g", "t"]', 'routes[0].to[1]: "t" leads to trunk "t", and so does routes[0].to[0]'),
        ('["g", "sos"]', '["u", "g"]', 'routes[0].to[1]: "g" leads to trunk "u", and so does routes[0].to[0]'),
        ('to = ["t", "u"]', 'to = ["t", "h"]', 'routes[1].to[1]: there is no trunk "h"'),
        ('to = ["e"]', 'to = ["g"]', 'routes[2].to[0]: "t" does not carry emergency calls, see trunks[0]'),
    ],
)  # fmt: skip
def test_each_mistake_is_named(old: str, new: str, mistake: str) -> None:
    assert old in GOOD
    assert mistake in found(GOOD.replace(old, new, 1))
