"""Certificates and keys as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from config.settings import Listener, Settings
from config.tls_files import TlsFileError, load_all, read_authorities, read_pair
from tests.tls import TlsAuthority


@pytest.fixture
def authority(tmp_path: Path) -> TlsAuthority:
    return TlsAuthority(tmp_path)


def test_what_is_read(authority: TlsAuthority) -> None:
    """The chain as DER, ours first; names that clients may ask for; when it holds."""
    chain, key = authority.issue("a", dns=["A.example", "*.b.example"], days=9)
    chain.write_bytes(chain.read_bytes() + authority.file.read_bytes())
    own = read_pair(chain, key)
    assert len(own.chain) == 2
    assert own.names == ("a.example", "*.b.example")
    now = authority.wall
    assert own.validity.holds(now)
    assert not own.validity.holds(now + 10 * 86_400)
    assert not own.validity.holds(now - 2 * 86_400)
    assert " to " in own.validity.days()


def test_the_common_name_counts_without_others(authority: TlsAuthority) -> None:
    assert authority.own("a", common="Old.example").names == ("old.example",)
    assert authority.own("b", common="old.example", ips=["192.0.2.1"]).names == ()


def test_all_listeners_with_tls(authority: TlsAuthority, tmp_path: Path) -> None:
    """Each by its name; relative to the state folder."""
    authority.issue("a", dns=["a.example"])
    tls = Listener(
        name="tls", address="192.0.2.1", transport="tls", certificates=("a.pem",), keys=("a.key",),
        ca=authority.file.name, client_ca=authority.file.name, require_client_certificate=True,
    )  # fmt: skip
    udp = Listener(name="udp", address="192.0.2.1")
    found = load_all(Settings(state_dir=str(tmp_path), listeners=(udp, tls)))
    assert list(found) == ["tls"]
    assert found["tls"].ca == found["tls"].client_ca == read_authorities(authority.file)
    assert found["tls"].require_client
    plain = tls.model_copy(update={"ca": None, "client_ca": None})
    found = load_all(Settings(state_dir=str(tmp_path), listeners=(plain,)))
    assert (found["tls"].ca, found["tls"].client_ca) == (None, None)


def refused(chain: Path, key: Path, why: str) -> None:
    with pytest.raises(TlsFileError, match=why) as error:
        read_pair(chain, key)
    assert "; " in str(error.value)


def test_what_cannot_be_used(authority: TlsAuthority, tmp_path: Path) -> None:
    """Missing, open to others, no PEM, of another key: each is said, and what would be right."""
    chain, key = authority.issue("a", dns=["a.example"])
    other_chain, other_key = authority.issue("b", dns=["b.example"])
    refused(tmp_path / "none.pem", key, "cannot be read")
    refused(chain, tmp_path / "none.key", "there is no such file")
    refused(chain, other_key, "is not of the key in")
    refused(key, key, "no certificates in PEM")
    refused(chain, chain_copy(chain), "no private key")
    other_chain.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    refused(other_chain, other_key, "no certificates in PEM")
    key.chmod(0o640)
    refused(chain, key, "others may access it")


def chain_copy(chain: Path) -> Path:
    copy = chain.with_name("copy.key")
    copy.touch(mode=0o600)
    copy.write_bytes(chain.read_bytes())
    return copy


def test_keys_that_tls_should_not_have(authority: TlsAuthority, tmp_path: Path) -> None:
    """Too short (RFC 9325 §4.5), of a kind that is no use, or behind a passphrase that nobody will type."""
    chain, path = authority.issue("a", dns=["a.example"])
    short = rsa.generate_private_key(65537, 1024)
    odd = dsa.generate_private_key(1024)
    for key, why in ((short, "1024 bits"), (odd, "no use")):
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        refused(chain, path, why)
    path.write_bytes(short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    refused(chain, path, "without a passphrase")


def test_authorities_are_certificates(authority: TlsAuthority, tmp_path: Path) -> None:
    assert len(read_authorities(authority.file)) == 1
    with pytest.raises(TlsFileError, match="cannot be read"):
        read_authorities(tmp_path / "none.pem")
