"""What there is to explain: the messages of a text file, or of one call of a capture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from tap.capture import Capture, Captured
from tap.capture_file import CaptureError, is_capture
from tap.capture_packets import Address
from tap.explain_rewrite import read
from tap.message_file import MAX_FILE, messages

MAX_CALLS = 10_000
"""Calls of a capture that are told apart."""
MAX_MESSAGES = 200
"""Messages of one call that are explained."""


class Given(NamedTuple):
    """A message to explain."""

    data: bytes
    source: Address | None
    """Where it says to come from; None for a file, whose message's Via tells."""
    remarks: tuple[str, ...]
    """What was mended."""


class Conversation(NamedTuple):
    """Messages in their order."""

    messages: list[Given]
    remarks: list[str]
    """About the input as a whole."""


class InputError(Exception):
    """Input that nothing can be explained of; the text says why."""


def conversation(stream: BinaryIO, call: int = 1) -> Conversation:
    """Read what there is to explain; stream can seek; call: which call of a capture, from 1.

    Raises:
        InputError: there is nothing.
    """
    head = stream.read(4)
    stream.seek(0)
    if is_capture(head):
        return _of_capture(Capture(stream), call)
    text = stream.read(MAX_FILE + 1)
    if len(text) > MAX_FILE:
        raise InputError(f"is larger than {MAX_FILE >> 20} MiB and no capture")
    found, remarks = messages(text)
    if not found:
        raise InputError("holds no SIP message: none of its lines is a start line such as `INVITE sip:… SIP/2.0`")
    if len(found) > MAX_MESSAGES:
        remarks.append(f"of {len(found)} messages the first {MAX_MESSAGES} are explained")
    return Conversation([Given(one.data, None, one.mended) for one in found[:MAX_MESSAGES]], remarks)


def _of_capture(capture: Capture, call: int) -> Conversation:
    calls: OrderedDict[tuple[bytes, frozenset[Address]], list[Captured]] = OrderedDict()
    try:
        for one in capture.messages():
            _sort(calls, one)
    except CaptureError as error:
        raise InputError(str(error)) from None
    remarks = [f"{what}: {count}" for what, count in capture.damage.items()]
    if not calls:
        raise InputError("; ".join(["holds no SIP message that can be read", *remarks]))
    if call > len(calls):
        raise InputError(f"has {len(calls)} calls; there is no call {call}")
    if len(calls) > 1:
        remarks.append(f"the capture has {len(calls)} calls, each leg counted; this is call {call} (see --call)")
    chosen = list(calls.values())[call - 1]
    unique = list({one.data: one for one in chosen}.values())
    if len(unique) < len(chosen):
        remarks.append(f"retransmissions left out: {len(chosen) - len(unique)}")
    begin = unique[0].source
    return Conversation(
        [Given(one.data, begin, ()) for one in unique[:MAX_MESSAGES]], remarks + _cut(unique, MAX_MESSAGES)
    )  # fmt: skip


def _cut(found: Iterable[Captured], most: int) -> list[str]:
    count = len(list(found))
    return [f"of {count} messages the first {most} are explained"] if count > most else []


def _sort(calls: OrderedDict[tuple[bytes, frozenset[Address]], list[Captured]], one: Captured) -> None:
    """Put a message to its call: the same Call-ID between the same two addresses, one leg of one proxy."""
    message = read(one.data)
    if message is None:
        return
    key = message.call_id, frozenset((one.source, one.destination))
    if key in calls or len(calls) < MAX_CALLS:
        calls.setdefault(key, []).append(one)
