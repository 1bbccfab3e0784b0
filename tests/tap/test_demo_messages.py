"""What the demo's ends say, and how secrets are found again."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from proxy.parse import parse
from tap import demo_messages as say
from tests.tap.fakes import settings_of


def test_every_secret_is_really_planted() -> None:
    """A secret that nobody sends would be found nowhere, and prove nothing."""
    assert say.leaks([say.invite()]) == list(say.SECRETS)


def test_invite_is_a_message_that_parses(tmp_path: Path) -> None:
    """By the parser of the proxy, with the length that it says."""
    message = parse(say.invite(), settings_of(tmp_path).limits)
    assert message.method == b"INVITE"
    assert say.invite().endswith(b"a=sendrecv\r\n")


@pytest.mark.parametrize(
    "hidden",
    [
        b"x=5550142",
        b"%35550142",
        b"35353530313432",
        base64.b64encode(b"+15550142"),
        base64.urlsafe_b64encode(b">>>5550142???").rstrip(b"="),
        base64.b32encode(b"15550142").rstrip(b"="),
        b"PENELOPE".lower(),
    ],
)
def test_secrets_are_found_one_decoding_away(hidden: bytes) -> None:
    """In clear, percent, hex, base64 and base32."""
    assert say.leaks([b"SIP/2.0 200 OK\r\nX: " + hidden + b"\r\n\r\n"])


def test_clean_message_has_no_secret() -> None:
    """The dialled number is none."""
    message = b"INVITE sip:+15550123@192.0.2.1 SIP/2.0\r\nCall-ID: QDtosh_HMqQzMPlroieoMARl4zcb4OOa\r\n\r\n"
    assert say.leaks([message]) == []


def test_answer_echoes_what_it_must() -> None:
    """RFC 3261 §8.2.6.2: Via, From, Call-ID, CSeq and To, which gets a tag, but not in 100; and the routes."""
    request = say.wire(
        b"INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP p;branch=z9hG4bK1\nVia: SIP/2.0/UDP q;branch=z9hG4bK2\n"
        b"Record-Route: <sip:p;lr>\nFrom: <sip:x@y>;tag=1\nTo: <sip:a@b>\nCall-ID: c\nCSeq: 1 INVITE\n"
    )
    answer = say.response(request, b"180 Ringing", b"127.0.0.1:5080")
    for name in ("via", "record-route", "from", "call-id", "cseq"):
        assert say.values(answer, name) == say.values(request, name)
    assert say.values(answer, "to") == [b"<sip:a@b>;tag=trunk-31"]
    assert say.values(say.response(request, b"100 Trying", b"h"), "to") == [b"<sip:a@b>"]
    assert say.status(answer) == 180
    assert say.title(answer) == "180 Ringing"
    assert say.title(request) == "INVITE"


def test_dialog_of_the_caller() -> None:
    """RFC 3261 §12.1.2: the target from Contact, the route set in reverse, however the routes are written."""
    answer = say.wire(
        b"SIP/2.0 200 OK\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\nRecord-Route: <sip:p3;lr>\n"
        b"To: <sip:a@b>;tag=2\nContact: <sip:a@host>\n"
    )
    assert say.dialog(answer) == say.Dialog(
        b"sip:a@host", (b"<sip:p3;lr>", b"<sip:p2;lr>", b"<sip:p1;lr>"), b"<sip:a@b>;tag=2"
    )


def test_no_target_no_dialog() -> None:
    """A 200 without a usable Contact is an error of the demo, not a hang."""
    with pytest.raises(ValueError, match="Contact"):
        say.dialog(say.wire(b"SIP/2.0 200 OK\nTo: <sip:a@b>\nContact: *\n"))


def test_folded_lines_are_one() -> None:
    """The Proxy-Authorization of the INVITE is folded."""
    (value,) = say.values(say.invite(), "proxy-authorization")
    assert value.endswith(b'response="0123456789abcdef0123456789abcdef"')
