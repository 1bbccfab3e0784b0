"""Values under XOR with something visible."""

from __future__ import annotations

from base64 import b64encode

import pytest

from filters.masks import MAX_UNDER_XOR, Unmasking, found_by_xor, unmasked

SECRET = b"alice.liddell"


def masked(original: bytes, key: bytes) -> bytes:
    """As Kamailio's replace_uri does: the longer one's rest stays, `-` pads."""
    size = max(len(original), len(key))
    mixed = bytes(a ^ b for a, b in zip(original.ljust(size, b"\0"), key.ljust(size, b"\0"), strict=True))
    return b64encode(mixed).replace(b"=", b"-")


@pytest.mark.parametrize(
    "outward", [b"sip:anonymous@anonymous.invalid", b"sip:a@b.c", b"sip:+15550100@192.0.2.1:5060;user=phone"]
)
def test_kamailio(outward: bytes) -> None:
    """The replacement longer or shorter than the original, and the place of both."""
    message = b"INVITE sip:x SIP/2.0\r\nFrom: <%b>;tag=1\r\nRecord-Route: <sip:192.0.2.1;vsf=%b;lr>\r\n\r\n" % (
        outward,
        masked(b"sip:alice.liddell@sip.example.net", outward),
    )
    assert (SECRET, ("Record-Route", "XOR with From")) in set(unmasked(message, [SECRET, b"nobody.there"]))
    assert found_by_xor(message, [SECRET, b"nobody.there", b"short"]) == {SECRET}


def test_another_token_is_a_key_too() -> None:
    """Two masks of which one is the other's key."""
    key = bytes(range(140, 180))
    message = b"A: x\r\nB: %b\r\nC: %b\r\n\r\n" % (b64encode(key), masked(b"sip:alice.liddell@x", key))
    assert found_by_xor(message, [SECRET]) == {SECRET}


def test_many_values_and_messages() -> None:
    """Prepared once; each value is found, though all begin alike, under a key and under one byte."""
    values = [b"alice.liddell%d" % number for number in range(20)]
    search = Unmasking(values)
    for value in values:
        token = masked(b"sip:%b@x.example" % value, b"sip:a@b.c")
        under_a_key = b"A: b\r\nFrom: <sip:a@b.c>\r\nX: %b\r\n\r\n" % token
        assert value in {found for found, _ in search(under_a_key)}
        under_one_byte = b"A: b\r\nToken: %b\r\n\r\n" % b64encode(
            bytes(letter ^ 0xAA for letter in b"<" + value + b">")
        )
        assert (value, ("Token", "XOR with one byte")) in set(search(under_one_byte))
    assert not set(search(b"A: b\r\nX: %b\r\n\r\n" % b64encode(bytes(range(200)))))


def test_case() -> None:
    """The value as given, and in lower case."""
    message = b"A: b\r\nFrom: <sip:anonymous@anonymous.invalid>\r\nX: %b\r\n\r\n"
    message %= masked(b"sip:alice.liddell@a.example", b"sip:anonymous@anonymous.invalid")
    assert found_by_xor(message, [b"Alice.Liddell"]) == {b"Alice.Liddell"}


def test_size_is_bounded() -> None:
    """A message of nothing but tokens takes no minute."""
    message = b"A: b\r\n" + b"".join(
        b"X: %b\r\n" % b64encode(bytes(range(200))) for _ in range(2 * MAX_UNDER_XOR // 270)
    )
    assert found_by_xor(message, [SECRET]) == set()
    assert found_by_xor(b"", [SECRET]) == set()
    assert found_by_xor(message, []) == set()
