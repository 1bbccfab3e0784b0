"""Which worker answers the REGISTERs for an address of record: the one that a hash of it names.

Everything that changes the phones of one address meets one worker, in the order in which it is read there: so CSeq
counts (RFC 3261 §10.3), the most phones of an address are as many as configured, and of two phones that register at
once neither is lost. All others are told before the 200 leaves (`bindings.Others`).
"""

from __future__ import annotations

from zlib import crc32

from config.settings import Limits
from proxy.errors import Malformed
from proxy.parse import parse
from proxy.registered_address import address_of_record
from proxy.uri import parse_sip_uri

REGISTER = b"REGISTER "
"""What the messages begin with that are not sorted by their Call-ID."""


def is_register(data: bytes) -> bool:
    """Tell whether a message is a REGISTER, also behind the empty lines that a datagram may begin with (§7.5)."""
    return data.startswith(REGISTER) or (data[:1] in (b"\r", b"\n") and data.lstrip(b"\r\n").startswith(REGISTER))


def owner_of_address(aor: bytes, workers: int) -> int:
    """Return the worker of a canonical address of record."""
    return crc32(aor) % workers


def owner_of_registration(data: bytes, workers: int, limits: Limits) -> int | None:
    """Return the worker that a REGISTER belongs to; None where it names no address, and its Call-ID says whose it is.

    It is read as the core reads it, since both have to find the same address: twice the work for who hands it over.
    """
    try:
        request = parse(data, limits)
        to = parse_sip_uri(request.to.uri)
    except Malformed:
        return None
    if request.status or to is None or not to.user:
        return None
    return owner_of_address(address_of_record(to.user, to.host), workers)
