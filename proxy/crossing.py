"""A crossing: one request on its way from one side to another, and everything its messages share.

It is made once per branch, holds the decisions and keys that all messages of the transaction use, and
makes the dialog records for either side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.encoding import to_text
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.identity import Identity, Side
from proxy.message import Message
from proxy.pack import ANONYMOUS, DERIVED
from proxy.policy import EditContext, Plan
from proxy.record import HARD_LIMIT, Mark, Record, RecordTooBig, decode, encode
from proxy.routing import Hop, Party
from proxy.tokens import Purpose, Tokens
from proxy.uri import parse_sip_uri


@dataclass(slots=True)
class Crossing:
    """One branch of one request: where it comes from, where it goes, and under which decisions."""

    request: Message
    source: Party
    hop: Hop
    near: Side
    far: Side
    near_flow: Flow
    """How the sender is reached."""
    key_id: int
    to_far: Plan
    to_near: Plan
    base: Record
    """The dialog's record, less target, flow and routes."""
    near_is_caller: bool
    forms_dialog: bool
    call_id: bytes
    """The initiator's own Call-ID."""
    emergency: bool
    near_origin: bytes
    """Host that the near side is told of us."""
    far_origin: bytes
    far_domain: bytes
    """Host that Request-URI and To carry towards the far side."""
    near_budget: int
    """Plain bytes that a record towards the sender may have."""
    far_budget: int
    """Plain bytes that a record towards the far side may have."""
    target: bytes = b""
    """Request-URI towards the far side."""
    routes: tuple[bytes, ...] = ()
    """Route values towards the far side, hidden ones included."""
    extra_replaces: bytes | None = None
    """Replaces value from a transfer token, which stands for the one in the request."""
    far_flow: Flow | None = None
    route_token: bytes = b""
    """URI of the Record-Route entry that was sent to the far side."""
    notes: list[tuple[str, str]] | None = field(default=None)

    @property
    def hides_near(self) -> bool:
        """Whether addresses of the sender's side are hidden from the far side."""
        return self.far.hides

    @property
    def hides_far(self) -> bool:
        """Whether addresses of the far side are hidden from the sender."""
        return self.near.hides


class Records:
    """Makes the tokens that carry a crossing's dialog records."""

    def __init__(self, tokens: Tokens, identity: Identity) -> None:
        """Seal with tokens; map with identity."""
        self._tokens = tokens
        self._identity = identity

    def route(self, crossing: Crossing, *, for_near: bool, target: bytes, routes: tuple[bytes, ...]) -> bytes:
        """Return the user part of our Record-Route entry for one side: a whole record.

        Raises:
            RecordTooBig: when it exceeds the side's budget.
        """
        return self._seal(crossing, Purpose.ROUTE, self._record(crossing, for_near, target, routes), for_near)

    def contact(self, crossing: Crossing, *, for_near: bool, target: bytes, routes: tuple[bytes, ...]) -> bytes:
        """Return the user part of the Contact that one side sees in place of the other's.

        It holds the target and how to reach it; the whole record only where the side keeps no Record-Route.

        Raises:
            RecordTooBig: as `route`.
        """
        record = self._record(crossing, for_near, target, routes)
        if keeps_record_route(crossing.source if for_near else crossing.hop.party):
            record = record._replace(
                routes=(), from_original=None, from_outward=None, to_original=None, to_outward=None, call_id=b""
            )
        return self._seal(crossing, Purpose.CONTACT, record, for_near)

    def _record(self, crossing: Crossing, for_near: bool, target: bytes, routes: tuple[bytes, ...]) -> Record:
        serves_caller = for_near is crossing.near_is_caller
        # Outward addresses follow from what the record holds besides; only the originals need the room.
        base = crossing.base
        marks = base.marks & ~Mark.FROM_CALLER | (Mark.FROM_CALLER if serves_caller else Mark(0))
        flow = crossing.far_flow if for_near else crossing.near_flow
        return base._replace(
            marks=marks, target=target, flow=flow, routes=routes,
            from_outward=_derived(base.from_outward), to_outward=_derived(base.to_outward),
        )  # fmt: skip

    def is_own_route(self, uri: bytes, crossing: Crossing) -> bool:
        """Tell whether a Record-Route entry is the one that this dialog's request carried to the far side.

        A process that was restarted meanwhile has written it with another issue time, so bytes do not tell.
        """
        if uri == crossing.route_token:
            return True
        parsed = parse_sip_uri(uri)
        opened = self._tokens.open_text(parsed.user) if parsed is not None and parsed.user else None
        if opened is None or opened.purpose is not Purpose.ROUTE:
            return False
        record, base = decode(opened.payload), crossing.base
        return (record.fingerprint, record.caller, record.callee) == (base.fingerprint, base.caller, base.callee)

    def _seal(self, crossing: Crossing, purpose: Purpose, record: Record, for_near: bool) -> bytes:
        party = crossing.source if for_near else crossing.hop.party
        try:
            payload = encode(record, crossing.near_budget if for_near else crossing.far_budget)
        except RecordTooBig:
            if not (for_near or crossing.emergency):
                raise
            # A response cannot be refused or sent over TCP instead, and RFC 3261 §18.1.1 bounds requests only;
            # an emergency call goes through, whatever its size.
            payload = encode(record, HARD_LIMIT)
        side = crossing.near if for_near else crossing.far
        user = to_text(self._tokens.seal(purpose, payload, crossing.key_id), side.alphabet)
        if party.trunk and len(user) > party.trunk.max_user and not (for_near or crossing.emergency):
            raise RecordTooBig
        return user


def _derived(address: NameAddr | None) -> NameAddr | None:
    return address if address is None or address[:2] == ANONYMOUS[:2] else DERIVED


def keeps_record_route(party: Party) -> bool:
    """Tell whether a side takes and keeps Record-Route."""
    return party.trunk is None or party.trunk.record_route


def context(crossing: Crossing, tokens: Tokens, message: Message, *, towards_far: bool) -> EditContext:
    """Return what edits need to know for a message of this crossing."""
    end = (crossing.far if towards_far else crossing.near).end.pack()

    def pseudonym(value: bytes) -> bytes:
        return tokens.mac(crossing.key_id, b"pseudonym", end, crossing.call_id, value).hex().encode()

    origin = crossing.far_origin if towards_far else crossing.near_origin
    return EditContext(pseudonym, origin, bool(message.method), message.method or message.cseq_method, message.status)


def without_params(address: NameAddr) -> NameAddr:
    """Return display name and URI of a From or To, less the header parameters."""
    return address._replace(params=b"") if address.params else address
