"""Does a dialog look to each end as if nobody stood in between?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.real.relay import Wire
from tests.real.sip import Message, View, param, target, view


def faults(tape: Sequence[Wire], refused: Sequence[int] = (), *, names: bool = True, places: int = 1) -> list[str]:
    """Return what an end would find strange in all that it sent and received.

    tape: one end's datagrams. refused: final codes from 300 that belong to the test. names: whether From and To
    must be the same to the letter; where a record has no room, display name and host of To leave it (dialogs.md).
    places: in how many a call rings, each a dialog with a tag of its own (RFC 3261 §12.1).
    """
    messages = [(wire.outgoing, Message(wire.data)) for wire in tape]
    found = _changed_identities(messages, names=names, places=places) + _stray_responses(messages)
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


def renumbered(made: Sequence[Wire], taken: Sequence[Wire]) -> list[str]:
    """Return what is wrong with the numbers of the requests that one end made and the other took.

    Of each call the other end must have the same numbers and methods, whatever the call is named there.
    """
    counts = [
        Counter(frozenset(numbers) for numbers in _numbers(tape, outgoing=outgoing).values())
        for tape, outgoing in ((made, True), (taken, False))
    ]
    return [
        f"{times} calls {what} {sorted(numbers)}"
        for what, more in (("were made with", counts[0] - counts[1]), ("were taken with", counts[1] - counts[0]))
        for numbers, times in more.items()
    ]


def _numbers(tape: Sequence[Wire], *, outgoing: bool) -> dict[str, set[str]]:
    """Return the CSeqs of the requests of each call in one direction."""
    found: dict[str, set[str]] = defaultdict(set)
    for message in (Message(wire.data) for wire in tape if wire.outgoing is outgoing):
        if not message.status:
            found[message.call_id].add(message.cseq)
    return found


def call_ids(tape: Sequence[Wire]) -> set[str]:
    """Return the Call-IDs that an end has seen."""
    return {Message(wire.data).call_id for wire in tape}


def _changed_identities(
    messages: Sequence[tuple[bool, Message]], *, names: bool, places: int
) -> list[str]:  # fmt: skip
    """Return the calls in which the one or the other end was called by two names, or had too many tags."""
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
        different = {field: {getattr(each, field) for each in several} - {""} for field in View._fields}
        found += [
            f"{field} of call {call_id} changed: {sorted(different[field])}"
            for field in ("own", "other")
            if len(different[field]) > 1
        ]
        tags = different["own_tag"], different["other_tag"]
        if len(tags[0]) * len(tags[1]) > places:  # it rings on one side only
            found.append(f"tags of call {call_id} changed: {sorted(tags[0])} and {sorted(tags[1])}")
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
