"""Digest credentials: read strictly, computed and compared in constant time (RFC 7616, RFC 8760, RFC 3261 §22.4).

Only `qop=auth` is spoken: without qop a response could be used again for ever, and `auth-int` covers a body that a
border edits (standards.md §2.3). What a secret has to do with it is one hash, HA1, and never a password.
"""

from __future__ import annotations

import hmac
import re
from typing import Final, NamedTuple

from proxy.digest_hash import response
from proxy.errors import Malformed
from proxy.grammar import QUOTED, TOKEN_CLASS
from proxy.memo import remembered

SHA_512_256: Final = b"SHA-512-256"
SHA_256: Final = b"SHA-256"
MD5: Final = b"MD5"
ALGORITHMS: Final = (SHA_512_256, SHA_256, MD5)
"""What we can verify, the strongest first: the order of challenges (RFC 8760 §2.4)."""
HA1_SIZES: Final = {SHA_512_256: 32, SHA_256: 32, MD5: 16}
"""Bytes of HA1 under each."""

MAX_USERNAME = 255
MAX_CNONCE = 255
"""Longer ones are nobody's: a UUID or a hash in base64 is what phones draw."""
MAX_PARAMS = 32
"""RFC 7616 §3.4 knows eleven."""

# auth-param = token BWS "=" BWS ( token / quoted-string ) (RFC 7235 §2.1, RFC 3261 §25.1), separated by commas
_PARAM = re.compile(
    rb"[ \t]*+(" + TOKEN_CLASS + rb"++)[ \t]*+=[ \t]*+(" + QUOTED + rb"|" + TOKEN_CLASS + rb"++)[ \t]*+(,|\Z)",
    re.DOTALL,
)
_SCHEME = re.compile(rb"[ \t]*+(" + TOKEN_CLASS + rb"++)[ \t]++")
_NC = re.compile(rb"[0-9a-fA-F]{8}")
_RESPONSES = {name: re.compile(rb"[0-9a-f]{%d}" % (2 * size)) for name, size in HA1_SIZES.items()}
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_MUST_BE_QUOTED = (b"username", b"realm", b"nonce", b"uri", b"response", b"cnonce")
_NAMES = {name.lower(): name for name in ALGORITHMS}
_HASHED = {b"true": True, b"false": False}


class Unsupported(Malformed):
    """Credentials of a kind that we never ask for: an answer to somebody else, perhaps, and none to us."""


class Credentials(NamedTuple):
    """What an Authorization or Proxy-Authorization value for a realm of ours says."""

    username: bytes
    """As it stands; with `hashed`, hexadecimal."""
    nonce: bytes
    uri: bytes
    response: bytes
    algorithm: bytes
    """One of ALGORITHMS."""
    cnonce: bytes
    nc: bytes
    """As it stands: eight hexadecimal digits."""
    hashed: bool = False
    """Whether the username is H(username:realm) under the algorithm (RFC 7616 §3.4.4)."""

    @property
    def uses(self) -> int:
        """Return nc as a number: how often the nonce was used, this time included."""
        return int(self.nc, 16)


def read_params(value: bytes) -> dict[bytes, bytes] | None:
    """Return the parameters of Digest credentials, names in lower case, values as they stand; None for other schemes.

    Raises:
        Malformed: for what does not follow the grammar to its last byte, and for a parameter that is there twice.
    """
    pieces = value.split(b'"')
    if len(pieces) % 2 == 0 or b"\\" in value:
        return _read(value)
    form = _form(b'""'.join(pieces[::2]))
    if form is None:
        return None
    return {name: b'"%b"' % pieces[place] if place else plain for name, plain, place in form}


def _read(value: bytes) -> dict[bytes, bytes] | None:
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise Malformed("Malformed credentials")
    if scheme[1].lower() != b"digest":
        return None
    params: dict[bytes, bytes] = {}
    position, more = scheme.end(), True
    while more:
        match = _PARAM.match(value, position)
        if match is None or len(params) == MAX_PARAMS:
            raise Malformed("Malformed credentials")
        name = match[1].lower()
        if name in params:
            raise Malformed("Malformed credentials")
        params[name] = match[2]
        position, more = match.end(), match[3] == b","
    return params


@remembered
def _form(skeleton: bytes) -> tuple[tuple[bytes, bytes, int], ...] | None:
    """Return what credentials look like without what stands in quotes, which is all that differs from call to call.

    Args:
        skeleton: credentials without backslashes, nothing between their quotes.

    Returns:
        Name, value and 0 for each parameter, or in place of 0 the number of the piece between quotes that is its value.

    Raises:
        Malformed: as `read_params`.
    """
    params = _read(skeleton)
    if params is None:
        return None
    form: list[tuple[bytes, bytes, int]] = []
    place = 1
    for name, plain in params.items():
        quoted = plain == b'""'
        form.append((name, plain, place if quoted else 0))
        place += 2 if quoted else 0
    return tuple(form)


def realm_of(params: dict[bytes, bytes]) -> bytes | None:
    """Return the realm that credentials are for; None where it is missing or not quoted."""
    realm = params.get(b"realm", b"")
    return realm[1:-1] if realm[:1] == b'"' else None


def credentials_of(params: dict[bytes, bytes]) -> Credentials:
    """Return what the parameters of Digest credentials amount to.

    A backslash in a value that is hashed is refused: one half of the world hashes it, the other what it stands for.

    Raises:
        Unsupported: where algorithm or qop is one that we never offer, and for an extended username.
        Malformed: where one is missing or not as it must be.
    """
    algorithm = _NAMES.get(_plain(params, b"algorithm", MD5).lower())
    if algorithm is None or _plain(params, b"qop", b"").lower() != b"auth":
        raise Unsupported("Unsupported credentials")
    hashed = _HASHED.get(_plain(params, b"userhash", b"false").lower())
    if hashed is None or b"username*" in params:
        raise Unsupported("Unsupported credentials")
    values = [params.get(name, b"") for name in _MUST_BE_QUOTED]
    for value in values:
        if value[:1] != b'"':
            raise Malformed("Malformed credentials")
    together = b"".join(values)
    if b"\\" in together or _CONTROL.search(together) is not None:
        raise Malformed("Malformed credentials")
    username, _, nonce, uri, response, cnonce = [value[1:-1] for value in values]
    nc = _plain(params, b"nc", b"")
    good = _NC.fullmatch(nc) and _RESPONSES[algorithm].fullmatch(response)
    if not good or not 0 < len(username) <= MAX_USERNAME or not 0 < len(cnonce) <= MAX_CNONCE:
        raise Malformed("Malformed credentials")
    if hashed and not _RESPONSES[algorithm].fullmatch(username):
        raise Malformed("Malformed credentials")
    return Credentials(username, nonce, uri, response, algorithm, cnonce, nc, hashed)


def _plain(params: dict[bytes, bytes], name: bytes, default: bytes) -> bytes:
    """Return a value that is a token, and that some phones put in quotes all the same."""
    value = params.get(name, default)
    return value[1:-1] if value[:1] == b'"' else value


def is_right(credentials: Credentials, ha1: bytes, method: bytes) -> bool:
    """Tell whether credentials prove knowledge of HA1 (its bytes); takes as long whichever byte differs."""
    asked, counted = (method, credentials.uri), (credentials.nc, credentials.cnonce)
    right = response(credentials.algorithm, ha1.hex().encode(), credentials.nonce, asked, counted)
    return hmac.compare_digest(right, credentials.response)


def challenge(realm: bytes, nonce: bytes, algorithm: bytes, *, stale: bool, userhash: bool = False) -> bytes:
    """Return a challenge (RFC 3261 §20.44); realm and nonce are ours, and hold nothing that quotes would have to."""
    return b'Digest realm="%b", nonce="%b", algorithm=%b, qop="auth"%b%b' % (
        realm, nonce, algorithm, b", userhash=true" if userhash else b"", b", stale=true" if stale else b"",
    )  # fmt: skip
