"""TLS between phones and proxy, as far as a load test needs it: encrypted, whoever the far end is."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from scripts.load.config import REALM
from scripts.load.errors import LoadError


def certificate(state: Path) -> dict[str, list[str]]:
    """Make a certificate that nobody has signed in the proxy's state_dir; return what its listener says about it.

    Raises LoadError without OpenSSL.
    """
    state.mkdir(mode=0o700, exist_ok=True)
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={REALM}", "-addext", f"subjectAltName=DNS:{REALM}", "-keyout", str(state / "own.key"),
             "-out", str(state / "own.pem")]  # fmt: skip
    try:
        subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - what to run is our own choice
    except (OSError, subprocess.CalledProcessError) as error:
        raise LoadError("no certificate could be made; on Debian: apt-get install openssl") from error
    (state / "own.key").chmod(0o600)
    return {"certificates": ["own.pem"], "keys": ["own.key"]}


def client() -> ssl.SSLContext:
    """Return what phones speak TLS with; whose certificate it is is not what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
