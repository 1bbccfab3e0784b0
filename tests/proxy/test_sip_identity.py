"""RFC 5922 §7: which names a certificate has, and whose it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from proxy.sip_identity import is_of, names_of
from tests.tls import TlsAuthority, subject


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return TlsAuthority(tmp_path_factory.mktemp("tls"))


def certificate(authority: TlsAuthority, **what: Any) -> x509.Certificate:
    chain, _ = authority.issue("one", **what)
    return x509.load_pem_x509_certificate(Path(chain).read_bytes())


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ({"uris": ["sip:Example.NET"]}, ("example.net",)),
        ({"uris": ["sip:example.net:5061;transport=tcp"]}, ("example.net",)),
        ({"uris": ["sip:example.net", "sip:example.org"]}, ("example.net", "example.org")),
        ({"uris": ["sip:example.net"], "dns": ["host.example.net"]}, ("example.net",)),
        ({"uris": ["sip:alice@example.net"], "dns": ["host.example.net"]}, ("host.example.net",)),
        ({"uris": ["https://example.net", "sips:example.net"], "dns": ["a.example"]}, ("a.example",)),
        ({"dns": ["A.example", "a.example.", "b.example"]}, ("a.example", "b.example")),
        ({"dns": ["*.example.net"]}, ()),
        ({"dns": ["*.example.net"], "common": "example.net"}, ()),
        ({"dns": ["192.0.2.1"]}, ()),
        ({"common": "Example.net"}, ("example.net",)),
        ({"common": "*.example.net"}, ()),
        ({"common": "Example Networks Ltd"}, ()),
        ({"ips": ["192.0.2.1"], "common": "example.net"}, ()),
        ({"uris": ["sip:"]}, ()),
    ],
)
def test_names(authority: TlsAuthority, what: dict[str, Any], names: tuple[str, ...]) -> None:
    """URIs first, DNS names where there are none, the common name only without any subjectAltName; no wildcard."""
    assert names_of(certificate(authority, **what)) == names


def test_a_broken_extension_names_nobody() -> None:
    """Not even by the common name."""
    key = ec.generate_private_key(ec.SECP256R1())
    base = certificate_with(key, x509.UnrecognizedExtension(x509.OID_SUBJECT_ALTERNATIVE_NAME, b"\x30\x03\x82\x05x"))
    assert names_of(base) == ()
    assert not is_of(base, "192.0.2.1")


def certificate_with(key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> x509.Certificate:
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject("example.net")).issuer_name(subject("example.net")).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "is_it"),
    [
        ("example.net", True), ("EXAMPLE.net.", True), ("sub.example.net", False), ("ample.net", False), ("", False),
        ("example.net.evil.example", False), ("192.0.2.1", True), ("192.0.2.2", False), ("2001:DB8:0::7", True),
    ],
)  # fmt: skip
def test_whole_names_and_addresses(authority: TlsAuthority, wanted: str, is_it: bool) -> None:
    """Names as a whole in any case; addresses as such, however they are written."""
    one = certificate(authority, dns=["example.net"], ips=["192.0.2.1", "2001:db8::7"])
    assert is_of(one, wanted) is is_it


def test_an_address_is_no_common_name(authority: TlsAuthority) -> None:
    assert not is_of(certificate(authority, common="192.0.2.1"), "192.0.2.1")


def test_no_wildcard_is_anybody(authority: TlsAuthority) -> None:
    one = certificate(authority, dns=["*.example.net"])
    assert not is_of(one, "a.example.net")
    assert not is_of(one, "*.example.net")
