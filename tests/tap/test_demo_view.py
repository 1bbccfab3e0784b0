"""How the demo shows messages."""

from __future__ import annotations

import io

from rich.console import Console

from filters.catalogue import load_catalogue
from proxy.flow import Flow
from tap.demo import Forwarded, Outcome
from tap.demo_call import Wire
from tap.demo_messages import wire
from tap.demo_view import ladder, message_table, show

LEFT = wire(
    b"INVITE sip:a@b SIP/2.0\nVia: one\nX-IMEI: 004999010640000\nFrom: <sip:jane@x>\nCSeq: 1 INVITE\n",
    b"v=0\ns=Jane\na=candidate:1 1 UDP 9 192.168.1.23 1 typ host\n"
    b"a=candidate:2 1 UDP 8 203.0.113.20 1 typ srflx raddr 192.168.1.23 rport 1\n",
)
RIGHT = wire(
    b"INVITE sip:a@b SIP/2.0\nVia: two\nFrom: <sip:anonymous@x>\nCSeq: 1 INVITE\nRecord-Route: <sip:p>\n",
    b"v=0\ns=-\na=candidate:3 1 UDP 8 203.0.113.20 1 typ srflx raddr 0.0.0.0 rport 9\n",
)
FORWARDED = Forwarded(LEFT, RIGHT, Flow("UDP", ("", 0), ("", 0)), [("x-imei", "device: remove"), ("body", "cleaned")])


def printed(outcome: Outcome, *, color: bool = False) -> str:
    stream = io.StringIO()
    show(Console(file=stream, width=150, force_terminal=color, color_system="truecolor" if color else None), outcome)
    return stream.getvalue()


def test_every_edit_has_a_reason() -> None:
    """The note, the catalogue's category, or the core's own step."""
    table = message_table(1, FORWARDED, "phone", load_catalogue())
    marks, whys = (list(table.columns[number].cells) for number in (0, 3))
    assert all(str(why) for mark, why in zip(marks, whys, strict=True) if str(mark).strip())


def test_markup_in_a_message_is_text() -> None:
    """`[bold]` in a header is not an instruction."""
    message = wire(b"INVITE sip:a@b SIP/2.0\nX: [bold]no[/bold]\n")
    outcome = Outcome(forwarded=[FORWARDED._replace(received=message, sent=message)])
    assert "[bold]no[/bold]" in printed(outcome)


def test_ladder_points_the_right_way() -> None:
    """Phone on the left, trunk on the right, an arrow for each wire."""
    lines = [
        line.plain
        for line in ladder(
            [Wire("phone", True, LEFT), Wire("trunk", False, RIGHT), Wire("trunk", True, b"SIP/2.0 200 OK\r\n\r\n")]
        )
    ]
    assert lines[0].split() == ["phone", "Sipveil", "trunk"]
    assert "- INVITE -" in lines[1]
    assert lines[1].index(">") < lines[2].index(">")
    assert "<" in lines[3]


def test_colour_only_where_wanted() -> None:
    """A file gets plain text."""
    outcome = Outcome(wires=[Wire("phone", True, LEFT)], forwarded=[FORWARDED])
    assert "\x1b[" not in printed(outcome)
    assert "\x1b[" in printed(outcome, color=True)


def test_faults_are_said_instead_of_success() -> None:
    """What went wrong stands at the end."""
    text = printed(Outcome(faults=["the trunk could read: number"]))
    assert "FAULT: the trunk could read: number" in text
    assert "completed" not in text
    assert "none arrived" in printed(Outcome())
