"""Flow tokens: how the operator's own registrar finds a phone's flow again (RFC 5626 §5.1, RFC 3327).

They stand in our Path of a REGISTER that is forwarded, and come back as Route of what the core sends to the phone.
Sealed, so that nobody can make one (§5.1 has an HMAC for that), and opened for the core alone: a phone, which sees its
own, or a trunk gets 403 for one. A token leads to its flow and nowhere else, whatever the Request-URI says.
"""

from __future__ import annotations

from proxy.errors import Refused
from proxy.flow import Flow
from proxy.pack import Reader, pack_text
from proxy.places import Places
from proxy.record import MAX_ROUTES, pack_flow, unpack_flow
from proxy.tokens import Purpose, Tokens

_FLOW = b"flow"
_SERVICE = b"service"


def seal_flow(tokens: Tokens, flow: Flow, places: Places) -> bytes:
    """Return the user part that stands for a flow, and for the worker that has it."""
    packed = pack_flow(flow, places.node(flow), places.worker)
    return tokens.seal_text(Purpose.PHONE, packed, tokens.current, "base64url", _FLOW)


def open_flow(tokens: Tokens, user: bytes, places: Places) -> Flow:
    """Return the flow of a token.

    Raises:
        Refused: 403 for one that is none of ours (RFC 5626 §5.3.1), 430 for a connection whose process has ended.
    """
    opened = tokens.open_text(user, _FLOW)
    if opened is None or opened.purpose is not Purpose.PHONE:
        raise Refused(403, "Forbidden")
    flow, node, _ = unpack_flow(Reader(opened.payload))
    if flow is None:
        raise Refused(403, "Forbidden")
    if flow.connection and not places.has(flow, node):
        raise Refused(430, "Flow Failed")
    return flow


def seal_services(tokens: Tokens, routes: tuple[bytes, ...]) -> bytes:
    """Return the user part that stands for a Service-Route of the core (RFC 3608), whose hosts phones may not see.

    Raises:
        ValueError: for more of them than a route set has room for.
    """
    if len(routes) > MAX_ROUTES:
        raise ValueError("too many Service-Routes")
    payload = bytes((len(routes),)) + b"".join(map(pack_text, routes))
    return tokens.seal_text(Purpose.PHONE, payload, tokens.current, "base64url", _SERVICE)


def open_services(tokens: Tokens, user: bytes) -> tuple[bytes, ...] | None:
    """Return the Service-Route that a phone's Route stands for; None where it stands for none."""
    opened = tokens.open_text(user, _SERVICE)
    if opened is None or opened.purpose is not Purpose.PHONE:
        return None
    reader = Reader(opened.payload)
    return tuple([reader.text() for _ in range(reader.number(1))])
