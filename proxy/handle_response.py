"""Responses: to their client transaction, and from the response context back to the sender.

Without a client transaction a response is dropped (RFC 6026 §7.3). What a filter cannot finish does not
leave: a provisional response is dropped, a final one becomes our 500, and a 2xx to an INVITE is taken down
on the far side too, so that no call stays up half (design.md §2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.aliases import address_of, send_over_own
from proxy.between_phones import outward
from proxy.by_size import fall_back
from proxy.crossing import Crossing
from proxy.derive import ack_and_bye
from proxy.edge_flow import send_to_edge
from proxy.errors import Malformed, NotRecorded
from proxy.flow import Flow
from proxy.forking import STANDARD, Answer, Branch, ResponseContext
from proxy.forwarded_register import is_timed
from proxy.headers import delta_seconds, parse_via
from proxy.lingering import Accepted
from proxy.matching import client_key, make_branch
from proxy.message import Message
from proxy.party import Party
from proxy.record import Mark
from proxy.recording_way import check_answer
from proxy.taken_down import TakenDown
from proxy.timers import TimerWheel
from proxy.transaction import Client, ClientTransaction, ClientUser

if TYPE_CHECKING:
    from proxy.core import Core

_CLASSES = ("", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx")


class Kept(NamedTuple):
    """A response that does not go back."""

    reason: str
    """Why nothing of a recording session does, as COUNTERS has it; "" where a filter failed."""


FAILED: Final = Kept("")


def _kind(response: Message) -> str:
    """Return which kind of message a filter failed on, as COUNTERS has it."""
    if response.status < 200:
        return "provisional"
    return "invite-2xx" if response.status < 300 and response.cseq_method == b"INVITE" else "final"


class ResponseHandler:
    """Takes every response, and is the uplink of all response contexts."""

    def __init__(self, core: Core) -> None:
        """Work on the core's tables."""
        self._core = core

    @property
    def wheel(self) -> TimerWheel:
        """The core's timer wheel."""
        return self._core.wheel

    def receive(self, response: Message, flow: Flow, source: Party | None, now: float) -> None:
        """Hand a response to its client transaction (§17.1.3); drop strays."""
        core = self._core
        core.counters.add("responses_received", _CLASSES[response.status // 100])
        client = core.clients.get(client_key(response.via.branch, response.cseq_method))
        if client is None or not _may_answer(client, flow, source):
            core.drop("stray-response")
            return
        outages = core.outages
        if outages.marks or outages.refusals:
            takes_calls = response.cseq_method == b"INVITE"
            outages.heard(address_of(core, client.flow), response.status, takes_calls=takes_calls)
        if client.hop is not None and client.hop.in_access:
            core.guard.proved(flow)
        if not self._take(client, response, now):
            core.counters.add("dropped", "late")

    def _take(self, client: Client, response: Message, now: float) -> bool:
        """Give a response to whom it is for; False where it is of no use any more."""
        if isinstance(client, ClientTransaction):
            return client.receive(response, now)
        if isinstance(client, Accepted):
            return 200 <= response.status < 300 and self._pass_again(client, response, now)
        if response.status < 300:
            return False
        self._core.transmit(client.flow, client.ack)
        return True

    def _pass_again(self, accepted: Accepted, response: Message, now: float) -> bool:
        """Send a further 2xx to an INVITE back: a repeated one, or that of a fork behind the hop (RFC 6026 §7)."""
        core, crossing = self._core, accepted.crossing()
        data = self._built(crossing, response, ())
        if isinstance(data, Kept):
            return True  # a second answer to a call that is up: without an ACK its phone ends it (§13.3.1.4)
        core.give_back(accepted.back, data)
        self._follow(crossing, response, now)
        core.record(response.raw, data, accepted.back, crossing)
        core.event("answered", crossing.base.call, crossing.hop.party.label, str(response.status))
        return True

    def pass_back(
        self, context: ResponseContext, branch: Branch, response: Message, merged: Sequence[tuple[bytes, bytes]],
        now: float,
    ) -> None:  # fmt: skip
        """Send a branch's response to the request's sender."""
        core, crossing = self._core, branch.crossing
        data = self._built(crossing, response, merged)
        if isinstance(data, Kept):
            self._failed(context, branch, response, data, now)
            return
        status = outward(crossing, response.status)
        if not context.server.respond(status, data, now):
            return
        self._follow(crossing, response, now)
        if crossing.login is not None:
            core.logins.note(crossing, response)
        if status >= 200 and branch.client is not None:
            branch.client.settle()
        if 200 <= status < 300 and context.request.method == b"REGISTER" and crossing.source.in_access:
            core.guard.proved(context.flow)
            if crossing.registering is not None and crossing.registering.timer:
                core.timed.note(crossing.near_flow, timed=is_timed(crossing.registering, response))
        core.record(response.raw, data, context.server.flow, crossing)
        if context.server.is_invite and status >= 200:
            kind = "answered" if status < 300 else "ended"
            if crossing.base.marks & Mark.RECORDING and crossing.forms_dialog:
                core.counters.add("recording_sessions", "answered" if status < 300 else "refused")
            core.event(kind, crossing.base.call, crossing.hop.party.label, str(status))

    def _follow(self, crossing: Crossing, response: Message, now: float) -> None:
        """Note what an answer that went back means for what recordings have to know of its call."""
        core = self._core
        if crossing.base.marks & Mark.PRIVATE and core.generation.wishes is not None:
            core.generation.wishes.answered(crossing, response, core.wall(now))

    def _built(self, crossing: Crossing, response: Message, merged: Sequence[tuple[bytes, bytes]]) -> bytes | Kept:
        """Return a response as it goes back, or why it does not; that is counted."""
        core = self._core
        crossing.notes = [] if core.recorder is not None else None
        try:
            check_answer(core, crossing, response)
            if response.shape.asks and core.generation.wishes is not None:
                core.generation.wishes.note_callee(crossing, response)
            return core.response_forwarder.build(crossing, response, merged)
        except NotRecorded as refusal:
            kept = Kept(refusal.reason)
        except Exception:  # whatever a filter raises: fail closed
            kept = FAILED
        data = self._built_all_the_same(crossing, response) if crossing.emergency else None
        if data is not None:
            return data
        self._count(crossing, response, kept)
        return kept

    def _built_all_the_same(self, crossing: Crossing, response: Message) -> bytes | None:
        """Return the answer to an emergency call without its plan; None where it cannot be made even so."""
        core = self._core
        try:
            data = core.response_forwarder.build_emergency(crossing, response)
        except Exception:  # the last resort failed too
            return None
        core.override("filter", crossing.base.call, crossing.hop.party)
        return data

    def answer(self, context: ResponseContext, status: int, now: float, answer: Answer = STANDARD) -> None:
        """Send a response of our own."""
        self.unanswered(context, now)
        self._core.respond(context.server, context.request, context.flow, status, now, answer.reason, answer.extra)

    def unanswered(self, context: ResponseContext, now: float) -> None:
        """Note that the far side has answered nothing: who sends a BYE has ended the call (RFC 3261 §15.1.1)."""
        core = self._core
        if context.request.method == b"BYE" and core.generation.wishes is not None:
            for branch in context.branches:
                if branch.crossing.base.marks & Mark.PRIVATE:
                    core.generation.wishes.over(branch.crossing, core.wall(now))

    def _failed(self, context: ResponseContext, branch: Branch, response: Message, kept: Kept, now: float) -> None:
        kind = _kind(response)
        if kind == "provisional":
            return
        if kind == "invite-2xx" and branch.client is not None:
            self.take_down(branch.client, branch.crossing, response, now)
        if not context.server.finished:
            ends = branch.crossing.base.marks & Mark.RECORDING and context.request.to_tag
            # Of which one side was taken down, or changed, the session is over for the other too (RFC 5057 §5.3).
            is_over = ends and (kind == "invite-2xx" or kept.reason == "media")
            self.answer(context, 481 if is_over else 500, now)

    def _count(self, crossing: Crossing, response: Message, kept: Kept) -> None:
        core, label = self._core, crossing.hop.party.label
        if kept.reason:
            core.counters.add("recording_refused", kept.reason)
            core.event("recording-refused", crossing.base.call, label, kept.reason)
            return
        kind = _kind(response)
        core.counters.add("failed_closed", kind)
        core.event("failed-closed", crossing.base.call, label, kind)

    def take_down(self, client: ClientTransaction, crossing: Crossing, response: Message, now: float) -> None:
        """End the call on the far side: ACK and BYE made from what we sent and what came."""
        core = self._core
        self.ended(crossing)
        if not client.request:
            return  # a second answer to a call that is up: without an ACK its phone ends it (§13.3.1.4)
        tokens = core.generation.tokens
        key = client_key(response.via.branch, response.to_tag)
        branches = [make_branch(tokens, key, what, client.flow.peer, b"down", core.worker) for what in (b"ack", b"bye")]
        try:
            beyond = core.response_forwarder.beyond(crossing, response)
            ack, bye = ack_and_bye(client.request, response, beyond[::-1], (branches[0], branches[1]))
        except Malformed:
            core.drop("failed-closed")
            return
        core.transmit(client.flow, ack)
        if client_key(branches[1], b"BYE") not in core.clients:
            ending = core.start_client(client.flow, b"BYE", bye, branches[1], TakenDown(core, crossing.hop.party, bye))
            ending.hop = crossing.hop.party
            ending.start(now)

    def send_cancel(self, client: ClientTransaction, data: bytes, now: float) -> None:
        """Send a CANCEL in a transaction of its own; its response says nothing (§16.10)."""
        branch = parse_via(data.partition(b"\r\nVia:")[2].partition(b"\r\n")[0]).branch
        self._core.start_client(client.flow, b"CANCEL", data, branch, Nobody()).start(now)

    def timer_c(self) -> float:
        """Return timer C in seconds."""
        return self._core.timers.timer_c

    def give_up(self) -> float:
        """Return 64*T1 in seconds."""
        return 64 * self._core.timers.t1

    def timed_out(self, timer: str) -> None:
        """Count a timer that ended a branch."""
        self._core.counters.add("timeouts", timer)

    def ended(self, crossing: Crossing) -> None:
        """Count a call that failed no more; a re-INVITE that is refused ends none."""
        if crossing.forms_dialog and crossing.hop.party.is_limited:
            self._core.limits.leave(crossing.hop.party, crossing.base.call)

    def unheard(self, client: ClientTransaction, now: float) -> None:
        """Remember a target that did not answer; phones, which have no other address, are not remembered."""
        if client.hop is not None and not client.hop.in_access:
            self._core.outages.silent(address_of(self._core, client.flow), now)
            self._core.aliases.ended(client.flow)

    def fall_back(self, client: ClientTransaction, user: ClientUser, now: float) -> ClientTransaction | None:
        """Send over UDP what was too large for it and found no connection (RFC 3261 §18.1.1).

        What was for a connection that the far end had offered goes over one of ours (RFC 5923), and so what was for an
        edge proxy's.
        """
        core = self._core
        other = send_over_own(core, client, user) or send_to_edge(core, client, user)
        return other or fall_back(core, client, user, now)

    def flow_failed(self, branch: Branch, now: float) -> None:
        """Take out the binding of a phone whose edge proxy says 430 (RFC 5626 §7)."""
        phone = branch.crossing.phone
        if phone is not None and branch.client is not None:
            self._core.bindings.lost(phone.aor, branch.client.flow, phone.way.routes, now)

    def busy(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Remember a target that asks to be left alone (RFC 3261 §21.5.4), or that refuses once more."""
        hop, outages = client.hop, self._core.outages
        if hop is None or hop.in_access:
            return
        wanted = delta_seconds(response.value(b"retry-after"))
        if wanted is not None:
            outages.busy(address_of(self._core, client.flow), wanted, now)
        elif hop.trunk is not None:
            outages.refused(address_of(self._core, client.flow), hop.trunk.health.failures, now)


def _may_answer(client: Client, flow: Flow, source: Party | None) -> bool:
    """Tell whether a response comes from the side that was asked: a branch is hard to guess, but it is no secret.

    A trunk or the core may answer from any of its addresses, a phone only from the host that was asked; what
    went to ourselves is answered by ourselves (`source` None).
    """
    hop = client.hop
    if hop is None or flow.peer == client.flow.peer:
        return True
    if source is None:
        return False
    if hop.trunk is not None or source.trunk is not None:
        # By the name, not by the settings: these may be another generation's by now.
        return source.end.trunk_id == hop.end.trunk_id
    return source.zone is hop.zone and (not hop.in_access or flow.peer[0] == client.flow.peer[0])


class Nobody:
    """The user of a client transaction whose outcome nobody waits for."""

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Leave it at that."""

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        """Leave it at that."""
