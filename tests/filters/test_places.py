"""Where in a message something stands."""

from __future__ import annotations

from filters.places import header_name, places, sdp_field


def test_lines_of_a_message() -> None:
    """Start line, headers with their folds and full names, lines of a description."""
    data = b"INVITE sip:a@b SIP/2.0\r\nf: <sip:a@b>\r\nX-Odd : one\r\n two\r\nno colon\r\n\r\n"
    data += b"v=0\r\na=candidate:1 1\r\n?\r\n"
    assert list(places(data)) == [
        ("start line", b"INVITE sip:a@b SIP/2.0"),
        ("From", b"f: <sip:a@b>"),
        ("X-Odd", b"X-Odd : one two"),
        ("a broken header line", b"no colon"),
        ("v=", b"v=0"),
        ("a=candidate", b"a=candidate:1 1"),
        ("body", b"?"),
    ]


def test_other_bodies() -> None:
    """Are one place."""
    assert list(places(b"SIP/2.0 200 OK\r\n\r\nhello\r\nworld"))[1:] == [("body", b"hello\r\nworld")]


def test_what_is_no_name_is_not_repeated() -> None:
    """A name of a header can be anything; the output stays readable, and the secret unsaid."""
    assert header_name(b"\x1b[2J") == "a header"
    assert header_name(b"x" * 65) == "a header"
    assert sdp_field(b"a=\xff") == "a="
