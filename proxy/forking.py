"""The response context of RFC 3261 §16.7: the branches of one request, and which response goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.best_response import Tried, better, rank
from proxy.between_phones import are_both_phones
from proxy.crossing import Crossing
from proxy.derive import cancel_for
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.lingering import Accepted
from proxy.lost_flow import flow_failed, is_lost
from proxy.machines import State
from proxy.message import Message
from proxy.reply import echo
from proxy.timers import Timer, cancel
from proxy.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from proxy.challenged import Challenged
    from proxy.failover import Failover
    from proxy.handle_response import ResponseHandler
    from proxy.in_turns import Turns

#: Challenges of all branches go back together (§16.7 item 7).
_CHALLENGES = (b"www-authenticate", b"proxy-authenticate")
_ASKING = (401, 407)
REFUSED = 500
"""What the sender hears of a challenge that we could not answer; why, says `proxy/challenged.py`."""
_ELSEWHERE = b'SIP;cause=200;text="Call completed elsewhere"'


class Answer(NamedTuple):
    """What a response of our own says besides its status."""

    reason: bytes
    """Reason-Phrase; b"" for the standard one."""
    extra: tuple[bytes, ...]
    """Further complete header lines."""
    elsewhere: bool = False
    """Whether another one of the group may have what this one may not."""


STANDARD = Answer(b"", ())


class Branch:
    """One target of a request."""

    __slots__ = (
        "answer", "best", "cancelling", "client", "crossing", "ends", "final", "login", "others", "provisional",
        "response", "timer",
    )  # fmt: skip

    def __init__(self, crossing: Crossing) -> None:
        """Begin before anything is sent."""
        self.crossing = crossing
        self.client: ClientTransaction | None = None
        """None while its hop is looked up."""
        self.final = 0
        """Status of its final response, 0 before."""
        self.response: Message | None = None
        self.provisional = False
        self.cancelling: bytes | None = None
        """Reason value of the CANCEL that was asked for; b"" for none."""
        self.timer: Timer | None = None
        self.ends = 0.0
        """When timer C is due; the timer itself may run for an earlier time."""
        self.answer = STANDARD
        """What we say, where the branch failed here."""
        self.best: Tried | None = None
        """The best that targets have said which others took over from."""
        self.others: Failover | None = None
        """Its further targets, as long as there may be need of them."""
        self.login: Challenged | None = None
        """What is done when the trunk asks for a password; None for whoever asks the caller."""

    def note(self, status: int, response: Message | None, answer: Answer, crossing: Crossing) -> None:
        """Take note of how one of its targets has failed."""
        self.best = better(self.best, Tried(status, response, answer, crossing))

    def settle_for_best(self, status: int) -> int:
        """Return the status to end with after the last target has failed with `status`: the best of all of them."""
        self.note(status, self.response, self.answer, self.crossing)
        best, self.best = self.best, None
        assert best is not None  # noqa: S101 -- one was noted just now
        self.response, self.answer, self.crossing = best.response, best.answer, best.crossing
        return best.status

    @property
    def may_go_on(self) -> bool:
        """Whether its request may have to be edited and sent once more."""
        return self.others is not None or (self.login is not None and self.login.open)


class ResponseContext:
    """All branches of one server transaction."""

    __slots__ = ("_uplink", "branches", "cancelled", "flow", "request", "server", "trying", "turns")

    def __init__(self, uplink: ResponseHandler, request: Message, flow: Flow, server: ServerTransaction) -> None:
        """Begin without branches; `flow` is where the request came from."""
        self._uplink = uplink
        self.request = request
        self.flow = flow
        self.server = server
        self.branches: tuple[Branch, ...] = ()
        self.cancelled = False
        self.trying: Timer | None = None
        """When 100 is sent for a non-INVITE."""
        self.turns: Turns | None = None
        """Registered phones that are not called yet."""

    def add(self, crossing: Crossing) -> Branch:
        """Add a target."""
        branch = Branch(crossing)
        self.branches += (branch,)
        return branch

    def began(self, branch: Branch, client: ClientTransaction, now: float) -> None:
        """Note that a branch's request is on its way."""
        branch.client = client
        if client.is_invite:
            uplink = self._uplink
            delay = uplink.timer_c()
            branch.ends = now + delay
            branch.timer = uplink.wheel.start(now, delay, _BranchTimer(self, branch), "C")

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Take a response from a client transaction (§16.7)."""
        branch = self._branch_of(client)
        if response.status < 200:
            self._provisional(branch, response, now)
        elif response.status < 300:
            self._success(branch, response, now)
        else:
            if response.status == 503:
                self._uplink.busy(client, response, now)
            self.failed(branch, response.status, response, now)

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        """Take note that a branch will get no response."""
        branch = self._branch_of(client)
        if status == 503 and self.wants(branch):
            other = self._uplink.fall_back(client, self, now)
            if other is not None:
                branch.client = other
                other.start(now)
                return
        if not branch.provisional:
            self._uplink.unheard(client, now)
        if status == 503 and is_lost(branch.crossing):
            status = flow_failed(branch.crossing.source)
        self.failed(branch, status, None, now)

    def failed_locally(self, branch: Branch, status: int, now: float, answer: Answer = STANDARD) -> None:
        """Take note that a branch could not be sent, and what our answer shall say of it."""
        branch.answer = answer
        self.failed(branch, status, None, now)

    def cancel(self, reason: bytes, now: float) -> None:
        """Cancel every pending branch because the sender did (§16.10)."""
        self.cancelled = True
        waiting = [branch for branch in self.branches if not branch.final and branch.client is None]
        self._cancel_pending(reason, now)
        for branch in waiting:
            self.failed(branch, 487, None, now)

    def _branch_of(self, client: ClientTransaction) -> Branch:
        branches = self.branches
        for branch in branches:
            if branch.client is client:
                return branch
        raise LookupError("a client transaction of another context")

    def _provisional(self, branch: Branch, response: Message, now: float) -> None:
        branch.provisional = True
        if branch.cancelling is not None:
            self._send_cancel(branch, now)
        if response.status == 100:
            return
        if branch.others is not None and not branch.crossing.emergency:
            # It rings: what comes of it is the answer, and an untouched request is not kept for as long as that takes.
            branch.others = None
            self.let_go()
        if branch.login is not None and branch.login.open:
            branch.login.settled(branch, now)
            self.let_go()
        # §16.7 item 2: timer C begins anew. Only its end moves; replaces cancelling and starting it each time.
        branch.ends = now + self._uplink.timer_c()
        if branch.final == 0 and not self.server.finished:
            self._uplink.pass_back(self, branch, response, (), now)

    def _success(self, branch: Branch, response: Message, now: float) -> None:
        first = not branch.final
        branch.final = response.status
        branch.others = None
        if branch.login is not None:
            branch.login.settled(branch, now)
        self._release_timer(branch)
        if self.server.is_invite or not self.server.finished:
            self._uplink.pass_back(self, branch, response, (), now)
        if first and len(self.branches) > 1:
            self._cancel_pending(_ELSEWHERE, now)
        self._settle()

    def _settle(self) -> None:
        """Keep no more than further 2xx need, once all branches have ended and a 2xx has passed.

        A branch whose 2xx could not be passed on keeps all: a repetition is taken down as the first one was.
        """
        server = self.server
        if server.state is not State.ACCEPTED or not all(branch.final for branch in self.branches):
            return
        for branch in self.branches:
            client = branch.client
            if client is None or client.state is not State.ACCEPTED or client.request:
                continue
            try:
                accepted = Accepted(branch.crossing, server.flow, client.flow)
            except Malformed:
                continue  # rare enough to be kept as it is
            server.give_way(accepted)
            client.give_way(accepted)

    def wants(self, branch: Branch) -> bool:
        """Tell whether a branch may still be sent somewhere: nobody has cancelled it, and no other has decided."""
        return branch.cancelling is None and self.may_go_on()

    def may_go_on(self) -> bool:
        """Tell whether anybody may still be called: the sender has not cancelled, and no branch has decided."""
        if self.cancelled or self.server.finished:
            return False
        return not any(200 <= other.final < 300 or other.final >= 600 for other in self.branches)

    def quiet(self, now: float) -> None:
        """Cancel all that ring, so that others may."""
        self._cancel_pending(b"", now)

    def let_go(self) -> None:
        """Let go of what only further branches would need of the request, once all were sent for the last time."""
        if self.turns is not None and self.turns.keeps(self):
            return
        if all(branch.client is not None and not branch.may_go_on for branch in self.branches):
            echo(self.request, self.flow, b"")
            self.request.release()

    def failed(self, branch: Branch, status: int, response: Message | None, now: float) -> None:
        """Take note that a branch has failed, unless another target takes over: 503, no way there, no answer."""
        if branch.final:
            return
        branch.response = response
        self._release_timer(branch)
        login = branch.login
        asks = login is not None and _asks(branch, login, now)
        if login is not None and asks:
            if self._answers(branch, login, now):
                return
            status, branch.response = REFUSED, None  # a challenge that is ours to answer goes no further
        self._uplink.ended(branch.crossing)
        others = branch.others
        if others is not None and self.wants(branch) and others.takes_over(status, branch, now):
            branch.note(status, branch.response, branch.answer, branch.crossing)
            branch.client, branch.provisional, branch.answer = None, False, STANDARD
            others.go_on(self, branch, now)
            return
        if branch.best is not None and self.wants(branch):
            status = branch.settle_for_best(status)
        branch.others = branch.login = None
        branch.final = status
        if status == 430:
            self._uplink.flow_failed(branch, now)
        if status >= 600:
            self._cancel_pending(b"", now)
        if self.turns is not None:
            self.turns.after(self, branch, now)
        if all(other.final for other in self.branches):
            self._conclude(now)
            self._settle()

    def _answers(self, branch: Branch, login: Challenged, now: float) -> bool:
        """Repeat a branch's request with credentials, if that is of any use."""
        if branch.response is None or not self.wants(branch) or not login.takes_over(branch, branch.response, now):
            return False
        branch.client, branch.provisional = None, False
        login.go_on(self, branch, now)
        return True

    def _conclude(self, now: float) -> None:
        """Send the best of the final responses back, unless a better one went before (§16.7 item 6)."""
        if self.server.finished or any(branch.final < 300 for branch in self.branches):
            return
        phones = self.turns is not None and not self.cancelled
        best = min(self.branches, key=_rank_of_phone if phones else _rank)
        if phones and _is_unreached(best):
            late = best.final == 408 and not self.server.is_invite
            self._answer_for(408 if late else 480, now)  # all have rung in vain, or cannot be reached: nobody refused
            return
        if best.response is None:
            self._answer_for(best.final, now, best.answer)
            return
        merged: list[tuple[bytes, bytes]] = []
        if best.final in (401, 407):
            asked = (branch for branch in self.branches if branch is not best and not are_both_phones(branch.crossing))
            others = (branch.response for branch in asked if branch.response)
            merged = [line for other in others if other.status in (401, 407) for line in _challenges(other)]
        self._uplink.pass_back(self, best, best.response, merged, now)

    def _answer_for(self, status: int, now: float, answer: Answer = STANDARD) -> None:
        """Answer for a branch that had no response: 503 as 500, and 408 to INVITE only (RFC 4320 §4.2)."""
        if self.cancelled:
            status = 487
        if status == 408 and not self.server.is_invite:
            self._uplink.unanswered(self, now)
            self.server.abandon()
            return
        self._uplink.answer(self, 500 if status == 503 else status, now, answer)

    def _cancel_pending(self, reason: bytes, now: float) -> None:
        for branch in self.branches:
            if branch.final or branch.client is None or not branch.client.is_invite or branch.cancelling is not None:
                continue
            branch.cancelling = reason
            if branch.provisional:
                self._send_cancel(branch, now)

    def _send_cancel(self, branch: Branch, now: float) -> None:
        """Send the CANCEL that waited for a provisional response (§9.1), and do not wait for ever for the 487."""
        client, reason = branch.client, branch.cancelling
        if client is None or reason is None or client.state is not State.PROCEEDING:
            return
        if branch.timer is not None and branch.timer.name == "cancelled":
            return
        self._uplink.send_cancel(client, cancel_for(client.request, reason), now)
        cancel(branch.timer)
        branch.timer = self._uplink.wheel.start(now, self._uplink.give_up(), _BranchTimer(self, branch), "cancelled")

    def _release_timer(self, branch: Branch) -> None:
        cancel(branch.timer)
        branch.timer = None

    def branch_timer(self, branch: Branch, name: str, now: float) -> None:
        """Handle timer C (§16.8) or the end of patience with a cancelled branch."""
        client = branch.client
        if branch.final or client is None:
            return
        if name == "C" and branch.ends > now:
            # Responses have moved the end meanwhile.
            branch.timer = self._uplink.wheel.start(now, branch.ends - now, _BranchTimer(self, branch), "C")
            return
        self._uplink.timed_out("C")
        if name == "C" and branch.provisional:
            branch.cancelling = b""
            self._send_cancel(branch, now)
            return
        client.abandon()
        self.failed(branch, 487 if name == "cancelled" and self.cancelled else 408, None, now)


class _BranchTimer:
    """Tells a response context which branch a timer is about."""

    __slots__ = ("_branch", "_context")

    def __init__(self, context: ResponseContext, branch: Branch) -> None:
        self._context = context
        self._branch = branch

    def fire(self, name: str, now: float) -> None:
        self._context.branch_timer(self._branch, name, now)


def _rank(branch: Branch) -> tuple[int, int, int]:
    """Order branches by their final responses."""
    return rank(branch.final, is_ours=branch.response is None)


def _rank_of_phone(branch: Branch) -> tuple[int, int, int]:
    """Order final responses of registered phones: what no phone has said comes last."""
    return (9, 0, 0) if _is_unreached(branch) else _rank(branch)


def _is_unreached(branch: Branch) -> bool:
    """Tell whether a final follows from our own CANCEL, or from a flow that is gone (RFC 5626 §7)."""
    return branch.final in (430, 487) or (branch.response is None and branch.final in (408, 480, 503))


def _asks(branch: Branch, login: Challenged, now: float) -> bool:
    """Tell whether a branch's response asks for a password that is ours to give."""
    if branch.response is None:
        return False
    if branch.response.status in _ASKING:
        return True
    login.accepted(branch, now)
    return False


def _challenges(response: Message) -> list[tuple[bytes, bytes]]:
    return [(name, response.lines[place]) for name in _CHALLENGES for place in response.index.get(name, ())]
