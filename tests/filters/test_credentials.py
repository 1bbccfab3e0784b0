"""Whose credentials they are: ours stay here, others' are theirs (standards.md §2.4, RFC 3261 §22, §25.1)."""

from __future__ import annotations

import pytest

from filters.credentials import is_ours

REALMS = frozenset((b"sip.example.net", b'the "house"'))
REST = b', nonce="84a4cc6f", uri="sip:b@biloxi.example", response="7587245234b3434cc3412213e5f113a5", qop=auth, nc=1'


@pytest.mark.parametrize(
    "value",
    [
        b'Digest username="alice", realm="sip.example.net"' + REST,
        b'Digest realm="sip.example.net"',
        b'digest REALM="SIP.Example.NET"' + REST,
        b'Digest username="alice",realm="sip.example.net",nonce=""',
        b'Digest realm = "sip.example.net" , nonce="x"',
        b'Digest realm="the \\"house\\""' + REST,
        b'Digest realm="The \\"House\\""' + REST,
        rb'Digest realm="s\ip.example\.net"',
        rb'Digest username="x\" realm=\"other", realm="sip.example.net"',
        b'Digest username="a realm=", realm="sip.example.net"',
        b'Digest username=", realm=", realm="sip.example.net"',
        b'AKAv1-MD5 realm="sip.example.net"',
    ],
)
def test_our_realm_is_ours(value: bytes) -> None:
    """In any case, with blanks, with escapes that mean nothing (quoted-pair), whatever other parameters quote."""
    assert is_ours(value, REALMS)


@pytest.mark.parametrize(
    "value",
    [
        b'Digest username="alice", realm="biloxi.example"' + REST,
        b'Digest username="sip.example.net", realm="biloxi.example"',
        rb'Digest username="\", realm=\"sip.example.net", realm="biloxi.example"',
        b'Digest realm="biloxi.example", opaque="realm=\\"sip.example.net\\""',
        b'Digest realm="xsip.example.net"',
        b'Digest realm="sip.example.net.evil"',
        b'Digest realm=""',
    ],
)
def test_another_realm_is_not(value: bytes) -> None:
    """Credentials for somebody further on have to reach it (RFC 3261 §22.3)."""
    assert not is_ours(value, REALMS)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Digest",
        b"Basic YWxpY2U6c2VjcmV0",
        b"Bearer eyJhbGciOi",
        b'Digest username="alice"',
        b"Digest realm=biloxi.example",
        b'Digest realm="biloxi.example',
        b'Digest realm="biloxi.example" nonce="x"',
        b'Digest realm="biloxi.example", realm="sip.example.net"',
        b'Digest realm="sip.example.net", realm="biloxi.example"',
        b'Digest realm="biloxi.example", Digest realm="sip.example.net"',
        b'Digest realm="a", realm="b"',
        b'realm="biloxi.example"',
    ],
)
def test_what_cannot_be_read_counts_as_ours(value: bytes) -> None:
    """No realm, several, one without quotes, or anything that is not `scheme name=value, …`: it may not travel."""
    assert is_ours(value, REALMS)


def test_without_realms_of_our_own_nobody_is_ours() -> None:
    """An operator who authenticates nobody."""
    assert not is_ours(b'Digest realm="sip.example.net"', frozenset())


def test_a_long_value_costs_little() -> None:
    """Possessive: no value makes the grammar try again and again."""
    for hostile in (b"Digest " + b"a=b," * 2000, b'Digest a="' + b"\\" * 8001, b"Digest " + b"a" * 8000 + b"!" * 8000):
        assert is_ours(hostile, REALMS)
