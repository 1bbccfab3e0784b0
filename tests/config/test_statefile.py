"""Private files, replaced as a whole."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from config.statefile import StateFile, StateFileError


class OwnError(StateFileError):
    """Stands for the error of a caller."""


@pytest.fixture
def file(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "state" / "file.json", OwnError)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_file_are_the_owner_s_alone_under_any_umask(file: StateFile) -> None:
    before = os.umask(0)
    try:
        with file.locked():
            file.write(b"secret")
    finally:
        os.umask(before)
    assert (mode(file.path.parent), mode(file.path)) == (0o700, 0o600)
    assert file.read() == b"secret"
    assert os.listdir(file.path.parent) == ["file.json"]


def test_no_file_is_no_error(file: StateFile) -> None:
    assert file.read() is None


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_file_open_to_others_is_refused(file: StateFile, bits: int) -> None:
    with file.locked():
        file.write(b"secret")
    file.path.chmod(bits)
    with pytest.raises(OwnError, match=f"mode {bits:04o}.*chmod 600") as caught:
        file.read()
    assert "secret" not in str(caught.value)


def test_a_folder_that_others_may_write_to_is_refused(file: StateFile) -> None:
    file.path.parent.mkdir()
    file.path.parent.chmod(0o770)
    with pytest.raises(OwnError, match="chmod 700"), file.locked():
        pass


def test_what_a_crash_left_behind_is_replaced(file: StateFile) -> None:
    with file.locked():
        file.write(b"old")
        file.path.with_name("file.json.new").write_bytes(b"half")
        file.write(b"new")
    assert file.read() == b"new"


def test_a_link_in_the_way_is_not_followed(file: StateFile, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    with file.locked():
        file.path.with_name("file.json.new").symlink_to(victim)
        file.write(b"new")
    assert victim.read_bytes() == b"untouched"


def test_a_failed_write_leaves_the_old_content(file: StateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with file.locked():
        file.write(b"old")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OwnError, match="cannot be written: No space left"):
            file.write(b"new")
    assert file.read() == b"old"


def test_what_is_no_file_or_no_folder_is_told(file: StateFile, tmp_path: Path) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(OwnError, match="cannot be read: Is a directory"):
        file.read()
    (tmp_path / "plain").touch()
    with (
        pytest.raises(OwnError, match="cannot be used as state folder"),
        StateFile(tmp_path / "plain" / "x", OwnError).locked(),
    ):
        pass


def test_one_writer_at_a_time(file: StateFile) -> None:
    entered = threading.Event()

    def other() -> None:
        with file.locked():
            entered.set()

    with file.locked():
        thread = threading.Thread(target=other)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(5)
    assert entered.is_set()
