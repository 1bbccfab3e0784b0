"""The schema of the code is the schema of the migrations."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from config.store.database import Database
from config.store.registration_tables import METADATA, MIGRATIONS
from config.store.schema import prepare


def test_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    prepare(tmp_path / "r.db", create=True, migrations=MIGRATIONS)
    with Database(tmp_path / "r.db", 1).reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
