"""Which target a branch goes to, and to which next when that one fails (RFC 3263 §4.3, RFC 3261 §16.9).

A hop with one address is sent to at once; nothing here is made for it. Else a `Failover` keeps the crossing as it was
before anything was edited: each try gets a fresh edit of the untouched request and, since the target goes into it, a
branch of its own. Where the hop is of a group (`proxy/groups.py`), each further trunk gets a fresh decision too. It is
let go of as soon as no further target is left or the far side rings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.challenged import Challenged
from proxy.crossing import Crossing
from proxy.errors import Refused
from proxy.forking import REFUSED, Answer, Branch, ResponseContext
from proxy.hop import Hop
from proxy.launch import send
from proxy.left import Left
from proxy.location import Address, Place, is_address, order
from proxy.machines import State
from proxy.matching import ServerKey
from proxy.record import Mark
from proxy.routing import Network
from proxy.transaction import ClientTransaction
from proxy.transports import DEFAULT_PORTS

if TYPE_CHECKING:
    from proxy.core import Core

DOUBT_AFTER = 8
"""Times T1 (4 s, four copies) after which an INVITE that nobody has answered makes the next calls go elsewhere."""
_BY_CONTRACT = (415, 420, 513)
"""What one trunk may not be sent, as body, extension or size, another one of its group may (`Refused` by a plan)."""
MAX_TRIES = 8
"""Most targets that one branch is sent to."""


def launch(
    core: Core, context: ResponseContext, branch: Branch, key: ServerKey, loop: bytes, share: int, now: float
) -> None:
    """Send one branch, or park it until it is known where its hop is."""
    hop = branch.crossing.hop
    if hop.party.logs_in:
        branch.login = Challenged(core, (key, loop, share))
    if is_address(hop.host) and not hop.others and hop.spare is None:
        send(core, context, branch, key, loop, share, now)
        return
    branch.others = Failover(core, branch.crossing, (key, loop, share), now)
    branch.others.go_on(context, branch, now)


class Failover:
    """The targets of one branch that were not tried yet: of its hop, and of the further members of its group."""

    __slots__ = (
        "_core", "_emergency", "_ends", "_later", "_network", "_patience", "_pending", "_spare", "_status", "_template",
        "_tried", "_way",
    )  # fmt: skip

    def __init__(self, core: Core, crossing: Crossing, way: tuple[ServerKey, bytes, int], now: float) -> None:
        """Begin before the first try.

        Args:
            core: whose sockets and memory to use.
            crossing: of the first target; stays as it is.
            way: what goes into branches besides the target: key of the server transaction, loop hash, Max-Breadth.
            now: the time.
        """
        hop = crossing.hop
        spare = hop.spare
        self._core = core
        self._template = crossing
        self._way = way
        self._network = core.generation.network  # the generation at receipt decides (design.md §5)
        self._pending = deque(_targets_of(self._network, hop))
        self._later: deque[Hop] = deque()
        """Those that are passed over: tried when no other is left."""
        self._tried: set[Address] = set()
        self._status = 503
        """How the last try failed."""
        self._spare = spare
        self._emergency = crossing.emergency or (spare is not None and spare.emergency)
        invite = crossing.request.method == b"INVITE"
        self._patience = spare.patience if spare is not None and invite else 0.0
        # The sender of a non-INVITE has given up after 64*T1 (RFC 4320 §4): what is sent then would arrive twice.
        patience = core.timers.timer_c if invite else 64 * core.timers.t1
        self._ends = now + patience - core.tick

    def _may_go_on(self, now: float) -> bool:
        left = self._pending or self._later or self._spare
        return bool(left) and len(self._tried) < MAX_TRIES and now < self._ends

    def takes_over(self, status: int, branch: Branch, now: float) -> bool:
        """Tell whether a further target is to be tried after a failure; 503 and 408 without response are our own."""
        if not self._may_go_on(now):
            return False
        if branch.response is None:
            reason = {503: "transport", 408: "timeout"}.get(status, "")
            by_contract = status in _BY_CONTRACT or branch.answer.elsewhere
            if not reason and self._spare is not None and branch.client is None and by_contract:
                reason = "contract"
            if status == REFUSED and branch.client is not None and branch.login is not None:
                reason = self._without_password()
            if not reason:
                return False
        elif status == 503:
            reason = "503"
        elif self._emergency and 500 <= status < 600:
            reason = "emergency"  # any failure of a server, where lives hang on the next one
        elif 500 <= status < 600 and self._template.base.marks & Mark.RECORDING:
            reason = "recorder"  # a proxy in front of one that is gone says 500 (RFC 3261 §16.7 item 6)
        else:
            return False
        self._status = status
        self._core.failed_over(self._template, reason)
        return True

    def _without_password(self) -> str:
        """Give up a trunk that does not take our password where there is another; its other machines ask as well."""
        if self._spare is None:
            return "password" if self._emergency else ""
        self._pending.clear()
        return "password"

    def go_on(self, context: ResponseContext, branch: Branch, now: float) -> None:
        """Send to the next target, or park until it is known where a name is served."""
        while (hop := self._next(now)) is not None:
            if is_address(hop.host):
                if self._try(context, branch, hop, now):
                    return
            elif self._locate(context, branch, hop, now):
                return
        branch.others = None
        context.failed(branch, self._status, branch.response, now)

    def _next(self, now: float) -> Hop | None:
        """Return the next target or name; one that is passed over when nothing else is left of any trunk."""
        while True:
            while self._pending:
                hop = self._pending.popleft()
                if not is_address(hop.host):
                    return hop
                if (hop.host, hop.port) in self._tried:
                    continue
                if not self._core.outages.passed_over((hop.host, hop.port), now, may_probe=not self._emergency):
                    return hop
                self._later.append(hop)
            following = self._spare.next() if self._spare is not None else None
            if following is None:
                return self._later.popleft() if self._later else None
            self._pending.extend(_targets_of(self._network, following))

    def _locate(self, context: ResponseContext, branch: Branch, hop: Hop, now: float) -> bool:
        """Put the targets of a name in its place; True where the branch is parked meanwhile."""
        listed = self._network.listed(hop.host)
        if listed is not None:
            self._insert(hop, listed)
            return False

        def found(places: Sequence[Place], later: float) -> None:
            if not context.wants(branch):
                # Cancelled while it waited, or another branch has decided: the look-up's result is void.
                branch.others = None
                context.failed(branch, 487, None, later)
                return
            self._insert(hop, places)
            self.go_on(context, branch, later)

        return self._core.look_up(hop.host, hop.port, hop.transport, found, urgent=self._emergency)

    def _insert(self, hop: Hop, places: Sequence[Place]) -> None:
        self._pending.extendleft(reversed(targets(self._core, self._network, hop, places, self._way[0])))

    def _try(self, context: ResponseContext, branch: Branch, hop: Hop, now: float) -> bool:
        """Send to a target; False where its trunk may not have the request."""
        if not self._turn_to(branch, hop, now):
            return False
        core = self._core
        self._tried.add((hop.host, hop.port))
        branch.crossing = self._template.again(hop)
        if not hop.party.logs_in:
            branch.login = None
        elif branch.login is None:
            branch.login = Challenged(core, self._way)
        key, loop, share = self._way
        send(core, context, branch, key, loop, share, now)
        if branch.client is not None and branch.client.is_invite:
            core.wheel.start(now, DOUBT_AFTER * core.timers.t1, _Doubt(core, branch.client), "doubt")
            if self._patience and self._may_go_on(now):
                core.wheel.start(now, self._patience, _Impatience(self, context, branch, branch.client), "patience")
        if not (self._pending or self._later or self._spare) and branch.others is not None:
            branch.others = None
            context.let_go()
        return True

    def _turn_to(self, branch: Branch, hop: Hop, now: float) -> bool:
        """Make sure that the template is for a hop's trunk: decided and crossed for it, from the request as it came.

        What a trunk may not have (its contract refuses it, it is full) the next one may; where a filter fails for one,
        nothing goes there, and an emergency call has gone through without it already.
        """
        if self._spare is None or hop.party == self._template.hop.party:
            return True
        core = self._core
        try:
            self._template = self._spare.cross(hop, now)
        except Refused as refusal:
            branch.note(refusal.code, None, Answer(refusal.why.encode(), refusal.extra), self._template)
            return False
        except Exception:  # whatever a filter raises: fail closed
            core.counters.add("failed_closed", "request")
            core.event("failed-closed", self._template.base.call, hop.party.label, "request")
            return False
        return True

    def lose_patience(self, context: ResponseContext, branch: Branch, client: ClientTransaction, now: float) -> None:
        """Go on to the next target while this one is silent; the call is taken from it should it speak after all."""
        if branch.client is not client or branch.others is not self or client.state is not State.CALLING:
            return
        if not (context.wants(branch) and self._may_go_on(now)):
            return
        self._core.responses.unheard(client, now)
        client.hand_to(Left(self._core, branch))
        context.failed(branch, 408, None, now)


def _targets_of(network: Network, hop: Hop) -> list[Hop]:
    """Return a hop and those of its other addresses."""
    return [network.hop(hop.party, address) for address in ((hop.host, hop.port), *hop.others)]


class _Impatience:
    """Ends a group's patience with a target."""

    __slots__ = ("_branch", "_client", "_context", "_failover")

    def __init__(self, failover: Failover, context: ResponseContext, branch: Branch, client: ClientTransaction) -> None:
        self._failover = failover
        self._context = context
        self._branch = branch
        self._client = client

    def fire(self, name: str, now: float) -> None:
        self._failover.lose_patience(self._context, self._branch, self._client, now)


class _Doubt:
    """Has further calls pass a target over while it is silent; this one waits for timer B, as it may ring there."""

    __slots__ = ("_client", "_core")

    def __init__(self, core: Core, client: ClientTransaction) -> None:
        self._core = core
        self._client = client

    def fire(self, name: str, now: float) -> None:
        if self._client.state is State.CALLING:
            self._core.responses.unheard(self._client, now)


def targets(core: Core, network: Network, hop: Hop, places: Sequence[Place], key: ServerKey) -> list[Hop]:
    """Return the hops that a name leads to, in the order to try: those of the party's own that a listener can reach.

    `key` is the request's: as long as it is the same, so is the order.
    """
    tokens = core.generation.tokens
    seed = tokens.mac(tokens.current, b"target", key, hop.host.encode(), size=16)
    there = [network.at(hop, address) for address in order(places, hop.port, seed, DEFAULT_PORTS[hop.transport])]
    return [each for each in there if each is not None]
