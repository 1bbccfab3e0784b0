"""The floor: a Twisted datagram protocol that looks at nothing, so nothing written with Twisted's is cheaper.

python -m scripts.benchmark.null_forwarder PROXY CALLER TRUNK

What comes from the trunk's address goes to the caller's, and everything else to the trunk.
"""

from __future__ import annotations

import socket
import sys
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol

from scripts.load.addresses import Address

BUFFER = 4 << 20
"""Bytes of socket buffer: the kernel keeps what its own limit allows."""


class Forwarder(DatagramProtocol):
    """Writes each datagram to the other side."""

    def __init__(self, caller: Address, trunk: Address) -> None:
        """Remember both sides."""
        self._caller, self._trunk = caller, trunk

    def startProtocol(self) -> None:  # noqa: N802 - Twisted's name
        """Take bursts as the proxies do."""
        transport = cast(Any, self.transport)
        self._write = transport.write
        sock = transport.socket
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:  # noqa: N802 - Twisted's name
        """Forward."""
        self._write(datagram, self._caller if addr == self._trunk else self._trunk)


def parse_address(text: str) -> Address:
    """Return what `host:port` says."""
    host, _, port = text.rpartition(":")
    return host, int(port)


def main(words: list[str]) -> None:
    """Forward until SIGTERM."""
    own, caller, trunk = map(parse_address, words)
    cast(Any, reactor).listenUDP(own[1], Forwarder(caller, trunk), interface=own[0])
    print("ready", flush=True)
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
