"""What a connection with a recorder shows besides its name: a pinned key, an authority of its own (RFC 7866 §12.1).

That is asked of every connection to the address of a recorder, and of every one from there that shows the name of one,
whichever way it came and on whichever listener; where it does not hold, nothing of it is heard, and nothing is sent.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from hashlib import sha256

from cryptography import x509
from OpenSSL import SSL, crypto

from config.recorder_trust import RecorderTrust
from proxy.sip_identity import names_of


class Recorders:
    """All recorders, as one listener has them."""

    def __init__(self, trusts: Sequence[RecorderTrust]) -> None:
        """Make ready what OpenSSL asks.

        Raises:
            SSL.Error, crypto.Error, ValueError: an authority cannot be used.
        """
        self._trusts = trusts
        self._stores = {each.ca: _store(each.ca) for each in trusts if each.ca is not None}

    def authorities(self, peer: tuple[str, int], wanted: str) -> tuple[bytes, ...] | None:
        """Return who certifies the recorder that a connection of ours is to reach; None: those of the listener."""
        return next((each.ca for each in self._at(peer, (wanted,)) if each.ca is not None), None)

    def vouch(self, peer: tuple[str, int], wanted: str, connection: SSL.Connection) -> bool:
        """Tell whether the far end of a connection is a recorder that it may be, or none at all.

        Args:
            peer: its address and port.
            wanted: the name that was to be reached; "" where it has connected to us.
            connection: whose handshake is over.
        """
        if not self._trusts:
            return True
        certificate = connection.get_peer_certificate()
        if certificate is None:
            return not wanted  # it shows no name, so it is no recorder's
        if wanted:
            return all(self._holds(each, certificate, connection) for each in self._at(peer, (wanted,)))
        # What comes tells no port: of two recorders with one address and name it may be either.
        found = self._at((peer[0], 0), names_of(certificate.to_cryptography()))
        return not found or any(self._holds(each, certificate, connection) for each in found)

    def _at(self, peer: tuple[str, int], names: Sequence[str]) -> list[RecorderTrust]:
        """Return the recorders of an address that have one of the names: of its very port, if one has that."""
        lowered = [name.lower().removesuffix(".") for name in names]
        found = [each for each in self._trusts if not each.names.isdisjoint(lowered) and _is_at(each, peer[0])]
        found = [each for each in found if peer in each.hosts] or found
        # Who was there before has no say in who is there now.
        return [each for each in found if not each.retired] or found

    def _holds(self, trust: RecorderTrust, certificate: crypto.X509, connection: SSL.Connection) -> bool:
        if trust.pins and _pin_of(certificate) not in trust.pins:
            return False
        return trust.ca is None or _certifies(self._stores[trust.ca], certificate, connection)


def _is_at(trust: RecorderTrust, host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    return any(ipaddress.ip_address(each) == address for each, _ in trust.hosts) or any(
        address in each.network for each in trust.networks
    )


def _pin_of(certificate: crypto.X509) -> bytes:
    """Return the SHA-256 of SubjectPublicKeyInfo as it stands in a certificate, RSA-PSS included."""
    return sha256(crypto.dump_publickey(crypto.FILETYPE_ASN1, certificate.get_pubkey())).digest()


def _store(authorities: Sequence[bytes]) -> crypto.X509Store:
    store = crypto.X509Store()
    for one in authorities:
        store.add_cert(crypto.X509.from_cryptography(x509.load_der_x509_certificate(one)))
    return store


def _certifies(store: crypto.X509Store, certificate: crypto.X509, connection: SSL.Connection) -> bool:
    """Tell whether the chain that was shown leads to one of these authorities."""
    try:
        crypto.X509StoreContext(store, certificate, connection.get_peer_cert_chain()).verify_certificate()
    except crypto.X509StoreContextError:
        return False
    return True
