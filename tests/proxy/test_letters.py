"""Binary as letters: what `letters.py` does, and that `letters.c` does the same with any bytes."""

from __future__ import annotations

import os
from base64 import b32encode, urlsafe_b64encode
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import twins

PURE = twins.pure("letters")
SIXTHS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-."


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Return what the C file is compiled to."""
    return twins.native("letters", tmp_path_factory.mktemp("letters"))


@pytest.fixture(scope="module", params=["pure", "native"])
def letters(request: pytest.FixtureRequest) -> ModuleType:
    """Return each of the two."""
    return PURE if request.param == "pure" else request.getfixturevalue("native")


@given(st.binary(max_size=300))
def test_encoded_as_the_library_does(token: bytes) -> None:
    """RFC 4648 §5 and §6, without padding; and base64 comes back."""
    assert PURE.to_base64(token) == urlsafe_b64encode(token).rstrip(b"=")
    assert PURE.to_base32(token) == b32encode(token).rstrip(b"=").lower()
    assert PURE.from_base64(PURE.to_base64(token)) == token


@pytest.mark.parametrize("text", [b"a", b"AAA=", b"AA\n", b"A A", b"AB", b"AAB", b"a+/a", b"\xff", b"\0AAA", b"A" * 9])
def test_what_is_no_base64_is_nothing(letters: ModuleType, text: bytes) -> None:
    """Padding, white space, the other alphabet, stray bits, lengths that no token has."""
    assert letters.from_base64(text) == b""


@given(st.text(alphabet=SIXTHS.decode(), max_size=80).map(str.encode))
@example(b"")
@example(b"0")
@example(b"0000")
def test_six_bits_a_letter(text: bytes) -> None:
    """They are the digits of a number behind a leading one."""
    number = 1
    for letter in text:
        number = number << 6 | SIXTHS.index(letter)
    assert PURE.to_sixths(text) == number.to_bytes((number.bit_length() + 7) // 8, "big")


@pytest.mark.parametrize("text", [b"@", b"ab_", b"a b", b"abc\0", "abcé".encode()])
def test_other_letters_take_more_than_six_bits(letters: ModuleType, text: bytes) -> None:
    """Wherever they stand."""
    assert letters.to_sixths(text) == b""


@given(st.lists(st.binary(max_size=120), max_size=5).map(tuple))
def test_parts_with_their_lengths(parts: tuple[bytes, ...]) -> None:
    """Each can be told from the next, whatever it holds."""
    joined, rest = PURE.with_lengths(parts), []
    while joined:
        length, _, joined = joined.partition(b":")
        rest.append(joined[: int(length)])
        joined = joined[int(length) :]
    assert tuple(rest) == parts
    assert PURE.with_lengths((b"x" * 100_000,))[:9] == b"100000:xx"


@given(st.binary(max_size=80) | st.text(alphabet=SIXTHS.decode() + "_=\n", max_size=80).map(str.encode))
def test_both_do_the_same(native: ModuleType, data: bytes) -> None:
    """With any bytes, and with what is nearly right."""
    for name in ("to_base64", "from_base64", "to_base32", "to_sixths"):
        assert getattr(native, name)(data) == getattr(PURE, name)(data)
    assert native.with_lengths((data, data)) == PURE.with_lengths((data, data))


@pytest.mark.parametrize("name", ["to_base64", "from_base64", "to_base32", "to_sixths", "with_lengths"])
def test_other_types_are_a_mistake(native: ModuleType, name: str) -> None:
    """Rather than memory that nobody looked at."""
    for wrong in ("text", bytearray(b"x"), None, 7, [b"x"], ("x",)):
        with pytest.raises(TypeError):
            getattr(native, name)(wrong)


@pytest.mark.skipif("fsanitize" in os.environ.get("CC", ""), reason="this is that run")
def test_under_the_sanitizers() -> None:
    """All of the above once more: no byte is read that is not ours, nothing is undefined."""
    twins.pass_sanitized(__file__)
