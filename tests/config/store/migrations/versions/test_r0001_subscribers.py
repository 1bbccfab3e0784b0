"""The first schema; that it is the tables' own is asserted in test_tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from config.store.migrations.versions import r0001_subscribers
from config.store.schema import HEAD, prepare


def test_it_is_the_first(tmp_path: Path) -> None:
    """Its tables are there, with the places of what is to come."""
    assert r0001_subscribers.down_revision is None
    prepare(tmp_path / "s.db", create=True)
    with closing(sqlite3.connect(tmp_path / "s.db")) as plain:
        columns = {row[1] for row in plain.execute("pragma table_info(subscribers)")}
        version = plain.execute("select version_num from alembic_version").fetchone()
    assert {"tenant", "key_id", "consent", "erased"} <= columns
    assert version == (HEAD,)
