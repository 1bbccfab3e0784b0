"""What is in progress, for the metrics page."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER
from tests.ladder import Ladder, Sent
from tests.recorders import recorder
from tests.recording_sessions import RECORDER, recording_world
from tests.world import TRUNK, World


def test_gauges_tell_what_is_in_progress() -> None:
    """For the metrics page."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder.world.core.gauges().items() >= {
        "sipveil_server_transactions": 1, "sipveil_client_transactions": 1, "sipveil_parked_requests": 0,
    }.items()  # fmt: skip


def test_each_trunk_has_its_own() -> None:
    """Whether anything is known of it or not; addresses that are passed over count where there are some."""
    world = World()
    names = [trunk.name for trunk in world.core.generation.network.settings.trunks]
    assert {f"sipveil_trunk_calls {name}" for name in names} <= set(world.core.gauges())
    assert "sipveil_trunk_addresses_passed_over carrier" not in world.core.gauges()
    world.core.outages.silent(TRUNK, world.now)
    gauges = world.core.gauges()
    assert gauges["sipveil_trunk_addresses_passed_over carrier"] == gauges["sipveil_targets_passed_over"] == 1


@pytest.mark.parametrize("role", [{}, {"role": "recorder-edge", "key": "srs.key"}], ids=["recorder", "edge"])
def test_when_the_first_certificate_of_a_recorder_ends(role: dict[str, str]) -> None:
    """So that somebody hears of it before nothing is recorded any more."""
    name = "sipveil_recorder_certificate_end_seconds"
    assert World().core.gauges()[name] == 0
    there = recording_world(recorders=[{**RECORDER, **role}])
    assert there.core.gauges()[name] == recorder("p256").checked.validity.ends
