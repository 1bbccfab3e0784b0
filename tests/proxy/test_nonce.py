"""Nonces: ours come back, and nothing else does."""

from __future__ import annotations

import pytest

from proxy.encoding import from_base64
from proxy.letters import to_base64
from proxy.nonce import FOREIGN, SKEW, STALE, Nonces
from proxy.tokens import Tokens
from tests.world import WALL, keyring

HERE, FLOOR = b"10.1.1.23", WALL - 1000


def nonces(
    *ids: int, realm: bytes = b"sip.example.net", life: int = 300, worker: int = 0, shared: bool = False
) -> Nonces:
    return Nonces(Tokens(keyring(*ids)), realm, life, worker, shared=shared)


def worth(nonce: bytes, *, by: Nonces | None = None, origin: bytes = HERE, wall: int = WALL, floor: int = FLOOR) -> int:
    """Return what `judge` does: when a fresh one was made, else STALE or FOREIGN."""
    return (by or nonces()).judge(nonce, origin, wall, floor)


def test_another_s_to_count_is_worth_nothing() -> None:
    """Where workers count apart: repeated with another To or Call-ID, it meets who has not counted it."""
    nonce = nonces(worker=1).make(HERE, WALL, FLOOR)
    assert worth(nonce, by=nonces(worker=1)) == WALL
    assert worth(nonce, by=nonces(worker=2)) == FOREIGN
    assert worth(nonce, by=nonces(worker=2, shared=True)) == WALL


def test_no_two_workers_make_one() -> None:
    """Nor does one that was started anew in the same second: two phones of one address would share its count."""
    makers = [nonces(worker=worker, shared=True) for worker in (0, 1)]
    made = [maker.make(HERE, WALL, FLOOR) for maker in makers for _ in range(1 << 16)]
    assert len(set(made)) == len(made)
    firsts = {nonces().make(HERE, WALL, FLOOR) for _ in range(20)}
    assert len(firsts) > 15


def test_another_node_takes_it() -> None:
    """All it has in common with the maker is the key ring."""
    nonce = nonces().make(HERE, WALL, FLOOR)
    assert len(nonce) == 27
    assert worth(nonce) == WALL


def test_no_two_are_alike() -> None:
    """Two phones of one address in one second would else use up one another's count."""
    maker = nonces()
    assert len({maker.make(HERE, WALL, FLOOR) for _ in range(1000)}) == 1000


def test_it_is_for_one_address_and_one_realm() -> None:
    nonce = nonces().make(HERE, WALL, FLOOR)
    assert worth(nonce, origin=b"10.1.1.24") == FOREIGN
    assert worth(nonce, by=nonces(realm=b"other")) == FOREIGN


def test_it_ages() -> None:
    nonce = nonces().make(HERE, WALL, FLOOR)
    assert worth(nonce, wall=WALL + 300) == WALL
    assert worth(nonce, wall=WALL + 301) == STALE


def test_a_former_key_still_opens_and_a_destroyed_one_does_not() -> None:
    nonce = nonces(3).make(HERE, WALL, FLOOR)
    assert worth(nonce, by=nonces(3, 4)) == WALL
    assert worth(nonce, by=nonces(4)) == FOREIGN


def test_what_was_issued_before_we_keep_count_is_old() -> None:
    nonce = nonces().make(HERE, WALL, FLOOR)
    assert worth(nonce, floor=WALL) == STALE
    assert worth(nonces().make(HERE, WALL, WALL), floor=WALL) == WALL + 1


@pytest.mark.parametrize("back", [1, 100, 100_000])
def test_a_clock_that_is_set_back_locks_nobody_out(back: int) -> None:
    """Floor is then in the future, and what is made counts from there."""
    nonce = nonces().make(HERE, WALL - back, WALL)
    assert worth(nonce, wall=WALL - back, floor=WALL) == WALL + 1


def test_another_node_may_be_a_little_ahead() -> None:
    assert worth(nonces().make(HERE, WALL + SKEW, FLOOR)) == WALL + SKEW
    assert worth(nonces().make(HERE, WALL + SKEW + 1, FLOOR)) == STALE


def test_every_bit_counts() -> None:
    raw = from_base64(nonces().make(HERE, WALL, FLOOR))
    for bit in range(8 * len(raw)):
        forged = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")
        assert worth(to_base64(forged)) == FOREIGN


@pytest.mark.parametrize(
    "garbage", [b"", b"n", b"A" * 27, b"A" * 3000, b"\xff" * 27, b"=" * 26, b"dcd98b7102dd2f0e8b11"]
)
def test_garbage(garbage: bytes) -> None:
    assert worth(garbage) == FOREIGN
