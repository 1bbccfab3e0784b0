"""Whose a URI is."""

from __future__ import annotations

import pytest

from proxy.address_of_record import addresses_of_record

REALMS = (b"sip.example.net",)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (b"sip:alice@EXAMPLE.net:5062;transport=udp", (b"alice@example.net",)),
        (b"sip:alice;x=y@example.net", (b"alice@example.net",)),
        (b"tel:+1-555-0123;ext=1", (b"+15550123", b"+15550123@sip.example.net")),
        (b"sip:+1.555.0123@a", (b"+1.555.0123@a", b"+15550123@a", b"+15550123")),
        (b"urn:service:sos", ()),
        (b"sip:a@b:99999", ()),
    ],
)
def test_addresses(uri: bytes, expected: tuple[bytes, ...]) -> None:
    assert addresses_of_record(uri, REALMS) == expected
