"""The life of a key, in its file."""

from __future__ import annotations

import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import keys
from config.keys import KeyRingError, KeyState

DAY = 86_400.0
MAX_AGE = 2 * DAY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key ring made at time 0: key 0 is current."""
    path = tmp_path / "state" / "keys.json"
    keys.load_or_create(path, 0.0)
    return path


def states(path: Path) -> dict[int, str]:
    return {key.id: str(key.state) for key in keys.load(path).keys}


def test_the_first_start_makes_a_private_ring_with_a_current_key(path: Path) -> None:
    ring = keys.load(path)
    assert states(path) == {0: "current"}
    assert (len(ring.current.secret), ring.current.created) == (32, 0.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_second_start_finds_the_same_ring(path: Path) -> None:
    assert keys.load_or_create(path, 99.0) == keys.load(path)
    assert keys.load(path).current.created == 0.0


def test_no_two_rings_are_alike(path: Path, tmp_path: Path) -> None:
    other = keys.load_or_create(tmp_path / "other" / "keys.json", 0.0)
    assert other.current.secret != keys.load(path).current.secret


def test_a_key_is_new_then_current_then_old_then_gone(path: Path) -> None:
    added = keys.add(path, DAY)
    assert (added.id, added.state) == (1, KeyState.NEW)
    assert states(path) == {0: "current", 1: "new"}

    ring = keys.use(path, 1, 2 * DAY)
    assert ring == keys.load(path)
    assert ring.current.secret == added.secret
    assert states(path) == {0: "old", 1: "current"}
    assert ring.keys[0].superseded == 2 * DAY

    with pytest.raises(KeyRingError, match="may still need key 0 until 1970-01-05 00:00:00 UTC"):
        keys.retire(path, 0, 2 * DAY + MAX_AGE - 1, MAX_AGE)
    keys.retire(path, 0, 2 * DAY + MAX_AGE, MAX_AGE)
    assert states(path) == {1: "current"}


def test_a_destroyed_secret_is_nowhere_in_the_folder(path: Path) -> None:
    secret = base64.b64encode(keys.load(path).current.secret)
    assert secret in path.read_bytes()
    keys.add(path, 1.0)
    keys.use(path, 1, 2.0)
    keys.retire(path, 0, 3.0, MAX_AGE, force=True)
    assert [secret in file.read_bytes() for file in path.parent.iterdir()] == [False]


def test_the_current_key_is_never_retired(path: Path) -> None:
    for force in (False, True):
        with pytest.raises(KeyRingError, match="current"):
            keys.retire(path, 0, 99 * DAY, MAX_AGE, force=force)


def test_a_key_that_was_never_used_may_go_at_once_and_its_id_is_not_given_again_soon(path: Path) -> None:
    """A node that still has the withdrawn key must not take another's tokens for its own."""
    keys.add(path, 1.0)
    keys.retire(path, 1, 1.0, MAX_AGE)
    assert keys.add(path, 2.0).id == 2


def test_only_a_new_key_can_become_current(path: Path) -> None:
    keys.add(path, 1.0)
    keys.use(path, 1, 2.0)
    for key_id, state in ((0, "old"), (1, "current")):
        with pytest.raises(KeyRingError, match=f"key {key_id} is {state}"):
            keys.use(path, key_id, 3.0)


def test_ids_go_round_and_never_meet_one_in_the_ring(path: Path) -> None:
    for turn in range(40):
        added = keys.add(path, float(turn))
        keys.use(path, added.id, float(turn))
        keys.retire(path, keys.load(path).keys[0].id, float(turn), MAX_AGE, force=True)
        assert added.id == (turn + 1) % 32


def test_a_full_ring_takes_no_more(path: Path) -> None:
    added = [keys.add(path, 1.0).id for _ in range(31)]
    assert sorted(added) == list(range(1, 32))
    with pytest.raises(KeyRingError, match="all 32 key ids are taken"):
        keys.add(path, 1.0)
    keys.retire(path, 7, 1.0, MAX_AGE)
    assert keys.add(path, 1.0).id == 7


def test_commands_at_once_do_not_lose_each_other_s_keys(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: keys.add(path, 1.0).id, range(20)))
    assert sorted(added) == list(range(1, 21))
    assert len(states(path)) == 21


def test_nodes_that_start_at_once_share_one_ring(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: keys.load_or_create(path, 1.0), range(8)))
    assert len({ring.current.secret for ring in rings}) == 1


def test_what_is_not_there_is_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match="there is no key 9; there are 0"):
        keys.use(path, 9, 1.0)
    with pytest.raises(KeyRingError, match="there is no key ring"):
        keys.load(tmp_path / "none.json")
    with pytest.raises(KeyRingError, match="there is no key ring"):
        keys.add(tmp_path / "state" / "none.json", 1.0)


def test_a_ring_open_to_others_is_refused_and_not_replaced(path: Path) -> None:
    before = path.read_bytes()
    path.chmod(0o644)
    with pytest.raises(KeyRingError, match="others may access it"):
        keys.load_or_create(path, 1.0)
    assert path.read_bytes() == before


def test_a_malformed_ring_is_refused_not_replaced_and_not_shown(path: Path) -> None:
    document = json.loads(path.read_bytes())
    secret = document["keys"][0]["secret"]
    document["keys"][0]["secret"] += "x"
    path.write_text(json.dumps(document))
    with pytest.raises(KeyRingError, match="entry 1 lacks a good id, secret") as caught:
        keys.load_or_create(path, 1.0)
    assert str(path) in str(caught.value)
    assert secret[:8] not in repr((caught.value, caught.value.__context__, caught.value.__cause__))
    assert secret in path.read_text()
