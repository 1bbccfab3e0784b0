"""Rules of the policy that contradict each other, or can never apply; each is named with the other.

What may become of use with the next trunk is no mistake, but advice (config/advice_policy.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from config.draft import EACH, Draft, tables, texts
from config.lines import Path
from config.policy_rules import Rule, Rules
from config.problem import Mistake, key_text
from config.vocabulary import Action, Category

_WITHIN = frozenset(("ACK", "BYE", "CANCEL", "PRACK", "UPDATE"))
"""Methods that begin nothing and never stand alone (RFC 3261 §9, §13, §15, RFC 3262, RFC 3311)."""

_NAMED = 4
"""Places that one message names, besides the first."""


def policy_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield rules that contradict each other or can never apply, and trunks whose contract cannot be kept."""
    rules = Rules(draft)
    yield from _contradictions(rules.written)
    yield from _unreachable(rules)
    yield from _against_the_law(draft, rules.written)
    yield from _without_effect(draft)
    yield from _without_trust(draft, rules.written)
    yield from _unknown_trunks(draft)


def _contradictions(rules: Sequence[Rule]) -> Iterator[Mistake]:
    """Two rules for exactly the same case that say different things."""
    first: dict[tuple[object, ...], Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.case, rule)
        if other.action is not rule.action:
            said = f'says "{rule.action.name.lower()}" where "{other.action.name.lower()}" is said for the same case in'
            yield Mistake(rule.path, said, "say it once", other.path)


def _unreachable(rules: Rules) -> Iterator[Mistake]:
    """A rule that others overrule wherever it holds: stricter ones at its own level or on the floor, or a contract."""
    for rule in rules.written:
        if rule.is_extra and rule.action is Action.KEEP and (rule.direction == "in" or rule.level == "floor"):
            what = "a floor" if rule.level == "floor" else "a rule for what phones see"
            yield Mistake(rule.path, f'"keep" can never apply: {what} only hides', "take it out")
            continue
        # A table of [privacy] speaks for trunks that are not there yet, too.
        others = rules.overruling(rule, today=rule.is_extra)
        if others:
            yield overruled(rule, others)


def overruled(rule: Rule, others: Sequence[Rule]) -> Mistake:
    """Return that a rule never applies, and in which other places stands what does."""
    first, *rest = sorted(others, key=lambda other: not other.written)
    action = first.action.name.lower()
    said = f'"{rule.action.name.lower()}" can never apply:'
    if not first.written:
        wrong = f'{said} "{action}" is what {key_text(first.path)} is where it is not written'
        return Mistake(rule.path, wrong, "write it there, or take it out")
    if rest:
        further = ", ".join(key_text(one.path) for one in rest[:_NAMED]) + (", …" if len(rest) > _NAMED else "")
        return Mistake(rule.path, f"{said} overruled in {further} and", "take it out", first.path)
    contract = (first.level, rule.level) in (("contract", "default"), ("trusted", "default"))
    why = "the contract decides, in" if contract else f'"{action}" is stricter in'
    return Mistake(rule.path, f"{said} {why}", "take one of them out", first.path)


def _against_the_law(draft: Draft, rules: Sequence[Rule]) -> Iterator[Mistake]:
    """A number that is to be left out of a call to the telephone network, where it is hidden by indicator."""
    pstn = {
        name: (*path, "pstn")
        for path, trunk in tables(draft, "trunks", EACH) if trunk.get("pstn") is True
        for _, name in texts(trunk, "name")
    }  # fmt: skip
    for rule in rules:
        if rule.category is not Category.NUMBER or rule.action <= Action.INDICATE or rule.direction != "out":
            continue
        if rule.trunks and rule.trunks <= pstn.keys():
            wrong = f'"{rule.action.name.lower()}" can never apply: the law wants an indicator (47 CFR 64.1601(a)) by'
            yield Mistake(rule.path, wrong, 'write "indicate"', pstn[min(rule.trunks)])


def _without_effect(draft: Draft) -> Iterator[Mistake]:
    """Rules for what does not happen."""
    phones = bool(tables(draft, "access"))
    for path, rule in tables(draft, "rules", EACH):
        if rule.get("direction") == "in" and rule.get("level") == "default":
            wrong, right = 'a default is about what trunks see; "in" is said in', 'write "contract"'
            yield Mistake((*path, "level"), wrong, f"{right}, or the keys in [access.privacy]", (*path, "direction"))
        elif rule.get("direction") == "in" and not phones:
            yield Mistake((*path, "direction"), "there are no phones that could see anything", "add [access]")
        for inner, table in tables(rule, "privacy"):
            if not table:
                yield Mistake((*path, *inner), "decides nothing", "name a category, or take the rule out")
    for path, method in texts(draft, "rules", EACH, "methods", EACH):
        if method in _WITHIN:
            wrong = f"{method} begins no dialog, and within one holds what was decided for its first request"
            yield Mistake(path, wrong, "name the method that begins it, or take it out")


def _without_trust(draft: Draft, rules: Sequence[Rule]) -> Iterator[Mistake]:
    wrong = "tells hidden numbers to a trunk without a trust contract"
    strangers: dict[str, Path] = {}
    for path, trunk in tables(draft, "trunks", EACH):
        if trunk.get("trusted") is True:
            continue
        strangers |= {name: path for _, name in texts(trunk, "name")}
        if trunk.get("pstn") is True:
            yield Mistake((*path, "pstn"), wrong, "write trusted = true if there is one, or take pstn out")
        for inner, table in tables(trunk, "privacy"):
            if table.get("number") == "indicate":
                right = 'write trusted = true if there is one, or number = "anonymise"'
                yield Mistake((*path, *inner, "number"), wrong, right)
    for rule in rules:
        told = [name for name in strangers if not rule.trunks or name in rule.trunks]
        if rule.is_extra and (rule.level, rule.action) == ("contract", Action.INDICATE) and told:
            yield Mistake(rule.path, f"{wrong},", "name trusted trunks alone", strangers[told[0]])


def _unknown_trunks(draft: Draft) -> Iterator[Mistake]:
    known = [name for _, name in texts(draft, "trunks", EACH, "name")]
    for path, name in texts(draft, "rules", EACH, "trunks", EACH):
        if name not in known:
            names = ", ".join(f'"{one}"' for one in known) or "nothing"
            yield Mistake(path, f'there is no trunk "{name}"', f"write {names} or add it to [[trunks]]")
