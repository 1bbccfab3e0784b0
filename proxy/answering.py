"""Who picks up: no caller of a trunk makes a phone do so by itself (RFC 5373 §5.1).

A phone that obeys opens its microphone to whoever called from the telephone network. An intercom is for the operator's
own core to ask for.
"""

from __future__ import annotations

from typing import Final

from config.vocabulary import Zone
from proxy.message import Draft, Message
from proxy.party import Party
from proxy.shape import Names

ANSWERING: Final = (b"answer-mode", b"priv-answer-mode")
"""RFC 5373."""
_CALL_INFO = b"call-info"
_AFTER = b"answer-after"
"""The parameter of Call-Info that phones obeyed before there was an RFC."""
_ALL: Final = Names(*ANSWERING, _CALL_INFO)
_TRUNK: Final = Zone.TRUNK
_WHY = "the callee picks up, and not the caller"


def is_asked(sender: Party, receiver: Party) -> bool:
    """Tell whether who calls may not say how a call is answered."""
    return sender.zone is _TRUNK and receiver.trunk is None


def leave_to_the_callee(draft: Draft, message: Message, sender: Party, receiver: Party) -> None:
    """Remove from a trunk's request what would have a phone pick up; before its plan is applied."""
    if not is_asked(sender, receiver) or not message.shape.places(_ALL):
        return
    for name in ANSWERING:
        draft.remove_all(name, _WHY)
    for position in list(draft.find(_CALL_INFO)):
        if _AFTER in draft.value(position).lower():
            draft.remove(position, _WHY)
