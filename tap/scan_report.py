"""What a scan found, as plain data and on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tap.capture import Capture
from tap.capture_packets import Address
from tap.compare import printable
from tap.demo_messages import title
from tap.scan import Found, Scan

VERSION = 1
"""Of the document's form."""


class Hit(TypedDict):
    """A value in a message."""

    frame: int
    time: str
    source: str
    destination: str
    transport: str
    title: str
    secret: int
    place: str
    form: str


class Way(TypedDict):
    """The messages from one address to another."""

    source: str
    destination: str
    messages: int
    leaking: int


class ScanDocument(TypedDict):
    """The outcome of a scan."""

    version: int
    frames: int
    messages: int
    passed_over: int
    other_packets: int
    unreadable: dict[str, int]
    secrets: int
    left_out: list[str]
    directions: list[Way]
    findings: list[Hit]
    further_findings: int


def document(scan: Scan, capture: Capture) -> ScanDocument:
    """Return what a scan has found."""
    return ScanDocument(
        version=VERSION,
        frames=capture.frames,
        messages=scan.searched.total(),
        passed_over=scan.passed_over,
        other_packets=capture.others,
        unreadable=dict(capture.damage),
        secrets=len(scan.search.secrets),
        left_out=scan.search.left_out(),
        directions=[
            Way(source=_text(way[0]), destination=_text(way[1]), messages=count, leaking=scan.leaking[way])
            for way, count in scan.searched.items()
        ],
        findings=[_hit(found) for found in scan.found],
        further_findings=scan.more,
    )


def _hit(found: Found) -> Hit:
    message, finding = found
    return Hit(
        frame=message.number,
        time=_time(message.time),
        source=_text(message.source),
        destination=_text(message.destination),
        transport=message.transport,
        title=printable(title(message.data)[:40]),
        secret=finding.secret + 1,
        place=finding.place,
        form=finding.form,
    )


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def show(console: Console, found: ScanDocument) -> None:
    """Print what a scan has found."""
    if found["findings"]:
        table = Table(expand=True, padding=(0, 1))
        for name in ("frame", "time", "from → to", "message", "secret", "where", "written"):
            table.add_column(name, overflow="fold")
        for hit in found["findings"]:
            ends = f"{hit['source']} → {hit['destination']}"
            cells = (str(hit["frame"]), hit["time"], ends, hit["title"], str(hit["secret"]), hit["place"], hit["form"])
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
    if found["further_findings"]:
        console.print(Text(f"and {found['further_findings']} further findings", style="yellow"))
    for way in found["directions"]:
        style = "red" if way["leaking"] else "green"
        line = f"{way['source']} → {way['destination']}: {way['messages']} messages, {way['leaking']} with a secret"
        console.print(Text(line, style=style))
    for what, count in found["unreadable"].items():
        console.print(Text(f"not read: {what} ({count})", style="yellow"))
    for sentence in found["left_out"]:
        console.print(Text(f"note: {sentence}", style="yellow"))
    _verdict(console, found)


def _verdict(console: Console, found: ScanDocument) -> None:
    searched = f"{found['messages']} SIP messages in {found['frames']} frames searched"
    if found["passed_over"]:
        searched += f", {found['passed_over']} passed over"
    count = found["secrets"]
    secrets = f"{count} secret{'' if count == 1 else 's'}"
    if found["findings"]:
        hit = len({one["secret"] for one in found["findings"]})
        console.print(Text(f"{searched}; {hit} of {secrets} found.", style="bold red"))
    elif found["messages"]:
        console.print(Text(f"{searched}; none of {secrets} found.", style="bold green"))
    else:
        console.print(Text(f"{searched}: nothing to search.", style="bold yellow"))
