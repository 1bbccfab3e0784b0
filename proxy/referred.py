"""Whom a trunk may be asked to call for a phone: REFER (RFC 3515) obeys the routing table as an INVITE does.

The trunk calls who stands in Refer-To, and the operator pays. Its way there does not lead through us, so the table is
asked here: else a phone that may not call a number has it called.
"""

from __future__ import annotations

from proxy.dialled import canonical
from proxy.errors import Malformed, Refused
from proxy.generation import Generation
from proxy.headers import parse_name_addr
from proxy.message import Message
from proxy.relaying import is_number
from proxy.routing import Party, is_phone
from proxy.uri import parse_sip_uri


def check_referred(generation: Generation, request: Message, source: Party, party: Party) -> None:
    """Refuse a phone's REFER to a trunk for a number that no line of the routing table lets it call.

    Names and tokens of ours are no numbers: what they lead to is a call that there is, or somebody of that trunk's own.

    Raises:
        Refused: 403.
        Malformed: for a Refer-To that cannot be read.
    """
    if party.trunk is None or not is_phone(source):
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
        hops = network.route(
            request, uri, source, emergency=network.is_emergency(dialled), dialled=dialled, method=b"INVITE"
        )
        if not hops:
            raise Refused(403, "Refer-To Not Allowed")
