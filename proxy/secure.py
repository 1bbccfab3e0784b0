"""What must not leave over a hop that does not protect it (RFC 5630), or that nobody can be sure of (RFC 5922)."""

from __future__ import annotations

from proxy.crossing import Crossing
from proxy.forking import Answer
from proxy.transports import SECURE, WEBSOCKET
from proxy.unsent import Unsent
from proxy.uri import is_sips


def check_secure(crossing: Crossing) -> None:
    """Refuse a sips request for a hop without TLS, and a hop that nobody could tell from another.

    An emergency call goes on as sip: it is worth more than the wish that nobody listen (design.md §2).

    Raises:
        Unsent: 480, as RFC 5630 §5.3 has it where only sip will do; never a downgrade.
    """
    hop = crossing.hop
    if hop.transport == "UDP" and (hop.host, hop.port) == hop.local:
        return  # from ourselves to ourselves (`World.named`): no network sees it, and what follows is looked at again
    if hop.transport == "UDP" or hop.transport not in SECURE:
        if is_sips(crossing.target) or (crossing.routes and is_sips(crossing.routes[0])):
            if not crossing.emergency:
                warning = b'Warning: 380 %b "SIPS Not Allowed"' % crossing.near_origin
                raise Unsent(480, Answer(b"", (warning,)))
            crossing.target, crossing.routes = _as_sip(crossing.target), tuple(map(_as_sip, crossing.routes))
    elif not hop.connection and not hop.identity:
        raise Unsent(480)
    if hop.transport in WEBSOCKET and not hop.connection and hop.party.in_access:
        raise Unsent(480)  # a browser takes no connections (RFC 7118 §5)


def _as_sip(uri: bytes) -> bytes:
    return b"sip:" + uri[5:] if is_sips(uri) else uri
