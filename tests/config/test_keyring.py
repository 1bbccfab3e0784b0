"""The ring and its form in keys.json."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.keyring import Key, KeyRing, KeyRingError, KeyState, decode, encode

SECRET = b"\xa5Very secret key material, 32 b."
RING = KeyRing(
    (
        Key(30, bytes(32), 1.0, KeyState.OLD, 5.0),
        Key(31, SECRET, 2.0, KeyState.CURRENT),
        Key(0, bytes(32), 3.0, KeyState.NEW),
    ),
    next_id=1,
)


def shows_secret(text: str) -> bool:
    return any(part in text for part in ("secret key", base64.b64encode(SECRET).decode()[:12], SECRET.hex()[:12]))


def test_keys_are_found_by_id() -> None:
    assert RING.current.id == 31
    assert RING.get(0) is RING.keys[2]
    assert RING.get(5) is None


def test_no_repr_shows_a_secret() -> None:
    assert not shows_secret(repr(RING))
    assert not shows_secret(repr(RING.current))


def test_a_ring_has_one_current_key_and_no_id_twice() -> None:
    old, current, new = RING.keys
    for keys in ((old, new), (current, current), ()):
        with pytest.raises(KeyRingError):
            KeyRing(keys, 0)


def test_written_and_read_again_it_is_the_same() -> None:
    assert decode(encode(RING)) == RING


def broken(change: dict[str, Any], place: int = 1) -> bytes:
    """Return the file of RING with one key changed."""
    document = json.loads(encode(RING))
    document["keys"][place] |= change
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"version": 2}',
        b'{"version": 1, "next_id": 0}',
        b'{"version": 1, "next_id": 32, "keys": []}',
        b'{"version": 1, "next_id": 0, "keys": []}',
        b'{"version": 1, "next_id": 0, "keys": [1]}',
        encode(RING)[:-40],
        broken({"id": 32}),
        broken({"id": True}),
        broken({"id": 30}),
        broken({"secret": "AAAA"}),
        broken({"secret": "é"}),
        broken({"secret": base64.b64encode(SECRET).decode() + "!"}),
        broken({"secret": 5}),
        broken({"created": "now"}),
        broken({"created": float("nan")}),
        broken({"state": "burnt"}),
        broken({"state": "old"}),
        broken({"state": []}),
        broken({"superseded": 7}),
        broken({"superseded": None}, place=0),
        broken({"state": "current"}, place=2),
    ],
)
def test_a_malformed_file_is_refused_without_a_word_of_it(content: bytes) -> None:
    with pytest.raises(KeyRingError) as caught:
        decode(content)
    error: BaseException | None = caught.value
    while error is not None:
        assert not shows_secret(f"{error!r} {vars(error)}")
        error = error.__context__


@given(
    st.binary(max_size=80)
    | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(
        lambda value: json.dumps({"version": 1, "next_id": 0, "keys": value}).encode()
    )
)
def test_no_content_breaks_the_reader(content: bytes) -> None:
    with pytest.raises(KeyRingError):
        decode(content)
