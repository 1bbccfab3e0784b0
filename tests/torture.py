"""The odd messages of standards.md §7.3, t01 to t30: what the core's tests and those over real sockets both send.

SECRET stands wherever a person would; no trunk may see it.
"""

from __future__ import annotations

from tests.agents import SDP, Packet

SECRET = b"kqsecretvx"
BOB = b'"Bob %b" <sip:bob%b@10.1.1.77:5062;%b=1>' % (SECRET, SECRET, SECRET)

FROM_IN_ANY_SHAPE = {
    "t01-compact": b'f: "%b" <sip:%b@x>;tag=from1' % (SECRET, SECRET),
    "t02-folded": b'From:\r\n "%b"\r\n\t<sip:%b@x>\r\n ;tag=from1' % (SECRET, SECRET),
    "t04-quotes": b'From: "a \\"%b\\" > <b> \\\\" <sip:x@y>;tag=from1' % SECRET,
    "t04-utf8": b'From: "J\xc3\xbcrgen %b" <sip:x@y>;tag=from1' % SECRET,
    "t04-tokens": b"From: Alice %b <sip:x@y>;tag=from1" % SECRET,
    "t05-without-brackets": b"From: sip:%b@x;tag=from1" % SECRET,
    "t05-tel": b"From: tel:+1555;phone-context=%b.example;tag=from1" % SECRET,
    "t06-blank-before-colon": b'From :\t"%b" <sip:x@y>;tag=from1' % SECRET,
    "t07-case": b'fRoM: "x" <sip:x@y>;epid=%b;tag=from1' % SECRET,
}
COMPACT_LINES = (
    b"s: %b|b: <sip:%b@x>|y: %b|r: <sip:+15550111@%b>|k: timer, %b|u: %b|n: <http://%b/>" % ((SECRET,) * 7)
).split(b"|")
"""t01: `m:` and `c:` stand in the place of what an INVITE has anyway."""
TWO_ROWS_AND_A_LIST = (
    b"Subject: " + SECRET, b"subject: more " + SECRET,
    b'P-Asserted-Identity: "A" <sip:%b@x>, <tel:+1%b>' % (SECRET, SECRET), b"P-Asserted-Identity: <tel:+15550123>",
)  # fmt: skip
UNKNOWN_IN_ANY_CASE = tuple(name + b": " + SECRET for name in (b"x-DEVICE-id", b"X-oDd", b"MAC"))
CONNECTED_IDENTITY = b'P-Asserted-Identity: "Alice" <tel:+1%b>' % SECRET, b"Supported: from-change"
SIPFRAG = b"SIP/2.0 200 Fine %b\r\nTo: <sip:%b@10.1.1.9>\r\nContact: <sip:%b@10.1.1.9>\r\n" % (SECRET, SECRET, SECRET)
SIPFRAG_LINES = (
    b"Event: refer", b"Subscription-State: terminated;reason=noresource", b"Content-Type: message/sipfrag;version=2.0",
)  # fmt: skip
DIALOG_INFO = b"<dialog>%b</dialog>" % SECRET
DIALOG_INFO_LINES = (
    b"Event: dialog;call-id=" + SECRET, b"Subscription-State: active;expires=60",
    b"Content-Type: application/dialog-info+xml",
)  # fmt: skip
PIDF = b"Content-Type: application/pidf+xml\r\nContent-ID: <%b@x>\r\n\r\n<presence>%b</presence>" % (SECRET, SECRET)
OFFER = b"Content-Type: application/sdp\r\n\r\n" + SDP.replace(b"Alice", SECRET)


def mixed(boundary: bytes, *parts: bytes) -> bytes:
    """Return a multipart's body."""
    return b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary


NESTED = b"Content-Type: multipart/alternative;boundary=y\r\n\r\n" + mixed(b"y", OFFER, PIDF)
MULTIPARTS = {
    "t13-sdp-and-location": (b"multipart/mixed;boundary=x", mixed(b"x", OFFER, PIDF)),
    "t13-location-first": (b'Multipart/Mixed; boundary="x"', mixed(b"x", PIDF, OFFER)),
    "t14-nested": (b"multipart/mixed;boundary=x", mixed(b"x", PIDF, NESTED)),
}
MULTIPART_LINES = b"Geolocation: <cid:%b@x>" % SECRET, b"MIME-Version: 1.0"
ENCODINGS = b"Content-Encoding: gzip", b"e: deflate"
ENCODED = b"\x1f\x8b" + SECRET
REFER_LINES = (
    b"Refer-To: <sip:+15550111@%b.example;x=%b?From=%b&Replaces=%b%%3Bto-tag%%3D1%%3Bfrom-tag%%3D2&Referred-By=%b>"
    % ((SECRET,) * 5),
    b'Referred-By: "%b" <sip:%b@x>' % (SECRET, SECRET),
)  # fmt: skip
REDIRECTION = b'"%b" <sip:+15550177@10.1.1.23?Privacy=none&Subject=%b>;q=0.7;+sip.instance="%b"' % ((SECRET,) * 3)
HISTORY_LINES = (
    b"History-Info: <sip:%b@x?Privacy=history&Reason=SIP%%3Bcause%%3D302>;index=1, <sip:x@%b>;index=1.1"
    % (SECRET, SECRET),
    b"Privacy: none;x",
)  # fmt: skip
SPELT_CALL_ID = b"523072316-5062-13@BJC.BGI.B.F"
SPELT_ADDRESS = b"192.168.1.5"
LATER_SDP = (
    SDP.replace(b"alice", SECRET)
    + b"a=candidate:1 1 UDP 1 10.1.1.77 4000 typ host\r\n"
    + b"a=candidate:2 1 UDP 1 198.51.100.77 4000 typ srflx raddr 10.1.1.77 rport 4000\r\n"
)
WARNING = b'Warning: 305 10.1.1.77:5062 "by %b"' % SECRET
MORE_VIA = (
    b"branch=z9hG4bKone;received=10.1.1.77;rport=1234;alias;x=%b\r\n"
    b"Via: SIP/2.0/TCP %b.example;branch=z9hG4bKtwo;received=10.1.1.78\r\n" % (SECRET, SECRET)
)
DEVICE_TAG = b"SEP001122334455"
IMPOSSIBLE_WISHES = b"session;critical", b"critical, session", b"id;critical;full"
SERVICES = b"urn:service:sos", b"URN:SERVICE:SOS.animal-control", b"urn:service:test.sos.fire"


def sent_as(packet: Packet, old: bytes, new: bytes) -> Packet:
    """Return a packet with one line written otherwise."""
    assert packet.data.count(old) == 1
    return Packet(packet.source, packet.data.replace(old, new))
