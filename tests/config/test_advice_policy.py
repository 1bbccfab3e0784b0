"""Rules of the policy that do nothing as things stand."""

from __future__ import annotations

import tomllib

from config.advice_policy import policy_advice
from config.check_policy import policy_mistakes
from config.problem import key_text

TRUNKS = """
[[trunks]]
name = "t"
privacy = { content = "keep" }
[[trunks]]
name = "u"
privacy = { content = "remove" }
"""


def found(text: str) -> list[str]:
    """Return the advice about what has no mistakes."""
    draft = tomllib.loads(text)
    assert list(policy_mistakes(draft)) == []
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in policy_advice(draft)
    ]


def test_none_is_needed() -> None:
    assert found("") == []
    assert found(TRUNKS) == []
    assert found(TRUNKS + '[privacy.default]\nname = "keep"\n[privacy.floor]\nlocation = "remove"\n') == []


def test_a_floor_between_phones_is_not_idle() -> None:
    """Every trunk has a stricter one; but what a phone sees of another is decided by it, where that shows more."""
    rule = '[[rules]]\nlevel = "floor"\ntrunks = ["t", "u"]\nprivacy = { location = "remove" }\n'
    floors = '[privacy.floor]\nlocation = "generalise"\n' + rule
    between = '[access]\nnetworks = ["10.0.0.0/8"]\nlistener = "l"\nprivacy = { location = "%s" }\n'
    assert found(TRUNKS + floors + between % "keep") == []
    assert len(found(TRUNKS + floors + between % "remove")) == 1


def test_a_default_that_every_contract_decides_applies_to_nobody_today() -> None:
    """No mistake: the next trunk may leave it to the default. Each contract is named."""
    default = '[privacy.default]\ncontent = "remove"\n'
    assert found(TRUNKS + default) == [
        'privacy.default.content: "remove" applies to no trunk that there is: overruled in '
        "trunks[1].privacy.content and trunks[0].privacy.content"
    ]
    assert found(TRUNKS + '[[trunks]]\nname = "v"\n' + default) == []
    one = '[[trunks]]\nname = "t"\nprivacy = { content = "keep" }\n'
    assert found(one + default) == [
        'privacy.default.content: "remove" applies to no trunk that there is: the contract decides, in '
        "trunks[0].privacy.content"
    ]


def test_a_default_for_what_is_unknown_towards_trusted_trunks_alone() -> None:
    """Trust decides there."""
    text = '[[trunks]]\nname = "t"\ntrusted = true\n[privacy.default]\nunknown = "remove"\n'
    assert found(text) == [
        'privacy.default.unknown: "remove" applies to no trunk that there is: the contract decides, in '
        "trunks[0].trusted"
    ]


def test_many_contracts_are_not_all_named() -> None:
    trunks = "".join(f'[[trunks]]\nname = "t{one}"\nprivacy = {{ content = "keep" }}\n' for one in range(9))
    [told] = found(trunks + '[privacy.default]\ncontent = "remove"\n')
    assert told.count("trunks[") == 5
    assert "…" in told


def test_a_floor_that_keeps_is_none() -> None:
    assert found('[privacy.floor]\nname = "keep"\n') == ['privacy.floor.name: "keep" on the floor hides nothing']


def test_a_rule_that_says_again_what_is_said() -> None:
    """Of two that are the same the later; else the narrower one."""
    wide = '[[rules]]\nlevel = "floor"\nprivacy = { device = "remove" }\n'
    narrow = '[[rules]]\nlevel = "floor"\ntrunks = ["t"]\nprivacy = { device = "remove" }\n'
    again = "says again what is said in"
    assert found(wide + wide) == [f"rules[1].privacy.device: {again} rules[0].privacy.device"]
    assert found(TRUNKS + narrow + wide) == [f"rules[0].privacy.device: {again} rules[1].privacy.device"]
    assert found(narrow.replace("remove", "keep").replace("floor", "contract") + TRUNKS) == []
    assert found(TRUNKS + '[privacy.floor]\ndevice = "remove"\n' + narrow) == [
        f"rules[0].privacy.device: {again} privacy.floor.device"
    ]


def test_identity_moves_as_one_set() -> None:
    """A contract that shows the name of a number that it hides."""
    trunk = '[[trunks]]\nname = "t"\ntrusted = true\nprivacy = {{ name = "keep", number = "{}" }}\n'
    assert found(trunk.format("keep")) == []
    assert found(trunk.format("indicate")) == [
        "trunks[0].privacy.name: is hidden all the same, for it goes with the number, which is hidden by "
        "trunks[0].privacy.number"
    ]
