"""Accounts in memory: small, found at once, and never half of one."""

from __future__ import annotations

import tracemalloc

import pytest

from config.account import Account, Secret
from config.accounts import Accounts, addresses_of, is_disabled, md5_of, pack, sha256_of

SECRET = Secret(bytes(range(32)), bytes(range(100, 116)))
REALM = b"sip.example.net"


def account(name: str = "alice", *addresses: str, disabled: bool = False) -> Account:
    return Account(name, "sip.example.net", SECRET, addresses or (f"{name}@sip.example.net",), disabled)


@pytest.mark.parametrize("addresses", [(), ("a@b", "+15550123"), ("x" * 255 + "@h",), ("alice@sip.example.net", "c@d")])
def test_all_that_it_says_comes_back(addresses: tuple[str, ...]) -> None:
    packed = pack(account("alice", *addresses, disabled=True))
    assert is_disabled(packed)
    assert (md5_of(packed), sha256_of(packed)) == (SECRET.md5, SECRET.sha256)
    expected = tuple(map(str.encode, addresses)) or (b"alice@sip.example.net",)
    assert addresses_of(packed, b"alice", REALM) == expected


def test_an_account_that_is_not_disabled() -> None:
    assert not is_disabled(pack(account()))


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
    assert size < 25_000_000
