"""The load generator: built, and playing with a trunk of its own through nothing at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scripts.benchmark import generator
from scripts.benchmark.errors import BenchError
from scripts.benchmark.generator import Generator, Load, build, cache_folder, command, read
from scripts.load.addresses import PHONE, TRUNK, free
from tests.real.harness import program

PLAYED = {
    "created": 10, "completed": 8, "refused": 1, "expired": 1, "unfinished": 0, "elapsed": 2.0, "retransmissions": 3,
    "setup_p50": 1.0, "setup_p95": 1.0, "setup_p99": 1.0, "late": 0.0, "own_cpu": 1.0, "checked": 10, "leaks": 0,
    "leaked": "", "strangers": 0, "statuses": {"503": 1},
}  # fmt: skip


def test_built_once(tmp_path: Path) -> None:
    program("gcc", "build-essential")
    made = build(tmp_path)
    stamp = made.stat().st_mtime_ns
    assert build(tmp_path) == made
    assert made.stat().st_mtime_ns == stamp
    assert list(tmp_path.iterdir()) == [made]


def test_with_passwords_it_is_another_one(tmp_path: Path) -> None:
    program("gcc", "build-essential")
    if not Path("/usr/include/openssl/evp.h").exists():
        pytest.skip("the headers of OpenSSL are not installed: apt-get install libssl-dev")
    assert build(tmp_path, digest=True) != build(tmp_path)


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BenchError, match="apt-get install gcc"):
        build(tmp_path)


def test_broken_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/false")
    with pytest.raises(BenchError, match="could not be compiled:"):
        build(tmp_path)
    with pytest.raises(BenchError, match=r"could not be compiled; .*libssl-dev"):
        build(tmp_path, digest=True)


def test_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/sipveil")


def test_room_for_calls() -> None:
    assert Load(calls=7).limit() == 7
    assert Load(seconds=3, rate=100).limit() == 301
    assert Load(seconds=2).limit() == generator.PEAK * 2 + 1


def test_command_line() -> None:
    """Each run has Call-IDs of its own."""
    ends = (("127.0.0.1", 1), ("127.0.0.2", 2), ("127.0.0.3", 3))
    words = command(Path("generator"), *ends, Path("templates"), Load(calls=7, patience=1.5))
    assert words[:5] == ["generator", "127.0.0.1:1", "127.0.0.2:2", "127.0.0.3:3", "templates"]
    assert "calls=7" in words
    assert "patience=1500" in words
    assert words != command(Path("generator"), *ends, Path("templates"), Load(calls=7, patience=1.5))


def test_read() -> None:
    """The last line; "ringing" may stand before it."""
    found = read(f"ringing\n{json.dumps(PLAYED)}\n")
    assert (found.failed, found.rate) == (2, 4.0)
    assert found._replace(elapsed=0.0).rate == 0.0


def test_nobody_answers(tmp_path: Path) -> None:
    """INVITEs are sent again (RFC 3261 §17.1.1.2: after 0.5 and 1 s more), and calls end without an answer."""
    program("gcc", "build-essential")
    end = Generator(tmp_path, free(PHONE), free(TRUNK))
    found = end.play(free("127.0.0.1"), Load(calls=3, patience=0.7))
    assert (found.created, found.expired, found.completed, found.retransmissions) == (3, 3, 0, 3)
    assert 0.6 < found.elapsed < 2.0


def test_taken_address(tmp_path: Path) -> None:
    program("gcc", "build-essential")
    end = Generator(tmp_path, ("192.0.2.1", 5), free(TRUNK))  # an address that is not this machine's
    with pytest.raises(BenchError, match="has ended with 1"):
        end.play(free("127.0.0.1"), Load(calls=1))
