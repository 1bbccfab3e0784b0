"""Rules that contradict each other, or can never apply."""

from __future__ import annotations

import tomllib

import pytest

from config.check_policy import policy_mistakes
from config.problem import key_text

GOOD = """
[access]
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


OUT = '[[trunks]]\nname = "t"\nprivacy = { content = "keep" }\n[[trunks]]\nname = "u"\ntrusted = true\npstn = true\n'
RULE = '[[rules]]\nlevel = "{}"\n{}privacy = {{ {} }}\n'


@pytest.mark.parametrize(
    ("rule", "mistakes"),
    [
        # a default that a contract decides, in each trunk that it is for
        (("default", 'trunks = ["t"]\n', 'content = "remove"'), [
            'rules[0].privacy.content: "remove" can never apply: the contract decides, in trunks[0].privacy.content']),
        (("default", 'trunks = ["u"]\n', 'content = "remove"'), []),
        (("default", "", 'content = "remove"'), []),
        (("default", 'trunks = ["u"]\n', 'unknown = "remove"'), [
            'rules[0].privacy.unknown: "remove" can never apply: the contract decides, in trunks[1].trusted']),
        # one that the strict default overrules, which is not written
        (("default", 'trunks = ["u"]\n', 'software = "keep"'), [
            'rules[0].privacy.software: "keep" can never apply: "remove" is what privacy.default.software is where '
            "it is not written"]),
        # what does not hide
        (("floor", "", 'name = "keep"'), ['rules[0].privacy.name: "keep" can never apply: a floor only hides']),
        (("contract", 'direction = "in"\n', 'name = "keep"'), [
            'rules[0].privacy.name: "keep" can never apply: a rule for what phones see only hides']),
        (("contract", 'direction = "in"\n', 'software = "generalise"'), [
            'rules[0].privacy.software: "generalise" can never apply: "remove" is what access.privacy.software is '
            "where it is not written"]),
        # what does not happen
        (("default", 'direction = "in"\n', 'name = "remove"'), [
            "rules[0].level: a default is about what trunks see; \"in\" is said in rules[0].direction"]),
        (("contract", 'methods = ["INVITE", "BYE"]\n', 'content = "remove"'), [
            "rules[0].methods[1]: BYE begins no dialog, and within one holds what was decided for its first request"]),
        (("contract", "", ""), ["rules[0].privacy: decides nothing"]),
        # the law, and trust
        (("contract", 'trunks = ["u"]\n', 'number = "anonymise"'), [
            'rules[0].privacy.number: "anonymise" can never apply: the law wants an indicator (47 CFR 64.1601(a)) by '
            "trunks[1].pstn"]),
        (("contract", "", 'number = "anonymise"'), []),
        (("contract", 'trunks = ["u"]\n', 'number = "indicate"'), []),
        (("contract", "", 'number = "indicate"'), [
            "rules[0].privacy.number: tells hidden numbers to a trunk without a trust contract, trunks[0]"]),
    ],
)  # fmt: skip
def test_rules_without_effect(rule: tuple[str, str, str], mistakes: list[str]) -> None:
    assert found("[access]\n" + OUT + RULE.format(*rule)) == mistakes


def test_rules_for_phones_need_phones() -> None:
    rule = RULE.format("floor", 'direction = "in"\n', 'name = "remove"')
    assert found(OUT + rule) == ["rules[0].direction: there are no phones that could see anything"]


def test_floors_that_together_cover_a_rule() -> None:
    """One for each of its trunks; both are named."""
    floor = '[[rules]]\nlevel = "floor"\ntrunks = ["{}"]\nprivacy = {{ location = "remove" }}\n'
    rule = RULE.format("contract", 'trunks = ["t", "u"]\n', 'location = "generalise"')
    assert found(OUT + rule + floor.format("t")) == []
    assert found(OUT + rule + floor.format("t") + floor.format("u")) == [
        'rules[0].privacy.location: "generalise" can never apply: overruled in rules[2].privacy.location and '
        "rules[1].privacy.location"
    ]


def test_a_table_of_all_trunks_speaks_for_those_to_come() -> None:
    """Only what is for ever is a mistake there; the rest is advice (config/advice_policy.py)."""
    every = RULE.format("contract", "", 'location = "remove"')
    default = '[privacy.default]\nlocation = "generalise"\n'
    told = 'privacy.default.location: "generalise" can never apply: the contract decides, in rules[0].privacy.location'
    assert found(OUT + every + default) == [told]
    each = every.replace("privacy =", 'trunks = ["t", "u"]\nprivacy =')
    assert found(OUT + each + default) == []
