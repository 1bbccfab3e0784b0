"""Whose a certificate is, as SIP counts it (RFC 5922 §7): names of domains, never a wildcard."""

from __future__ import annotations

import ipaddress
import re

from cryptography import x509
from cryptography.x509.oid import NameOID

_DOMAIN = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
"""A whole name: `*` is not in it, so no wildcard matches anything (§7.2)."""


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the domains that a certificate is for, lower case, each once (§7.1).

    Those of `sip:` URIs without a user; where there are none, the DNS names; and only where there is no
    subjectAltName at all, the common name. Whether the certificate holds is for others to verify.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return _plain([str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)])
    except ValueError:  # it cannot be read, so it names nobody
        return ()
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return _plain([_host_of(uri) for uri in uris]) or _plain(names.get_values_for_type(x509.DNSName))


def is_of(certificate: x509.Certificate, wanted: str) -> bool:
    """Tell whether a certificate is that of a domain (§7.2) or, where an address is wanted, of that (RFC 9525 §6.4)."""
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        return wanted.lower().removesuffix(".") in names_of(certificate)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return address in names.get_values_for_type(x509.IPAddress)


def _host_of(uri: str) -> str:
    """Return the host of a `sip:` URI; empty for another scheme, or where there is a user."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "sip" or "@" in rest:
        return ""
    return re.split("[:;?]", rest, maxsplit=1)[0]


def _plain(names: list[str]) -> tuple[str, ...]:
    """Return what of names is a domain, as it is compared."""
    lowered = dict.fromkeys(name.lower().removesuffix(".") for name in names)
    return tuple(name for name in lowered if _DOMAIN.fullmatch(name) and not _is_address(name))


def _is_address(name: str) -> bool:
    return name.replace(".", "").isdigit()
