"""BER as CMS comes in it: read where it is DER or of indefinite length, else refused, always bounded."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.ber import MAX_DEPTH, MAX_STEPS, CmsError, Reader
from filters.der import OCTET_STRING, SEQUENCE, octets, sequence, value

END = b"\x00\x00"


def indefinite(tag: int, *contents: bytes) -> bytes:
    return bytes((tag, 0x80)) + b"".join(contents) + END


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_der_writes(contents: list[bytes]) -> None:
    """One after the other, and then nothing."""
    fields = Reader(sequence(*map(octets, contents))).into(SEQUENCE)
    assert [fields.take(OCTET_STRING).content for _ in contents] == contents
    fields.end()


def test_indefinite_lengths() -> None:
    """X.690 §8.1.3.6, one in another."""
    raw = indefinite(SEQUENCE, indefinite(SEQUENCE, octets(b"\x00\x00")), octets(b"x"))
    reader = Reader(raw + b"more")
    outer = reader.take(SEQUENCE)
    assert (outer.raw, outer.definite, reader.more()) == (raw, False, True)
    fields = reader.inside(outer)
    assert fields.into(SEQUENCE).take(OCTET_STRING).content == b"\x00\x00"
    assert fields.take(OCTET_STRING) == (OCTET_STRING, b"x", octets(b"x"), True)
    fields.end()


def test_strings_in_pieces() -> None:
    """Whole, in pieces of known and of unknown number; not in pieces of pieces."""
    for raw in (
        value(0x80, b"abc"),
        value(0xA0, octets(b"a"), octets(b"bc")),
        indefinite(0xA0, octets(b"ab"), octets(b""), octets(b"c")),
    ):
        reader = Reader(raw)
        assert reader.pieces(reader.any()) == b"abc"
    reader = Reader(indefinite(0xA0, indefinite(0x24, octets(b"a"))))
    with pytest.raises(CmsError):
        reader.pieces(reader.any())


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x30", b"\x30\x01", b"\x04\x05abc",  # cut off
        b"\x04\x81\x01a",  # the long form for what the short one holds
        b"\x04\x82\x00\x80" + bytes(128),  # a zero in front
        b"\x04\x85\x01\x00\x00\x00\x00", b"\x04\xff" + bytes(200),  # longer than anything
        b"\x04\x80abc\x00\x00",  # indefinite, and not constructed
        b"\x30\x80\x04\x01a", b"\x30\x80",  # without an end
        b"\x1f\x81\x01\x00", b"\x3f\x81\x01\x00",  # a tag of several octets
    ],
)  # fmt: skip
def test_what_is_refused(raw: bytes) -> None:
    """One kind of error."""
    with pytest.raises(CmsError):
        Reader(raw).any()


def test_what_is_missing_or_too_much() -> None:
    """Another tag, and something at the end."""
    with pytest.raises(CmsError, match="lacks"):
        Reader(octets(b"")).take(SEQUENCE)
    with pytest.raises(CmsError, match="should end"):
        Reader(octets(b"")).end()
    assert Reader(octets(b"")).maybe(SEQUENCE) is None


@pytest.mark.parametrize("wrap", [sequence, lambda inner: indefinite(SEQUENCE, inner)])
def test_nesting_is_bounded(wrap: object) -> None:
    """The way down costs no stack."""
    assert callable(wrap)
    raw = b""
    for _ in range(5000):
        raw = wrap(raw) if len(raw) < 60_000 else raw
    with pytest.raises(CmsError, match="deep"):
        _down(Reader(raw))


def _down(reader: Reader) -> None:
    for _ in range(MAX_DEPTH + 2):
        reader = reader.into(SEQUENCE)


def test_steps_are_bounded() -> None:
    """A megabyte of nothing within indefinite lengths is given up at once."""
    raw = indefinite(SEQUENCE, octets(b"") * (1 << 19))
    start = time.process_time()
    with pytest.raises(CmsError, match="pieces"):
        Reader(raw).any()
    assert time.process_time() - start < 0.5
    reader = Reader(value(0xA0, octets(b"") * (MAX_STEPS + 1)))
    with pytest.raises(CmsError, match="pieces"):
        reader.pieces(reader.any())


@given(st.binary(max_size=60))
def test_anything_at_all(raw: bytes) -> None:
    """An element or the error, and an element is of the octets that were given."""
    try:
        element = Reader(raw).any()
    except CmsError:
        return
    assert raw.startswith(element.raw)
