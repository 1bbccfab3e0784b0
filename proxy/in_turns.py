"""Phones that do not ring at once: those of a lower `q`, and the further flows of one that is not reached.

A serial search as RFC 3261 §16.6 leaves room for: the next group is called when all of the one before have failed, or
have rung for as long as the operator says. Of the flows of one instance one at a time is tried, the next when that has
failed: no way there, an edge proxy's 430 (RFC 5626 §7), or silence, which is looked at early, for no caller waits until
timer B. A phone that gets both takes the second for a merged request and refuses it (RFC 3261 §8.2.2.2).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from proxy.breadth import share
from proxy.crossing import Crossing
from proxy.failover import DOUBT_AFTER, launch
from proxy.forking import Branch, ResponseContext
from proxy.matching import ServerKey
from proxy.passage import Passage

if TYPE_CHECKING:
    from proxy.core import Core

FLOW_FAILED = 430
"""Flow Failed (RFC 5626 §11.1)."""
UNREACHED = (408, 480, 503)
"""What stands for no answer, a connection that is gone, and no way there."""


def divided(
    core: Core, crossings: list[Crossing], way: tuple[ServerKey, bytes, int], now: float
) -> tuple[list[Crossing], Turns | None]:
    """Return who is called at once, and what keeps those that are called later; None where no phone is among them.

    Args:
        core: whose sockets and timers to use.
        crossings: all of them.
        way: key of the server transaction, loop hash, Max-Breadth.
        now: the time.
    """
    section = core.generation.network.settings.registrar
    if section is None or all(each.phone is None for each in crossings):
        return crossings, None
    first, *waiting = groups(crossings, way[2])
    return first, Turns(core, way, waiting, section.ring, now)


def groups(crossings: list[Crossing], breadth: int) -> list[list[Crossing]]:
    """Return crossings in the groups that ring together, none with more phones than a request may have branches."""
    ranks: dict[int, list[Crossing]] = {}
    for crossing in crossings:
        ranks.setdefault(crossing.phone.rank if crossing.phone is not None else 0, []).append(crossing)
    found = []
    for rank in sorted(ranks):
        group = ranks[rank]
        size = breadth if breadth > 0 and all(each.phone is not None for each in group) else len(group)
        found += [group[start : start + size] for start in range(0, len(group), size)]
    return found


class Turns:
    """What is left to be called of one request."""

    __slots__ = ("_core", "_ends", "_groups", "_ring", "_way")

    def __init__(
        self, core: Core, way: tuple[ServerKey, bytes, int], waiting: list[list[Crossing]], ring: float, now: float
    ) -> None:
        """Begin before the first group rings; `ring`: seconds that one may while others wait. The rest: `divided`."""
        self._core = core
        self._way = way
        self._groups = deque(waiting)
        self._ring = ring
        self._ends = now + 64 * core.timers.t1 - core.tick
        """When the sender of anything but an INVITE has given up (RFC 4320 §4)."""

    def keeps(self, context: ResponseContext) -> bool:
        """Tell whether the request may still be needed: somebody waits for a turn, or a flow for another to fail."""
        return bool(self._groups) or any(
            each.crossing.phone is not None and each.crossing.phone.spare and not each.final
            for each in context.branches
        )

    @property
    def has_more(self) -> bool:
        """Whether another group waits."""
        return bool(self._groups)

    def begin(self, context: ResponseContext, branches: tuple[Branch, ...], now: float) -> None:
        """Note when the phones of a group have rung, or kept silent, for long enough."""
        if not context.server.is_invite:
            return
        wheel = self._core.wheel
        if self._groups:
            wheel.start(now, self._ring, _Turn(self, context), "ring")
        for branch in branches:
            if branch.crossing.phone is not None and branch.crossing.phone.spare:
                wheel.start(now, DOUBT_AFTER * self._core.timers.t1, _Silence(self, context, branch), "silence")

    def after(self, context: ResponseContext, branch: Branch, now: float) -> None:
        """Go on after a branch has failed for good: by another flow, or with the next group when it was the last."""
        if not self.may_go_on(context, now):
            return
        lost = branch.final == FLOW_FAILED or (branch.response is None and branch.final in UNREACHED)
        if not (lost and self.by_another_flow(context, branch, now)) and all(each.final for each in context.branches):
            self.go_on(context, now)

    def may_go_on(self, context: ResponseContext, now: float) -> bool:
        """Tell whether it is of use to call anybody else."""
        return context.may_go_on() and (context.server.is_invite or now < self._ends)

    def go_on(self, context: ResponseContext, now: float) -> None:
        """Call the next group, if there is one."""
        if not self._groups:
            return
        self._launch(context, self._groups.popleft(), self._way[2], now)

    def by_another_flow(self, context: ResponseContext, branch: Branch, now: float) -> bool:
        """Call the phone of a branch by its next flow; False where it has none."""
        phone = branch.crossing.phone
        if phone is None or not phone.spare:
            return False
        way, *others = phone.spare
        branch.crossing.phone = phone._replace(spare=())
        crossing = branch.crossing.again(way.hop)
        crossing.target, crossing.routes = way.target, way.routes
        crossing.passage = self._passage(crossing)
        crossing.phone = phone._replace(way=way, spare=tuple(others))
        self._core.failed_over(crossing, "flow")
        self._launch(context, [crossing], 1, now)
        return True

    def _passage(self, crossing: Crossing) -> Passage:
        """Return what a crossing has in common with others, now that another transport may lead to the phone."""
        generation, base, hop = self._core.generation, crossing.base, crossing.hop
        return generation.passage(
            crossing.source, hop.party, base.to_callee, base.to_caller,
            emergency=crossing.emergency, key_id=crossing.key_id, ends=(base.caller, base.callee),
            ways=generation.ways(crossing.near_flow, hop),
        )  # fmt: skip

    def _launch(self, context: ResponseContext, group: list[Crossing], breadth: int, now: float) -> None:
        branches = tuple([context.add(crossing) for crossing in group])
        self.begin(context, branches, now)
        key, loop, _ = self._way
        for branch, each in zip(branches, share(breadth, len(branches)), strict=True):
            launch(self._core, context, branch, key, loop, each, now)
        context.let_go()


class _Silence:
    """Tries the next flow of a phone from which nothing was heard."""

    __slots__ = ("_branch", "_context", "_turns")

    def __init__(self, turns: Turns, context: ResponseContext, branch: Branch) -> None:
        self._turns = turns
        self._context = context
        self._branch = branch

    def fire(self, name: str, now: float) -> None:
        branch = self._branch
        if not branch.final and not branch.provisional and self._context.wants(branch):
            self._turns.by_another_flow(self._context, branch, now)


class _Turn:
    """Ends a group's time to ring alone."""

    __slots__ = ("_context", "_turns")

    def __init__(self, turns: Turns, context: ResponseContext) -> None:
        self._turns = turns
        self._context = context

    def fire(self, name: str, now: float) -> None:
        if self._turns.has_more and self._turns.may_go_on(self._context, now):
            self._context.quiet(now)
            self._turns.go_on(self._context, now)
