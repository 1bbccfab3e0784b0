"""A core without sockets."""

from __future__ import annotations

import tomllib

import pytest

from config.settings import Settings
from proxy.sinks import Event
from scripts.benchmark.contenders import Ends, configuration
from scripts.benchmark.world import CALLER, PROXY, TRUNK, World, recorder_world


def test_takes_what_was_sent_to_a_peer_and_forgets_the_rest() -> None:
    world = World()
    world.send(world.from_caller, b"1")
    world.send(world.from_trunk, b"2")
    assert world.take(TRUNK) == [b"2"]
    assert world.take(CALLER) == []


def test_time_passes_in_ticks() -> None:
    world = World()
    before = world.now
    world.wait(1.0)
    assert world.now == pytest.approx(before + 1.0)
    world.event(Event("call", "", "", ""))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(AssertionError, match=r"trunk\.example"):
        World().lookup(1, "trunk.example", 0)


def test_configured_as_the_process_is() -> None:
    """What is measured in the process and with sockets is the same work."""
    text = configuration(PROXY, Ends(CALLER, TRUNK))
    process, ours = Settings.model_validate(tomllib.loads(text)), World().settings
    for section in ("realms", "listeners", "access", "trunks", "routes", "limits", "privacy", "timers"):
        assert getattr(process, section) == getattr(ours, section)


def test_where_recording_is_configured() -> None:
    """A client and a recorder, and else the same."""
    there, here = recorder_world().settings, World().settings
    assert (len(there.recorders), len(there.recording_clients)) == (1, 1)
    assert (there.trunks, there.routes, there.guard) == (here.trunks, here.routes, here.guard)
