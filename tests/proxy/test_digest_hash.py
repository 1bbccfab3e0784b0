"""What proves a password: the examples of the RFCs, which both ends have to give."""

from __future__ import annotations

import pytest

from proxy.digest_hash import hashed, response

NONCE = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
COUNTED = b"00000001", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (b"MD5", b"8ca523f5e9506fed4657c9700eebdbec"),
        (b"SHA-256", b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_3_9_1(algorithm: bytes, expected: bytes) -> None:
    ha1 = hashed(algorithm, b"Mufasa:http-auth@example.org:Circle of Life")
    assert response(algorithm, ha1, NONCE, (b"GET", b"/dir/index.html"), COUNTED) == expected


def test_rfc_2069_with_its_erratum() -> None:
    """Without qop."""
    ha1 = hashed(b"MD5", b"Mufasa:testrealm@host.com:CircleOfLife")
    nonce = b"dcd98b7102dd2f0e8b11d0f600bfb0c093"
    assert response(b"MD5", ha1, nonce, (b"GET", b"/dir/index.html"), None) == b"1949323746fe6a43ef61f9606e7febea"


def test_the_third_algorithm_is_no_shortened_one() -> None:
    """SHA-512/256 begins with values of its own (FIPS 180-4 §5.3.6.2), which gives for "abc":"""
    assert hashed(b"SHA-512-256", b"abc") == b"53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
