"""The topmost Via: where a request says it came from, and where it really did."""

from __future__ import annotations

_SOURCE = (b"rport", b"received")


def stamp(value: bytes, params: dict[bytes, bytes], host: bytes, peer: tuple[str, int]) -> bytes:
    """Return a Via value with received and rport set as the packet's source demands."""
    source = peer[0].encode()
    if b"rport" in params and not params[b"rport"]:
        head, _, tail = value.partition(b";")
        kept = [item for item in tail.split(b";") if item.strip().partition(b"=")[0].strip().lower() not in _SOURCE]
        return b";".join([head, *kept, b"received=" + source, b"rport=%d" % peer[1]])
    if host != source and params.get(b"received") != source:
        head, _, tail = value.partition(b";")
        kept = [item for item in tail.split(b";") if item and item.strip()[:9].lower() != b"received="]
        return b";".join([head, *kept, b"received=" + source])
    return value
