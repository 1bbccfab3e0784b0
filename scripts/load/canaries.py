"""What the caller says that the trunk must not hear, planted and searched for from one text. All persons are invented.

`{where|value}` in a text plants a value: SIPp sends the value, and the search looks for it and calls it `where`.
Every place has a value of its own, so that a leak names the place.
"""

from __future__ import annotations

import re

from scripts.load.addresses import PHONES

DIALLED = "+4989555010233"
"""Whom the caller calls: the one number that the trunk has to know."""

CALL_ID = "{Call-ID|a84b4c76}-%u-%p@{Call-ID host|10.77.31.4}"
"""SIPp's pattern: %u is the number of the call, %p SIPp's process id."""

CALLER = '"{From name|Wilhelmine Ackersteen}" <sip:{From number|+4930555018270}@sip.example.net>'
"""From, in every request."""

CALLER_HOST = "{Via host|10.77.31.5}:5062"
"""Where the phone believes to be, behind its NAT."""

CALLER_CONTACT = (
    '"{Contact name|Minchen}" <sip:{Contact user|ackersteen-tisch}@{Contact host|10.77.31.6}:5062;transport=udp'
    ";pn-prid={push token|apns-4kQ9zW7x}>;reg-id=1"
    ';+sip.instance="<urn:uuid:{instance|7d1f93c2-81aa-11d0-b6c1-00a0c93fe41d}>"'
)

CALLER_HEADERS = """\
P-Preferred-Identity: "{PPI name|Gundula}" <sip:{PPI number|+4930555018271}@sip.example.net>
P-Asserted-Identity: "{PAI name|Hedwiga}" <tel:{PAI number|+4930555018272}>
Remote-Party-ID: "{RPID name|Irmtraud}" <sip:{RPID number|+4930555018273}@sip.example.net>;party=calling;screen=yes
Diversion: "{Diversion name|Kunigunde}" <sip:{Diversion number|+4930555018274}@sip.example.net>;reason=no-answer
History-Info: <sip:{History-Info number|+4930555018275}@sip.example.net?Reason=SIP%3Bcause%3D408>;index=1
Privacy: id
Proxy-Authorization: Digest username="{digest user|awa-tischtelefon}", realm="sip.example.net", nonce="n",
 uri="sip:sip.example.net", response="{digest response|93c1f00d2c4e4a1b8f1e7d55a0b6c3d2}"
User-Agent: {User-Agent|Klingelbaum}/3.2 (T58; {MAC with colons|00:15:65:5e:a1:7b})
Subject: {Subject|Quartalsplanung}
Organization: {Organization|Torfkontor} GmbH
Call-Info: <http://{Call-Info|bilder.ackersteen.example}/icon.jpg>;purpose=icon
Geolocation: <geo:{Geolocation|53.0793,8.8017};u=20>
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp={cell|262031c8f}
Accept-Language: {Accept-Language|nds-DE-1901}
X-Country: {X-Country|DE-bremen}
X-Device-ID: {MAC|0015655ea17b}
X-IMEI: {IMEI|356938035643809}
X-Serial: {serial number|KB-3300-9127}
{unknown header|X-Sammelruf}: {value of an unknown header|gruppe-nordwest}
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, UPDATE
Supported: replaces, timer
"""
"""What a leaky softphone adds to its INVITE."""

CALLER_AGENT = """\
User-Agent: {User-Agent|Klingelbaum}/3.2 (T58; {MAC with colons|00:15:65:5e:a1:7b})
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp={cell|262031c8f}
X-Country: {X-Country|DE-bremen}
X-Device-ID: {MAC|0015655ea17b}
{unknown header|X-Sammelruf}: {value of an unknown header|gruppe-nordwest}
"""
"""What it adds to every other message."""

CALLER_OFFER = """\
v=0
o={o= user|akst-konto} 20931 1 IN IP4 {o= host|10.77.31.7}
s={s=|Klönschnack}
i={i=|Lagerbüro}
u=http://{u=|intern.moorweg.example}/
e={e=|wa.mail@lilienthal.example}
p={p=|+4930555018276}
c=IN IP4 203.0.113.40
t=0 0
a=tool:{a=tool|libklingel} 0.9
a=X-serial:{unknown attribute|inv-771204}
m=audio 41000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ice-ufrag:Qe7h
a=ice-pwd:hY2bV0nK5sTq8wZr3mLc9x
a=candidate:1 1 UDP 2130706431 {host candidate|10.77.31.8} 41000 typ host
a=candidate:2 1 UDP 2130706175 {IPv6 candidate|fe80::215:65ff:fe5e:a17b} 41000 typ host
a=candidate:3 1 UDP 1694498815 203.0.113.40 41000 typ srflx raddr {related address|10.77.31.9} rport 41000
a=ssrc:7712045 cname:{cname|rtp-akst-58}
a=sendrecv
"""
"""The media address is no secret as long as there is no media relay, nor is the one candidate that carries it."""

PLAIN_OFFER = """\
v=0
o={o= user|akst-konto} 20931 1 IN IP4 {o= host|10.77.31.7}
s=-
c=IN IP4 203.0.113.40
t=0 0
m=audio 41000 RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""

TRUNK_HEADERS = """\
Server: Klappenschrank/2
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, UPDATE
"""

TRUNK_ANSWER = """\
v=0
o=- 1 1 IN IP4 198.51.100.30
s=-
c=IN IP4 198.51.100.30
t=0 0
m=audio 51000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
"""

KEYS = {
    "caller": CALLER,
    "caller_host": CALLER_HOST,
    "caller_contact": CALLER_CONTACT,
    "caller_headers": CALLER_HEADERS,
    "caller_agent": CALLER_AGENT,
    "caller_offer": CALLER_OFFER,
    "plain_offer": PLAIN_OFFER,
    "trunk_user": "klappe",
    "trunk_headers": TRUNK_HEADERS,
    "trunk_answer": TRUNK_ANSWER,
}
"""Keyword in a scenario (`[caller_headers]`) → text, values still marked."""

_MARK = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")


def sent(text: str) -> str:
    """Return a text as SIPp shall send it: values without their marks, CRLF between lines, none at the end."""
    return _MARK.sub(r"\2", text).strip().replace("\n", "\r\n")


def planted(*texts: str) -> dict[str, bytes]:
    """Return place → value of all marks in texts. A number is planted without its plus: it leaks without it too."""
    return {place: value.lstrip("+").encode() for text in texts for place, value in _MARK.findall(text)}


CANARIES = planted(CALL_ID, *KEYS.values()) | {"address that the proxy sees": PHONES.removesuffix("0.0/16").encode()}
"""Place → the bytes that must not arrive, for all scenarios."""
