"""Calls over connections between real processes: SIPp as a phone on TCP, and as a trunk behind TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

from tests.real import leaks
from tests.real.harness import PHONE, TRUNK, Address, Lab, Sipveil, free_port, is_bound, wait_for
from tests.real.sections import AUTHORITY, secure, stream
from tests.real.sipp import arguments, towards
from tests.tls import TlsAuthority

CALLS = 20
RATE = 20


class TlsEnd:
    """Takes TLS off connections and hands them on in plain TCP, both ways; remembers what came."""

    def __init__(self, authority: TlsAuthority, inner: Address) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*authority.issue("trunk", dns=["carrier.example"]))
        self._sock = socket.create_server((TRUNK, 0))
        self._inner = inner
        self.address: Address = self._sock.getsockname()
        self.received = b""
        self.connections = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._sock.accept()
                far = self._context.wrap_socket(plain, server_side=True)
                near = socket.create_connection(self._inner)
                self.connections += 1
                self._open += [far, near]
                threading.Thread(target=self._inward, args=(far, near), daemon=True).start()
                threading.Thread(target=self._outward, args=(near, far), daemon=True).start()

    def _inward(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65_536):
                self.received += data
                near.sendall(data)

    def _outward(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65_536):
                far.sendall(data)

    def close(self) -> None:
        """Close all; safe to call twice."""
        for each in (self._sock, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def shown(self) -> tuple[str, str]:
        """Return what explains a failure."""
        return "received over TLS", self.received.decode("utf-8", "replace")[:4000]


def listens(address: Address) -> bool:
    """Tell whether somebody takes TCP connections there, without making one."""
    host = "".join(f"{int(octet):02X}" for octet in reversed(address[0].split(".")))
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return any(f" {host}:{address[1]:04X} " in line and " 0A " in line for line in lines)


def play(lab: Lab, sipveil: Sipveil, trunk: Address, told: Address, phone_over: str, trunk_over: str) -> None:
    """Let SIPp call through Sipveil; every call must go as written in the scenarios."""
    callee = lab.start(
        "trunk", [*arguments("trunk_call", trunk, told, calls=CALLS, talk=200), "-t", trunk_over]
    )  # fmt: skip
    ready = is_bound if trunk_over == "u1" else listens
    wait_for("SIPp to listen", lambda: ready(trunk) or None)
    local = (PHONE, free_port(PHONE))
    called = arguments("caller_call", local, told, calls=CALLS, talk=200)
    caller = lab.start("caller", [*called, *towards(sipveil.address, RATE), "-t", phone_over])
    assert (caller.wait(40), callee.wait(40)) == (0, 0)


def test_a_phone_on_tcp_calls_a_trunk_on_udp(lab: Lab, sipveil: Sipveil) -> None:
    """Every call over one connection, which is used for all that goes back."""
    trunk = (TRUNK, free_port(TRUNK))
    sipveil.sections = stream("tcp", sipveil.address, "tcp")
    sipveil.configure(trunk)
    sipveil.start()
    play(lab, sipveil, trunk, trunk, "t1", "u1")
    numbers = sipveil.metrics()
    assert numbers['sipveil_connections_opened_total{direction="in"}'] == 1
    assert 'sipveil_connections_opened_total{direction="out"}' not in numbers
    assert numbers['sipveil_datagrams_received_total{listener="tcp"}'] == 3 * CALLS
    assert numbers['sipveil_calls_total{zone="trunk"}'] == CALLS


def test_a_phone_on_udp_calls_a_trunk_on_tls(lab: Lab, sipveil: Sipveil) -> None:
    """All calls share one connection to the name that the certificate shows, and nothing leaks over it."""
    state = lab.folder / "state"
    state.mkdir(mode=0o700)
    authority = TlsAuthority(state)
    authority.issue("own", dns=["sip.example.net"])
    inner = (TRUNK, free_port(TRUNK))
    end = lab.keep(TlsEnd(authority, inner))
    reached = sipveil.address[0], free_port(sipveil.address[0])
    sipveil.sections = secure("secure", reached, ca=AUTHORITY)
    sipveil.configure(end.address)
    sipveil.reach_trunk_by("secure", "carrier.example")
    sipveil.start()
    play(lab, sipveil, inner, end.address, "u1", "t1")
    numbers = sipveil.metrics()
    assert end.connections == 1
    assert numbers['sipveil_connections_opened_total{direction="out"}'] == 1
    assert numbers['sipveil_calls_total{zone="trunk"}'] == CALLS
    assert end.received.count(b"INVITE sip:") == CALLS
    assert b"Via: SIP/2.0/TLS " in end.received
    assert leaks.found([end.received], leaks.CALLER) == []
