"""A resolved plan on a terminal: who decided what of each category, and below what becomes of each field."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.vocabulary import Category
from filters.fate import Fate
from tap.compare import STYLE, printable
from tap.plan_report import Decided, Document, Field, Rule

_KINDS = {
    "headers": "header", "contact-params": "Contact parameter", "uri-params": "URI parameter", "sdp.lines": "SDP line",
    "sdp.attributes": "SDP attribute", "bodies": "body", "patterns": "value pattern",
}  # fmt: skip
_SAME = frozenset((Fate.KEPT.value, Fate.SWEPT.value, Fate.VOUCHED.value))
_GONE = frozenset(fate.value for fate in (Fate.REMOVED, Fate.NEVER, Fate.REFUSED, Fate.PERFORMED))


def show(console: Console, document: Document) -> None:
    """Print a whole plan."""
    for remark in document["remarks"]:
        console.print(Text(f"note: {remark}", style="yellow"))
    console.print(Text(_title(document), style="bold"))
    if document["refused"] is not None:
        status, reason = document["refused"]["status"], document["refused"]["reason"]
        console.print(Text(f"Such a request is refused: {status} {reason}", style="bold red"))
    if not document["categories"]:
        return
    console.print(_decisions(document["categories"]))
    actions = {one["category"]: one["action"] for one in document["categories"]}
    for category in (*(each.name.lower() for each in Category), ""):
        fields = [one for one in document["fields"] if _group(one) == category]
        if fields:
            console.print()
            console.print(_fields(category, actions.get(category, ""), fields))


def _group(field: Field) -> str:
    """Return the category that a field is shown under: what may hold anything, under what nobody knows."""
    if len(field["categories"]) == len(Category):
        return Category.UNKNOWN.name.lower()
    return field["categories"][0] if field["categories"] else ""


def _title(document: Document) -> str:
    who = document["subscriber"] or "anybody"
    asked = f", Privacy: {document['privacy']}" if document["privacy"] else ""
    way = f"from {document['source']} to {document['receiver']}"
    return f"{document['method']}{asked} {way}; subscriber {who}, {document['profile']} profile"


def _decisions(categories: list[Decided]) -> Table:
    table = Table(title="who decided", title_justify="left", title_style="bold", expand=True, padding=(0, 1))
    for name in ("category", "action", "level"):
        table.add_column(name, no_wrap=True)
    for name in ("rule", "overrode"):
        table.add_column(name, ratio=1, overflow="fold")
    for one in categories:
        style = STYLE["same" if one["action"] == "keep" else "changed"]
        overrode = "\n".join(f"{rule['action']} by {rule['level']}: {_rule(rule)}" for rule in one["overrode"])
        cells = (one["category"], one["action"], one["level"], _rule(one), overrode)
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _rule(rule: Rule) -> str:
    """Return a rule and where it stands; it may quote a caller's wish, but never as it was written."""
    place = " (built in)" if rule["built_in"] else "" if rule["line"] is None else f" (line {rule['line']})"
    return rule["rule"] + place


def _fields(category: str, action: str, fields: list[Field]) -> Table:
    title = f"{category}: {action}" if category else "function: what a call needs, and nobody's data in its form"
    table = Table(title=title, title_justify="left", title_style="bold", expand=True, padding=(0, 1))
    for name, ratio in (("field", 5), ("kind", 3), ("what becomes of it", 5), ("defined in", 4)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for one in fields:
        style = STYLE["same" if one["fate"] in _SAME else "removed" if one["fate"] in _GONE else "changed"]
        name = f"{one['name']} ({one['compact']})" if one["compact"] else one["name"]
        cells = (name, _KINDS[one["section"]], one["fate"], one["source"])
        table.add_row(*(Text(printable(cell), style=style) for cell in cells))
    return table
