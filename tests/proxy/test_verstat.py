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
        (b"sip:+1555%3Bverstat%3DTN-Validation-Passed@h", b"sip:+1555@h"),
        (b"sip:+1555%3bver%73tat=a;npdi@h;user=phone", b"sip:+1555;npdi@h;user=phone"),
        (b"sip:+1555@h;ver%2573tat=a", b"sip:+1555@h"),
        (b"sip:+1555@h;%76%45rstat", b"sip:+1555@h"),
        (b"sip:+1555@h?verstat=a&b=c", b"sip:+1555@h"),
        (b"sip:+1555?x;verstat=a@h?y=z", b"sip:+1555?x@h?y=z"),
        (b"sip:+1555@h;lr?P-Asserted-Identity=%3Ctel:+1%3Bverstat%3Da%3E", b"sip:+1555@h;lr"),
        (b"sips:+1555;verstat=a:secret@h", b"sips:+1555@h"),
        (b"urn:service:x;verstat=a", b"urn:service:x"),
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
    assert (
        disclaimed_value(b"<sip:a@h>;party=calling; VerStat = a;privacy=off") == b"<sip:a@h>;party=calling;privacy=off"
    )
    assert disclaimed_value(b"<sip:a@h>;ver%73tat=a") == b"<sip:a@h>"
    assert disclaimed_value(b"<sip:a;verstat=a@h;verstat>, \t<tel:+1;VERSTAT=b>") == b"<sip:a@h>, <tel:+1>"
    assert disclaimed_value(b"<tel:+1;verstat=a") is None, "what cannot be read"
