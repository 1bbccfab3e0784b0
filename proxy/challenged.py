"""A branch to a trunk that may ask for a password: its request is repeated with credentials (RFC 3261 §22.2).

Each attempt is a fresh edit of the untouched request towards the same target, with the next CSeq and a branch of its
own, until the trunk takes it, rings, or has asked for the last time. What it asks in vain becomes our own 500: the
challenge is ours to answer and none of the caller's (it has no such password, and would ask its user for one), the
request was right (so no 4xx), the callee was never asked (so not 480), and a core may try another trunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.launch import send
from proxy.matching import ServerKey

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.crossing import Crossing
    from proxy.forking import Branch, ResponseContext
    from proxy.message import Message


class Challenged:
    """How a branch goes on when its trunk challenges."""

    __slots__ = ("_core", "_reached", "_way", "open")

    def __init__(self, core: Core, way: tuple[ServerKey, bytes, int]) -> None:
        """Begin before the first try; way as that of `Failover`."""
        self._core = core
        self._way = way
        self._reached = 0
        self.open = True
        """Whether the request may have to be repeated."""

    def begin(self, crossing: Crossing) -> None:
        """Count on: within a dialog CSeq rises from target to target too, for all of them are one trunk."""
        login = crossing.login
        if login is not None and crossing.request.to_tag:
            login.attempt = max(login.attempt, self._reached)

    def takes_over(self, branch: Branch, response: Message, now: float) -> bool:
        """Tell whether a challenge is answered; then `branch` has the crossing for it, and `go_on` sends it."""
        if not self.open:
            return False
        crossing = branch.crossing
        following = self._core.logins.answer(crossing, response, now)
        if following is None:
            self._core.event("challenge", crossing.base.call, crossing.hop.party.label, "not answered")
            return False
        self._reached = following.attempt
        branch.crossing = crossing.again(crossing.hop)
        branch.crossing.login = following
        return True

    def go_on(self, context: ResponseContext, branch: Branch, now: float) -> None:
        """Send the next attempt."""
        key, loop, share = self._way
        send(self._core, context, branch, b"%b #%d" % (key, self._reached), loop, share, now)

    def accepted(self, branch: Branch, now: float) -> None:
        """Take note of a response that is no challenge."""
        self._core.logins.worked(branch.crossing, now)

    def settled(self, branch: Branch, now: float) -> None:
        """Take note that the trunk rings or has answered: what it asks for from now on is refused."""
        if self.open:
            self.open = False
            self.accepted(branch, now)
