"""Messages as people keep and edit them."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.parse import parse
from tap.message_file import messages
from tests.tap.pcap import message

ONE = message("INVITE sip:a@b SIP/2.0", body="v=0\r\ns=x\r\n")
TWO = message("SIP/2.0 200 OK", body="one\r\nSIP/2.0 486 in a body\r\n")


def only(text: bytes) -> tuple[bytes, tuple[str, ...]]:
    (found,), remarks = messages(text)
    assert not remarks
    parse(found.data, Limits())
    return found


def test_what_is_right_is_left_alone() -> None:
    """Byte for byte, a start line within a body included."""
    for data in (ONE, TWO, message()):
        assert only(data) == (data, ())
        assert only(data + b"\r\n\n") == (data, ())


@pytest.mark.parametrize("between", [b"", b"\r\n", b"\n\n\n"])
def test_several_messages(between: bytes) -> None:
    """With and without empty lines between them."""
    found, remarks = messages(between.join([ONE, TWO, message(), ONE]))
    assert [one.data for one in found] == [ONE, TWO, message(), ONE]
    assert not remarks


def test_lf_alone() -> None:
    """Text editors; the length may count either line end."""
    data, mended = only(ONE.replace(b"\r\n", b"\n"))
    assert data == ONE
    assert "LF alone" in mended[0]
    counted = ONE.replace(b"\r\n", b"\n").replace(b"Content-Length: 10", b"Content-Length: 8")
    assert only(counted)[0] == ONE
    found, _ = messages(b"\n".join([ONE, TWO]).replace(b"\r\n", b"\n"))
    assert [one.data for one in found] == [ONE, TWO]


@pytest.mark.parametrize("length", [b"", b"Content-Length: 3\r\n", b"Content-Length: 4000\r\n", b"l: many\r\n"])
def test_length_is_mended(length: bytes) -> None:
    """Missing, wrong, or no number; and it is said."""
    broken = ONE.replace(b"Content-Length: 10\r\n", length)
    data, mended = only(broken)
    assert data.endswith(b"\r\n\r\nv=0\r\ns=x\r\n")
    assert parse(data, Limits()).value(b"content-length") == b"10"
    assert "the body has 10 bytes" in mended[0]
    found, _ = messages(broken + b"\r\n" + TWO)
    assert [one.data for one in found] == [data, TWO]


def test_headers_without_an_end() -> None:
    """No empty line behind them."""
    data, mended = only(message().partition(b"\r\nContent-Length")[0])
    assert data.endswith(b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
    assert "empty line" in mended[0]


def test_notes_before_the_first_message() -> None:
    """Are left out, and that is said; a byte order mark is nothing."""
    found, remarks = messages(b"\xef\xbb\xbf# from the lab\n\n" + ONE)
    assert [one.data for one in found] == [ONE]
    assert len(remarks) == 1
    assert messages(b"\xef\xbb\xbf" + ONE)[1] == []


@pytest.mark.parametrize("text", [b"", b"\n\n", b"\0" * 100, bytes(range(256)) * 50, b"INVITE sip:a@b"])
def test_nothing(text: bytes) -> None:
    """Garbage holds no message."""
    assert messages(text)[0] == []
