"""What a reload would put to work: all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import keys
from config.settings import Settings
from config.subscribers import Subscribers
from tap import candidate
from tap.candidate import Candidate, ReloadRefused, digest, prepare
from tap.state import key_ring_path, retired_trunks_path
from tap.state import prepare as start
from tests.tap.fakes import CONFIG, settings_of

WALL = 1_790_000_000.0


@pytest.fixture
def running(tmp_path: Path) -> Settings:
    """Return the settings of a Sipveil that has started."""
    settings = settings_of(tmp_path)
    start(settings, WALL)
    return settings


def load(folder: Path, running: Settings, text: str) -> Candidate:
    path = folder / "sipveil.toml"
    path.write_text(text)
    return prepare(path, running, Subscribers(), WALL)


def refused(folder: Path, running: Settings, text: str) -> tuple[str, ...]:
    with pytest.raises(ReloadRefused) as found:
        load(folder, running, text)
    return found.value.reasons


def test_a_good_one_is_complete(tmp_path: Path, running: Settings) -> None:
    """Settings, keys, policy, the trunks of the past, and another hash."""
    path = key_ring_path(running)
    keys.use(path, keys.add(path, WALL).id, WALL)
    found = load(tmp_path, running, CONFIG.replace("carrier", "other"))
    assert [trunk.name for trunk in found.settings.trunks] == ["other"]
    assert [trunk.name for trunk in found.retired] == ["carrier"]
    assert found.ring.current.id == 1
    assert found.digest == digest(found.settings) != digest(running)
    assert "other" in retired_trunks_path(running).read_text()


def test_every_mistake_is_told_with_its_line(tmp_path: Path, running: Settings) -> None:
    """As at the start; and the state folder is left alone."""
    text = CONFIG.replace("5080", "x").replace('to = ["carrier"]', 'to = ["nobody"]')
    reasons = refused(tmp_path, running, text)
    assert len(reasons) == 2
    assert all(f"{tmp_path / 'sipveil.toml'}:" in reason for reason in reasons)


def test_what_needs_a_restart_is_told_with_its_line(tmp_path: Path, running: Settings) -> None:
    """The whole is refused: half a reload would be neither the one nor the other."""
    (reason,) = refused(tmp_path, running, CONFIG.replace("port = 0", "port = 5070", 1).replace("carrier", "other"))
    assert "sipveil.toml:4: listeners[0].port: changed from 0 to 5070, which a reload cannot do; restart" in reason
    assert "other" not in retired_trunks_path(running).read_text()


def test_keys_that_cannot_be_used(tmp_path: Path, running: Settings) -> None:
    """A reload never makes keys: their loss would end all calls."""
    key_ring_path(running).unlink()
    (reason,) = refused(tmp_path, running, CONFIG)
    assert "there is no key ring" in reason


def test_a_failed_self_test(tmp_path: Path, running: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is the operator's."""
    monkeypatch.setattr(candidate, "self_test", lambda settings, privacy: "it leaks")
    assert refused(tmp_path, running, CONFIG) == ("it leaks",)


def test_the_hash_follows_catalogue_files(tmp_path: Path) -> None:
    """A changed file under the same name is another configuration."""
    own = tmp_path / "own.toml"
    own.write_text("")
    settings = settings_of(tmp_path, f'catalogue = ["{own}"]\n' + CONFIG)
    first = digest(settings)
    own.write_text("# more\n")
    assert digest(settings) != first


def test_keys_that_cannot_be_used_are_told_with_their_line(tmp_path: Path, running: Settings) -> None:
    """All of them, as `sipveil check` does; what runs keeps the keys that it has."""
    reasons = refused(tmp_path, running, CONFIG + '[signing]\nx5u = "https://a.example/"\n[verification]\n')
    assert [reason.split(": ")[1] for reason in reasons] == [
        "signing.key", "verification.anchors", "verification.certificates"
    ]  # fmt: skip
