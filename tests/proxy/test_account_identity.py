"""As whom an account may speak."""

from __future__ import annotations

import pytest

from proxy.account_identity import Identity
from proxy.errors import Refused
from proxy.headers import NameAddr
from proxy.message import Message
from tests.agents import ALICE, read

REALMS = (b"sip.example.net",)
OWN = Identity((b"alice@sip.example.net", b"+15550123"), REALMS)


def message(from_: bytes = b"<sip:alice@sip.example.net>", *headers: bytes, method: bytes = b"INVITE") -> Message:
    data = ALICE.request(method, b"sip:alice@sip.example.net", headers=headers).data
    return read(data.replace(b'"Alice Liddell" <sip:alice@sip.example.net>', from_))


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:alice@sip.example.net", b"sips:alice@SIP.example.net:5061;transport=tls", b"sip:%61lice@sip.example.net",
        b"tel:+1-555-0123", b"sip:+15550123@anywhere.example", b"sip:+15550123;ext=7@192.0.2.1;user=phone",
    ],
)  # fmt: skip
def test_its_own(uri: bytes) -> None:
    assert OWN.has(uri)
    assert OWN.check(message(b"<%b>" % uri), replaces=False) is None


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:bob@sip.example.net", b"sip:Alice@sip.example.net", b"sip:alice@example.net", b"sip:sip.example.net",
        b"tel:+15550124", b"tel:15550123", b"sip:alice@sip.example.net.evil.example", b"sip:alice%00@sip.example.net",
        b"sip:anonymous@sip.example.net", b"urn:x:y", b"sip:alice%40sip.example.net@evil.example",
    ],
)  # fmt: skip
def test_anothers(uri: bytes) -> None:
    assert not OWN.has(uri)
    with pytest.raises(Refused) as caught:
        OWN.check(message(b"<%b>" % uri), replaces=False)
    assert caught.value.code == 403
    request = message(b'"The Bank" <%b>' % uri)
    main = NameAddr(b"", b"sip:alice@sip.example.net", b"")
    assert OWN.check(request, replaces=True) == main
    assert request.caller == main


def test_nobody_stays_nobody_and_is_known_to_us() -> None:
    """RFC 3323 §4.1.1.3: the settings are those of the account."""
    request = message(b'"Anonymous" <sip:anonymous@Anonymous.Invalid>')
    assert OWN.check(request, replaces=False) is None
    assert request.caller == OWN.main()


def test_nobody_registers_nothing() -> None:
    request = message(b"<sip:anonymous@anonymous.invalid>", method=b"REGISTER")
    with pytest.raises(Refused):
        OWN.check(request, replaces=True)


def test_a_number_alone_gets_our_host() -> None:
    assert Identity((b"+15550123",), REALMS).main().uri == b"sip:+15550123@sip.example.net"
    assert Identity((b"+15550123",), ()).main().uri == b"tel:+15550123"
