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
    assert (keys["srs"].certificate is None, keys["srs"].key is None) == (False, True)
    assert (keys["edge"].certificate is None, keys["edge"].key is None) == (True, False)
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
