"""The search for planted values finds what it is for: a search that finds nothing would prove nothing."""

from __future__ import annotations

from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote_from_bytes

import pytest

from filters.leaks import found_in
from filters.masks import found_by_xor

SECRET = b"alice.liddell"


@pytest.mark.parametrize(
    "hide",
    [
        bytes,
        bytes.upper,
        lambda value: quote_from_bytes(value, safe="").encode(),
        lambda value: b"".join(b"%%%02x" % letter for letter in value),
        lambda value: value.hex().encode(),
        lambda value: b"f" + value.hex().upper().encode(),
        b64encode,
        lambda value: urlsafe_b64encode(b"\xff" + value).rstrip(b"="),
        lambda value: b"xx" + b64encode(b"12" + value + b"34"),
        b32encode,
        lambda value: b32encode(b"123" + value).rstrip(b"=").lower(),
    ],
)
def test_every_decoding_is_tried(hide: Callable[[bytes], bytes]) -> None:
    """In clear, percent, hex, base64 and base32, at any alignment, in any case."""
    message = b"INVITE sip:x SIP/2.0\r\nRecord-Route: <sip:" + hide(SECRET) + b"@192.0.2.1;lr>\r\n\r\n"
    assert found_in(message, [SECRET, b"nobody.there"]) == {SECRET}


def test_what_kamailio_and_opensips_do_is_found() -> None:
    """vsf = base64(original XOR replacement), with the replacement in the same message (peers.md §4.4)."""
    original, outward = b"sip:+15550142@sip.example.net", b"sip:anonymous@anonymous.invalid"
    masked = bytes(a ^ b for a, b in zip(original, outward, strict=False))
    message = b'From: "Anonymous" <%b>;tag=1\r\nRecord-Route: <sip:192.0.2.1;vsf=%b>\r\n' % (outward, b64encode(masked))
    assert found_by_xor(message, [b"+15550142", b"+15550199", b"short"]) == {b"+15550142"}


def test_a_value_masked_by_another_address_is_found() -> None:
    """The key is any text of the message, not only the From that replaced it."""
    known, secret = b"sip:carrol@192.0.2.1:5060;ob", b"sip:alice.liddell@10.1.1.23:"
    masked = b64encode(bytes(a ^ b for a, b in zip(known, secret, strict=True)))
    assert found_by_xor(b"Contact: <%b>\r\nVia: a;i=%b\r\n" % (known, masked), [SECRET]) == {SECRET}


def test_a_repeating_password_of_one_letter_is_found() -> None:
    """XOR with one byte needs no visible field at all."""
    masked = bytes(letter ^ 0x5A for letter in b"sip:alice.liddell@10.1.1.23:5062")
    assert found_by_xor(b"Contact: <sip:%b@192.0.2.1>" % b64encode(masked), [SECRET]) == {SECRET}


def test_clean_text_is_clean() -> None:
    """No value is found that is not there."""
    message = b"INVITE sip:x SIP/2.0\r\nRecord-Route: <sip:A2aXkHuUrELM4r-cFU3fehm8b6uobBAYSkAXM@192.0.2.1>\r\n"
    assert found_in(message, [SECRET]) == set()
    assert found_by_xor(message, [SECRET]) == set()
