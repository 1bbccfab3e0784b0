"""A store is made whole or not at all, and never by those who only read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from config.store import schema
from config.store.database import Database, StoreError
from config.store.schema import HEAD, check_schema, prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "subscribers.db"


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute(statement)


def test_head_is_the_newest_migration() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_a_store_is_made_private(path: Path) -> None:
    prepare(path, create=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("pragma journal_mode").fetchone() == ("wal",)


def test_what_a_crash_left_is_swept_away(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.with_name(f"{path.name}.new").write_bytes(b"half a store")
    prepare(path, create=True)
    prepare(path, create=True)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_reading_makes_none(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store; `sipveil subscriber add` or `import` makes one"):
        prepare(path, create=False)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096, b"these are no tables" * 500])
@pytest.mark.parametrize("create", [True, False])
def test_a_store_that_was_truncated_is_not_begun_anew(path: Path, content: bytes, create: bool) -> None:
    """Who has asked to be hidden would be forgotten."""
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="restore it from a backup"):
        prepare(path, create=create)
    assert path.read_bytes() == content


def test_a_newer_schema_is_not_touched(path: Path) -> None:
    prepare(path, create=True)
    execute(path, "update alembic_version set version_num = '9999'")
    with pytest.raises(StoreError, match="newer Sipveil"):
        prepare(path, create=True)


def test_an_older_schema_is_brought_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a migration that the store lacks; the one that it has is not applied again."""
    prepare(path, create=True)
    folder = path.parent / "migrations"
    (folder / "versions").mkdir(parents=True)
    for source in (Path(schema.__file__).parent / "migrations" / "versions").glob("r*.py"):
        (folder / "versions" / source.name).write_text(source.read_text())
    (folder / "versions" / "r9001_more.py").write_text(
        "from alembic import op\nrevision = '9001'\n"
        f"down_revision = '{HEAD}'\n"
        "def upgrade():\n    op.execute('create table more (id integer)')\n"
    )
    monkeypatch.setattr(schema, "_scripts", lambda: ScriptDirectory(str(folder)))
    monkeypatch.setattr(schema, "HEAD", "9001")
    with Database(path, 1).reading() as connection:
        assert not check_schema(connection, path)
    prepare(path, create=False)
    execute(path, "insert into more values (1)")
    with Database(path, 1).reading() as connection:
        assert check_schema(connection, path)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StoreError):
        prepare(tmp_path / "state" / "s.db", create=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_store_that_root_makes_is_the_services(path: Path) -> None:
    """It belongs to whom the folder belongs to."""
    path.parent.mkdir(mode=0o700)
    os.chown(path.parent, 65534, 65534)
    prepare(path, create=True)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)
