"""Credentials: those for a realm of ours have done their work here and travel no further."""

from __future__ import annotations

import re

HEADERS = frozenset((b"authorization", b"proxy-authorization"))
_TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]++"
_QUOTED = rb'"(?>(?:[^"\\]++|\\.)*)"'
# auth-param = auth-param-name EQUAL ( token / quoted-string ) (RFC 3261 §25.1); URIs without quotes are tolerated
_PARAM = rb"(" + _TOKEN + rb")[ \t]*+=[ \t]*+(" + _QUOTED + rb'|[^\s,"]++)'
_PARAMS = re.compile(_PARAM, re.DOTALL)
# credentials = ("Digest" LWS digest-response) / other-response: a scheme and its parameters, to the last byte.
# What stands in the quotes of one parameter is never taken for another.
_CREDENTIALS = re.compile(
    rb"[ \t]*+" + _TOKEN + rb"[ \t]++(" + _PARAM + rb"(?>(?:[ \t]*+,[ \t]*+" + _PARAM + rb")*))[ \t]*+", re.DOTALL
)
_PAIR = re.compile(rb"\\(.)", re.DOTALL)


def is_ours(value: bytes, realms: frozenset[bytes]) -> bool:
    """Tell whether an Authorization or Proxy-Authorization value is for one of our realms.

    One whose realm cannot be read counts as ours: it may not travel.

    Args:
        value: of the header, unfolded.
        realms: ours, in lower case.
    """
    read = _CREDENTIALS.fullmatch(value)
    named = [text for name, text in _PARAMS.findall(read[1]) if name.lower() == b"realm"] if read else []
    if len(named) != 1 or named[0][:1] != b'"':
        return True
    return _PAIR.sub(rb"\1", named[0][1:-1]).lower() in realms
