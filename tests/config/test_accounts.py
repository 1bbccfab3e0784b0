"""Accounts in memory: small, found at once, and never half of one."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from config.account import Account, Secret
from config.accounts import (
    Accounts,
    addresses_of,
    has_sha512_256,
    is_disabled,
    md5_of,
    pack,
    sha256_of,
    sha512_256_of,
    stand_in,
)
from config.user_hashes import user_hash

SECRET = Secret(bytes(range(32)), bytes(range(100, 116)), bytes(range(200, 232)))
REALM = b"sip.example.net"


def account(name: str = "alice", *addresses: str, disabled: bool = False) -> Account:
    return Account(name, "sip.example.net", SECRET, addresses or (f"{name}@sip.example.net",), disabled)


@pytest.mark.parametrize("addresses", [(), ("a@b", "+15550123"), ("x" * 255 + "@h",), ("alice@sip.example.net", "c@d")])
def test_all_that_it_says_comes_back(addresses: tuple[str, ...]) -> None:
    packed = pack(account("alice", *addresses, disabled=True))
    assert is_disabled(packed)
    assert (md5_of(packed), sha256_of(packed), sha512_256_of(packed)) == (SECRET.md5, SECRET.sha256, SECRET.sha512_256)
    expected = tuple(map(str.encode, addresses)) or (b"alice@sip.example.net",)
    assert addresses_of(packed, b"alice", REALM) == expected


def test_an_account_that_is_not_disabled() -> None:
    assert not is_disabled(pack(account()))


@pytest.mark.parametrize("addresses", [(), ("a@b", "+15550123")])
def test_an_account_without_the_third_hash(addresses: tuple[str, ...]) -> None:
    packed = pack(replace(account("alice", *addresses), secret=SECRET._replace(sha512_256=None)))
    assert not has_sha512_256(packed)
    assert (md5_of(packed), sha256_of(packed), sha512_256_of(packed)) == (SECRET.md5, SECRET.sha256, b"")
    expected = tuple(map(str.encode, addresses)) or (b"alice@sip.example.net",)
    assert addresses_of(packed, b"alice", REALM) == expected


def test_who_stands_in_has_all_three() -> None:
    packed = stand_in(bytes(range(80)))
    assert (len(md5_of(packed)), len(sha256_of(packed)), len(sha512_256_of(packed))) == (16, 32, 32)
    assert not is_disabled(packed)


def test_whether_all_have_the_third_hash() -> None:
    """Counted through changes and removals, for each realm by itself."""
    full, less = b"\2" + bytes(80), b"\0" + bytes(48)
    accounts = Accounts()
    assert accounts.all_have_sha512_256(REALM)
    accounts.replace({REALM: {b"alice": full}, b"other": {b"bob": less}})
    assert (accounts.all_have_sha512_256(REALM), accounts.all_have_sha512_256(b"other")) == (True, False)
    accounts.patch({REALM: {b"carol": less}}, None)
    assert not accounts.all_have_sha512_256(REALM)
    accounts.patch({b"other": {b"bob": full}}, {(REALM, b"alice"), (b"other", b"bob")})
    assert (accounts.all_have_sha512_256(REALM), accounts.all_have_sha512_256(b"other")) == (True, True)


def test_names_are_found_by_their_hashes_as_accounts_come_and_go() -> None:
    accounts = Accounts()
    accounts.hashes.wanted = True
    accounts.replace({REALM: {b"alice": b"\2" + bytes(80)}})
    assert not accounts.hashes.are_known
    accounts.index()
    accounts.patch({REALM: {b"bob": b"\2" + bytes(80)}}, None)
    assert accounts.hashes.find(REALM, b"MD5", user_hash(b"MD5", b"bob", REALM)) == b"bob"
    accounts.patch({}, {(REALM, b"bob")})
    accounts.index()
    assert accounts.hashes.find(REALM, b"MD5", user_hash(b"MD5", b"alice", REALM)) is None


def test_realms_are_apart() -> None:
    accounts = Accounts()
    accounts.replace({REALM: {b"alice": b"1"}, b"other": {b"bob": b"2"}})
    assert (accounts.find(REALM, b"alice"), accounts.find(b"other", b"alice")) == (b"1", None)
    assert accounts.find(b"third", b"alice") is None
    assert len(accounts) == 2


def test_changes_and_removals() -> None:
    accounts = Accounts()
    accounts.replace({REALM: {b"alice": b"1", b"bob": b"2"}})
    accounts.patch({REALM: {b"bob": b"3"}, b"other": {b"carol": b"4"}}, None)
    assert accounts.find(REALM, b"bob") == b"3"
    accounts.patch({}, {(REALM, b"bob"), (b"other", b"carol")})
    assert (accounts.find(REALM, b"alice"), accounts.find(b"other", b"carol")) == (None, b"4")


def test_a_hundred_thousand_are_small() -> None:
    names = [f"user{number}" for number in range(100_000)]
    tracemalloc.start()
    accounts = Accounts()
    accounts.replace({REALM: {name.encode(): pack(account(name)) for name in names}})
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(accounts) == 100_000
    assert size < 27_000_000


def test_who_has_several_addresses_is_found_by_each_as_the_store_changes() -> None:
    """Read whole, changed, removed: by what stands there now, and by nothing else."""
    found = Accounts()
    found.replace({REALM: {b"alice": pack(account("alice", "a@h", "+15550123"))}})
    assert found.sharing.find(REALM, b"+15550123@h") == (b"alice",)
    found.patch(
        {REALM: {b"bob": pack(account("bob", "b@h", "+15550123")), b"alice": pack(account("alice", "a@h"))}}, None
    )
    assert found.sharing.find(REALM, b"+15550123@h") == (b"bob",)
    found.patch({}, {(REALM, b"alice")})
    assert found.sharing.find(REALM, b"+15550123@h") == ()
    found.replace({})
    assert found.sharing.find(REALM, b"a@h") == ()
