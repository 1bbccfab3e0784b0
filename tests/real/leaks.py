"""What the ends say that the other side must not hear, and the search for it. All persons are invented.

The texts below are put into the SIPp scenarios by keyword (`[caller_headers]` and so on), so that what is
planted and what is searched for stand side by side.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from filters.leaks import Search

DIALLED = "+4989555010177"
"""Whom the caller calls: the one number that the trunk has to know."""

CALL_ID = "ottilie-%u-%p@192.168.178.23"
"""SIPp's pattern for Call-IDs."""

CALLER = {
    "first name": b"Ottilie",
    "family name": b"Quandtner",
    "number": b"4930555017342",
    "second number": b"4930555017399",
    "address in the home network": b"192.168.178.23",
    "IPv6 address": b"fe80::215:65ff:feab:cdef",
    "address that Sipveil sees": b"127.0.0.11",
    "MAC": b"001565abcdef",
    "MAC with colons": b"00:15:65:ab:cd:ef",
    "instance": b"0b7c4d1e-7dec-11d0-a765-00a0c91e6bf6",
    "IMEI": b"490154203237518",
    "serial number": b"SN-0815-4711",
    "phone software": b"Plaudertasche",
    "country header": b"X-Country",
    "position": b"52.5163,13.3777",
    "radio cell": b"2620300815",
    "language": b"de-CH-1901",
    "employer": b"Sprottenfang",
    "user name for digest": b"oq-schreibtisch",
    "push token": b"fcm-7Hz3kQw",
    "header that nobody knows": b"X-Zufall",
    "CNAME": b"oq-cname-0815",
}
"""What a trunk must not hear of the caller: name of the secret → bytes that would give it away."""

TRUNK = {
    "switch software": b"Weichensteller",
    "switch address": b"127.0.0.21",
    "address in the switch's network": b"10.20.30.40",
    "leg": b"gleisanschluss-",
    "header that nobody knows": b"X-Rangierplan",
    "session name": b"Stellwerk",
}
"""What a phone must not hear of the trunk's network."""

CALLER_HEADERS = """\
Contact: "Ottilie" <sip:ottilie@192.168.178.23:5062;transport=udp;pn-prid=fcm-7Hz3kQw>;reg-id=1\
;+sip.instance="<urn:uuid:0b7c4d1e-7dec-11d0-a765-00a0c91e6bf6>"
P-Preferred-Identity: "Ottilie Quandtner" <sip:+4930555017342@sip.example.net>
P-Asserted-Identity: "Ottilie Quandtner" <tel:+4930555017342>
Remote-Party-ID: "Ottilie Quandtner" <sip:+4930555017342@sip.example.net>;party=calling;screen=yes
Diversion: "Ottilie Quandtner" <sip:+4930555017399@sip.example.net>;reason=no-answer
History-Info: <sip:+4930555017399@sip.example.net?Reason=SIP%3Bcause%3D408>;index=1
Privacy: id
Proxy-Authorization: Digest username="oq-schreibtisch", realm="sip.example.net", nonce="n",
 uri="sip:sip.example.net", response="0123456789abcdef0123456789abcdef"
X-Country: DE
X-Device-ID: 001565abcdef
X-IMEI: 490154203237518
X-Serial: SN-0815-4711
X-Zufall: Ottilie at 192.168.178.23
Geolocation: <geo:52.5163,13.3777;u=20>
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620300815
Call-Info: <http://192.168.178.23/ottilie.jpg>;purpose=icon
Organization: Sprottenfang GmbH
Subject: Ottilie calls
Accept-Language: de-CH-1901
User-Agent: Plaudertasche/7.4 (T46; 00:15:65:ab:cd:ef)
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE, MESSAGE
"""

CALLER_AGENT = """\
User-Agent: Plaudertasche/7.4 (T46; 00:15:65:ab:cd:ef)
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620300815
X-Country: DE
X-Device-ID: 001565abcdef
X-Zufall: Ottilie at 192.168.178.23
"""
"""What the phone adds to every other request and to its responses."""

CALLER_OFFER = """\
v=0
o=ottilie 4711 1 IN IP4 192.168.178.23
s=Ottilie's Plaudertasche
i=desk of Ottilie
u=http://192.168.178.23/
e=ottilie@192.168.178.23
p=+4930555017342
c=IN IP4 203.0.113.20
t=0 0
a=tool:Plaudertasche 7.4
a=X-serial:SN-0815-4711
m=audio 40000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=candidate:1 1 UDP 2130706431 192.168.178.23 40000 typ host
a=candidate:2 1 UDP 2130706175 fe80::215:65ff:feab:cdef 40000 typ host
a=candidate:3 1 UDP 1694498815 203.0.113.20 40000 typ srflx raddr 192.168.178.23 rport 40000
a=ssrc:1234567 cname:oq-cname-0815
a=sendrecv
"""

TRUNK_HEADERS = """\
Server: Weichensteller/9 (core-7; 10.20.30.40)
X-Rangierplan: 17
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE, MESSAGE
"""

TRUNK_ANSWER = """\
v=0
o=switch7 1 1 IN IP4 10.20.30.40
s=Stellwerk
c=IN IP4 198.51.100.9
t=0 0
m=audio 50000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
"""


def found(messages: Iterable[bytes], secrets: dict[str, bytes]) -> list[str]:
    """Return the names of the secrets that stand in messages, in clear or one decoding away."""
    texts = [form.lower() for message in messages for form in _forms(message)]
    return [name for name, secret in secrets.items() if any(secret.lower() in text for text in texts)]


def everywhere(messages: Iterable[bytes], secrets: dict[str, bytes]) -> list[str]:
    """Return the same by the search of the product: more encodings, two over each other, XOR; some 10 ms a message."""
    search, names = Search(list(secrets.values())), list(secrets)
    return list({names[one.secret]: None for message in messages for one in search(message)})


def in_log(text: bytes) -> list[str]:
    """Return the names of persons' data in a log, the dialled number included."""
    return found([text], CALLER | {"dialled number": DIALLED.encode(), "message": b"Fischmarkt"})


def _forms(message: bytes) -> list[bytes]:
    """Return a message as it is, percent-decoded, and what its hex, base32 and base64 words decode to."""
    forms = [message, unquote_to_bytes(message)]
    for word in set(re.findall(rb"[A-Za-z0-9+/_-]{8,}", message)):
        for decode in _DECODERS:
            with suppress(ValueError):
                forms.append(decode(word))
    return forms


def _padded(word: bytes, block: int) -> bytes:
    return word + b"=" * (-len(word) % block)


_DECODERS: tuple[Callable[[bytes], bytes], ...] = (
    lambda word: bytes.fromhex(word.decode()),
    lambda word: base64.b32decode(_padded(word, 8), casefold=True),
    lambda word: base64.b64decode(_padded(word, 4)),
    lambda word: base64.urlsafe_b64decode(_padded(word, 4)),
)
