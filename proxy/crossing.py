"""A crossing: one request on its way from one side to another, and everything its messages share.

It is made once per branch, holds the decisions and keys that all messages of the transaction use, and
makes the dialog records for either side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.hop import Hop
from proxy.identity import Identity, Side
from proxy.login import Login
from proxy.message import Message
from proxy.pack import DERIVED, is_anonymous
from proxy.party import Party
from proxy.passage import Passage
from proxy.places import Places, alone
from proxy.policy import EditContext, Plan, Session
from proxy.record import HARD_LIMIT, Mark, Mould, Record, RecordTooBig, fit
from proxy.tokens import Purpose, Tokens
from proxy.transports import SECURE, SIPS_PARAMS, URI_PARAMS
from proxy.uri import is_sips, parse_sip_uri

if TYPE_CHECKING:
    from proxy.forwarded_register import Registering
    from proxy.registered import Phone
_OF_ALL: Final = ~(Mark.FROM_CALLER | Mark.ATTEMPT)
"""Marks that all records of a dialog have."""


class Crossing:
    """One branch of one request: where it comes from, where it goes, and under which decisions.

    Its constructor is written out: compiled, a dataclass still makes its objects in the interpreter.
    """

    __slots__ = (
        "base",
        "call_id",
        "emergency",
        "extra_replaces",
        "far_flow",
        "forms_dialog",
        "from_",
        "hop",
        "is_sips",
        "issued",
        "key_id",
        "login",
        "mould",
        "must_grow",
        "near_flow",
        "near_is_caller",
        "notes",
        "passage",
        "phone",
        "registering",
        "request",
        "route_token",
        "route_value",
        "routes",
        "sealed",
        "source",
        "target",
        "to",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - a row of what each crossing has
        self, request: Message, source: Party, hop: Hop, near_flow: Flow, key_id: int, base: Record, issued: int,
        near_is_caller: bool, forms_dialog: bool, call_id: bytes, emergency: bool, passage: Passage,
        from_: NameAddr | None = None, to: NameAddr | None = None,
    ) -> None:  # fmt: skip
        """Begin before anything is sent.

        Args:
            request: as received.
            source: which side it comes from.
            hop: where it goes.
            near_flow: how the sender is reached.
            key_id: key of all that is sealed for the dialog.
            base: the dialog's record, less target, flow and routes.
            issued: wall clock of the request, seconds: issue time of the records that its messages carry.
            near_is_caller: whether the sender began the dialog.
            forms_dialog: whether a 2xx makes a dialog.
            call_id: the initiator's own.
            emergency: whether the exemption for emergency calls holds.
            passage: what it shares with all others between the same parties; its fields can be asked for here.
            from_: From as the far side knows it, without header parameters; None where each message decides.
            to: the same of To.
        """
        self.request = request
        self.source = source
        self.hop = hop
        self.near_flow = near_flow
        self.key_id = key_id
        self.base = base
        self.issued = issued
        self.near_is_caller = near_is_caller
        self.forms_dialog = forms_dialog
        self.call_id = call_id
        self.emergency = emergency
        self.passage = passage
        self.from_ = from_
        self.to = to
        self.target = b""
        """Request-URI towards the far side."""
        self.routes: tuple[bytes, ...] = ()
        """Route values towards the far side, hidden ones included."""
        self.extra_replaces: bytes | None = None
        """Replaces value from a transfer token, which stands for the one in the request."""
        self.far_flow: Flow | None = None
        self.route_token = b""
        """URI of the Record-Route entry that was sent to the far side."""
        self.route_value = b" "
        """The value of that entry, with the space before it; nothing ends with it while there is none."""
        self.notes: list[tuple[str, str]] | None = None
        self.sealed: dict[tuple[Purpose, bool, bytes, tuple[bytes, ...]], bytes] = {}
        """Tokens that were made: 180 and 200 carry the same."""
        self.phone: Phone | None = None
        """The registered phone that it goes to, if it does."""
        self.registering: Registering | None = None
        """Of a REGISTER for the core's registrar: what it needs besides."""
        self.mould: Mould | None = None
        """Makes their records."""
        self.must_grow = False
        """Whether its record fits no datagram, so that it goes over TCP (`proxy/by_size.py`)."""
        self.is_sips = is_sips(request.uri)
        """Whether the sender asks that every hop be secure (RFC 5630): then so do the URIs that we write."""
        self.login: Login | None = None
        """Attempt and credentials; None towards whoever does not ask for any, where CSeq passes as it is."""

    def again(self, hop: Hop) -> Crossing:
        """Return the same crossing towards another hop of the same party, as before anything was sent."""
        crossing = Crossing(
            self.request, self.source, hop, self.near_flow, self.key_id, self.base, self.issued, self.near_is_caller,
            self.forms_dialog, self.call_id, self.emergency, self.passage, self.from_, self.to,
        )  # fmt: skip
        crossing.target, crossing.routes, crossing.extra_replaces = self.target, self.routes, self.extra_replaces
        crossing.phone, crossing.registering = self.phone, self.registering
        if self.login is not None:
            crossing.login = self.login.afresh()
        return crossing

    @property
    def near(self) -> Side:
        """How identifiers look towards the sender."""
        return self.passage.near

    @property
    def far(self) -> Side:
        """How identifiers look towards the far side."""
        return self.passage.far

    @property
    def to_far(self) -> Plan:
        """Edits of what is sent on."""
        return self.passage.to_far

    @property
    def to_near(self) -> Plan:
        """Edits of what comes back."""
        return self.passage.to_near

    @property
    def near_origin(self) -> bytes:
        """Host that the sender is told of us."""
        return self.passage.near_origin

    @property
    def far_origin(self) -> bytes:
        """Host that the far side is told of us."""
        return self.passage.far_origin

    def near_uri(self, user: bytes) -> bytes:
        """Return the URI that leads the sender to us; `user` is b"" or a token."""
        return _uri(user, self.passage.near_origin, self.passage.near_way, is_sips=self.is_sips)

    def far_uri(self, user: bytes) -> bytes:
        """Return the URI that leads the far side to us."""
        return _uri(user, self.passage.far_origin, self.passage.far_way, is_sips=self.is_sips)

    @property
    def far_domain(self) -> bytes:
        """Host that Request-URI and To carry towards the far side."""
        return self.passage.far_domain

    @property
    def hides_near(self) -> bool:
        """Whether addresses of the sender's side are hidden from the far side."""
        return self.passage.far.hides

    @property
    def hides_far(self) -> bool:
        """Whether addresses of the far side are hidden from the sender."""
        return self.passage.near.hides


def _uri(user: bytes, origin: bytes, way: str, *, is_sips: bool) -> bytes:
    """Return a URI of ours as a side gets it: it names the transport by which that side reaches us (RFC 5658 §3).

    A sips URI goes to no side that could not follow it: one that reaches us without TLS has not asked for it.
    """
    if way == "UDP":
        return b"sip:%b@%b" % (user, origin)
    if is_sips and way in SECURE:
        return b"sips:%b@%b%b" % (user, origin, SIPS_PARAMS[way])
    return b"sip:%b@%b%b" % (user, origin, URI_PARAMS[way])


class Records:
    """Makes the tokens that carry a crossing's dialog records."""

    def __init__(self, tokens: Tokens, identity: Identity, places: Places | None = None) -> None:
        """Seal with tokens; map with identity; `places` are the generation's."""
        self._places = places or alone(0)
        self._tokens = tokens
        self._identity = identity

    def route(self, crossing: Crossing, *, for_near: bool, target: bytes, routes: tuple[bytes, ...]) -> bytes:
        """Return the user part of our Record-Route entry for one side: a whole record.

        Raises:
            RecordTooBig: when it exceeds the side's budget.
        """
        return self._token(crossing, Purpose.ROUTE, for_near, target, routes, whole=True)

    def contact(self, crossing: Crossing, *, for_near: bool, target: bytes, routes: tuple[bytes, ...]) -> bytes:
        """Return the user part of the Contact that one side sees in place of the other's.

        It holds the target and how to reach it; the whole record only where the side keeps no Record-Route.

        Raises:
            RecordTooBig: as `route`.
        """
        whole = not keeps_record_route(crossing.source if for_near else crossing.hop.party)
        return self._token(crossing, Purpose.CONTACT, for_near, target, routes if whole else (), whole=whole)

    def _token(
        self, crossing: Crossing, purpose: Purpose, for_near: bool, target: bytes, routes: tuple[bytes, ...], *,
        whole: bool,
    ) -> bytes:  # fmt: skip
        key = (purpose, for_near, target, routes)
        token = crossing.sealed.get(key)
        if token is None:
            token = crossing.sealed[key] = self._seal(crossing, purpose, for_near, target, routes, whole=whole)
        return token

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
        record, base = opened.record, crossing.base
        return (record.fingerprint, record.caller, record.callee) == (base.fingerprint, base.caller, base.callee)

    def _seal(
        self, crossing: Crossing, purpose: Purpose, for_near: bool, target: bytes, routes: tuple[bytes, ...], *,
        whole: bool,
    ) -> bytes:  # fmt: skip
        """Return the token of the record that serves one side, without names and routes unless it is to be whole."""
        if for_near:
            party, side, budget = crossing.source, crossing.near, crossing.passage.near_budget
        else:
            party, side, budget = crossing.hop.party, crossing.far, crossing.passage.far_budget
        marks = crossing.base.marks & _OF_ALL
        if for_near is crossing.near_is_caller:
            marks |= Mark.FROM_CALLER
        if for_near and crossing.login is not None:
            marks |= crossing.login.told << Mark.ATTEMPT_SHIFT
        flow = crossing.far_flow if for_near else crossing.near_flow
        mould = crossing.mould
        if mould is None:
            mould = crossing.mould = _mould(crossing, self._places)
        payload, record = mould.make(marks, flow, target, routes, budget, whole=whole) or _fitted(
            mould.record(marks, flow, target, routes, whole=whole), budget, must_go=for_near or crossing.emergency
        )
        user = self._tokens.seal_record(purpose, payload, record, crossing.key_id, side.alphabet)
        if party.trunk and len(user) > crossing.passage.far_user and not (for_near or crossing.emergency):
            raise RecordTooBig
        return user


def _fitted(record: Record, budget: int, *, must_go: bool) -> tuple[bytes, Record | None]:
    """Return what a record that needs a closer look is written to, and what that holds where it may be remembered.

    What must go may exceed its budget: a response cannot be refused or sent over TCP instead, and RFC 3261 §18.1.1
    bounds requests only; an emergency call goes through, whatever its size.
    """
    try:
        payload, written = fit(record, budget)
    except RecordTooBig:
        if not must_go:
            raise
        payload, written = fit(record, HARD_LIMIT)
    # It comes back in the next request of the dialog; over UDP every field does as it went.
    return payload, written if record.flow is None or record.flow.transport == "UDP" else None


def _mould(crossing: Crossing, places: Places | None = None) -> Mould:
    """Return what makes the crossing's records; those that lead to a connection say in which process it lives."""
    base = crossing.base
    from_, to = derived(base.from_outward), derived(base.to_outward)
    if from_ is not base.from_outward or to is not base.to_outward:
        base = base.replace(from_outward=from_, to_outward=to)
    return Mould(base, crossing.issued, places or alone(0))


def packed(crossing: Crossing) -> bytes:
    """Return the crossing's record as bytes that `record.decode` reads: what `base` has, issued when it was.

    Raises:
        Malformed: when a URI is too long for a record.
    """
    return (crossing.mould or _mould(crossing)).packed()


def derived(address: NameAddr | None) -> NameAddr | None:
    """Return an outward address as records hold it: it follows from the rest, and only the original needs room."""
    return address if address is None or address is DERIVED or is_anonymous(address) else DERIVED


def keeps_record_route(party: Party) -> bool:
    """Tell whether a side takes and keeps Record-Route."""
    return party.trunk is None or party.trunk.record_route


def session_of(crossing: Crossing, tokens: Tokens) -> Session:
    """Return what makes pseudonyms for the recording session of a crossing, the same in all its messages."""
    key_id, call_id = crossing.key_id, crossing.call_id

    def pseudonym(value: bytes) -> bytes:
        return tokens.mac(key_id, b"recorded", call_id, value, size=16)

    return pseudonym


def context(crossing: Crossing, tokens: Tokens, message: Message, *, towards_far: bool) -> EditContext:
    """Return what edits need to know for a message of this crossing."""

    def pseudonym(value: bytes) -> bytes:
        end = (crossing.far if towards_far else crossing.near).end.pack()
        return tokens.mac(crossing.key_id, b"pseudonym", end, crossing.call_id, value).hex().encode()

    passage, method = crossing.passage, message.method
    origin = crossing.far_origin if towards_far else crossing.near_origin
    lasting = passage.pseudonym if towards_far else passage.near_pseudonym
    return EditContext(pseudonym, origin, bool(method), method or message.cseq_method, message.status, lasting)
