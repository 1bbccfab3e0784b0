"""Ports that nobody else takes between the moment in which one is chosen and that in which a program binds it.

Who asks the kernel for any port gets one of its own range (net.ipv4.ip_local_port_range), and so may anybody who asks
next: these here lie outside of it. Each process has a block of them to itself, held by an abstract name (unix(7)) that
the kernel gives back when the process ends, and hands them out in turn, so that one comes again as late as may be: what
is still on its way to the last one who had it reaches nobody.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 10_000
"""Below it are services that a machine may have."""
BLOCK = 200
NAME = "\0sipveil-ports-{}"


def outside(text: str) -> list[int]:
    """Return the first ports of all blocks that do not reach into the kernel's range, which is two numbers.

    Where that leaves none, all blocks from LOWEST on are returned.
    """
    first, last = map(int, text.split())
    blocks = range(LOWEST, 65_536 - BLOCK, BLOCK)
    return [block for block in blocks if block + BLOCK <= first or block > last] or list(blocks)


class Ports:
    """The ports of one process."""

    def __init__(self) -> None:
        """Take a block when the first port is asked for."""
        self._process = 0
        self._held = -1
        """The file that holds the block, open as long as the process is."""
        self._next: Iterator[int] = iter(())

    def take(self, host: str, run: int = 1) -> int:
        """Return the first of `run` consecutive ports of host that nobody has bound, neither for UDP nor for TCP.

        Raises RuntimeError where there is none.
        """
        if self._process != os.getpid():  # a child that was forked has to have a block of its own
            self._begin()
        for _ in range(BLOCK):
            port = next(self._next)
            if port % BLOCK + run <= BLOCK and all(_is_free(host, port + offset) for offset in range(run)):
                for _ in range(run - 1):
                    next(self._next)
                return port
        raise RuntimeError(f"no {run} free ports on {host}")

    def close(self) -> None:
        """Give the block back; for who does not go on to the end of the process."""
        if self._held >= 0:
            os.close(self._held)
        self._held, self._process = -1, 0

    def _begin(self) -> None:
        blocks = outside(RANGE.read_text() if RANGE.exists() else "32768 60999")
        start = os.getpid() % len(blocks)  # another one than the process before
        for block in (*blocks[start:], *blocks[:start]):
            held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                held.bind(NAME.format(block))
            except OSError:
                held.close()
                continue
            self._held, self._process = held.detach(), os.getpid()
            self._next = cycle(range(block, block + BLOCK))
            return
        raise RuntimeError("all blocks of ports are taken by other processes")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True


_PORTS = Ports()


def free_port(host: str, run: int = 1) -> int:
    """Return a port for this process, as `Ports.take`."""
    return _PORTS.take(host, run)
