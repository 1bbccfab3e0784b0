"""The generated configuration is one that Sipveil takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import ConfigError, load
from scripts.load.addresses import PHONES, PROXY, TRUNK
from scripts.load.config import CATEGORIES, RELOADED, STATE, configuration
from scripts.load.scenario import SCENARIOS


@pytest.mark.parametrize("keep", [(), CATEGORIES])
@pytest.mark.parametrize("more", ["", RELOADED])
@pytest.mark.parametrize("contract", sorted({scenario.contract for scenario in SCENARIOS.values()}))
def test_is_taken(tmp_path: Path, contract: str, more: str, keep: tuple[str, ...]) -> None:
    """Addresses, contract and defaults are where they belong."""
    path = tmp_path / "sipveil.toml"
    path.write_text(configuration((PROXY, 5999), (TRUNK, 5998), contract=f"{contract}\n{more}", keep=keep))
    settings = load(path)
    assert settings.listeners[0].port == 5999
    assert Path(settings.state_dir) == tmp_path / STATE
    assert settings.access
    assert PHONES in str(settings.access.networks)
    assert [(hop.host, hop.port) for hop in settings.trunks[0].hosts] == [(TRUNK, 5998)]


def test_a_mistake_would_be_told(tmp_path: Path) -> None:
    """The test above can fail."""
    path = tmp_path / "sipveil.toml"
    path.write_text(configuration((PROXY, 5999), (TRUNK, 5998), keep=("gossip",)))
    with pytest.raises(ConfigError):
        load(path)


def test_workers_are_mentioned_only_where_there_are_several() -> None:
    """At the top, before any table."""
    alone = configuration((PROXY, 1), (TRUNK, 2))
    several = configuration((PROXY, 1), (TRUNK, 2), workers=3)
    assert "workers" not in alone
    assert "\nworkers = 3\n" in several.partition("[[")[0]
