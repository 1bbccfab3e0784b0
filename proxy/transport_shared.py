"""One address, several sockets: what the workers of one machine listen on.

All sockets of a group are made here, before the workers, and are kept open while workers come and go. So the kernel's
choice of a socket never changes, whoever dies, and what arrives for a worker that is being restarted waits for it.
"""

from __future__ import annotations

import socket

from proxy.transport import open_udp_socket


def open_group(address: str, port: int, workers: int) -> list[socket.socket]:
    """Return a bound, non-blocking UDP socket for each worker; port 0 lets the system choose one for all.

    The first is bound without SO_REUSEPORT: that fails where anybody has the port, a Sipveil with workers too.
    The others join it afterwards, which the kernel allows to sockets of the same user only.

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is no IP address.
    """
    first = open_udp_socket(address, port)
    group = [first]
    try:
        if workers > 1:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(1, workers):
            group.append(open_udp_socket(address, first.getsockname()[1], shared=True))
    except BaseException:
        for sock in group:
            sock.close()
        raise
    return group
