"""Whom a trunk may be asked to call for a phone, and a phone for a trunk: REFER (RFC 3515) obeys the routing table as
an INVITE does.

The trunk calls who stands in Refer-To, and the operator pays. Its way there does not lead through us, so the table is
asked here: else a phone that may not call a number has it called. A phone's way leads through us, as a call of its own:
so who calls from outside, and may call no trunk by us, would have a phone do so.
"""

from __future__ import annotations

from proxy.dialled import canonical
from proxy.errors import Malformed, Refused
from proxy.generation import Generation
from proxy.headers import parse_name_addr
from proxy.hop import Hop
from proxy.message import Message
from proxy.party import ACCESS, Party, is_phone
from proxy.relaying import is_number
from proxy.routing import Network
from proxy.uri import SipUri, parse_sip_uri


def check_referred(generation: Generation, request: Message, source: Party, party: Party) -> None:
    """Refuse a REFER for a number that no line of the routing table lets its sender call.

    Names and tokens of ours are no numbers: what they lead to is a call that there is, or somebody of that side's own.

    Raises:
        Refused: 403.
        Malformed: for a Refer-To that cannot be read.
    """
    by_trunk = party.trunk is not None and is_phone(source)
    if not by_trunk and (source.trunk is None or not party.in_access):
        return
    network = generation.network
    for value in request.items(b"refer-to"):
        dialled = network.prefixes.in_uri(parse_name_addr(value).uri).number
        try:
            uri = parse_sip_uri(dialled)
        except Malformed:
            raise Refused(400, "Malformed Refer-To") from None
        user = uri.user if uri is not None else dialled.partition(b":")[2]
        if not is_number(canonical(user)):
            continue
        allowed = _may_call if by_trunk else _may_have_called
        if not allowed(network, request, uri, dialled, source):
            raise Refused(403, "Refer-To Not Allowed")


def _may_call(network: Network, request: Message, uri: SipUri | None, dialled: bytes, source: Party) -> bool:
    return bool(_hops(network, request, uri, dialled, source, emergency=network.is_emergency(dialled)))


def _may_have_called(network: Network, request: Message, uri: SipUri | None, dialled: bytes, source: Party) -> bool:
    """Tell whether a trunk may call what a phone would call at a trunk; nobody has another one call for help."""
    if not _trunks(_hops(network, request, uri, dialled, ACCESS, emergency=network.is_emergency(dialled))):
        return True
    return _trunks(_hops(network, request, uri, dialled, source, emergency=False))


def _hops(
    network: Network, request: Message, uri: SipUri | None, dialled: bytes, source: Party, *, emergency: bool
) -> list[Hop]:
    return network.route(request, uri, source, emergency=emergency, dialled=dialled, method=b"INVITE")


def _trunks(hops: list[Hop]) -> bool:
    return any(hop.party.trunk is not None for hop in hops)
