"""TLS for listeners and for connections of ours: versions, ciphers, certificates, and who the far end is.

TLS 1.2 and 1.3 as RFC 9325 wants them: forward secrecy, authenticated encryption, no compression, no renegotiation.
There is no resumption either: each handshake meets the certificates and authorities that hold now.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from config.tls_files import OwnCertificate, TlsFiles
from proxy.sip_identity import is_of, names_of
from proxy.transport_recorder import Recorders

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aDSS:!PSK"
"""For TLS 1.2 (RFC 9325 §4.2); all of TLS 1.3 are of this kind."""
_INVALID_PURPOSE = 26
"""X509_V_ERR_INVALID_PURPOSE of OpenSSL's x509_vfy.h."""
_SIP_DOMAIN = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.20")
"""id-kp-sipDomain (RFC 5924 §4)."""
_PURPOSES = frozenset(
    (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
     _SIP_DOMAIN)
)  # fmt: skip
_OPTIONS = (
    SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE
)  # fmt: skip


class TlsError(Exception):
    """OpenSSL takes no such certificate, key or authority; the text names none of them."""


class Contexts(NamedTuple):
    """What OpenSSL makes the connections of one listener by."""

    server: SSL.Context
    client: SSL.Context
    of_recorders: dict[tuple[bytes, ...], SSL.Context]
    """Those of connections to recorders with authorities of their own, by these."""
    recorders: Recorders


class Tls:
    """What one listener speaks TLS with; `renew` changes it for connections to come."""

    def __init__(self, files: TlsFiles) -> None:
        """Make what files say.

        Raises:
            TlsError: it cannot be made.
        """
        self.renew(contexts(files))

    def renew(self, made: Contexts) -> None:
        """Go on with other contexts; connections that there are keep theirs."""
        self._made = made

    def server(self) -> SSL.Connection:
        """Return the TLS part of a connection that came in."""
        return SSL.Connection(self._made.server, None)

    def client(self, identity: str, peer: tuple[str, int]) -> SSL.Connection:
        """Return the TLS part of a connection that we make to whom identity names (RFC 6066 §3: no addresses)."""
        own = self._made.recorders.authorities(peer, identity)
        connection = SSL.Connection(self._made.client if own is None else self._made.of_recorders[own], None)
        if identity and not _is_address(identity):
            connection.set_tlsext_host_name(identity.encode("ascii"))
        return connection

    def vouches(self, peer: tuple[str, int], wanted: str, connection: SSL.Connection) -> bool:
        """Tell whether the far end is no recorder, or shows what its recorder has to; as `Recorders.vouch`."""
        return self._made.recorders.vouch(peer, wanted, connection)


@implementer(IOpenSSLServerConnectionCreator)
class Accepting:
    """Makes the TLS part of incoming connections, for Twisted."""

    def __init__(self, tls: Tls) -> None:
        """Make them by tls."""
        self._tls = tls

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802 - Twisted's name
        """Return one."""
        return self._tls.server()


@implementer(IOpenSSLClientConnectionCreator)
class Connecting:
    """Makes the TLS part of a connection of ours, for Twisted."""

    def __init__(self, tls: Tls, identity: str, peer: tuple[str, int]) -> None:
        """Make it by tls, to whom identity names, at an address."""
        self._tls = tls
        self._identity = identity
        self._peer = peer

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802 - Twisted's name
        """Return it."""
        return self._tls.client(self._identity, self._peer)


def contexts(files: TlsFiles) -> Contexts:
    """Return what connections are made by.

    Raises:
        TlsError: OpenSSL does not take it.
    """
    try:
        own = {each.ca for each in files.recorders if each.ca is not None}
        of_recorders = {ca: _client_context(files._replace(ca=ca)) for ca in own}
        return Contexts(_server_context(files), _client_context(files), of_recorders, Recorders(files.recorders))
    except (SSL.Error, crypto.Error, ValueError) as error:
        raise TlsError("OpenSSL refuses a certificate, key or authority") from error


def peer_names(certificate: crypto.X509 | None) -> tuple[str, ...]:
    """Return the names of a certificate that the handshake has verified; none where there is none."""
    return () if certificate is None else names_of(certificate.to_cryptography())


def is_peer(certificate: crypto.X509 | None, wanted: str) -> bool:
    """Tell whether a certificate that the handshake has verified is that of whom we meant to reach."""
    return certificate is not None and bool(wanted) and is_of(certificate.to_cryptography(), wanted)


def _base(method: int, own: OwnCertificate | None) -> SSL.Context:
    context = SSL.Context(method)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    # Most connections of phones are idle nearly always: without it each would hold 34 KB of buffers all the time.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(CIPHERS)
    if own is not None:
        first, *others = [x509.load_der_x509_certificate(one) for one in own.chain]
        context.use_certificate(first)
        for one in others:
            context.add_extra_chain_cert(one)
        key = load_pem_private_key(own.key, None)
        assert isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey)  # noqa: S101 -- read so
        context.use_privatekey(key)
        context.check_privatekey()
    return context


def _server_context(files: TlsFiles) -> SSL.Context:
    """Return the context of the first certificate, which gives way to that of the name that a client asks for."""
    made = [_base(SSL.TLS_SERVER_METHOD, own) for own in files.own]
    by_name: dict[str, SSL.Context] = {}
    for own, context in zip(files.own, made, strict=True):
        for name in own.names:
            by_name.setdefault(name, context)
    first = made[0]

    def choose(connection: SSL.Connection) -> None:
        asked = connection.get_servername()
        name = asked.decode("ascii", "replace").lower() if asked else ""
        chosen = by_name.get(name) or by_name.get("*." + name.partition(".")[2])
        if chosen is not None:
            connection.set_context(chosen)

    first.set_tlsext_servername_callback(choose)
    if files.client_ca is not None:
        mode = SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if files.require_client else 0)
        for context in made:  # each has authorities of its own; the mode is that of the first
            _believe(context, files.client_ca)
            context.set_verify(mode, _verified)
    return first


def _client_context(files: TlsFiles) -> SSL.Context:
    context = _base(SSL.TLS_CLIENT_METHOD, files.own[0] if files.own else None)
    if files.ca is None:
        context.set_default_verify_paths()
    else:
        _believe(context, files.ca)
    context.set_verify(SSL.VERIFY_PEER, _verified)
    return context


def _believe(context: SSL.Context, authorities: tuple[bytes, ...]) -> None:
    store = context.get_cert_store()
    for one in authorities:
        certificate = x509.load_der_x509_certificate(one)
        if store is not None:
            store.add_cert(crypto.X509.from_cryptography(certificate))
        context.add_client_ca(certificate)


def _verified(_: SSL.Connection, certificate: crypto.X509, error: int, depth: int, fine: int) -> bool:
    """Take what OpenSSL takes, and a SIP server's certificate whichever end it is at.

    A SIP server is client and server by turns and has one certificate (RFC 5924 §1); public authorities write
    serverAuth alone into it.
    """
    if error == _INVALID_PURPOSE and depth == 0:
        try:
            usage = certificate.to_cryptography().extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (x509.ExtensionNotFound, ValueError):
            return False
        return not _PURPOSES.isdisjoint(usage)
    return bool(fine)


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()
