"""Wishes for privacy in a file: across processes that are killed, damaged, unusable, and named by nobody in the log."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.logger import Logger

from config.settings import Settings
from proxy.wish_table import FOREVER, size_of
from tap.log import LineObserver
from tap.wish_file import WishFile, wishes_path
from tests.tap.fakes import Lines
from tests.world import WALL, settings

LIFE = 172_800
ALICE, CALL, ID = 0x1234_5678_9ABC_DEF0, 77, 9


class Studio:
    """A state folder, and what is logged."""

    def __init__(self, folder: Path, workers: int = 1) -> None:
        self.settings: Settings = settings(state_dir=str(folder), workers=workers)
        self.path = wishes_path(self.settings)
        self.log = Lines()

    def file(self) -> WishFile:
        return WishFile(self.settings, Logger(namespace="sipveil.test", observer=LineObserver(self.log)))

    @property
    def errors(self) -> list[str]:
        return self.log.lines


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "state")


def in_child(what: Callable[[], None]) -> None:
    """Run something in a process that is killed as soon as it is done."""
    pid = os.fork()
    if not pid:
        try:
            what()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL


def note(file: WishFile, worker: int = 0) -> None:
    assert file.table(worker, WALL).note(CALL, [ALICE], ID, WALL + 100, WALL, WALL + LIFE)


def test_what_a_killed_process_knew_the_next_one_finds(studio: Studio) -> None:
    in_child(lambda: note(studio.file()))
    table = studio.file().table(0, WALL)
    assert table.decision(ALICE, WALL) == ID
    assert not table.is_strict(WALL), "nobody is taken for private who is not"
    assert table.is_shared
    assert table.made == WALL
    assert studio.file().table(0, WALL + 5).made == WALL, "when it was made, and not when it was opened"
    assert not studio.errors


@pytest.mark.parametrize("forked", [True, False], ids=["mapped-before-the-fork", "mapped-by-each"])
def test_workers_see_each_others(studio: Studio, forked: bool) -> None:
    two = Studio(studio.path.parent, workers=2)
    file = two.file()
    if forked:
        file.map()
    own = file.table(0, WALL)
    in_child(lambda: note(file if forked else two.file(), 1))
    assert own.decision(ALICE, WALL) == ID


def test_nobody_else_may_read_it_and_room_is_taken_at_once(studio: Studio) -> None:
    studio.file().map()
    found = studio.path.stat()
    assert found.st_mode & 0o777 == 0o600
    assert found.st_size == size_of() <= found.st_blocks * 512, "a page without room on the disk would end the process"


@pytest.mark.parametrize("content", [b"x", b"SQLite format 3\0".ljust(size_of(), b"\0")], ids=["cut-short", "another"])
def test_a_damaged_file_is_made_anew_and_all_are_private_as_long_as_calls_may_last(
    studio: Studio, content: bytes
) -> None:
    studio.path.parent.mkdir(mode=0o700)
    studio.path.write_bytes(content)
    studio.path.chmod(0o600)
    file = studio.file()
    table = file.table(0, WALL)
    assert table.is_strict(WALL + LIFE - 1)
    assert not table.is_strict(WALL + LIFE)
    assert table.is_shared
    assert len(studio.errors) == 1
    assert studio.file().table(0, WALL + 1).is_strict(WALL + LIFE - 1), "after a restart too"


def _open_to_others(studio: Studio) -> None:
    studio.file().map()
    studio.path.chmod(0o640)


def _a_folder(studio: Studio) -> None:
    studio.path.mkdir(parents=True)
    studio.path.parent.chmod(0o700)


def _a_link(studio: Studio) -> None:
    studio.path.parent.mkdir(mode=0o700)
    studio.path.symlink_to("/dev/zero")


@pytest.mark.parametrize("spoil", [_open_to_others, _a_folder, _a_link], ids=["readable", "folder", "link"])
def test_what_cannot_be_used_makes_all_private_until_it_can(studio: Studio, spoil: Callable[[Studio], None]) -> None:
    spoil(studio)
    file = studio.file()
    table = file.table(0, WALL)
    assert not table.is_shared, "so that the next reload asks again"
    assert table.is_strict(FOREVER - 1)
    assert len(studio.errors) == 1
    assert "recordings tell all as private" in studio.errors[0]
    if studio.path.is_dir():
        studio.path.rmdir()
    else:
        studio.path.unlink()
    again = file.table(0, WALL)
    assert again.is_shared
    assert again.is_strict(WALL + LIFE - 1), "of what was asked for meanwhile nobody knows"
    assert not again.is_strict(WALL + LIFE)


def test_a_disk_without_room_is_found_out_at_the_start(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    assert studio.file().table(0, WALL).is_strict(FOREVER - 1)
    assert "No space left" in studio.errors[0]
