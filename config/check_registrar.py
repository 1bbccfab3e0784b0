"""What the section `[registrar]` needs of others, and its bounds of each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from config.draft import EACH, Draft, tables, texts
from config.lines import Path
from config.problem import Mistake

REGISTERED = "registered"
"""The destination in routes that stands for all phones of an address of record."""
_SECTION: Path = ("registrar",)
_DEFAULTS = {"minimum_expires": 60, "default_expires": 3600, "maximum_expires": 7200}


def registrar_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every contradiction between the registrar, its neighbours and the routing table."""
    found = list(tables(draft, "registrar"))
    local = bool(found) and found[0][1].get("mode", "local") == "local"
    if not local:
        for path, name in texts(draft, "routes", EACH, "to", EACH):
            if name == REGISTERED:
                right = 'add [registrar] with `domains`, or write "core" or a trunk'
                yield Mistake(path, "there is no registrar that anybody could be registered at", right)
    for _, section in found:
        yield from _neighbours(draft, section, local=local)
        yield from _expirations(section)


def _neighbours(draft: Draft, section: Draft, *, local: bool) -> Iterator[Mistake]:
    if "access" not in draft:
        yield Mistake(_SECTION, "nobody registers without a section [access]", "add [access], or take [registrar] out")
    if not local:
        if "core" not in draft:
            yield Mistake((*_SECTION, "mode"), "there is no section [core]", 'add [core], or write mode = "local"')
        elif not any(_takes_registers(route) for _, route in tables(draft, "routes", EACH)):
            right = 'add [[routes]] with source = "access", methods = ["REGISTER"], to = ["core"]'
            yield Mistake((*_SECTION, "mode"), "no route leads a phone's REGISTER to the core", right)
        return
    if "authentication" not in draft and section.get("unauthenticated") is not True:
        wrong = "anybody could register as anybody: there is no section [authentication]"
        right = "add one; in a closed network write unauthenticated = true"
        yield Mistake(_SECTION, wrong, right)


def _takes_registers(route: Draft) -> bool:
    methods, to = route.get("methods") or ["REGISTER"], route.get("to")
    from_phones = route.get("source", "any") in ("access", "any") and not route.get("emergency")
    return from_phones and isinstance(methods, list) and "REGISTER" in methods and isinstance(to, list) and "core" in to


def _expirations(section: Draft) -> Iterator[Mistake]:
    times = [(key, section.get(key, default)) for key, default in _DEFAULTS.items()]
    for (lower, least), (upper, most) in pairwise(times):
        if isinstance(least, int) and isinstance(most, int) and least > most:
            key = upper if upper in section else lower
            yield Mistake((*_SECTION, key), f"{lower} ({least}) is longer than {upper} ({most})", "write them in order")
