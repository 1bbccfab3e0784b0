"""What only a network may say of a call: a phone's word for it is removed, whatever may be shown (RFC 3325 §5).

A trunk that is shown numbers takes from such headers who calls, who pays, who is served and how sure that is; of a
phone nobody has asked about them. From, and what we assert of it, say who calls.
"""

from __future__ import annotations

from typing import Final

from proxy.message import Draft, Message
from proxy.routing import Party, is_phone

CLAIMS: Final = (
    b"remote-party-id", b"p-charge-info", b"charge-info", b"p-served-user", b"p-called-party-id", b"p-associated-uri",
    b"attestation-info", b"origination-id", b"p-attestation-indicator", b"p-origination-id", b"p-asserted-service",
    b"p-charging-vector", b"p-charging-function-addresses", b"p-dcs-billing-info", b"p-profile-key", b"p-user-database",
)  # fmt: skip
"""Headers of proxies (RFC 8496, 5502, 7315, 6050, 5603, 5002, 3GPP TS 24.229, ATIS-1000082, draft-ietf-sip-privacy)."""
_ALL = frozenset(CLAIMS)


def remove_claims(draft: Draft, message: Message, sender: Party) -> None:
    """Remove what a phone claims in a request; before anything is added to it, and its plan is applied.

    Args:
        draft: of the message.
        message: as received.
        sender: which side it comes from.
    """
    if not is_phone(sender) or _ALL.isdisjoint(message.index):
        return
    for name in CLAIMS:
        if name in message.index:
            draft.remove_all(name, "a phone's word for what a network says")
