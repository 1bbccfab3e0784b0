"""What waits on a connection fails when it ends, at a bounded rate."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.flow import Flow
from proxy.timers import TICK, TimerWheel
from proxy.waiting import AT_ONCE, Waiting
from tests.ladder import Ladder, Sent, Silence
from tests.proxy.test_transports import CARRIER, FAR, carrier, flow_of, phone, world

STREAMS = ("TCP", "TLS", "WS", "WSS")
INVITE = b"sip:+15550100@192.0.2.1:5070"
TWO_HOSTS = {
    "name": "carrier", "hosts": ["198.51.100.7:5090", "198.51.100.8:5090"], "listener": "far",
    "tls_name": "sip.carrier.example",
}  # fmt: skip


def test_the_next_host_takes_over_at_once() -> None:
    """No caller waits for timer B when the system has said that the trunk's connection is gone."""
    for transport in STREAMS:
        made = world("UDP", transport, trunks=[TWO_HOSTS])
        alice, gateway = phone("UDP"), carrier(transport)
        ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
        ladder.left += made.close(flow_of(gateway, transport, 8)) + made.wait(0.1)
        (address, data), *rest = ladder.left
        assert (address, data[:7], rest) == (("198.51.100.8", 5090), b"INVITE ", [])
        assert made.count("failovers", "transport") == 1


@pytest.mark.parametrize("status", [100, 180])
def test_who_has_answered_may_answer_over_another_connection(status: int) -> None:
    """A ringing phone rings on (RFC 3261 §18.2.2 has the far end connect to us)."""
    made, alice, gateway = world("UDP", "TCP", trunks=[TWO_HOSTS]), phone("UDP"), carrier("TCP")
    ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    ladder >> gateway.answer(ladder[b"INVITE"], status)
    ladder.left.clear()
    assert made.close(flow_of(gateway, "TCP", 8)) + made.wait(1) == []
    made.flows[CARRIER] = Flow("TCP", FAR, CARRIER, 9)
    assert ladder >> gateway.answer(ladder[b"INVITE"], 200) << Sent(alice, 200)


def test_another_connection_is_nobody_s_end() -> None:
    """Neither one of a phone, nor one to another address or with another name."""
    made, alice, gateway = world("TCP", "TLS"), phone("TCP"), carrier("TLS")
    ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    ours = flow_of(gateway, "TLS", 8)
    for other in (ours._replace(peer=("198.51.100.9", 5090)), ours._replace(identity=()), flow_of(alice, "TCP", 7)):
        ladder.left += made.close(other._replace(connection=99)) + made.wait(0.1)
    assert ladder << Silence()


def test_a_phone_that_hangs_up_its_connection_is_told_of_at_once() -> None:
    """Its INVITE waits for nobody any more."""
    made, alice, gateway = world("WSS", "UDP"), phone("WSS"), carrier("UDP")
    ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    sent = ladder[b"INVITE"]
    answer = gateway.answer(sent, 200)
    ladder >> answer << Sent(alice, 200)
    bye = gateway.within(b"BYE", sent, own=answer)
    ladder >> bye << Sent(alice, b"BYE")
    ladder.left += made.close(flow_of(alice, "WSS", 7)) + made.wait(0.1)
    assert ladder << Sent(gateway, 480)


def test_thousands_do_not_fail_in_one_go() -> None:
    """Each costs an edit elsewhere: so many a tick."""
    made, alice = world("UDP", "TCP"), phone("UDP")
    for number in range(AT_ONCE + 1):
        made.receive(*alice.invite(uri=INVITE, branch=b"z9hG4bK%d" % number, call_id=b"%d@x" % number))
    assert len(made.core.waiting) == AT_ONCE + 1
    assert made.close(flow_of(carrier("TCP"), "TCP", 8)) == []
    assert len(made.wait(TICK)) == AT_ONCE
    assert len(made.wait(TICK)) == 1
    assert len(made.core.waiting) == 0


class Client:
    """A request that waits."""

    def __init__(self, worker: int) -> None:
        self.flow = Flow("TLS", FAR, CARRIER, (worker << 32) + 7)
        self.failed = False

    def unreachable(self, now: float) -> None:
        self.failed = True


def test_the_end_of_a_worker_is_that_of_its_connections() -> None:
    """What waits for another worker's goes on, and for one that we make ourselves."""
    waiting, wheel = Waiting(), TimerWheel(0.0)
    clients: list[Any] = [Client(1), Client(2)]
    clients.append(Client(0))
    clients[2].flow = Flow("TLS", FAR, CARRIER)
    for client in clients:
        waiting.begins(client)
    waiting.worker_ended(1, wheel, 0.0)
    wheel.advance(1.0)
    assert [client.failed for client in clients] == [True, False, False]
    waiting.ended(clients[1].flow, wheel, 1.0, here=False)
    wheel.advance(2.0)
    assert [client.failed for client in clients] == [True, True, False]
    assert len(waiting) == 1


def test_another_worker_s_connection_to_a_trunk_is_not_ours() -> None:
    """Each worker has made one of its own; the end of the other's fails nothing here."""
    made, alice, gateway = world("UDP", "TCP", trunks=[TWO_HOSTS]), phone("UDP"), carrier("TCP")
    ladder = Ladder(made) >> alice.invite(uri=INVITE) << Sent(alice, 100) << Sent(gateway, b"INVITE")
    made.core.closed(flow_of(gateway, "TCP", (1 << 32) + 8), made.now, here=False)
    assert made.wait(0.1) == []
    assert len(made.core.waiting) == 1
    assert ladder >> gateway.answer(ladder[b"INVITE"], 200) << Sent(alice, 200)
