"""Groups of sockets on one address."""

from __future__ import annotations

import socket

import pytest

from proxy import transport_shared
from proxy.transport import open_udp_socket
from proxy.transport_shared import open_group


def close(group: list[socket.socket]) -> None:
    for sock in group:
        sock.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_all_have_one_address_and_share_what_comes(address: str) -> None:
    """The kernel's choice follows the sender's port; nothing is lost."""
    group = open_group(address, 0, 3)
    own = group[0].getsockname()
    assert {sock.getsockname() for sock in group} == {own}
    for _ in range(60):
        with socket.socket(group[0].family, socket.SOCK_DGRAM) as phone:
            phone.sendto(b"x", own)
    counts = [drain(sock) for sock in group]
    assert sum(counts) == 60
    assert all(counts)
    close(group)


def drain(sock: socket.socket) -> int:
    count = 0
    while True:
        try:
            sock.recv(10)
        except BlockingIOError:
            return count
        count += 1


@pytest.mark.parametrize("workers", [1, 2])
def test_nobody_else_has_the_address(workers: int) -> None:
    """Neither another instance with workers, nor one without, nor anybody who bound it first."""
    group = open_group("127.0.0.1", 0, 2)
    port = group[0].getsockname()[1]
    with pytest.raises(OSError, match="in use"):
        open_group("127.0.0.1", port, workers)
    close(group)
    alone = open_udp_socket("127.0.0.1", port)
    with pytest.raises(OSError, match="in use"):
        open_group("127.0.0.1", port, workers)
    alone.close()


def test_one_socket_is_not_shared() -> None:
    """With SO_REUSEPORT another process of the same user could take our datagrams."""
    (alone,) = open_group("127.0.0.1", 0, 1)
    assert alone.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
    with pytest.raises(OSError, match="in use"):
        open_udp_socket("127.0.0.1", alone.getsockname()[1], shared=True)
    alone.close()


def test_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a later socket cannot be bound, the first ones are closed."""
    opened: list[socket.socket] = []

    def open_one(address: str, port: int, *, shared: bool = False) -> socket.socket:
        if opened:
            raise OSError("no more")
        opened.append(open_udp_socket(address, port, shared=shared))
        return opened[0]

    monkeypatch.setattr(transport_shared, "open_udp_socket", open_one)
    with pytest.raises(OSError, match="no more"):
        open_group("127.0.0.1", 0, 2)
    assert opened[0].fileno() == -1
