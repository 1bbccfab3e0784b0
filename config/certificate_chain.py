"""Chains of STI certificates (RFC 8226, RFC 5280 §6), held against trust anchors by hand.

`cryptography.x509.verification` wants a server's or client's name in the certificate, which these have not.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.x509.oid import ExtensionOID

MAX_CHAIN = 6
"""Certificates from the signer's to the one below an anchor: SHAKEN has one to three."""
_UNDERSTOOD = frozenset((ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE))
"""Critical extensions that are looked at; with any other, a certificate is refused (RFC 5280 §4.2)."""


class ChainError(Exception):
    """A chain that leads to no anchor; says why."""


def check(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the anchor that a chain leads to: the signer's certificate first, each issued by the next.

    Whether they hold today is for whoever uses them to ask.

    Raises:
        ChainError: if it does not, or one of its certificates may not do what it does.
    """
    try:
        return _check(chain, anchors)
    except (ValueError, UnsupportedAlgorithm):
        raise ChainError("has a certificate that cannot be read in full") from None


def _check(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> x509.Certificate:
    if not 0 < len(chain) <= MAX_CHAIN:
        raise ChainError(f"has no certificate, or more than {MAX_CHAIN}")
    _check_signer(chain[0])
    for below, issuer in enumerate(chain[1:]):
        if not _issued(chain[below], issuer):
            raise ChainError("is not in order: one certificate does not issue the one before it")
        _check_issuer(issuer, below)
    anchor = next((one for one in anchors if one == chain[-1] or _issued(chain[-1], one)), None)
    if anchor is None or anchor == chain[0]:
        raise ChainError("leads to no trust anchor")
    _check_issuer(anchor, len(chain) - 1 - (anchor == chain[-1]))
    return anchor


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_signer(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ChainError("is of a key that is not on P-256")
    _check_critical(certificate)
    usage = _usage(certificate)
    if usage is not None and not usage.digital_signature:
        raise ChainError("is of a key that may not sign")


def _check_issuer(certificate: x509.Certificate, below: int) -> None:
    """Check that a certificate may issue others; `below`: how many issuers stand between it and the signer."""
    _check_critical(certificate)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        raise ChainError("has an issuer that is no authority") from None
    if not constraints.ca:
        raise ChainError("has an issuer that is no authority")
    usage = _usage(certificate)
    if usage is not None and not usage.key_cert_sign:
        raise ChainError("has an issuer that may not issue")
    if constraints.path_length is not None and below > constraints.path_length:
        raise ChainError("is longer than an issuer allows")


def _check_critical(certificate: x509.Certificate) -> None:
    if any(each.critical and each.oid not in _UNDERSTOOD for each in certificate.extensions):
        raise ChainError("has a critical extension that is not understood")


def _usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
