"""Rules that contradict each other, or can never apply."""

from __future__ import annotations

import tomllib

import pytest

from config.check_policy import policy_mistakes
from config.problem import key_text

GOOD = """
[privacy.floor]
device = "remove"
[privacy.default]
name = "anonymise"
[[trunks]]
name = "t"
trusted = true
pstn = true
privacy = { name = "keep", number = "indicate" }
[[trunks]]
name = "u"
privacy = { content = "remove" }
[[rules]]
level = "contract"
trunks = ["t"]
methods = ["MESSAGE"]
privacy = { content = "keep" }
[[rules]]
level = "floor"
direction = "in"
privacy = { name = "anonymise" }
"""


def found(text: str) -> list[str]:
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in policy_mistakes(tomllib.loads(text))
    ]


def test_a_good_file_has_none() -> None:
    assert found(GOOD) == []
    assert found("") == []


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "[privacy.floor]", '[privacy.floor]\nname = "anonymise"',
            'trunks[0].privacy.name: "keep" can never apply: "anonymise" is stricter in privacy.floor.name',
        ),
        (
            'device = "remove"', 'device = "remove"\ncontent = "remove"',
            'rules[0].privacy.content: "keep" can never apply: "remove" is stricter in privacy.floor.content',
        ),
        (
            'trunks = ["t"]', 'trunks = ["u"]',
            'rules[0].privacy.content: "keep" can never apply: "remove" is stricter in trunks[1].privacy.content',
        ),
        (
            'direction = "in"', 'direction = "out"',
            'trunks[0].privacy.name: "keep" can never apply: "anonymise" is stricter in rules[1].privacy.name',
        ),
        (
            "trusted = true", "trusted = false",
            "trunks[0].pstn: tells hidden numbers to a trunk without a trust contract",
        ),
        (
            "trusted = true\npstn = true", "",
            "trunks[0].privacy.number: tells hidden numbers to a trunk without a trust contract",
        ),
        ('trunks = ["t"]', 'trunks = ["x"]', 'rules[0].trunks[0]: there is no trunk "x"'),
    ],
)  # fmt: skip
def test_each_mistake_names_both_places(old: str, new: str, mistake: str) -> None:
    assert old in GOOD
    assert mistake in found(GOOD.replace(old, new))


def test_two_rules_for_the_same_case_contradict_each_other() -> None:
    text = '[[rules]]\nlevel = "floor"\nprivacy = { name = "remove" }\n'
    assert found(text + text) == []
    assert found(text + text.replace("remove", "anonymise"))[0] == (
        'rules[1].privacy.name: says "anonymise" where "remove" is said for the same case in rules[0].privacy.name'
    )


def test_what_has_the_wrong_type_is_the_schemas_business() -> None:
    assert found('[privacy.floor]\nname = 5\n[[rules]]\nlevel = "law"\nprivacy = { name = "keep" }\n') == []
