"""Transactions that are what they say, and errors that say nothing of what is stored."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from config.store.database import Database, StoreError
from config.store.schema import prepare

COUNT = text("select count(*) from subscribers")
INSERT = text(
    "insert into subscribers (address, telemarketer, reject_anonymous, revision, updated) values (:who, 0, 0, 1, 0)"
)
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "s?%23 #1.db"
    prepare(path, create=True)
    return path


def test_all_or_nothing(path: Path) -> None:
    """Kept where nothing is raised; the odd name of the file is no part of SQLite's options."""
    database = Database(path, 1)
    with database.writing() as connection:
        connection.execute(INSERT, {"who": "a"})
    with suppress(KeyError), database.writing() as connection:
        connection.execute(INSERT, {"who": "b"})
        raise KeyError
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 1
    assert path.exists()


def test_a_reader_sees_one_moment_and_waits_for_no_writer(path: Path) -> None:
    database = Database(path, 0.1)
    with database.writing() as writer, database.reading() as reader:
        writer.execute(INSERT, {"who": "a"})
        assert reader.execute(COUNT).scalar() == 0


def test_a_writer_waits_for_another_and_then_says_so(path: Path) -> None:
    database = Database(path, 0.1)
    with database.writing(), pytest.raises(StoreError, match="another command is writing to it"), database.writing():
        pass


def test_text_in_an_address_is_no_sql(path: Path) -> None:
    database = Database(path, 1)
    evil = "'); drop table subscribers; --"
    with database.writing() as connection:
        connection.execute(INSERT, {"who": evil})
    with database.reading() as connection:
        assert connection.execute(text("select address from subscribers")).scalar() == evil


def test_errors_are_private(path: Path) -> None:
    """Neither text nor traceback has what was to be stored."""
    database = Database(path, 1)
    with pytest.raises(StoreError) as caught, database.writing() as connection:
        connection.execute(INSERT, [{"who": "jane@example.net"}, {"who": "jane@example.net"}])
    assert "jane" not in "".join(traceback.format_exception(caught.value))


def test_a_text_that_cannot_be_decoded_is_not_quoted(path: Path) -> None:
    """Python's own error for that quotes it."""
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute(str(INSERT), {"who": "x"})
        plain.execute("update subscribers set address = cast(x'6a616e65ff' as text)")
    with pytest.raises(StoreError) as caught, Database(path, 1).reading() as connection:
        connection.execute(text("select address from subscribers")).all()
    assert "jane" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("how", ["truncated", "overwritten", "deleted", "folder", "open to others"])
def test_what_became_of_the_file_is_a_sentence(path: Path, how: str) -> None:
    database = Database(path, 0.1)
    if how == "truncated":
        os.truncate(path, 5000)
    elif how == "overwritten":
        path.write_bytes(b"x" * path.stat().st_size)
    elif how == "deleted":
        path.unlink()
    elif how == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.chmod(0o640)
    with pytest.raises(StoreError, match=r"^.*s\?%23 #1\.db: ") as caught, database.reading() as connection:
        connection.execute(COUNT)
    assert str(caught.value).count("\n") == 0


@pytest.fixture
def unreadable() -> Iterator[Path]:
    """Return a store of mode 000 in a folder that anybody may enter."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "s.db"
        prepare(path, create=True)
        path.chmod(0)
        yield path


def test_a_file_that_may_not_be_opened(unreadable: Path) -> None:
    """In a process of its own, for root may open everything."""
    if pid := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        return
    code = 1
    try:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        with Database(unreadable, 0.1).reading():
            code = 2
    except StoreError as error:
        code = 7 if "cannot be opened by this user" in str(error) else 3
    finally:
        os._exit(code)


def test_a_full_disk_changes_nothing(path: Path) -> None:
    """The limit on the size of files is the full disk of this process."""
    database = Database(path, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(StoreError, match="disk is full"), database.writing() as connection:
            connection.execute(INSERT, [{"who": f"{number}" * 50} for number in range(20_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    with database.reading() as connection:
        assert connection.execute(COUNT).scalar() == 0
