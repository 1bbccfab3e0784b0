"""Ports that nobody else takes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from scripts.load import ports
from scripts.load.ports import BLOCK, LOWEST, RANGE, Ports, free_port, outside
from scripts.load.proxy import ROOT

HOST = "127.0.0.1"
TAKE = """
import os
from scripts.load.ports import free_port
print(free_port("127.0.0.1"), flush=True)
if not os.fork():
    print(free_port("127.0.0.1"), flush=True)
input()
"""


@pytest.fixture
def mine() -> Iterator[Ports]:
    made = Ports()
    yield made
    made.close()


def test_none_that_the_kernel_gives_to_others() -> None:
    """Two processes that ask for any port may get the same, one after the other."""
    first, last = map(int, RANGE.read_text().split())
    port = free_port(HOST)
    if first > LOWEST + BLOCK:
        assert not first <= port <= last
    assert outside("32768 60999")[0] == LOWEST
    assert all(block + BLOCK <= 32_768 or block > 60_999 for block in outside("32768 60999"))
    assert outside("1024 65535") == list(range(LOWEST, 65_536 - BLOCK, BLOCK)), "better some than none"


def test_in_turn(mine: Ports) -> None:
    """Each comes again only when all others have been given."""
    taken = [mine.take(HOST) for _ in range(BLOCK - 5)]
    assert len(set(taken)) == len(taken)


def test_no_port_that_somebody_has(mine: Ports) -> None:
    """Neither of UDP nor of TCP, on this address or on all."""
    first = mine.take(HOST)
    kinds = ((socket.SOCK_DGRAM, HOST), (socket.SOCK_STREAM, HOST), (socket.SOCK_DGRAM, "0.0.0.0"))
    held = []
    for offset, (kind, host) in enumerate(kinds, 1):
        held.append(socket.socket(socket.AF_INET, kind))
        held[-1].bind((host, first + offset))
    after = mine.take(HOST)
    for sock in held:
        sock.close()
    assert after > first + len(kinds)


def test_several_in_a_row(mine: Ports) -> None:
    """All of one block, and none of them again with the next."""
    rows = [mine.take(HOST, 3) for _ in range(BLOCK // 3)]
    numbers = [row + offset for row in rows for offset in range(3)]
    assert len(set(numbers)) == len(numbers)
    assert len({number // BLOCK for number in numbers}) == 1


def test_each_process_has_its_own() -> None:
    """Whether it is a program of its own or a child that was forked."""
    mine = free_port(HOST)
    processes = [
        subprocess.Popen([sys.executable, "-c", TAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    blocks = [int(each.stdout.readline()) // BLOCK for each in processes * 2 if each.stdout]
    for each in processes:
        each.communicate(b"\n\n")
    assert len({mine // BLOCK, *blocks}) == 5


def test_none_left(mine: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, and not tried for ever."""
    monkeypatch.setattr(ports, "_is_free", lambda *_: False)
    with pytest.raises(RuntimeError, match=r"no 2 free ports on 127\.0\.0\.1"):
        mine.take(HOST, 2)
    monkeypatch.undo()
    mine.close()
    block = free_port(HOST) // BLOCK * BLOCK
    monkeypatch.setattr(ports, "outside", lambda _: [block])
    with pytest.raises(RuntimeError, match="taken by other processes"):
        mine.take(HOST)


def test_given_back(mine: Ports) -> None:
    """Another may have it then, and who gave it begins anew."""
    block = mine.take(HOST) // BLOCK
    mine.close()
    mine.close()
    others = [Ports() for _ in range(3)]
    assert block in {each.take(HOST) // BLOCK for each in others}
    for each in others:
        each.close()
