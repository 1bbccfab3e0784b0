"""One connection without a socket: what waits, what counts as unsent, and the clocks that end it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from config.streams_section import Streams as Bounds
from proxy.datagrams import TransportStats
from proxy.flow import Flow
from proxy.framing import Unframed
from proxy.transport_connection import FRESH, Connection, StreamProtocol
from proxy.transport_tls import Tls

FLOW = Flow("TCP", ("192.0.2.1", 5060), ("192.0.2.9", 40_000), 7)


class Table:
    """Has the interface of an Owner; remembers."""

    def __init__(self, **bounds: Any) -> None:
        self.bounds = Bounds(**bounds)
        self.time = 100.0
        self.watched: set[Connection] = set()
        self.told: list[str] = []
        self.unsent: list[bytes] | None = None
        self.counts: Counter[str] = Counter()

    def now(self) -> float:
        return self.time

    def opened(self, connection: Connection) -> None:
        self.told.append("opened")

    def arrived(self, connection: Connection, data: bytes) -> None:
        self.told.append(data.decode())

    def unframed(self, connection: Connection, error: Unframed) -> None:
        self.told.append(error.why)

    def gone(self, connection: Connection, unsent: Sequence[tuple[Flow, bytes]]) -> None:
        self.unsent = [data for _, data in unsent]

    def count(self, name: str, label: str) -> None:
        self.counts[f"{name} {label}"] += 1


class Wire:
    """Has the interface of a Carrier."""

    def __init__(self) -> None:
        self.did: list[Any] = []

    def write(self, data: bytes) -> None:
        self.did.append(data)

    def pause(self) -> None:
        self.did.append("pause")

    def resume(self) -> None:
        self.did.append("resume")

    def end(self) -> None:
        self.did.append("end")

    def abort(self) -> None:
        self.did.append("abort")


def made(*, outgoing: bool = False, trusted: bool = False, **bounds: Any) -> tuple[Table, Connection, Wire]:
    table = Table(**bounds)
    connection = Connection(table, FLOW, TransportStats(), outgoing=outgoing, trusted=trusted)
    connection.carrier = wire = Wire()
    return table, connection, wire


def opened(**what: Any) -> tuple[Table, Connection, Wire]:
    table, connection, wire = made(**what)
    connection.established(())
    return table, connection, wire


def test_names_that_a_client_proved_are_in_its_flow_and_ours_stay() -> None:
    _, connection, _ = made()
    connection.established(("carrier.example",))
    assert connection.flow == FLOW._replace(identity=("carrier.example",))
    _, ours, _ = made(outgoing=True)
    ours.established(("other.example",))
    assert ours.flow == FLOW


def test_what_was_written_long_ago_has_left() -> None:
    """And what was written just now may not have: it counts as unsent, in order, before what waits."""
    table, connection, wire = opened()
    connection.send(FLOW, b"old")
    table.time += 1
    connection.send(FLOW, b"one")
    table.time += FRESH * 1.2  # a new list begins, and the former still counts
    connection.send(FLOW, b"two")
    connection.stalls()
    connection.send(FLOW, b"three")
    assert wire.did == [b"old", b"one", b"two"]
    connection.lost("peer")
    assert table.unsent == [b"one", b"two", b"three"]
    assert table.counts == {"connections_closed peer": 1}
    assert connection not in table.watched


def test_after_a_moment_nothing_is_unsent() -> None:
    table, connection, _ = opened()
    connection.send(FLOW, b"one")
    table.time += FRESH * 2
    connection.lost("peer")
    assert table.unsent == []


def test_a_look_lets_go_of_what_has_left() -> None:
    """A phone that waits for a call keeps no message in memory, and is looked at no more."""
    table, connection, _ = opened(outgoing=True)
    connection.send(FLOW, b"x" * 1000)
    table.time += 1
    assert not connection.look(table.time)
    assert connection._fresh == []


def test_a_connection_that_is_closing_takes_nothing() -> None:
    _, connection, wire = opened()
    connection.close("idle")
    connection.close("slow")
    assert not connection.send(FLOW, b"x")
    assert wire.did == ["end"]


@pytest.mark.parametrize(
    ("reason", "did"),
    [("malformed", "end"), ("size", "end"), ("idle", "end"), ("shutdown", "end"), ("slow", "abort"),
     ("silent", "abort"), ("not-reading", "abort"), ("identity", "abort"), ("connect", "abort")],
)  # fmt: skip
def test_who_is_waited_for(reason: str, did: str) -> None:
    """Only those that still get an answer, or that have done nothing wrong; and a second at most."""
    table, connection, wire = opened()
    connection.close(reason)
    assert wire.did == [did]
    table.time += 1.1
    assert connection.look(table.time)
    assert wire.did == [did, "abort"]


def test_who_does_not_read_is_not_waited_for() -> None:
    _, connection, wire = opened()
    connection.stalls()
    connection.close("shutdown")
    assert wire.did == ["abort"]


def test_giving_up_what_was_never_made() -> None:
    table = Table()
    connection = Connection(table, FLOW, TransportStats(), outgoing=True, trusted=True)
    gave_up: list[str] = []
    connection.cancel = lambda: gave_up.append("cancel")
    assert connection.send(FLOW, b"one")
    assert connection.look(table.time + 3.9)
    assert gave_up == []
    assert connection.look(table.time + 4.1)
    assert gave_up == ["cancel"]
    connection.lost("connect")
    assert table.unsent == [b"one"]


def test_a_flood_is_held_back_until_the_next_second() -> None:
    """And a message that it has begun is not slow for that."""
    table, connection, wire = opened(rate=2)
    connection.message(b"a")
    connection.progress(begun=True, complete=True)
    connection.message(b"b")
    connection.message(b"c")
    assert wire.did == ["pause"]
    connection.look(table.time + 0.5)
    assert wire.did == ["pause"]
    table.time += 9.9
    assert connection.look(table.time)
    assert wire.did == ["pause", "resume"]
    table.time += 9
    connection.look(table.time)
    assert wire.did == ["pause", "resume"]


def test_trusted_servers_are_not_held_back() -> None:
    table, connection, wire = opened(rate=1, trusted=True)
    for _ in range(100):
        connection.message(b"a")
    assert wire.did == []
    assert not table.counts


def test_reading_again_writes_until_it_stops_again() -> None:
    _, connection, wire = opened()
    connection.stalls()
    for data in (b"one", b"two", b"three"):
        connection.send(FLOW, data)
    write = wire.write

    def full(data: bytes) -> None:
        write(data)
        connection.stalls()

    wire.write = full  # type: ignore[method-assign]
    connection.reads()
    assert wire.did == [b"one"]
    assert connection._waiting_size == 8
    connection.reads()
    connection.reads()
    assert wire.did == [b"one", b"two", b"three"]
    assert connection._waiting_size == 0


def test_bytes_before_a_handshake_or_after_the_end_are_not_read() -> None:
    """A protocol gives a connection that is not open, or closing, nothing."""
    table, connection, _ = made()
    protocol = StreamProtocol(connection, 1000, tls=Tls.__new__(Tls))
    protocol.dataReceived(b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n")
    assert table.told == []
