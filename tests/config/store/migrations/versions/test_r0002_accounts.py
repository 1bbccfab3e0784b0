"""Accounts come to a store that has none, and what was in it stays; that it is the tables' own, test_tables asserts."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect, text

from config.store.migrations.versions import r0001_subscribers, r0002_accounts


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 's.db'}"


def test_an_older_store_gets_the_table(url: str) -> None:
    assert r0002_accounts.down_revision == r0001_subscribers.revision
    engine = create_engine(url)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        r0001_subscribers.upgrade()
        connection.execute(text("insert into subscribers values (1, '', 'a@b', 0, 0, 1, 0.0, null, null, null)"))
        r0002_accounts.upgrade()
    with engine.begin() as connection:
        assert "accounts" in inspect(connection).get_table_names()
        assert connection.execute(text("select address from subscribers")).scalar() == "a@b"
    engine.dispose()
