"""Encrypted content."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from filters.ber import CmsError, Reader
from filters.cms_algorithms import CIPHERS, DATA, Cipher, algorithm, read_algorithm
from filters.cms_content import How, decrypt, encrypt, read
from filters.der import INTEGER, NULL, integer, octets, sequence, value

ciphers = st.sampled_from(list(Cipher))


@given(ciphers, st.binary(max_size=200), st.data())
def test_there_and_back(cipher: Cipher, content: bytes, data: st.DataObject) -> None:
    """Under the same key, with the nonce that is written down."""
    size = CIPHERS[cipher].key_size
    key = data.draw(st.binary(min_size=size, max_size=size))
    made = encrypt(cipher, key, content)
    how = read(read_algorithm(Reader(made.algorithm)))
    assert how.cipher is cipher
    assert decrypt(how, key, made.content, made.tag, b"") == content
    assert content in (b"", b"\x00") or content not in made.content or len(content) < 4


def test_the_length_of_the_tag_is_said() -> None:
    """RFC 5084 §3.2: aes-ICVlen DEFAULT 12, so 16 is written; the nonce has 12 octets."""
    made = encrypt(Cipher.AES_128_GCM, bytes(16), b"x")
    how = read(read_algorithm(Reader(made.algorithm)))
    assert (len(made.tag), len(how.nonce), how.tag_size) == (16, 12, 16)
    assert made.algorithm.endswith(integer(16))


def test_shorter_tags_of_others() -> None:
    """12 where nothing is said."""
    nonce, key = bytes(12), bytes(16)
    sealed = AESGCM(key).encrypt(nonce, b"content", None)
    facts = CIPHERS[Cipher.AES_128_GCM]
    how = read(read_algorithm(Reader(algorithm(facts.oid, sequence(octets(nonce))))))
    assert how.tag_size == 12
    assert decrypt(how, key, sealed[:-16], sealed[-16:-4], b"") == b"content"
    assert decrypt(how, key, sealed[:-16], sealed[-16:], b"") is None
    assert decrypt(how, key, sealed[:-16], sealed[-16:-5], b"") is None


@given(ciphers, st.binary(max_size=40), st.integers(0, 200), st.integers(1, 255))
def test_a_changed_octet(cipher: Cipher, content: bytes, place: int, change: int) -> None:
    """With GCM nothing comes out; with CBC nothing, or something else: one outcome each, never an error."""
    key = bytes(CIPHERS[cipher].key_size)
    made = encrypt(cipher, key, content)
    how = read(read_algorithm(Reader(made.algorithm)))
    whole = bytearray(made.content + made.tag)
    if not whole:
        return
    whole[place % len(whole)] ^= change
    size = len(made.content)
    found = decrypt(how, key, bytes(whole[:size]), bytes(whole[size:]), b"")
    assert found is None or (not CIPHERS[cipher].authenticated and found != content)


def test_what_is_associated() -> None:
    """Authenticated attributes count."""
    made = encrypt(Cipher.AES_256_GCM, bytes(32), b"x")
    how = read(read_algorithm(Reader(made.algorithm)))
    assert decrypt(how, bytes(32), made.content, made.tag, b"attributes") is None


@pytest.mark.parametrize("content", [b"", bytes(15), bytes(17), bytes(16)])
def test_cbc_that_is_none(content: bytes) -> None:
    """No whole blocks, or padding that is none."""
    assert decrypt(How(Cipher.AES_128_CBC, bytes(16), 0), b"k" * 16, content, b"", b"") is None


GCM, CBC = CIPHERS[Cipher.AES_128_GCM].oid, CIPHERS[Cipher.AES_128_CBC].oid


@pytest.mark.parametrize(
    "how",
    [
        algorithm(DATA), algorithm(GCM), algorithm(GCM, value(NULL)), algorithm(CBC), algorithm(CBC, value(NULL)),
        algorithm(CBC, octets(bytes(15))), algorithm(GCM, sequence(octets(bytes(11)), integer(16))),
        algorithm(GCM, sequence(octets(bytes(12)), integer(11))),
        algorithm(GCM, sequence(octets(bytes(12)), integer(17))),
        algorithm(GCM, sequence(octets(bytes(12)), integer(0x1000000 + 16))),
        algorithm(GCM, sequence(octets(bytes(12)), value(INTEGER, b"\x00\x0c\x05"))),
        algorithm(GCM, sequence(octets(bytes(12)), value(INTEGER, b"\x00\x10"))),
        algorithm(GCM, sequence(octets(bytes(12)), value(INTEGER))),
        algorithm(GCM, sequence(octets(bytes(12)), integer(16), integer(16))),
        algorithm(GCM, octets(bytes(12))),
    ],
)  # fmt: skip
def test_what_is_refused(how: bytes) -> None:
    """Ciphers that are none of ours, and parameters that none have."""
    with pytest.raises(CmsError):
        read(read_algorithm(Reader(how)))
