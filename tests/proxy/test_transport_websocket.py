"""WebSockets on real sockets: a client of a few lines, so that nothing of Autobahn's is tested by Autobahn."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from proxy.transport_tls import Tls
from proxy.transport_websocket import HANDSHAKE, WebSocketFactory
from tests.proxy.streams import Bench, reactor
from tests.tls import TlsAuthority

MESSAGE = b"REGISTER sip:example.net SIP/2.0\r\nCall-ID: 1\r\n\r\n"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def request(protocol: str = "sip", origin: str = "", key: str = "", extra: str = "") -> bytes:
    lines = [
        "GET / HTTP/1.1", "Host: sip.example.net", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key or base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13",
    ]  # fmt: skip
    lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
    lines += [f"Origin: {origin}"] if origin else []
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()


def frame(data: bytes, kind: int = TEXT, *, final: bool = True, masked: bool = True, size: int | None = None) -> bytes:
    """RFC 6455 §5.2, as a client writes it."""
    length = len(data) if size is None else size
    head = bytes([kind | (0x80 if final else 0)])
    bit = 0x80 if masked else 0
    head += bytes([bit | length]) if length < 126 else bytes([bit | 126]) + struct.pack("!H", length)
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def listening(transport: str = "WS", tls: Tls | None = None, origins: tuple[str, ...] = (), **what: Any) -> Bench:
    bench = Bench(transport=transport, tls=tls, **what)
    return bench.listen(WebSocketFactory(bench.streams, bench.acceptor, origins, reactor))


@pytest_twisted.async_yield_fixture
async def bench() -> AsyncIterator[Bench]:
    made = listening()
    yield made
    await made.close()


async def opened(bench: Bench, **what: str) -> socket.socket:
    client = bench.client()
    client.sendall(request(**what))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await bench.reads(client, 1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return client


async def next_frame(bench: Bench, client: socket.socket) -> tuple[int, bytes]:
    head = await bench.reads(client, 2)
    size = head[1]
    if size == 126:
        (size,) = struct.unpack("!H", await bench.reads(client, 2))
    return head[0] & 15, await bench.reads(client, size)


@pytest_twisted.ensureDeferred
async def test_handshake(bench: Bench) -> None:
    """RFC 6455 §4.2.2 and RFC 7118 §4.1; nothing is said of our software."""
    client = bench.client()
    client.sendall(request(key="dGhlIHNhbXBsZSBub25jZQ==", protocol="xmpp, sip"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await bench.reads(client, 1)
    lowered = answer.lower()
    assert b"sec-websocket-protocol: sip\r\n" in lowered
    accept = base64.b64encode(hashlib.sha1(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    assert b"Sec-WebSocket-Accept: " + accept in answer
    assert b"server" not in lowered
    assert b"autobahn" not in lowered


@pytest.mark.parametrize("kind", [TEXT, BINARY])
@pytest_twisted.ensureDeferred
async def test_messages_in_and_out(bench: Bench, kind: int) -> None:
    """Text and binary, without Content-Length; what is UTF-8 leaves as text, the rest as binary."""
    client = await opened(bench)
    client.sendall(frame(MESSAGE, kind))
    await bench.until(lambda: bench.core.received)
    data, flow = bench.core.received[0]
    assert data == MESSAGE
    assert (flow.transport, flow.peer) == ("WS", client.getsockname())
    assert bench.streams.send(flow, "SIP/2.0 200 Grüße".encode())
    assert await next_frame(bench, client) == (TEXT, "SIP/2.0 200 Grüße".encode())
    assert bench.streams.send(flow, b"SIP/2.0 200 \xff")
    assert await next_frame(bench, client) == (BINARY, b"SIP/2.0 200 \xff")


@pytest_twisted.ensureDeferred
async def test_fragments_and_single_bytes(bench: Bench) -> None:
    """One message may be a row of frames, and come byte by byte; two may come at once."""
    client = await opened(bench)
    for byte in frame(MESSAGE[:10], TEXT, final=False) + frame(MESSAGE[10:], 0):
        client.send(bytes([byte]))
    client.sendall(frame(MESSAGE) * 2)
    await bench.until(lambda: len(bench.core.received) == 3)
    assert set(bench.core.messages) == {MESSAGE}


@pytest_twisted.ensureDeferred
async def test_pings(bench: Bench) -> None:
    """Those of WebSockets, and those of RFC 5626 that some phones send here too; the core hears of none."""
    client = await opened(bench)
    client.sendall(frame(b"abc", PING))
    assert await next_frame(bench, client) == (PONG, b"abc")
    client.sendall(frame(b"\r\n\r\n"))
    assert await next_frame(bench, client) == (TEXT, b"\r\n")
    client.sendall(frame(b"\r\n") + frame(b"") + frame(b"", PONG))
    await bench.settle()
    assert bench.core.received == []
    bench.look(25)
    assert not bench.counts["connections_closed silent"]


@pytest.mark.parametrize("data", [request(protocol=""), request(protocol="xmpp"), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                  b"OPTIONS sip:a SIP/2.0\r\n\r\n", b"\0" * 100 + b"\r\n\r\n"],
                         ids=["no-subprotocol", "other-subprotocol", "browser", "plain-sip", "noise"])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_is_no_sip_over_websocket_is_refused(bench: Bench, data: bytes) -> None:
    """Another subprotocol, a web browser, plain SIP, noise: an HTTP error at most, and no page."""
    client = bench.client()
    client.sendall(data)
    answer = await bench.ended(client)
    assert not answer.startswith(b"HTTP/1.1 101")
    assert b"<html" not in answer.lower()
    await bench.until(lambda: bench.counts["connections_closed handshake"])
    assert bench.core.received == []


WRONG = {
    "a version before": request().replace(b"-Version: 13", b"-Version: 8"),
    "no version": request().replace(b"Sec-WebSocket-Version: 13\r\n", b""),
    "two versions": request(extra="Sec-WebSocket-Version: 13\r\n"),
    "HTTP/1.0": request().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "POST": request().replace(b"GET", b"POST"),
    "a method with a line end": request().replace(b"GET ", b"G\nX: evil-y "),
    "h2c": request().replace(b"Upgrade: websocket", b"Upgrade: h2c"),
    "no Upgrade": request().replace(b"Upgrade: websocket\r\n", b""),
    "Upgrade that says something": request().replace(b"Upgrade: websocket", b"Upgrade: evil-y\x0bX: evil-y"),
    "no Connection": request().replace(b"Connection: Upgrade\r\n", b""),
    "Connection: close": request().replace(b"Connection: Upgrade", b"Connection: close"),
    "no Host": request().replace(b"Host: sip.example.net\r\n", b""),
    "two Hosts": request(extra="Host: evil-y\r\n"),
    "a Host without a port": request().replace(b"sip.example.net", b"sip.example.net:evil-y"),
    "two keys": request(extra="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
    "a short key": request(key="evil-y"),
    "two Origins": request(origin="https://a.example", extra="Origin: https://b.example\r\n"),
    "an Origin that is none": request(origin="evil-y"),
    "an Origin with brackets": request(origin="http://[evil-y"),
    "a protocol twice": request(protocol="sip, sip"),
    "another case": request(protocol="SIP"),
    "a fragment": request().replace(b"GET /", b"GET /#evil-y"),
    "a URI with brackets": request().replace(b"GET /", b"GET http://[evil-y"),
    "a body": request(extra="Content-Length: 7\r\n"),
    "a body of which proxies have another idea": request(extra="Content-Length: 0\r\nContent-Length: 7\r\n"),
    "chunks": request(extra="Transfer-Encoding: chunked\r\n"),
    "PROXY in front": b"PROXY TCP4 198.51.100.7 192.0.2.1 40000 80\r\n" + request(),
    "PROXY of version 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\xc6\x33\x64\x07" * 3 + request(),
    "a blank line first": b"\r\n" + request(),
}


@pytest.mark.parametrize("name", WRONG)
@pytest_twisted.ensureDeferred
async def test_a_handshake_is_as_it_has_to_be(bench: Bench, name: str) -> None:
    """RFC 6455 §4.2.1, and no request that whoever stands in front of us could read otherwise; the refusal says again
    nothing that the client said: else a line end in it would begin a header of the answer."""
    client = bench.client()
    client.sendall(WRONG[name] + frame(MESSAGE))
    answer = await bench.ended(client)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505")) or answer == b""
    assert b"evil" not in answer
    assert answer.count(b"\r\n\r\n") <= 1
    await bench.until(lambda: bench.counts["connections_closed handshake"])
    assert bench.core.received == []


@pytest.mark.parametrize("data", [
    request().replace(b"Upgrade: websocket", b"uPGRADE:WebSocket"), request(extra="Content-Length: 0\r\n"),
    request().replace(b"Connection: Upgrade", b"Connection: keep-alive,\tupgrade"), request(protocol="xmpp,sip"),
    request().replace(b"GET / ", b"GET /?redirect=http://evil.example&after=1 "),
    request(extra="Forwarded: for=198.51.100.7\r\nX-Forwarded-For: 198.51.100.7\r\nX-Real-IP: 198.51.100.7\r\n"),
], ids=["case", "no body", "keep-alive", "list", "query", "forwarded"])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_may_be_written_otherwise(bench: Bench, data: bytes) -> None:
    """And whoever says on whose behalf it comes is who it is."""
    client = bench.client()
    client.sendall(data + frame(MESSAGE))
    assert await bench.reads(client, 12) == b"HTTP/1.1 101"
    await bench.until(lambda: bench.core.received)
    assert bench.core.received[0][1].peer == client.getsockname()


@pytest.mark.parametrize(("origin", "welcome"), [("https://phone.example", True), ("https://evil.example", False),
                                                 ("https://phone.example.evil.example", False), ("", False),
                                                 ("null", False)])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_origins(origin: str, welcome: bool) -> None:
    """With a list, pages of it alone; else a page of anybody's could use a visitor's network."""
    bench = listening(origins=("https://phone.example",))
    client = bench.client()
    client.sendall(request(origin=origin))
    assert (await bench.reads(client, 12) == b"HTTP/1.1 101") is welcome
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_without_a_list_any_page_may(bench: Bench) -> None:
    await opened(bench, origin="https://anybody.example:8443")
    await opened(bench, origin="null")


@pytest_twisted.ensureDeferred
async def test_a_handshake_is_bounded_in_bytes_and_time(bench: Bench) -> None:
    """An endless HTTP header, and one that never ends."""
    client = bench.client()
    client.setblocking(True)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):  # noqa: PT012 - a reset comes when it comes
        for _ in range(1000):
            await deferToThread(client.sendall, b"X-Y: " + b"z" * HANDSHAKE)
    assert bench.counts["connections_closed handshake"] == 1
    slow = bench.client()
    slow.sendall(request()[:-2])
    await bench.until(lambda: len(bench.streams) == 1)
    bench.look(21)
    await bench.ended(slow)
    assert bench.counts["connections_closed silent"] == 1


@pytest.mark.parametrize(
    "data",
    [frame(b"x", size=5000)[:20], frame(b"x" * 900, final=False) + frame(b"x" * 900, 0, final=False) * 2,
     frame(MESSAGE, masked=False), b"\xff" * 10, frame(b"x", 3)],
    ids=["large-frame", "large-message", "unmasked", "noise", "unknown-kind"],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_breaks_the_rules_ends_it(data: bytes) -> None:
    """A frame or a row of frames that is too large, bytes without a mask, noise, an unknown kind (RFC 6455 §5)."""
    bench = listening(most=2000)
    client = await opened(bench)
    client.sendall(data)
    await bench.ended(client)
    await bench.until(lambda: bench.core.ended)
    assert bench.core.received == []
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_slow_frames_are_cut_off(bench: Bench) -> None:
    client = await opened(bench)
    client.sendall(frame(MESSAGE))
    client.sendall(frame(MESSAGE, final=False)[:10])
    await bench.until(lambda: bench.core.received)
    (connection,) = bench.streams._connections.values()
    await bench.until(lambda: connection._begun)
    bench.look(11)
    await bench.ended(client)
    assert bench.counts["connections_closed slow"] == 1


@pytest.mark.parametrize(
    ("before", "unit"),
    [(b"", frame(b"", PING)), (b"", frame(b"", PONG)), (b"", frame(b"")),
     (frame(b"", final=False), frame(b"", 0, final=False)), (frame(b"", final=False), frame(b"x", 0, final=False))],
    ids=["pings", "pongs", "messages", "empty pieces", "pieces"],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_flood_of_frames_holds_up_nobody(before: bytes, unit: bytes) -> None:
    """Whatever they are, so many a second are looked at; what came at once beyond them waits, and others are heard."""
    bench = listening(rate=5)
    client, other = await opened(bench), await opened(bench)
    client.sendall(before + unit * 5000)
    await bench.until(lambda: bench.counts["connections_held_back rate"] == 1)
    flooding = next(each for each in bench.streams._connections.values() if each.held)
    assert len(flooding.carrier._backlog) > 4000 * len(unit)  # type: ignore[union-attr]
    other.sendall(frame(MESSAGE))
    await bench.until(lambda: bench.core.received)
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_message_in_many_pieces_arrives(bench: Bench) -> None:
    client = await opened(bench)
    pieces = [frame(bytes([byte]), 0, final=False) for byte in MESSAGE[1:]]
    client.sendall(frame(MESSAGE[:1], final=False) + b"".join(pieces) + frame(b"", 0))
    await bench.until(lambda: bench.core.received)
    assert bench.core.messages == [MESSAGE]


@pytest.mark.parametrize("first", [0xC1, 0xA1, 0x91, 0xC9])
@pytest_twisted.ensureDeferred
async def test_nothing_is_compressed(bench: Bench, first: int) -> None:
    """permessage-deflate (RFC 7692) is not agreed to: a few bytes could become any number; its bits end it."""
    client = bench.client()
    client.sendall(request(extra="Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await bench.reads(client, 1)
    assert b"extensions" not in answer.lower()
    client.sendall(bytes([first]) + frame(b"x")[1:])
    await bench.ended(client)
    assert bench.core.received == []


@pytest.mark.parametrize("data", [frame(b"x" * 126, PING), frame(b"x", PING, final=False), frame(b"x", 0)],
                         ids=["a large ping", "a ping in pieces", "a piece of nothing"])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_no_client_writes_ends_it(bench: Bench, data: bytes) -> None:
    """RFC 6455 §5.4, §5.5."""
    client = await opened(bench)
    client.sendall(data)
    await bench.ended(client)
    assert bench.core.received == []


@pytest_twisted.ensureDeferred
async def test_goodbye(bench: Bench) -> None:
    """A close frame is answered by one; the core hears that it is over, and nothing is sent any longer."""
    client = await opened(bench)
    client.sendall(frame(MESSAGE))
    await bench.until(lambda: bench.core.received)
    client.sendall(frame(struct.pack("!H", 1000), CLOSE))
    assert (await next_frame(bench, client))[0] == CLOSE
    await bench.until(lambda: bench.core.ended)
    assert not bench.streams.send(bench.core.received[0][1], b"x")


@pytest.mark.parametrize("last", [frame(struct.pack("!H", 1000), CLOSE), frame(b"x", 3), frame(b"x", masked=False)],
                         ids=["a goodbye", "an unknown kind", "no mask"])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_is_sent_while_it_ends_is_refused(bench: Bench, last: bytes) -> None:
    """A phone that says goodbye and stays, or breaks the rules: a call for it is told so, and nothing raises."""
    client = await opened(bench)
    client.sendall(frame(MESSAGE))
    await bench.until(lambda: bench.core.received)
    flow = bench.core.received[0][1]
    (connection,) = bench.streams._connections.values()
    connection.carrier.read(last)  # type: ignore[union-attr]
    assert bench.streams.send(flow, b"x") is False
    await bench.ended(client)
    await bench.until(lambda: bench.core.ended)
    assert (bench.core.lost, bench.counts["connections_closed peer"]) == ([], 1)


@pytest_twisted.ensureDeferred
async def test_a_handshake_that_is_not_over_holds_up_no_stop() -> None:
    """Whoever has one open has no goodbye to hear, and keeps nobody else's from being said."""
    bench = listening()
    half, whole = bench.client(), await opened(bench)
    half.sendall(request()[:-2])
    await bench.until(lambda: len(bench.streams) == 2)
    stopped = bench.streams.close()
    assert (await next_frame(bench, whole))[0] == CLOSE
    assert await bench.ended(half) == b""
    await stopped
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_nobody_is_connected_to(bench: Bench) -> None:
    assert not bench.streams.send(bench.flow(("127.0.0.1", 9)), b"x")


@pytest_twisted.ensureDeferred
async def test_over_tls(tmp_path: Path) -> None:
    """WSS: the certificate's names are in the flow, as over TLS."""
    authority = TlsAuthority(tmp_path)
    tls = Tls(authority.files(authority.own("own", dns=["sip.example"]), clients=True))
    bench = listening("WSS", tls)
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(*authority.issue("client", dns=["phone.example"]))

    def talk() -> bytes:
        with (
            socket.create_connection(bench.address, timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="sip.example") as sock,
        ):
            sock.sendall(request())
            answer = sock.recv(4096)
            sock.sendall(frame(MESSAGE))
            return answer + sock.recv(4096)

    bench.core.on_receive = lambda data, flow: bench.streams.send(flow, b"answer")
    answer = await deferToThread(talk)
    assert answer.startswith(b"HTTP/1.1 101")
    assert answer.endswith(b"answer")
    flow = bench.core.received[0][1]
    assert (flow.transport, flow.identity) == ("WSS", ("phone.example",))
    await bench.close()
