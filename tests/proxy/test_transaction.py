"""Transactions against the schedules of RFC 3261 table 4, on a clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from config.settings import Limits, Timers
from proxy.counters import Counters
from proxy.flow import Flow
from proxy.lingering import CompletedClient, CompletedServer
from proxy.machines import State
from proxy.message import Message
from proxy.parse import parse
from proxy.timers import TICK, Intervals, TimerWheel
from proxy.transaction import ClientTransaction, Environment, Key, ServerTransaction
from proxy.waiting import Waiting

FLOW = Flow("UDP", ("192.0.2.1", 5060), ("198.51.100.7", 5060))


def request(method: bytes) -> bytes:
    return (
        b"%b sip:bob@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport\r\n"
        b"From: <sip:a@b>;tag=a\r\nTo: <sip:bob@b>\r\nCall-ID: 1\r\nCSeq: 7 %b\r\nContent-Length: 0\r\n\r\n"
    ) % (method, method)


def response(status: int, method: bytes) -> Message:
    return parse(
        request(method)
        .replace(b"%b sip:bob@198.51.100.7 SIP/2.0" % method, b"SIP/2.0 %d X" % status)
        .replace(b"To: <sip:bob@b>", b"To: <sip:bob@b>;tag=b"),
        Limits(),
    )


@dataclass
class Bench:
    """One transaction, its environment and its user."""

    timers: Timers = field(default_factory=Timers)
    now: float = 0.0
    works: bool = True
    flow: Flow = FLOW

    def __post_init__(self) -> None:
        self.wheel = TimerWheel(0.0)
        self.counters = Counters()
        self.waiting = Waiting()
        self.environment = Environment(Intervals(self.timers), self.wheel, self.counters, self.waiting, self.send)
        self.sent: list[tuple[float, bytes]] = []
        self.responses: list[int] = []
        self.failures: list[tuple[float, int]] = []
        self.made = 0
        self.table: dict[Key, Any] = {}

    def send(self, flow: Flow, data: bytes) -> bool:
        assert flow == self.flow
        if self.works:
            self.sent.append((round(self.now, 3), data))
        return self.works

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        self.responses.append(response.status)

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        self.failures.append((round(now, 3), status))

    @property
    def forgotten(self) -> int:
        """Return how many of the transactions that were made stand in the table no more."""
        return self.made - len(self.table)

    def client(self, method: bytes) -> ClientTransaction:
        self.made += 1
        key = b"%d %b" % (self.made, method)
        client = ClientTransaction(self.environment, self.flow, self.table, key, request(method), self)
        client.start(self.now)
        return client

    def server(self, *, is_invite: bool) -> ServerTransaction:
        self.made += 1
        return ServerTransaction(self.environment, self.flow, self.table, b"%d" % self.made, is_invite=is_invite)

    def until(self, end: float) -> None:
        """Turn the clock in ticks that are not aligned to the wheel's slots."""
        while self.now < end - 1e-9:
            self.now = min(end, self.now + TICK * 0.96)
            self.wheel.advance(self.now)

    def times(self, what: bytes = b"") -> list[float]:
        """Return when messages that begin with `what` left."""
        return [at for at, data in self.sent if data.startswith(what)]


def matches(times: list[float], schedule: list[float]) -> bool:
    """Tell whether each time is the scheduled one, or late by at most two ticks however many came before."""
    return len(times) == len(schedule) and all(
        -1e-6 <= at - due <= 2 * TICK + 1e-6 for at, due in zip(times, schedule, strict=True)
    )


# --- INVITE client: timers A, B, D, M


def test_an_invite_without_answer_is_sent_seven_times_and_times_out_after_32_seconds() -> None:
    """Timer A doubles from T1 without end, timer B is 64*T1 (§17.1.1.2); 408 goes to the user."""
    bench = Bench()
    client = bench.client(b"INVITE")
    bench.until(40)
    assert matches(bench.times(), [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])
    assert len({data for _, data in bench.sent}) == 1
    ((at, status),) = bench.failures
    assert status == 408
    assert 32 <= at <= 32.1
    assert (client.state, bench.forgotten) == (State.TERMINATED, 1)
    assert bench.counters.values["timeouts", "B"] == 1
    assert bench.counters.values["retransmissions_sent", "A"] == 6


def test_a_provisional_response_ends_retransmission_for_good() -> None:
    """§17.1.1.2: in Proceeding neither A nor B runs; how long it may ring is timer C, the proxy's (§16.8)."""
    bench = Bench()
    client = bench.client(b"INVITE")
    bench.until(0.7)
    client.receive(response(180, b"INVITE"), bench.now)
    bench.until(300)
    assert len(bench.sent) == 2
    assert (client.state, bench.responses, bench.failures) == (State.PROCEEDING, [180], [])


def test_a_refusal_is_acknowledged_each_time_and_absorbed_for_timer_d() -> None:
    """Timer D is at least 32 s (§17.1.1.2); the user hears of it once."""
    bench = Bench()
    client = bench.client(b"INVITE")
    for _ in range(3):
        client.receive(response(486, b"INVITE"), bench.now)
        bench.until(bench.now + 5)
    assert bench.responses == [486]
    acks = [data for _, data in bench.sent if data.startswith(b"ACK ")]
    assert len(acks) == 3
    assert len(set(acks)) == 1
    assert b"To: <sip:bob@b>;tag=b\r\n" in acks[0]
    assert b"CSeq: 7 ACK\r\n" in acks[0]
    bench.until(31.9)
    assert isinstance(bench.table[b"1 INVITE"], CompletedClient)
    assert bench.table[b"1 INVITE"].ack == acks[0]
    bench.until(32.2)
    assert bench.forgotten == 1


def test_every_2xx_goes_up_until_timer_m() -> None:
    """RFC 6026 §7.2: Accepted, 64*T1; the transaction neither acknowledges nor absorbs."""
    bench = Bench()
    client = bench.client(b"INVITE")
    for _ in range(4):
        client.receive(response(200, b"INVITE"), bench.now)
        bench.until(bench.now + 4)
    assert bench.responses == [200] * 4
    assert bench.times(b"ACK") == []
    assert client.receive(response(486, b"INVITE"), bench.now) is False
    assert client.receive(response(180, b"INVITE"), bench.now) is False
    bench.until(31.9)
    assert client.state is State.ACCEPTED
    bench.until(32.2)
    assert (client.state, bench.forgotten) == (State.TERMINATED, 1)


# --- non-INVITE client: timers E, F, K


def test_a_request_is_repeated_at_growing_intervals_of_at_most_t2() -> None:
    """Timer E doubles from T1 to T2, timer F is 64*T1 (§17.1.2.2): eleven copies, then 408 to the user."""
    bench = Bench()
    client = bench.client(b"OPTIONS")
    bench.until(40)
    assert matches(bench.times(), [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
    ((at, status),) = bench.failures
    assert status == 408
    assert 32 <= at <= 32.1
    assert (client.state, bench.forgotten) == (State.TERMINATED, 1)
    assert bench.counters.values["timeouts", "F"] == 1
    assert bench.counters.values["retransmissions_sent", "E"] == 10


def test_after_a_provisional_response_a_request_is_repeated_every_t2() -> None:
    """§17.1.2.2: in Proceeding timer E is reset with T2, and F goes on."""
    bench = Bench()
    client = bench.client(b"OPTIONS")
    client.receive(response(100, b"OPTIONS"), bench.now)
    bench.until(40)
    assert matches(bench.times(), [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5])
    assert [status for _, status in bench.failures] == [408]
    assert 32 <= bench.failures[0][0] <= 32.1


@pytest.mark.parametrize("status", [200, 404, 603])
def test_repeated_final_responses_are_absorbed_for_timer_k(status: int) -> None:
    """Timer K is T4 (§17.1.2.2)."""
    bench = Bench()
    client = bench.client(b"OPTIONS")
    client.receive(response(status, b"OPTIONS"), bench.now)
    assert client.receive(response(status, b"OPTIONS"), bench.now) is False
    bench.until(4.9)
    assert client.state is State.COMPLETED
    bench.until(5.2)
    assert (client.state, bench.forgotten, bench.responses) == (State.TERMINATED, 1, [status])
    assert len(bench.sent) == 1


# --- INVITE server: timers G, H, I, L


def test_a_refusal_is_repeated_until_timer_h() -> None:
    """Timer G doubles from T1 to T2, timer H is 64*T1 (§17.2.1)."""
    bench = Bench()
    server = bench.server(is_invite=True)
    server.respond(486, b"486", bench.now)
    bench.until(40)
    assert matches(bench.times(), [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
    assert (server.state, bench.forgotten) == (State.TERMINATED, 1)
    assert bench.counters.values["timeouts", "H"] == 1
    assert bench.counters.values["retransmissions_sent", "G"] == 10


def test_an_ack_ends_the_repetition_and_timer_i_absorbs_further_ones() -> None:
    """Timer I is T4 (§17.2.1)."""
    bench = Bench()
    server = bench.server(is_invite=True)
    server.respond(486, b"486", bench.now)
    bench.until(2)
    assert len(bench.sent) == 3
    assert server.acknowledge(bench.now)
    assert server.acknowledge(bench.now)
    server.repeat(bench.now)
    bench.until(6.9)
    assert (len(bench.sent), server.state) == (3, State.CONFIRMED)
    bench.until(7.2)
    assert (server.state, bench.forgotten) == (State.TERMINATED, 1)
    assert bench.counters.values.get(("timeouts", "H"), 0) == 0


def test_a_2xx_is_sent_by_the_transaction_only_when_the_user_says_so() -> None:
    """RFC 6026 §7.1: Accepted for timer L, 64*T1; repeated INVITEs are absorbed, further 2xx pass."""
    bench = Bench()
    server = bench.server(is_invite=True)
    server.respond(200, b"200 a", bench.now)
    bench.until(5)
    server.repeat(bench.now)
    assert len(bench.sent) == 1
    assert server.respond(200, b"200 b", bench.now)
    assert not server.respond(486, b"486", bench.now)
    assert not server.acknowledge(bench.now), "the ACK of a 2xx goes on to the far side"
    assert [data for _, data in bench.sent] == [b"200 a", b"200 b"]
    bench.until(31.9)
    assert server.state is State.ACCEPTED
    bench.until(32.2)
    assert (server.state, bench.forgotten) == (State.TERMINATED, 1)


def test_a_repeated_invite_gets_the_last_provisional_response() -> None:
    """§17.2.1; before there is one, nothing."""
    bench = Bench()
    server = bench.server(is_invite=True)
    server.repeat(bench.now)
    assert bench.sent == []
    server.respond(100, b"100", bench.now)
    server.respond(180, b"180", bench.now)
    server.repeat(bench.now)
    assert [data for _, data in bench.sent] == [b"100", b"180", b"180"]
    assert not server.finished


# --- non-INVITE server: timer J


def test_a_repeated_request_gets_the_final_response_for_timer_j() -> None:
    """Timer J is 64*T1 (§17.2.2); in Trying a repetition is absorbed."""
    bench = Bench()
    server = bench.server(is_invite=False)
    server.repeat(bench.now)
    assert bench.sent == []
    server.respond(200, b"200", bench.now)
    bench.until(10)
    server.repeat(bench.now)
    assert bench.times() == [0, 10]
    assert not server.respond(500, b"500", bench.now)
    bench.until(31.9)
    assert isinstance(bench.table[b"1"], CompletedServer)
    assert bench.table[b"1"].response == b"200"
    bench.until(32.2)
    assert bench.forgotten == 1


def test_who_has_left_the_table_gives_way_to_nobody() -> None:
    """Else its successor would stand there for ever: the timer has been there already."""
    bench = Bench()
    server = bench.server(is_invite=True)
    server.respond(200, b"200", bench.now)
    bench.until(33)
    assert bench.forgotten == 1
    server.give_way(CompletedServer(FLOW, b"200"))
    assert bench.forgotten == 1


def test_a_provisional_response_to_a_request_is_repeated_too() -> None:
    """§17.2.2 Proceeding."""
    bench = Bench()
    server = bench.server(is_invite=False)
    server.respond(100, b"100", bench.now)
    server.repeat(bench.now)
    assert [data for _, data in bench.sent] == [b"100", b"100"]


# --- all of them


@pytest.mark.parametrize("method", [b"INVITE", b"OPTIONS"])
def test_what_cannot_be_sent_fails_as_503_soon_but_not_at_once(method: bytes) -> None:
    """§16.9, §17.1.4; not from within `start`, whose caller has not finished yet."""
    bench = Bench(works=False)
    client = bench.client(method)
    assert bench.failures == []
    bench.until(0.2)
    assert [status for _, status in bench.failures] == [503]
    assert (client.state, bench.forgotten) == (State.TERMINATED, 1)
    bench.until(40)
    assert len(bench.failures) == 1


@pytest.mark.parametrize("method", [b"INVITE", b"OPTIONS"])
@pytest.mark.parametrize("provisional", [False, True], ids=["unheard", "100"])
def test_a_repetition_that_cannot_be_sent_is_lost_and_no_more(method: bytes, provisional: bool) -> None:
    """The first copy left: who has it may answer still, and timers B and F end it as if all copies had left.

    Timer B does not run after a 1xx (timer C is the core's); timer F does.
    """
    for answered in (True, False):
        bench = Bench()
        client = bench.client(method)
        if provisional:
            client.receive(response(100, method), bench.now)
        bench.until(0.2)
        bench.works = False
        bench.until(6)
        bench.works = True
        assert bench.failures == []
        if answered:
            client.receive(response(200, method), bench.now)
            assert bench.responses[-1] == 200
        bench.until(70)
        bound = 0 if answered or (provisional and method == b"INVITE") else 1
        assert [status for _, status in bench.failures] == [408] * bound


@pytest.mark.parametrize("t1", [0.1, 1.0])
def test_all_times_follow_t1(t1: float) -> None:
    """§17.1.1.1: T1 is an estimate that may be configured; D stays at 32 s or more."""
    bench = Bench(Timers(t1=t1))
    bench.client(b"INVITE")
    bench.until(64 * t1 + 1)
    assert matches(bench.times(), [t1 * (2**nth - 1) for nth in range(7)])
    assert bench.failures[0][0] == pytest.approx(64 * t1, abs=0.11)
    bench = Bench(Timers(t1=t1))
    client = bench.client(b"INVITE")
    client.receive(response(486, b"INVITE"), 0)
    bench.until(31.9)
    assert client.state is State.COMPLETED


def test_an_abandoned_transaction_is_forgotten_without_a_word() -> None:
    """Its place was taken by another outcome."""
    bench = Bench()
    client = bench.client(b"INVITE")
    client.abandon()
    client.abandon()
    bench.until(40)
    assert (len(bench.sent), bench.failures, bench.forgotten) == (1, [], 1)
    assert client.receive(response(200, b"INVITE"), bench.now) is False


def test_no_timer_outlives_its_transaction() -> None:
    """After the longest schedule the wheel is empty."""
    bench = Bench()
    for method in (b"INVITE", b"OPTIONS"):
        bench.client(method).receive(response(404, method), 0)
        server = bench.server(is_invite=method == b"INVITE")
        server.respond(404, b"404", 0)
        server.acknowledge(0)
    bench.until(40)
    assert bench.forgotten == 4
    assert len(bench.wheel) == 0


def test_one_timer_runs_for_both_repetition_and_end() -> None:
    """Timer B, F or H takes the place of A, E or G where it is due before."""
    for method in (b"INVITE", b"OPTIONS"):
        bench = Bench()
        bench.client(method)
        bench.until(31.9)
        assert len(bench.wheel) == 1
        bench.until(33)
        assert len(bench.failures) == 1


# --- over reliable transports (RFC 3261 table 4)


STREAMS = [
    Flow(transport, FLOW.local, FLOW.peer, number) for transport in ("TCP", "TLS", "WS", "WSS") for number in (0, 7)
]
streams = pytest.mark.parametrize("flow", STREAMS, ids=lambda flow: f"{flow.transport} {flow.connection}")


@streams
@pytest.mark.parametrize(("method", "timer"), [(b"INVITE", "B"), (b"MESSAGE", "F")])
def test_a_stream_carries_a_request_once_and_gives_up_as_late(flow: Flow, method: bytes, timer: str) -> None:
    """No timer A or E; B and F after 64*T1 all the same (§17.1.1.2, §17.1.2.2)."""
    bench = Bench(flow=flow)
    bench.client(method)
    bench.until(31.9)
    assert (bench.times(), bench.failures) == ([0], [])
    bench.until(40)
    assert [status for _, status in bench.failures] == [408]
    assert bench.counters.values["timeouts", timer] == 1
    assert (bench.table, len(bench.wheel)) == ({}, 0)


@streams
@pytest.mark.parametrize("method", [b"INVITE", b"MESSAGE"])
def test_an_answer_over_a_stream_ends_the_request(flow: Flow, method: bytes) -> None:
    """D and K are 0; the ACK of a refusal leaves all the same, and nothing runs on."""
    bench = Bench(flow=flow)
    client = bench.client(method)
    client.receive(response(486, method), bench.now)
    assert (bench.responses, bench.times(b"ACK")) == ([486], [0] if method == b"INVITE" else [])
    assert (client.state, bench.table, len(bench.wheel), client.request) == (State.TERMINATED, {}, 0, b"")
    assert not client.receive(response(486, method), bench.now)


@streams
def test_an_accepted_invite_waits_for_further_2xx_over_a_stream_too(flow: Flow) -> None:
    """RFC 6026 §8.4: M is 64*T1, whatever carries it, for the other phones of a fork."""
    bench = Bench(flow=flow)
    client = bench.client(b"INVITE")
    client.receive(response(200, b"INVITE"), bench.now)
    bench.until(31)
    client.receive(response(200, b"INVITE"), bench.now)
    assert bench.responses == [200, 200]
    bench.until(33)
    assert (bench.table, len(bench.wheel)) == ({}, 0)


@streams
def test_a_refusal_over_a_stream_is_sent_once_and_ends_with_its_ack(flow: Flow) -> None:
    """No timer G, and I is 0 (§17.2.1)."""
    bench = Bench(flow=flow)
    server = bench.server(is_invite=True)
    server.respond(486, b"486", bench.now)
    bench.until(20)
    assert bench.times() == [0]
    assert server.acknowledge(bench.now)
    assert (server.state, bench.table, len(bench.wheel)) == (State.TERMINATED, {}, 0)


@streams
def test_a_refusal_over_a_stream_waits_for_its_ack_as_long_as_over_udp(flow: Flow) -> None:
    """Timer H stays (§17.2.1)."""
    bench = Bench(flow=flow)
    server = bench.server(is_invite=True)
    server.respond(486, b"486", bench.now)
    bench.until(31.9)
    assert server.state is State.COMPLETED
    bench.until(33)
    assert (server.state, bench.table) == (State.TERMINATED, {})
    assert bench.counters.values["timeouts", "H"] == 1


@streams
def test_an_answer_to_a_non_invite_ends_it_over_a_stream(flow: Flow) -> None:
    """J is 0 (§17.2.2), and a second answer is of no use."""
    bench = Bench(flow=flow)
    server = bench.server(is_invite=False)
    assert server.respond(200, b"200", bench.now)
    assert (server.finished, bench.table, len(bench.wheel)) == (True, {}, 0)
    assert not server.respond(500, b"500", bench.now)
    assert bench.times() == [0]
