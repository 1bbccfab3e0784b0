"""A plan on a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tap.plan_report import Document
from tap.plan_view import show
from tests.tap.test_plan_report import ALICE, TEXT, Asked


def printed(document: Document, width: int = 240) -> str:
    stream = io.StringIO()
    show(Console(file=stream, width=width), document)
    return stream.getvalue()


def flat(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_who_decided_and_what_that_overrode(asked: Asked) -> None:
    text = flat(printed(asked("friend", subscriber=ALICE.decode())))
    assert "INVITE from the phone (access, untrusted) to trunk friend (trusted); subscriber alice@" in text
    assert "number keep subscriber subscriber.number anonymise by default: privacy.default.number (built in)" in text
    line = TEXT.splitlines().index('privacy = { content = "keep" }') + 1
    assert f"content keep contract trunks.friend.privacy.content (line {line}) remove by default:" in text


def test_fields_stand_under_the_category_that_decides(asked: Asked) -> None:
    """With their kind, what becomes of them, and where they are defined; functions come last."""
    text = printed(asked())
    tables = [flat(part) for part in text.split("\n\n")]
    named = {table.partition(" ┏")[0].partition(":")[0]: table for table in tables}
    assert list(named)[-1] == "function"
    assert "from (f) header the anonymous form RFC 3261 §20.20" in named["number"]
    assert "user-agent header generalised" in named["software"]
    assert "multipart/* body removed" in named["unknown"]
    assert "(any other) SDP attribute removed" in named["unknown"]
    assert "mac value pattern removed" in named["device"]
    count = sum(table.count(" header ") for table in tables)
    assert count >= sum(one["section"] == "headers" for one in asked()["fields"])


@pytest.mark.parametrize("width", [60, 100])
def test_it_fits(asked: Asked, width: int) -> None:
    assert max(map(len, printed(asked(), width).splitlines())) <= width


def test_a_refusal(asked: Asked) -> None:
    text = printed(asked(privacy="session;critical"))
    assert "Such a request is refused: 500 Privacy cannot be met: session" in text
    assert "who decided" not in text


def test_what_a_catalogue_of_theirs_says_is_text(asked: Asked) -> None:
    """`[bold]` in a source is no instruction, and an escape sequence commands no terminal."""
    document = asked()
    document["fields"] = [{**document["fields"][0], "source": "[bold]x[/bold] \x1b[2J", "name": "[red]y"}]
    text = printed(document)
    assert "[bold]x[/bold]" in text
    assert "[red]y" in text
    assert "\x1b" not in text
