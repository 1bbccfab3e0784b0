"""What an account may be, and what is kept of a password."""

from __future__ import annotations

from hashlib import md5, new, sha256

import pytest

from config.account import (
    MAX_ADDRESSES,
    Account,
    AccountChange,
    AccountError,
    Secret,
    changed,
    checked_addresses,
    checked_username,
    secret_from_hex,
    secret_of,
)

SECRET = secret_of("alice", "sip.example.net", "pa55")


def test_three_hashes_are_kept_and_no_password() -> None:
    text = b"alice:sip.example.net:pa55"
    third = new("sha512_256", text).digest()
    assert Secret(sha256(text).digest(), md5(text, usedforsecurity=False).digest(), third) == SECRET


def test_nothing_shows() -> None:
    account = Account("alice", "sip.example.net", SECRET, ("alice@sip.example.net",))
    assert repr(account) == "Account(realm='sip.example.net', disabled=False)"
    assert repr(SECRET) == "Secret()"
    assert repr(AccountChange("alice", "r", SECRET)) == "AccountChange()"


def test_letters_are_composed() -> None:
    """RFC 7616 §4: what is typed in two ways is one password."""
    assert secret_of("a", "r", "u\u0308") == secret_of("a", "r", "\u00fc")
    assert checked_username(" u\u0308 ") == "\u00fc"


@pytest.mark.parametrize(
    "name", ["", " ", 'a"b', "a:b", "a\\b", "a\tb", "a\x00", "a\u200bb", "a" * 256, "\u00fc" * 128]
)
def test_what_is_no_username(name: str) -> None:
    with pytest.raises(AccountError) as caught:
        checked_username(name)
    assert not name.strip() or name not in str(caught.value)


@pytest.mark.parametrize("password", ["", "a\nb", "a\0", "a" * 1025])
def test_what_is_no_password(password: str) -> None:
    with pytest.raises(AccountError):
        secret_of("a", "r", password)


def test_addresses() -> None:
    assert checked_addresses("alice", "Example.NET", ()) == ("alice@example.net",)
    assert checked_addresses("alice@example.org", "r", ()) == ("alice@example.org",)
    given = ["sip:alice@EXAMPLE.net", "tel:+1-555-0123", "alice@example.net"]
    assert checked_addresses("x y", "r", given) == ("alice@example.net", "+15550123")


@pytest.mark.parametrize(
    ("name", "given"),
    [("x y", []), ("alice", ["nobody"]), ("alice", [f"{n}@a" for n in range(MAX_ADDRESSES + 1)])],
)
def test_what_are_no_addresses(name: str, given: list[str]) -> None:
    with pytest.raises(AccountError):
        checked_addresses(name, "r", given)


def test_hashes_from_elsewhere() -> None:
    two = SECRET.sha256.hex().upper(), f" {SECRET.md5.hex()} "
    assert secret_from_hex(*two) == SECRET._replace(sha512_256=None)
    assert SECRET.sha512_256 is not None
    assert secret_from_hex(*two, SECRET.sha512_256.hex()) == SECRET
    for wrong in ("ab", "x" * 64, "0" * 128):
        with pytest.raises(AccountError):
            secret_from_hex(*two, wrong)


def test_what_is_told_again_takes_nothing_away() -> None:
    """Two hashes of the password that it has leave the third; those of another one do not."""
    fresh = changed(None, AccountChange("alice", "example.net", SECRET))
    less = SECRET._replace(sha512_256=None)
    assert changed(fresh, AccountChange("alice", "example.net", less)).secret == SECRET
    other = secret_of("alice", "sip.example.net", "other")._replace(sha512_256=None)
    assert changed(fresh, AccountChange("alice", "example.net", other)).secret == other


@pytest.mark.parametrize(("one", "other"), [("", ""), ("ab", "cd"), ("x" * 64, "0" * 32), ("0" * 64, "")])
def test_hashes_that_are_none(one: str, other: str) -> None:
    with pytest.raises(AccountError):
        secret_from_hex(one, other)


def test_changes() -> None:
    fresh = changed(None, AccountChange("alice", "example.net", SECRET))
    assert fresh == Account("alice", "example.net", SECRET, ("alice@example.net",))
    off = changed(fresh, AccountChange("alice", "example.net", disabled=True))
    assert off == Account("alice", "example.net", SECRET, ("alice@example.net",), disabled=True)
    assert changed(off, AccountChange("alice", "example.net", None, ("b@c",))).addresses == ("b@c",)
    with pytest.raises(AccountError):
        changed(None, AccountChange("alice", "example.net"))
