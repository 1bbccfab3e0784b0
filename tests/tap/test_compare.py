"""Two messages side by side."""

from __future__ import annotations

from tap.compare import compare
from tap.demo_messages import wire

LEFT = wire(
    b"INVITE sip:a@b SIP/2.0\nVia: one\nX-IMEI: 004999010640000\nFrom: <sip:jane@x>\nCSeq: 1 INVITE\n",
    b"v=0\ns=Jane\na=candidate:1 1 UDP 9 192.168.1.23 1 typ host\n"
    b"a=candidate:2 1 UDP 8 203.0.113.20 1 typ srflx raddr 192.168.1.23 rport 1\n",
)
RIGHT = wire(
    b"INVITE sip:a@b SIP/2.0\nVia: two\nFrom: <sip:anonymous@x>\nCSeq: 1 INVITE\nRecord-Route: <sip:p>\n",
    b"v=0\ns=-\na=candidate:3 1 UDP 8 203.0.113.20 1 typ srflx raddr 0.0.0.0 rport 9\n",
)


def test_lines_about_one_field_are_one_row() -> None:
    """Edited, removed, added and untouched lines, in the order of the message."""
    rows = [(row.kind, row.field) for row in compare(LEFT, RIGHT)]
    assert rows[:5] == [
        ("same", "start"), ("changed", "via"), ("removed", "x-imei"), ("changed", "from"), ("same", "cseq"),
    ]  # fmt: skip
    assert ("added", "record-route") in rows
    assert ("changed", "s=") in rows
    assert ("same", "v=") in rows


def test_candidate_is_compared_with_the_one_it_was_made_from() -> None:
    """The host candidate is gone, the reflexive one lost its LAN address."""
    host, reflexive = [row for row in compare(LEFT, RIGHT) if row.field == "a=candidate"]
    assert (host.kind, reflexive.kind) == ("removed", "changed")
    assert "raddr 192.168.1.23" in reflexive.left
    assert "raddr 0.0.0.0" in reflexive.right


def test_all_of_both_messages_is_shown() -> None:
    """No line is lost in the comparison."""
    rows = compare(LEFT, RIGHT)
    for message, shown in ((LEFT, [row.left for row in rows]), (RIGHT, [row.right for row in rows])):
        lines = [line for line in message.decode().replace("\r\n", "\n").split("\n") if line]
        assert [line for line in shown if line] == lines


def test_undecodable_bytes_are_shown() -> None:
    """A message is bytes; whatever they are, the demo does not break."""
    assert compare(b"INVITE \xff SIP/2.0\r\n\r\n\xfe", b"INVITE \xff SIP/2.0\r\n\r\n")
