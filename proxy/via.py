"""The topmost Via: where a request says it came from, and where it really did."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.grammar import COMMA, LF
from proxy.headers import Via, split_list, unfold

_RECEIVED = (b"received",)
_SOURCE = (b"rport", b"received")


def stamped_line(line: bytes, via: Via, peer: tuple[str, int]) -> bytes:
    """Return a Via line whose topmost value says where it really came from; `via` is that value, read.

    Nearly every phone puts the bare `;rport` last and a single value in the line: then there is nothing to take apart.
    """
    if line.endswith(b";rport") and COMMA not in line and b"received" not in via.params and LF not in line:
        return b"%b;received=%b;rport=%d" % (line[:-6], peer[0].encode(), peer[1])
    name, _, value = line.partition(b":")
    first, *rest = split_list(unfold(value))
    stamped = stamp(first, via.params, via.host, peer)
    return line if stamped == first else name.rstrip(b" \t") + b": " + b", ".join([stamped, *rest])


def stamp(value: bytes, params: Mapping[bytes, bytes], host: bytes, peer: tuple[str, int]) -> bytes:
    """Return a Via value with received and rport set as the packet's source demands."""
    source = peer[0].encode()
    if b"rport" in params and not params[b"rport"]:
        return b";".join([*_without(value, _SOURCE), b"received=" + source, b"rport=%d" % peer[1]])
    if host != source and params.get(b"received") != source:
        return b";".join([*_without(value, _RECEIVED), b"received=" + source])
    return value


def _without(value: bytes, names: tuple[bytes, ...]) -> list[bytes]:
    """Return sent-protocol and sent-by, and each parameter that is not one of names."""
    head, *items = value.split(b";")
    return [head, *(item for item in items if item and item.partition(b"=")[0].strip().lower() not in names)]
