"""A response on its way back: RFC 3261 §16.7 items 3, 8 and 9 with identity, topology and plan.

Via, From, To, Call-ID, CSeq and Record-Route towards the sender are rebuilt from its own request, never
by editing what the far side echoed (RFC 3323 §5.1, §5.3; dialogs.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from config.vocabulary import Category
from proxy import forwarded_register
from proxy.asserted import assert_identity
from proxy.between_phones import CHALLENGES, are_both_phones, outward, remove
from proxy.claimed import remove_claims, remove_foreign
from proxy.counters import Counters
from proxy.crossing import Crossing, Records
from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr, parse_params
from proxy.identity import Identity
from proxy.message import Draft, Message
from proxy.pack import ANONYMOUS
from proxy.planning import Planning
from proxy.policy import Plan, Privacy, hides
from proxy.references import References
from proxy.reply import STALE_DATE, echo, status_line
from proxy.serialise import serialise
from proxy.shape import Names, Shape
from proxy.tokens import Tokens
from proxy.unfiltered import PLAN
from proxy.uri import parse_sip_uri
from proxy.verstat import CLAIMING, disclaim
from proxy.wishes import Wishes

_ECHOED = Names(b"via", b"from", b"to", b"call-id", b"cseq", b"record-route")
_ABOUT_OUR_PASSWORD = Names(
    b"authentication-info", b"proxy-authentication-info", b"www-authenticate", b"proxy-authenticate"
)  # fmt: skip
"""What a trunk says that asked for it, in whatever response: a hash of it (`rspauth`) is material for guesses."""
_PATHS = Names(b"path", b"service-route")
_UNKNOWN = Category.UNKNOWN
_HIDDEN = "the far side of the network is hidden"
_USER = re.compile(rb"\+?[0-9A-Za-z*#._-]{1,64}")


class ResponseForwarder:
    """Makes the bytes of forwarded responses."""

    def __init__(
        self, tokens: Tokens, identity: Identity, records: Records, references: References, privacy: Privacy,
        counters: Counters, wishes: Wishes | None = None,
    ) -> None:  # fmt: skip
        """Use the shared stages of one core; `wishes` knows who is private in calls that run."""
        self._planning = Planning(tokens, privacy, counters, wishes)
        self._tokens = tokens
        self._identity = identity
        self._records = records
        self._references = references

    def build(self, crossing: Crossing, response: Message, merged: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
        """Return a response as it goes back to the crossing's sender.

        Args:
            crossing: the branch that the response came on.
            response: as received.
            merged: name and line of the challenges of other branches (§16.7 item 7); the plan sees them too.

        Raises:
            Exception: whatever fails; the caller decides what leaves instead.
        """
        draft = Draft(response, crossing.notes)
        for name, line in merged:
            draft.adopt(name, line)
        self._start(draft, crossing, response)
        shape = response.shape
        self._keep_to_ourselves(draft, crossing, response)
        if not crossing.emergency:
            _disbelieve(draft, crossing, response)
        _leave_out_what_is_echoed(draft, shape)
        if crossing.near.hides or crossing.emergency or crossing.registering is not None:
            self._hide(draft, crossing, response)
        plan = self._plan(crossing, response)
        assert_identity(draft, response, crossing.hop.party, crossing.source, plan)
        self._planning.edit(draft, crossing, response, plan, towards_far=False)
        if shape.places(CLAIMING) and not crossing.emergency:
            disclaim(draft, crossing.hop.party)
        self._echo(draft, crossing, response)
        if crossing.registering is not None:
            forwarded_register.answer(draft, crossing, crossing.registering, response, self._tokens)
        if draft.notes is not None:
            for name in _ECHOED.names:
                draft.note(name.decode(), "as the sender of the request knows the dialog")
        return crossing.passage.write_near(draft)

    def build_emergency(self, crossing: Crossing, response: Message) -> bytes:
        """Return a response to an emergency call without its plan: it goes through, complete, whatever failed.

        Raises:
            Malformed: where the dialog itself cannot be carried on with it.
        """
        crossing.passage = replace(crossing.passage, to_near=PLAN)
        draft = Draft(response, crossing.notes)
        self._start(draft, crossing, response)
        _leave_out_what_is_echoed(draft, response.shape)
        if crossing.near.hides:
            with suppress(Malformed):
                self._hide_topology(draft, crossing, response)
        self._echo(draft, crossing, response)
        return serialise(draft)

    def _keep_to_ourselves(self, draft: Draft, crossing: Crossing, response: Message) -> None:
        """Take out what is about passwords and for nobody but us, or for nobody."""
        if crossing.login is not None and crossing.hop.party.logs_in:
            for position in response.shape.places(_ABOUT_OUR_PASSWORD):
                draft.remove(position, "between the trunk and us")
        if are_both_phones(crossing):
            remove(draft, response, CHALLENGES)

    def _plan(self, crossing: Crossing, response: Message) -> Plan:
        """Return the plan for a response: the dialog's, or a stricter one as for requests."""
        if not response.shape.asks and crossing.source.recorder is None:
            return crossing.to_near
        decision = crossing.base.to_caller if crossing.near_is_caller else crossing.base.to_callee
        return self._planning.stricter(response, decision, crossing.source, crossing.issued)

    def _keep_reachable(self, draft: Draft, crossing: Crossing, response: Message) -> None:
        """Give the PSAP a Contact that reaches the phone outside the dialog too (RFC 6881 ED-62.5)."""
        with suppress(Malformed):
            contact = response.address(b"contact")
            uri = parse_sip_uri(contact.uri) if contact is not None else None
            if contact is None or uri is None or uri.param(b"gr") is not None:
                return
            routes = _nearest_first(self.beyond(crossing, response))
            user = self._records.contact(crossing, for_near=True, target=contact.uri, routes=routes)
            reachable = contact._replace(uri=crossing.near_uri(user))
            draft.set_only(b"contact", reachable.address + contact.params, "reaches the phone for a call-back too")

    def _start(self, draft: Draft, crossing: Crossing, response: Message) -> None:
        """Send the standard phrase where unknown texts may not pass: a phrase is room for anything."""
        decision = crossing.base.to_caller if crossing.near_is_caller else crossing.base.to_callee
        status = outward(crossing, response.status)
        if status != response.status or hides(decision, _UNKNOWN):
            stale = status == 403 and response.reason.lower() == b"stale date"
            draft.start = STALE_DATE if stale else status_line(status)

    def _echo(self, draft: Draft, crossing: Crossing, response: Message) -> None:
        """Put on top the lines that the sender wants back from its request, and our Record-Route."""
        tag = b""
        if not crossing.request.to_tag and response.to_tag:
            tag = self._identity.seal_tag(response.to_tag, crossing.near, crossing.key_id)
        draft.top += echo(crossing.request, crossing.near_flow, tag)
        if crossing.forms_dialog and 101 <= response.status <= 299:
            draft.top += self._record_route(crossing, response)

    def _record_route(self, crossing: Crossing, response: Message) -> list[bytes]:
        """Return the Record-Route lines towards the sender: its own entries under ours (§16.7 item 8)."""
        request = crossing.request
        beyond = self.beyond(crossing, response)
        target = _target(response) or crossing.target
        hidden = _nearest_first(beyond) if crossing.hides_far else ()
        user = self._records.route(crossing, for_near=True, target=target, routes=hidden)
        visible = [] if crossing.hides_far else [b"Record-Route: <%b>" % uri for uri in beyond]
        ours = b"Record-Route: <%b;lr>" % crossing.near_uri(user)
        if b"record-route" not in request.index:
            return [*visible, ours]
        return [*visible, ours, *(request.lines[position] for position in request.index[b"record-route"])]

    def beyond(self, crossing: Crossing, response: Message) -> list[bytes]:
        """Return the entries of the proxies behind us, topmost first: what stands above our own entry.

        Many drop our entry, in 180 above all; then everything is theirs but what the request already had.
        """
        places = response.index.get(b"record-route")
        if places is None or response.lines[places[0]].endswith(crossing.route_value):
            return []  # nothing above our own entry, as nearly always
        beyond: list[bytes] = []
        upstream = {parse_name_addr(value).uri for value in crossing.request.items(b"record-route")}
        for value in response.items(b"record-route"):
            uri = parse_name_addr(value).uri
            if self._records.is_own_route(uri, crossing):
                break
            if uri not in upstream or crossing.hides_near:
                beyond.append(uri)
        return beyond

    def _hide(self, draft: Draft, crossing: Crossing, response: Message) -> None:
        """Take out what the sender may not see of the far side's network, before the plan looks at the rest."""
        if crossing.registering is not None:
            forwarded_register.hide(draft)
        elif crossing.near.hides:
            self._hide_topology(draft, crossing, response)
        elif crossing.hop.party.in_access and response.status < 300:
            self._keep_reachable(draft, crossing, response)

    def _hide_topology(self, draft: Draft, crossing: Crossing, response: Message) -> None:
        draft.clear(response.shape.places(_PATHS), _HIDDEN)
        if b"contact" not in response.index:
            return
        if response.status >= 400 and response.status != 485:
            draft.remove_all(b"contact", "leads nowhere in this response (RFC 3261 table 2)")
        else:
            draft.set_only(b"contact", self._contact(crossing, response), _HIDDEN)

    def _contact(self, crossing: Crossing, response: Message) -> bytes:
        """Return the Contact that the sender sees: a token, or for redirections the number alone."""
        if response.status >= 300:
            return self._redirection(crossing, response)
        contact = response.address(b"contact")
        if contact is None:
            raise Malformed("Missing Contact")
        params = crossing.to_near.contact_params(contact.params)
        if self._references.is_nested(contact.uri, crossing.far.end):
            user = contact.uri.partition(b":")[2].partition(b"@")[0]
            return b"<%b>%b" % (crossing.near_uri(user), params)
        routes = _nearest_first(self.beyond(crossing, response)) if crossing.forms_dialog else ()
        user = self._records.contact(crossing, for_near=True, target=contact.uri, routes=routes)
        return b"<%b>%b" % (crossing.near_uri(user), params)

    def _redirection(self, crossing: Crossing, response: Message) -> bytes:
        """Return 3xx and 485 Contacts as numbers to dial through us: their hosts, and some users, are topology."""
        targets: list[bytes] = []
        for item in response.items(b"contact"):
            address = parse_name_addr(item)
            uri = parse_sip_uri(address.uri)
            user = uri.user.partition(b";")[0] if uri else address.uri.partition(b":")[2].partition(b";")[0]
            if not _USER.fullmatch(user) or self._identity.tells_device(user):
                continue
            quality = parse_params(address.params).get(b"q", b"")
            tail = b";q=" + quality if re.fullmatch(rb"[01](\.\d{0,3})?", quality) else b""
            targets.append(b"<%b>%b" % (crossing.near_uri(user), tail))
        return b", ".join(targets) or b"<%b>" % ANONYMOUS.uri


def _leave_out_what_is_echoed(draft: Draft, shape: Shape) -> None:
    """Take out what `echo` puts on top; what a response says of it is not looked at, and is no edit of it."""
    lines = draft.lines
    for position in shape.places(_ECHOED):
        lines[position] = None


def _nearest_first(beyond: list[bytes]) -> tuple[bytes, ...]:
    """Return proxies behind us as a route set; there are hardly ever any."""
    return tuple(beyond[::-1]) if beyond else ()


def _disbelieve(draft: Draft, crossing: Crossing, response: Message) -> None:
    """Take out what a phone that answers says of others, or in place of a network: a core that is told by a 302 who
    forwards passes it on as its own word."""
    answering = crossing.hop.party
    remove_claims(draft, response, answering)
    called = NameAddr(b"", b"sip:" + crossing.phone.called, b"") if crossing.phone is not None else None
    remove_foreign(draft, response, answering, crossing.request.to, called)


def _target(response: Message) -> bytes:
    contact = response.address(b"contact")
    return contact.uri if contact else b""
