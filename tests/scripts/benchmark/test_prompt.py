"""Asking a proxy every few milliseconds."""

from __future__ import annotations

import socket
import threading

from scripts.benchmark.prompt import answers, prompt
from scripts.load.addresses import PROXY, free


def test_nobody_there() -> None:
    assert not answers(free(PROXY), "127.0.0.1")
    assert not prompt(free(PROXY), "127.0.0.1")()


def test_somebody_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((PROXY, 0))
        sock.settimeout(5)

        def serve() -> None:
            data, peer = sock.recvfrom(65535)
            assert data.startswith(b"OPTIONS ")
            sock.sendto(b"SIP/2.0 483 Too Many Hops\r\n\r\n", peer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert prompt(sock.getsockname(), "127.0.0.1")()
        thread.join()
