"""What is legal in a configuration and yet hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from config.problem import Mistake
from config.settings import Settings


def advice(settings: Settings) -> Iterator[Mistake]:
    """Yield what an operator should look at again before it goes live."""
    yield from _no_emergency_route(settings)
    yield from _unreached_trunks(settings)


def _no_emergency_route(settings: Settings) -> Iterator[Mistake]:
    """Without a hop in zone psap an emergency call is filtered like any other (design.md §2)."""
    if settings.emergency.numbers and not any(route.emergency for route in settings.routes):
        numbers = ", ".join(settings.emergency.numbers)
        right = "add a route with emergency = true to a trunk with emergency = true"
        yield Mistake(("emergency", "numbers"), f"no route is for emergency calls ({numbers})", right)


def _unreached_trunks(settings: Settings) -> Iterator[Mistake]:
    reached = {name for route in settings.routes for name in route.to}
    for index, trunk in enumerate(settings.trunks):
        if trunk.name not in reached:
            wrong = f'no route leads to trunk "{trunk.name}"'
            yield Mistake(("trunks", index), wrong, "name it in the `to` of a route, or take it out")
