"""A trunk that answers, goes, and swallows."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from scripts.load import wire
from scripts.load.accounts import NUMBER
from scripts.load.addresses import PROXY, TRUNK, free
from scripts.load.alarm import Alarms
from scripts.load.group_trunk import GroupTrunk

INVITE = (
    b"INVITE sip:+493050000042@t SIP/2.0\r\nVia: SIP/2.0/UDP p;branch=z9hG4bK1\r\nTo: <sip:t>\r\nCSeq: 1 INVITE\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class Bench:
    def __init__(self) -> None:
        self.alarms = Alarms()
        self.seen: list[tuple[int, str, float]] = []
        self.trunk = GroupTrunk("first", free(TRUNK), 1.0, self.alarms, lambda *what: self.seen.append(what))
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.bind((PROXY, 0))
        self.far.settimeout(0.2)

    def say(self, message: bytes, now: float) -> None:
        self.far.sendto(message, self.trunk.address)
        self.trunk.turn(now)

    def hear(self) -> int:
        """Return the status of what comes, 0 where nothing does."""
        try:
            return wire.status(self.far.recv(65535))
        except TimeoutError:
            return 0


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.far.close()
    made.trunk.close()


def test_a_call(bench: Bench) -> None:
    """180, then 200 until there is an ACK."""
    bench.say(INVITE, 10)
    assert (bench.hear(), bench.seen) == (180, [(42, "first", 10)])
    bench.alarms.ring(11.0)
    assert bench.hear() == 200
    bench.alarms.ring(11.6)
    assert bench.hear() == 200
    bench.say(INVITE.replace(b"INVITE", b"ACK").replace(b"<sip:t>", b"<sip:t>;tag=gz9hG4bK1"), 11.7)
    bench.alarms.ring(20)
    assert bench.hear() == 0
    bench.say(INVITE.replace(b"INVITE", b"BYE"), 21)
    assert bench.hear() == 200


def test_a_repetition_rings_once(bench: Bench) -> None:
    bench.say(INVITE, 10)
    bench.alarms.ring(11)
    assert (bench.hear(), bench.hear()) == (180, 200)
    bench.say(INVITE, 11.1)
    assert bench.hear() == 200


def test_swallowed(bench: Bench) -> None:
    """It is seen, and nothing comes; what rang before is not answered either."""
    bench.say(INVITE, 10)
    assert bench.hear() == 180
    bench.trunk.swallow(10.9)
    assert bench.trunk.went == 10.9
    bench.alarms.ring(11)
    bench.say(INVITE.replace(b"42@", b"43@").replace(b"bK1", b"bK2"), 11)
    assert bench.hear() == 0
    assert [call for call, _, _ in bench.seen] == [42, 43]


def test_killed_and_back(bench: Bench) -> None:
    """A new process knows nothing of what rang."""
    bench.say(INVITE, 10)
    assert bench.hear() == 180
    assert bench.trunk.went > 1e9, "it has not gone yet"
    bench.trunk.kill(10.4)
    assert bench.trunk.went == 10.4
    bench.trunk.turn(10.5)
    bench.trunk.begin()
    bench.alarms.ring(12)
    assert bench.hear() == 0
    bench.say(INVITE, 13)
    assert bench.hear() == 180


def test_a_leak_is_counted(bench: Bench) -> None:
    bench.say(INVITE.replace(b"<sip:t>", b"<sip:%b1@t>" % NUMBER.encode()), 10)
    assert bench.trunk.leaks == 1
