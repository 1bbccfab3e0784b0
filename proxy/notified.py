"""What a phone is notified of: how things are, by whom it asked (RFC 6665 §4.1.3), and never what it is to do.

Phones obey some events without having subscribed to anything: `talk` has one pick up, microphone and all, `check-sync`
and its like have it start anew or fetch a configuration, others show what they bring. These are for the operator's own
core, which passes here as it likes; a trunk or another phone has only what a list of states names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from proxy.crossing import Crossing
from proxy.errors import Refused
from proxy.message import Message
from proxy.party import Party

STATES: Final = frozenset((
    b"call-completion", b"conference", b"dialog", b"kpml", b"message-summary", b"presence", b"refer", b"reg",
))  # fmt: skip
"""Event packages that tell how something is (RFC 6910, 4575, 4235, 4730, 3842, 3856, 3515, 3680), and templates."""
_UNASKED: Final = frozenset((b"message-summary",))
"""What trunks tell without being asked, as their voice mail does; who takes it shows a lamp."""


def check_notified(request: Message, source: Party, crossings: Iterable[Crossing]) -> None:
    """Refuse a NOTIFY for a phone that commands, or that no subscription can be behind.

    Args:
        request: any.
        source: who sends it; the core may.
        crossings: to whom.

    Raises:
        Refused: 489 for the event, 481 for one that nobody has asked for.
    """
    if request.method != b"NOTIFY" or source.in_core or not any(each.hop.party.in_access for each in crossings):
        return
    events = {value.partition(b";")[0].partition(b".")[0].strip().lower() for value in request.values(b"event")}
    if not events or not events <= STATES:
        raise Refused(489, "Bad Event")
    if not request.to_tag and (source.in_access or not events <= _UNASKED):
        raise Refused(481, "Subscription Does Not Exist")
