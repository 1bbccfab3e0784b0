"""An account: who a phone says it is when it is asked, how that is proved, and as whom it may then speak.

What is kept of the password are its HA1 (RFC 7616 §3.4.2): H(username:realm:password) under SHA-512-256, SHA-256 and
MD5 (RFC 8760). Who reads them can answer challenges of this realm, and no others; so they are guarded like a password,
but tell none. Accounts that came as hashes from elsewhere, or from before Sipveil spoke SHA-512-256, lack the first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import md5, new, sha256
from typing import NamedTuple

from config.subscriber_address import AddressError, canonical

MAX_USERNAME = 255
MAX_PASSWORD = 1024
MAX_ADDRESSES = 64
"""Of one account: a phone with a line for each of them is a switchboard."""

SHA512_256_SIZE = 32
SHA256_SIZE = 32
MD5_SIZE = 16


class AccountError(ValueError):
    """Not an account; says what is wrong, and repeats nothing of what it was given."""


class Secret(NamedTuple):
    """What proves a password: its HA1, in bytes."""

    sha256: bytes
    md5: bytes
    sha512_256: bytes | None = None
    """None where nobody has told it."""

    def __repr__(self) -> str:
        """Show nothing."""
        return "Secret()"


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it is stored; nothing personal or secret shows in its repr."""

    username: str = field(repr=False)
    realm: str
    secret: Secret = field(repr=False)
    addresses: tuple[str, ...] = field(repr=False)
    """Canonical addresses of record (config.subscriber_address); the first is whom it is taken for."""
    disabled: bool = False


class AccountChange(NamedTuple):
    """What is to be said of an account; None leaves it as it is."""

    username: str
    realm: str
    secret: Secret | None = None
    addresses: tuple[str, ...] | None = None
    disabled: bool | None = None

    def __repr__(self) -> str:
        """Show nothing."""
        return "AccountChange()"


def checked_username(text: str) -> str:
    """Return a username in the form that phones send: composed letters, none that has to be escaped or confuses.

    A quote or backslash would be hashed by some as it stands and by others unescaped; a colon separates what is hashed.

    Raises:
        AccountError: it can be none.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name or len(name.encode()) > MAX_USERNAME:
        raise AccountError(f"the username has to have 1 to {MAX_USERNAME} bytes")
    if any(letter in '":\\' or unicodedata.category(letter).startswith("C") for letter in name):
        raise AccountError("the username has a quote, colon, backslash or control character in it")
    return name


def checked_addresses(username: str, realm: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return the canonical addresses of an account; where none are given, the one that its name stands for.

    Raises:
        AccountError: one is none, or there are too many.
    """
    wanted = [*given] or [username if "@" in username else f"{username}@{realm}"]
    try:
        found = tuple(dict.fromkeys(canonical(each).decode() for each in wanted))
    except AddressError as error:
        raise AccountError(f"an address {error}") from None
    if len(found) > MAX_ADDRESSES:
        raise AccountError(f"an account has {MAX_ADDRESSES} addresses at most")
    return found


def secret_of(username: str, realm: str, password: str) -> Secret:
    """Return what is kept of a password.

    Raises:
        AccountError: it is empty, or longer than anybody's.
    """
    text = unicodedata.normalize("NFC", password)
    if not text or len(text.encode()) > MAX_PASSWORD or any(letter in "\r\n\0" for letter in text):
        raise AccountError(f"the password has to be one line of 1 to {MAX_PASSWORD} bytes")
    hashed = f"{username}:{realm}:{text}".encode()
    return Secret(
        sha256(hashed).digest(), md5(hashed, usedforsecurity=False).digest(), new("sha512_256", hashed).digest()
    )


def secret_from_hex(sha256_text: str, md5_text: str, sha512_256_text: str = "") -> Secret:
    """Return a secret that another system has kept as hexadecimal HA1; that under SHA-512-256 may be missing.

    Raises:
        AccountError: one is not as long as it must be.
    """
    try:
        first, second, third = (bytes.fromhex(text.strip()) for text in (sha256_text, md5_text, sha512_256_text))
    except ValueError:
        raise AccountError("an HA1 is not hexadecimal") from None
    if (len(first), len(second)) != (SHA256_SIZE, MD5_SIZE):
        raise AccountError("ha1_sha256 has to have 64 and ha1_md5 32 hexadecimal digits, both of them")
    if len(third) not in (0, SHA512_256_SIZE):
        raise AccountError("ha1_sha512_256 has to have 64 hexadecimal digits, or to be left out")
    return Secret(first, second, third or None)


def changed(before: Account | None, change: AccountChange) -> Account:
    """Return the account that a change leads to.

    Raises:
        AccountError: a new one would have no password.
    """
    secret = change.secret or (before.secret if before else None)
    if secret is None:
        raise AccountError("a new account needs a password")
    if secret.sha512_256 is None and before is not None and secret[:2] == before.secret[:2]:
        secret = before.secret  # the same password, told by who does not know its third hash
    addresses = change.addresses
    if addresses is None:
        addresses = before.addresses if before else checked_addresses(change.username, change.realm, ())
    disabled = change.disabled if change.disabled is not None else (before.disabled if before else False)
    return Account(change.username, change.realm, secret, addresses, disabled)
