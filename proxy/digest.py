"""Digest credentials: read strictly, computed and compared in constant time (RFC 7616, RFC 8760, RFC 3261 §22.4).

Only `qop=auth` is spoken: without qop a response could be used again for ever, and `auth-int` covers a body that a
border edits (standards.md §2.3). What a secret has to do with it is one hash, HA1, and never a password.
"""

from __future__ import annotations

import re
from binascii import hexlify
from hmac import compare_digest
from typing import Final

from proxy.digest_hash import response
from proxy.errors import Malformed
from proxy.grammar import BACKSLASH, QUOTED, TOKEN_CLASS
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
_MUST_BE_QUOTED = (b"username", b"realm", b"nonce", b"uri", b"response", b"cnonce")
_MAY_BE_QUOTED = (b"algorithm", b"qop", b"userhash", b"nc")
"""Tokens, which some phones put in quotes all the same."""
_EMPTY: Final = b'""'
_NAMES = {name.lower(): name for name in ALGORITHMS}
_USERHASH = {b"true": True, b"false": False}

_CONTROL: Final = 0
_KINDS: Final = bytes(
    _CONTROL if byte < 0x20 or byte == 0x7F else ord("h") if byte in b"0123456789abcdef" else ord(".")
    for byte in range(256)
)
"""What `translate` makes of a text to tell of what kinds its bytes are: control characters, and hexadecimal digits."""
_DIGITS = {name: b"h" * (2 * size) for name, size in HA1_SIZES.items()}
"""Kinds of the bytes of a hash."""


class _Terms:
    """What credentials say beside what stands in quotes; of a kind that we ask for."""

    __slots__ = ("algorithm", "hashed", "nc", "uses")

    def __init__(self, algorithm: bytes, hashed: bool, nc: bytes) -> None:
        self.algorithm = algorithm
        self.hashed = hashed
        self.nc = nc
        self.uses = int(nc, 16) if _NC.fullmatch(nc) else -1
        """-1: nc is not as it must be."""


class Credentials:
    """What an Authorization or Proxy-Authorization value for a realm of ours says."""

    __slots__ = ("algorithm", "cnonce", "hashed", "nc", "nonce", "response", "uri", "username", "uses")

    def __init__(
        self, username: bytes, nonce: bytes, uri: bytes, response: bytes, cnonce: bytes, terms: _Terms
    ) -> None:
        """Hold what stands in quotes, without these, and the terms."""
        self.username = username
        """As it stands; with `hashed`, hexadecimal."""
        self.nonce = nonce
        self.uri = uri
        self.response = response
        self.cnonce = cnonce
        self.algorithm = terms.algorithm
        """One of ALGORITHMS."""
        self.hashed = terms.hashed
        """Whether the username is H(username:realm) under the algorithm (RFC 7616 §3.4.4)."""
        self.nc = terms.nc
        """As it stands: eight hexadecimal digits."""
        self.uses = terms.uses
        """The same as a number: how often the nonce was used, this time included."""


class _Form:
    """What nearly all credentials look like without what stands in quotes, which is all that differs among calls.

    All that must be in quotes is there, and nothing that need not be. The numbers are those of the pieces between
    quotes, in which the values are.
    """

    __slots__ = ("cnonce", "nonce", "realm", "response", "terms", "uri", "username")

    def __init__(self, places: dict[bytes, int], terms: _Terms | None) -> None:
        self.username, self.realm, self.nonce, self.uri, self.response, self.cnonce = [
            places[name] for name in _MUST_BE_QUOTED
        ]
        self.terms = terms
        """None: of a kind that we never ask for."""


def read(value: bytes, realm: bytes) -> Credentials | None:
    """Return what an Authorization or Proxy-Authorization value says.

    None for what answers no challenge of ours: of another scheme or realm, or of a kind that we never ask for. A
    backslash in a value that is hashed is refused: one half of the world hashes it, the other what it stands for.

    Args:
        value: the header's, unfolded.
        realm: ours.

    Raises:
        Malformed: for what does not follow the grammar to its last byte, for a parameter that is there twice, and for
            one that is missing or not as it must be.
    """
    pieces = value.split(b'"')
    if len(pieces) % 2 == 0 or BACKSLASH in value:
        return _amounts_to(_read(value), realm)
    form = _form(_EMPTY.join(pieces[::2]))
    if form is None:
        return _amounts_to(_read(value), realm)
    if pieces[form.realm] != realm or form.terms is None:
        return None
    return _checked(
        Credentials(
            pieces[form.username], pieces[form.nonce], pieces[form.uri], pieces[form.response], pieces[form.cnonce],
            form.terms,
        )
    )  # fmt: skip


@remembered
def _form(skeleton: bytes) -> _Form | None:
    """Return the form of credentials; None where they have to be read letter by letter.

    Args:
        skeleton: credentials without backslashes, nothing between their quotes.

    Raises:
        Malformed: as `read`.
    """
    params = _read(skeleton)
    if params is None:
        return None
    quoted = [name for name, value in params.items() if value == _EMPTY]
    if any(name not in quoted for name in _MUST_BE_QUOTED) or any(name in quoted for name in _MAY_BE_QUOTED):
        return None
    return _Form({name: 1 + 2 * nth for nth, name in enumerate(quoted)}, _terms(params))


def _read(value: bytes) -> dict[bytes, bytes] | None:
    """Return the parameters of Digest credentials, names in lower case, values as they stand; None for other schemes.

    Raises:
        Malformed: for what does not follow the grammar, and for a parameter that is there twice.
    """
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


def _amounts_to(params: dict[bytes, bytes] | None, realm: bytes) -> Credentials | None:
    """Return what parameters amount to, as `read` does."""
    if params is None:
        return None
    values = [params.get(name, b"") for name in _MUST_BE_QUOTED]
    said = values[1]
    if said[:1] != b'"':
        raise Malformed("Malformed credentials")
    if said[1:-1] != realm:
        return None
    terms = _terms(params)
    if terms is None:
        return None
    if any(value[:1] != b'"' or BACKSLASH in value for value in values):
        raise Malformed("Malformed credentials")
    username, _, nonce, uri, response, cnonce = [value[1:-1] for value in values]
    return _checked(Credentials(username, nonce, uri, response, cnonce, terms))


def _terms(params: dict[bytes, bytes]) -> _Terms | None:
    """Return the terms of credentials; None for those that we never ask for, and for an extended username."""
    algorithm = _NAMES.get(_plain(params, b"algorithm", MD5).lower())
    hashed = _USERHASH.get(_plain(params, b"userhash", b"false").lower())
    is_asked_for = _plain(params, b"qop", b"").lower() == b"auth"
    if algorithm is None or hashed is None or not is_asked_for or b"username*" in params:
        return None
    return _Terms(algorithm, hashed, _plain(params, b"nc", b""))


def _plain(params: dict[bytes, bytes], name: bytes, default: bytes) -> bytes:
    """Return a value that is a token, and that some phones put in quotes all the same."""
    value = params.get(name, default)
    return value[1:-1] if value[:1] == b'"' else value


def _checked(found: Credentials) -> Credentials:
    """Return credentials that are as they must be; the realm, ours, needs no look.

    Raises:
        Malformed: for others.
    """
    username, cnonce, digits = found.username, found.cnonce, _DIGITS[found.algorithm]
    text = b"".join((username, found.nonce, found.uri, cnonce))
    if found.uses < 0 or _CONTROL in text.translate(_KINDS) or found.response.translate(_KINDS) != digits:
        raise Malformed("Malformed credentials")
    if not 0 < len(username) <= MAX_USERNAME or not 0 < len(cnonce) <= MAX_CNONCE:
        raise Malformed("Malformed credentials")
    if found.hashed and username.translate(_KINDS) != digits:
        raise Malformed("Malformed credentials")
    return found


def is_right(credentials: Credentials, ha1: bytes, method: bytes) -> bool:
    """Tell whether credentials prove knowledge of HA1 (its bytes); takes as long whichever byte differs."""
    asked, counted = (method, credentials.uri), (credentials.nc, credentials.cnonce)
    right = response(credentials.algorithm, hexlify(ha1), credentials.nonce, asked, counted)
    return compare_digest(right, credentials.response)


def challenge(realm: bytes, nonce: bytes, algorithm: bytes, *, stale: bool, userhash: bool = False) -> bytes:
    """Return a challenge (RFC 3261 §20.44); realm and nonce are ours, and hold nothing that quotes would have to."""
    return b'Digest realm="%b", nonce="%b", algorithm=%b, qop="auth"%b%b' % (
        realm, nonce, algorithm, b", userhash=true" if userhash else b"", b", stale=true" if stale else b"",
    )  # fmt: skip
