"""A descriptor on the running reactor."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tap.watch import Watch

reactor: Any = _reactor


@pytest_twisted.ensureDeferred
async def test_news_and_the_end() -> None:
    """What is written is got; when the other end is closed, even by the death of who had it, that is told once."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    got: list[bytes] = []
    ended: Deferred[None] = Deferred()
    watch = Watch(reactor, ours.detach(), got.append, lambda: ended.callback(None))
    assert watch.logPrefix() == "watch"
    watch.doRead()
    theirs.send(b"a")
    theirs.send(b"b")
    theirs.close()
    await ended
    assert got == [b"a", b"b"]
    assert watch.fileno() == -1
    watch.close()


def test_closed_by_the_reactor() -> None:
    """At its end; nobody is told."""
    ours, theirs = os.pipe()
    watch = Watch(reactor, ours, lambda _: None, lambda: None)
    watch.connectionLost(Failure(ValueError()))
    assert watch.fileno() == -1
    os.close(theirs)
