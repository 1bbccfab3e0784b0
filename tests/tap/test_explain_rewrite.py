"""Messages addressed anew. How they fit a dialog, tests/tap/test_explain.py shows."""

from __future__ import annotations

import pytest

from tap.explain_rewrite import as_subscriber, read, request_for, response_to, with_to_tag
from tests.agents import ALICE, CARRIER
from tests.agents import read as must_read


def test_response_keeps_what_is_its_own() -> None:
    """Contact, body, foreign Record-Route and To tag; the rest is the request's."""
    sent = must_read(ALICE.invite(headers=(b"Record-Route: <sip:tok@192.0.2.1;lr>",), branch=b"z9hG4bKnew").data)
    other = CARRIER.answer(
        ALICE.invite(branch=b"z9hG4bKold", call_id=b"old").data, 200, tag=b"far",
        routes=(b"sip:p.carrier.example;lr", b"sip:sbc.example;lr"), body=b"x",
    )  # fmt: skip
    made = must_read(response_to(sent, must_read(other.data), lambda uri: b"sbc" in uri))
    assert (made.via.branch, made.call_id, made.to_tag, made.body) == (b"z9hG4bKnew", sent.call_id, b"far", b"x")
    assert made.values(b"record-route") == [b"<sip:p.carrier.example;lr>", b"<sip:tok@192.0.2.1;lr>"]
    assert made.values(b"contact") == [b"<sip:gateway@198.51.100.7:5060>"]


def test_to_tag() -> None:
    """One, in place of another, beside other parameters."""
    request = must_read(ALICE.request(b"ACK").data.replace(b"\r\nCall-ID", b";tag=old;x\r\nCall-ID", 1))
    assert must_read(with_to_tag(request, b"new")).to_tag == b"new"
    assert b";x" in with_to_tag(request, b"new")


def test_request_for_a_response() -> None:
    """Only what the response tells."""
    made = must_read(request_for(must_read(CARRIER.answer(ALICE.invite().data, 200).data), b"10.1.1.23:5062"))
    assert (made.method, made.uri, made.to_tag, made.from_tag) == (b"INVITE", b"sip:+15550100@192.0.2.1", b"", b"from1")
    assert made.from_.display.strip() == b'"Alice Liddell"'


@pytest.mark.parametrize(
    ("subscriber", "uri"),
    [
        (b"sip:bob@b.example", b"sip:bob@b.example"),
        (b"bob@b.example", b"sip:bob@b.example"),
        (b"+1555", b"sip:+1555@sip.example.net"),
        (b"tel:+1555", b"tel:+1555"),
    ],
)
def test_subscriber(subscriber: bytes, uri: bytes) -> None:
    """As people write one; name and tag stay."""
    made = must_read(as_subscriber(must_read(ALICE.invite().data), subscriber, called=False))
    assert (made.from_.uri, made.from_tag) == (uri, b"from1")
    called = must_read(as_subscriber(must_read(ALICE.invite().data), b"bob@b.example", called=True))
    assert called.uri == called.to.uri == b"sip:bob@b.example"


@pytest.mark.parametrize(
    "data", [b"", b"x", b"INVITE x SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\n\r\n"]
)
def test_what_cannot_be_read(data: bytes) -> None:
    """Is nothing."""
    assert read(data) is None
