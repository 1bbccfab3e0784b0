"""Who a recording's metadata name, and what may be told of them: addresses of record, names, identifiers.

Pseudonyms are keyed and the same within one recording session, so that a recorder can still tell who spoke when and
join one message to the next, and nobody can tell who that was.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from base64 import b32encode, b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple

from config.address import is_ip
from config.subscriber_address import from_parts
from config.vocabulary import Action, Category
from proxy.errors import Malformed
from proxy.headers import parse_name_addr
from proxy.policy import action
from proxy.uri import SipUri, parse_sip_uri

MAX_ADDRESS: Final = 512
"""Letters of an address that is shown; others are told under a pseudonym."""
MAX_NAME: Final = 128
"""Letters of a display name that is shown."""
_SHARED: Final = 3
"""Digits in a row that name and number have in common, from which on the name is taken to tell the number."""

# RFC 3966 §3: global-number-digits and local ones, without parameters
_NUMBER = re.compile(r"\+?[0-9*#().-]{1,32}")
_GLOBAL = re.compile(rb"\+[0-9().-]+")
# user@host, as Sonus and BroadWorks write it without a scheme; with a colon before the host it has another one
_BARE = re.compile(r"[^\s@:<>\"']+@[^\s@<>\"']+")
# What some put around an address, as in a header
_BRACKETED = re.compile(r"<([^<>]*)>")
# What of an address that cannot be read may be somebody's: user@host, or else a number
_SOMEBODY = re.compile(r"([^\s@:;,<>\"']+)@([A-Za-z0-9._-]+)")
_DIGITS = re.compile(r"\+?[0-9][0-9 ().-]+[0-9]")
# Connectel writes parameters behind a display name: ";lang=en-US;id=22"
_PARAMETERS = re.compile(r"(?>(?:;\s*[A-Za-z][A-Za-z0-9-]*=[^;]*+)+)\Z")
_URN: Final = "urn:uuid:"
# RFC 7989 §5: sess-uuid = 32(DIGIT / %x61-66); all zeros where the far end's is not known yet
_SESSION = re.compile(r"\s*([^;\s]+)\s*((?:;\s*remote\s*=\s*([^;\s]+)\s*)?)", re.IGNORECASE)
NIL: Final = "0" * 32


class Treatment(NamedTuple):
    """What may be told of one participant, as its settings and the contract with the recorder have it."""

    name: Action = Action.REMOVE
    number: Action = Action.REMOVE
    device: Action = Action.REMOVE
    network: Action = Action.REMOVE
    location: Action = Action.REMOVE

    def strictest(self, other: Treatment) -> Treatment:
        """Return what may be told where both hold."""
        return Treatment(*map(max, self, other))


STRICT: Final = Treatment()
OPEN: Final = Treatment(Action.KEEP, Action.KEEP, Action.KEEP, Action.KEEP, Action.KEEP)
Treat = Callable[[bytes], Treatment]
"""A URI (sip:user@host in canonical form, or tel:) to what may be told of whom it names."""
Pseudonym = Callable[[bytes], bytes]
"""A keyed token of a value, the same for the same value within one recording session; its length does not matter."""


def treatment(decision: int) -> Treatment:
    """Return the treatment that a packed decision asks for: three bits a category (filters.policy)."""
    return Treatment(*(action(decision, category) for category in _CATEGORIES))


_CATEGORIES: Final = (Category.NAME, Category.NUMBER, Category.DEVICE, Category.NETWORK, Category.LOCATION)


class Names:
    """What stands for whom in one recording session."""

    __slots__ = ("_ids", "_pseudonym", "_treat")

    def __init__(self, treat: Treat, pseudonym: Pseudonym, *, real_ids: bool = False) -> None:
        """Know how.

        Args:
            treat: what may be told of somebody; who is nobody's subscriber is for it to decide.
            pseudonym: keyed for this recording session.
            real_ids: whether Call-IDs and session identifiers may be told as they are.
        """
        self._treat = treat
        self._pseudonym = pseudonym
        self._ids = real_ids

    def treatment(self, text: str) -> Treatment:
        """Return what may be told of whom an address names; the strictest of one that cannot be read.

        Whom that may mean is asked about all the same: it may not be one who may be recorded.
        """
        uri = canonical(text)
        if uri:
            return self._treat(uri)
        self._treat(_meant(text))
        return STRICT

    def address(self, text: str, most: Treatment = OPEN) -> str:
        """Return an address as it may be told; what cannot be read has a pseudonym.

        Args:
            text: the address.
            most: what may be told at most, whatever is said of this address: of one whom others name too.
        """
        text = _addr_spec(text)
        uri = canonical(text)
        if not text:
            return ""
        if uri and len(text) <= MAX_ADDRESS:
            treatment = self._treat(uri).strictest(most)
            if treatment.number is Action.KEEP:
                return _shown(text, uri, treatment)
        return f"sip:{self._token(b'aor', uri or text.encode())}@anonymous.invalid"

    def name(self, text: str, address: str, most: Treatment = OPEN) -> str | None:
        """Return the display name of whom an address names; None for nothing. most: as of `address`.

        A name that shares digits with a number that is hidden tells the number: "Extension 8500".
        """
        treatment = self.treatment(address).strictest(most)
        if treatment.name is Action.PSEUDONYMISE:
            return "Participant " + self._token(b"aor", canonical(address) or address.strip().encode())[-6:]
        name = _PARAMETERS.sub("", text).strip() if len(text) <= MAX_ADDRESS else ""
        if treatment.name is not Action.KEEP or not name or len(name) > MAX_NAME or not name.isprintable():
            return None
        if treatment.number is not Action.KEEP and (
            "@" in name or not digits_of(address).isdisjoint(digits_in_row(name))
        ):
            return None
        return name

    def header(self, text: str, most: Treatment = OPEN) -> str | None:
        """Return the value of a From or To header as it may be told, without its tag; None for nothing."""
        uri = uri_of(text)
        if not uri:
            return None
        display = parse_name_addr(text.strip().encode()).display.decode("utf-8", "replace")
        plain = re.sub(r"\\(.)", r"\1", display.removeprefix('"').removesuffix('"'))
        shown = self.name(plain, uri, most) if display else None
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", shown) + '" ' if shown else ""
        return f"{quoted}<{self.address(uri, most)}>"

    def identifier(self, text: str) -> str:
        """Return what stands for an identifier: of the same form, for recorders read it (RFC 7865 §6.10)."""
        value = text.strip()
        if not value:
            return ""
        digest = self._digest(b"id", value.encode())
        return _URN + str(uuid.UUID(bytes=digest)) if value.lower().startswith(_URN) else b64encode(digest).decode()

    def call(self, text: str) -> str | None:
        """Return what stands for a maker's own identifier of a call; itself where it may be told (`real_ids`)."""
        value = text.strip()
        if not self._ids:
            return self.identifier(value)
        return value if value.isprintable() and len(value) <= MAX_ADDRESS else None

    def session(self, text: str) -> str | None:
        """Return what stands for a Call-ID or Session-ID (RFC 7989): never the real one, unless it may be told."""
        found = _SESSION.fullmatch(text)
        if found is None:
            return None
        if self._ids:
            return found[1] + (f";remote={found[3]}" if found[3] else "")
        return self._correlator(found[1]) + (f";remote={self._correlator(found[3])}" if found[3] else "")

    def _correlator(self, value: str) -> str:
        return NIL if value == NIL else self._digest(b"call", value.encode()).hex()

    def _digest(self, what: bytes, value: bytes) -> bytes:
        """Return 16 bytes for a value; the hash only gives the keyed token its length."""
        return sha256(self._pseudonym(what + b":" + value)).digest()[:16]

    def _token(self, what: bytes, value: bytes) -> str:
        return b32encode(self._digest(what, value)).decode().rstrip("=").lower()


def uri_of(text: str) -> str:
    """Return the URI of a From or To header; "" where there is none."""
    try:
        return parse_name_addr(text.strip().encode()).uri.decode("utf-8", "replace")
    except Malformed:
        return ""


def canonical(text: str) -> bytes:
    """Return a URI by which the same participant is the same, however a client writes it; b"" for what is none."""
    text = _addr_spec(text)
    if not text or len(text) > MAX_ADDRESS or not text.isprintable():
        return b""
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "tel":
        text = rest.partition(";")[0]
    number = text.replace(" ", "")  # some write it as people do
    if _NUMBER.fullmatch(number) and not is_ip(number):
        return b"tel:" + re.sub(r"[().-]", "", number).encode()
    uri = _sip(text)
    if uri is None:
        return b""
    user = uri.user.partition(b";")[0]
    if _GLOBAL.fullmatch(user):
        user = user.translate(None, b"().-")  # RFC 3966 §5.1.1
    return b"sip:" + from_parts(user, uri.host).removeprefix(b"@")


def _addr_spec(text: str) -> str:
    """Return an address without the brackets, and what stands around them, that it may have."""
    found = _BRACKETED.search(text)
    return (found[1] if found else text).strip()


def _meant(text: str) -> bytes:
    """Return whom an address that cannot be read may mean; b"" for nobody who could be found."""
    text = text[:MAX_ADDRESS]
    found = _SOMEBODY.search(text)
    if found:
        return b"sip:" + from_parts(found[1].encode(), found[2].encode())
    number = _DIGITS.search(text)
    return b"tel:" + re.sub(r"[ ().-]", "", number[0]).encode() if number else b""


def _sip(text: str) -> SipUri | None:
    if _BARE.fullmatch(text):
        text = "sip:" + text
    try:
        return parse_sip_uri(text.encode())
    except Malformed:
        return None


def _shown(text: str, uri: bytes, treatment: Treatment) -> str:
    """Return an address that may be told, less what tells more: parameters, a password, somebody's network."""
    found = _sip(text) if uri.startswith(b"sip:") else None
    if found is None:
        return uri.decode() if text[:1].isalpha() else uri.decode().removeprefix("tel:")
    params = b";user=phone" if (found.param(b"user") or b"").lower() == b"phone" else b""
    plain = found.replaced(params=params, headers=b"", password=b"", user=found.user.partition(b";")[0])
    if treatment.network is not Action.KEEP and is_ip(found.host.decode()):
        plain = plain.replaced(host=b"anonymous.invalid", port=0)
    shown = bytes(plain).decode("utf-8", "replace")
    return shown if text.lower().startswith(("sip:", "sips:")) else shown.removeprefix("sip:")


def digits_in_row(text: str) -> frozenset[str]:
    """Return the digits of a text, each with those behind it, written as 0 to 9 whatever their script.

    What stands between them does not count: a text that has one of these in common with a number tells of it.
    """
    values = [unicodedata.digit(letter, -1) for letter in text]
    digits = "".join([str(value) for value in values if value >= 0])
    return frozenset([digits[at : at + _SHARED] for at in range(len(digits) - _SHARED + 1)])


def digits_of(address: str) -> frozenset[str]:
    """Return those of an address before its host."""
    return digits_in_row(address.partition("@")[0])
