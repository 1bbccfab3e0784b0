"""A real DNS server on loopback, UDP and TCP, for tests: it answers from a zone, fails, delays, truncates and lies."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

from scripts.load.ports import free_port

Zone = dict[tuple[str, str], tuple[int, list[str]]]
"""(Name with a final dot, record type) to TTL and records as a zone file has them."""

SOA = "ns.example.net. x.example.net. 1 1 1 1 9"


class NameServer(threading.Thread):
    """Answers for `zone`: NXDOMAIN or no data with an SOA for the rest. What it is told to do wrong, it does."""

    def __init__(self, zone: Zone, port: int = 0) -> None:
        """Bind port; by default one that nobody takes, so that a server may go and come back there."""
        super().__init__(daemon=True)
        self.zone = zone
        self.failing: set[str] = set()
        """Record types that get SERVFAIL."""
        self.silent: set[str] = set()
        """Record types that get no answer."""
        self.delay = 0.0
        """Seconds before each answer."""
        self.truncated = False
        """Whether UDP answers hold nothing but the TC bit."""
        self.asked: list[tuple[str, str]] = []
        self.over_tcp = 0
        self.socket, self._tcp = _both(port or free_port("127.0.0.1"))
        self.port = self.socket.getsockname()[1]
        self._tcp.listen()
        self._tcp.settimeout(0.1)
        self._ended = threading.Event()
        self._stream = threading.Thread(target=self._serve_tcp, daemon=True)

    def resolver(self) -> dns.resolver.Resolver:
        """Return a resolver that asks this server alone."""
        made = dns.resolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = self.port
        return made

    def start(self) -> None:
        super().start()
        self._stream.start()

    def run(self) -> None:
        while True:
            data, peer = self.socket.recvfrom(4096)
            if data == b"stop":
                return
            threading.Thread(target=self._answer_udp, args=(data, peer), daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        self.socket.sendto(b"stop", self.socket.getsockname())
        self.join(2)
        self._stream.join(2)
        self.socket.close()
        self._tcp.close()

    def _answer_udp(self, data: bytes, peer: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        response = self.answer(query)
        if response is None:
            return
        if self.truncated:
            response = dns.message.make_response(query)
            response.flags |= dns.flags.TC
        time.sleep(self.delay)
        with contextlib.suppress(OSError):  # closed meanwhile
            self.socket.sendto(response.to_wire(), peer)

    def _serve_tcp(self) -> None:
        while not self._ended.is_set():
            try:
                stream, _ = self._tcp.accept()
            except TimeoutError:
                continue
            with stream:
                stream.settimeout(2)
                (length,) = struct.unpack("!H", stream.recv(2))
                response = self.answer(dns.message.from_wire(stream.recv(length)))
                self.over_tcp += 1
                if response is not None:
                    wire = response.to_wire()
                    stream.sendall(struct.pack("!H", len(wire)) + wire)

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text().lower(), question.rdtype.name
        self.asked.append((name, kind))
        if kind in self.silent:
            return None
        response = dns.message.make_response(query)
        if kind in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        while (name, "CNAME") in self.zone:
            ttl, targets = self.zone[name, "CNAME"]
            response.answer.append(dns.rrset.from_text(name, ttl, "IN", "CNAME", *targets))
            name = targets[0]
        if (name, kind) in self.zone:
            ttl, records = self.zone[name, kind]
            response.answer.append(dns.rrset.from_text(name, ttl, "IN", kind, *records))
        else:
            if not any(known == name for known, _ in self.zone):
                response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority.append(dns.rrset.from_text("example.net.", 20, "IN", "SOA", SOA))
        return response


def _both(port: int) -> tuple[socket.socket, socket.socket]:
    """Return a UDP and a TCP socket that are bound to one port."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", port))
    streams = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    streams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    streams.bind(("127.0.0.1", port))
    return datagrams, streams
