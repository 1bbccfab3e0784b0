"""Rules of the policy that do nothing as things stand: no mistakes, for a trunk that is added may change it."""

from __future__ import annotations

from collections.abc import Iterator

from config.check_policy import overruled
from config.draft import Draft
from config.policy_rules import Rule, Rules
from config.problem import Mistake
from config.vocabulary import Action, Category

_WITH_THE_NUMBER = (Category.NAME, Category.NETWORK)
"""What filters/policy.py hides with the number towards every trunk."""


def policy_advice(draft: Draft) -> Iterator[Mistake]:
    """Yield what of a policy without mistakes should be looked at again."""
    rules = Rules(draft)
    for rule in rules.written:
        if rule.path[0] == "privacy":
            yield from _of_a_level(rules, rule)
    yield from _repeated(rules)
    yield from _shown_beside_a_hidden_number(rules)


def _of_a_level(rules: Rules, rule: Rule) -> Iterator[Mistake]:
    """Yield a key of [privacy.floor] or [privacy.default] that decides nothing for any trunk that there is."""
    if rule.level == "floor" and rule.action is Action.KEEP:
        yield Mistake(rule.path, '"keep" on the floor hides nothing', "leave it out")
        return
    others = rules.overruling(rule, today=True)
    if others and not rules.decides_between_phones(rule):
        found = overruled(rule, others)
        wrong = found.wrong.replace("can never apply", "applies to no trunk that there is", 1)
        yield found._replace(wrong=wrong, right="keep it for trunks to come, or take it out")


def _repeated(rules: Rules) -> Iterator[Mistake]:
    """Yield rules that say what another says wherever they hold; of two for the same case, the later."""
    for place, rule in enumerate(rules.written):
        if not rule.is_extra:
            continue
        for before, other in enumerate(rules.written):
            same = (other.level, other.action) == (rule.level, rule.action) and other.covers(rule)
            if same and (before < place or other.case != rule.case):
                yield Mistake(rule.path, "says again what is said in", "take one of them out", other.path)
                break


def _shown_beside_a_hidden_number(rules: Rules) -> Iterator[Mistake]:
    """Yield contracts that show what goes with the number, and hide the number: identity moves as one set."""
    tables = {rule.path[:-1]: rule for rule in rules.written if rule.category is Category.NUMBER}
    for rule in rules.written:
        number = tables.get(rule.path[:-1])
        shown = rule.level == "contract" and rule.direction == "out" and rule.action is Action.KEEP
        if shown and rule.category in _WITH_THE_NUMBER and number is not None and number.action is not Action.KEEP:
            wrong = "is hidden all the same, for it goes with the number, which is hidden by"
            yield Mistake(rule.path, wrong, "take it out, or show the number", number.path)
