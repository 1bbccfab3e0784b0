"""Packed forms: whatever goes in comes out byte for byte, and the common shapes are short."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.errors import Malformed
from proxy.headers import NameAddr
from proxy.letters import to_sixths
from proxy.pack import (
    ANONYMOUS,
    Reader,
    is_anonymous,
    pack_address,
    pack_call_id,
    pack_ip,
    pack_text,
    pack_uri,
    unpack_address,
    unpack_call_id,
    unpack_ip,
    unpack_uri,
)
from tests import strategies as sip


@given(sip.wild_call_ids)
def test_a_call_id_comes_back_as_it_was(call_id: bytes) -> None:
    """RFC 3261 §20.8: Call-IDs are compared byte by byte, so packing may not touch case, zeros or spelling."""
    assert unpack_call_id(pack_call_id(call_id)) == call_id


@given(sip.wild_call_ids)
def test_a_packed_call_id_is_at_most_one_byte_longer(call_id: bytes) -> None:
    """dialogs.md "Trunk profile": a sealed Call-ID must fit 64 characters, so packing may not cost."""
    assert len(pack_call_id(call_id)) <= len(call_id) + 1


@pytest.mark.parametrize(
    ("call_id", "size"),
    [
        (b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 17),
        (b"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", 17),
        (b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.4", 22),
        (b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.4:5060", 23),
        (b"3c26700857a87f84@10.1.1.23", 15),
        (b"3C26700857A87F84@10.1.1.23:5062", 16),
        (b"00112233445566778899aabbccddeeff@[2001:db8::1]", 34),
        (b"267155984-5060-9@BHC.FA.B.BAD", 26),
    ],
)
def test_call_ids_of_known_devices_are_short(call_id: bytes, size: int) -> None:
    """UUIDs, hex, six-bit letters and addresses are packed (dialogs.md "Call-ID")."""
    assert len(pack_call_id(call_id)) <= size
    assert unpack_call_id(pack_call_id(call_id)) == call_id


@pytest.mark.parametrize(
    "call_id",
    [
        b"",
        b"@",
        b"a@",
        b"@a",
        b"a@b@c",
        b"00",
        b"0",
        b"0000000000",
        b"Ab12",
        b"1.2.3.4@1.2.3.4",
        b"a@01.2.3.4",
        b"a@1.2.3.4:05060",
        b"a@1.2.3.4:0",
        b"a@1.2.3.4:65536",
        b"a@1.2.3.4:99999",
        b"a@2001:db8::1:5060",
        b"a@2001:DB8::1",
        b"a@::ffff:192.0.2.10",
        b"a@999.2.3.4:5060",
        b"ab" * 256,
        b"ab" * 255 + b"@h",
        b"12-34@h",
        b"\xff\x00",
        b"x" * 300 + b"@" + b"y" * 300,
        b"x!" * 150 + b"@" + b"y" * 300,
    ],
)
def test_odd_call_ids_come_back_too(call_id: bytes) -> None:
    """Whatever has two spellings is stored as it stands."""
    assert unpack_call_id(pack_call_id(call_id)) == call_id


@given(st.binary(max_size=60))
@example(b"\3\0\0")
def test_any_bytes_unpack_or_are_malformed(packed: bytes) -> None:
    """Only authentic bytes are unpacked; a mistake of ours must still not become a traceback of another kind."""
    for unpack in (unpack_call_id, lambda data: unpack_uri(Reader(data)), lambda data: unpack_address(Reader(data))):
        try:
            unpack(packed)
        except Malformed:
            continue


@given(sip.wild_uris)
def test_a_uri_comes_back_as_it_was(uri: bytes) -> None:
    """A target is given back to its owner as it wrote it."""
    packed = pack_uri(uri)
    reader = Reader(packed)
    assert unpack_uri(reader) == uri
    assert reader.rest() == b""


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:a@h",
        b"SIP:a@h",
        b"sip:a:@h",
        b"sip:a:secret@h",
        b"sip:@h",
        b"sip:h:05060",
        b"sip:h:0",
        b"sip:h;",
        b"sip:h?x=y",
        b"sip:h?",
        b"sip:[2001:db8::1]:5060;transport=tcp",
        b"sip:[2001:DB8::1]",
        b"sip:[::ffff:192.0.2.1]",
        b"sip:[2001:db8:::192.0.2.1]",
        b"sip:[192.0.2.1]",
        b"sip:1.2.3.04",
        b"sips:+15550100;phone-context=example.com@192.0.2.1:5061;user=phone",
        b"tel:+15550100",
        b"",
        b"sip:" + b"u" * 254 + b"@h",
        b"sip:" + b"u" * 300 + b"@h",
    ],
)
def test_odd_uris_come_back_too(uri: bytes) -> None:
    """Empty passwords, zeros, capital letters and headers are not lost."""
    assert unpack_uri(Reader(pack_uri(uri))) == uri


@given(st.one_of(sip.hex_texts, sip.hex_texts.map(bytes.upper), st.uuids().map(lambda value: str(value).encode())))
def test_hex_is_never_longer_than_six_bit_letters(call_id: bytes) -> None:
    """So a Call-ID of hex alone is not tried as letters."""
    assert len(pack_call_id(call_id)) <= 1 + len(to_sixths(call_id))


def test_a_phones_contact_takes_few_bytes() -> None:
    """dialogs.md budgets 160 bytes for a whole record."""
    assert len(pack_uri(b"sip:alice@10.1.1.23:5062")) == 1 + 6 + 4 + 2


@given(sip.displays, sip.wild_uris)
def test_an_address_comes_back_as_it_was(display: bytes, uri: bytes) -> None:
    """Display name and URI, without header parameters."""
    assert unpack_address(Reader(pack_address(NameAddr(display, uri, b"")))) == NameAddr(display, uri, b"")


def test_the_anonymous_address_takes_one_byte() -> None:
    """RFC 3323 §4.1.1.3: most outward From values are this one."""
    assert ANONYMOUS.address == b'"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert pack_address(ANONYMOUS) == b"\1"
    assert unpack_address(Reader(b"\1")) == ANONYMOUS


@given(st.binary(max_size=70_000))
def test_texts_of_every_length_carry_it(text: bytes) -> None:
    """dialogs.md: length-prefixed, never delimiter-joined."""
    if len(text) > 65535:
        with pytest.raises(Malformed):
            pack_text(text)
        return
    reader = Reader(pack_text(text) + b"rest")
    assert (reader.text(), reader.rest()) == (text, b"rest")


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 65535])
def test_lengths_around_the_long_form_come_back(size: int) -> None:
    """254 is the last length in one byte, 255 says that two follow."""
    assert Reader(pack_text(b"x" * size)).text() == b"x" * size


@given(st.ip_addresses().map(str))
def test_addresses_are_four_or_sixteen_bytes(address: str) -> None:
    """The usual spelling is packed, and comes back."""
    packed = pack_ip(address)
    assert len(packed) in ((16, 0) if ":" in address else (4,))
    assert packed == b"" or unpack_ip(packed) == address


@pytest.mark.parametrize(
    "address", ["", "sip.example.net", "1.2.3", "01.2.3.4", "2001:DB8::1", "fe80::1%eth0", "1.2.3.4\0"]
)
def test_other_spellings_are_not_packed(address: str) -> None:
    """Only what comes back in the same letters is packed."""
    assert pack_ip(address) == b""


def test_a_reader_does_not_read_beyond_its_end() -> None:
    """A short record is an error, never short data."""
    with pytest.raises(Malformed):
        Reader(b"\x05a").take(3)
    with pytest.raises(Malformed):
        Reader(b"\x05a").number(3)
    with pytest.raises(Malformed):
        Reader(b"\x05a").text()


def test_the_anonymous_address_is_told_whatever_stands_behind_it() -> None:
    """RFC 3323 §4.1.1.3: name and URI; a tag is nobody's name."""
    assert is_anonymous(ANONYMOUS)
    assert is_anonymous(ANONYMOUS._replace(params=b";tag=1"))
    assert not is_anonymous(ANONYMOUS._replace(display=b""))
    assert not is_anonymous(ANONYMOUS._replace(uri=b"sip:alice@anonymous.invalid"))
