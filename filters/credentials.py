"""Credentials: those for a realm of ours have done their work here and travel no further."""

from __future__ import annotations

import re

HEADERS = frozenset((b"authorization", b"proxy-authorization"))
# credentials = ("Digest" LWS digest-response) / other-response; realm = "realm" EQUAL realm-value (RFC 3261 §25.1)
_REALM = re.compile(rb"[\s,]realm[ \t]*=[ \t]*\"((?:[^\"\\]|\\.)*)\"", re.IGNORECASE)


def is_ours(value: bytes, realms: frozenset[bytes]) -> bool:
    """Tell whether an Authorization or Proxy-Authorization value is for one of our realms.

    One whose realm cannot be read counts as ours: it may not travel.
    """
    found = _REALM.findall(value)
    return len(found) != 1 or found[0].lower() in realms
