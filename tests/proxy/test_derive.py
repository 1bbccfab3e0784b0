"""ACK, CANCEL and the BYE of a call that may not stay up, from the bytes that we sent (RFC 3261 §9.1, §17.1.1.3)."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.derive import ack_and_bye, ack_for, cancel_for, plain_reason
from proxy.errors import Malformed
from proxy.message import Message
from proxy.parse import parse
from proxy.validation import check

LIMITS = Limits()
SENT = (
    b"INVITE sip:+15550100@198.51.100.7 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport\r\n"
    b"Route: <sip:first.example;lr>, <sip:second.example;lr>\r\n"
    b"Record-Route: <sip:token@192.0.2.1;lr>\r\n"
    b"Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKtheirs\r\n"
    b"Max-Forwards: 69\r\n"
    b'f: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=a\r\n'
    b"To\t: <sip:+15550100@198.51.100.7>\r\n"
    b"i: Csealed\r\n"
    b"CSeq: 7 INVITE\r\n"
    b"Require: 100rel\r\n"
    b"Proxy-Require: privacy\r\n"
    b"Record-Route: <sip:up.example;lr>, <sip:upper.example;lr>\r\n"
    b"Contact: <sip:token@192.0.2.1>\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 3\r\n\r\nabc"
)
ROUTES = [b"sip:near.example;lr", b"sip:far.example;lr"]
FOLDED = (
    SENT.replace(b";tag=a", b"\r\n  ;\r\n tag = a")
    .replace(b"CSeq: 7 INVITE", b"cseq: 0007\r\n  INVITE")
    .replace(b"i: Csealed", b"i:\r\n Csealed")
)


def answer(status: int, *extra: bytes) -> Message:
    lines = [
        b"SIP/2.0 %d X" % status,
        b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport",
        b'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=a',
        b"To: <sip:+15550100@198.51.100.7>;tag=far",
        b"Call-ID: Csealed",
        b"CSeq: 7 INVITE",
        *extra,
        b"Content-Length: 0",
    ]
    return parse(b"\r\n".join([*lines, b"", b""]), LIMITS)


@pytest.mark.parametrize("sent", [SENT, FOLDED])
def test_an_ack_repeats_the_invite_with_the_tag_of_the_answer(sent: bytes) -> None:
    """§17.1.1.3: same Request-URI, Call-ID, From, Route, CSeq number and a single Via; To of the response."""
    invite, ack = parse(sent, LIMITS), parse(ack_for(sent, answer(486)), LIMITS)
    assert (ack.method, ack.uri, ack.cseq, ack.cseq_method) == (b"ACK", invite.uri, 7, b"ACK")
    assert (ack.from_tag, ack.to_tag, ack.call_id, ack.body) == (b"a", b"far", b"Csealed", b"")
    assert ack.values(b"via") == [b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport"]
    assert ack.items(b"route") == invite.items(b"route")
    for name in (b"from", b"call-id"):
        assert ack.lines[ack.index[name][0]] == invite.lines[invite.index[name][0]]
    assert ack.max_forwards == 70


@pytest.mark.parametrize("sent", [SENT, FOLDED])
def test_a_cancel_repeats_the_invite_byte_for_byte(sent: bytes) -> None:
    """§9.1: Request-URI, Call-ID, To, CSeq number, From, Route and a single Via; no Require, no Proxy-Require."""
    invite, cancel = parse(sent, LIMITS), parse(cancel_for(sent), LIMITS)
    assert (cancel.method, cancel.uri, cancel.cseq, cancel.cseq_method) == (b"CANCEL", invite.uri, 7, b"CANCEL")
    for name in (b"from", b"to", b"call-id", b"route"):
        assert [cancel.lines[place] for place in cancel.index[name]] == [
            invite.lines[place] for place in invite.index[name]
        ]
    assert cancel.values(b"via") == [b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport"]
    assert set(cancel.names) == {
        b"via", b"route", b"from", b"to", b"call-id", b"cseq", b"max-forwards", b"content-length"
    }  # fmt: skip
    check(cancel)


def test_a_cancel_may_say_why() -> None:
    """RFC 3326."""
    assert b"\r\nReason: Q.850;cause=16\r\n" in cancel_for(SENT, b"Q.850;cause=16")


def test_a_call_that_may_not_stay_up_is_taken_down_along_its_own_route() -> None:
    """§12.1.2, §13.2.2.4: target from Contact, the entries above ours reversed, the next CSeq, new branches."""
    response = answer(
        200,
        b"Record-Route: <sip:far.example;lr>, <sip:near.example;lr>",
        b"Record-Route: <sip:token@192.0.2.1;lr>, <sip:up.example;lr>, <sip:upper.example;lr>",
        b"Contact: <sip:gw@198.51.100.9:5070>",
    )
    ack, bye = (parse(data, LIMITS) for data in ack_and_bye(SENT, response, ROUTES, (b"z9hG4bKa", b"z9hG4bKb")))
    for request, method, number, branch in ((ack, b"ACK", 7, b"z9hG4bKa"), (bye, b"BYE", 8, b"z9hG4bKb")):
        assert (request.method, request.cseq, request.cseq_method) == (method, number, method)
        assert (request.uri, request.via.branch) == (b"sip:gw@198.51.100.9:5070", branch)
        assert request.items(b"route") == [b"<sip:near.example;lr>", b"<sip:far.example;lr>"]
        assert (request.from_tag, request.to_tag, request.call_id) == (b"a", b"far", b"Csealed")
        assert request.values(b"via")[0].startswith(b"SIP/2.0/UDP 192.0.2.1:5060;")


def test_without_contact_or_routes_the_same_hop_is_told() -> None:
    """An answer without Contact breaks §8.1.1.8; the call is taken down where it went."""
    ack, bye = (parse(data, LIMITS) for data in ack_and_bye(SENT, answer(200), [], (b"z9hG4bKa", b"z9hG4bKb")))
    assert ack.uri == bye.uri == b"sip:+15550100@198.51.100.7"
    assert ack.items(b"route") == []


def test_an_answer_whose_contact_cannot_be_read_is_malformed() -> None:
    """The caller of `ack_and_bye` counts it."""
    with pytest.raises(Malformed):
        ack_and_bye(SENT, answer(200, b"Contact: <>"), [], (b"z9hG4bKa", b"z9hG4bKb"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, b""),
        (b"", b""),
        (b'SIP;cause=200;text="Call completed elsewhere"', b"SIP;cause=200"),
        (b'q.850 ; cause = 16 ; text="Alice hung up"', b"Q.850;cause=16"),
        (b"SIP;cause=1234", b""),
        (b'SIP;text="x";cause=200', b""),
        (b"Alice;cause=1", b""),
        (b"SIPX;cause=1", b""),
    ],
)
def test_of_a_reason_nothing_but_protocol_and_cause_passes(value: bytes | None, reason: bytes) -> None:
    """A reason text is room for anything (RFC 3326 §2)."""
    assert plain_reason(value) == reason
