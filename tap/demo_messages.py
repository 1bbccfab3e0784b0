"""What the demo's phone and trunk say: a call as a leaky softphone places it. All persons are invented.

Numbers are of the 555-01xx block, names of example.net (RFC 2606), addresses of RFC 1918 and RFC 5737,
the MAC of RFC 7042's documentation block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from filters.leaks import found_in

LAN = b"192.168.1.23"
"""The phone's address in its own network, as softphones write it into every message."""

SECRETS = {
    "first name": b"Penelope",
    "family name": b"Sipperson",
    "number": b"5550142",
    "second number": b"5550177",
    "LAN address": LAN,
    "MAC address": b"00005e005317",
    "MAC address with colons": b"00:00:5e:00:53:17",
    "device id": b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "IMEI": b"004999010640000",
    "serial number": b"SN-4711-0815",
    "phone software": b"LeakySoft",
    "phone model": b"Blabberphone",
    "country": b"X-Country",
    "home": b"52.5163,13.3777",
    "radio cell": b"utran-cell-id",
    "language": b"de-DE",
    "employer": b"Sipperson & Daughters",
    "user name for digest": b"penelope.desk",
    "e-mail": b"@sipperson.example.net",
    "push token": b"fcm-8Qd1xZr",
}
"""What the trunk must not see: name of the secret → bytes that would give it away."""

OFFER = b"""v=0
o=penelope 4711 1 IN IP4 192.168.1.23
s=Penelope's Blabberphone
i=desk in the corner
u=http://sipperson.example.net/
e=penelope@sipperson.example.net
p=+1 555 0142
c=IN IP4 203.0.113.20
t=0 0
a=tool:LeakySoft 4.2
a=X-serial:SN-4711-0815
m=audio 40000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=candidate:1 1 UDP 2130706431 192.168.1.23 40000 typ host
a=candidate:2 1 UDP 1694498815 203.0.113.20 40000 typ srflx raddr 192.168.1.23 rport 40000
a=ssrc:1234567 cname:penelope@192.168.1.23
a=sendrecv
"""

ANSWER = b"""v=0
o=switch7 1 1 IN IP4 10.20.30.40
s=CarrierSwitch 9
c=IN IP4 198.51.100.9
t=0 0
m=audio 50000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
"""

_CALLER_HEADERS = b"""\
P-Preferred-Identity: "Penelope Sipperson" <sip:+15550142@sip.example.net>
P-Asserted-Identity: "Penelope Sipperson" <tel:+15550142>
Remote-Party-ID: "Penelope Sipperson" <sip:+15550142@sip.example.net>;party=calling;screen=yes;privacy=off
Diversion: "Penelope Sipperson" <sip:+15550177@sip.example.net>;reason=no-answer
History-Info: <sip:+15550177@sip.example.net?Reason=SIP%3Bcause%3D408>;index=1
X-Country: DE
Geolocation: <geo:52.5163,13.3777;u=20>
Geolocation-Routing: yes
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620300810815
X-Device-ID: 00005e005317
X-IMEI: 004999010640000
X-Phone-Serial: SN-4711-0815
Call-Info: <http://192.168.1.23/penelope.jpg>;purpose=icon
Organization: Sipperson & Daughters
Accept-Language: de-DE
User-Agent: LeakySoft/4.2 (Blabberphone 9; 00:00:5e:00:53:17)
Proxy-Authorization: Digest username="penelope.desk", realm="sip.example.net", nonce="n", uri="sip:sip.example.net",
 response="0123456789abcdef0123456789abcdef"
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS
Supported: timer, outbound
"""

_CONTACT = (
    b'Contact: "Penelope" <sip:+15550142@192.168.1.23:5062;transport=udp;pn-provider=fcm;pn-prid=fcm-8Qd1xZr>'
    b';reg-id=1;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"\n'
)
_ROUTE_NAMES = frozenset({"record-route", "route"})


class Dialog(NamedTuple):
    """What the phone needs to know of a call after the 200."""

    target: bytes
    """Request-URI: the URI of the Contact."""
    routes: tuple[bytes, ...]
    """Route values, in the order to send them."""
    to: bytes
    """The To header's value, tag included."""


def wire(text: bytes, body: bytes = b"") -> bytes:
    """Return start line and headers with CRLF, Content-Length and body."""
    payload = body.replace(b"\n", b"\r\n")
    headers = text + (b"Content-Type: application/sdp\n" if payload else b"")
    headers += b"Content-Length: %d\n\n" % len(payload)
    return headers.replace(b"\n", b"\r\n") + payload


def invite() -> bytes:
    """Return the INVITE, with all that the phone likes to tell."""
    head = _request(b"INVITE", b"sip:+15550123@sip.example.net", b"1", b"<sip:+15550123@sip.example.net>")
    return wire(head + _CONTACT + _CALLER_HEADERS, OFFER)


def in_dialog(method: bytes, cseq: bytes, dialog: Dialog) -> bytes:
    """Return an ACK or BYE of the call."""
    routes = b"".join(b"Route: %s\n" % route for route in dialog.routes)
    extra = b"" if method == b"ACK" else b"X-Device-ID: 00005e005317\n"
    agent = b"User-Agent: LeakySoft/4.2 (Blabberphone 9; 00:00:5e:00:53:17)\n"
    return wire(_request(method, dialog.target, cseq, dialog.to) + routes + _CONTACT + extra + agent)


def _request(method: bytes, uri: bytes, cseq: bytes, to: bytes) -> bytes:
    """Return start line and the headers that every request of the phone has."""
    return (
        b"%s %s SIP/2.0\n"
        b"Via: SIP/2.0/UDP %s:5062;branch=z9hG4bK-leaky-%s-%s;rport\n"
        b"Max-Forwards: 70\n"
        b'From: "Penelope Sipperson" <sip:+15550142@sip.example.net>;tag=as58f4201b\n'
        b"To: %s\n"
        b"Call-ID: 843817637684230@%s\n"
        b"CSeq: %s %s\n"
    ) % (method, uri, LAN, method.lower(), cseq, to, LAN, cseq, method)


def response(request: bytes, status: bytes, contact: bytes, body: bytes = b"") -> bytes:
    """Return the trunk's answer to a request (RFC 3261 §8.2.6)."""
    tagged = b";tag=" in values(request, "to")[0] or status.startswith(b"100")
    lines = b"SIP/2.0 %s\n" % status
    for name in (b"Via", b"Record-Route", b"From", b"To", b"Call-ID", b"CSeq"):
        tag = b";tag=trunk-31" if name == b"To" and not tagged else b""
        lines += b"".join(b"%s: %s%s\n" % (name, value, tag) for value in values(request, name.decode().lower()))
    if not status.startswith(b"100"):
        lines += b"Contact: <sip:leg-9@%s>\nServer: CarrierSwitch/9 (core-7.carrier.example.net)\n" % contact
    return wire(lines, body)


def values(message: bytes, name: str) -> list[bytes]:
    """Return the values of a header, repeated or, for routes, comma-joined; these ends know no compact forms."""
    found = []
    for line in unfolded(message):
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == name.encode():
            found.append(value.strip())
    if name in _ROUTE_NAMES:
        return [part.strip() for value in found for part in re.split(rb",(?=\s*<)", value)]
    return found


def unfolded(message: bytes) -> list[bytes]:
    """Return start line and header lines, each on one line."""
    head = message.partition(b"\r\n\r\n")[0]
    return re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")


def status(message: bytes) -> int:
    """Return a response's status code, 0 for a request."""
    return int(message[8:11]) if message.startswith(b"SIP/2.0 ") else 0


def title(message: bytes) -> str:
    """Return `INVITE`, or `200 OK`."""
    start = message.partition(b"\r\n")[0].decode("utf-8", "replace")
    return start[8:] if start.startswith("SIP/2.0 ") else start.partition(" ")[0]


def dialog(answer: bytes) -> Dialog:
    """Return the dialog that a 2xx sets up for the caller (RFC 3261 §12.1.2)."""
    contact = re.search(rb"<([^>]*)>", values(answer, "contact")[0])
    if contact is None:
        raise ValueError("the Contact of the 200 holds no URI")
    return Dialog(contact[1], tuple(reversed(values(answer, "record-route"))), values(answer, "to")[0])


def leaks(messages: Iterable[bytes]) -> list[str]:
    """Return the names of the secrets that stand in messages, in clear or decoded."""
    found = {secret for message in messages for secret in found_in(message, SECRETS.values())}
    return [name for name, secret in SECRETS.items() if secret in found]
