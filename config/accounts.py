"""All accounts in memory, packed: what the hot path asks when a phone proves who it is.

    flags (1 byte) | HA1 under MD5 (16) | SHA-256 (32) | SHA-512-256 (32, with its flag) | addresses, each behind its
    length (2)

An account whose only address is the one that its name stands for, as most are, has no addresses there. So a hundred
thousand take some 25 MB, and to find one is a look into a dictionary. Who fills it: config.subscribers says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from config.account import MD5_SIZE, SHA256_SIZE, SHA512_256_SIZE, Account
from config.account_addresses import AccountAddresses
from config.user_hashes import UserHashes

Realms = Mapping[bytes, Mapping[bytes, bytes]]
"""Realm → username → packed account."""

NO_ACCOUNTS: Realms = {}

_DISABLED = 1
_SHA512_256 = 2
_MD5_END = 1 + MD5_SIZE
_SHA256_END = _MD5_END + SHA256_SIZE
_SHA512_256_END = _SHA256_END + SHA512_256_SIZE


def pack(account: Account) -> bytes:
    """Return the packed form of an account."""
    secret, third = account.secret, account.secret.sha512_256
    flags = bytes(((_DISABLED if account.disabled else 0) | (_SHA512_256 if third else 0),))
    addresses = [address.encode() for address in account.addresses]
    if addresses == [implied(account.username.encode(), account.realm.encode())]:
        addresses = []
    behind = b"".join(len(each).to_bytes(2, "big") + each for each in addresses)
    return flags + secret.md5 + secret.sha256 + (third or b"") + behind


def stand_in(secrets: bytes) -> bytes:
    """Return what takes the place of an account that there is not: secrets that nobody knows, all three together."""
    return bytes((_SHA512_256,)) + secrets


def is_disabled(packed: bytes) -> bool:
    """Tell whether an account may do nothing."""
    return bool(packed[0] & _DISABLED)


def md5_of(packed: bytes) -> bytes:
    """Return HA1 under MD5."""
    return packed[1:_MD5_END]


def sha256_of(packed: bytes) -> bytes:
    """Return HA1 under SHA-256."""
    return packed[_MD5_END:_SHA256_END]


def has_sha512_256(packed: bytes) -> bool:
    """Tell whether HA1 under SHA-512-256 is known."""
    return bool(packed[0] & _SHA512_256)


def sha512_256_of(packed: bytes) -> bytes:
    """Return HA1 under SHA-512-256, b"" where it is not known."""
    return packed[_SHA256_END:_SHA512_256_END] if has_sha512_256(packed) else b""


def addresses_of(packed: bytes, username: bytes, realm: bytes) -> tuple[bytes, ...]:
    """Return the canonical addresses of an account, the one that it is taken for first."""
    position = _SHA512_256_END if has_sha512_256(packed) else _SHA256_END
    if len(packed) == position:
        return (implied(username, realm),)
    found: list[bytes] = []
    while position < len(packed):
        end = position + 2 + int.from_bytes(packed[position : position + 2], "big")
        found.append(packed[position + 2 : end])
        position = end
    return tuple(found)


def implied(username: bytes, realm: bytes) -> bytes:
    """Return the address that a username stands for, where it is written canonically."""
    return b"%b@%b" % (username, realm.lower())


class Accounts:
    """The accounts of all realms; changed by a thread, one dictionary operation at a time."""

    def __init__(self) -> None:
        """Know nobody, and that this is not all there is to know."""
        self._realms: dict[bytes, dict[bytes, bytes]] = {}
        self.are_known = False
        """Whether what stands here holds: not before a store was read, nor when that is too long ago."""
        self.hashes = UserHashes()
        """Names by their hashes, where phones may send these."""
        self.sharing = AccountAddresses()
        """Names by the addresses of accounts that have several."""
        self._lacking: dict[bytes, int] = {}
        """Realm → how many of its accounts lack HA1 under SHA-512-256."""

    def find(self, realm: bytes, username: bytes) -> bytes | None:
        """Return the packed account, None where there is none."""
        names = self._realms.get(realm)
        return None if names is None else names.get(username)

    def all_have_sha512_256(self, realm: bytes) -> bool:
        """Tell whether each account of a realm has HA1 under SHA-512-256."""
        return not self._lacking.get(realm, 0)

    def index(self) -> None:
        """Have names found by their hashes, where that is wanted and not yet so: it takes a while, in the thread."""
        self.hashes.make(self._realms)

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(map(len, tuple(self._realms.values())))

    def replace(self, realms: Realms) -> None:
        """Take over all that a store says."""
        self._realms = {realm: dict(names) for realm, names in realms.items()}
        self._lacking = {realm: _count_lacking(names) for realm, names in realms.items()}
        self.hashes.forget()
        self.sharing.replace({realm: _all_addresses(realm, names) for realm, names in realms.items()})

    def patch(self, changed: Realms, remaining: Set[tuple[bytes, bytes]] | None) -> None:
        """Take over what has changed; where one was removed, remaining is each (realm, username) still there."""
        for realm, names in changed.items():
            known = self._realms.setdefault(realm, {})
            for username, packed in names.items():
                self.sharing.change(realm, username, *_addresses(realm, username, known.get(username), packed))
            known.update(names)
            self.hashes.add(realm, names)
        if remaining is not None:
            for realm, known in tuple(self._realms.items()):
                for username in tuple(known):
                    if (realm, username) not in remaining:
                        self.sharing.change(realm, username, *_addresses(realm, username, known.pop(username), None))
            self.hashes.forget()
        self._lacking = {realm: _count_lacking(names) for realm, names in self._realms.items()}


def _all_addresses(realm: bytes, names: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    for username, packed in names.items():
        yield username, addresses_of(packed, username, realm)


def _addresses(
    realm: bytes, username: bytes, before: bytes | None, after: bytes | None
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the addresses of an account before and after a change; () where there was, or is, none."""
    first, second = [() if each is None else addresses_of(each, username, realm) for each in (before, after)]
    return first, second


def _count_lacking(names: Mapping[bytes, bytes]) -> int:
    return sum(1 for packed in names.values() if not has_sha512_256(packed))
