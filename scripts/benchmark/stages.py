"""Single stages of the core, called as the core calls them.

These reach inside, and are the only part of the benchmark that a rewrite of the core may break; a stage whose names are
gone is reported as not measured, and everything else goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from filters.engine import build
from proxy.message import Draft, Message
from proxy.parse import parse
from proxy.policy import EditContext
from proxy.record import encode
from proxy.serialise import serialise
from proxy.tokens import Opened, Purpose, Tokens
from scripts.benchmark.calls import copied, headers, lines, text
from scripts.benchmark.messages import fill
from scripts.benchmark.world import TRUNK, World, ring

VARIANTS = 64
"""Different messages that a stage sees in turn, so that nothing is remembered from the last time."""
BUDGET = 160
"""Plain bytes of a record towards a trunk, as is the default."""


class Turns:
    """Calls work with one value after the other, for ever."""

    def __init__(self, work: Callable[[int], object]) -> None:
        """Begin with 0."""
        self._work, self._next = work, 0

    def __call__(self) -> object:
        """Work on the next one."""
        self._next = (self._next + 1) % VARIANTS
        return self._work(self._next)


@cache
def exchanges() -> list[tuple[bytes, bytes, bytes]]:
    """Return INVITEs as received, as forwarded, and the trunk's 200 to each."""
    world, found = World(), []
    for line in lines("stage", VARIANTS, VARIANTS):
        invite = line.say("invite")
        world.core.receive(invite, world.from_caller, world.now)
        (forwarded,) = world.take(TRUNK)
        found.append((invite, forwarded, fill("answer", copied=copied(forwarded, "leg"), trunk=text(TRUNK))))
    return found


def parse_invite(world: World) -> Callable[[], object]:
    """Return what parses the rich INVITE."""
    data = [invite for invite, _, _ in exchanges()]
    return Turns(lambda n: parse(data[n], world.settings.limits))


def parse_answer(world: World) -> Callable[[], object]:
    """Return what parses the trunk's 200."""
    data = [answer for _, _, answer in exchanges()]
    return Turns(lambda n: parse(data[n], world.settings.limits))


def plan_invite(world: World) -> Callable[[], object]:
    """Return what edits a draft of the INVITE by the plan towards the trunk, the draft's making included."""
    messages = parsed(world)
    engine = build(world.settings)
    party = world.core.generation.network.party_of(TRUNK)
    if party is None:
        raise LookupError("the trunk is nobody's")
    plan = engine.plan(engine.towards(party), party)
    context = EditContext(lambda value: value[:16], b"127.0.0.1", True, b"INVITE", 0)
    return Turns(lambda n: plan.apply(Draft(messages[n]), context))


def serialise_invite(world: World) -> Callable[[], object]:
    """Return what writes an untouched draft of the INVITE, the draft's making included."""
    messages = parsed(world)
    return Turns(lambda n: serialise(Draft(messages[n])))


def seal_record(_world: World) -> Callable[[], object]:
    """Return what encodes and seals the record of an INVITE."""
    tokens = Tokens(ring())
    records = [opened(tokens, token).record for token in route_tokens()]
    return Turns(lambda n: tokens.seal(Purpose.ROUTE, encode(records[n], BUDGET), 3))


def open_record(_world: World) -> Callable[[], object]:
    """Return what opens and decodes the record that a BYE brings back."""
    tokens, texts = Tokens(ring()), route_tokens()
    return Turns(lambda n: opened(tokens, texts[n]).record)


def parsed(world: World) -> list[Message]:
    """Return parsed INVITEs."""
    return [parse(invite, world.settings.limits) for invite, _, _ in exchanges()]


def route_tokens() -> list[bytes]:
    """Return the user part of our Record-Route in each forwarded INVITE."""
    found = []
    for _, forwarded, _ in exchanges():
        line = next(line for name, line in headers(forwarded) if name == "record-route")
        found.append(line.partition("sip:")[2].partition("@")[0].encode())
    return found


def opened(tokens: Tokens, token: bytes) -> Opened:
    """Return what one of our tokens holds."""
    found = tokens.open_text(token)
    if found is None:
        raise LookupError("a token of ours does not open")
    return found


STAGES: Mapping[str, Callable[[World], Callable[[], object]]] = {
    "parse INVITE": parse_invite,
    "parse 200": parse_answer,
    "plan of INVITE": plan_invite,
    "seal a record": seal_record,
    "open a record": open_record,
    "serialise INVITE": serialise_invite,
}
