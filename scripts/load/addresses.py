"""Addresses on the loopback: zones are told apart by address, ports are free ones unless given."""

from __future__ import annotations

import socket
from pathlib import Path

from scripts.load.errors import LoadError
from scripts.load.ports import free_port

Address = tuple[str, int]

PROXY = "127.0.0.1"
PHONES = "127.11.0.0/16"
PHONE = "127.11.0.1"
"""The first phone."""
TRUNK = "127.0.0.21"


def phones(number: int) -> list[str]:
    """Return so many addresses of PHONES, PHONE first."""
    return [f"127.11.{phone >> 8}.{phone & 255}" for phone in range(1, number + 1)]


def free(host: str, port: int = 0) -> Address:
    """Return an address of host that nobody uses, for UDP or TCP: any, or the given port, as far as UDP goes.

    Raises LoadError where the given port is taken.
    """
    if not port:
        return host, free_port(host)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((host, port))
        except OSError as error:
            raise LoadError(f"cannot use UDP {host}:{port}: {error.strerror}; is another program there?") from error
    return host, port


def is_bound(address: Address) -> bool:
    """Tell whether a process has bound a UDP address, on its own or with all addresses of this machine."""
    return bool(_sockets(address) or _sockets(("0.0.0.0", address[1])))


def dropped(address: Address) -> int:
    """Return how many datagrams the kernel has thrown away because a socket of this UDP address had no room."""
    return sum(int(fields[-1]) for fields in _sockets(address))


def _sockets(address: Address) -> list[list[str]]:
    """Return what the kernel tells of each UDP socket that is bound to this address (proc(5), /proc/net/udp)."""
    wanted = f"{''.join(f'{int(octet):02X}' for octet in reversed(address[0].split('.')))}:{address[1]:04X}"
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return [fields for fields in map(str.split, lines) if fields[1] == wanted]
