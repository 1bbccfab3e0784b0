"""Explanations on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from tap.explain_report import Document
from tap.explain_view import show
from tests.agents import ALICE, CARRIER
from tests.tap.test_explain_report import report


def printed(document: Document) -> str:
    stream = io.StringIO()
    show(Console(file=stream, width=200), document)
    return stream.getvalue()


def test_verdict() -> None:
    """Good news and bad; none where nothing was looked for."""
    invite = ALICE.invite().data
    assert "Of 1 secret none would leak." in printed(report(invite, secrets=(b"Quux4711",)))
    assert "Of 2 secrets some would still leak" in printed(report(invite, secrets=(b"Quux4711", b"15550100")))
    assert "secret" not in printed(report(invite)).replace("secrets", "")


def test_every_line_is_there() -> None:
    """Kept, taken out, put in."""
    text = printed(report(ALICE.invite().data))
    assert "  CSeq: 1 INVITE" in text
    assert '- From: "Alice Liddell"' in text
    assert '+ From: "Anonymous"' in text


def test_markup_and_odd_bytes_are_text() -> None:
    """`[bold]` in a header is no instruction, and neither is an escape sequence of a terminal."""
    text = printed(report(ALICE.invite(headers=(b"Subject: [bold]x[/bold]", b"X-A: \x1b[2J\xff")).data))
    assert "[bold]x[/bold]" in text
    assert "\x1b" not in text


def test_silence_is_said() -> None:
    """An ACK of nothing."""
    text = printed(report(ALICE.request(b"ACK").data, CARRIER.answer(ALICE.invite().data, 100).data[:0] or b"garbage"))
    assert "nothing was forwarded" in text
