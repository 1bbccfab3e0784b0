"""Whose a URI is: the canonical addresses of record that it may be stored as (config.subscriber_address)."""

from __future__ import annotations

from config.subscriber_address import forms, from_parts
from proxy.errors import Malformed
from proxy.memo import remembered_by_all
from proxy.uri import parse_sip_uri


@remembered_by_all
def addresses_of_record(uri: bytes, realms: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the canonical addresses of record that a URI may be stored as, its own first; () for what has none.

    Args:
        uri: sip, sips or tel.
        realms: those that a number without a host belongs to.
    """
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return ()
    if parsed is not None:
        return forms(from_parts(parsed.user.partition(b";")[0], parsed.host), realms)
    if uri[:4].lower() == b"tel:":
        return forms(uri[4:].partition(b";")[0].translate(None, b"-.()"), realms)
    return ()
