"""What a REGISTER asks for (RFC 3261 §10.2, RFC 5626 §4.2, RFC 3327 §5.1), read and bounded."""

from __future__ import annotations

import re
from typing import NamedTuple

from config.registrar_section import Registrar
from proxy.errors import Malformed, Refused
from proxy.headers import parse_name_addr, parse_params
from proxy.message import Message
from proxy.uri import SipUri, parse_sip_uri

OPTIONS = frozenset((b"path", b"outbound", b"gruu"))
"""Option tags that the registrar knows."""
MAX_URI = 1024
"""Longest Contact URI: push parameters take half a kilobyte."""
MAX_PATH = 8
MAX_TEXT = 256
"""Longest Call-ID, instance and Path URI that is kept."""
_DELTA_SECONDS = re.compile(rb"[0-9]{1,10}")
# qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
_Q = re.compile(rb"0(?:\.([0-9]{0,3}))?|1(?:\.0{0,3})?")
# instance-val = "<" URI ">", quoted (RFC 5626 §11.2)
_INSTANCE = re.compile(rb'"(<[^<>"\\\s]{1,254}>)"')
_REG_ID = re.compile(rb"[1-9][0-9]{0,9}")


class Wanted(NamedTuple):
    """One Contact of a REGISTER."""

    uri: bytes
    parsed: SipUri
    expires: int
    """Seconds; 0 takes the binding out."""
    q: int
    instance: bytes
    reg_id: int
    """0 unless Outbound is asked for."""


class Registration(NamedTuple):
    """A REGISTER in our terms."""

    contacts: tuple[Wanted, ...]
    everything: bool
    """Whether it takes out all bindings (`Contact: *`)."""
    path: tuple[bytes, ...]
    gruu: bool


def check_require(request: Message) -> None:
    """Refuse what a phone needs and we do not know (§10.3 step 2).

    Raises:
        Refused: 420.
    """
    unknown = [tag for tag in request.items(b"require") if tag.lower() not in OPTIONS]
    if unknown:
        raise Refused(420, "Bad Extension", b"Unsupported: " + b", ".join(unknown))


def read(request: Message, section: Registrar) -> Registration:
    """Read Contacts, expirations and Path.

    Raises:
        Refused: 423, 439, 400, 403.
        Malformed: for Contacts that cannot be read.
    """
    supported = {tag.lower() for name in (b"supported", b"require") for tag in request.items(name)}
    path = _path(request)
    if len(request.call_id) > MAX_TEXT:
        raise Malformed("Call-ID Too Long")
    items = request.items(b"contact")
    if b"*" in items:
        # §10.3 step 6: alone, and with an expiration of zero.
        if len(items) > 1 or (request.value(b"expires") or b"").strip() not in (b"0", b"00"):
            raise Refused(400, "Invalid Request")
        return Registration((), True, path, False)
    if len(items) > section.bindings:
        raise Refused(403, "Too Many Contacts")
    default = _seconds(request.value(b"expires"), section.default_expires)
    outbound = b"outbound" in supported
    contacts = tuple([_wanted(item, default, section, outbound=outbound) for item in items])
    flows = [each for each in contacts if each.reg_id and each.expires]
    if flows:
        _check_outbound(request, path, len(flows))
    return Registration(contacts, False, path, b"gruu" in supported)


def _check_outbound(request: Message, path: tuple[bytes, ...], flows: int) -> None:
    """Refuse what RFC 5626 §6 does: two flows at once, and an edge proxy that does not keep flows."""
    if flows > 1:
        raise Refused(400, "One Flow at a Time")
    if len(request.items(b"via")) > 1:
        edge = parse_sip_uri(path[-1]) if path else None
        if edge is None or edge.param(b"ob") is None:
            raise Refused(439, "First Hop Lacks Outbound Support")


def _wanted(item: bytes, default: int, section: Registrar, *, outbound: bool) -> Wanted:
    address = parse_name_addr(item)
    uri = parse_sip_uri(address.uri)
    if uri is None:
        raise Refused(400, "Contact Is No SIP URI")
    if len(address.uri) > MAX_URI:
        raise Malformed("Contact Too Long")
    params = parse_params(address.params)
    expires = _seconds(params.get(b"expires"), default) if b"expires" in params else default
    if 0 < expires < section.minimum_expires:
        raise Refused(423, "Interval Too Brief", b"Min-Expires: %d" % section.minimum_expires)
    quoted = _INSTANCE.fullmatch(params.get(b"+sip.instance", b""))
    instance = quoted[1] if quoted else b""
    reg_id = params.get(b"reg-id", b"")
    # Without an instance, or where Outbound is not supported, reg-id says nothing (RFC 5626 §6).
    flow = int(reg_id) if outbound and instance and _REG_ID.fullmatch(reg_id) and int(reg_id) < 2**31 else 0
    return Wanted(address.uri, uri, min(expires, section.maximum_expires), _quality(params), instance, flow)


def _seconds(text: bytes | None, default: int) -> int:
    """Read delta-seconds; what is none counts as not said (§20.19 has an hour then, which the operator may change)."""
    return int(text) if text is not None and _DELTA_SECONDS.fullmatch(text) else default


def _quality(params: dict[bytes, bytes]) -> int:
    match = _Q.fullmatch(params.get(b"q", b"1"))
    if match is None or match[0][:1] == b"1":
        return 1000
    return int((match[1] or b"").ljust(3, b"0"))


def _path(request: Message) -> tuple[bytes, ...]:
    """Return the Path URIs, nearest to us first."""
    path = tuple([parse_name_addr(value).uri for value in request.items(b"path")])
    if len(path) > MAX_PATH or any(len(uri) > MAX_TEXT for uri in path):
        raise Malformed("Path Too Long")
    if any(parse_sip_uri(uri) is None for uri in path):
        raise Malformed("Malformed Path")
    return path
