"""The store of registrations: what is written is read again, as a whole, and what has ended is not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config.store.database import StoreError
from config.store.registrations import Registrations, StoredBinding

ALICE, BOB = b"alice@example.net", b"bob@example.net"


def row(expires: float = 100.0, **changes: object) -> StoredBinding:
    made = StoredBinding(
        b"sip:a@1.2.3.4;x=\xff", 500, b"call", 7, expires, "UDP", "192.0.2.1", 5060, "10.0.0.1", 5062,
        b"sip:e;lr\n", b"<urn:x>", 1, 10, 5, "zoë",
    )  # fmt: skip
    return made._replace(**changes)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registrations.db"


def test_it_is_made_and_private(path: Path) -> None:
    Registrations(path, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_written_is_read(path: Path) -> None:
    rows = (row(), row(reg_id=2))
    Registrations(path, 1).write({ALICE: rows, BOB: (row(),)})
    assert Registrations(path, 1).read(50.0, 100) == {ALICE: rows, BOB: (row(),)}


def test_a_change_replaces_all_of_an_address(path: Path) -> None:
    store = Registrations(path, 1)
    store.write({ALICE: (row(), row(reg_id=2)), BOB: (row(),)})
    store.write({ALICE: (row(reg_id=3),), BOB: ()})
    assert store.read(50.0, 100) == {ALICE: (row(reg_id=3),)}


def test_what_has_ended_is_forgotten(path: Path) -> None:
    store = Registrations(path, 1)
    store.write({ALICE: (row(100.0), row(200.0))})
    assert store.read(100.0, 100) == {ALICE: (row(200.0),)}
    assert store.read(0.0, 100) == {ALICE: (row(200.0),)}


def test_the_youngest_are_read_where_there_are_too_many(path: Path) -> None:
    store = Registrations(path, 1)
    store.write({b"%d@x" % number: (row(made=number),) for number in range(10)})
    assert set(store.read(0.0, 3)) == {b"9@x", b"8@x", b"7@x"}


def test_a_damaged_store_is_an_error(path: Path) -> None:
    Registrations(path, 1)
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError) as caught:
        Registrations(path, 1)
    assert "alice" not in str(caught.value)
