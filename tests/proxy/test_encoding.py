"""Binary as text (dialogs.md "Opening", 1)."""

from __future__ import annotations

import re
from base64 import b32encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.encoding import MAX_TOKEN, from_base32, from_base64, to_text
from proxy.grammar import only
from proxy.letters import to_base32, to_base64


@given(st.binary(min_size=1, max_size=300))
def test_texts_come_back(token: bytes) -> None:
    """base64url in user parts and Call-IDs, base32 in any case in tags."""
    assert from_base64(to_base64(token)) == token
    assert from_base32(to_base32(token)) == token
    assert from_base32(to_base32(token).upper()) == token
    assert b"=" not in to_base64(token) + to_base32(token)


@given(st.binary(max_size=40))
def test_other_spellings_of_the_same_bits_are_nothing(text: bytes) -> None:
    """One token has one spelling: else a Call-ID of ours had many that open alike."""
    for decode, encode, fold in ((from_base64, to_base64, bytes), (from_base32, to_base32, bytes.lower)):
        token = decode(text)
        assert token == b"" or encode(token) == fold(text)


@pytest.mark.parametrize(
    "text", [b"", b"a", b"AAA=", b"AA\n", b"A A", b"AB", b"a+/a", "é".encode(), b"A" * (MAX_TOKEN + 1)]
)
def test_what_is_no_base64_is_nothing(text: bytes) -> None:
    """Padding, white space, the other alphabet, stray bits, lengths that no token has."""
    assert from_base64(text) == b""


@pytest.mark.parametrize("text", [b"", b"a", b"aa======", b"a1aaaaaa", b"a aaaaaa", b"ab", b"a" * (MAX_TOKEN + 1)])
def test_what_is_no_base32_is_nothing(text: bytes) -> None:
    """The same for tags."""
    assert from_base32(text) == b""


@given(st.binary(min_size=1, max_size=50))
def test_the_trunk_chooses_the_alphabet(token: bytes) -> None:
    """Both are letters, digits, `-` and `_`, so they may stand anywhere a token may."""
    assert to_text(token, "base64url") == to_base64(token)
    assert to_text(token, "base32") == to_base32(token) == to_base32(token).lower()
    assert re.fullmatch(rb"[A-Za-z0-9_-]+", to_base64(token))
    assert re.fullmatch(rb"[a-z2-7]+", to_base32(token))


@given(st.binary(max_size=50))
def test_base32_is_that_of_the_standard(token: bytes) -> None:
    """RFC 4648 §6, of which we leave the padding and the case."""
    assert to_base32(token) == b32encode(token).rstrip(b"=").lower()


@given(st.binary(max_size=40))
def test_a_table_tells_some_letters_from_all_others(text: bytes) -> None:
    """What is left beyond ASCII is what the letters do not hold; they stay, or become others."""
    stay, become = only(b"abc-"), only(b"abc-", b"xyz.")
    assert text.translate(stay).isascii() is text.translate(become).isascii() is (not text.translate(None, b"abc-"))
    assert b"ab-".translate(stay) == b"ab-"
    assert b"ab-".translate(become) == b"xy."
