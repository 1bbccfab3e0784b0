"""A request on its way out: RFC 3261 §16.6 with the dialog identity, topology and plan of design.md §5.

The order is fixed: start line, dialog identity, topology, plan, then what a proxy adds on top. Whatever
raises on the way raises out of `build`: nothing is sent that was not finished.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from proxy import cseq
from proxy.answering import leave_to_the_callee
from proxy.asserted import HEADER, assert_identity, write_numbers
from proxy.between_phones import CREDENTIALS, are_both_phones, remove
from proxy.called_party import call_party
from proxy.claimed import remove_claims, remove_foreign
from proxy.counters import Counters
from proxy.crossing import Crossing, Records, keeps_record_route
from proxy.emergency import says_callback
from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr
from proxy.identity import Identity
from proxy.login import Login
from proxy.message import Draft
from proxy.pack import ANONYMOUS
from proxy.planning import Planning
from proxy.policy import Origin, Plan, Privacy
from proxy.record import Mark
from proxy.recording_way import support_nothing
from proxy.references import REFERRING, References
from proxy.serialise import serialise
from proxy.shape import Names
from proxy.tokens import Tokens
from proxy.transports import VIA_HEADS
from proxy.unfiltered import PLAN, remove_credentials
from proxy.uri import hostport, parse_sip_uri
from proxy.verstat import CLAIMING, claims, disclaimed
from proxy.via import stamped_line
from proxy.wishes import Wishes

#: All that ACK and BYE need when their plan failed (design.md §2).
MINIMAL = frozenset(
    (b"via", b"from", b"to", b"call-id", b"cseq", b"max-forwards", b"route", b"content-length")
)  # fmt: skip
_ABOUT_THE_CALLER = Names(*CLAIMING.names, b"identity")
"""Headers that somebody has to vouch for."""
_ROUTE = Names(b"route")
_TOPOLOGY = Names(b"via", b"record-route", b"path", b"service-route")
_CONSUMED = Names(b"max-breadth", b"proxy-require")
DEFAULT_MAX_FORWARDS = 70
"""RFC 3261 §16.6 item 3, for requests without."""
_SEALED = "sealed: only Sipveil can open it"
_HIDDEN = "the sender's side of the network is hidden"


class RequestForwarder:
    """Makes the bytes of forwarded requests."""

    def __init__(
        self, tokens: Tokens, identity: Identity, records: Records, references: References, privacy: Privacy,
        sent_by: Callable[[tuple[str, int]], bytes], counters: Counters, wishes: Wishes | None = None,
    ) -> None:  # fmt: skip
        """Use the shared stages of one core; `sent_by` names one of its sockets in Via; `wishes` knows who asked."""
        self._planning = Planning(tokens, privacy, counters, wishes)
        self._counters = counters
        self._sent_by = sent_by
        self._tokens = tokens
        self._identity = identity
        self._records = records
        self._references = references

    def build(self, crossing: Crossing, branch: bytes, max_breadth: int) -> bytes:
        """Return the request as it goes to the crossing's hop.

        Args:
            crossing: the branch; its `route_token` is set here.
            branch: our branch parameter.
            max_breadth: this branch's share of Max-Breadth (RFC 5393 §5.3.3).

        Raises:
            Malformed, Refused: when the request cannot go out for a reason of the sender's.
            Exception: whatever a filter raises.
        """
        draft = Draft(crossing.request, crossing.notes)
        self._start(draft, crossing)
        self._identify(draft, crossing)
        shape = crossing.request.shape
        if crossing.extra_replaces or shape.places(REFERRING):
            self._references.map(draft, crossing)
        self._hide_topology(draft, crossing)
        if are_both_phones(crossing):
            remove(draft, crossing.request, CREDENTIALS)
        if b"priority" in crossing.request.index and not crossing.emergency:
            _disbelieve(draft, crossing)
        base = crossing.base
        within = base.from_original if crossing.near_is_caller else base.to_original
        if not crossing.emergency:
            remove_claims(draft, crossing.request, crossing.source)
            remove_foreign(draft, crossing.request, crossing.source, within or crossing.request.from_)
            leave_to_the_callee(draft, crossing.request, crossing.source, crossing.hop.party)
        _count_down(draft, crossing)
        if crossing.phone is not None:
            call_party(draft, crossing.phone.called)
        plan = self._plan(crossing)
        assert_identity(draft, crossing.request, crossing.source, crossing.hop.party, plan, within)
        if crossing.passage.numbered is not None and HEADER in draft:
            write_numbers(draft, crossing.passage.numbered)
        self._planning.edit(draft, crossing, crossing.request, plan, towards_far=True)
        if b"supported" in crossing.request.index and not (crossing.base.marks & Mark.RECORDING or crossing.emergency):
            support_nothing(draft)
        self._put_on_top(draft, crossing, branch)
        draft.top.append(b"Max-Breadth: %d" % max_breadth)
        if draft.notes is not None:
            draft.note("max-breadth", "bounds forking (RFC 5393)")
        if crossing.to_far.vouches or shape.places(_ABOUT_THE_CALLER):
            self._vouch(draft, crossing)
        return crossing.passage.write_far(draft)

    def _vouch(self, draft: Draft, crossing: Crossing) -> None:
        """Let the plan settle what the request says of its caller: nothing is edited after it."""
        tokens, key_id = self._tokens, crossing.key_id
        origin = Origin(
            crossing.request, crossing.source, crossing.issued,
            lambda: tokens.mac(key_id, b"origid", crossing.call_id, size=16),
        )  # fmt: skip
        for counter, label in crossing.to_far.vouch(draft, origin):
            self._counters.add(counter, label)

    def build_minimal(self, crossing: Crossing, branch: bytes) -> bytes:
        """Return an ACK or BYE made of nothing but what routes and matches it, without body.

        Raises:
            Malformed: when even that much is broken.
        """
        draft = Draft(crossing.request)
        draft.body = b""
        for position, name in enumerate(draft.names):
            if name not in MINIMAL:
                draft.lines[position] = None
        self._start(draft, crossing)
        self._identify(draft, crossing)
        self._hide_topology(draft, crossing)
        _count_down(draft, crossing)
        self._put_on_top(draft, crossing, branch)
        return crossing.passage.write_far(draft)

    def build_emergency(self, crossing: Crossing, branch: bytes) -> bytes:
        """Return an emergency request without its plan: it goes through, complete, whatever failed."""
        crossing.passage = replace(crossing.passage, to_far=PLAN)
        draft = Draft(crossing.request, crossing.notes)
        self._start(draft, crossing)
        self._identify(draft, crossing)
        self._hide_topology(draft, crossing)
        _count_down(draft, crossing)
        remove_credentials(draft)
        with suppress(Malformed):  # no record holds it: the ends then talk to each other
            self._put_on_top(draft, crossing, branch)
        return serialise(draft)

    def _plan(self, crossing: Crossing) -> Plan:
        """Return the plan for a request: the dialog's, or a stricter one where its own Privacy asks for more.

        So too where it names somebody to a recorder who hides more.

        Raises:
            Refused: where what is asked for cannot be done; an emergency call goes on without (`proxy/launch.py`).
        """
        request, base = crossing.request, crossing.base
        hop = crossing.hop.party
        if not request.to_tag or not (request.shape.asks or hop.recorder is not None):
            return crossing.to_far
        decision = base.to_callee if crossing.near_is_caller else base.to_caller
        return self._planning.stricter(request, decision, hop, crossing.issued)

    def _start(self, draft: Draft, crossing: Crossing) -> None:
        request = crossing.request
        if crossing.target != request.uri:
            draft.start = b"%b %b SIP/2.0" % (request.method, crossing.target)
            draft.note("Request-URI", "the far side's own target" if request.to_tag else "addressed to the next hop")

    def _identify(self, draft: Draft, crossing: Crossing) -> None:
        """Give the far side its own Call-ID, tags, From and To (dialogs.md)."""
        request = crossing.request
        outward = crossing.call_id
        if crossing.near_is_caller:
            outward = self._identity.seal_call_id(outward, crossing.far, crossing.key_id)
        if outward != request.call_id:
            draft.replace(request.shape.call_id, outward, _SEALED)
        self._rewrite(draft, request.shape.from_, request.from_, request.from_tag, crossing.from_, crossing)
        self._rewrite(draft, request.shape.to, request.to, request.to_tag, crossing.to, crossing)

    def _rewrite(
        self, draft: Draft, position: int, received: NameAddr, tag: bytes, outward: NameAddr | None, crossing: Crossing
    ) -> None:
        """Replace a From or To by what the record says, never by a change of what arrived.

        Where the record has nothing (an end that dropped Record-Route, or a budget that did not hold it), the
        decision that the record pins says what may pass.
        """
        is_from = position == crossing.request.shape.from_
        if outward is None:
            host = crossing.far_origin if is_from or not crossing.near_is_caller else crossing.far_domain
            shown = disclaimed(received) if is_from and not crossing.passage.believed else received
            if crossing.passage.numbered is not None and crossing.near_is_caller:
                shown = crossing.passage.numbered(shown)
            outward = crossing.to_far.address(shown, host, is_from=is_from, pseudonym=crossing.passage.pseudonym)
        carried = tag
        if tag and is_from:
            carried = self._identity.seal_tag(tag, crossing.far, crossing.key_id)
        elif tag:
            carried = self._identity.open_tag(tag, crossing.near.end)
        same = outward == received and carried == tag
        if same and crossing.to_far.keeps_all and not _is_doubtful(crossing, position):
            return
        edited = draft.with_value(position, outward.address + b";tag=" + carried if carried else outward.address)
        if edited != draft.lines[position]:
            draft.put(position, edited, _why(outward) if draft.notes is not None else "")

    def _hide_topology(self, draft: Draft, crossing: Crossing) -> None:
        """Take out, or seal, what tells the sender's addresses: Via, Record-Route, Contact, Path."""
        shape = crossing.request.shape
        draft.clear(shape.places(_ROUTE), "the route set of the far side stands for it")
        if not crossing.far.hides:
            self._stamp_via(draft, crossing)
            if crossing.emergency and crossing.source.in_access:
                self._keep_reachable(draft, crossing)
            return
        draft.clear(shape.places(_TOPOLOGY), _HIDDEN)
        if b"contact" in shape.index:
            draft.set_only(b"contact", self._contact(crossing), _SEALED)

    def _keep_reachable(self, draft: Draft, crossing: Crossing) -> None:
        """Give the PSAP a Contact that reaches the phone outside the dialog too (RFC 6881 ED-62.5), behind any NAT.

        The phone's own is left where it is a GRUU, which does so by itself, and where there is no better one.
        """
        with suppress(Malformed):
            contact = crossing.request.address(b"contact")
            uri = parse_sip_uri(contact.uri) if contact is not None else None
            if contact is None or uri is None or uri.param(b"gr") is not None:
                return
            user = self._records.contact(crossing, for_near=False, target=contact.uri, routes=_upstream(crossing))
            reachable = contact._replace(uri=crossing.far_uri(user))
            draft.set_only(b"contact", reachable.address + contact.params, "reaches the phone for a call-back too")

    def _contact(self, crossing: Crossing) -> bytes:
        contact = crossing.request.address(b"contact")
        if contact is None:
            raise Malformed("Malformed address")
        if self._references.is_nested(contact.uri, crossing.near.end):
            user = contact.uri.partition(b":")[2].partition(b"@")[0]
        else:
            routes = _upstream(crossing)
            user = self._records.contact(crossing, for_near=False, target=contact.uri, routes=routes)
        return b"<%b>%b" % (crossing.far_uri(user), crossing.to_far.contact_params(contact.params))

    def _stamp_via(self, draft: Draft, crossing: Crossing) -> None:
        """Add received and rport to the topmost Via (RFC 3261 §18.2.1, RFC 3581 §4).

        Where something is hidden, no Via says more than where the request came from.
        """
        first, *others = draft.find(b"via")
        line = draft.lines[first]
        stamped = line and stamped_line(line, crossing.request.via, crossing.near_flow.peer)
        if crossing.to_far.keeps_all:
            others = []
        elif stamped:
            stamped = crossing.to_far.via(stamped)
        if stamped != line:
            draft.put(first, stamped, "where it really came from")
        for position in others:
            line = draft.lines[position] or b""
            if (shown := crossing.to_far.via(line)) != line:
                draft.put(position, shown, "where it came from, and no more")

    def _put_on_top(self, draft: Draft, crossing: Crossing, branch: bytes) -> None:
        """Push Via, Route and Record-Route (§16.6 items 4, 6 and 8); number and sign in where the hop wants it."""
        if crossing.base.marks & cseq.MAPPED:
            cseq.carry(draft, crossing)
        if crossing.login is not None and crossing.hop.party.logs_in:
            _log_in(draft, crossing.login)
        hop = crossing.hop
        line = b"%b%b;branch=%b;rport" % (VIA_HEADS[hop.transport], self._sent_by(hop.local), branch)
        # What we made may carry their requests to us, once they have seen our certificate (RFC 5923 §8.1).
        draft.top.append(line + b";alias" if hop.transport == "TLS" and not hop.connection else line)
        draft.note("via", "answers come back through Sipveil")
        if crossing.routes:
            draft.top.append(b"Route: <" + b">, <".join(crossing.routes) + b">")
        if crossing.registering is not None:
            draft.top.append(b"Path: <%b>" % crossing.registering.path)
            draft.note("path", "brings what the registrar sends to the phone back here (RFC 3327)")
        if not (crossing.forms_dialog and keeps_record_route(crossing.hop.party)):
            return
        upstream = _upstream(crossing) if crossing.far.hides else ()
        target = remote_target(crossing)
        user = self._records.route(crossing, for_near=False, target=target, routes=upstream)
        crossing.route_token = crossing.far_uri(user) + b";lr"
        crossing.route_value = b" <%b>" % crossing.route_token
        draft.top.append(b"Record-Route:" + crossing.route_value)
        draft.note("record-route", "the dialog's record, sealed: it brings requests of the call back here")


def remote_target(crossing: Crossing) -> bytes:
    """Return the URI of the request's Contact; without one, the address that it came from."""
    try:
        contact = crossing.request.address(b"contact")
    except Malformed:
        if crossing.far.hides:
            raise
        contact = None
    if contact is not None:
        return contact.uri
    host, port = crossing.near_flow.peer
    return b"sip:" + hostport(host.encode(), port)


def _upstream(crossing: Crossing) -> tuple[bytes, ...]:
    """Return the URIs of the proxies between the sender and us, nearest first."""
    if b"record-route" not in crossing.request.index:
        return ()
    return tuple([parse_name_addr(value).uri for value in crossing.request.items(b"record-route")])


def _is_doubtful(crossing: Crossing, position: int) -> bool:
    """Tell whether a From or To may claim a verification that nobody believes.

    Of one without angle brackets the parameters are the header's (RFC 3261 §20.10): written anew, it has none.
    """
    return not crossing.passage.believed and claims(crossing.request.lines[position])


def _why(outward: NameAddr) -> str:
    """Return why a From or To changed."""
    anonymous = outward[:2] == ANONYMOUS[:2]
    return "hidden: the anonymous form of RFC 3323" if anonymous else "as this side knows the dialog"


def _disbelieve(draft: Draft, crossing: Crossing) -> None:
    """Take out what claims to be a PSAP's call-back and is none: its receiver would set rules aside (RFC 7090 §6)."""
    if not crossing.source.in_core and says_callback(crossing.request):
        draft.remove_all(b"priority", "no call-back of a PSAP")


def _log_in(draft: Draft, login: Login) -> None:
    """Put our credentials in the place of any that the sender has for this trunk: it would not know whose count."""
    for name in (b"authorization", b"proxy-authorization"):
        for position in draft.find(name):
            draft.settle(position, None, "ours stand in their place")
    draft.bottom += login.lines
    if login.lines:
        draft.note("authorization", "what the trunk asks for")


def _count_down(draft: Draft, crossing: Crossing) -> None:
    """Set Max-Forwards (§16.6 item 3), make room for Max-Breadth (RFC 5393 §5.3.3), consume Proxy-Require."""
    hops, shape = crossing.request.max_forwards, crossing.request.shape
    value = b"%d" % (DEFAULT_MAX_FORWARDS if hops is None else hops - 1)
    if shape.max_forwards >= 0:
        draft.replace(shape.max_forwards, value, "one hop further")
    else:
        draft.bottom.append(b"Max-Forwards: " + value)
    if shape.places(_CONSUMED):
        draft.remove_all(b"max-breadth", "this branch's share")
        if crossing.far.hides or crossing.to_far.fulfils_privacy:
            draft.remove_all(b"proxy-require", "fulfilled here")
