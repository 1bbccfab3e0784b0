"""The schema of the code is the schema of the migrations, and holds what it promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from config.store.database import Database, StoreError
from config.store.schema import prepare
from config.store.tables import METADATA, SETTINGS, SUBSCRIBERS


@pytest.fixture
def database(tmp_path: Path) -> Database:
    prepare(tmp_path / "s.db", create=True)
    return Database(tmp_path / "s.db", 1)


def test_migrations_lead_to_the_tables(database: Database) -> None:
    """A column that is added here and in no migration is named by this."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []


def test_an_address_is_one_subscribers(database: Database) -> None:
    row = {"address": "a@b", "telemarketer": False, "reject_anonymous": False, "revision": 1, "updated": 0.0}
    with pytest.raises(StoreError), database.writing() as connection:
        connection.execute(insert(SUBSCRIBERS), [row, row])
    with database.writing() as connection:
        connection.execute(insert(SUBSCRIBERS), row)
        connection.execute(insert(SUBSCRIBERS), row | {"tenant": "another"})


@pytest.mark.parametrize("wrong", [{"value": "perhaps"}, {"subscriber": 7}])
def test_settings_are_of_the_known_values_and_somebodys(database: Database, wrong: dict[str, object]) -> None:
    with database.writing() as connection:
        row = {"address": "a@b", "telemarketer": False, "reject_anonymous": False, "revision": 1, "updated": 0.0}
        connection.execute(insert(SUBSCRIBERS), {"id": 1, **row})
        good = {"subscriber": 1, "trunk": "", "word": "name", "value": "hide"}
        with pytest.raises(IntegrityError):
            connection.execute(insert(SETTINGS), good | wrong)
