"""Bindings get an account; those that are there are nobody's. The rest test_registration_tables asserts."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text

from config.store.registration_migrations.versions import r0001_bindings, r0002_account


def test_an_older_store_gets_the_column(tmp_path: Path) -> None:
    assert r0002_account.down_revision == r0001_bindings.revision
    engine = create_engine(f"sqlite:///{tmp_path / 'r.db'}")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        r0001_bindings.upgrade()
        row = "(1, '', x'61', x'62', 1, x'63', 1, 9.0, 'UDP', 'h', 1, 'p', 2, x'', x'', 0, 1, 1)"
        connection.execute(text("insert into bindings values " + row))
        r0002_account.upgrade()
    with engine.begin() as connection:
        assert tuple(connection.execute(text("select aor, account from bindings")).one()) == (b"a", "")
    engine.dispose()
