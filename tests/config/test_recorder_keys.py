"""The keys of recorders: which files are read for which role, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.encryption_certificate import EncryptionCertificateError
from config.recorder_keys import load
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
