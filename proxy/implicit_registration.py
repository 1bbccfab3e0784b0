"""Whom a call to an address rings by the accounts: an account that registers one address is there for its others too
(TS 24.229 §5.4.1.2.2: implicitly registered public user identities).

Only what the account itself has registered counts, and only while the address that is called is its own: an address
that several accounts have leads nobody's calls to who has it only in common. What changes in the accounts holds from
the next call on, also for who is registered already.
"""

from __future__ import annotations

from typing import Final

from config.accounts import Accounts, addresses_of, is_disabled
from config.registrar_section import Registrar as Section
from config.settings import Settings
from proxy.bindings import Binding, Bindings
from proxy.memo import remembered_by_all
from proxy.registered_address import address_of_record

MOST_ACCOUNTS: Final = 64
"""Accounts with one address that are looked at for a call; what is more is a distribution list, and rings nobody."""


class Entitled:
    """The bindings of a table that may be called, as the accounts are now."""

    __slots__ = ("_accounts", "_domains", "_realm", "_table")

    def __init__(self, table: Bindings, accounts: Accounts | None, settings: Settings) -> None:
        """Ask accounts; without any, or without `[authentication]`, whoever is registered may be called."""
        section, asked = settings.registrar, settings.authentication
        self._table = table
        self._domains = domains_of(section) if section is not None else ()
        self._realm = asked.realm.encode() if asked is not None else b""
        # While nobody knows the accounts, who was proved stays, and nothing is concluded from what nobody knows.
        self._accounts = accounts if asked is not None and accounts is not None and accounts.are_known else None

    def of(self, aor: bytes) -> tuple[Binding, ...]:
        """Return the bindings of an address of record, less those of accounts that it is not of any more."""
        bindings = self._table.of(aor)
        if self._accounts is None or not bindings:
            return bindings
        return tuple([each for each in bindings if not each.account or aor in self._addresses(each.account.encode())])

    def of_accounts(self, aor: bytes) -> dict[bytes, tuple[Binding, ...]]:
        """Return the bindings, by address of record, that the accounts of an address have under their others.

        Of each account those of its main address, or else of the first that it has any for.
        """
        found: dict[bytes, tuple[Binding, ...]] = {}
        if self._accounts is None:
            return found
        for username in self._accounts.sharing.find(self._realm, aor)[:MOST_ACCOUNTS]:
            addresses = self._addresses(username)
            if aor not in addresses:
                continue
            name = username.decode()
            for other in addresses:
                own = tuple([each for each in self._table.of(other) if each.account == name])
                if own:
                    found[other] = found.get(other, ()) + own
                    break
        return found

    def _addresses(self, username: bytes) -> tuple[bytes, ...]:
        """Return the addresses of record of an account, the main one first; () where it is gone or disabled."""
        packed = self._accounts.find(self._realm, username) if self._accounts is not None else None
        if packed is None or is_disabled(packed):
            return ()
        return registered_as(addresses_of(packed, username, self._realm), self._domains)


def domains_of(section: Section) -> tuple[bytes, ...]:
    """Return the registrar's domains, canonical."""
    return tuple([domain.lower().removesuffix(".").encode() for domain in section.domains])


@remembered_by_all
def registered_as(addresses: tuple[bytes, ...], domains: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the addresses of record that an account with these addresses may have registered, in their order."""
    found: list[bytes] = []
    for address in addresses:
        user, at, host = address.rpartition(b"@")
        if at:
            found.append(address_of_record(user, host))
        if not at or user[:1] == b"+":  # a number is the same at each of them
            found += [address_of_record(user if at else address, domain) for domain in domains]
    return tuple(dict.fromkeys(found))
