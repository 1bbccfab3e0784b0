"""PASSporTs as they come in Identity (RFC 8224 §4, RFC 8225): read in full and within bounds, or not at all.

Nothing is believed here: whether a signature is good is for `verifier` to say. What does not have the types that
the RFCs give it is unreadable, and what is unreadable never goes on.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from filters.said import Key, canonical, digits
from proxy.errors import Malformed
from proxy.headers import parse_params

MAX_PART = 4096
"""Longest header or payload in base64url, in bytes: a shaken one has 250, an `rcd` with pictures by link 1,000."""
MAX_BRACKETS = 64
"""Objects and arrays in one part: real ones have ten. Reading them recurses."""
MAX_VALUES = 16
"""Destinations, or keys, of one PASSporT: real ones have one or two."""

# signed-identity-digest = 1*(base64-char / "."); the full form has three parts, the compact one leaves two empty
# (RFC 8224 §4, §7); each part in base64url without padding (RFC 7515 §2)
_DIGEST = re.compile(rb"([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)[ \t]*")
# ident-info = "info" EQUAL LAQUOT absoluteURI RAQUOT
_INFO = re.compile(rb"[ \t]*<([A-Za-z][A-Za-z0-9+.-]*:[\x21-\x3b\x3d\x3f-\x7e]+)>[ \t]*")
_TN = re.compile(r"\+?[0-9*#]{1,20}")
SIGNATURE = 64
"""Bytes of an ES256 signature: r and s (RFC 7518 §3.4)."""
KNOWN = frozenset(("orig", "dest", "iat", "mky", "attest", "origid", "div", "rcd", "rcdi", "crn", "rph", "sph", "opt"))
"""Claims whose meaning is known: RFC 8225, 8588, 8946, 9795, 8443 and 9027."""


class Passport(NamedTuple):
    """A PASSporT of which nothing is in doubt but its truth."""

    compact: bool
    """Only a signature over what the message says; every claim is then empty."""
    signed: bytes
    """What the signature is over, in the full form."""
    signature: bytes
    info: bytes
    """Where the certificate is, by the header field."""
    ppt: str = ""
    x5u: str = ""
    """Where the certificate is, by the PASSporT."""
    orig: bytes = b""
    """Who calls, as `said.canonical` writes it."""
    dest: tuple[bytes, ...] = ()
    div: tuple[bytes, ...] = ()
    """Who was called before the call was diverted."""
    iat: int = 0
    keys: frozenset[Key] = frozenset()
    attest: str = ""
    claims: frozenset[str] = frozenset()
    """The names of all claims."""
    text: bytes = b""
    """Header and payload in clear, for whoever looks for patterns in them."""


def read(value: bytes) -> Passport:
    """Read the value of an Identity header.

    Raises:
        Malformed: for everything that is not exactly one PASSporT under ES256 in its full or compact form.
    """
    match = _DIGEST.match(value)
    if match is None or len(match[1]) > MAX_PART or len(match[2]) > MAX_PART or bool(match[1]) is not bool(match[2]):
        raise Malformed("Malformed Identity")
    info, params = _params(value[match.end() :])
    signature = _decoded(match[3]) if len(match[3]) < 2 * SIGNATURE else b""
    if len(signature) != SIGNATURE or params.get(b"alg", b"ES256") != b"ES256":
        raise Malformed("Malformed Identity")
    ppt = params.get(b"ppt", b"").strip(b'"').decode("ascii", "replace")
    if not match[1]:
        if ppt:
            raise Malformed("Malformed Identity")  # an extension's claims are in no message (RFC 8224 §8.1)
        return Passport(True, b"", signature, info)
    return _full(match[1], match[2], signature, info, ppt)


def orig_of(passport: Passport) -> dict[str, str]:
    """Return the `orig` claim as it was signed, for one that refers to it: a number or a URI, and nothing else."""
    claim = _object(passport.signed.partition(b".")[2])["orig"]
    assert isinstance(claim, dict)  # noqa: S101 -- `read` has seen to it, and to there being one identity
    found = ((kind, claim[kind]) for kind in ("tn", "uri") if claim.get(kind))
    return {kind: value if isinstance(value, str) else value[0] for kind, value in found}


def _params(text: bytes) -> tuple[bytes, Mapping[bytes, bytes]]:
    """Return the URI in `info`, and the other parameters; a URI between angle brackets may hold a semicolon or `=`."""
    info = b""
    start = text.lower().find(b"info=<")
    if start >= 0:
        end = text.find(b">", start)
        found = _INFO.fullmatch(text[start + 5 : end + 1]) if end > 0 else None
        if found is None:
            raise Malformed("Malformed Identity")
        info, text = found[1], text[: start + 4] + text[end + 1 :]
    params = parse_params(text)
    if b"info" not in params:
        raise Malformed("Malformed Identity")
    return info, params


def _full(head: bytes, payload: bytes, signature: bytes, info: bytes, ppt: str) -> Passport:
    header, claims = _object(head), _object(payload)
    named = _text(header, "ppt") if "ppt" in header else ""
    if header.get("alg") != "ES256" or header.get("typ") != "passport" or (ppt and ppt != named):
        raise Malformed("Malformed Identity")
    iat = claims.get("iat")
    if type(iat) is not int or not 0 <= iat < 1 << 40:
        raise Malformed("Malformed Identity")
    orig, dest = _identities(claims.get("orig")), _identities(claims.get("dest"))
    if len(orig) != 1 or not dest:
        raise Malformed("Malformed Identity")  # RFC 8225 §5.2.1
    div = _identities(claims["div"]) if "div" in claims else ()
    if "origid" in claims:
        _text(claims, "origid")
    clear = json.dumps([header, claims], ensure_ascii=False).encode("utf-8", "replace")
    return Passport(
        False, head + b"." + payload, signature, info, named, _text(header, "x5u"), orig[0], dest, div, iat,
        _keys(claims["mky"]) if "mky" in claims else frozenset(),
        _text(claims, "attest") if "attest" in claims else "", frozenset(claims), clear,
    )  # fmt: skip


def _decoded(text: bytes) -> bytes:
    """Return what base64url without padding holds; only the one way in which it is written (RFC 4648 §3.5)."""
    try:
        raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        raise Malformed("Malformed Identity") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text:
        raise Malformed("Malformed Identity")
    return raw


def _object(part: bytes) -> dict[str, object]:
    """Return a JSON object in which no name stands twice at any depth."""
    raw = _decoded(part)
    if raw.count(b"{") + raw.count(b"[") > MAX_BRACKETS:
        raise Malformed("Malformed Identity")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_unknown_number)
    except (ValueError, RecursionError):
        raise Malformed("Malformed Identity") from None
    if not isinstance(value, dict):
        raise Malformed("Malformed Identity")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _unknown_number(_: str) -> object:
    raise ValueError("no number of JSON's")


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value.isascii():
        raise Malformed("Malformed Identity")
    return value


def _identities(value: object) -> tuple[bytes, ...]:
    """Return the identities in `{"tn": …, "uri": …}`, each a text or a list of texts (RFC 8225 §5.2.1)."""
    if not isinstance(value, dict):
        raise Malformed("Malformed Identity")
    found: list[bytes] = []
    for kind in ("tn", "uri"):
        inner = value.get(kind, [])
        items = inner if isinstance(inner, list) else [inner]
        for item in items:
            if not isinstance(item, str) or not item.isascii() or (kind == "tn" and not _TN.fullmatch(item)):
                raise Malformed("Malformed Identity")
            found.append(digits(item.encode()) if kind == "tn" else canonical(item.encode()))
    if len(found) > MAX_VALUES or b"" in found:
        raise Malformed("Malformed Identity")
    return tuple(found)


def _keys(value: object) -> frozenset[Key]:
    """Return the keys of `mky` (RFC 8225 §5.2.2)."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
        raise Malformed("Malformed Identity")
    found = []
    for item in value:
        if not isinstance(item, dict):
            raise Malformed("Malformed Identity")
        digest = _text(item, "dig").encode().replace(b":", b"").upper()
        found.append((_text(item, "alg").encode().lower(), digest))
    return frozenset(found)
