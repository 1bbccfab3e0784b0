"""What in a configuration keeps emergency calls from a PSAP, or from reaching it complete.

Only an emergency trunk gets such a call complete (design.md §2), so each number and service is followed through the
routing table as a call would be, from each zone that has callers.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.groups_section import expand
from config.problem import Mistake
from config.settings import Route, Settings
from config.vocabulary import Action, Category

SERVICE = "urn:service:sos"
"""What is an emergency call whatever the configuration says (RFC 5031 §4.2)."""
_SERVICE_USER = "service:sos"
"""What a route's `prefix` is held against in it."""
ROOM = 16_384
"""Bytes that an emergency call may need: PIDF-LO by value and additional data (RFC 7852) go with its description."""
LINES = 64
"""Header lines that it may need."""


def emergency_advice(settings: Settings) -> Iterator[Mistake]:
    """Yield what may stop an emergency call or strip it."""
    if not settings.emergency.numbers:
        wrong = f"no dialled number is an emergency number; only {SERVICE} is"
        yield Mistake(
            ("emergency", "numbers"), wrong, "name those of your country, or leave the key out for 112 and 911"
        )
    lines = [route for route in settings.routes if route.emergency]
    if not lines:
        wanted = ", ".join((SERVICE, *settings.emergency.numbers))
        right = "add a route with emergency = true to a trunk with emergency = true"
        yield Mistake(("emergency", "numbers"), f"no route is for emergency calls ({wanted})", right)
    else:
        yield from _uncovered(settings, lines)
    yield from _without_psap(settings)
    yield from _trunks_without_line(settings)
    yield from _too_small(settings)


def _uncovered(settings: Settings, lines: list[Route]) -> Iterator[Mistake]:
    """Emergency calls that no emergency line takes: they go where all others go, filtered like them."""
    calls = {SERVICE: _SERVICE_USER, **{number: number for number in settings.emergency.numbers}}
    for zone in ("access", "core"):
        if getattr(settings, zone) is None:
            continue
        missing = [name for name, user in calls.items() if not any(_takes(line, zone, user) for line in lines)]
        if missing:
            wrong = f"no route with emergency = true takes {', '.join(missing)} from {zone}"
            yield Mistake(("routes",), wrong, "widen `source`, `methods` or `prefix` of one, or leave them out")


def _takes(line: Route, zone: str, user: str) -> bool:
    return (
        line.source in ("any", zone) and (not line.methods or "INVITE" in line.methods) and user.startswith(line.prefix)
    )


def _without_psap(settings: Settings) -> Iterator[Mistake]:
    """Emergency lines to other hops than emergency trunks: who stands there is no PSAP and gets what others get."""
    for index, line in enumerate(settings.routes):
        path = ("routes", index, "to")
        if line.emergency and "access" in line.to:
            yield Mistake(path, "emergency calls go to phones", "name a trunk with emergency = true")
        if not line.emergency or "core" not in line.to or settings.core is None:
            continue
        if settings.core.next_hop is None:
            wrong = f"{SERVICE} names no host, and core has no next_hop"
            yield Mistake(path, wrong, "set core.next_hop or name a trunk with emergency = true")
        hidden = [each.name.lower() for each in Category if settings.core.privacy.of(each) not in (None, Action.KEEP)]
        if hidden:
            wrong = f"core gets emergency calls without {', '.join(hidden)}"
            yield Mistake(path, wrong, "keep them in core.privacy, or name a trunk with emergency = true")


def _trunks_without_line(settings: Settings) -> Iterator[Mistake]:
    reached = {name for route in settings.routes if route.emergency for name in expand(settings.groups, route.to)}
    for index, trunk in enumerate(settings.trunks):
        if trunk.emergency and trunk.name not in reached:
            wrong = f'no route with emergency = true leads to emergency trunk "{trunk.name}"'
            yield Mistake(("trunks", index), wrong, "name it in the `to` of one, or write emergency = false")


def _too_small(settings: Settings) -> Iterator[Mistake]:
    """Bounds of the parser hold before anybody knows what a message is for."""
    for key, least in (("message", ROOM), ("headers", LINES)):
        limit: int = getattr(settings.limits, key)
        if limit < least:
            wrong = f"emergency calls that carry their location may be larger than {limit}, and are refused then"
            yield Mistake(("limits", key), wrong, f"write at least {least}")
