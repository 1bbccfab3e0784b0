"""Accounts of load tests reach the proxy's store as an operator's do."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.account import secret_of
from config.store.account_book import AccountBook
from scripts.load.accounts import import_accounts, name_of, number_of, password_of
from scripts.load.config import REALM, access, document, listener, table
from scripts.load.errors import LoadError


def configured(folder: Path) -> Path:
    config = folder / "sipveil.toml"
    tables = (
        listener("a", ("127.0.0.1", 5070)),
        access("a"),
        table("subscribers"),
        table("authentication", realm=REALM),
    )
    config.write_text(document(*tables))
    return config


def test_imported(tmp_path: Path) -> None:
    import_accounts(3, configured(tmp_path), tmp_path)
    found = AccountBook(tmp_path / "state" / "subscribers.db").find(REALM, name_of(2))
    assert found is not None
    assert found.addresses == (f"{number_of(2)}@{REALM}",)
    assert found.secret == secret_of(name_of(2), REALM, password_of(2))


def test_a_refusal_is_told(tmp_path: Path) -> None:
    config = configured(tmp_path)
    config.write_text("nonsense = 1\n")
    with pytest.raises(LoadError, match=r"(?s)could not be imported: .*nonsense"):
        import_accounts(3, config, tmp_path)
