"""The search for planted values finds what it is for: a search that finds nothing would prove nothing."""

from __future__ import annotations

from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote_from_bytes

import pytest

from filters.leaks import Finding, Search, SecretError, found_in
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
    found = Search([b"nobody.there", SECRET])(message + b"\r\n")
    assert {(one.secret, one.place) for one in found} >= {(1, "Record-Route")}
    assert {one.secret for one in found} == {1}


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


MESSAGE = b"INVITE sip:+15550100@x SIP/2.0\r\nf: <sip:%b@x>;tag=1\r\nX-A: %b\r\nContent-Type: x\r\n\r\n%b\r\n"


def search(secret: bytes, message: bytes) -> list[tuple[str, str]]:
    return [(one.place, one.form) for one in Search([secret])(message)]


def test_each_place_once() -> None:
    """Header by its full name, body; with the form."""
    message = MESSAGE % (b"alice", b"616c696365", b"YWxpY2U.YWxpY2UgaXM")
    assert search(b"alice", message) == [("From", "in clear"), ("X-A", "hex"), ("body", "base64")]


@pytest.mark.parametrize(
    "written",
    [b"+4930555018270", b"004930555018270", b"+49 30 555-018-270", b"+49.30.(555)018270", b"%2B49-30-555018270"],
)
@pytest.mark.parametrize("given", [b"+4930555018270", b"00493055 5018270", b"+49 (30) 555018270", b"4930555018270"])
def test_numbers_however_they_are_grouped(given: bytes, written: bytes) -> None:
    """Prefix and separators make no difference (RFC 3966 §5.1.1)."""
    assert [place for place, _ in search(given, MESSAGE % (b"x", written, b""))] == ["X-A"]
    assert found_in(MESSAGE % (b"x", written, b""), [given]) == {given}


def test_device_ids_however_they_are_grouped() -> None:
    """A MAC with colons, hyphens, dots or nothing; an address is no number."""
    for written in (b"00:15:65:5e:a1:7b", b"00-15-65-5E-A1-7B", b"0015.655e.a17b", b"0015655ea17b"):
        for given in (b"0015655EA17B", b"00:15:65:5e:a1:7b"):
            assert search(given, MESSAGE % (b"x", written, b""))
    assert search(b"192.168.1.23", MESSAGE % (b"x", b"192.168.12.3 1921681.23", b"")) == []


def test_a_value_over_two_encodings() -> None:
    """Half of it escaped, or one encoding within another."""
    assert search(SECRET, MESSAGE % (b"al%69ce%2eliddell", b"", b"")) == [("From", "percent")]
    nested = b64encode(quote_from_bytes(b"x<" + SECRET + b">").replace("l", "%6c").encode())
    assert search(SECRET, MESSAGE % (b"x", nested, b"")) == [("X-A", "percent in base64")]


def test_a_value_over_two_lines() -> None:
    """In a description, or a folded header."""
    assert search(b"one two", MESSAGE % (b"x", b"one\r\n two", b"")) == [("X-A", "in clear")]
    wrapped = b64encode(b"x" * 11 + SECRET + b"y" * 20)
    body = b"v=0\r\n" + wrapped[:30] + b"\r\n" + wrapped[30:]
    assert search(SECRET, MESSAGE % (b"x", b"", body)) == [("several lines", "base64")]


def test_letters_beyond_ascii() -> None:
    """In UTF-8 and Latin-1, in either case."""
    for written in ("J\u00fcrgen".encode(), "J\u00dcRGEN".encode(), "J\u00fcrgen".encode("latin-1")):
        assert search("j\u00fcrgen".encode(), MESSAGE % (b"x", written, b"")), written


def test_short_values() -> None:
    """Are refused, or not looked for where chance would find them; and that is said, without saying them."""
    with pytest.raises(SecretError, match="secret 2 has fewer than 3"):
        Search([b"alice", b"al"])
    assert Search([b"abc", b"abcd", b"abcdefgh"]).left_out() == [
        "secret 1: too short to be looked for in hex, base32 and base64",
        "secret 1: under 8 bytes, not looked for under XOR",
        "secret 2: under 8 bytes, not looked for under XOR",
    ]
    assert search(b"abc", MESSAGE % (b"abc", b"61626364 6162636465", b"")) == [("From", "in clear")]


def test_xor_is_part_of_it() -> None:
    """With the key's place in its name."""
    original, outward = b"sip:alice.liddell@sip.example.net", b"sip:anonymous@anonymous.invalid"
    vsf = b64encode(bytes(a ^ b for a, b in zip(original, outward, strict=False)))
    message = b"INVITE sip:x SIP/2.0\r\nFrom: <%b>;tag=1\r\nRecord-Route: <sip:p;vsf=%b>\r\n\r\n" % (outward, vsf)
    assert Search([SECRET])(message) == [Finding(0, "Record-Route", "XOR with From")]


def test_big_and_odd_messages() -> None:
    """Anything can be searched, in bounded time."""
    for message in (b"", b"\0" * 70_000, bytes(range(256)) * 300, b"A" * 300_000, b"%" * 50_000, b"=" * 50_000):
        assert Search([SECRET, b"+15550142"])(message) == []
