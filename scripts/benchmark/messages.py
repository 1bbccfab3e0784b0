"""What caller and trunk say in every benchmark: one scenario, as templates, for the process alone and for sockets.

`{{name}}` stands for a value that differs between calls. A softphone that leaks as many do makes the INVITE
(1.7 kB); the answer is what a trunk's gateway says. In-dialog requests are short, as they are in practice.
"""

from __future__ import annotations

from collections.abc import Mapping

OFFER = """\
v=0
o=liddell 53655765 2353687637 IN IP4 127.0.0.11
s=Alice's iPhone
c=IN IP4 127.0.0.11
t=0 0
m=audio 6000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=candidate:1 1 UDP 2130706431 192.168.178.23 6000 typ host
a=candidate:2 1 UDP 1694498815 203.0.113.77 45664 typ srflx raddr 192.168.178.23 rport 6000
a=candidate:3 1 UDP 2130706175 fe80::21b:63ff:fe84:2b1 6000 typ host
a=sendrecv
"""

ANSWER = """\
v=0
o=gateway 271828 271829 IN IP4 127.0.0.21
s=-
c=IN IP4 127.0.0.21
t=0 0
m=audio 20000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
"""

INVITE = """\
INVITE sip:+15551234567@{{proxy}} SIP/2.0
Via: SIP/2.0/UDP {{caller}};branch=z9hG4bK{{call}}i{{run}};rport
Max-Forwards: 70
From: "Alice Liddell" <sip:+49151{{subscriber}}@sip.example.net>;tag={{call}}a{{run}}
To: <sip:+15551234567@{{proxy}}>
Call-ID: {{call}}-{{run}}@127.0.0.11
CSeq: 1 INVITE
Contact: "Alice Liddell" <sip:alice{{subscriber}}@{{caller}};ob>;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";reg-id=1
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, UPDATE, PRACK
Supported: replaces, norefersub, gruu, outbound
User-Agent: ExamplePhone/7.4.1 (iPhone14,2; iOS 17.5; en_DE)
Subject: Call from Alice
Organization: Liddell Consulting GmbH
Call-Info: <http://www.example.com/alice/photo.jpg>;purpose=icon
Geolocation: <cid:alice@example.com>
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=262011a2b3c4d5e6
P-Preferred-Identity: "Alice Liddell" <sip:+49151{{subscriber}}@sip.example.net>
P-Asserted-Identity: "Alice Liddell" <sip:+49151{{subscriber}}@sip.example.net>
Privacy: id
X-Device-ID: 6F9619FF-8B86-D011-B42D-00CF4FC964FF
X-Country: DE
Content-Type: application/sdp
"""  # noqa: E501 - a header line cannot be shorter

IN_DIALOG = """\
{method} {{{{target}}}} SIP/2.0
Via: SIP/2.0/UDP {{{{caller}}}};branch=z9hG4bK{{{{call}}}}{letter}{{{{run}}}};rport
{{{{routes}}}}Max-Forwards: 70
From: "Alice Liddell" <sip:+49151{{{{subscriber}}}}@sip.example.net>;tag={{{{call}}}}a{{{{run}}}}
To: {{{{to}}}}
Call-ID: {{{{call}}}}-{{{{run}}}}@127.0.0.11
CSeq: {cseq} {method}
User-Agent: ExamplePhone/7.4.1 (iPhone14,2; iOS 17.5; en_DE)
X-Device-ID: 6F9619FF-8B86-D011-B42D-00CF4FC964FF
"""

REFUSED_ACK = """\
ACK sip:+15551234567@{{proxy}} SIP/2.0
Via: SIP/2.0/UDP {{caller}};branch=z9hG4bK{{call}}i{{run}};rport
Max-Forwards: 70
From: "Alice Liddell" <sip:+49151{{subscriber}}@sip.example.net>;tag={{call}}a{{run}}
To: {{to}}
Call-ID: {{call}}-{{run}}@127.0.0.11
CSeq: 1 ACK
"""

MESSAGE = """\
MESSAGE sip:+15551234567@{{proxy}} SIP/2.0
Via: SIP/2.0/UDP {{caller}};branch=z9hG4bK{{call}}m{{run}};rport
Max-Forwards: 70
From: "Alice Liddell" <sip:+49151{{subscriber}}@sip.example.net>;tag={{call}}m{{run}}
To: <sip:+15551234567@{{proxy}}>
Call-ID: {{call}}m-{{run}}@127.0.0.11
CSeq: 1 MESSAGE
User-Agent: ExamplePhone/7.4.1 (iPhone14,2; iOS 17.5; en_DE)
P-Preferred-Identity: "Alice Liddell" <sip:+49151{{subscriber}}@sip.example.net>
X-Device-ID: 6F9619FF-8B86-D011-B42D-00CF4FC964FF
Content-Type: text/plain
"""

RESPONSE = """\
SIP/2.0 {line}
{{{{copied}}}}"""
GATEWAY = """\
Contact: <sip:gateway@{{trunk}}>
Server: ExampleGateway/3.1.4 (Debian)
Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS
Supported: replaces, timer
"""

CANARIES = (
    "Liddell", "liddell", "+49151", "ExamplePhone", "iPhone", "192.168.178.23", "fe80::21b", "00a0c91e6bf6",
    "262011a2b3c4d5e6", "6F9619FF", "X-Country", "Geolocation", "Call from Alice", "photo.jpg", "alice",
)  # fmt: skip
"""What a proxy that does the privacy job lets no trunk see; the caller's media address is not among it."""


def _complete(head: str, body: str = "") -> str:
    """Return a message with the right Content-Length and line ends; bodies hold no values."""
    body = body.replace("\n", "\r\n")
    return f"{head}Content-Length: {len(body)}\n\n".replace("\n", "\r\n") + body


TEMPLATES: Mapping[str, str] = {
    "invite": _complete(INVITE, OFFER),
    "ack": _complete(IN_DIALOG.format(method="ACK", letter="a", cseq=1)),
    "bye": _complete(IN_DIALOG.format(method="BYE", letter="b", cseq=2)),
    "refused-ack": _complete(REFUSED_ACK),
    "message": _complete(MESSAGE, "Are you there?\n"),
    "trying": _complete(RESPONSE.format(line="100 Trying")),
    "ringing": _complete(RESPONSE.format(line="180 Ringing") + "Contact: <sip:gateway@{{trunk}}>\n"),
    "answer": _complete(RESPONSE.format(line="200 OK") + GATEWAY + "Content-Type: application/sdp\n", ANSWER),
    "bye-ok": _complete(RESPONSE.format(line="200 OK") + "Server: ExampleGateway/3.1.4 (Debian)\n"),
}
"""Name → text with `{{fields}}`; `copied` stands for the lines that a response copies (RFC 3261 §8.2.6.2)."""


def fill(name: str, **values: str) -> bytes:
    """Return a message; a field without a value is empty."""
    head, *rest = TEMPLATES[name].split("{{")
    pieces = [head]
    for piece in rest:
        field, _, literal = piece.partition("}}")
        pieces += [values.get(field, ""), literal]
    return "".join(pieces).encode()


def as_file() -> str:
    """Return the templates as generator.c reads them."""
    sections = [f"%% {name}\n{text}" for name, text in TEMPLATES.items()]
    return "".join(sections) + "%% canaries\n" + "".join(f"{canary}\n" for canary in CANARIES)
