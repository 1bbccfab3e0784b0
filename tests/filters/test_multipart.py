"""Where the parts of a multipart are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.forms import FormError
from filters.multipart import MAX_PARTS, fields, head_of, spans


def parts(body: bytes, boundary: bytes = b"x") -> list[bytes]:
    return [body[start:end] for start, end in spans(body, boundary)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--x\r\n\r\na\r\n--x--\r\n", [b"\r\na"]),
        (b"preamble\r\n--x\r\none\r\n--x \t\r\ntwo\r\n--x--\r\nepilogue", [b"one", b"two"]),
        (b"--x\none\n--x\n\n--x--", [b"one", b""]),
        (b"--x\r\none\r\n", [b"one\r\n"[:-2] + b"\r\n"]),  # the last delimiter left out
        (b"--x\r\none\r\r\n--x--", [b"one\r"]),
        (b"--x\r\n\r\n--x--", [b""]),
        (b"--x\r\none --x two\r\n--x--", [b"one --x two"]),
    ],
)
def test_where_they_are(body: bytes, expected: list[bytes]) -> None:
    """RFC 2046 §5.1.1: with LF alone too, and without an end."""
    assert parts(body) == expected


@given(st.lists(st.binary(max_size=30).filter(lambda part: b"--x" not in part), min_size=1, max_size=5))
def test_what_is_put_together_comes_apart(contents: list[bytes]) -> None:
    """Octet for octet."""
    body = b"".join(b"--x\r\n" + each + b"\r\n" for each in contents) + b"--x--\r\n"
    assert parts(body) == contents


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"--x\r\none\r\n--x--", b""),
        (b"--x\r\none\r\n--x--", b"x" * 71),
        (b"one", b"x"),
        (b"--x--\r\n", b"x"),
        (b"--xtra\r\none\r\n--x--", b"x"),
        (b"--x", b"x"),
        (b"--x\r\none\r\n" * (MAX_PARTS + 1), b"x"),
        (b"--x\r\n" * (1 << 16), b"x"),
    ],
)
def test_what_is_none(body: bytes, boundary: bytes) -> None:
    """No boundary, no part, a line that only looks like one, too many parts."""
    with pytest.raises(FormError):
        spans(body, boundary)


def test_heads() -> None:
    """With and without lines, with CRLF or LF."""
    assert head_of(b"A: b\r\n\r\nbody") == (4, 8)
    assert head_of(b"A: b\n\nbody") == (4, 6)
    assert head_of(b"\r\nbody") == (0, 2)
    assert head_of(b"\nbody") == (0, 1)
    with pytest.raises(FormError):
        head_of(b"A: b\r\n")


def test_fields() -> None:
    """Unfolded, and as they came."""
    found = list(fields(b"Content-Type : a/b;\r\n\tc=d\nX:"))
    assert found == [
        (b"Content-Type", b"a/b; c=d", b"Content-Type : a/b;\r\n\tc=d"),
        (b"X", b"", b"X:"),
    ]
    assert list(fields(b"")) == []


@pytest.mark.parametrize(
    "head", [b"no colon", b": x", b"a b: x", b"A: x\ry: z", b"A: x\r\n\r\nB: y", b" A: x", b"\r\n"]
)
def test_lines_that_are_none(head: bytes) -> None:
    """A bare CR is no line end, and nothing that may be passed on."""
    with pytest.raises(FormError):
        list(fields(head))
