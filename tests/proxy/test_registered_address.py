"""Addresses of record: what a call may mean by its Request-URI."""

from __future__ import annotations

import pytest

from proxy.registered_address import address_of_record, candidates
from proxy.uri import parse_sip_uri

DOMAINS = (b"example.net", b"example.org")


@pytest.mark.parametrize(
    ("uri", "ours", "expected"),
    [
        (b"sip:alice@example.net", False, [b"alice@example.net"]),
        (b"sip:alice@EXAMPLE.NET.:5070;user=phone", False, [b"alice@example.net"]),
        (b"sip:alice@192.0.2.1", True, [b"alice@example.net", b"alice@example.org"]),
        (b"sip:alice@192.0.2.9", False, []),
        (b"sip:example.net", False, []),
        (b"sip:+1-555-0100;npdi@example.org", False, [b"+15550100@example.org"]),
        (b"tel:+1(555)0100;phone-context=x", False, [b"+15550100@example.net", b"+15550100@example.org"]),
        (b"tel:100;phone-context=example.net", False, []),
        (b"urn:service:sos", False, []),
    ],
)
def test_candidates(uri: bytes, ours: bool, expected: list[bytes]) -> None:
    assert candidates(parse_sip_uri(uri), uri, DOMAINS, ours=ours) == expected


def test_a_plus_alone_is_no_number() -> None:
    assert address_of_record(b"+", b"example.net") == b"+@example.net"
    assert address_of_record(b"+-", b"example.net") == b"+-@example.net"
