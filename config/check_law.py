"""Rules for a trunk that stand against the law or the trust domain, above which no operator decides (design.md §2).

A trunk with `pstn = true` is told the calling number with `Privacy: id` (47 CFR 64.1601(a)): a rule that drops it there
can never apply. A trunk that nobody trusts is told no number that is only indicated (RFC 3325 §7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from config.draft import EACH, Draft, tables, texts
from config.lines import Path
from config.problem import Mistake

_DROPS = ("pseudonymise", "anonymise")


def law_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield the rules, with the key of the trunk that stands against each."""
    pstn = {name: (*path, "pstn") for path, trunk, name in _trunks(draft) if trunk.get("pstn") is True}
    strangers = {name: path for path, trunk, name in _trunks(draft) if trunk.get("trusted") is not True}
    for path, number, trunks in _numbers(draft):
        if number in _DROPS and trunks and trunks <= pstn.keys():
            wrong = f'"{number}" can never apply: the law has the number told, as withheld, by'
            yield Mistake(path, wrong, "leave it out: who withholds is anonymous to whom is called", pstn[min(trunks)])
        told = trunks & strangers.keys()
        if number == "indicate" and told and path[0] == "rules":  # of a trunk's own, check_policy speaks
            wrong = "tells hidden numbers to a trunk without a trust contract,"
            yield Mistake(path, wrong, 'write "anonymise", or name trusted trunks alone', strangers[min(told)])


def _trunks(draft: Draft) -> Iterable[tuple[Path, Draft, str]]:
    for path, trunk in tables(draft, "trunks", EACH):
        for _, name in texts(trunk, "name"):
            yield path, trunk, name


def _numbers(draft: Draft) -> Iterator[tuple[Path, str, set[str]]]:
    """Yield each `number` that is said of certain trunks, and of which."""
    for path, trunk, name in _trunks(draft):
        for inner, number in texts(trunk, "privacy", "number"):
            yield (*path, *inner), number, {name}
    for path, rule in tables(draft, "rules", EACH):
        if rule.get("direction", "out") == "out":
            trunks = {name for _, name in texts(rule, "trunks", EACH)}
            for inner, number in texts(rule, "privacy", "number"):
                yield (*path, *inner), number, trunks
