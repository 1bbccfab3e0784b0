"""REGISTER on its way to the operator's own registrar, and its answer (`mode = "forward"`; RFC 3327, 3608, 5626 §5.1).

The core gets our Path, by which it reaches the phone. The phone gets back what is its own as the core wrote it: its
Contacts, and the Path, which nobody alters (RFC 3327 §5.2); and where it asked for Outbound and the core agrees, how
often it has to be heard of (Flow-Timer, RFC 5626 §5.4). Of other phones of its address it sees no push tokens or device
ids, and of the core's Service-Route a token: it uses that as its Route, and the core's hosts stay hidden.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from proxy.crossing import Crossing
from proxy.errors import Malformed
from proxy.flow_token import seal_flow, seal_services
from proxy.generation import Generation
from proxy.headers import NameAddr, parse_name_addr, parse_params
from proxy.message import Draft, Message
from proxy.tokens import Tokens
from proxy.uri import SipUri, parse_sip_uri, without_push
from proxy.uri_equal import equal

_NAMES = (b"contact", b"path", b"service-route")
_WHY = "the answer to a registration has it in its own form"
_DIGITS = re.compile(rb"[0-9]{1,10}")
_REG_ID = re.compile(rb";\s*reg-id\s*=", re.IGNORECASE)


class Registering(NamedTuple):
    """What a REGISTER that is forwarded needs besides others."""

    path: bytes
    """Our Path URI."""
    contacts: tuple[SipUri, ...]
    """The Contact URIs of its phone."""
    timer: int
    """Seconds of our Flow-Timer; 0 where none is for this flow."""


TIMED = ("TCP", "TLS")
"""Transports with Flow-Timer: over UDP nothing is closed, and WebSockets have pings of their own (RFC 7118 §6)."""


def registering(generation: Generation, crossing: Crossing) -> Registering | None:
    """Return what a crossing needs for being a registration of a phone at the core; None where it is none.

    Raises:
        Malformed: for Contacts that cannot be read.
    """
    request, section = crossing.request, generation.network.settings.registrar
    if section is None or section.mode != "forward":
        return None
    if not crossing.source.in_access or not crossing.hop.party.in_core:
        return None
    values = [value for value in request.items(b"contact") if value != b"*"]
    contacts = [parse_sip_uri(parse_name_addr(value).uri) for value in values]
    path = crossing.far_uri(seal_flow(generation.tokens, crossing.near_flow, generation.places)) + b";lr"
    timer = 0
    if len(request.items(b"via")) == 1 and any(_REG_ID.search(value) for value in values):
        path += b";ob"  # RFC 5626 §5.1: we are the first hop, and keep the flow
        if crossing.near_flow.transport in TIMED and not crossing.source.edge:
            timer = section.flow_timer
    return Registering(path, tuple([each for each in contacts if each is not None]), timer)


def hide(draft: Draft) -> None:
    """Take out what `answer` writes anew, before a plan edits it as if it were of a call."""
    for name in _NAMES:
        draft.remove_all(name, _WHY)


def answer(draft: Draft, crossing: Crossing, wanted: Registering, response: Message, tokens: Tokens) -> None:
    """Write Contacts, Path, Service-Route and Flow-Timer of a 2xx.

    Raises:
        Malformed, ValueError: for what cannot be read.
    """
    if not 200 <= response.status < 300:
        return
    for value in response.items(b"contact"):
        draft.bottom.append(b"Contact: " + _contact(value, wanted))
    draft.bottom += [response.lines[place] for place in response.index.get(b"path", ())]
    routes = tuple([parse_name_addr(value).uri for value in response.items(b"service-route")])
    if routes:
        draft.bottom.append(b"Service-Route: <%b;lr>" % crossing.near_uri(seal_services(tokens, routes)))
    if is_timed(wanted, response):
        # "The last proxy to forward a successful registration response" says it (§5.4); what the core says of its own
        # connections is not this phone's.
        draft.remove_all(b"flow-timer", _WHY)
        draft.bottom.append(b"Flow-Timer: %d" % wanted.timer)


def is_timed(wanted: Registering, response: Message) -> bool:
    """Tell whether a 2xx gives a phone a flow that we look after: `outbound` in Require, and a binding of its own.

    Raises:
        Malformed: for Contacts that cannot be read.
    """
    if not wanted.timer or b"outbound" not in [each.lower() for each in response.items(b"require")]:
        return False
    for value in response.items(b"contact"):
        address = parse_name_addr(value)
        if _is_own(address, wanted) and parse_params(address.params).get(b"expires", b"").strip(b"0"):
            return True
    return False


def _contact(value: bytes, wanted: Registering) -> bytes:
    """Return a Contact as it stands where it is the phone's own, else what it needs to know of another one."""
    address = parse_name_addr(value)
    if _is_own(address, wanted):
        return value
    expires = parse_params(address.params).get(b"expires", b"")
    if not _DIGITS.fullmatch(expires):
        raise Malformed("Malformed Contact")
    return NameAddr(b"", without_push(address.uri), b"").address + b";expires=" + expires


def _is_own(address: NameAddr, wanted: Registering) -> bool:
    uri = parse_sip_uri(address.uri)
    return uri is not None and any(equal(uri, own) for own in wanted.contacts)
