"""`verstat` from outside."""

from __future__ import annotations

import pytest

from proxy.headers import NameAddr
from proxy.verstat import disclaimed, disclaimed_value, without_verstat


@pytest.mark.parametrize(
    ("uri", "left"),
    [
        (b"sip:+1555@h", b"sip:+1555@h"),
        (b"sip:+1555@h;user=phone", b"sip:+1555@h;user=phone"),
        (b"sip:+1555;verstat=TN-Validation-Passed@h;user=phone", b"sip:+1555@h;user=phone"),
        (b"sip:+1555;cpc=x;VerStat=a;npdi@h", b"sip:+1555;cpc=x;npdi@h"),
        (b"sip:+1555@h;verstat=a;user=phone", b"sip:+1555@h;user=phone"),
        (b"sip:+1555@h;verstat", b"sip:+1555@h"),
        (b"sip:+1555@h;verstat=a?x=y", b"sip:+1555@h?x=y"),
        (b"tel:+1555;verstat=a;verstat=b", b"tel:+1555"),
        (b"sip:+1555;ver%73tat=a@h", b"sip:+1555@h"),
        (b"sip:verstat@h;x=verstat", b"sip:verstat@h;x=verstat"),
    ],
)
def test_uris(uri: bytes, left: bytes) -> None:
    assert without_verstat(uri) == left


def test_addresses_and_lists() -> None:
    assert disclaimed(NameAddr(b"A", b"tel:+1;verstat=a", b"")) == NameAddr(b"A", b"tel:+1", b"")
    assert disclaimed_value(b"<tel:+1>;a=b") == b"<tel:+1>;a=b"
    assert disclaimed_value(b'"verstat" <tel:+1;verstat=a>, <sip:b@h>;verstat=c') == b'"verstat" <tel:+1>, <sip:b@h>'
    assert disclaimed_value(b'<tel:+1>;verstat=a;b="c;d"') == b"<tel:+1>"
    assert disclaimed_value(b"<tel:+1;verstat=a") is None, "what cannot be read"
