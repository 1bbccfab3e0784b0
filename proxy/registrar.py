"""The registrar of our domains (RFC 3261 §10.3, in its order; RFC 5626 §6, RFC 5627 §5): REGISTER, answered here.

A registration is bound to the flow that it came over. Its Contact is what the phone is called in a Request-URI, and
chooses no hop: one that names a trunk, the core or somebody else's phone leads back to who wrote it.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

from config.registrar_section import Registrar as Section
from proxy import gruu, registration
from proxy.bindings import Binding
from proxy.errors import Malformed, Refused
from proxy.flow import Flow
from proxy.forwarded_register import TIMED
from proxy.implicit_registration import domains_of, registered_as
from proxy.initial import Arrival, take_routes
from proxy.message import Message
from proxy.registered_address import address_of_record
from proxy.registration import Registration, Wanted
from proxy.registration_limits import RegistrationLimits
from proxy.transaction import ServerTransaction
from proxy.uri import parse_sip_uri, without_push
from proxy.uri_equal import equal

if TYPE_CHECKING:
    from proxy.core import Core

FULL_RETRY = 60
"""Seconds that a phone is told to wait when there is no room for another binding."""
MOST_ASSOCIATED = 512
"""Bytes of a line with the addresses of an account in a datagram, unless the first is longer: with all else that a 200
says it is within the 1,300 bytes that pass unfragmented where nobody knows better (RFC 3261 §18.1.1)."""
FLOW_GRACE = 15
"""Seconds that a keep-alive may be late; connections are looked at twice a minute besides."""


class Registrar:
    """Answers REGISTERs for the domains of the running configuration."""

    def __init__(self, core: Core) -> None:
        """Work on the core's bindings."""
        self._core = core
        self._limits = RegistrationLimits()

    def silence(self, flow: Flow) -> float:
        """Return the seconds for which a flow may bring nothing before it is dead (RFC 5626 §4.4.1); 0: no such bound.

        Those of phones with Outbound, and not of edge proxies, who keep the flows of many.
        """
        section = self._core.generation.network.settings.registrar
        if section is None or not section.flow_timer or flow.transport not in TIMED:
            return 0.0
        core = self._core
        is_timed = core.bindings.is_outbound(flow) if section.mode == "local" else core.timed.has(flow)
        return section.flow_timer + FLOW_GRACE if is_timed else 0.0

    def answers(self, arrival: Arrival, server: ServerTransaction, now: float) -> bool:
        """Answer a REGISTER for a domain of ours; False for any other, which is routed like other requests.

        Raises:
            Refused, Malformed: where the answer is a refusal.
        """
        section = self._core.generation.network.settings.registrar
        if section is None or section.mode != "local" or arrival.uri is None or arrival.request.to_tag:
            return False
        domain = arrival.uri.host.lower().removesuffix(b".")
        if domain not in domains_of(section):
            return False
        try:
            lines = self._register(arrival, section, domain, now)
        except (Refused, Malformed) as refusal:
            code = refusal.code or 400
            self._core.counters.add("registrations", _REFUSALS.get(code, "refused"))
            raise
        self._core.respond(server, arrival.request, arrival.flow, 200, now, b"", lines)
        return True

    def _register(self, arrival: Arrival, section: Section, domain: bytes, now: float) -> tuple[bytes, ...]:
        """Do what a REGISTER asks for and return the lines of its 200."""
        request, core = arrival.request, self._core
        if arrival.uri is None or arrival.uri.user:
            raise Refused(400, "User in Request-URI")  # §10.2; and nothing in it may look like an emergency call
        if not arrival.source.in_access or take_routes(core.generation, arrival):
            # A phone is reached by the flow that it registers over, and no phone is on a trunk's or the core's.
            raise Refused(403, "Forbidden")
        registration.check_require(request)
        aor = _aor(request, domain)
        if not arrival.account and not section.unauthenticated:
            raise Refused(403, "Forbidden")
        addresses = core.authentication.addresses(arrival.account)
        if arrival.account and aor not in registered_as(addresses, domains_of(section)):
            # To is an address of the account: that is seen to where the account is set (§10.3 steps 3 and 4). There
            # `alice;x` is alice, as in From; here it would be an address of record of its own, perhaps somebody else's.
            raise Refused(403, "Forbidden")
        self._limits.check_rate(arrival, section, core.generation.network.settings.workers)
        if not core.bindings.owns(aor):
            # It came to us by a mistake, or by a connection of which nobody else can be told: two must not write one.
            raise Refused(500, "Another Worker's")
        asked = registration.read(request, section)
        before = core.bindings.of(aor)
        bindings = before
        if asked.everything or asked.contacts:
            bindings = self._updated(arrival, asked, before, now)
            bindings = _youngest(bindings, section.bindings)
            self._limits.check_room(core, arrival, section, (aor, bindings))
            if len(core.bindings) + len(bindings) - len(before) > section.all_bindings and len(bindings) > len(before):
                raise Refused(500, "Registrar Full", b"Retry-After: %d" % FULL_RETRY)
            core.bindings.replace(aor, bindings, now)
        core.counters.add("registrations", "updated" if bindings is not before else "queried")
        return self._lines(arrival, asked, aor, bindings, now)

    def _updated(
        self, arrival: Arrival, asked: Registration, before: tuple[Binding, ...], now: float
    ) -> tuple[Binding, ...]:
        """Return the bindings that there are to be (§10.3 steps 6 and 7).

        Raises:
            Refused: 400 where this REGISTER is older than what it would change: nothing of it is done then.
        """
        request = arrival.request
        if asked.everything:
            for binding in before:
                _check_order(request, binding)
            return ()
        after = list(before)
        for wanted in asked.contacts:
            old = next((each for each in before if _is_same(each, wanted)), None)
            if old is not None:
                _check_order(request, old)
            after = [each for each in after if not _is_same(each, wanted)]
            if wanted.expires:
                after.append(_binding(arrival, asked, wanted, old, now))
        return tuple(after)

    def _lines(
        self, arrival: Arrival, asked: Registration, aor: bytes, bindings: tuple[Binding, ...], now: float
    ) -> tuple[bytes, ...]:
        """Return what a 200 says besides: the current bindings, Path, Date (§10.3 step 8)."""
        request, tokens = arrival.request, self._core.generation.tokens
        lines = []
        for binding in bindings:
            # What wakes a phone, and its device id, is between it and its registrar (RFC 8599, RFC 5626): the other
            # phones of the address see neither.
            own = binding.call_id == request.call_id
            uri = binding.uri if own else without_push(binding.uri)
            line = b"Contact: <%b>;expires=%d" % (uri, max(int(binding.until - now), 0))
            if binding.q < 1000:
                line += b";q=0.%03d" % binding.q
            if own and binding.instance:
                line += b';+sip.instance="%b"' % binding.instance
                if binding.reg_id:
                    line += b";reg-id=%d" % binding.reg_id
                if asked.gruu:
                    line += b';pub-gruu="%b";temp-gruu="%b"' % gruu.make(tokens, aor, binding)
            lines.append(line)
        lines += self._associated(arrival, aor)
        if asked.path:
            lines += [request.lines[place] for place in request.index[b"path"]]
        if any(each.reg_id and each.expires for each in asked.contacts):
            lines.append(b"Require: outbound")
            timer = self._flow_timer(arrival.flow)
            if timer and not asked.path:
                lines.append(b"Flow-Timer: %d" % timer)
        lines += [b"Supported: path, outbound, gruu", b"Date: " + formatdate(arrival.wall, usegmt=True).encode()]
        return tuple(lines)

    def _associated(self, arrival: Arrival, aor: bytes) -> tuple[bytes, ...]:
        """Return the line of all addresses that an account has, the main one first (RFC 7315 §4.1).

        By each of them its phone may be called, and as each it may speak. Who has proved no account has none, so nobody
        gets it who has not heard our challenge. Over UDP the last of many are left out: it is better not to know of one
        than to hear nothing, for routers on the way lose the pieces of a large datagram.
        """
        if not arrival.account:
            return ()
        domain = aor.rpartition(b"@")[2]
        found = [
            b"<sip:%b>" % (address if b"@" in address else address + b"@" + domain)
            for address in self._core.authentication.addresses(arrival.account)
        ]
        if not found:
            return ()  # it was removed between two looks
        line, *more = dict.fromkeys(found)
        for each in more:
            if arrival.flow.transport == "UDP" and len(line) + len(each) > MOST_ASSOCIATED:
                break
            line += b", " + each
        return (b"P-Associated-URI: " + line,)

    def _flow_timer(self, flow: Flow) -> int:
        section = self._core.generation.network.settings.registrar
        return section.flow_timer if section is not None and flow.transport in TIMED else 0


_REFUSALS = {403: "forbidden", 404: "unknown", 423: "brief", 500: "full", 503: "limited"}
"""Labels of refusals by status; any other is `refused`."""


def _aor(request: Message, domain: bytes) -> bytes:
    """Return the address of record of To (§10.3 step 5).

    Raises:
        Refused: 404 where it is not valid for the domain in the Request-URI.
    """
    to = parse_sip_uri(request.to.uri)
    if to is None or not to.user or to.host.lower().removesuffix(b".") != domain:
        raise Refused(404, "Not Found")
    if len(to.user) > registration.MAX_TEXT:
        raise Malformed("Address Too Long")
    return address_of_record(to.user, domain)


def _binding(arrival: Arrival, asked: Registration, wanted: Wanted, old: Binding | None, now: float) -> Binding:
    """Return the binding for a Contact; `old` is the one that it renews."""
    request, flow = arrival.request, arrival.flow
    since = old.since if old is not None and old.flow == flow else arrival.wall
    until = now + wanted.expires
    return Binding(
        wanted.uri, wanted.q, request.call_id, request.cseq, until, flow, asked.path, wanted.instance, wanted.reg_id,
        arrival.wall, since, arrival.account,
    )  # fmt: skip


def _check_order(request: Message, binding: Binding) -> None:
    """Refuse what was sent before what it would undo (§10.3 steps 6 and 7).

    Raises:
        Refused: 400.
    """
    if binding.call_id == request.call_id and request.cseq <= binding.cseq:
        raise Refused(400, "Out of Order")


def _is_same(binding: Binding, wanted: Wanted) -> bool:
    """Tell whether a Contact is that of a binding: by instance and reg-id (RFC 5626 §6), without these by its URI."""
    if wanted.reg_id or binding.reg_id:
        return (binding.instance, binding.reg_id) == (wanted.instance, wanted.reg_id)
    uri = parse_sip_uri(binding.uri)
    return uri is not None and equal(uri, wanted.parsed)


def _youngest(bindings: tuple[Binding, ...], most: int) -> tuple[Binding, ...]:
    """Return as many bindings as there may be: the oldest ones give way.

    A phone that starts anew behind a NAT leaves a binding behind each time; refusing would keep it out for an hour.
    """
    if len(bindings) <= most:
        return bindings
    kept = sorted(bindings, key=lambda each: each.made)[-most:]
    return tuple([each for each in bindings if each in kept])
