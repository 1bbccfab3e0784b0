"""What leaves the core besides messages: events from a closed set, without personal data."""

from __future__ import annotations

import ast
from pathlib import Path

from proxy.sinks import EVENTS
from tests.agents import ALICE, CARRIER, STRANGER
from tests.ladder import Ladder, Sent
from tests.world import World

CORE_FILES = sorted((Path(__file__).parents[2] / "proxy").glob("*.py"))


def test_every_event_that_the_core_names_is_in_the_closed_set() -> None:
    """A ledger or a log may rely on the set: whatever is emitted anywhere in the core stands in it."""
    named = set()
    for path in CORE_FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if called in ("event", "Event"):
                kind = node.args[0]
                choices = (kind.body, kind.orelse) if isinstance(kind, ast.IfExp) else (kind,)
                named |= {choice.value for choice in choices if isinstance(choice, ast.Constant)}
    assert named
    assert named <= EVENTS


def test_events_of_a_call_tell_nothing_about_its_parties() -> None:
    """Event: a keyed pseudonym of the Call-ID, the name of a side, and a word from a closed set."""
    world = World()
    ladder = Ladder(world) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> STRANGER.invite()
    assert [(event.kind, event.peer, event.detail) for event in world.events] == [
        ("call", "carrier", "trunk"),
        ("answered", "carrier", "200"),
        ("dropped", "", "unknown-source"),
    ]
    text = repr(world.events)
    for personal in ("alice", "Liddell", "15550100", "10.1.1.23", "call-1"):
        assert personal not in text
    assert {event.kind for event in world.events} <= EVENTS


def test_the_pseudonym_is_the_same_throughout_a_call_and_another_for_another() -> None:
    """A ledger can join what belongs together."""
    world = World()
    ladder = Ladder(world) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.invite(call_id=b"call-2@10.1.1.23", branch=b"z9hG4bKtwo")
    first, second, third = (event.call for event in world.events)
    assert first == second != third
    assert len(first) == 12
