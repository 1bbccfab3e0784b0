"""The forwarder that looks at nothing."""

from __future__ import annotations

import socket
from pathlib import Path

from scripts.benchmark.contenders import NULL, Ends
from scripts.benchmark.null_forwarder import parse_address
from scripts.load.addresses import PHONE, TRUNK


def test_addresses() -> None:
    assert parse_address("127.0.0.1:5060") == ("127.0.0.1", 5060)


def test_forwards_both_ways(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trunk,
    ):
        phone.bind((PHONE, 0))
        trunk.bind((TRUNK, 0))
        phone.settimeout(5)
        trunk.settimeout(5)
        with NULL.start(tmp_path, Ends(phone.getsockname(), trunk.getsockname()), ()) as proxy:
            phone.sendto(b"anything", proxy.address)
            assert trunk.recv(100) == b"anything"
            trunk.sendto(b"something", proxy.address)
            assert phone.recv(100) == b"something"
