"""GRUUs (RFC 5627): URIs that reach one instance of an address of record, sealed so that nobody can tell which.

    pub-gruu     sip:alice@example.net;gr=TOKEN    the address of record shows, the instance does not
    temp-gruu    sip:TOKEN@example.net;gr          neither does; another one with each REGISTER (§3.1.2)

A temporary one opens to its instance as long as that keeps the Call-ID of its registrations (§4.3). A public one stays
the same as long as the key does, and opens as long as there is that key.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy.bindings import Binding
from proxy.pack import Reader, pack_text
from proxy.tokens import Purpose, Tokens, same
from proxy.uri import SipUri

_PUBLIC = b"public"
_TEMPORARY = b"temporary"


class Gruu(NamedTuple):
    """What a GRUU means."""

    aor: bytes
    instance: bytes
    call: bytes
    """Of a temporary one: a hash of the Call-ID that it lives as long as; b"" of a public one."""
    key_id: int


def make(tokens: Tokens, aor: bytes, binding: Binding) -> tuple[bytes, bytes]:
    """Return the public and the temporary GRUU of a binding that has an instance."""
    key_id = tokens.current
    user, _, host = aor.rpartition(b"@")
    who = pack_text(aor) + pack_text(binding.instance)
    public = tokens.seal_text(Purpose.PHONE, who, key_id, "base32", _PUBLIC)
    call = _call(tokens, key_id, binding)
    # CSeq makes each one different; the same REGISTER, repeated to a restarted process, gets the same again.
    passing = who + call + tokens.mac(key_id, b"gruu", binding.call_id, b"%d" % binding.cseq, size=8)
    temporary = tokens.seal_text(Purpose.PHONE, passing, key_id, "base64url", _TEMPORARY)
    return b"sip:%b@%b;gr=%b" % (user, host, public), b"sip:%b@%b;gr" % (temporary, host)


def is_gruu(uri: SipUri) -> bool:
    """Tell whether a URI claims to be one."""
    return uri.param(b"gr") is not None


def open_gruu(tokens: Tokens, uri: SipUri) -> Gruu | None:
    """Return what a URI with `gr` means; None where it is none of ours."""
    public = uri.param(b"gr")
    text, context = (public, _PUBLIC) if public else (uri.user, _TEMPORARY)
    opened = tokens.open_text(text, context)
    if opened is None or opened.purpose is not Purpose.PHONE:
        return None
    reader = Reader(opened.payload)
    aor, instance = reader.text(), reader.text()
    return Gruu(aor, instance, b"" if public else reader.take(8), opened.key_id)


def means(tokens: Tokens, gruu: Gruu, binding: Binding) -> bool:
    """Tell whether a GRUU reaches a binding of its address of record."""
    if not binding.instance or binding.instance != gruu.instance:
        return False
    return not gruu.call or same(_call(tokens, gruu.key_id, binding), gruu.call)


def _call(tokens: Tokens, key_id: int, binding: Binding) -> bytes:
    return tokens.mac(key_id, b"gruu-call", binding.call_id, size=8)
