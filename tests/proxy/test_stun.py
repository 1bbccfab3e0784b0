"""STUN keep-alives: RFC 5769's vectors, and that nobody is worth attacking by an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.stun import answer
from tests.world import PHONE

PLAIN = bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae")


def test_the_address_of_rfc_5769() -> None:
    """§2.2 and §2.3 of it, less the attributes that a keep-alive has no use for."""
    four, six = answer(PLAIN, ("192.0.2.1", 32853)), answer(PLAIN, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))
    head = "2112a442b7e7a701bc34d686fa87dfae"
    assert four == bytes.fromhex("0101000c" + head + "002000080001a147e112a643")
    assert six == bytes.fromhex("01010018" + head + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")


def test_what_need_not_be_understood_is_passed_over() -> None:
    """SOFTWARE and FINGERPRINT, as phones add them."""
    software = b"\x80\x22\x00\x05phone\0\0\0" + b"\x80\x28\x00\x04\x01\x02\x03\x04"
    assert answer(PLAIN[:2] + len(software).to_bytes(2, "big") + PLAIN[4:] + software, PHONE) is not None


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN + b"\0",
        b"\x00\x02" + PLAIN[2:],
        b"\x01\x01" + PLAIN[2:],
        PLAIN[:4] + b"\0\0\0\0" + PLAIN[8:],
        PLAIN[:2] + b"\x00\x04" + PLAIN[4:],
        PLAIN[:2] + b"\x00\x08" + PLAIN[4:] + b"\x00\x06\x00\x04user",
        PLAIN[:2] + b"\x00\x08" + PLAIN[4:] + b"\x80\x22\x00\x08user",
        PLAIN[:2] + b"\x00\xf4" + PLAIN[4:] + b"\x80\x22\x00\xf0" + bytes(240),
    ],
)
def test_anything_else_gets_silence(data: bytes) -> None:
    assert answer(data, PHONE) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_it_or_are_amplified(data: bytes) -> None:
    for message in (data, PLAIN[:2] + len(data).to_bytes(2, "big") + PLAIN[4:] + data):
        said = answer(message, PHONE)
        assert said is None or len(said) <= len(message) + 12
