"""The keys of recorders: which files are read for which role, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.encryption_certificate import EncryptionCertificateError
from config.recorder_keys import load, load_retired
from config.recorder_trunk import recorder_trunks
from config.settings import Settings
from tests.recorders import recorder
from tests.recording_sessions import RECORDER
from tests.world import settings

EDGE = {**RECORDER, "name": "edge", "role": "recorder-edge", "key": "srs.key"}


def of(folder: Path) -> Settings:
    return settings(state_dir=str(folder), recorders=[RECORDER, EDGE])


def test_each_role_has_its_own(tmp_path: Path) -> None:
    recorder("p256").write(tmp_path, "srs")
    keys = load(of(tmp_path))
    assert (keys["srs"].certificate is None, len(keys["srs"].keys)) == (False, 0)
    assert (keys["edge"].certificate is None, len(keys["edge"].keys)) == (True, 1)
    assert load(settings(state_dir=str(tmp_path))) == {}


@pytest.mark.parametrize("missing", ["srs.pem", "srs.key"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    recorder("p256").write(tmp_path, "srs")
    (tmp_path / missing).unlink()
    with pytest.raises(EncryptionCertificateError, match=missing):
        load(of(tmp_path))


def test_what_is_configured_no_more_has_keys_while_its_files_are_there(tmp_path: Path) -> None:
    """A file that was deleted with the section stops no start: the recorder gets no metadata."""
    recorder("p256").write(tmp_path, "srs")
    former, rest = recorder_trunks(of(tmp_path)), settings(state_dir=str(tmp_path))
    assert set(load_retired(rest, (*former, *rest.trunks))) == {"srs", "edge"}
    (tmp_path / "srs.key").unlink()
    assert set(load_retired(rest, former)) == {"srs"}
    (tmp_path / "srs.pem").unlink()
    assert load_retired(rest, former) == {}


FORMER = {
    "former_keys": [{"certificate": "old.pem", "key": "old.key"}, {"certificate": "elder.pem", "key": "elder.key"}]
}


def rotating(folder: Path) -> Settings:
    return settings(state_dir=str(folder), recorders=[{**EDGE, **FORMER}])


def test_an_edge_has_its_own_key_first_and_then_former_ones(tmp_path: Path) -> None:
    for which, name in enumerate(("srs", "old", "elder")):
        recorder("p256", which).write(tmp_path, name)
    keys = load(rotating(tmp_path))["edge"]
    assert [each.certificate for each in keys.keys] == [recorder("p256", which).certificate for which in (0, 1, 2)]
    assert keys.validity == recorder("p256").checked.validity


def test_a_former_key_that_does_not_fit_stops_a_start_by_name(tmp_path: Path) -> None:
    for which, name in enumerate(("srs", "old", "elder")):
        recorder("p256", which).write(tmp_path, name)
    recorder("rsa").write(tmp_path, "other")
    (tmp_path / "other.key").rename(tmp_path / "elder.key")
    with pytest.raises(EncryptionCertificateError, match=r"elder\.pem: is not of the key in .*elder\.key; put"):
        load(rotating(tmp_path))


def test_the_same_certificate_twice_stops_a_start(tmp_path: Path) -> None:
    """Of two with one name the second would never open anything."""
    for which, name in enumerate(("srs", "old", "elder")):
        recorder("p256", which % 2).write(tmp_path, name)
    with pytest.raises(
        EncryptionCertificateError, match=r"elder\.pem: the same certificate as .*srs\.pem; take one out"
    ):
        load(rotating(tmp_path))


def test_of_an_edge_that_is_configured_no_more_each_key_opens_whose_files_are_there(tmp_path: Path) -> None:
    for which, name in enumerate(("srs", "old", "elder")):
        recorder("p256", which).write(tmp_path, name)
    former, rest = recorder_trunks(rotating(tmp_path)), settings(state_dir=str(tmp_path))
    (tmp_path / "old.key").unlink()
    left = load_retired(rest, former)["edge"]
    assert [each.certificate for each in left.keys] == [recorder("p256", which).certificate for which in (0, 2)]
