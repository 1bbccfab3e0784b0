"""Starting, waiting for and stopping a process that answers OPTIONS."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from scripts.load.addresses import PROXY, free, is_bound
from scripts.load.errors import LoadError
from scripts.load.proxy import Proxy, answers, sipveil

SERVER = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = sock.recvfrom(65535)
    print(data.split(b"\\r\\n")[0].decode(), flush=True)
    sock.sendto(b"SIP/2.0 483 Too Many Hops\\r\\n\\r\\n", peer)
"""


def server(port: int) -> list[str]:
    return [sys.executable, "-c", SERVER, str(port)]


def test_runs_between_enter_and_exit(tmp_path: Path) -> None:
    """Answers inside, gone afterwards; what it wrote is kept."""
    address = free(PROXY)
    core = min(os.sched_getaffinity(0))
    with Proxy(server(address[1]), address, tmp_path, cores=(core,)) as proxy:
        assert answers(address)
        assert os.sched_getaffinity(proxy.pid) == {core}
        proxy.check()
    assert not is_bound(address)
    assert (tmp_path / "proxy.log").read_text().startswith(f"OPTIONS sip:{PROXY}:{address[1]} SIP/2.0\n")


def test_nobody_answers() -> None:
    """A port without a program."""
    assert not answers(free(PROXY))


def test_taken_port(tmp_path: Path) -> None:
    """Said before anything is started."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((PROXY, 0))
        address = sock.getsockname()
        with pytest.raises(LoadError, match="another program listens there"), Proxy(["false"], address, tmp_path):
            pass
    assert not (tmp_path / "proxy.log").exists()


def test_end_at_the_start_is_told_with_the_last_lines(tmp_path: Path) -> None:
    """What was wrong, as it says itself."""
    command = [
        sys.executable,
        "-c",
        "print('first'); print('no such key'); print(); print('no such value'); raise SystemExit(3)",
    ]
    with pytest.raises(LoadError, match=r"ended with 3; the last it said: no such key \| no such value$"):
        Proxy(command, free(PROXY), tmp_path).__enter__()


def test_end_in_between_is_told(tmp_path: Path) -> None:
    """`check` is how a run notices."""
    address = free(PROXY)
    with Proxy(server(address[1]), address, tmp_path) as proxy:
        os.kill(proxy.pid, signal.SIGKILL)
        os.waitid(os.P_PID, proxy.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(LoadError, match="ended with -9; the last it said: OPTIONS"):
            proxy.check()


def test_own_way_to_be_ready(tmp_path: Path) -> None:
    """For proxies that answer nothing themselves."""
    address = free(PROXY)
    with Proxy(server(address[1]), address, tmp_path, ready=lambda: is_bound(address)):
        assert is_bound(address)
    proxy = Proxy(["sleep", "9"], free(PROXY), tmp_path, ready=lambda: True)
    proxy.stop()  # never started
    with proxy:
        proxy.stop()


def test_sipveil_of_a_tree(tmp_path: Path) -> None:
    """The command names the configuration in full: it runs in another folder."""
    assert sipveil(Path("x.toml"), "python3")[1:] == ["-m", "tap.main", "run", str(Path.cwd() / "x.toml")]
