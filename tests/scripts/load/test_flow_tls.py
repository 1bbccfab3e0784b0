"""TLS for a load test."""

from __future__ import annotations

import shutil
import ssl
import stat
from pathlib import Path

import pytest

from scripts.load.errors import LoadError
from scripts.load.flow_tls import certificate, client
from tests.real.harness import program


def test_a_certificate_for_the_proxy(tmp_path: Path) -> None:
    """With its key, which nobody else may read (openssl writes PEM); phones ask for no name."""
    program("openssl", "openssl")
    said = certificate(tmp_path / "state")
    assert said == {"certificates": ["own.pem"], "keys": ["own.key"]}
    assert stat.S_IMODE((tmp_path / "state/own.key").stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "state/own.pem", tmp_path / "state/own.key")
    assert client().verify_mode is ssl.CERT_NONE


def test_without_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("openssl") is None
    with pytest.raises(LoadError, match="apt-get install openssl"):
        certificate(tmp_path / "state")
