"""Calls to what we have registered at a trunk: whom they are for.

A registrar sends a call to the Contact that was registered (RFC 3261 §16.5), so the number that was called no longer
stands in the Request-URI. Carriers say it in P-Called-Party-ID (RFC 7315 §4.2) or in To. With RFC 6140 and SIPconnect
it is in the Request-URI, before our address, and there is nothing to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import Malformed
from proxy.register_client import is_contact_user, user_of
from proxy.uri import SipUri, parse_sip_uri

if TYPE_CHECKING:
    from config.settings import Trunk
    from proxy.generation import Generation
    from proxy.initial import Arrival
    from proxy.message import Message


def find_called(generation: Generation, arrival: Arrival) -> None:
    """Put the number that was called in the place of our Contact, where a trunk sends its request there.

    Only the trunk itself knows its Contact, and it alone is obeyed: it might as well have written the number.
    """
    uri, trunk = arrival.uri, arrival.source.trunk
    if uri is None or trunk is None or not generation.network.is_us(uri.host, uri.port):
        return
    if not is_contact_user(generation.tokens, trunk, uri.user):
        return
    called = SipUri(uri.scheme, _called(arrival.request, trunk), uri.host, uri.port, b"", b"")
    arrival.uri = called
    arrival.called = arrival.dialled = bytes(called)


def _called(request: Message, trunk: Trunk) -> bytes:
    """Return the user part of who is called; who the registration stands for, where nobody is named."""
    section, own = trunk.registration, user_of(trunk)
    assert section is not None  # noqa: S101 -- its Contact was called
    nobody = (b"", own, (section.contact_user or "").encode())
    for name in section.called:
        user = _user(request.to.uri if name == "to" else _named(request, name.encode()))
        if user not in nobody:
            return user
    return (section.number or "").encode() or own


def _named(request: Message, name: bytes) -> bytes:
    """Return the URI in a header; b"" for one that cannot be read, or is not there."""
    try:
        address = request.address(name)
    except Malformed:
        return b""
    return address.uri if address is not None else b""


def _user(uri: bytes) -> bytes:
    """Return the number or name of a sip or tel URI that may stand in a Request-URI; b"" where it has none."""
    scheme, _, rest = uri.partition(b":")
    try:
        if scheme.lower() == b"tel":
            sip = parse_sip_uri(b"sip:%b@invalid" % rest.partition(b";")[0])
        else:
            sip = parse_sip_uri(uri)
    except Malformed:
        return b""
    return sip.user.partition(b";")[0] if sip is not None else b""
