"""Outages with a stated outcome (docs/threat-model.md, "Outages"): disk, clock and network."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from config.statefile import StateFile, StateFileError
from tests.agents import ALICE, CARRIER
from tests.ladder import Ladder, Sent
from tests.world import TRUNK, World

DAY = 86_400


def established(world: World) -> Ladder:
    """Return a call that is up."""
    ladder = Ladder(world) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_ends_no_call(jump: int) -> None:
    """Records of a day ahead are of the future, and those of a day behind still open: two days is their age."""
    ladder = established(World())
    ladder.world.core.set_wall(ladder.world.now, ladder.world.wall + jump)
    for method in (b"ACK", b"INFO", b"BYE"):
        ladder = ladder >> ALICE.within(method, ladder[200], own=ALICE.invite()) << Sent(CARRIER, method)
        ladder.left.clear()
    world = ladder.world
    assert Ladder(world) >> ALICE.invite(branch=b"z9hG4bKn") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_shuts_nobody_out(jump: int) -> None:
    """Nobody waits a day for the next call: limits know monotonic time alone."""
    world = World()
    for number in range(50):
        world.receive(*ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number))
    world.core.set_wall(world.now, world.wall + jump)
    assert Ladder(world) >> ALICE.invite(branch=b"z9hG4bKn") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert world.count("guarded", "subscriber") == 0


def test_a_network_that_is_gone_is_a_500_and_comes_back() -> None:
    """ENETUNREACH, as a system says while an interface is down; when it is up again the next call goes."""
    world = World()
    world.refuse_send.add(TRUNK)
    ladder = Ladder(world) >> ALICE.invite() << Sent(ALICE, 100)
    ladder.left += world.wait(1)
    ladder = ladder << Sent(ALICE, 500)
    ladder.left.clear()
    world.refuse_send.clear()
    again = ALICE.invite(branch=b"z9hG4bKn", call_id=b"again")
    world.wait(40)
    assert Ladder(world) >> again << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_full_disk_leaves_state_files_as_they_were(tmp_path: Path) -> None:
    """The system refuses to let a file grow, as a full disk does: the former content stays."""
    file = StateFile(tmp_path / "state" / "file", StateFileError)
    with file.locked():
        file.write(b"former")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(StateFileError):
            file.write(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read() == b"former"
