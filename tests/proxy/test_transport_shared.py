"""Groups of sockets on one address."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import pytest

from proxy import transport_shared
from proxy.matching import owner
from proxy.steering import REACHES, Reach, steering
from proxy.transport import open_udp_socket
from proxy.transport_shared import open_group, open_stream_group, steer
from proxy.transport_stream import bind_stream_socket
from scripts.load.ports import free_port
from tests.proxy.test_matching import request
from tests.proxy.test_steering import response


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
    port = free_port("127.0.0.1")
    group = open_group("127.0.0.1", port, 2)
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


# --- the kernel chooses


@pytest.fixture
def steered(request: pytest.FixtureRequest) -> Iterator[list[socket.socket]]:
    """Four sockets on one address, and the program."""
    group = open_group(request.param, 0, 4)
    if not steer(group):
        close(group)
        pytest.skip("this kernel takes no program for a group of sockets (SO_ATTACH_REUSEPORT_CBPF)")
    yield group
    close(group)


def arrivals(group: list[socket.socket], sent: list[bytes]) -> list[tuple[int, bytes]]:
    """Send everything from one port, and return what came, with the number of its socket."""
    with socket.socket(group[0].family, socket.SOCK_DGRAM) as phone:
        for data in sent:
            phone.sendto(data, group[0].getsockname())
    found = []
    for number, sock in enumerate(group):
        with suppress(BlockingIOError):
            while True:
                found.append((number, sock.recv(65535)))
    return found


@pytest.mark.parametrize("steered", ["127.0.0.1", "::1"], indirect=True)
def test_the_kernel_gives_each_datagram_to_its_owner(steered: list[socket.socket]) -> None:
    """From one and the same port: requests by Call-ID, responses by our letter, wherever they stand, however long."""
    sent = [request(call_id=b"%d-4711@127.0.0.1" % number) for number in range(200)]
    sent += [request(call_id=b"a%d" % at).replace(b"From", b"S: " + b"x" * at + b"\r\nFrom") for at in range(1000)]
    sent += [response(number % 5, sent_by=b"x" * number) for number in range(150)]
    sent += [request(call_id=b"%d@big" % size) + b"x" * size for size in range(1000, 60_000, 5000)]
    sent += [b"\r\n\r\n", b"", b"x"]
    found = arrivals(steered, sent)
    assert len(found) == len(sent)
    assert [number for number, _ in found] == [owner(data, 4) for _, data in found]


@pytest.mark.parametrize("steered", ["127.0.0.1"], indirect=True)
def test_what_the_kernel_cannot_tell_is_lost_to_nobody(steered: list[socket.socket]) -> None:
    """It goes by addresses, as without a program."""
    sent = [request(call_id=b"%d" % number).replace(b"Call-ID: ", b"i: ") for number in range(50)]
    found = arrivals(steered, sent)
    assert sorted(data for _, data in found) == sorted(sent)
    assert len({number for number, _ in found}) == 1


def test_a_small_program_where_the_kernel_has_little_room() -> None:
    """net.core.optmem_max before Linux 6.8: a program is refused, a smaller one taken."""
    group = [Picky(REACHES[0])]
    assert steer(group) == REACHES[1].call_id  # type: ignore[arg-type]
    assert group[0].asked == 2


def test_a_kernel_that_takes_none() -> None:
    """A group without SO_REUSEPORT stands for it: the same refusal."""
    group = open_group("127.0.0.1", 0, 1)
    assert steer(group) == 0
    close(group)


class Picky:
    """A socket whose kernel refuses programs of one reach."""

    def __init__(self, refused: Reach) -> None:
        self._refused = len(steering(1, refused))
        self.asked = 0

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert (level, option) == (socket.SOL_SOCKET, 51)
        self.asked += 1
        if struct.unpack_from("@H", value)[0] >= self._refused:
            raise OSError(12, "Cannot allocate memory")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_connections_are_shared_out(address: str) -> None:
    """On one port, and to none who stands beside."""
    group = open_stream_group(address, 0, 3)
    own = group[0].getsockname()
    made = [socket.create_connection(own[:2]) for _ in range(60)]
    counts = [0, 0, 0]
    for place, sock in enumerate(group):
        with suppress(BlockingIOError):
            while True:
                sock.accept()[0].close()
                counts[place] += 1
    assert sum(counts) == 60
    assert all(counts)
    for each in made:
        each.close()
    close(group)


def test_nobody_else_listens_on_our_port() -> None:
    """Neither a second Sipveil with workers, nor one beside somebody else."""
    group = open_stream_group("127.0.0.1", 0, 2)
    address, port = group[0].getsockname()
    with pytest.raises(OSError, match="in use"):
        open_stream_group(address, port, 2)
    close(group)
    close(open_stream_group(address, port, 1))


def test_a_group_of_streams_is_whole_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []

    def bind(address: str, port: int, *, shared: bool = False) -> socket.socket:
        if shared:
            raise OSError("no")
        made.append(bind_stream_socket(address, port))
        return made[-1]

    monkeypatch.setattr(transport_shared, "bind_stream_socket", bind)
    with pytest.raises(OSError, match="no"):
        open_stream_group("127.0.0.1", 0, 2)
    assert made[0].fileno() == -1
