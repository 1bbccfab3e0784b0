"""Anchors and chains from files."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from config.signing_section import Verification
from config.trust_store import TrustStoreError, load
from tests.authorities import Authority

WALL = 1_790_000_000
DAY = 86_400
ROOT = Authority(WALL)
BETWEEN = Authority(WALL, "between", ROOT)
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
URL = "https://cert.example.org/p.pem"
SETTINGS = Verification()


def pem(*chain: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in chain)


def place(folder: Path, **files: bytes) -> Path:
    (folder / "anchors.pem").write_bytes(pem(ROOT.own))
    (folder / "certificates").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / "certificates" / f"{name}.pem").write_bytes(content)
    return folder


def test_a_chain(tmp_path: Path) -> None:
    """It holds as long as all of its certificates do."""
    leaf = BETWEEN.certificate(KEY, start=0, days=30)
    store = load(SETTINGS, place(tmp_path, a=URL.encode() + b"\n" + pem(leaf, BETWEEN.own)))
    assert store.problems == ()
    signatory = store.signatories[URL]
    assert signatory.key == KEY
    assert signatory.validity == (WALL, WALL + 30 * DAY)


def test_bad_files_are_left_out_and_told(tmp_path: Path) -> None:
    leaf = pem(BETWEEN.certificate(KEY))
    good = URL.encode() + b"\r\n" + pem(ROOT.certificate(KEY))
    place(tmp_path, a=leaf, b=b"http://a/\n" + leaf, c=URL.encode() + b"\njunk", d=URL.encode() + b"\n" + leaf, e=good)
    (tmp_path / "certificates" / "f.pem").mkdir()
    (tmp_path / "certificates" / "README").write_text("not one of them")
    store = load(SETTINGS, tmp_path)
    assert list(store.signatories) == [URL]
    assert [problem.rpartition("/")[2].partition(":")[0] for problem in store.problems[3:]] == ["d.pem", "f.pem"]
    assert [problem.partition(".pem: ")[2] for problem in store.problems] == [
        *["no line with its https URL and then certificates in PEM"] * 3,
        "leads to no trust anchor",
        "cannot be read: Is a directory",
    ]


def test_without_anchors_there_is_no_trust(tmp_path: Path) -> None:
    with pytest.raises(TrustStoreError, match="cannot be read"):
        load(SETTINGS, tmp_path)
    (tmp_path / "anchors.pem").write_bytes(b"junk")
    with pytest.raises(TrustStoreError, match="no certificates in PEM"):
        load(SETTINGS, tmp_path)
    (tmp_path / "anchors.pem").write_bytes(pem(ROOT.own))
    with pytest.raises(TrustStoreError, match="certificates: cannot be read"):
        load(SETTINGS, tmp_path)
