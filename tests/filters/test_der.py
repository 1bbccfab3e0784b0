"""DER, held against what `cryptography` writes and OpenSSL knows."""

from __future__ import annotations

import pytest
from cryptography.hazmat import asn1
from hypothesis import given
from hypothesis import strategies as st

from filters import der


@given(st.integers(0, 1 << 80))
def test_integers(number: int) -> None:
    """Never negative, never an octet too many."""
    assert der.integer(number) == asn1.encode_der(number)


@given(st.binary(max_size=400))
def test_octets(content: bytes) -> None:
    """Short and long lengths."""
    assert der.octets(content) == asn1.encode_der(content)


@pytest.mark.parametrize("size", [0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_lengths_at_their_borders(size: int) -> None:
    """X.690 §10.1: the fewest octets."""
    assert der.octets(bytes(size)) == asn1.encode_der(bytes(size))


@pytest.mark.parametrize(
    ("dotted", "written"),
    [
        ("1.2.840.113549.1.7.1", "06092a864886f70d010701"),
        ("1.3.132.1.11.1", "06062b8104010b01"),
        ("2.16.840.1.101.3.4.1.6", "0609608648016503040106"),
        ("2.999.3", "0603883703"),  # X.690 §8.19.5
    ],
)
def test_object_identifiers(dotted: str, written: str) -> None:
    """As the standards print them."""
    assert der.oid(dotted).hex() == written


def test_a_set_is_in_order() -> None:
    """X.690 §11.6."""
    assert der.set_of(der.octets(b"b"), der.octets(b"a")).hex() == "3106040161040162"


def test_bits_and_tags() -> None:
    """Whole octets leave no bit unused."""
    assert der.bits(b"\x01").hex() == "03020001"
    assert (der.implicit(0), der.explicit(1)) == (0x80, 0xA1)
