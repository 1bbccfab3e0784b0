"""One row a subscriber, settings and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.store.database import Database
from config.store.rows import rows, settings_of, subscriber
from config.store.tables import SUBSCRIBERS
from config.subscriber import Setting, Subscriber, Value
from tests.config.store.people import two


def test_rows_are_subscribers(tmp_path: Path) -> None:
    two(tmp_path / "s.db")
    with Database(tmp_path / "s.db", 1).reading() as connection:
        alice, bob = map(subscriber, rows(connection, in_order=True))
        assert [row.address for row in rows(connection, SUBSCRIBERS.c.address > "alice@example.net")] == [bob.address]
        assert len([*rows(connection, limit=1)]) == 1
    settings = (Setting("", "name", Value.HIDE), Setting("carrier", "number", Value.SHOW))
    assert alice == Subscriber("alice@example.net", settings)
    assert bob == Subscriber("bob@example.net", (), telemarketer=True)


def test_settings_are_sorted_whatever_the_database_does() -> None:
    assert settings_of("number@carrier=show,name@=hide") == settings_of("name@=hide,number@carrier=show")
    assert settings_of(None) == settings_of("") == ()


@pytest.mark.parametrize("text", ["shoe@=hide", "name@=perhaps", "status@=pseudonym", "name"])
def test_what_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="none of ours"):
        settings_of(text)
