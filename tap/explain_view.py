"""An explanation on a terminal: for each message a diff, the edits with their reasons, and what is still told."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tap.compare import MARK, STYLE, compare
from tap.explain_report import Document, Explained, Forwarded


def show(console: Console, document: Document) -> None:
    """Print a whole explanation."""
    for remark in document["remarks"]:
        console.print(Text(f"note: {remark}", style="yellow"))
    for message in document["messages"]:
        _message(console, message)
    _verdict(console, document)


def _message(console: Console, message: Explained) -> None:
    console.print(Text(f"{message['number']}. {message['title']} from {message['sender']}", style="bold"))
    for remark in message["remarks"]:
        console.print(Text(f"   note: {remark}", style="yellow"))
    for forwarded in message["forwarded"]:
        console.print(Text(f"   → {forwarded['to']}, {forwarded['address']}", style="bold"))
        console.print()
        _diff(console, forwarded)
        console.print(_edits(forwarded))
        console.print(_disclosures(forwarded))
        for leak in forwarded["leaks"]:
            console.print(Text(f"LEAK: secret {leak['secret']} in {leak['place']}, {leak['form']}", style="bold red"))
    for made in message["made"]:
        console.print(Text(f"   ← {made['to']}: {made['title']} (the proxy's own)", style="cyan"))
    if not message["forwarded"]:
        said = "nothing was forwarded" if message["made"] else "nothing was forwarded and nothing answered"
        console.print(Text(f"   {said}", style="cyan"))
    console.print()


def _diff(console: Console, forwarded: Forwarded) -> None:
    """Print both messages as one, line by line."""
    for row in compare(forwarded["before"].encode(), forwarded["after"].encode()):
        if row.kind == "same":
            console.print(Text(f"  {row.left}", style=STYLE["same"]))
            continue
        if row.left:
            console.print(Text(f"{MARK['removed']} {row.left}", style=STYLE["removed"]))
        if row.right:
            console.print(Text(f"{MARK['added']} {row.right}", style=STYLE["added"]))
    console.print()


def _edits(forwarded: Forwarded) -> Table:
    table = Table(title="edits", title_justify="left", title_style="bold", expand=True, padding=(0, 1))
    for name, ratio in (("field", 3), ("what", 2), ("category", 2), ("why", 6), ("rule", 4), ("defined in", 3)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for edit in forwarded["edits"]:
        style = STYLE[edit["action"]]
        rule = ": ".join(filter(None, (edit["level"], edit["rule"])))
        cells = (edit["field"], edit["action"], ", ".join(edit["categories"]), edit["why"], rule, edit["rfc"])
        table.add_row(*(Text(cell, style=style) for cell in cells))
    for reason in forwarded["other_reasons"]:
        table.add_row("", "", "", Text(reason, style="yellow"), "", "")
    return table


def _disclosures(forwarded: Forwarded) -> Table:
    table = Table(title="still told", title_justify="left", title_style="bold", expand=True, padding=(0, 1))
    for name, ratio in (("what", 5), ("where", 2), ("value", 5), ("to whom", 4)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for one in forwarded["disclosures"]:
        style = "yellow" if one["category"] else ""
        table.add_row(*(Text(one[key], style=style) for key in ("what", "field", "value", "whom")))
    return table


def _verdict(console: Console, document: Document) -> None:
    secrets = document["secrets"]
    for sentence in secrets["left_out"]:
        console.print(Text(f"note: {sentence}", style="yellow"))
    if not secrets["searched"]:
        return
    count = secrets["searched"]
    noun = "secret" if count == 1 else "secrets"
    if secrets["leaks"]:
        console.print(Text(f"Of {count} {noun} some would still leak; see LEAK above.", style="bold red"))
    else:
        console.print(Text(f"Of {count} {noun} none would leak.", style="bold green"))
