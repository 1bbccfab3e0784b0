"""What is legal in a configuration and yet hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from config.advice_authentication import authentication_advice
from config.advice_emergency import emergency_advice
from config.advice_routes import route_advice
from config.groups_section import expand
from config.problem import Mistake
from config.settings import Settings


def advice(settings: Settings) -> Iterator[Mistake]:
    """Yield what an operator should look at again before it goes live."""
    yield from emergency_advice(settings)
    yield from authentication_advice(settings)
    yield from _unreached_trunks(settings)
    yield from route_advice(settings)
    yield from _counts_of_workers(settings)
    yield from _trunks_abroad(settings)


def _unreached_trunks(settings: Settings) -> Iterator[Mistake]:
    reached = {name for route in settings.routes for name in expand(settings.groups, route.to)}
    for index, trunk in enumerate(settings.trunks):
        if trunk.name not in reached:
            wrong = f'no route leads to trunk "{trunk.name}"'
            yield Mistake(("trunks", index), wrong, "name it in the `to` of a route, or take it out")


def _counts_of_workers(settings: Settings) -> Iterator[Mistake]:
    """A BYE from the trunk's side has another Call-ID than the caller's, and so may have another worker."""
    for index, trunk in enumerate(settings.trunks):
        if settings.workers > 1 and trunk.limits is not None and trunk.limits.calls is not None:
            wrong = "each worker counts for itself, and calls that the trunk ends may be counted until they are `quiet`"
            yield Mistake(("trunks", index, "limits", "calls"), wrong, "write workers = 1, or a short `quiet`")


def _trunks_abroad(settings: Settings) -> Iterator[Mistake]:
    """With a region, a trunk that says nothing of itself is outside it."""
    region = settings.region
    for index, trunk in enumerate(settings.trunks):
        if region is not None and trunk.country is None and trunk.transfer_basis not in region.bases:
            wrong = f'"{trunk.name}" names no country, so that it is outside of [region]'
            yield Mistake(("trunks", index), wrong, "write its `country`, or a `transfer_basis` of region.bases")
