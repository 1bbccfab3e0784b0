"""Free and taken ports."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

import pytest

from scripts.load.addresses import PHONE, PHONES, TRUNK, dropped, free, is_bound, phones
from scripts.load.errors import LoadError


def test_phones_are_in_their_network() -> None:
    """As many as are wanted, all different."""
    found = phones(9000)
    assert found[0] == PHONE
    assert len(set(found)) == 9000
    assert all(ip_address(each) in ip_network(PHONES) for each in found)


def test_free_is_free() -> None:
    """Any port, or the one that was asked for."""
    host, port = free(PHONE)
    assert host == PHONE
    assert not is_bound((host, port))
    assert free(PHONE, port) == (PHONE, port)


def test_taken_port_is_named() -> None:
    """One sentence with the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((TRUNK, 0))
        port = sock.getsockname()[1]
        assert is_bound((TRUNK, port))
        assert not is_bound((PHONE, port))
        with pytest.raises(LoadError, match=f"^cannot use UDP {TRUNK}:{port}: "):
            free(TRUNK, port)


def test_bound_on_all_addresses() -> None:
    """A socket on 0.0.0.0 has every address of the machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("0.0.0.0", 0))
        assert is_bound((PHONE, sock.getsockname()[1]))


def test_what_a_full_socket_loses_is_counted() -> None:
    """Of this address alone, and all its sockets together."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
    ):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind((TRUNK, 0))
        address = sock.getsockname()
        assert dropped(address) == 0
        for _ in range(100):
            peer.sendto(bytes(1000), address)
        assert 50 < dropped(address) < 100
        assert dropped((PHONE, address[1])) == 0
