"""Sockets of listeners."""

from __future__ import annotations

import socket

import pytest

from proxy.transport_sockets import bound_socket, closed_on_failure

KINDS = [pytest.param(socket.SOCK_DGRAM, id="udp"), pytest.param(socket.SOCK_STREAM, id="tcp")]


def nothing(_: socket.socket) -> None:
    """Set no option."""


@pytest.mark.parametrize("kind", KINDS)
def test_bound_and_never_waited_for(kind: int) -> None:
    sock = bound_socket(kind, "127.0.0.1", 0, prepare=nothing)
    assert sock.type == kind
    assert sock.getsockname()[1] > 0
    assert not sock.getblocking()
    assert not sock.get_inheritable()
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
    sock.close()


@pytest.mark.parametrize("kind", KINDS)
def test_options_are_set_before_it_is_bound(kind: int) -> None:
    """Later they would be without effect."""
    ports = []
    with bound_socket(kind, "::1", 0, prepare=lambda sock: ports.append(sock.getsockname()[1]), shared=True) as sock:
        assert ports == [0]
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_leaks_no_socket(kind: int) -> None:
    """Neither where an option cannot be set nor where the address is nobody's here."""
    seen: list[socket.socket] = []

    def refuse(sock: socket.socket) -> None:
        seen.append(sock)
        raise OSError("no such option")

    with pytest.raises(OSError, match="no such option"):
        bound_socket(kind, "127.0.0.1", 0, prepare=refuse)
    with pytest.raises(OSError, match="assign"):
        bound_socket(kind, "192.0.2.1", 0, prepare=seen.append)
    assert [sock.fileno() for sock in seen] == [-1, -1]
    with pytest.raises(ValueError, match="localhost"):
        bound_socket(kind, "localhost", 0, prepare=nothing)


def test_sockets_of_a_block_that_raises() -> None:
    """Are closed, those too that came while it ran; of one that does not they stay."""
    group = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    with closed_on_failure(group):
        group.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    assert all(sock.fileno() >= 0 for sock in group)
    with pytest.raises(KeyboardInterrupt), closed_on_failure(group):
        raise KeyboardInterrupt
    assert [sock.fileno() for sock in group] == [-1, -1]
