"""Names by their hashes: found under each algorithm, whole hashes alone, and only where that is wanted."""

from __future__ import annotations

from hashlib import sha256

import pytest

from config.user_hashes import ALGORITHMS, KEPT, UserHashes, user_hash

REALM = b"sip.example.net"


@pytest.fixture
def known() -> UserHashes:
    hashes = UserHashes()
    hashes.wanted = True
    hashes.make({REALM: {b"alice": b"", b"bob": b""}, b"other": {b"carol": b""}})
    return hashes


def test_the_hash() -> None:
    assert user_hash(b"SHA-256", b"alice", REALM) == sha256(b"alice:sip.example.net").digest()
    assert [len(user_hash(each, b"a", REALM)) for each in ALGORITHMS] == [32, 32, 16]


def test_the_example_of_the_rfc() -> None:
    """RFC 7616 §3.9.2 with its erratum 4897: J\u00e4s\u00f8n Doe of api@example.org under SHA-512-256."""
    assert user_hash(b"SHA-512-256", "J\u00e4s\u00f8n Doe".encode(), b"api@example.org").hex() == (
        "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_who_is_found(known: UserHashes, algorithm: bytes) -> None:
    hashed = user_hash(algorithm, b"alice", REALM)
    assert known.find(REALM, algorithm, hashed) == b"alice"
    assert known.find(b"other", algorithm, hashed) is None
    assert known.find(b"third", algorithm, hashed) is None
    assert known.find(REALM, algorithm, hashed[:KEPT] + bytes(len(hashed) - KEPT)) is None
    assert known.find(REALM, algorithm, user_hash(algorithm, b"mallory", REALM)) is None


def test_another_algorithm_s_hash_is_nobody(known: UserHashes) -> None:
    assert known.find(REALM, b"SHA-512-256", user_hash(b"SHA-256", b"alice", REALM)) is None


def test_who_comes_and_goes(known: UserHashes) -> None:
    known.add(REALM, [b"dave"])
    assert known.find(REALM, b"MD5", user_hash(b"MD5", b"dave", REALM)) == b"dave"
    known.forget()
    assert not known.are_known
    known.make({REALM: {b"dave": b""}})
    assert known.are_known
    assert known.find(REALM, b"MD5", user_hash(b"MD5", b"alice", REALM)) is None


def test_nothing_is_kept_that_nobody_wants() -> None:
    hashes = UserHashes()
    hashes.make({REALM: {b"alice": b""}})
    hashes.add(REALM, [b"bob"])
    assert not hashes.are_known
    assert hashes.find(REALM, b"MD5", user_hash(b"MD5", b"bob", REALM)) is None
    hashes.wanted = True
    hashes.make({REALM: {b"alice": b""}})
    hashes.wanted = False
    hashes.make({REALM: {b"alice": b""}})
    assert hashes.find(REALM, b"MD5", user_hash(b"MD5", b"alice", REALM)) is None
