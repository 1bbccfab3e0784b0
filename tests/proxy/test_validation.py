"""What a request must be like before anything is done for it (RFC 3261 §16.3)."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.errors import Refused
from proxy.message import Message
from proxy.parse import parse
from proxy.validation import check, check_proxy_require, read_request_uri


def request(uri: bytes = b"sip:bob@example.com", branch: bytes = b"z9hG4bKx", *lines: bytes) -> Message:
    return parse(
        b"\r\n".join(
            [
                b"OPTIONS %b SIP/2.0" % uri,
                b"Via: SIP/2.0/UDP 10.1.1.23;branch=" + branch,
                b"From: <sip:a@b>;tag=a",
                b"To: <sip:bob@example.com>",
                b"Call-ID: 1",
                b"CSeq: 1 OPTIONS",
                *lines,
                b"Content-Length: 0",
                b"",
                b"",
            ]
        ),
        Limits(),
    )


@pytest.mark.parametrize(
    ("uri", "host"),
    [(b"sip:bob@example.com", b"example.com"), (b"sips:a@[2001:db8::10:5070]", b"2001:db8::10:5070"),
     (b"tel:+15550100", None), (b"urn:service:sos", None), (b"URN:service:sos.fire", None)],
)  # fmt: skip
def test_schemes_that_a_route_may_serve_are_read(uri: bytes, host: bytes | None) -> None:
    """§16.3 item 2; tel (RFC 3966) and urn (RFC 5031) have no host."""
    found = read_request_uri(request(uri))
    assert (found.host if found else None) == host


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (b"nobodyKnowsThisScheme:totallyopaquecontent", 416),
        (b"soap.beep://192.0.2.103:3002", 416),
        (b"http://www.example.com", 416),
        (b"sip:bob@example.com?Route=%3Csip:example.com%3E", 400),
        (b"<sip:bob@example.com>", 400),
        (b"sip:2001:db8::10", 400),
        (b"sip:", 400),
        (b"sip:bob@example.com:65536", 400),
        (b"bob", 400),
    ],
)
def test_other_request_uris_are_refused(uri: bytes, code: int) -> None:
    """RFC 4475 §3.3.2 and §3.3.3 (416), §3.1.2.7, §3.1.2.11 and RFC 5118 §4.2 (400)."""
    with pytest.raises(Refused) as refused:
        read_request_uri(request(uri))
    assert refused.value.code == code


def test_a_good_request_passes() -> None:
    """Without Max-Forwards as well (§16.3 item 3), and without a branch (RFC 2543)."""
    check(request())
    fine = request(b"sip:b", b"old", b"Max-Forwards: 1", b"Require: nothing", b"Proxy-Require: privacy, PRIVACY")
    check(fine)
    check_proxy_require(fine)


def test_at_zero_hops_a_request_ends() -> None:
    """§16.3 item 3."""
    with pytest.raises(Refused) as refused:
        check(request(b"sip:b", b"z9hG4bKx", b"Max-Forwards: 000"))
    assert refused.value.code == 483


@pytest.mark.parametrize("branch", [b"z9hG4bK", b"Z9HG4BK"])
def test_a_cookie_without_branch_is_refused(branch: bytes) -> None:
    """RFC 4475 §3.2.1."""
    with pytest.raises(Refused) as refused:
        check(request(b"sip:b", branch))
    assert refused.value.code == 400


def test_unknown_proxy_requirements_are_named() -> None:
    """§16.3 item 5: all of them, over lines and commas, and only those that we do not fulfil."""
    with pytest.raises(Refused) as refused:
        check_proxy_require(request(b"sip:b", b"z9hG4bKx", b"Proxy-Require: a, privacy", b"Proxy-Require: b"))
    assert refused.value.code == 420
    assert refused.value.extra == (b"Unsupported: a, b",)
