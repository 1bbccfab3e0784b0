"""Reading SIPp's message trace while it is written."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from scripts.load.tape import Tape, entries

BAR = b"-" * 47 + b" 2026-11-23 21:20:32.148802\n"


def received(message: bytes) -> bytes:
    return BAR + b"UDP message received [%d] bytes :\n\n%b\n" % (len(message), message)


def sent(message: bytes) -> bytes:
    return BAR + b"UDP message sent (%d bytes):\n\n%b\n" % (len(message), message)


AT = datetime(2026, 11, 23, 21, 20, 32, 148802).timestamp()
ONE, TWO = b"INVITE sip:a@b SIP/2.0\r\n\r\nv=0\r\n", b"BYE sip:a@b SIP/2.0\r\n\r\n"


def test_directions_are_told_apart() -> None:
    """What the trunk sent is none of our business."""
    assert [entry for _, entry in entries(received(ONE) + sent(TWO) + received(TWO))] == [(ONE, AT), None, (TWO, AT)]


def test_a_message_that_looks_like_a_trace() -> None:
    """Its length says where it ends."""
    odd = ONE + received(TWO) + BAR
    assert [entry for _, entry in entries(received(odd) + received(TWO))] == [(odd, AT), (TWO, AT)]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_pieces(tmp_path: Path, size: int) -> None:
    """However the pipe cuts it."""
    trace = (received(ONE) + sent(TWO) + received(TWO)) * 3
    taken: list[tuple[bytes, float]] = []
    with Tape(tmp_path / "trace", lambda *entry: taken.append(entry)) as tape:
        end = os.open(tape.path, os.O_WRONLY)
        for start in range(0, len(trace), size):
            os.write(end, trace[start : start + size])
        os.close(end)
    assert taken == [(ONE, AT), (TWO, AT)] * 3


def test_more_than_the_pipe_holds(tmp_path: Path) -> None:
    """Nothing is lost, and the writer is not left waiting."""
    taken: list[tuple[bytes, float]] = []
    with Tape(tmp_path / "trace", lambda *entry: taken.append(entry)) as tape, tape.path.open("wb") as end:
        for _ in range(5000):
            end.write(received(ONE * 20))
    assert taken == [(ONE * 20, AT)] * 5000


def test_nobody_writes(tmp_path: Path) -> None:
    """SIPp did not start."""
    taken: list[tuple[bytes, float]] = []
    with Tape(tmp_path / "trace", lambda *entry: taken.append(entry)):
        pass
    assert taken == []


def test_an_error_of_the_search_comes_out(tmp_path: Path) -> None:
    """And the writer could still write all it had."""

    def fail(message: bytes, _at: float) -> None:
        raise ZeroDivisionError(message)

    def write() -> None:
        with Tape(tmp_path / "trace", fail) as tape, tape.path.open("wb") as end:
            for _ in range(5000):
                end.write(received(ONE * 20))

    with pytest.raises(ZeroDivisionError):
        write()
