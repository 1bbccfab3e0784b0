"""Certificates and keys in PEM files: what is wrong is said, in the caller's own error."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from config.pem_files import read_certificates, read_private_key
from config.statefile import StateFileError
from tests.recorders import recorder


class OddError(StateFileError):
    """The caller's own."""


def test_what_is_there(tmp_path: Path) -> None:
    """All certificates, and the key with the file's content."""
    certificate, key = recorder("p256").write(tmp_path)
    certificate.write_bytes(certificate.read_bytes() * 2)
    assert read_certificates(certificate, OddError, "right") == [recorder("p256").certificate] * 2
    found, content = read_private_key(key, OddError, "missing", "right")
    assert isinstance(found, EllipticCurvePrivateKey)
    assert content == key.read_bytes()


def test_what_is_not(tmp_path: Path) -> None:
    """Missing, or something else."""
    path = tmp_path / "file"
    with pytest.raises(OddError, match=r"file: cannot be read: No such file or directory; right$"):
        read_certificates(path, OddError, "right")
    with pytest.raises(OddError, match=r"file: there is none; make one$"):
        read_private_key(path, OddError, "there is none; make one", "right")
    path.touch(mode=0o600)
    path.write_text("secret")
    with pytest.raises(OddError, match=r"file: no certificates in PEM; right$"):
        read_certificates(path, OddError, "right")
    with pytest.raises(OddError, match=r"file: no private key in PEM without a passphrase; right$"):
        read_private_key(path, OddError, "missing", "right")


def test_a_key_that_others_may_read(tmp_path: Path) -> None:
    """Refused, with what mends it."""
    _, key = recorder("p256").write(tmp_path)
    key.chmod(0o640)
    with pytest.raises(OddError, match="chmod 600"):
        read_private_key(key, OddError, "missing", "right")
