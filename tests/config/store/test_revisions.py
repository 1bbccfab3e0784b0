"""Numbers of changes: each one more, and no more of them than are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from config.store import revisions as module
from config.store.database import Database
from config.store.revisions import next_revision, note
from config.store.schema import prepare
from config.store.tables import REVISIONS


def test_they_count_on_and_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_REVISIONS", 2)
    prepare(tmp_path / "s.db", create=True)
    with Database(tmp_path / "s.db", 1).writing() as connection:
        for removal in (False, True, False):
            note(connection, next_revision(connection), removal=removal)
        found = connection.execute(select(REVISIONS.c.revision, REVISIONS.c.removal)).all()
        nonces = connection.execute(select(REVISIONS.c.nonce)).scalars().all()
    assert [tuple(row) for row in found] == [(2, True), (3, False)]
    assert len({*nonces}) == 2
