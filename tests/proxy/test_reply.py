"""Responses that Sipveil makes itself (RFC 3261 §8.2.6)."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.message import Message
from proxy.parse import parse, partial
from proxy.reply import REASONS, echo, phrase, reply, reply_flow
from proxy.routing import Network
from tests.world import PROXY, settings

NETWORK = Network(settings())
FLOW = Flow("UDP", PROXY, ("10.1.1.23", 40000))
REQUEST = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 192.168.1.2:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP second.example;branch=z9hG4bK2\r\n"
    b"Via  :  SIP / 2.0 / UDP third.example\r\n"
    b'From   : "A"\r\n <sip:a@b>;tag=a\r\n'
    b"t:<sip:bob@example.com>\r\n"
    b"i:1@x\r\n"
    b"CSEQ: 0007\r\n  INVITE\r\n"
    b"Record-Route: <sip:p.example;lr>\r\n"
    b"X-Device: 1\r\n"
    b"Contact: <sip:a@192.168.1.2>\r\n"
    b"Content-Length: 3\r\n\r\nabc"
)


def read(data: bytes = REQUEST) -> Message:
    return parse(data, Limits())


def test_a_reply_echoes_the_senders_own_lines_and_nothing_else() -> None:
    """§8.2.6.2: Via, From, To, Call-ID and CSeq byte for byte, but for received and rport; no header of the request."""
    assert reply(read(), FLOW, 486, b"ours") == (
        b"SIP/2.0 486 Busy Here\r\n"
        b"v: SIP/2.0/UDP 192.168.1.2:5062;branch=z9hG4bK1;received=10.1.1.23;rport=40000, "
        b"SIP/2.0/TCP second.example;branch=z9hG4bK2\r\n"
        b"Via  :  SIP / 2.0 / UDP third.example\r\n"
        b'From   : "A"\r\n <sip:a@b>;tag=a\r\n'
        b"t:<sip:bob@example.com>;tag=ours\r\n"
        b"i:1@x\r\n"
        b"CSEQ: 0007\r\n  INVITE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_a_reply_is_a_response_to_its_request() -> None:
    """It reads back as one."""
    response = read(reply(read(), FLOW, 420, b"ours", extra=(b"Unsupported: x",)))
    assert (response.status, response.to_tag, response.cseq, response.cseq_method) == (420, b"ours", 7, b"INVITE")
    assert response.value(b"unsupported") == b"x"


def test_100_has_no_tag_and_a_tag_is_never_replaced() -> None:
    """§8.2.6.2."""
    assert read(reply(read(), FLOW, 100, b"ours")).to_tag == b""
    tagged = read(REQUEST.replace(b"t:<sip:bob@example.com>", b"t:<sip:bob@example.com>;tag=theirs"))
    assert read(reply(tagged, FLOW, 481, b"ours")).to_tag == b"theirs"


def test_a_reason_of_ours_may_stand_for_the_usual_phrase() -> None:
    """And codes without phrase have that of their class (§8.1.3.2)."""
    assert reply(read(), FLOW, 400, b"", reason=b"Missing To").startswith(b"SIP/2.0 400 Missing To\r\n")
    assert (phrase(404), phrase(499), phrase(299), phrase(699)) == (
        b"Not Found", b"Bad Request", b"OK", b"Busy Everywhere"
    )  # fmt: skip
    assert phrase(199) == b"Early Dialog Terminated"
    assert phrase(150) == b"Trying"
    assert all(100 <= code < 700 and text and text == text.strip() for code, text in REASONS.items())


def test_an_addr_spec_gets_its_tag_as_a_header_parameter() -> None:
    """§20.10: behind an addr-spec without brackets a tag is the header's."""
    response = read(
        reply(read(REQUEST.replace(b"t:<sip:bob@example.com>", b"t: sip:bob@example.com")), FLOW, 404, b"ours")
    )
    assert (response.to.uri, response.to_tag) == (b"sip:bob@example.com", b"ours")


@pytest.mark.parametrize(
    ("via", "port"),
    [
        (b"SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1;rport", 40000),
        (b"SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1", 5062),
        (b"SIP/2.0/UDP 10.1.1.23;branch=z9hG4bK1", 5060),
        (b"SIP/2.0/UDP host.example:5070;branch=z9hG4bK1", 5070),
        (b"SIP/2.0/UDP 10.1.1.23:5062;maddr=224.2.0.1;branch=z9hG4bK1", 5062),
    ],
)
def test_a_reply_goes_to_the_source_address(via: bytes, port: int) -> None:
    """§18.2.2: to the port of sent-by, or to the source's with rport (RFC 3581 §4); maddr chooses no hop."""
    request = read(REQUEST.replace(b"v: SIP/2.0/UDP 192.168.1.2:5062;branch=z9hG4bK1;rport", b"v: " + via))
    assert reply_flow(NETWORK, request, FLOW).peer == ("10.1.1.23", port)


def test_a_port_that_is_somebody_elses_is_no_way_back() -> None:
    """A trunk's address:port is the trunk's; a phone behind the same address names it in vain."""
    shared = Network(
        settings(
            access={"networks": ["10.0.0.0/8", "198.51.100.7"], "listener": "main"},
            trunks=[{"name": "carrier", "hosts": ["198.51.100.7:5060"], "listener": "main"}],
            routes=[],
        )
    )
    flow = Flow("UDP", PROXY, ("198.51.100.7", 40000))
    request = read(REQUEST.replace(b"192.168.1.2:5062;branch=z9hG4bK1;rport", b"198.51.100.7:5060;branch=z9hG4bK1"))
    assert reply_flow(shared, request, flow).peer == ("198.51.100.7", 40000)


@pytest.mark.parametrize("via", [b"SIP/2.0/UDP 10.1.1.23;;,;,,", b"garbage", b"SIP/2.0 UDP x"])
def test_a_broken_via_is_echoed_as_it_came_and_answered_at_the_source(via: bytes) -> None:
    """RFC 4475 §3.1.2.1: nothing in it can be believed, so the packet's own address and port is all there is."""
    data = REQUEST.replace(
        b"SIP/2.0/UDP 192.168.1.2:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP second.example;branch=z9hG4bK2", via
    )
    with pytest.raises(Malformed) as caught:
        read(data)
    request = partial(caught.value)
    assert request is not None
    assert echo(request, FLOW, b"")[0].split(b"\r\n")[0] == b"v: " + via
    assert reply_flow(NETWORK, request, FLOW) == FLOW
