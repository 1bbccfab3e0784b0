"""Dialog identity: sealed towards sides that hide, opened for whoever made it (dialogs.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Zone
from proxy.grammar import CALL_ID, TOKEN
from proxy.headers import parse_params
from proxy.identity import Identity, Side
from proxy.record import End
from proxy.tokens import Tokens
from tests import strategies as sip
from tests.world import keyring

TOKENS = Tokens(keyring(3, 4))
IDENTITY = Identity(TOKENS, lambda text: b"001565" in text)
PHONE = Side(End(Zone.ACCESS), hides=True)
CORE = Side(End(Zone.CORE), hides=False)
CARRIER = Side(End(Zone.TRUNK, 7), hides=True, wary=True)
SECOND = Side(End(Zone.TRUNK, 8), hides=True)
SEALING = CARRIER._replace(seal_tags=True)
KEY = 4
call_ids = sip.call_ids
sides = st.sampled_from((PHONE, CARRIER, CARRIER._replace(alphabet="base32"), CARRIER._replace(max_call_id=255)))


@given(call_ids, sides)
def test_a_sealed_call_id_opens_for_its_side_or_is_a_hash(call_id: bytes, side: Side) -> None:
    """Where it fits it is sealed, else it is a keyed hash, which the dialog's record resolves."""
    outward = IDENTITY.seal_call_id(call_id, side, KEY)
    assert len(outward) <= side.max_call_id
    assert CALL_ID.fullmatch(outward)
    assert call_id not in outward or len(call_id) < 6
    hashed = IDENTITY.is_hashed(call_id, outward, side)
    assert IDENTITY.open_call_id(outward, side.end) == (outward if hashed else call_id)
    assert IDENTITY.matches_hash(call_id, outward, side.end, KEY) is hashed


@pytest.mark.parametrize(
    "call_id",
    [
        b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.4",
        b"3c26700857a87f84@10.1.1.23:5062",
        b"0015653a1b2c4d5e6f00112233445566@10.1.1.23",
        b"267155984-5060-9@BHC.FA.B.BAD",
    ],
)
def test_call_ids_of_known_devices_fit_64_characters_sealed(call_id: bytes) -> None:
    """dialogs.md "Call-ID": UUID, hex and IP forms packed; at most 64 characters."""
    outward = IDENTITY.seal_call_id(call_id, CARRIER, KEY)
    assert len(outward) <= 64
    assert not IDENTITY.is_hashed(call_id, outward, CARRIER)


@pytest.mark.parametrize("limit", [48, 64, 255])
@pytest.mark.parametrize("alphabet", ["base64url", "base32"])
def test_a_call_id_that_is_too_long_is_hashed_within_every_limit(limit: int, alphabet: str) -> None:
    """The hash is keyed, stable, and known again only with the Call-ID at hand."""
    side = CARRIER._replace(max_call_id=limit, alphabet=alphabet)  # type: ignore[arg-type]
    call_id = b"word%ZK-!.*_+'@" + b"long" * 60
    outward = IDENTITY.seal_call_id(call_id, side, KEY)
    assert len(outward) <= limit
    assert outward == IDENTITY.seal_call_id(call_id, side, KEY)
    assert outward[:1].isalpha()
    assert IDENTITY.is_hashed(call_id, outward, side)
    assert IDENTITY.matches_hash(call_id, outward, side.end, KEY)
    assert not IDENTITY.matches_hash(call_id, outward, SECOND.end, KEY)
    assert not IDENTITY.matches_hash(call_id, outward, side.end, 3)
    assert not IDENTITY.matches_hash(call_id + b"x", outward, side.end, KEY)


@given(call_ids)
def test_sealing_is_the_identity_towards_sides_that_do_not_hide(call_id: bytes) -> None:
    """A trusted core sees what the phone wrote."""
    assert IDENTITY.seal_call_id(call_id, CORE, KEY) == call_id
    assert IDENTITY.seal_tag(b"0015653a1b2c", CORE, KEY) == b"0015653a1b2c"
    assert not IDENTITY.is_hashed(call_id, call_id, CORE)


@given(call_ids)
def test_opening_is_the_identity_on_what_is_not_ours(call_id: bytes) -> None:
    """Nothing is decoded that does not authenticate."""
    assert IDENTITY.open_call_id(call_id, CARRIER.end) == call_id
    assert IDENTITY.open_tag(call_id, CARRIER.end) == call_id


@given(call_ids)
def test_what_was_sealed_for_one_trunk_opens_for_no_other(call_id: bytes) -> None:
    """Two trunks that compare notes find nothing in common."""
    outward = IDENTITY.seal_call_id(call_id, CARRIER, KEY)
    assert outward != IDENTITY.seal_call_id(call_id, SECOND, KEY)
    assert IDENTITY.open_call_id(outward, SECOND.end) == outward


@given(call_ids)
def test_carrying_there_and_back_gives_each_side_its_own(call_id: bytes) -> None:
    """Whoever made an identifier sees it as it made it, whichever side it passes through."""
    for maker, other in ((PHONE, CARRIER), (CARRIER, PHONE), (CORE, CARRIER), (PHONE, SEALING)):
        there = IDENTITY.carry_call_id(call_id, maker.end, other, KEY)
        if IDENTITY.is_hashed(call_id, there, other):
            continue
        assert IDENTITY.carry_call_id(there, other.end, maker, KEY) == call_id
    for maker, other in ((PHONE, CARRIER), (CARRIER, PHONE), (PHONE, SEALING)):
        for tag in (b"plain", b"0015653a1b2c-77"):
            there = IDENTITY.carry_tag(tag, maker.end, other, KEY)
            assert IDENTITY.carry_tag(there, other.end, maker, KEY) == tag


def test_tags_pass_unless_they_leak_or_the_trunk_asks() -> None:
    """dialogs.md "Tags": sealed in base32, because some compare tags without case."""
    assert IDENTITY.seal_tag(b"plain", CARRIER, KEY) == b"plain"
    assert IDENTITY.seal_tag(b"", SEALING, KEY) == b""
    for tag, side in ((b"0015653a1b2c", CARRIER), (b"plain", SEALING)):
        sealed = IDENTITY.seal_tag(tag, side, KEY)
        assert tag not in sealed
        assert TOKEN.fullmatch(sealed)
        assert sealed[:1].isalpha()
        assert sealed == sealed.lower()
        assert IDENTITY.open_tag(sealed, side.end) == tag
        assert IDENTITY.open_tag(sealed.upper(), side.end) == tag
        assert IDENTITY.open_tag(sealed, SECOND.end) == sealed


HEX = (
    b"9c57ad12a4e0",  # bare, of a maker that no list knows
    b"9C57AD12A4E0", b"9c57.ad12.a4e0", b"9C-57-AD-12-A4-E0", b"9c%3A57%3aad%3A12%3Aa4%3Ae0", b"9c57-ad12a4e0",
    b"9c57ad12a4e00b8a1d3c7c5d",  # Cisco's phones: the MAC, and more digits
    b"x9c57ad12a4e0", b"123456789012",
    b"0123456789abcdef", b"0123456789abcdef0123456789abcdef",  # random: who knows?
    b"3f2b7f0e-8e4a-4c1d-8a3b-9c57ad12a4e0",
)  # fmt: skip


@pytest.mark.parametrize("tag", HEX)
def test_a_tag_with_room_for_a_mac_is_sealed_towards_trunks(tag: bytes) -> None:
    """standards.md §6: Cisco's tags begin with it. Each message and reference finds the answer by the tag alone."""
    plain = Identity(TOKENS, lambda _: False)
    sealed = plain.seal_tag(tag, CARRIER, KEY)
    assert len(sealed) <= 72, "what is escaped cannot be packed"
    assert TOKEN.fullmatch(sealed)
    assert b"57ad" not in sealed
    # From memory, and as another node does that never saw it; some ends change the case.
    for one in (plain, Identity(Tokens(keyring(3, 4)), lambda _: False)):
        assert one.open_tag(sealed, CARRIER.end) == tag
        assert one.open_tag(sealed.upper(), CARRIER.end) == tag
    assert plain.carry_tag(tag, PHONE.end, CARRIER, KEY) == sealed
    assert plain.seal_tag(tag, PHONE, KEY) == tag, "trunks and core have no device to hide"


@pytest.mark.parametrize(
    "tag",
    [
        b"1928301774", b"a6c85cf", b"as58f4201b", b"3848276298", b"7A1C3D5E", b"0123456789a", b"06f5rpvvb1",
        b"0123456789g0123456789", b"3b2c1d0e--4f5a6b7c", b"gK0c9c57ad",
    ],
)  # fmt: skip
def test_a_tag_without_room_for_one_passes(tag: bytes) -> None:
    """What most phones write: ten decimal digits, eight hexadecimal ones, letters of all kinds."""
    assert Identity(TOKENS, lambda _: False).seal_tag(tag, CARRIER, KEY) == tag


def test_a_device_id_is_sealed_where_addresses_are_told() -> None:
    """A contract that shows addresses shows no devices: neither a tag nor a Call-ID tells one."""
    open_ = CARRIER._replace(hides=False, hides_devices=True)
    for value in (b"0015653a1b2c@10.1.1.23", b"0015653a1b2c-" + b"long" * 60):
        outward = IDENTITY.seal_call_id(value, open_, KEY)
        assert b"0015653a1b2c" not in outward
        hashed = IDENTITY.is_hashed(value, outward, open_)
        assert IDENTITY.open_call_id(outward, open_.end) == (outward if hashed else value)
        assert hashed is (len(value) > 100)
    assert IDENTITY.seal_call_id(b"abc@10.1.1.23", open_, KEY) == b"abc@10.1.1.23"
    assert not IDENTITY.is_hashed(b"abc@10.1.1.23", b"abc@10.1.1.23", open_)
    for tag in (b"0015653a1b2c", b"9c57ad12a4e0"):
        assert (
            IDENTITY.open_tag(IDENTITY.seal_tag(tag, open_, KEY), open_.end)
            == tag
            != IDENTITY.seal_tag(tag, open_, KEY)
        )
    assert IDENTITY.seal_tag(b"plain", open_, KEY) == b"plain"


def test_a_call_id_token_is_no_tag_and_a_tag_no_call_id() -> None:
    """Purposes do not mix."""
    sealed = IDENTITY.seal_call_id(b"plain", CARRIER, KEY)
    assert IDENTITY.open_tag(sealed, CARRIER.end) == sealed
    tag = IDENTITY.seal_tag(b"plain", SEALING, KEY)
    assert IDENTITY.open_call_id(tag, CARRIER.end) == tag


@given(call_ids, sides)
def test_what_is_remembered_is_what_another_node_finds(call_id: bytes, side: Side) -> None:
    """A Call-ID that was sealed here is opened from memory; a node that never saw it decrypts, and agrees."""
    one, other = (Identity(Tokens(keyring(3, 4)), lambda _: False) for _ in range(2))
    outward = one.seal_call_id(call_id, side, KEY)
    assert other.open_call_id(outward, side.end) == one.open_call_id(outward, side.end)
    assert other.is_hashed(call_id, outward, side) is one.is_hashed(call_id, outward, side)
    assert other.seal_call_id(call_id, side, KEY) == outward
    assert one.open_call_id(outward, SECOND.end) == outward


# --- references


def test_a_replaces_is_carried_part_by_part() -> None:
    """RFC 3891 §6.1: Call-ID and both tags as the far side knows them, early-only kept."""
    own = b"abc@10.1.1.23;to-tag=0015653a1b2c;from-tag=plain;early-only"
    there = IDENTITY.carry_reference(own, PHONE.end, CARRIER, KEY)
    assert there is not None
    call_id, _, rest = there.partition(b";")
    params = parse_params(b";" + rest)
    assert IDENTITY.open_call_id(call_id, CARRIER.end) == b"abc@10.1.1.23"
    assert IDENTITY.open_tag(params[b"to-tag"], CARRIER.end) == b"0015653a1b2c"
    assert params[b"from-tag"] == b"plain"
    assert b"early-only" in params
    assert IDENTITY.carry_reference(there, CARRIER.end, PHONE, KEY) == own


@pytest.mark.parametrize("side", [CARRIER, SEALING])
def test_a_trunks_own_tag_comes_back_as_it_made_it(side: Side) -> None:
    """The phone knows it as it is, for towards phones only what leaks is sealed; sealed, nobody there would know it."""
    theirs, ours = b"0123456789abcdef", b"fedcba9876543210"
    for params in (b"abc;to-tag=%b;from-tag=%b", b"abc;local-tag=%b;remote-tag=%b"):
        there = IDENTITY.carry_reference(params % (theirs, ours), PHONE.end, side, KEY)
        assert there is not None
        assert b"-tag=%b;" % theirs in there
        assert b"-tag=%b" % IDENTITY.seal_tag(ours, side, KEY) in there
        assert ours not in there
    # Embedded in a Refer-To it is for somebody else, who may not see it either, and comes back through us.
    inside = IDENTITY.carry_reference(
        b"abc;to-tag=%b;from-tag=%b" % (theirs, ours), PHONE.end, side, KEY, embedded=True
    )
    assert inside is not None
    assert theirs not in inside
    leak = IDENTITY.carry_reference(b"abc;to-tag=0015653a1b2c;from-tag=1", PHONE.end, side, KEY)
    assert leak is not None
    assert b"0015653a1b2c" not in leak, "what the phone knows in clear is not the trunk's, or it would be sealed"


def test_only_parameters_of_the_grammar_pass() -> None:
    """A generic-param is room for anything."""
    there = IDENTITY.carry_reference(b"abc;local-tag=1;remote-tag=2;x=alice", PHONE.end, CARRIER, KEY)
    assert there is not None
    assert there.endswith(b";local-tag=1;remote-tag=2")
    assert b"alice" not in there


def test_towards_a_side_that_does_not_hide_a_reference_is_what_it_was() -> None:
    """Opened where it was ours, else untouched."""
    assert IDENTITY.carry_reference(b"abc@h;to-tag=1;from-tag=2", PHONE.end, CORE, KEY) == b"abc@h;to-tag=1;from-tag=2"


def test_lists_of_call_ids_are_carried_one_by_one() -> None:
    """In-Reply-To (RFC 3261 §20.21)."""
    there = IDENTITY.carry_call_ids(b"a@x, b@y", PHONE.end, CARRIER, KEY)
    opened = [IDENTITY.open_call_id(item, CARRIER.end) for item in there.split(b", ")]
    assert opened == [b"a@x", b"b@y"]


# --- fingerprints and keys


def test_a_fingerprint_is_of_one_call_one_tag_and_one_key() -> None:
    """dialogs.md "Opening", 3: eight bytes over the initiator's Call-ID and tag."""
    prints = {
        IDENTITY.fingerprint(key, call_id, tag)
        for key in (3, 4)
        for call_id, tag in ((b"ab", b"c"), (b"a", b"bc"), (b"ab", b""), (b"", b"abc"))
    }
    assert len(prints) == 8
    assert {len(value) for value in prints} == {8}


@given(call_ids)
def test_a_dialog_keeps_its_key(call_id: bytes) -> None:
    """dialogs.md "Keys": a rotation must not change the Call-ID of a call in progress; old keys still open."""
    old, new = IDENTITY.seal_call_id(call_id, CARRIER, 3), IDENTITY.seal_call_id(call_id, CARRIER, 4)
    assert old != new
    if not IDENTITY.is_hashed(call_id, old, CARRIER):
        assert IDENTITY.open_call_id(old, CARRIER.end) == call_id


def test_what_all_messages_of_a_call_ask_for_is_worked_out_once() -> None:
    """For each side and key: another one gets another answer."""
    asked: list[bytes] = []

    def leaks(text: bytes) -> bool:
        asked.append(text)
        return True

    identity = Identity(TOKENS, leaks)
    tag = identity.seal_tag(b"00156512", PHONE, KEY)
    assert identity.seal_tag(b"00156512", PHONE, KEY) is tag
    assert asked == [b"00156512"]
    assert len({tag, *(identity.seal_tag(b"00156512", *other) for other in ((SECOND, KEY), (PHONE, KEY - 1)))}) == 3
    assert identity.fingerprint(KEY, b"1@x", b"a") == identity.fingerprint(KEY, b"1@x", b"a")
    assert identity.fingerprint(KEY, b"1@x", b"a") != identity.fingerprint(KEY, b"1@x", b"b")
