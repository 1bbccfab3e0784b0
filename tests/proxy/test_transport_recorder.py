"""Connections with recorders, on real sockets: a pinned key, an authority of its own, and whom that is asked of."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from config.address import parse_network
from config.recorder_trust import RecorderTrust
from config.tls_files import read_authorities
from proxy.transport_tls import Tls, contexts
from tests.proxy.test_transport_tls import Far, Site
from tests.tls import TlsAuthority, subject

NAME = "srs.example.net"


def pin(certificate: Path) -> bytes:
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def trust(
    *pins: bytes, ca: Path | None = None, at: str = "127.0.0.1", port: int = 0, name: str = NAME, retired: bool = False
) -> RecorderTrust:  # fmt: skip
    """Return what is asked of a recorder: at an address and port, or, without a port, in a network of one address."""
    return RecorderTrust(
        frozenset([(at, port)] if port else []), () if port else (parse_network(at),), frozenset([name]),
        frozenset(pins), None if ca is None else read_authorities(ca), retired,
    )  # fmt: skip


class Studio:
    """A listener of ours, which believes one authority, and a recorder that another one certifies as well."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder, clients=True)
        (folder / "other").mkdir()
        self.other = TlsAuthority(folder / "other", "Other authority")
        self.authority = self.site.authority

    def asks(self, *trusts: RecorderTrust) -> None:
        """Go on as after a reload that asks this of recorders."""
        own = self.authority.own("first-again", dns=["first.example"])
        self.site.tls.renew(contexts(self.authority.files(own, clients=True)._replace(recorders=trusts)))
        self.site.bench.streams.look_at_peers()

    async def says(self, far: Far, name: str = NAME) -> bytes:
        """Send to a far end by a name; return what it heard."""
        served = far.serve(5)
        flow = self.site.bench.flow(far.peer, (name,))
        if not self.site.bench.streams.send(flow, b"hello"):
            return b"nowhere"
        heard: bytes = (await served)[0]
        far.sock.close()
        return heard

    async def heard(self, context: ssl.SSLContext) -> tuple[str, ...] | None:
        """Connect to us and say something; return the names that the core saw, None where it heard nothing."""
        bench = self.site.bench
        closed = bench.counts["connections_closed identity"]
        sock = await self.site.handshake(context)
        try:
            await bench.until(lambda: bench.counts["connections_closed identity"] > closed or _is_open(bench))
            if bench.counts["connections_closed identity"] > closed:
                return None
            return await self.site.exchange(sock)
        finally:
            sock.close()
            await bench.until(lambda: not len(bench.streams))


def _is_open(bench: Any) -> bool:
    """Tell whether the last connection can be used."""
    return any(each.open for each in list(bench.streams._connections.values())[-1:])


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


async def end(studio: Studio) -> None:
    await studio.site.bench.close()


@pytest_twisted.ensureDeferred
async def test_a_pinned_key_is_asked_for_whoever_certifies_another(studio: Studio) -> None:
    """The name is right and so is the authority; nothing is said all the same."""
    far = Far(studio.authority, dns=[NAME])
    studio.asks(trust(bytes(32)))
    assert await studio.says(far) == b""
    assert studio.site.bench.counts["connections_closed identity"] == 1
    assert [data for _, data in studio.site.bench.core.lost] == [b"hello"]
    far = Far(studio.authority, dns=[NAME])
    studio.asks(trust(bytes(32), pin(studio.authority.folder / "far.pem")))
    assert await studio.says(far) == b"hello", "one of several is enough: the other is the next key"
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_an_authority_of_its_own_certifies_a_recorder_and_nobody_elses_does(studio: Studio) -> None:
    """In place of the listener's, which goes on certifying all others."""
    mine = trust(ca=studio.other.file)
    studio.asks(mine)
    assert await studio.says(Far(studio.other, dns=[NAME])) == b"hello"
    assert await studio.says(Far(studio.authority, dns=[NAME])) == b""
    assert studio.site.bench.counts["connections_closed handshake"] == 1
    assert await studio.says(Far(studio.authority, dns=["carrier.example"]), "carrier.example") == b"hello"
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_both_are_asked_for_where_both_are_written(studio: Studio) -> None:
    far = Far(studio.other, dns=[NAME])
    studio.asks(trust(bytes(32), ca=studio.other.file))
    assert await studio.says(far) == b""
    far = Far(studio.other, dns=[NAME])
    studio.asks(trust(pin(studio.other.folder / "far.pem"), ca=studio.other.file))
    assert await studio.says(far) == b"hello"
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_a_pin_takes_the_place_of_no_name_and_no_authority(studio: Studio) -> None:
    for far, reason in (
        (Far(studio.authority, dns=["other.example"]), "identity"),
        (Far(studio.other, dns=[NAME]), "handshake"),
    ):
        folder = studio.authority.folder if reason == "identity" else studio.other.folder
        studio.asks(trust(pin(folder / "far.pem")))
        assert await studio.says(far) == b""
        assert studio.site.bench.counts[f"connections_closed {reason}"] == 1
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_who_connects_under_a_recorders_name_shows_what_it_has_to(studio: Studio) -> None:
    """On whichever listener; a client at the same address has another name, and nothing is asked of it."""
    context = studio.site.context("srs", dns=[NAME])
    studio.asks(trust(bytes(32)))
    assert await studio.heard(context) is None
    assert studio.site.bench.core.received == []
    studio.asks(trust(pin(studio.authority.folder / "srs.pem")))
    assert await studio.heard(context) == (NAME,)
    studio.asks(trust(ca=studio.other.file))
    assert await studio.heard(context) is None
    studio.asks(trust(ca=studio.authority.file))
    assert await studio.heard(context) == (NAME,)
    studio.asks(trust(bytes(32)))
    assert await studio.heard(studio.site.context("pbx", dns=["pbx.example.net"])) == ("pbx.example.net",)
    assert await studio.heard(studio.site.context()) == ()
    studio.asks(trust(bytes(32), at="192.0.2.1"))
    assert await studio.heard(context) == (NAME,), "it is where no recorder is, and so it is none"
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_a_reload_ends_what_no_longer_holds_and_nothing_else(studio: Studio) -> None:
    context, other = studio.site.context("srs", dns=[NAME]), studio.site.context("pbx", dns=["pbx.example.net"])
    held = pin(studio.authority.folder / "srs.pem")
    studio.asks(trust(held))
    sock, beside = await studio.site.handshake(context), await studio.site.handshake(other)
    assert await studio.site.exchange(sock) == (NAME,)
    assert await studio.site.exchange(beside) == ("pbx.example.net",)
    studio.asks(trust(held, bytes(32)))
    assert await studio.site.exchange(sock) == (NAME,)
    studio.asks(trust(bytes(32)))
    await studio.site.bench.until(lambda: studio.site.bench.counts["connections_closed identity"] == 1)
    assert await studio.site.exchange(beside) == ("pbx.example.net",)
    for each in (sock, beside):
        each.close()
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_recorders_of_one_address_are_told_by_port(studio: Studio) -> None:
    """Each has its own key; of one that is configured no more only what was asked of it at its own port."""
    far = Far(studio.authority, dns=[NAME])
    own = pin(studio.authority.folder / "far.pem")
    studio.asks(trust(bytes(32), port=1), trust(own, port=far.peer[1]))
    assert await studio.says(far) == b"hello"
    far = Far(studio.authority, dns=[NAME])
    own = pin(studio.authority.folder / "far.pem")
    studio.asks(trust(own, port=far.peer[1], retired=True), trust(bytes(32), port=far.peer[1]))
    assert await studio.says(far) == b"", "who was there before has no say in who is there now"
    far = Far(studio.authority, dns=[NAME])
    own = pin(studio.authority.folder / "far.pem")
    studio.asks(trust(own, port=far.peer[1], retired=True), trust(bytes(32), port=1))
    assert await studio.says(far) == b"hello"
    far = Far(studio.authority, dns=[NAME])
    studio.asks(trust(bytes(32), port=1))
    assert await studio.says(far) == b"", "a port that nobody wrote down is the recorder's all the same"
    await end(studio)


@pytest_twisted.ensureDeferred
async def test_authorities_that_are_gone_certify_nobody(studio: Studio) -> None:
    studio.asks(trust()._replace(ca=()))
    assert await studio.says(Far(studio.authority, dns=[NAME])) == b""
    await end(studio)


@pytest.mark.parametrize("ca", [True, False], ids=["an authority", "no authority"])
@pytest_twisted.ensureDeferred
async def test_who_signed_its_own_certificate_may_be_believed_alone(studio: Studio, ca: bool) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), subject("self")
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    own, secret = studio.other.folder / "self.pem", studio.other.folder / "self.key"
    own.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for asked, heard in ((trust(pin(own)), b""), (trust(pin(own), ca=own), b"hello")):
        far = Far(studio.other, dns=["unused.example"])
        far.context.load_cert_chain(own, secret)
        studio.asks(asked)
        assert await studio.says(far) == heard
    await end(studio)


def test_without_recorders_nothing_is_looked_at(tmp_path: Path) -> None:
    authority = TlsAuthority(tmp_path)
    tls = Tls(authority.files(authority.own("a", dns=["a.example"])))
    assert tls.vouches(("127.0.0.1", 1), "", tls.server())
