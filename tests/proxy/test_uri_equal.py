"""The examples of RFC 3261 §19.1.4, and what bindings make of them."""

from __future__ import annotations

import pytest

from proxy.uri import parse_sip_uri
from proxy.uri_equal import equal


def same(one: bytes, other: bytes) -> bool:
    first, second = parse_sip_uri(one), parse_sip_uri(other)
    assert first is not None
    assert second is not None
    assert equal(first, second) is equal(second, first)
    return equal(first, second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"sip:%61lice@atlanta.com;transport=TCP", b"sip:alice@AtlanTa.CoM;Transport=tcp"),
        (b"sip:carol@chicago.com", b"sip:carol@chicago.com;newparam=5"),
        (b"sip:carol@chicago.com;newparam=5", b"sip:carol@chicago.com;security=on"),
        (
            b"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            b"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (b"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         b"sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
    ],
)  # fmt: skip
def test_equal(one: bytes, other: bytes) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"SIP:ALICE@AtLanTa.CoM;Transport=udp", b"sip:alice@AtLanTa.CoM;Transport=UDP"),
        (b"sip:bob@biloxi.com", b"sip:bob@biloxi.com:5060"),
        (b"sip:bob@biloxi.com", b"sip:bob@biloxi.com;transport=udp"),
        (b"sip:bob@biloxi.com", b"sip:bob@biloxi.com:6000;transport=tcp"),
        (b"sip:carol@chicago.com", b"sip:carol@chicago.com?Subject=next%20meeting"),
        (b"sip:bob@phone21.boxesbybob.com", b"sip:bob@192.0.2.4"),
        (b"sip:bob@biloxi.com", b"sips:bob@biloxi.com"),
        (b"sip:bob@biloxi.com;user=phone", b"sip:bob@biloxi.com"),
        (b"sip:bob@biloxi.com;maddr=192.0.2.1", b"sip:bob@biloxi.com"),
        (b"sip:bob@biloxi.com;line=1", b"sip:bob@biloxi.com;line=2"),
        (b"sip:bob:one@biloxi.com", b"sip:bob:two@biloxi.com"),
    ],
)
def test_different(one: bytes, other: bytes) -> None:
    assert not same(one, other)
