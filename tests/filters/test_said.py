"""What a message says that a PASSporT signs."""

from __future__ import annotations

import pytest

from filters.said import canonical, digits, fingerprints, global_number, leaving, received, uris
from proxy.message import Draft
from tests.agents import ALICE, read

SDP = b"v=0\r\na=fingerprint:SHA-256 4a:AD:b9\r\nm=audio 1 RTP/AVP 0\r\nA=FINGERPRINT: sha-1 00:11 \r\n"


@pytest.mark.parametrize(
    ("uri", "form"),
    [
        (b"tel:+1-555-0142", b"15550142"),
        (b"tel:+1(555)0142;phone-context=x", b"15550142"),
        (b"sip:+15550142@h;user=phone", b"15550142"),
        (b"SIPS:+1.555.0142;isub=1@h", b"15550142"),
        (b"sip:%2b15550142@h", b"15550142"),
        (b"sip:15550142@h", b"15550142"),
        (b"sip:*67@h", b"*67"),
        (b"sip:alice@Example.COM:5060;x=y", b"alice@example.com"),
        (b"sip:Alice@h", b"Alice@h"),
        (b"sip:h", b"@h"),
        (b"urn:service:SOS", b"urn:service:sos"),
        (b"tel:alice", b""),
        (b"sip:@@", b""),
        (b"sip:+@h", b"+@h"),
        (b"nonsense", b""),
    ],
)
def test_canonical(uri: bytes, form: bytes) -> None:
    assert canonical(uri) == form


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        (b"sip:+15550142@h", b"15550142"),
        (b"tel:+1-555-0142;x=y", b"15550142"),
        (b"sip:+15550142;verstat=x@h", b"15550142"),
        (b"sip:15550142@h", b""),
        (b"sip:+05550142@h", b""),
        (b"sip:+1555@h", b""),
        (b"sip:+1234567890123456@h", b""),
        (b"sip:+1555*0142@h", b""),
        (b"sip:@@", b""),
        (b"urn:service:sos", b""),
    ],
)
def test_global_numbers(uri: bytes, number: bytes) -> None:
    """Only what names its country is one."""
    assert global_number(uri) == number


def test_digits() -> None:
    assert digits(b"+1 (555)") == b""
    assert digits(b"()") == b""
    assert digits(b"+1(555)*#") == b"1555*#"


def test_uris_of_lists() -> None:
    assert uris([b'"A, B" <sip:a@h>, <tel:+1>', b"broken <"]) == [b"sip:a@h", b"tel:+1"]


def test_fingerprints() -> None:
    assert fingerprints(SDP) == {(b"sha-256", b"4AADB9"), (b"sha-1", b"0011")}
    assert fingerprints(b"v=0\r\n") == frozenset()


def test_a_request_before_and_after() -> None:
    """The draft is read with its edits."""
    headers = (
        b"P-Asserted-Identity: <sip:+15550143@h>, <tel:+15550143>",
        b"Date: now",
        b"Content-Type: application/sdp",
    )
    request = read(ALICE.invite(headers=headers, body=SDP).data)
    before = received(request)
    assert before.callers == {canonical(request.from_.uri), b"15550143"}
    assert before.called == {b"15550100"}
    assert (before.date, len(before.keys)) == (b"now", 2)
    draft = Draft(request)
    assert leaving(draft) == before
    draft.remove_all(b"p-asserted-identity", "")
    draft.remove_all(b"date", "")
    draft.start = b"INVITE sip:+15550199@h SIP/2.0"
    draft.body = b""
    after = leaving(draft)
    assert after.callers == {canonical(request.from_.uri)}
    assert after.called == {b"15550100", b"15550199"}
    assert (after.date, after.keys) == (b"", frozenset())
