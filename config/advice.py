"""What is legal in a configuration and yet hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from config.advice_emergency import emergency_advice
from config.groups_section import expand
from config.problem import Mistake
from config.settings import Settings


def advice(settings: Settings) -> Iterator[Mistake]:
    """Yield what an operator should look at again before it goes live."""
    yield from emergency_advice(settings)
    yield from _unreached_trunks(settings)


def _unreached_trunks(settings: Settings) -> Iterator[Mistake]:
    reached = {name for route in settings.routes for name in expand(settings.groups, route.to)}
    for index, trunk in enumerate(settings.trunks):
        if trunk.name not in reached:
            wrong = f'no route leads to trunk "{trunk.name}"'
            yield Mistake(("trunks", index), wrong, "name it in the `to` of a route, or take it out")
