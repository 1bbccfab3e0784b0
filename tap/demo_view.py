"""How the demo shows a call: each message that crossed, both sides and why, and the ladder of it all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from filters.catalogue import Catalogue, load_catalogue
from tap.demo_call import Wire
from tap.demo_messages import SECRETS, title
from tap.demo_reasons import Reasons

if TYPE_CHECKING:
    from tap.demo import Forwarded, Outcome

_STYLE = {"same": "dim", "changed": "yellow", "removed": "red", "added": "green"}
_MARK = {"same": " ", "changed": "~", "removed": "-", "added": "+"}
_LANE = 26
"""Columns between two ends of the ladder."""


class Row(NamedTuple):
    """One line of a message beside its counterpart."""

    kind: str
    """`same`, `changed`, `removed` or `added`."""
    left: str
    right: str
    field: str
    """Header's name in lower case, or `v=`, `a=candidate` for SDP; `start` for the first line."""


def show(console: Console, outcome: Outcome) -> None:
    """Print all messages that crossed, the ladder, and what there is to say about it."""
    catalogue = load_catalogue()
    for number, forwarded in enumerate(outcome.forwarded, 1):
        console.print(message_table(number, forwarded, _sender(outcome.wires, forwarded), catalogue))
        console.print()
    for line in ladder(outcome.wires):
        console.print(line)
    console.print()
    if outcome.faults:
        for fault in outcome.faults:
            console.print(Text(f"FAULT: {fault}", style="bold red"))
        return
    console.print(
        Text(f"The call completed. Of {len(SECRETS)} planted secrets none arrived at the trunk.", style="bold green")
    )


def message_table(number: int, forwarded: Forwarded, sender: str, catalogue: Catalogue) -> Table:
    """Return both sides of a forwarded message, with the reason of each edit."""
    receiver = "trunk" if sender == "phone" else "phone"
    table = Table(
        title=f"{number}. {title(forwarded.received)}: {sender} → Sipveil → {receiver}",
        title_justify="left", title_style="bold", expand=True, padding=(0, 1),
    )  # fmt: skip
    table.add_column("", width=1)
    table.add_column(f"{sender} sent", ratio=5, overflow="fold")
    table.add_column(f"{receiver} received", ratio=5, overflow="fold")
    table.add_column("why", ratio=3, overflow="fold")
    reasons = Reasons(forwarded.reasons, catalogue)
    for row in compare(forwarded.received, forwarded.sent):
        why = "" if row.kind == "same" else reasons.take(row.field)
        style = _STYLE[row.kind]
        table.add_row(*(Text(cell, style=style) for cell in (_MARK[row.kind], row.left, row.right, why)))
    for text in reasons.rest():
        table.add_row("", "", "", Text(text, style="yellow"))
    return table


def _sender(wires: Sequence[Wire], forwarded: Forwarded) -> str:
    """Return which end a forwarded message came from."""
    return next((wire.end for wire in wires if wire.outgoing and wire.data == forwarded.received), "phone")


def compare(left: bytes, right: bytes) -> list[Row]:
    """Return the lines of two messages side by side.

    Lines that are equal on both sides anchor the rest; of the others, those about the same field are one
    edited line.
    """
    ours, theirs = _lines(left), _lines(right)
    left_keys = [_key(line, theirs) for line in ours]
    right_keys = [_key(line, ours) for line in theirs]
    rows: list[Row] = []
    for _, a, b, c, d in SequenceMatcher(None, left_keys, right_keys, autojunk=False).get_opcodes():
        if left_keys[a:b] == right_keys[c:d]:
            rows += [_pair(one, other) for one, other in zip(ours[a:b], theirs[c:d], strict=True)]
        else:
            rows += [Row("removed", line, "", name) for name, line in ours[a:b]]
            rows += [Row("added", "", line, name) for name, line in theirs[c:d]]
    return _likelier(rows)


def _likelier(rows: list[Row]) -> list[Row]:
    """Where one of two lines about a field was edited and the other removed, pair the one that is more alike."""
    for at, (one, other) in enumerate(pairwise(rows)):
        rivals = (one.kind, other.kind) == ("changed", "removed") and one.field == other.field
        if rivals and _likeness(other.left, one.right) > _likeness(one.left, one.right):
            rows[at] = Row("removed", one.left, "", one.field)
            rows[at + 1] = Row("changed", other.left, one.right, one.field)
    return rows


def _likeness(one: str, other: str) -> float:
    """Return how much two lines have in common, 0 to 1."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _pair(one: tuple[str, str], other: tuple[str, str]) -> Row:
    """Return the row of a line and its counterpart."""
    return Row("same" if one == other else "changed", one[1], other[1], one[0])


def _key(line: tuple[str, str], others: Sequence[tuple[str, str]]) -> str:
    """Return what a line is matched by: itself where the other side has it too, else its field."""
    return f"{line[0]}\n{line[1]}" if line in others else line[0]


def _lines(message: bytes) -> list[tuple[str, str]]:
    """Return (field, text) of every line; folded headers on one line, no blank lines."""
    head, _, body = message.partition(b"\r\n\r\n")
    headers = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "backslashreplace").split("\r\n")
    fields = [("start", headers[0])] + [(line.partition(":")[0].strip().lower(), line) for line in headers[1:]]
    sdp = body.decode("utf-8", "backslashreplace").splitlines()
    return fields + [(_sdp_field(line), line) for line in sdp if line]


def _sdp_field(line: str) -> str:
    """Return `o=`, or `a=candidate` for attributes."""
    return line.partition(":")[0].lower() if line.startswith("a=") else line[:2].lower()


def ladder(wires: Sequence[Wire]) -> list[Text]:
    """Return the call as arrows between phone, Sipveil and trunk, in the order of the wires."""
    lines = [Text(f"{'phone':<{_LANE}}{'Sipveil':^9}{'trunk':>{_LANE}}", style="bold")]
    for wire in wires:
        to_right = wire.outgoing == (wire.end == "phone")
        arrow = _arrow(title(wire.data), to_right=to_right)
        left, right = (arrow, " " * _LANE) if wire.end == "phone" else (" " * _LANE, arrow)
        lines.append(Text(f"  |{left}|{right}|"))
    return lines


def _arrow(label: str, *, to_right: bool) -> str:
    """Return `--- label -->` or `<-- label ---`, as wide as a lane."""
    text = f" {label} ".center(_LANE - 2, "-")
    return f"-{text}>" if to_right else f"<{text}-"
