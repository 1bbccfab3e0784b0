"""Dialog identity: Call-ID, tags, From, To and references to other dialogs, as each side knows them.

One stage, used for every message in both directions (design.md §4, dialogs.md "References to other
dialogs"). Whoever made an identifier always sees it as it made it; others see it sealed. So to carry one
across is to open it where it authenticates as sealed for the sender's side, else to seal it for the far
side. (Opening and then sealing again, as dialogs.md has it, would show the maker of an identifier a stranger
where its own side hides too.) Sealing is the identity towards sides that do not hide.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from proxy.encoding import BYTES, Alphabet, from_base32, from_base64, to_text
from proxy.grammar import PERCENT, TOKEN
from proxy.headers import parse_params, split_list
from proxy.letters import to_base32
from proxy.memo import Recent, remembered_by_all
from proxy.pack import pack_call_id, unpack_call_id
from proxy.record import End
from proxy.tokens import Purpose, Tokens, same

# Twelve hexadecimal digits, in a row or in groups as people write a MAC.
_ROOM_FOR_A_MAC = re.compile(rb"(?:[0-9A-Fa-f][-.:_]?+){12}")


def _has_room_for_a_mac(tag: bytes) -> bool:
    return _ROOM_FOR_A_MAC.search(unquote_to_bytes(tag) if PERCENT in tag else tag) is not None


_OWN = (b"to-tag", b"local-tag")
"""Parameters of a reference that name the recipient's own tag."""


class Side(NamedTuple):
    """How Call-IDs and tags look towards one side of a dialog."""

    end: End
    hides: bool
    """Whether Call-IDs are sealed towards it."""
    seal_tags: bool = False
    """Whether every tag is sealed towards it; else only those that match a leak pattern or have room for one."""
    max_call_id: int = 64
    """Longest Call-ID that it takes, in characters."""
    alphabet: Alphabet = "base64url"
    """How Call-IDs and user parts are written for it; tags are always base32."""
    hides_devices: bool = False
    """Whether it may see no device id: then what tells one is sealed even where Call-IDs are not."""
    wary: bool = False
    """Whether tags that have room for a MAC are sealed towards it, as towards trunks.

    Which of all numbers of twelve hexadecimal digits and more are one, nobody can tell by them: Cisco's phones begin
    tags with theirs (standards.md §6), every maker has prefixes that no list knows, a phone's system makes addresses
    up, and User-Agent or +sip.instance may say the same digits where they are hidden. Whether they do must not count
    either: each message of the dialog, and each reference to it, has to find the same answer from the tag alone. So all
    of them are sealed. That is harmless where they are random, and packs 32 digits into 55 letters. Most phones' tags
    are shorter: Yealink and Grandstream write ten decimal digits, Polycom and others eight hexadecimal ones. Towards
    phones the tags are of trunks and core, which have no device to hide.
    """

    @property
    def plain(self) -> Side:
        """The same without its wishes about tags that tell nothing by themselves."""
        return self._replace(seal_tags=False, wary=False)


class Identity:
    """Opens and seals the identifiers of dialogs."""

    def __init__(self, tokens: Tokens, leaks: Callable[[bytes], bool]) -> None:
        """Use the key ring behind tokens, and `leaks` to tell which tags may not pass as they are."""
        self._tokens = tokens
        self._leaks = leaks
        self._sealed_ids: Recent[tuple[bytes, End], bytes] = Recent()
        """Call-IDs by what they were sealed to, and for whom: they come back in all that the far side sends."""
        self._sealed_tags: Recent[tuple[bytes, End], bytes] = Recent()
        """The same of tags."""
        # All messages of a call ask for the same few values; the keys behind them never change.
        self.open_call_id = remembered_by_all(self._open_call_id)
        self.seal_call_id = remembered_by_all(self._seal_call_id)
        self.open_tag = remembered_by_all(self._open_tag)
        self.seal_tag = remembered_by_all(self._seal_tag)
        self.fingerprint = remembered_by_all(self._fingerprint)
        self.subscriber = remembered_by_all(self._subscriber)

    def _open_call_id(self, value: bytes, end: End) -> bytes:
        """Return the Call-ID behind the one that a side uses; the same where we did not seal it."""
        known = self._sealed_ids.get((value, end))
        if known is not None:
            return known
        opened = self._tokens.open_text(value, end.pack())
        return unpack_call_id(opened.payload) if opened and opened.purpose is Purpose.CALL_ID else value

    def _seal_call_id(self, value: bytes, side: Side, key_id: int) -> bytes:
        """Return a Call-ID as a side may see it.

        One that does not fit the side's limit when sealed is replaced by a keyed hash of itself; the dialog's
        record then carries it (`is_hashed` tells).
        """
        if not side.hides and not (side.hides_devices and self._leaks(value)):
            return value
        context = side.end.pack()
        sealed = self._tokens.seal_text(Purpose.CALL_ID, pack_call_id(value), key_id, side.alphabet, context)
        if len(sealed) > side.max_call_id:
            return to_text(self._hash(value, context, key_id), side.alphabet)
        self._sealed_ids.put((sealed, side.end), value)
        return sealed

    def is_hashed(self, value: bytes, outward: bytes, side: Side) -> bool:
        """Tell whether `outward`, which `value` was sealed to, cannot be opened again."""
        if outward == value or self._sealed_ids.get((outward, side.end)) == value:
            return False
        return self.open_call_id(outward, side.end) != value

    def matches_hash(self, value: bytes, outward: bytes, end: End, key_id: int) -> bool:
        """Tell whether `outward` is the keyed hash of a Call-ID that a record holds."""
        digest = self._hash(value, end.pack(), key_id)
        return same(digest, from_base64(outward)) or same(digest, from_base32(outward))

    def _hash(self, value: bytes, context: bytes, key_id: int) -> bytes:
        """Return 29 bytes: with 48 characters of base32 within the shortest limit that a trunk may have."""
        digest = self._tokens.mac(key_id, b"call-id", value, context, size=28)
        return BYTES[Purpose.CALL_ID << 5 | key_id] + digest

    def _open_tag(self, value: bytes, end: End) -> bytes:
        """Return the tag behind the one that a side uses; the same where we did not seal it."""
        known = self._sealed_tags.get((value, end))
        if known is not None:
            return known
        opened = self._tokens.open(from_base32(value), end.pack())
        return unpack_call_id(opened.payload) if opened and opened.purpose is Purpose.TAG else value

    def _seal_tag(self, value: bytes, side: Side, key_id: int) -> bytes:
        """Return a tag as a side may see it: sealed where it tells, or may tell, a device, or at the side's wish."""
        if not (value and (side.hides or side.hides_devices)):
            return value
        # What costs least is asked first.
        if side.seal_tags or (side.wary and _has_room_for_a_mac(value)) or self._leaks(value):
            sealed = to_base32(self._tokens.seal(Purpose.TAG, pack_call_id(value), key_id, side.end.pack()))
            self._sealed_tags.put((sealed, side.end), value)
            return sealed
        return value

    def tells_device(self, user: bytes) -> bool:
        """Tell whether a user part names a device or an address, which is nothing that the other side could dial."""
        return self._leaks(b"sip:%b@" % user)

    def carry_tag(self, value: bytes, near: End, far: Side, key_id: int, *, own: bool = False) -> bytes:
        """Map a tag from one side to the other.

        Of the far side's own tags only such were ever sealed as both sides seal, on a leak pattern: what this one has
        sealed besides, others' tags alone, says nothing of its own, which the near side may know as it is.
        """
        opened = self.open_tag(value, near)
        return opened if opened != value else self.seal_tag(value, far.plain if own else far, key_id)

    def carry_call_id(self, value: bytes, near: End, far: Side, key_id: int) -> bytes:
        """Map a Call-ID from one side to the other."""
        opened = self.open_call_id(value, near)
        return opened if opened != value else self.seal_call_id(value, far, key_id)

    def carry_reference(
        self, value: bytes, near: End, far: Side, key_id: int, *, embedded: bool = False
    ) -> bytes | None:  # fmt: skip
        """Map a Replaces, Join or Target-Dialog value (RFC 3891 §6.1, 3911 §7.1, 4538 §7); None for a broken one.

        Only the parameters of those grammars pass: a generic-param is room for anything. Of a header, to-tag and
        local-tag are the recipient's own (RFC 3891 §3, RFC 4538 §6); one that is embedded in a Refer-To is for somebody
        else, whom it reaches through us.
        """
        call_id, _, rest = value.partition(b";")
        params = parse_params(b";" + rest) if rest else {}
        out = self.carry_call_id(call_id.strip(b" \t"), near, far, key_id)
        for name in (b"to-tag", b"from-tag", b"local-tag", b"remote-tag"):
            tag = params.get(name)
            if tag is not None and TOKEN.fullmatch(tag):
                own = name in _OWN and not embedded
                out += b";%b=%b" % (name, self.carry_tag(tag, near, far, key_id, own=own))
        return out + b";early-only" if b"early-only" in params else out

    def carry_call_ids(self, value: bytes, near: End, far: Side, key_id: int) -> bytes:
        """Map an In-Reply-To list (RFC 3261 §20.21)."""
        return b", ".join(self.carry_call_id(item, near, far, key_id) for item in split_list(value))

    def _fingerprint(self, key_id: int, call_id: bytes, initiator_tag: bytes) -> bytes:
        """Return what binds a record to its dialog: eight bytes over the initiator's Call-ID and tag."""
        return self._tokens.mac(key_id, b"dialog", call_id, initiator_tag)

    def _subscriber(self, key_id: int, uri: bytes) -> bytes:
        """Return the handle of a subscriber: six bytes over the URI that it calls itself."""
        return self._tokens.mac(key_id, b"subscriber", uri, size=6)
