"""Deleted trunks that still serve their calls."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from config.recorder_trunk import RecorderTrunk, recorder_trunks
from config.retired import RetiredTrunksError, recall, remember, trunk_id
from config.settings import Settings, Trunk

MAX_AGE = 1000.0


def trunk(name: str, listener: str = "a", **values: object) -> dict[str, object]:
    return {"name": name, "hosts": ["192.0.2.1:5070", "[2001:db8::1]"], "listener": listener} | values


def settings(*trunks: dict[str, object]) -> Settings:
    return Settings.model_validate({"listeners": [{"name": "a", "address": "::1"}], "trunks": trunks})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "trunks.json"


def names(trunks: tuple[Trunk, ...]) -> list[str]:
    return [each.name for each in trunks]


def test_ids_stand_in_records_and_never_change() -> None:
    assert trunk_id("carrier") == 0x5803587E
    assert trunk_id("carrier") != trunk_id("psap")
    assert all(0 < trunk_id(str(number)) < 2**32 for number in range(100))


def test_a_deleted_trunk_serves_until_its_dialogs_are_too_old(path: Path) -> None:
    both = settings(trunk("one"), trunk("two"))
    only_one = settings(trunk("one"))
    assert remember(path, both, 0.0, MAX_AGE) == ()
    assert names(remember(path, only_one, 100.0, MAX_AGE)) == ["two"]
    assert names(remember(path, only_one, 1100.0, MAX_AGE)) == ["two"]
    assert remember(path, only_one, 1101.0, MAX_AGE) == ()
    assert '"two"' not in path.read_text()


def test_a_trunk_has_served_until_the_first_start_without_it(path: Path) -> None:
    """A proxy that ran for a year has young calls over the trunk that was deleted just now."""
    remember(path, settings(trunk("one")), 0.0, MAX_AGE)
    assert names(remember(path, settings(), 1e7, MAX_AGE)) == ["one"]


def test_a_retired_trunk_keeps_all_of_its_settings(path: Path) -> None:
    values = trunk(
        "one", trusted=True, networks=["192.0.2.0/24"], privacy={"network": "seal"}, max_user=200, domain="c.example"
    )
    configured = settings(values)
    remember(path, configured, 0.0, MAX_AGE)
    assert remember(path, settings(), 1.0, MAX_AGE) == configured.trunks


def test_a_trunk_that_comes_back_is_no_longer_retired(path: Path) -> None:
    remember(path, settings(trunk("one")), 0.0, MAX_AGE)
    remember(path, settings(), 1.0, MAX_AGE)
    assert remember(path, settings(trunk("one", trusted=True)), 2.0, MAX_AGE) == ()
    assert names(remember(path, settings(), 3.0, MAX_AGE)) == ["one"]


def test_without_its_listener_it_comes_back_on_the_first(path: Path) -> None:
    remember(path, settings(trunk("one", listener="gone")), 0.0, MAX_AGE)
    (retired,) = remember(path, settings(), 1.0, MAX_AGE)
    assert retired.listener == "a"


def test_the_file_is_private_and_a_public_one_is_refused(path: Path) -> None:
    remember(path, settings(), 0.0, MAX_AGE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(RetiredTrunksError, match="others may access it"):
        remember(path, settings(), 0.0, MAX_AGE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"trunks": [{}]}', r"trunks\.0\.trunk: Field required"),
        (
            '{"trunks": [{"trunk": {"name": "X"}, "configured": true, "last_seen": 1}]}',
            r"trunk\.Trunk\.name",
        ),
    ],
)
def test_a_malformed_file_is_told_and_left_alone(path: Path, content: str, reason: str) -> None:
    remember(path, settings(), 0.0, MAX_AGE)
    path.write_text(content)
    with pytest.raises(RetiredTrunksError, match=rf"trunks\.json: is malformed \(.*{reason}.*restore it, or delete it"):
        remember(path, settings(), 0.0, MAX_AGE)
    assert path.read_text() == content


def test_a_time_that_never_ends_is_malformed(path: Path) -> None:
    remember(path, settings(trunk("one")), 0.0, MAX_AGE)
    document = json.loads(path.read_text())
    document["trunks"][0]["last_seen"] = float("inf")
    path.write_text(json.dumps(document))
    with pytest.raises(RetiredTrunksError, match="malformed"):
        remember(path, settings(), 0.0, MAX_AGE)


def recording(*recorders: dict[str, object], tls: bool = True) -> Settings:
    listeners = [{"name": "a", "address": "::1"}]
    if tls:
        listeners.append({"name": "b", "address": "::1", "transport": "tls"})
    return Settings.model_validate({"listeners": listeners, "recorders": recorders})


def test_a_recorder_that_is_taken_out_serves_as_a_trunk_does(path: Path) -> None:
    """As a recorder: what it is sent is to be encrypted, and to leave over TLS."""
    srs: dict[str, object] = {
        "name": "srs", "hosts": ["192.0.2.1"], "listener": "b", "tls_name": "srs.example.net", "plain_rtp": "allow",
        "certificate": "srs.pem",
    }  # fmt: skip
    assert remember(path, recording(srs, {**srs, "name": "other"}), 0.0, MAX_AGE) == ()
    text = path.read_text()
    (known,) = recall(path, recording({**srs, "name": "other"}), 5.0, MAX_AGE)
    assert path.read_text() == text, "whether that configuration will run is not known"
    (gone,) = remember(path, recording({**srs, "name": "other"}), 5.0, MAX_AGE)
    assert gone == known == recorder_trunks(recording(srs))[0]
    assert isinstance(gone, RecorderTrunk)
    assert names(remember(path, recording(srs), 6.0, MAX_AGE)) == ["other"]


def test_a_recorder_whose_listener_is_gone_never_comes_back_without_tls(path: Path) -> None:
    srs: dict[str, object] = {"name": "srs", "hosts": ["192.0.2.1"], "listener": "gone", "certificate": "srs.pem"}
    remember(path, recording(srs), 0.0, MAX_AGE)
    (gone,) = remember(path, recording(), 1.0, MAX_AGE)
    assert (gone.listener, gone.believed_on) == ("b", ("b",))
    assert remember(path, recording(tls=False), 2.0, MAX_AGE) == ()
