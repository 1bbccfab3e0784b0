"""The first schema; that it is the tables' own is asserted in test_registration_tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from config.store.registration_migrations.versions import r0001_bindings
from config.store.registration_tables import MIGRATIONS
from config.store.schema import prepare


def test_it_is_the_first(tmp_path: Path) -> None:
    assert r0001_bindings.down_revision is None
    prepare(tmp_path / "r.db", create=True, migrations=MIGRATIONS)
    with closing(sqlite3.connect(tmp_path / "r.db")) as plain:
        version = plain.execute("select version_num from alembic_version").fetchone()
    assert version == (MIGRATIONS.head,)
