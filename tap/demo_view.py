"""How the demo shows a call: each message that crossed, both sides and why, and the ladder of it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from filters.catalogue import Catalogue, load_catalogue
from tap.compare import MARK, STYLE, compare
from tap.demo_call import Wire
from tap.demo_messages import SECRETS, title
from tap.reasons import Reasons

if TYPE_CHECKING:
    from tap.demo import Forwarded, Outcome

_LANE = 26
"""Columns between two ends of the ladder."""


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
        style = STYLE[row.kind]
        table.add_row(*(Text(cell, style=style) for cell in (MARK[row.kind], row.left, row.right, why)))
    for text in reasons.rest():
        table.add_row("", "", "", Text(text, style="yellow"))
    return table


def _sender(wires: Sequence[Wire], forwarded: Forwarded) -> str:
    """Return which end a forwarded message came from."""
    return next((wire.end for wire in wires if wire.outgoing and wire.data == forwarded.received), "phone")


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
