"""An INVITE that a silent target keeps while the call goes on elsewhere: should it ever speak, it is told to stop.

Timer B leaves nothing behind (RFC 3261 §17.1.1.2), and a second of patience before it does: without this the phone
behind a slow trunk would ring for nobody, and be billed when it is picked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.authorised import ASKING
from proxy.derive import cancel_for
from proxy.forking import STANDARD, Branch
from proxy.message import Message
from proxy.transaction import ClientTransaction

if TYPE_CHECKING:
    from proxy.core import Core

_REASON = b'SIP;cause=408;text="Request Timeout"'
"""RFC 3326 §2: why it is cancelled."""


class Left:
    """The user of such a transaction: CANCEL after a 1xx (§9.1), ACK and BYE after a 2xx."""

    __slots__ = ("_branch", "_cancelled", "_core", "_crossing")

    def __init__(self, core: Core, branch: Branch) -> None:
        """Take over what a branch has sent last, before it goes on elsewhere."""
        self._core = core
        self._branch = branch
        self._crossing = branch.crossing
        self._cancelled = False

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Take what the target says after all."""
        core = self._core
        if 200 <= response.status < 300:
            core.responses.take_down(client, self._crossing, response, now)
        elif response.status < 200 and not self._cancelled:
            self._cancelled = True
            core.responses.send_cancel(client, cancel_for(client.request, _REASON), now)
            core.wheel.start(now, 64 * core.timers.t1, _End(client), "cancelled")
        elif response.status >= 300 and not self._cancelled and not self._branch.final:
            self._note(response)

    def _note(self, response: Message) -> None:
        """Let a late refusal count among those of the branch (§16.7 item 6); a challenge is none of the caller's."""
        if response.status in ASKING and self._crossing.hop.party.logs_in:
            return
        self._branch.note(response.status, response, STANDARD, self._crossing)

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        """Timer B: it has never said anything."""


class _End:
    """Waits no longer for the 487 (§9.1)."""

    __slots__ = ("_client",)

    def __init__(self, client: ClientTransaction) -> None:
        self._client = client

    def fire(self, name: str, now: float) -> None:
        if self._client.is_pending:
            self._client.abandon()
