"""Does a dialog look to each end as if nobody stood in between?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tests.real.relay import Wire
from tests.real.sip import Message, View, param, target, view


def faults(tape: Sequence[Wire], refused: Sequence[int] = (), *, names: bool = True) -> list[str]:
    """Return what an end would find strange in all that it sent and received.

    tape: one end's datagrams. refused: final codes from 300 that belong to the test. names: whether From and To
    must be the same to the letter; where a record has no room, display name and host of To leave it (dialogs.md).
    """
    messages = [(wire.outgoing, Message(wire.data)) for wire in tape]
    found = _changed_identities(messages, names=names) + _stray_responses(messages)
    codes = {message.status for _, message in messages}
    return found + [f"{code} was answered" for code in sorted(codes) if code >= 300 and code not in refused]


def unlike_repetitions(tape: Sequence[Wire]) -> list[str]:
    """Return the requests that came twice under one branch, with different bytes.

    Only for a Sipveil that was not restarted meanwhile: records are dated, so those of a second process differ.
    """
    first: dict[tuple[str, str], bytes] = {}
    requests = (Message(wire.data) for wire in tape if not wire.outgoing and not wire.data.startswith(b"SIP/2.0 "))
    return [
        f"{request} came twice, in two forms"
        for request in requests
        if first.setdefault((request.branch, request.cseq), request.raw) != request.raw
    ]


def call_ids(tape: Sequence[Wire]) -> set[str]:
    """Return the Call-IDs that an end has seen."""
    return {Message(wire.data).call_id for wire in tape}


def _changed_identities(messages: Sequence[tuple[bool, Message]], *, names: bool) -> list[str]:
    """Return the calls in which the one or the other end was called by two names, or had two tags."""
    views: dict[str, set[View]] = defaultdict(set)
    for outgoing, message in messages:
        if message.status and message.method == "CANCEL":
            continue  # it is answered by the next hop, with a tag of its own (RFC 3261 §16.10)
        seen = view(message, outgoing=outgoing)
        if not names:
            seen = seen._replace(own=_user(seen.own), other=_user(seen.other))
        views[seen.call_id].add(seen)
    found = []
    for call_id, several in views.items():
        for field in ("own", "own_tag", "other", "other_tag"):
            values = {getattr(each, field) for each in several} - {""}
            if len(values) > 1:
                found.append(f"{field} of call {call_id} changed: {sorted(values)}")
    return found


def _user(value: str) -> str:
    """Return the user part of a From or To: enough to know each other by, as the tags make the dialog."""
    return target(value).partition("@")[0]


def _stray_responses(messages: Sequence[tuple[bool, Message]]) -> list[str]:
    """Return the responses that belong to no request as it was sent: by Via, CSeq, From (RFC 3261 §8.2.6.2)."""
    asked = {(message.branch, message.cseq): message for _, message in messages if not message.status}
    found = []
    for _, message in messages:
        if not message.status:
            continue
        request = asked.get((message.branch, message.cseq))
        if request is None:
            found.append(f"{message} belongs to no request")
        elif message.value("from") != request.value("from"):
            found.append(f"{message} has another From than its request")
        elif [_plain(via) for via in message.values("via")] != [_plain(via) for via in request.values("via")]:
            found.append(f"{message} has another Via than its request")
    return found


def _plain(via: str) -> tuple[str, str]:
    """Return what must come back of a Via: its address and branch (received and rport are added on the way)."""
    return via.partition(";")[0], param(via, "branch")
