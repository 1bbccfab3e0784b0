"""One address, several sockets: what the workers of one machine listen on.

All sockets of a group are made here, before the workers, and are kept open while workers come and go. So the kernel's
choice of a socket never changes, whoever dies, and what arrives for a worker that is being restarted waits for it.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import Protocol

from proxy.steering import REACHES, packed, steering
from proxy.transport import open_udp_socket
from proxy.transport_sockets import closed_on_failure
from proxy.transport_stream import BACKLOG, bind_stream_socket

_ATTACH_REUSEPORT_CBPF = 51
"""SO_ATTACH_REUSEPORT_CBPF (Linux, asm-generic/socket.h), which Python does not name."""


def open_group(address: str, port: int, workers: int) -> list[socket.socket]:
    """Return a bound, non-blocking UDP socket for each worker; port 0 lets the system choose one for all.

    The first is bound without SO_REUSEPORT: that fails where anybody has the port, a Sipveil with workers too.
    The others join it afterwards, which the kernel allows to sockets of the same user only.

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is no IP address.
    """
    return _bound(open_udp_socket, address, port, workers)


def open_stream_group(address: str, port: int, workers: int) -> list[socket.socket]:
    """Return a listening, non-blocking TCP socket for each worker, by the rules of `open_group`.

    Whose a connection becomes the kernel chooses by its addresses. All are bound before the first one listens, for who
    listens without SO_REUSEPORT is in no group. Connections that wait for a worker that has died wait for the next.

    Raises:
        OSError: the address cannot be bound.
        ValueError: the address is no IP address.
    """
    group = _bound(bind_stream_socket, address, port, workers)
    with closed_on_failure(group):
        for sock in group:
            sock.listen(BACKLOG)
    return group


class _Bind(Protocol):
    def __call__(self, address: str, port: int, *, shared: bool = False) -> socket.socket: ...


def _bound(bind: _Bind, address: str, port: int, workers: int) -> list[socket.socket]:
    first = bind(address, port)
    group = [first]
    with closed_on_failure(group):
        if workers > 1:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(1, workers):
            group.append(bind(address, first.getsockname()[1], shared=True))
    return group


def steer(group: Sequence[socket.socket]) -> int:
    """Have the kernel give each datagram to its owner, where it can tell; needs no privilege.

    The program is one for the whole group, and stays for as long as any of its sockets is open.

    Args:
        group: from `open_group`: the place of a socket is the number of its worker.

    Returns:
        Bytes of a request in which its Call-ID is found: fewer where net.core.optmem_max is small, 0 where the kernel
        takes no program.
    """
    for reach in REACHES:
        program = steering(len(group), reach)
        code = ctypes.create_string_buffer(packed(program))
        try:
            # struct sock_fprog: a length, and a pointer that the kernel copies from before the call returns.
            argument = struct.pack("@HP", len(program), ctypes.addressof(code))
            group[0].setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, argument)
        except OSError:
            continue
        return reach.call_id
    return 0
