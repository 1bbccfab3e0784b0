"""Sealed tokens: authentic or nothing (dialogs.md "Opening")."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.keyring import Key, KeyRing, KeyState
from config.vocabulary import Zone
from proxy.encoding import Alphabet
from proxy.letters import to_base32, to_base64
from proxy.record import HARD_LIMIT, End, Record, RecordTooBig, decode, encode
from proxy.tokens import SIV_SIZE, Purpose, Tokens, same
from tests import strategies as sip
from tests.world import WALL, keyring

TOKENS = Tokens(keyring(*range(32)))
CORE_END = End(Zone.CORE)
alphabets = st.sampled_from(("base64url", "base32"))
purposes = st.sampled_from(list(Purpose))
key_ids = st.integers(0, 31)
payloads = st.binary(min_size=1, max_size=200)
contexts = st.binary(max_size=8)


@given(purposes, payloads, key_ids, contexts)
def test_what_was_sealed_opens_to_the_same(purpose: Purpose, payload: bytes, key_id: int, context: bytes) -> None:
    """Purpose, key id and payload come back under the same context."""
    token = TOKENS.seal(purpose, payload, key_id, context)
    opened = TOKENS.open(token, context)
    assert opened is not None
    assert (opened.purpose, opened.key_id, opened.payload) == (purpose, key_id, payload)
    assert len(token) == 1 + SIV_SIZE + len(payload)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_begins_with_a_letter(purpose: Purpose) -> None:
    """Under every key id, in base64url and in base32: a user part or tag that begins with `-` confuses many."""
    for key_id in range(32):
        token = TOKENS.seal(purpose, b"x", key_id)
        assert to_base64(token)[:1].isalpha()
        assert to_base32(token)[:1].isalpha()
        assert to_base32(token) == to_base32(token).lower()


def test_no_seventh_purpose_fits() -> None:
    """The seventh would begin with a digit in base32 ("at most six", dialogs.md)."""
    assert max(Purpose) < 6
    assert to_base32(bytes((5 << 5 | 31,)))[:1].isalpha()
    assert not to_base32(bytes((7 << 5,)))[:1].isalpha()


@given(purposes, payloads, key_ids, contexts, st.data())
def test_a_flipped_bit_anywhere_never_opens(
    purpose: Purpose, payload: bytes, key_id: int, context: bytes, data: st.DataObject
) -> None:
    """The first byte, in clear, is authenticated too."""
    token = bytearray(TOKENS.seal(purpose, payload, key_id, context))
    bit = data.draw(st.integers(0, len(token) * 8 - 1))
    token[bit // 8] ^= 1 << bit % 8
    assert TOKENS.open(bytes(token), context) is None


def test_every_flipped_bit_of_one_token_is_noticed() -> None:
    """All of them, not only those that were drawn."""
    token = TOKENS.seal(Purpose.ROUTE, b"payload", 3)
    for bit in range(len(token) * 8):
        other = bytearray(token)
        other[bit // 8] ^= 1 << bit % 8
        assert TOKENS.open(bytes(other)) is None


@given(purposes, payloads, key_ids, contexts, contexts)
def test_another_context_never_opens(
    purpose: Purpose, payload: bytes, key_id: int, context: bytes, other: bytes
) -> None:
    """What was sealed for one trunk is nothing at another."""
    token = TOKENS.seal(purpose, payload, key_id, context)
    assert (TOKENS.open(token, other) is not None) is (other == context)


@given(purposes, payloads, key_ids, st.integers(1, 40))
def test_a_cut_or_longer_token_never_opens(purpose: Purpose, payload: bytes, key_id: int, size: int) -> None:
    """Nor one with a tail."""
    token = TOKENS.seal(purpose, payload, key_id)
    assert TOKENS.open(token[:-size]) is None
    assert TOKENS.open(token + b"x" * size) is None


@given(st.binary(max_size=100))
def test_any_other_bytes_do_not_open(token: bytes) -> None:
    """Nobody finds 128 bits by chance."""
    assert TOKENS.open(token) is None


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_has_a_key_of_its_own(purpose: Purpose) -> None:
    """The same payload differs beyond the first byte, and a token does not open as another purpose."""
    for other in Purpose:
        token, twin = TOKENS.seal(purpose, b"payload", 3), TOKENS.seal(other, b"payload", 3)
        assert (token[1:] == twin[1:]) is (other is purpose)
        if other is not purpose:
            assert TOKENS.open(bytes((other << 5 | 3,)) + token[1:]) is None


def test_sealing_is_the_same_every_time_and_everywhere() -> None:
    """A retransmission, a re-INVITE and another node make the same bytes."""
    assert Tokens(keyring(3)).seal(Purpose.CALL_ID, b"x", 3, b"c") == Tokens(keyring(3)).seal(
        Purpose.CALL_ID, b"x", 3, b"c"
    )


def test_a_removed_key_opens_nothing_and_seals_nothing() -> None:
    """dialogs.md "Keys": destroyed after max_dialog_age."""
    token = Tokens(keyring(3, 4)).seal(Purpose.ROUTE, b"x", 3)
    assert Tokens(keyring(3, 4)).open(token) is not None
    assert Tokens(keyring(4)).open(token) is None
    with pytest.raises(KeyError):
        Tokens(keyring(4)).seal(Purpose.ROUTE, b"x", 3)
    with pytest.raises(KeyError):
        Tokens(keyring(4)).mac(3, b"label")


def test_another_secret_under_the_same_id_opens_nothing() -> None:
    """Ids are used again after thirty-two keys."""
    token = Tokens(keyring(3)).seal(Purpose.ROUTE, b"x", 3)
    other = KeyRing((Key(3, b"other" + b"\0" * 27, WALL, KeyState.CURRENT),), 4)
    assert Tokens(other).open(token) is None


def test_new_dialogs_begin_with_the_current_key() -> None:
    """And old keys still open."""
    assert Tokens(keyring(3, 4)).current == 4


# --- keyed hashes


def test_parts_of_a_hash_cannot_run_together() -> None:
    """(a, bc) and (ab, c) are different things."""
    hashes = {
        TOKENS.mac(3, b"label", *parts)
        for parts in ((b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc"))
    }
    assert len(hashes) == 5


def test_labels_keys_and_sizes_separate_hashes() -> None:
    """One key for each label and key id; a shorter hash is no prefix of a longer one."""
    assert len({TOKENS.mac(key, label, b"x") for key in (3, 4) for label in (b"a", b"b")}) == 4
    assert len(TOKENS.mac(3, b"a", b"x", size=6)) == 6
    assert not TOKENS.mac(3, b"a", b"x", size=8).startswith(TOKENS.mac(3, b"a", b"x", size=6))


def test_comparison_is_exact() -> None:
    """In constant time; lengths count."""
    assert same(b"abc", b"abc")
    assert not same(b"abc", b"abd")
    assert not same(b"abc", b"ab")


@given(purposes, payloads, key_ids, contexts)
def test_a_token_opens_from_either_alphabet(purpose: Purpose, payload: bytes, key_id: int, context: bytes) -> None:
    """base32 in any case, for trunks whose devices lose it (dialogs.md "Trunk profile")."""
    token = TOKENS.seal(purpose, payload, key_id, context)
    for text in (to_base64(token), to_base32(token), to_base32(token).upper()):
        opened = TOKENS.open_text(text, context)
        assert opened is not None
        assert opened.payload == payload
    assert TOKENS.open_text(b"x" + to_base64(token), context) is None


# --- records


@given(
    st.sampled_from((Purpose.ROUTE, Purpose.CONTACT)), sip.records, key_ids, st.sampled_from(("base64url", "base32"))
)
def test_a_sealed_record_is_the_token_of_its_payload(
    purpose: Purpose, record: Record, key_id: int, alphabet: Alphabet
) -> None:
    """Byte for byte; and it opens to the same here, where it is remembered, and where it never was seen."""
    try:
        payload = encode(record, HARD_LIMIT)
    except RecordTooBig:
        return
    text = TOKENS.seal_record(purpose, payload, None, key_id, alphabet)
    assert text == TOKENS.seal_text(purpose, payload, key_id, alphabet)
    for tokens in (TOKENS, Tokens(keyring(*range(32)))):
        opened = tokens.open_text(text)
        assert opened is not None
        assert (opened.purpose, opened.key_id, opened.payload) == (purpose, key_id, payload)
        assert opened.record == decode(payload)


def test_the_record_that_was_sealed_is_the_one_that_comes_back() -> None:
    """Not read again; under its very text only, and in no context."""
    record = Record(0, 5, CORE_END, CORE_END, 0, 0, b"s" * 6, b"c" * 6, b"f" * 8, b"sip:a@h", None)
    text = TOKENS.seal_record(Purpose.CONTACT, encode(record, 160), record, 3, "base64url")
    opened = TOKENS.open_text(text)
    assert opened is not None
    assert opened.record is record
    assert opened.record == decode(opened.payload)
    for other in (text[:-1], text + b"A", text.swapcase(), b"A" + text):
        assert TOKENS.open_text(other) is None
    assert TOKENS.open_text(text, b"context") is None
    assert Tokens(keyring(4)).open_text(text) is None


def test_a_context_and_a_token_cannot_run_together() -> None:
    """Associated data is one string: byte, version, context. What one context ends with is not read as another."""
    for context in (b"", b"\1", b"\1\1", b"c", b"\1c"):
        token = TOKENS.seal(Purpose.CALL_ID, b"x", 3, context)
        for other in (b"", b"\1", b"\1\1", b"c", b"\1c"):
            assert (TOKENS.open(token, other) is not None) is (other == context)
