"""The plan of a message, and its edits: what a recorder is told of a recording is settled around them.

For requests and responses alike, whichever way they go.
"""

from __future__ import annotations

from proxy.counters import Counters
from proxy.crossing import Crossing, context, session_of
from proxy.message import Draft, Message
from proxy.party import Party
from proxy.policy import Plan, Privacy
from proxy.recording_way import check_opened
from proxy.tokens import Tokens
from proxy.wishes import Wishes, private_at


class Planning:
    """Chooses and applies plans."""

    def __init__(self, tokens: Tokens, privacy: Privacy, counters: Counters, wishes: Wishes | None = None) -> None:
        """Use the shared stages of one core; `wishes` knows who asked for privacy in calls that run."""
        self._tokens = tokens
        self._privacy = privacy
        self._counters = counters
        self._wishes = wishes

    def stricter(self, message: Message, decision: int, receiver: Party, wall: int) -> Plan:
        """Return the plan for a message whose own Privacy, or whom it names to a recorder, asks for more.

        Args:
            message: as received.
            decision: the dialog's.
            receiver: who gets it.
            wall: when: seconds since the epoch.

        Raises:
            Refused: where what is asked for cannot be done.
        """
        decision = self._privacy.also(message, decision, receiver)
        if receiver.recorder is not None:
            decision = self._privacy.also_private(message, decision, receiver, private_at(self._wishes, wall))
        return self._privacy.plan(decision, receiver)

    def edit(self, draft: Draft, crossing: Crossing, message: Message, plan: Plan, *, towards_far: bool) -> None:
        """Let a plan edit a draft of a message.

        Raises:
            Exception: whatever an edit raises.
        """
        receiver = crossing.hop.party if towards_far else crossing.source
        if receiver.recorder is None:
            plan.apply(draft, context(crossing, self._tokens, message, towards_far=towards_far))
            return
        sender = crossing.source if towards_far else crossing.hop.party
        session, wall = session_of(crossing, self._tokens), crossing.issued
        opened = self._privacy.tell_recorder(
            draft, message, sender, receiver, session, wall, private_at(self._wishes, wall)
        )  # fmt: skip
        if opened:
            self._counters.add("recording_opened", opened)
            check_opened(self._counters, receiver.recorder, message, draft)
        plan.apply(draft, context(crossing, self._tokens, message, towards_far=towards_far))
        self._privacy.seal(draft, receiver, wall)
