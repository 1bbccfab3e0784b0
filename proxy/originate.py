"""Requests of our own: OPTIONS that asks whether a trunk is there, REGISTER where one wants it.

They say nothing of anybody: From and To name the two machines. Only INVITE is never made here, for it would need an ACK
(RFC 3261 §17.1.1.3). Who asks (`Asker`) hears exactly once: the final response, or that there will be none.

    originate.ask(core, hop, originate.Ask(b"OPTIONS", b"sip:carrier.example", ...), asker, now)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple, Protocol

from proxy.hop import Hop
from proxy.location import Place, is_address, order
from proxy.matching import make_branch
from proxy.message import Message
from proxy.party import Party
from proxy.transaction import ClientTransaction
from proxy.transports import DEFAULT_PORTS, VIA_HEADS

if TYPE_CHECKING:
    from proxy.core import Core

MAX_FORWARDS = 70
"""RFC 3261 §8.1.1.6."""


class Ask(NamedTuple):
    """A request of our own, less what routes and counts it."""

    method: bytes
    """Any but INVITE, ACK and CANCEL."""
    uri: bytes
    """Request-URI."""
    from_: bytes
    """Value of From without its tag, such as `<sip:192.0.2.1>`."""
    to: bytes
    """Value of To."""
    call_id: bytes
    """See `fresh_id`; registrations of one binding share one (RFC 3261 §10.2)."""
    cseq: int = 1
    extra: tuple[bytes, ...] = ()
    """Further complete header lines without line ends: Contact, Expires, Authorization."""


class Asker(Protocol):
    """Who wants to know what becomes of a request."""

    def answered(self, status: int, response: Message | None, now: float) -> None:
        """Take the final status; without a response 408 (silence) or 503 (no way there), which are our own."""


def fresh_id() -> bytes:
    """Return a Call-ID or tag that tells nothing and was never used (§8.1.1.4: cryptographically random)."""
    return token_hex(12).encode()


def ask(core: Core, hop: Hop, what: Ask, asker: Asker, now: float, patience: float = 0.0) -> ClientTransaction:
    """Send a request of our own in a client transaction.

    Args:
        core: whose sockets and timers to use.
        hop: where to; it has an address (`locate` finds those of a name).
        what: the request.
        asker: told once, never from within this call.
        now: the time.
        patience: seconds after which silence counts as 408; 0 for timer F (64*T1).
    """
    network, tokens = core.generation.network, core.generation.tokens
    key = b"own %b %d" % (what.call_id, what.cseq)
    branch = make_branch(tokens, key, what.uri, (hop.host, hop.port), b"", core.worker)
    tag = tokens.mac(tokens.current, b"own-tag", what.call_id, size=8).hex().encode()
    lines = (
        b"%b %b SIP/2.0" % (what.method, what.uri),
        b"%b%b;branch=%b;rport" % (VIA_HEADS[hop.transport], network.sent_by(hop.local), branch),
        b"Max-Forwards: %d" % MAX_FORWARDS,
        b"From: %b;tag=%b" % (what.from_, tag),
        b"To: " + what.to,
        b"Call-ID: " + what.call_id,
        b"CSeq: %d %b" % (what.cseq, what.method),
        *what.extra,
        b"Content-Length: 0",
        b"",
        b"",
    )
    user = _Own(asker)
    there = hop if hop.port else hop._replace(port=DEFAULT_PORTS[hop.transport])
    client = core.start_client(there.flow, what.method, b"\r\n".join(lines), branch, user)
    client.hop = hop.party
    client.start(now)
    if patience:
        core.wheel.start(now, patience, _Patience(user, client), "patience")
    return client


def locate(core: Core, hop: Hop, found: Callable[[Sequence[Hop], float], None], now: float) -> None:
    """Hand the hops that a configured hop leads to to `found`: at once for addresses, later where a name is looked up.

    None are handed on where the name is served nowhere, or nowhere within the networks of its party.
    """
    network = core.generation.network
    if is_address(hop.host):
        found([hop], now)
        return
    seed = fresh_id()

    def at(places: Sequence[Place], later: float) -> None:
        there = [network.at(hop, address) for address in order(places, hop.port, seed, DEFAULT_PORTS[hop.transport])]
        found([each for each in there if each is not None], later)

    listed = network.listed(hop.host)
    if listed is not None:
        at(listed, now)
    elif not core.look_up(hop.host, hop.port, hop.transport, at, urgent=False):
        found([], now)


def hops_of(core: Core, party: Party) -> list[Hop]:
    """Return the hops of a trunk as they are configured, names included; none for other sides."""
    network = core.generation.network
    return [network.hop(party, host) for host in party.trunk.hosts] if party.trunk is not None else []


class _Own:
    """The user of such a transaction."""

    __slots__ = ("asker",)

    def __init__(self, asker: Asker) -> None:
        self.asker: Asker | None = asker
        """None once it was told."""

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        if response.status >= 200:
            self.tell(response.status, response, now)

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        self.tell(status, None, now)

    def tell(self, status: int, response: Message | None, now: float) -> None:
        asker, self.asker = self.asker, None
        if asker is not None:
            asker.answered(status, response, now)


class _Patience:
    """Ends a transaction that is silent for longer than somebody waits."""

    __slots__ = ("_client", "_user")

    def __init__(self, user: _Own, client: ClientTransaction) -> None:
        self._user = user
        self._client = client

    def fire(self, name: str, now: float) -> None:
        if self._user.asker is not None:
            self._client.abandon()
            self._user.tell(408, None, now)
