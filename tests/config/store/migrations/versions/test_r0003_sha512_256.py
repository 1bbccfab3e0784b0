"""The third HA1 comes to a store with accounts, whose own it leaves as they are; the rest test_tables asserts."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text

from config.store.migrations.versions import r0001_subscribers, r0002_accounts, r0003_sha512_256


def test_an_older_store_gets_the_column(tmp_path: Path) -> None:
    assert r0003_sha512_256.down_revision == r0002_accounts.revision
    engine = create_engine(f"sqlite:///{tmp_path / 's.db'}")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        r0001_subscribers.upgrade()
        r0002_accounts.upgrade()
        row = "insert into accounts values (1, '', 'r', 'alice', x'00', x'01', '[\"a@b\"]', 0, 1, 0.0, null)"
        connection.execute(text(row))
        r0003_sha512_256.upgrade()
    with engine.begin() as connection:
        found = connection.execute(text("select username, md5, sha512_256 from accounts")).one()
    assert tuple(found) == ("alice", b"\1", None)
    engine.dispose()
