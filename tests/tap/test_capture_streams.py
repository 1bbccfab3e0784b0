"""SIP over TCP, out of captured segments."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

from tap.capture_packets import Packet
from tap.capture_streams import MAX_HELD, Streams
from tests.tap.pcap import PHONE, SBC, message

ONE, TWO = message(body="v=0\r\n\r\nSIP/2.0 200 OK\r\n"), message("SIP/2.0 200 OK", "Subject: two")
SYN, FIN = 2, 1


def segment(data: bytes, sequence: int, flags: int = 0) -> Packet:
    return Packet(1, 0.0, PHONE, SBC, "TCP", data, sequence & 0xFFFFFFFF, flags)


def follow(*segments: Packet) -> tuple[list[bytes], list[bytes], Counter[str]]:
    damage: Counter[str] = Counter()
    streams = Streams(damage)
    found = [data for one in segments for data in streams.messages(one)]
    return found, [data for _, _, data in streams.rest()], damage


def test_messages_are_told_apart() -> None:
    """By Content-Length, however they are cut, around the end of the sequence numbers."""
    data = b"\r\n\r\n" + ONE + b"\r\n" + TWO + ONE
    for size in (1, 7, 100, 5000):
        begin = -30
        pieces = [segment(data[at : at + size], begin + 1 + at) for at in range(0, len(data), size)]
        found, rest, damage = follow(segment(b"", begin, SYN), *pieces)
        assert found == [ONE, TWO, ONE]
        assert (rest, damage) == ([], Counter())


def test_segments_in_any_order() -> None:
    """Early ones wait, repeated ones are dropped."""
    pieces = [segment(ONE[at : at + 100], 11 + at) for at in range(0, len(ONE), 100)]
    for order in permutations(pieces[:4]):
        found, _, _ = follow(segment(b"", 10, SYN), *order, order[0], *pieces[4:])
        assert found == [ONE]


def test_capture_that_begins_in_the_middle() -> None:
    """The first whole message is found."""
    assert follow(segment(TWO[-60:] + ONE, 5))[0] == [ONE]


def test_capture_that_ends_in_the_middle() -> None:
    """What was begun is handed out all the same."""
    found, rest, _ = follow(segment(TWO + ONE[:-30], 5))
    assert (found, rest) == ([TWO], [ONE[:-30]])
    assert follow(segment(b"", 4, SYN), segment(ONE[:-30], 5, FIN))[0] == [ONE[:-30]]


def test_a_gap_ends() -> None:
    """A segment that was not captured does not hold up the rest for ever."""
    size = 1000
    pieces = [segment(ONE.ljust(size), 1000 + size + at * size) for at in range(MAX_HELD // size + 2)]
    found, _, damage = follow(segment(ONE[:50], 5), *pieces)
    assert ONE in found
    assert damage["a TCP stream with a gap"] >= 1


def test_endless_message_is_bounded() -> None:
    """A Content-Length that never comes true."""
    start = b"INVITE sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n"
    segments = [segment(start, 1)] + [segment(b"x" * 1000, 1 + len(start) + at * 1000) for at in range(300)]
    assert follow(*segments)[2]["a message too long to be followed"] == 1


def test_what_is_no_sip_is_let_go() -> None:
    """TLS, HTTP: nothing is found, and nothing piles up."""
    assert follow(*(segment(bytes(range(256)) * 4, 1 + at * 1024) for at in range(600)))[:2] == ([], [])
