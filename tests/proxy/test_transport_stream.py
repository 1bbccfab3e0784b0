"""Connections on real loopback sockets and the running reactor: in, out, bounds, and every way to end."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.address import IPv6Address
from twisted.internet.task import deferLater

from config.settings import Limits
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.framing import PING
from proxy.parse import parse
from proxy.transport_connection import SLICE
from proxy.transport_stream import open_stream_socket
from scripts.load.ports import free_port
from tests.proxy.streams import MESSAGE, Bench, reactor


@pytest_twisted.async_yield_fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench().listen()
    yield made
    await made.close()


class Server:
    """The far end of connections that we make, on a plain listening socket."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.sock = open_stream_socket(address, 0)
        self.peer: tuple[str, int] = self.sock.getsockname()[:2]
        self.taken: list[socket.socket] = []

    def take(self) -> socket.socket | None:
        try:
            taken, _ = self.sock.accept()
        except BlockingIOError:
            return None
        taken.setblocking(False)
        self.taken.append(taken)
        return taken

    def close(self) -> None:
        self.sock.close()
        for each in self.taken:
            each.close()


@pytest.fixture
def server() -> Any:
    made = Server()
    yield made
    made.close()


# --- in


@pytest_twisted.ensureDeferred
async def test_message_in_and_answer_out(bench: Bench) -> None:
    """The core gets the message with a flow that leads back."""
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    data, flow = bench.core.received[0]
    assert data == MESSAGE
    assert flow == Flow("TCP", bench.address, client.getsockname(), flow.connection)
    assert flow.connection > 0
    assert bench.streams.send(flow, b"answer")
    assert await bench.reads(client, 6) == b"answer"
    assert (bench.acceptor.stats.datagrams_received, bench.acceptor.stats.datagrams_sent) == (1, 1)
    assert bench.counts == {"connections_opened in": 1}


@pytest_twisted.ensureDeferred
async def test_ipv6() -> None:
    """Plain addresses without brackets, flow label and scope; and out again."""
    bench = Bench("::1").listen()
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    flow = bench.core.received[0][1]
    assert flow.local == ("::1", bench.address[1])
    assert flow.peer == ("::1", client.getsockname()[1])
    server = Server("::1")
    assert bench.streams.send(bench.flow(server.peer), b"out")
    assert await bench.reads(await bench.until(server.take), 3) == b"out"
    server.close()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_byte_by_byte_and_many_at_once(bench: Bench) -> None:
    """Messages are what they are, however TCP carries them; in order."""
    client = bench.client()
    for byte in MESSAGE:
        client.send(bytes([byte]))
        await deferLater(reactor, 0)
    client.sendall(MESSAGE * 50)
    await bench.until(lambda: len(bench.core.received) == 51)
    assert set(bench.core.messages) == {MESSAGE}
    assert len({flow for _, flow in bench.core.received}) == 1


@pytest_twisted.ensureDeferred
async def test_ping_gets_pong_and_the_core_nothing(bench: Bench) -> None:
    """RFC 5626 §4.4.1, at once; a single CRLF gets nothing."""
    client = bench.client()
    client.sendall(b"\r\n\r\n")
    assert await bench.reads(client, 2) == b"\r\n"
    client.sendall(b"\r\n")
    await bench.settle()
    client.sendall(MESSAGE + b"\r\n\r\n\r\n\r\n")
    assert await bench.reads(client, 4) == b"\r\n\r\n"
    assert bench.core.messages == [MESSAGE]


@pytest_twisted.ensureDeferred
async def test_numbers_are_never_used_again(bench: Bench) -> None:
    """A flow of a connection that has ended reaches nobody, least of all who has its address now."""
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    old = bench.core.received[0][1]
    client.close()
    await bench.until(lambda: bench.core.ended)
    assert bench.core.ended == [old]
    other = bench.client()
    other.sendall(MESSAGE)
    await bench.until(lambda: len(bench.core.received) == 2)
    new = bench.core.received[1][1]
    assert new.connection > old.connection
    assert not bench.streams.send(old, b"x")
    assert not bench.streams.send(new._replace(peer=old.peer), b"x")
    assert not bench.streams.send(new._replace(transport="TLS"), b"x")


@pytest_twisted.ensureDeferred
async def test_numbers_do_not_begin_where_another_process_has() -> None:
    """A record that a former process sealed names none of our connections, but by a chance of one in a billion."""
    first, second = Bench().listen(), Bench().listen()
    assert first.streams._next() != second.streams._next()
    await first.close()
    await second.close()


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_framed_is_answered_and_the_end(bench: Bench) -> None:
    """The core answers the head, the answer arrives, then the connection ends; what follows is not read."""
    head = b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"
    bench.core.on_broken = lambda flow: bench.streams.send(flow, b"400")
    client = bench.client()
    client.sendall(MESSAGE + head + MESSAGE)
    assert await bench.ended(client) == b"400"
    assert bench.core.messages == [MESSAGE]
    assert bench.core.broken == [(head, 400, "Missing Content-Length")]
    assert bench.counts["connections_closed malformed"] == 1


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01", b"\x00\x01\x00\x08\x21\x12\xa4\x42", b"\x80" * 100])
@pytest_twisted.ensureDeferred
async def test_garbage_is_the_end(bench: Bench, data: bytes) -> None:
    """A TLS hello, STUN, noise: silence, and the connection ends at once."""
    client = bench.client()
    client.sendall(data)
    assert await bench.ended(client) == b""
    assert bench.core.broken == []
    assert bench.counts["connections_closed malformed"] == 1


BROWSERS = {
    "a page": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a form": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(MESSAGE), MESSAGE),
    "a form in pieces": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(MESSAGE), MESSAGE),
    "two lengths": b"POST / HTTP/1.1\r\nl: 0\r\nContent-Length: %d\r\n\r\n%b" % (len(MESSAGE), MESSAGE),
    "a WebSocket": b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a method of ours": b"OPTIONS / HTTP/1.1\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\nl: 0\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40,
    "PROXY of version 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\xc6\x33\x64\x07" * 3,
}


@pytest.mark.parametrize("name", BROWSERS)
@pytest_twisted.ensureDeferred
async def test_who_speaks_something_else_is_not_heard(bench: Bench, name: str) -> None:
    """A web page has its visitor's browser say nearly what it likes, to whichever address the visitor may reach: no
    message comes out of that, not behind it either (NAT slipstreaming, ALPACA)."""
    client = bench.client()
    client.sendall(BROWSERS[name] + MESSAGE)
    await bench.ended(client)
    assert bench.core.received == []
    assert bench.core.broken == []


@pytest_twisted.ensureDeferred
async def test_nobody_says_for_whom_it_comes(bench: Bench) -> None:
    """The line of HAProxy's PROXY protocol is what a message would begin with: a malformed one."""
    client = bench.client()
    client.sendall(b"PROXY TCP4 198.51.100.7 192.0.2.1 5060 5060\r\n" + MESSAGE)
    await bench.until(lambda: bench.core.received)
    [(data, flow)] = bench.core.received
    assert flow.peer == client.getsockname()
    with pytest.raises(Malformed):
        parse(data, Limits())


@pytest_twisted.ensureDeferred
async def test_too_large_is_the_end() -> None:
    """513 as soon as the head tells; a head without an end as soon as it is too long."""
    bench = Bench(most=2000).listen()
    client = bench.client()
    client.sendall(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 1980\r\n\r\n")
    await bench.ended(client)
    endless = bench.client()
    endless.sendall(b"OPTIONS " + b"a" * 3000)
    await bench.ended(endless)
    assert [code for _, code, _ in bench.core.broken] == [513, 513]
    assert bench.counts["connections_closed size"] == 2
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_what_the_core_raises_ends_here(bench: Bench) -> None:
    """It is told, and the next message is served."""

    def explode(data: bytes, flow: Flow) -> None:
        raise RecursionError("sip:+15550100@example.net")

    bench.core.on_receive = explode
    client = bench.client()
    client.sendall(MESSAGE * 2)
    await bench.until(lambda: len(bench.core.received) == 2)
    assert [type(error) for error in bench.failed] == [RecursionError, RecursionError]
    bench.failed.clear()


# --- bounds


@pytest_twisted.ensureDeferred
async def test_slow_loris_is_cut_off(bench: Bench) -> None:
    """A begun message has ten seconds from its first byte, however often a further one comes."""
    client = bench.client()
    client.sendall(MESSAGE)
    client.sendall(MESSAGE[:5])
    await bench.until(lambda: bench.core.received)
    await bench.settle()
    bench.look(6)
    client.sendall(MESSAGE[5:6])
    await bench.settle()
    bench.look(3)
    assert bench.counts["connections_closed slow"] == 0
    client.sendall(MESSAGE[6:7])
    await bench.settle()
    bench.look(2)
    await bench.ended(client)
    assert bench.counts["connections_closed slow"] == 1


@pytest_twisted.ensureDeferred
async def test_who_completes_messages_is_not_slow(bench: Bench) -> None:
    """The clock begins anew with each message, also where the next one begins in the same packet."""
    client = bench.client()
    client.sendall(MESSAGE[:5])
    for count in range(1, 5):
        await bench.settle()
        bench.look(6)
        client.sendall(MESSAGE[5:] + MESSAGE[:5])
        await bench.until(lambda count=count: len(bench.core.received) == count)  # type: ignore[misc]
    assert not bench.core.ended


@pytest_twisted.ensureDeferred
async def test_who_says_nothing_is_cut_off(bench: Bench) -> None:
    """A new connection has twenty seconds to its first message; a lone CRLF is none, a ping is one."""
    silent, lone, ping = bench.client(), bench.client(), bench.client()
    lone.sendall(b"\r\n")
    ping.sendall(b"\r\n\r\n")
    assert await bench.reads(ping, 2) == b"\r\n"
    await bench.until(lambda: len(bench.streams) == 3)
    bench.look(19)
    await bench.settle()
    assert len(bench.streams) == 3
    bench.look(2)
    await bench.ended(silent)
    await bench.ended(lone)
    assert bench.counts["connections_closed silent"] == 2
    assert len(bench.streams) == 1


@pytest_twisted.ensureDeferred
async def test_idle_connections_end_and_keep_alives_keep(bench: Bench) -> None:
    """After a quarter of an hour without a message in either direction."""
    idle, pinging, written = bench.client(), bench.client(), bench.client()
    for each in (idle, pinging, written):
        each.sendall(MESSAGE)
    await bench.until(lambda: len(bench.core.received) == 3)
    flow = next(flow for _, flow in bench.core.received if flow.peer == written.getsockname())
    bench.look(600)
    pinging.sendall(b"\r\n\r\n")
    assert await bench.reads(pinging, 2) == b"\r\n"
    bench.streams.send(flow, b"x")
    bench.look(310)
    await bench.ended(idle)
    assert bench.counts == {"connections_opened in": 3, "connections_closed idle": 1}


@pytest_twisted.ensureDeferred
async def test_who_is_to_be_heard_of_more_often_is(bench: Bench) -> None:
    """What we send keeps nobody alive; a keep-alive does, and so does not to be bound (RFC 5626 §4.4.1)."""
    silent, pinging, other = bench.client(), bench.client(), bench.client()
    for each in (silent, pinging, other):
        each.sendall(MESSAGE)
    await bench.until(lambda: len(bench.core.received) == 3)
    flow = next(flow for _, flow in bench.core.received if flow.peer == silent.getsockname())
    bench.core.silent = {each.getsockname(): 135.0 for each in (silent, pinging)}
    bench.look(100)
    pinging.sendall(b"\r\n\r\n")
    assert await bench.reads(pinging, 2) == b"\r\n"
    bench.streams.send(flow, b"x")
    bench.look(40)
    await bench.until(lambda: bench.core.ended == [flow])
    assert bench.counts == {"connections_opened in": 3, "connections_closed flow-timer": 1}


@pytest_twisted.ensureDeferred
async def test_connections_of_one_address_are_bounded() -> None:
    """The third is closed; when one has gone there is room again."""
    bench = Bench(per_source=2).listen()
    first, second = bench.client(), bench.client()
    await bench.until(lambda: len(bench.streams) == 2)
    assert await bench.ended(bench.client()) == b""
    assert bench.counts["connections_refused source"] == 1
    first.close()
    await bench.until(lambda: len(bench.streams) == 1)
    bench.look(1)
    third = bench.client()
    third.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    for each in (second, third):
        each.close()
    await bench.until(lambda: len(bench.streams) == 0)
    assert bench.streams.tally.total("127.0.0.1 connected") == 0
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_new_connections_of_one_address_are_bounded_in_rate() -> None:
    """Who connects and goes, over and over, is soon cut off before a handshake is made; time brings room again."""
    bench = Bench(per_source=3, per_source_rate=2).listen()
    for _ in range(3):
        client = bench.client()
        await bench.until(lambda: len(bench.streams) == 1)
        client.close()
        await bench.until(lambda: len(bench.streams) == 0)
    assert await bench.ended(bench.client()) == b""
    assert bench.counts["connections_refused rate"] == 1
    bench.look(1)
    for _ in range(2):
        bench.client().sendall(MESSAGE)
    await bench.until(lambda: len(bench.core.received) == 2)
    assert await bench.ended(bench.client()) == b""
    assert bench.counts["connections_refused rate"] == 2
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_servers_that_are_configured_are_bounded_together_alone() -> None:
    """A trunk is one address with many connections; but all of them together have an end."""
    bench = Bench(
        per_source=1, per_source_rate=1, connections=10, trusted=lambda host: host == "127.0.0.1"
    ).listen()  # fmt: skip
    clients = [bench.client() for _ in range(10)]
    await bench.until(lambda: len(bench.streams) == 10)
    assert await bench.ended(bench.client()) == b""
    assert bench.counts["connections_refused total"] == 1
    assert not bench.streams.send(bench.flow(("127.0.0.1", 9)), b"x")
    assert len(clients) == 10
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_who_does_not_read_is_cut_off() -> None:
    """What waits for a peer is bounded in bytes, and the core hears what never left."""
    bench = Bench(write_buffer=65_536).listen()
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    flow = bench.core.received[0][1]
    sent = 0
    while bench.streams.send(flow, b"x" * 10_000):
        sent += 1
        assert sent < 2_000
        await deferLater(reactor, 0)
    await bench.until(lambda: bench.core.ended)
    assert bench.counts["connections_closed not-reading"] == 1
    assert len(bench.core.lost) >= 6  # those that waited here; and what Twisted may have held
    assert {lost for lost, _ in bench.core.lost} == {flow}
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_who_stops_reading_is_cut_off_in_time() -> None:
    """Even where little waits for it."""
    bench = Bench().listen()
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    flow = bench.core.received[0][1]
    connection = bench.streams._connections[flow.connection]
    while not connection._stalled:
        assert bench.streams.send(flow, b"x" * 60_000)
        await deferLater(reactor, 0)
    bench.look(19)
    assert not connection.closing
    bench.look(2)
    await bench.until(lambda: bench.core.ended)
    assert bench.counts["connections_closed not-reading"] == 1
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_who_reads_again_gets_all_in_order() -> None:
    """What waited here is written behind what Twisted held."""
    bench = Bench(write_buffer=4_000_000).listen()
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    flow = bench.core.received[0][1]
    connection = bench.streams._connections[flow.connection]
    expected = b""
    number = 0
    while not connection._waiting:
        data = (b"%08d" % number) * 5000
        assert bench.streams.send(flow, data)
        expected += data
        number += 1
        await deferLater(reactor, 0)
    assert await bench.reads(client, len(expected)) == expected
    assert not connection._waiting
    assert bench.streams.send(flow, b"end")
    assert await bench.reads(client, 3) == b"end"
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_flood_waits_at_its_sender() -> None:
    """So many messages a second are read; the rest comes later, and none is lost."""
    bench = Bench(rate=5).listen()
    client = bench.client()
    large = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000
    client.setblocking(True)
    client.settimeout(5)
    client.sendall(large * 8)
    await bench.until(lambda: bench.counts["connections_held_back rate"])
    await bench.settle()
    read = len(bench.core.received)
    assert 5 <= read < 8
    bench.look(1)
    await bench.until(lambda: len(bench.core.received) == 8)
    assert not bench.core.ended
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_flood_of_pings_is_answered_no_larger_than_it_is(bench: Bench) -> None:
    """Half as many bytes go back, and it counts as a flood."""
    client = bench.client()
    client.sendall(b"\r\n" * 1000)
    assert await bench.reads(client, 1000) == b"\r\n" * 500
    assert bench.counts["connections_held_back rate"] >= 1


@pytest_twisted.ensureDeferred
async def test_a_flood_that_came_at_once_holds_up_nobody() -> None:
    """64 KB are 6,000 messages of the shortest kind: so many are looked at, and others are heard meanwhile."""
    bench = Bench(rate=5).listen()
    client, other = bench.client(), bench.client()
    short = b"A\r\nl:0\r\n\r\n"
    client.sendall(short * 500)
    await bench.until(lambda: bench.counts["connections_held_back rate"])
    assert len(bench.core.received) <= 5 + SLICE // len(short) + 1
    other.sendall(MESSAGE)
    await bench.until(lambda: MESSAGE in bench.core.messages)
    for _ in range(10):
        bench.look(1)
    await bench.until(lambda: len(bench.core.received) == 501)
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_connections_of_one_ipv6_network_are_bounded() -> None:
    """A /64 is one customer (RFC 6177 §2), who could connect from as many addresses of it as there are connections."""
    bench = Bench(per_source=2).listen()
    taken = [
        bench.streams.accept(bench.acceptor, IPv6Address("TCP", f"2001:db8::{number}", 5))
        for number in (1, "ffff:1", "2:0:0:1")
    ]
    assert [each is not None for each in taken] == [True, True, False]
    taken.append(bench.streams.accept(bench.acceptor, IPv6Address("TCP", "2001:db8:0:1::1", 5)))
    assert taken[3] is not None
    assert bench.counts["connections_refused source"] == 1
    for each in taken:
        if each is not None:
            each.lost("peer")
    assert bench.streams.tally.total("2001:db8:0:0 connected") == 0
    await bench.close()


# --- out


@pytest_twisted.ensureDeferred
async def test_messages_to_one_hop_share_a_connection(bench: Bench, server: Server) -> None:
    """What is sent while it is being made waits; what comes back has the connection's number."""
    flow = bench.flow(server.peer)
    assert bench.streams.send(flow, b"one")
    assert bench.streams.send(flow, b"two")
    far = await bench.until(server.take)
    assert await bench.reads(far, 6) == b"onetwo"
    assert bench.streams.send(flow, b"three")
    assert await bench.reads(far, 5) == b"three"
    far.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    back = bench.core.received[0][1]
    assert back == flow._replace(connection=back.connection)
    assert bench.streams.send(back, b"four")
    assert await bench.reads(far, 4) == b"four"
    assert server.take() is None
    assert bench.counts == {"connections_opened out": 1}
    assert bench.core.lost == []


@pytest_twisted.ensureDeferred
async def test_pongs_are_not_answered(bench: Bench, server: Server) -> None:
    """We keep a trunk's connection open by pings, and each pong of it is one CRLF: two are no ping."""
    flow = bench.flow(server.peer)
    assert bench.streams.send(flow, PING)
    far = await bench.until(server.take)
    for _ in range(4):
        assert await bench.reads(far, 4) == PING
        far.sendall(b"\r\n")
        await bench.settle()
        assert bench.streams.send(flow, PING)
    await bench.settle()
    assert far.recv(100) == PING
    far.sendall(b"\r\n" + PING)
    assert await bench.reads(far, 2) == b"\r\n"
    await bench.settle()
    with pytest.raises(BlockingIOError):
        far.recv(100)


@pytest_twisted.ensureDeferred
async def test_incoming_connections_are_not_used_for_requests_of_ours(bench: Bench, server: Server) -> None:
    """Whoever connects from a port does not get what is for its address (RFC 5923 has it for TLS with alias alone)."""
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    assert bench.streams.send(bench.flow(client.getsockname()), b"x")
    await bench.until(lambda: bench.core.lost)
    assert bench.counts["connections_closed connect"] == 1


@pytest_twisted.ensureDeferred
async def test_a_new_one_is_made_where_the_old_one_ended(bench: Bench, server: Server) -> None:
    """The next message after the far end has closed."""
    flow = bench.flow(server.peer)
    bench.streams.send(flow, b"one")
    far = await bench.until(server.take)
    assert await bench.reads(far, 3) == b"one"
    bench.skew += 1
    far.close()
    await bench.until(lambda: bench.core.ended)
    assert bench.core.lost == []
    assert bench.streams.send(flow, b"two")
    assert await bench.reads(await bench.until(server.take), 3) == b"two"


@pytest_twisted.ensureDeferred
async def test_nobody_there_is_told(bench: Bench) -> None:
    """Refused: every message that waited is undelivered, in order, and the connection never was one."""
    closed = Server()
    flow = bench.flow(closed.peer)
    closed.close()
    assert bench.streams.send(flow, b"one")
    assert bench.streams.send(flow, b"two")
    await bench.until(lambda: len(bench.core.lost) == 2)
    assert bench.core.lost == [(flow, b"one"), (flow, b"two")]
    assert bench.core.ended == []
    assert bench.counts == {"connections_closed connect": 1}


@pytest_twisted.ensureDeferred
async def test_sending_again_from_within_undelivered(bench: Bench, server: Server) -> None:
    """What a core does when a target fails: the next one."""
    closed = Server()
    flow = bench.flow(closed.peer)
    closed.close()
    bench.core.on_lost = lambda lost, data: bench.streams.send(bench.flow(server.peer), data)
    assert bench.streams.send(flow, b"one")
    assert await bench.reads(await bench.until(server.take), 3) == b"one"


@pytest_twisted.ensureDeferred
async def test_silence_is_told_in_time(bench: Bench) -> None:
    """A host that drops our SYN costs `connect_time`, no more: here a backlog that is full."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for each in fillers:
        each.setblocking(False)
        each.connect_ex(full.getsockname())
    await bench.settle()
    flow = bench.flow(full.getsockname())
    assert bench.streams.send(flow, b"one")
    await bench.settle()
    bench.look(3.9)
    assert bench.core.lost == []
    bench.look(0.2)
    await bench.until(lambda: bench.core.lost)
    assert bench.core.lost == [(flow, b"one")]
    assert bench.counts == {"connections_closed connect": 1}
    for each in (full, *fillers):
        each.close()


@pytest_twisted.ensureDeferred
async def test_what_waits_for_a_connection_is_bounded() -> None:
    """More is refused at once; what waited before is sent."""
    bench = Bench(write_buffer=65_536).listen()
    server = Server()
    flow = bench.flow(server.peer)
    assert [bench.streams.send(flow, b"x" * 30_000) for _ in range(3)] == [True, True, False]
    assert await bench.reads(await bench.until(server.take), 60_000) == b"x" * 60_000
    server.close()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_reset_right_after_writing_is_told(bench: Bench, server: Server) -> None:
    """What was handed to Twisted and may not have left counts as not sent."""
    flow = bench.flow(server.peer)
    bench.streams.send(flow, b"one")
    far = await bench.until(server.take)
    assert await bench.reads(far, 3) == b"one"
    await deferLater(reactor, 0.12)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    assert bench.streams.send(flow, b"two")
    await bench.until(lambda: bench.core.ended)
    assert bench.core.lost == [(flow, b"two")]


@pytest.mark.parametrize(
    "change",
    [
        {"peer": ("carrier.example", 5060)}, {"peer": ("::1", 5060)}, {"peer": ("127.0.0.1", 0)},
        {"peer": ("127.0.0.1", 65536)}, {"transport": "WS"}, {"transport": "TLS"}, {"local": ("127.0.0.9", 1)},
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_where_no_way_leads_is_refused_at_once(bench: Bench, change: dict[str, Any]) -> None:
    """Names, other families, ports that are none, transports and addresses without a listener."""
    assert not bench.streams.send(bench.flow(("127.0.0.1", 5060))._replace(**change), b"x")
    assert len(bench.streams) == 0


# --- the end


@pytest_twisted.ensureDeferred
async def test_stopping_writes_what_it_can_and_tells_the_core_nothing(server: Server) -> None:
    """Connections in, out and in the making; twice."""
    bench = Bench().listen()
    client = bench.client()
    client.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    bench.streams.send(bench.core.received[0][1], b"last")
    bench.streams.send(bench.flow(server.peer), b"x")
    await bench.streams.close()
    assert await bench.ended(client) == b"last"
    assert bench.core.ended == []
    assert bench.core.lost == []
    assert not bench.acceptor.is_open
    with pytest.raises(ConnectionRefusedError):
        bench.client()
    await bench.close()


def test_a_taken_port_is_an_error() -> None:
    """SO_REUSEADDR lets nobody listen beside us, and the other family's port is free."""
    port = free_port("0.0.0.0")
    six = open_stream_socket("::", port)
    four = open_stream_socket("0.0.0.0", port)
    with pytest.raises(OSError, match="in use"):
        open_stream_socket("0.0.0.0", port)
    six.close()
    four.close()
