"""What a phone may not say of a call: what only a network says (RFC 3325 §5), and who else had to do with it.

A trunk that is shown numbers takes from such headers who calls, who pays, who is served and how sure that is; of a
phone nobody has asked about them. From, and what we assert of it, say who calls. Who forwarded or transferred a call a
phone says of itself alone: carriers and cores let a number call, and have it pay, for its standing in Diversion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.address_of_record import addresses_of_record
from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr
from proxy.message import Draft, Message
from proxy.party import Party, is_phone
from proxy.shape import Names

CLAIMS: Final = (
    b"remote-party-id", b"p-charge-info", b"charge-info", b"p-served-user", b"p-called-party-id", b"p-associated-uri",
    b"attestation-info", b"origination-id", b"p-attestation-indicator", b"p-origination-id", b"p-asserted-service",
    b"p-charging-vector", b"p-charging-function-addresses", b"p-dcs-billing-info", b"p-profile-key", b"p-user-database",
    b"additional-identity", b"relayed-charge", b"p-dcs-laes", b"p-dcs-osps", b"p-dcs-redirect", b"p-dcs-trace-party-id",
    b"also", b"requested-by",
)  # fmt: skip
"""Headers of proxies (RFC 8496, 5502, 7315, 6050, 5503, 5002, 3GPP TS 24.229, ATIS-1000082, draft-ietf-sip-privacy),
and a transfer that no routing table is asked about (draft-ietf-sip-cc-01, which gateways obey to this day)."""
_ALL: Final = Names(*CLAIMS)
ABOUT_OTHERS: Final = (b"diversion", b"history-info", b"referred-by", b"reply-to")
"""Who forwarded a call (RFC 5806, 7044), who transferred it (RFC 3892), who is to be called back."""
_OTHERS: Final = Names(*ABOUT_OTHERS)


def remove_claims(draft: Draft, message: Message, sender: Party) -> None:
    """Remove what a phone claims; before anything is added to its message, and the plan is applied.

    Args:
        draft: of the message.
        message: as received.
        sender: which side it comes from.
    """
    if is_phone(sender):
        draft.clear(message.shape.places(_ALL), "a phone's word for what a network says")


def remove_foreign(draft: Draft, message: Message, sender: Party, *who: NameAddr | None) -> None:
    """Remove what a phone says in the name of others; as `remove_claims`.

    Args:
        draft: of the message.
        message: as received; of a request outside dialogs it says what is foreign (`Authenticator.vouch`).
        sender: which side it comes from.
        who: of all others: who that is by dialog and record; where nothing tells, whatever is named is another.
    """
    if message.shape.places(_OTHERS):
        _remove_foreign(draft, message, sender, who)


def _remove_foreign(draft: Draft, message: Message, sender: Party, who: tuple[NameAddr | None, ...]) -> None:
    names = message.foreign
    if is_phone(sender) and (message.status or message.to_tag):
        own = frozenset(own for address in who if address for own in addresses_of_record(address.uri, ()))
        names = foreign(message, lambda uri: not own.isdisjoint(addresses_of_record(uri, ())))
    for name in names:
        draft.remove_all(name, "names somebody else")


def foreign(message: Message, is_own: Callable[[bytes], bool]) -> tuple[bytes, ...]:
    """Return the names of the headers in which a phone names others than itself.

    A History-Info may name whom the request is for besides: its last entry is the Request-URI (RFC 7044 §9.1).

    Args:
        message: as received.
        is_own: tells whether a URI is one of the phone's.
    """
    index = message.index
    if not message.shape.places(_OTHERS):
        return ()
    return tuple([name for name in ABOUT_OTHERS if name in index and not _is_of(message, name, is_own)])


def _is_of(message: Message, name: bytes, is_own: Callable[[bytes], bool]) -> bool:
    named = (message.uri, message.to.uri) if name == b"history-info" else ()
    try:
        uris = [parse_name_addr(item).uri for item in message.items(name)]
    except Malformed:
        return False
    return all(uri.partition(b"?")[0] in named or is_own(uri) for uri in uris)
