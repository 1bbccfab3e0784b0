"""Sockets of listeners: bound, non-blocking, of one IP version, and closed again where anything of that fails."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def closed_on_failure(socks: Iterable[socket.socket]) -> Iterator[None]:
    """Close sockets when the block raises; socks may grow meanwhile."""
    try:
        yield
    except BaseException:
        for sock in socks:
            sock.close()
        raise


def bound_socket(
    kind: int, address: str, port: int, *, prepare: Callable[[socket.socket], None], shared: bool = False
) -> socket.socket:  # fmt: skip
    """Return a bound, non-blocking socket.

    IPv6 sockets take IPv6 only: one listener, one family, so that no peer shows as `::ffff:192.0.2.1`.

    Args:
        kind: SOCK_DGRAM or SOCK_STREAM.
        address: an IP address.
        port: 0 lets the system choose.
        prepare: sets options before it is bound.
        shared: by SO_REUSEPORT, with others who ask for that too.

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is no IP address.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    with closed_on_failure([sock]):
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        prepare(sock)
        sock.bind((address, port))
    return sock
