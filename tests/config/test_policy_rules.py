"""Which rule overrules which, held against what the policy really decides."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from config.advice_policy import policy_advice
from config.check_policy import policy_mistakes
from config.lines import Path
from config.policy_rules import Rule, Rules
from config.problem import key_text
from config.settings import Limits
from config.subscriber import WORDS, Setting, Value, profile
from config.subscribers import Mark, Subscribers
from config.vocabulary import SENSIBLE_ACTIONS, Category, Zone
from filters.policy import Policy
from filters.rulings import Ruling
from proxy.parse import parse
from proxy.party import Party
from tests import world
from tests.agents import ALICE

CATEGORIES = (Category.NUMBER, Category.LOCATION, Category.CONTENT, Category.UNKNOWN)
PLAIN = frozenset((Category.LOCATION, Category.CONTENT, Category.UNKNOWN))
"""Those that no law and no other category decides about."""
METHODS = ("MESSAGE", "INVITE", "OPTIONS")
EXAMPLES = settings(
    max_examples=120, derandomize=True, phases=[Phase.generate], database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> dict[str, str]:
    """A privacy table."""
    chosen = draw(st.dictionaries(st.sampled_from(CATEGORIES), st.integers(0, 11), max_size=3))
    return {
        each.name.lower(): SENSIBLE_ACTIONS[each][number % len(SENSIBLE_ACTIONS[each])].name.lower()
        for each, number in chosen.items()
    }


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """A policy over two trunks."""
    named = [
        {**trunk, "trusted": draw(st.booleans()), "privacy": draw(tables())} for trunk in world.SETTINGS["trunks"][:2]
    ]
    rules = []
    for _ in range(draw(st.integers(0, 4))):
        rules.append({
            "level": draw(st.sampled_from(("floor", "contract", "default"))),
            "direction": draw(st.sampled_from(("out", "out", "in"))),
            "trunks": draw(st.lists(st.sampled_from(("carrier", "second")), max_size=2, unique=True)),
            "methods": draw(st.lists(st.sampled_from(METHODS[:2]), max_size=1)),
            "privacy": draw(tables()),
        })  # fmt: skip
    privacy = {"floor": draw(tables()), "default": draw(tables())}
    access = {**world.SETTINGS["access"], "privacy": draw(tables())}
    routes = [{"to": ["carrier", "second"]}]
    return {"trunks": named, "privacy": privacy, "rules": rules, "access": access, "routes": routes}


def decided(draft: dict[str, Any]) -> Iterator[tuple[str, str, str, Ruling]]:
    """Yield direction, trunk, method and ruling for all calls of who has said nothing, and of who shows everything."""
    found, phone = world.settings(**draft), Party(Zone.ACCESS)
    open_ = Subscribers()
    open_.replace({b"alice@sip.example.net": profile(Setting("", word, Value.SHOW) for word in WORDS)}, Mark(1, 1), 0)
    trunks = [Party(Zone.TRUNK, trunk) for trunk in found.trunks]
    for policy in (Policy(found), Policy(found, open_)):
        for method in METHODS:
            message = parse(ALICE.request(method.encode()).data, Limits())
            for source, hop in (*((phone, one) for one in trunks), *((one, phone) for one in trunks), (phone, phone)):
                trunk = hop.trunk or source.trunk
                for ruling in policy.rulings(message, source, hop):
                    yield "out" if hop.trunk else "in", trunk.name if trunk else "", method, ruling


def place(path: Path, draft: dict[str, Any]) -> str:
    """Return a path as rulings write it."""
    if path[0] == "trunks":
        return ".".join(("trunks", draft["trunks"][path[1]]["name"], *map(str, path[2:])))
    return key_text(path)


@EXAMPLES
@given(drafts())
def test_what_is_told_never_decides_and_what_never_holds_is_told(draft: dict[str, Any]) -> None:
    """The second for categories alone that nothing else decides about; a floor that all keep above is met, not idle."""
    rulings = list(decided(draft))
    deciders = {ruling.rule for *_, ruling in rulings}
    dead = {each.path for each in policy_mistakes(draft) if "can never apply" in each.wrong}
    said = ("applies to no", "hides nothing")
    idle = {each.path for each in policy_advice(draft) if any(words in each.wrong for words in said)}
    assert not {place(path, draft) for path in dead | idle} & deciders
    contradicted = {path for each in policy_mistakes(draft) if each.also for path in (each.path, each.also)}
    for rule in Rules(draft).written:
        outcomes = {
            ruling.action
            for direction, trunk, method, ruling in rulings
            if holds(rule, direction, trunk, method) and ruling.category is rule.category
        }
        met = rule.level == "floor" and rule.direction == "out"
        if rule.category in PLAIN and not met and outcomes and rule.action not in outcomes:
            assert rule.path in dead | idle | contradicted, (rule, draft)


def holds(rule: Rule, direction: str, trunk: str, method: str) -> bool:
    return (
        rule.direction == direction
        and (not rule.trunks or trunk in rule.trunks)
        and (not rule.methods or method in rule.methods)
    )


def rules(text: str) -> Rules:
    return Rules(tomllib.loads(text))


TRUNKS = '[[trunks]]\nname = "t"\nprivacy = { content = "keep" }\n[[trunks]]\nname = "u"\n'


def test_a_level_for_all_speaks_for_trunks_to_come() -> None:
    """A contract of every trunk leaves the default nothing today; only one for all trunks does for ever."""
    text = TRUNKS + 'privacy = { content = "remove" }\n[privacy.default]\ncontent = "remove"\n'
    found = rules(text)
    [default] = [rule for rule in found.written if rule.level == "default"]
    assert found.overruling(default) == ()
    assert [rule.path[1] for rule in found.overruling(default, today=True)] == [0, 1]
    found = rules(text + '[[rules]]\nlevel = "contract"\nprivacy = { content = "remove" }\n')
    assert found.overruling(default)[0].path == ("rules", 0, "privacy", "content")


def test_what_is_not_written_holds_too() -> None:
    """The strict default, and what phones may not see, as far as the file does not say otherwise."""
    text = '[[rules]]\nlevel = "default"\nprivacy = { software = "keep" }\n'
    found = rules(TRUNKS + text)
    [other] = found.overruling(found.written[-1])
    assert (other.path, other.written) == (("privacy", "default", "software"), False)
    found = rules(TRUNKS + '[privacy.default]\nsoftware = "generalise"\n' + text.replace("keep", "remove"))
    assert found.overruling(found.written[-1]) == ()
    text = '[[rules]]\nlevel = "contract"\ndirection = "in"\nprivacy = { software = "generalise" }\n'
    found = rules(TRUNKS + text)
    assert found.overruling(found.written[-1]) == ()  # there are no phones
    found = rules(TRUNKS + "[access]\n" + text)
    assert found.overruling(found.written[-1])[0].path == ("access", "privacy", "software")
    found = rules(TRUNKS + '[access]\nprivacy = { software = "keep" }\n' + text)
    assert found.overruling(found.written[-1]) == ()


def test_methods_are_looked_at_one_by_one() -> None:
    """A rule for one method leaves those that no rule names."""
    floor = '[[rules]]\nlevel = "floor"\nmethods = ["{}"]\nprivacy = {{ content = "remove" }}\n'
    rule = (
        '[[rules]]\nlevel = "contract"\ntrunks = ["t"]\nmethods = ["MESSAGE", "INFO"]\nprivacy = { content = "keep" }\n'
    )
    found = rules('[[trunks]]\nname = "t"\n' + rule + floor.format("MESSAGE"))
    assert found.overruling(found.written[0]) == ()
    found = rules('[[trunks]]\nname = "t"\n' + rule + floor.format("MESSAGE") + floor.format("INFO"))
    assert [other.path[1] for other in found.overruling(found.written[0])] == [2, 1]
    found = rules(TRUNKS + floor.format("MESSAGE"))
    assert found.overruling(found.written[0]) == ()


def test_a_rule_for_trunks_that_do_not_exist_is_anothers_mistake() -> None:
    found = rules(TRUNKS + '[[rules]]\nlevel = "default"\ntrunks = ["x"]\nprivacy = { content = "keep" }\n')
    assert found.overruling(found.written[-1]) == ()
