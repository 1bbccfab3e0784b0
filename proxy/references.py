"""References to other dialogs: Replaces, Join, Target-Dialog, In-Reply-To and Refer-To.

Each names a dialog by Call-ID and tags, which the far side knows in another form (dialogs.md
"References to other dialogs"). A Refer-To that points at one of our Contact tokens becomes a transfer
token: the recipient calls it, and the INVITE that results finds the replaced dialog again.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from proxy.crossing import Crossing
from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr, parse_params
from proxy.identity import Identity, Side
from proxy.message import Draft
from proxy.pack import Reader, pack_text
from proxy.parse import KNOWN_METHODS
from proxy.record import End, Mark, Record, decode, encode
from proxy.shape import Names
from proxy.tokens import Purpose, Tokens
from proxy.uri import SipUri, parse_sip_uri

REFERRING: Final = Names(b"replaces", b"join", b"target-dialog", b"in-reply-to", b"refer-to")
"""Headers that refer to other dialogs."""
TRANSFER_LIFETIME = 180
"""Seconds that a transfer token opens: three minutes (dialogs.md)."""
_TRANSFER_BUDGET = 512
_MAPPED = "the other dialog, as the far side knows it"
_DIALLED = re.compile(rb"\+?[0-9A-Za-z*#._-]{1,64}")


class Transfer(NamedTuple):
    """What a transfer token holds."""

    record: Record
    """Target, side and flow of the party that is to be called."""
    call_id: bytes
    """The replaced dialog's own Call-ID; empty where there is none."""
    to_tag: bytes
    from_tag: bytes
    early_only: bool


class References:
    """Maps references in requests."""

    def __init__(self, tokens: Tokens, identity: Identity) -> None:
        """Open and seal with the shared stages of one core."""
        self._tokens = tokens
        self._identity = identity

    def map(self, draft: Draft, crossing: Crossing) -> None:
        """Rewrite every reference of a request for the far side; a broken one is removed.

        Raises:
            Malformed: for a Refer-To that cannot be read towards a side that hides.
        """
        near, far, key_id = crossing.near.end, crossing.far, crossing.key_id
        if crossing.extra_replaces:
            draft.remove_all(b"replaces", _MAPPED)
        for name in (b"replaces", b"join", b"target-dialog"):
            for position in list(draft.find(name)):
                value = self._identity.carry_reference(draft.value(position), near, far, key_id)
                self._set(draft, position, value)
        for position in list(draft.find(b"in-reply-to")):
            self._set(draft, position, self._identity.carry_call_ids(draft.value(position), near, far, key_id))
        if crossing.extra_replaces:
            draft.adopt(b"replaces", b"Replaces: " + crossing.extra_replaces)
        if far.hides or not crossing.to_far.keeps_all:
            write = self._refer_to if far.hides else _open_refer_to
            for position in list(draft.find(b"refer-to")):
                draft.replace(position, write(parse_name_addr(draft.value(position)), crossing), _MAPPED)

    @staticmethod
    def _set(draft: Draft, position: int, value: bytes | None) -> None:
        if value is None:
            draft.remove(position, _MAPPED)
        elif value != draft.value(position):
            draft.replace(position, value, _MAPPED)

    def _refer_to(self, address: NameAddr, crossing: Crossing) -> bytes:
        """Return a Refer-To that the far side can use and that tells it nothing but the number dialled."""
        tail = _method(address)
        uri = parse_sip_uri(address.uri)
        if uri is None:
            return b"<%b>%b" % (_plain_tel(address.uri), tail)
        replaced = _embedded_replaces(uri.headers)
        contact = self.open_contact(uri)
        if contact is not None:
            user = self._transfer_token(contact, replaced, crossing)
        else:
            user = _plain_user(uri.user)
            if self._identity.tells_device(user):
                raise Malformed("Malformed Refer-To")
        headers = b""
        if replaced is not None:
            near, far, key_id = crossing.near.end, crossing.far, crossing.key_id
            carried = self._identity.carry_reference(replaced, near, far, key_id, embedded=True)
            headers = b"?Replaces=" + quote_from_bytes(carried or b"", safe="").encode()
        return b"<%b%b>%b" % (crossing.far_uri(user), headers, tail)

    def open_contact(self, uri: SipUri) -> Record | None:
        """Return the record behind a URI whose user part is one of our Contact tokens."""
        opened = self._tokens.open_text(uri.user)
        return opened.record if opened and opened.purpose is Purpose.CONTACT else None

    def is_nested(self, uri: bytes, end: End) -> bool:
        """Tell whether a Contact URI is a token of ours that was given to this side (dialogs.md "Nesting")."""
        try:
            parsed = parse_sip_uri(uri)
        except Malformed:
            return False
        record = self.open_contact(parsed) if parsed is not None else None
        return record is not None and record.near == end

    def _transfer_token(self, contact: Record, replaced: bytes | None, crossing: Crossing) -> bytes:
        call_id, to_tag, from_tag, early = b"", b"", b"", False
        if replaced is not None:
            near = crossing.near.end
            head, _, rest = replaced.partition(b";")
            params = parse_params(b";" + rest) if rest else {}
            call_id = self._identity.open_call_id(head, near)
            to_tag = self._identity.open_tag(params.get(b"to-tag", b""), near)
            from_tag = self._identity.open_tag(params.get(b"from-tag", b""), near)
            early = b"early-only" in params
        record = contact.replace(issued=crossing.issued, subscriber=crossing.base.subscriber)
        payload = b"".join(pack_text(part) for part in (encode(record, _TRANSFER_BUDGET), call_id, to_tag, from_tag))
        context = crossing.far.end.pack()
        payload += bytes((early,))
        return self._tokens.seal_text(Purpose.TRANSFER, payload, crossing.key_id, crossing.far.alphabet, context)

    def open_transfer(self, uri: SipUri, source: End) -> Transfer | None:
        """Return what a transfer token holds that was made for this source; None for anything else."""
        opened = self._tokens.open_text(uri.user, source.pack())
        if opened is None or opened.purpose is not Purpose.TRANSFER:
            return None
        reader = Reader(opened.payload)
        record = decode(reader.text())
        return Transfer(record, reader.text(), reader.text(), reader.text(), bool(reader.number(1)))

    def replaces(self, transfer: Transfer, far: Side, key_id: int) -> bytes:
        """Return the Replaces value of a transfer token as the called side knows that dialog.

        Who made an identifier knows it as it made it: the called side the tag that is its own (RFC 3891 §3), and the
        Call-ID of a dialog that it began.
        """
        call_id = transfer.call_id
        if transfer.record.marks & Mark.FROM_CALLER:
            call_id = self._identity.seal_call_id(call_id, far, key_id)
        from_tag = self._identity.seal_tag(transfer.from_tag, far, key_id)
        value = b"%b;to-tag=%b;from-tag=%b" % (call_id, transfer.to_tag, from_tag)
        return value + b";early-only" if transfer.early_only else value


def _open_refer_to(address: NameAddr, crossing: Crossing) -> bytes:
    """Return a Refer-To for a side that may see addresses: name and parameters as its plan has it, and Replaces."""
    shown = crossing.to_far.address(address._replace(params=b""), crossing.far_origin, is_from=False)
    uri, outward = parse_sip_uri(address.uri), parse_sip_uri(shown.uri)
    if uri is not None and outward is not None and uri.headers:
        replaced = _embedded_replaces(uri.headers)
        headers = b"" if replaced is None else b"Replaces=" + quote_from_bytes(replaced, safe="").encode()
        shown = shown._replace(uri=bytes(outward.replaced(headers=headers)))
    return shown.address + _method(address)


def _method(address: NameAddr) -> bytes:
    """Return the method parameter of a Refer-To, if it is one (RFC 3515 §2.1)."""
    method = parse_params(address.params).get(b"method", b"").upper() if address.params else b""
    return b";method=" + method if method in KNOWN_METHODS else b""


def _embedded_replaces(headers: bytes) -> bytes | None:
    """Return the unescaped Replaces of a URI's headers part; the other embedded headers are dropped."""
    for item in headers.split(b"&"):
        name, _, value = item.partition(b"=")
        if unquote_to_bytes(name).lower() == b"replaces":
            text = unquote_to_bytes(value)
            if b"\r" in text or b"\n" in text:
                raise Malformed("Malformed Refer-To")
            return text
    return None


def _plain_user(user: bytes) -> bytes:
    """Return the dialled number or name of a user part, less its parameters."""
    dialled = user.partition(b";")[0]
    if not _DIALLED.fullmatch(dialled):
        raise Malformed("Malformed Refer-To")
    return dialled


def _plain_tel(uri: bytes) -> bytes:
    scheme, _, rest = uri.partition(b":")
    if scheme.lower() != b"tel" or not _DIALLED.fullmatch(rest.partition(b";")[0]):
        raise Malformed("Malformed Refer-To")
    return b"tel:" + rest.partition(b";")[0]
