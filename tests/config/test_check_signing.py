"""Trunks that want signatures need somebody who signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.check_signing import signing_mistakes
from config.load import ConfigError, load

TRUNK = """
[[listeners]]
name = "a"
address = "127.0.0.1"
[[trunks]]
name = "t"
hosts = ["198.51.100.7"]
listener = "a"
sign = true
"""


def test_a_trunk_that_wants_what_nobody_makes() -> None:
    assert [each.path for each in signing_mistakes({"trunks": [{}, {"sign": True}]})] == [("trunks", 1, "sign")]
    assert list(signing_mistakes({"trunks": [{"sign": True}], "signing": {}})) == []
    assert list(signing_mistakes({"trunks": [{"sign": False}]})) == []


def test_it_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "sipveil.toml"
    path.write_text(TRUNK)
    with pytest.raises(ConfigError, match=r"there is no section \[signing\]"):
        load(path)
    path.write_text(f'{TRUNK}[signing]\nx5u = "https://cert.example.org/p.pem"\n')
    signing = load(path).signing
    assert signing is not None
    assert (signing.key, signing.attest_access) == ("signing.key", "B")


@pytest.mark.parametrize(
    "x5u", ["http://a/b", "file:///etc/passwd", "https://a/b>;alg=none", "https://a;b", "https://a b"]
)
def test_where_certificates_are(tmp_path: Path, x5u: str) -> None:
    """It goes into a header as it stands."""
    path = tmp_path / "sipveil.toml"
    path.write_text(f'{TRUNK}[signing]\nx5u = "{x5u}"\n')
    with pytest.raises(ConfigError):
        load(path)
