"""SIP URIs as values (RFC 3261 §19.1). What is not a SIP URI stays bytes: its scheme is all we need."""

from __future__ import annotations

import re
from typing import Final

from proxy import scan
from proxy.errors import Malformed
from proxy.grammar import ANY_URI, COLON, SIP_URI
from proxy.memo import remembered

_sip_user: Final = scan.sip_user  # as in parse.py

# RFC 8599 §14 and, for `app-id`, Linphone before it; pn-purr is the one that requests within dialogs need (§6).
_PUSH = re.compile(rb";(?!pn-purr(?:[=;?]|\Z))(?:pn-[^;?=]*|app-id)(?:=[^;?]*)?(?=[;?]|\Z)", re.IGNORECASE)


class SipUri:
    """A SIP or SIPS URI, taken apart but not unescaped; never changed.

    A class with slots replaces a NamedTuple: each token in a Request-URI or Route makes one.
    """

    __slots__ = ("headers", "host", "params", "password", "port", "scheme", "user")

    def __init__(
        self, scheme: bytes, user: bytes, host: bytes, port: int, params: bytes, headers: bytes, password: bytes = b""
    ) -> None:
        """Hold the parts of a URI.

        Args:
            scheme: in lower case.
            user: without the password.
            host: without brackets.
            port: 0 where none is given.
            params: parameters as they stand, each with its `;` in front.
            headers: what follows `?`, without it.
            password: what follows the user and a colon, without it.
        """
        self.scheme = scheme
        self.user = user
        self.host = host
        self.port = port
        self.params = params
        self.headers = headers
        self.password = password

    @property
    def parts(self) -> tuple[bytes, bytes, bytes, int, bytes, bytes, bytes]:
        """Return all parts, in the order in which a URI is made of them."""
        return self.scheme, self.user, self.host, self.port, self.params, self.headers, self.password

    def __eq__(self, other: object) -> bool:
        """Tell whether all parts are the same; what RFC 3261 calls equal is in `uri_equal.py`."""
        return isinstance(other, SipUri) and self.parts == other.parts

    def __hash__(self) -> int:
        """Return the same number for the same parts."""
        return hash(self.parts)

    def replaced(
        self, *, user: bytes | None = None, host: bytes | None = None, port: int | None = None,
        params: bytes | None = None, headers: bytes | None = None, password: bytes | None = None,
    ) -> SipUri:  # fmt: skip
        """Return the URI with other parts where they are given."""
        return SipUri(
            self.scheme,
            self.user if user is None else user,
            self.host if host is None else host,
            self.port if port is None else port,
            self.params if params is None else params,
            self.headers if headers is None else headers,
            self.password if password is None else password,
        )

    @property
    def hostport(self) -> bytes:
        """Return host[:port] with brackets where the host is an IPv6 address."""
        return hostport(self.host, self.port)

    def param(self, name: bytes) -> bytes | None:
        """Return the value of a parameter (b"" for one without value), or None."""
        for item in self.params.split(b";")[1:]:
            key, _, value = item.partition(b"=")
            if key.lower() == name:
                return value
        return None

    def without(self, *names: bytes) -> SipUri:
        """Return the URI less the parameters named (in lower case)."""
        kept = [item for item in self.params.split(b";")[1:] if item.partition(b"=")[0].lower() not in names]
        return self.replaced(params=b"".join([b";" + item for item in kept]))

    def __bytes__(self) -> bytes:
        """Return the URI as it stands in a message."""
        secret = b":" + self.password if self.password else b""
        user = self.user + secret + b"@" if self.user else b""
        headers = b"?" + self.headers if self.headers else b""
        return b"%b:%b%b%b%b" % (self.scheme, user, self.hostport, self.params, headers)


def without_push(uri: bytes) -> bytes:
    """Return a Contact's URI less what a registrar wakes the phone by, which makes half a kilobyte.

    The phone gave it to its registrar (RFC 8599 §4.1). To the phone both URIs are equal: parameters that stand in
    one alone do not count (RFC 3261 §19.1.4).
    """
    user, at, where = uri.rpartition(b"@")
    return user + at + _PUSH.sub(b"", where)


def is_sips(uri: bytes) -> bool:
    """Tell whether a URI is of scheme sips; of others the fifth letter tells."""
    return len(uri) > 4 and uri[4] == COLON and uri[:4].lower() == b"sips"


def hostport(host: bytes, port: int) -> bytes:
    """Join host and port as in RFC 3261 §25, with brackets around IPv6 addresses; port 0 is left out."""
    if COLON in host:
        host = b"[" + host + b"]"
    return b"%b:%d" % (host, port) if port else host


@remembered
def parse_sip_uri(text: bytes) -> SipUri | None:
    """Take a SIP or SIPS URI apart; None for other schemes.

    Raises:
        Malformed: for a SIP scheme whose rest does not follow the grammar (§25.1), and for what is no URI.
    """
    plain = _sip_user(text)
    if plain is not None:
        # Behind the @ the same few hosts come again and again; before it stands a new number or token each time.
        user, where = plain
        there = _located(where)
        return SipUri(b"sip", user, there.host, there.port, there.params, b"")
    return _read_uri(text)


@remembered
def _located(where: bytes) -> SipUri:
    """Return what follows the `@` of a URI without headers."""
    uri = _read_uri(b"sip:x@" + where)
    if uri is None:
        raise Malformed("Malformed URI")
    return uri


def _read_uri(text: bytes) -> SipUri | None:
    match = SIP_URI.fullmatch(text)
    if match is None:
        other = ANY_URI.fullmatch(text)
        if other is None or other[1].lower() in (b"sip", b"sips"):
            raise Malformed("Malformed URI")
        return None
    scheme, user, password, host, port, params, headers = match.groups(default=b"")
    number = int(port) if port else 0
    if number > 65535:
        raise Malformed("Malformed URI")
    return SipUri(scheme.lower(), user, host.strip(b"[]"), number, params, headers, password)
