"""Accounts by their addresses: found by each of several, and by no former one."""

from __future__ import annotations

import pytest

from config.account_addresses import AccountAddresses

REALM = b"example.net"
ALICE = (b"alice@example.net", b"+15550123", b"sales@example.net")


def known(**accounts: tuple[bytes, ...]) -> AccountAddresses:
    found = AccountAddresses()
    found.replace({REALM: [(name.encode(), addresses) for name, addresses in accounts.items()]})
    return found


@pytest.mark.parametrize(
    "address",
    [b"alice@example.net", b"+15550123", b"+15550123@example.net", b"+1555-0123@other.example", b"sales@example.net"],
)
def test_by_each_address_and_a_number_at_each_host(address: bytes) -> None:
    assert known(alice=ALICE).find(REALM, address) == (b"alice",)


@pytest.mark.parametrize("address", [b"Alice@example.net", b"alice@example.com", b"+15550124", b"15550123", b"", b"@"])
def test_by_nothing_else(address: bytes) -> None:
    assert known(alice=ALICE).find(REALM, address) == ()


def test_each_realm_by_itself() -> None:
    assert known(alice=ALICE).find(b"other", ALICE[0]) == ()


def test_who_has_one_address_takes_no_room() -> None:
    found = known(bob=(b"bob@example.net",))
    found.change(REALM, b"carol", (), (b"carol@example.net",))
    assert found._realms == {REALM: {}}


def test_accounts_may_share_one() -> None:
    found = known(alice=ALICE, bob=(b"bob@example.net", b"sales@example.net"))
    assert found.find(REALM, b"sales@example.net") == (b"alice", b"bob")


def test_a_change_is_followed() -> None:
    """Added, moved to another account, left with one, gone: and what nobody has is forgotten."""
    found = known(alice=ALICE)
    found.change(REALM, b"bob", (), (b"bob@example.net", b"sales@example.net"))
    found.change(REALM, b"alice", ALICE, ALICE[:2])
    assert found.find(REALM, b"sales@example.net") == (b"bob",)
    found.change(REALM, b"alice", ALICE[:2], ALICE[:1])
    assert found.find(REALM, ALICE[1]) == found.find(REALM, ALICE[0]) == ()
    found.change(REALM, b"bob", (b"bob@example.net", b"sales@example.net"), ())
    assert found._realms == {REALM: {}}
