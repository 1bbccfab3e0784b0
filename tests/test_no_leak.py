"""What a phone says about its user, planted everywhere, does not arrive at an untrusted trunk.

Every header of the catalogue in full and compact form, every parameter, SDP line, attribute and body carries
a value of its own. The strict default is in force. EXEMPT is the closed list of what may arrive, each with
its reason; the last tests assert that the list is neither too short nor too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count

import pytest

from filters.catalogue import load_catalogue
from filters.credential import Credential
from filters.decodings import labelled
from filters.leaks import found_in
from filters.masks import LEAST_UNDER_XOR, Unmasking, found_by_xor
from filters.signer import Signer
from proxy.flow import Flow
from proxy.headers import parse_name_addr
from tests.agents import CARRIER, Agent, Packet, read
from tests.filters.recording import ACME, PARTIAL, RFC, SONUS
from tests.ladder import Ladder, Sent
from tests.passports import KEY, X5U, claims, compact_form, token
from tests.passports import value as identity_value
from tests.recording_sessions import CANARIES as RECORDING_CANARIES
from tests.recording_sessions import MIXED, SRC, SRS, begun, opened, recording_world, tells_nothing
from tests.recording_sessions import multipart as recording_body
from tests.world import PHONE, PROXY, SETTINGS, TRUNK, World, settings

CATALOGUE = load_catalogue()

EXEMPT = {
    "dialled number": "it is what the call is for",
    "CSeq number": "a count that both ends of a dialog must agree on (RFC 3261 §12.2)",
    "From tag": "identifies the dialog; sealed on a leak pattern, with room for a MAC, or when the trunk asks",
    "To tag": "the same, in responses of the phone",
    "codec": "names, rates and formats of codecs are what offer and answer are about",
    "media address": "c= and m=: without a media relay media goes there (RFC 5379 §5.2.1 needs one)",
    "ICE candidate": "one for each component, so that media still connects",
    "ICE ufrag and pwd": "random for each session; connectivity checks need them (RFC 8839)",
    "DTLS association": "a=tls-id: random for each; the handshake may repeat it (RFC 8842 §4, RFC 8844)",
    "ZRTP hash": "binds the media keys (RFC 6189 §8.1); of a Hello that is random for each session",
    "DTLS fingerprint": "binds the media keys (RFC 8122); random for each certificate",
    "SRTP key": "the far side cannot decrypt media without it (RFC 4568)",
}

#: Function headers with a value that is valid as far as it goes, so that what stands behind it is looked at too.
VALID = {
    "accept": b"application/sdp",
    "accept-contact": b"*;audio",
    "accept-encoding": b"gzip",
    "alert-info": b"<urn:alert:x:%b>",
    "allow": b"INVITE",
    "allow-events": b"refer",
    "answer-mode": b"Auto",
    "date": b"Sat, 13 Nov 2010 23:29:00 GMT",
    "event": b"refer",
    "expires": b"60",
    "feature-caps": b"*",
    "history-info": b"<sip:%b@x>;index=1",
    "info-package": b"nil",
    "mime-version": b"1.0",
    "min-se": b"90",
    "p-early-media": b"supported",
    "priority": b"normal",
    "privacy": b"id",
    "rack": b"1 1 INVITE",
    "reason": b"SIP;cause=200",
    "refer-sub": b"true",
    "request-disposition": b"no-fork",
    "resource-priority": b"wps.0",
    "retry-after": b"5 (%b)",
    "rseq": b"1",
    "session-expires": b"1800;refresher=uac",
    "subscription-state": b"active;expires=60",
    "supported": b"timer",
    "unsupported": b"timer",
    "warning": b'399 %b "%b"',
    "recv-info": b"nil",
}
#: Headers that are planted on their own: another value would change what the whole message is.
APART = {
    "require",
    "content-disposition",
    "proxy-require",
    "content-encoding",
    "content-type",
    "content-length",
    "max-breadth",
    "max-forwards",
    "via",
    "route",
    "record-route",
    "path",
    "contact",
    "from",
    "to",
    "call-id",
    "cseq",
    "privacy",
    "refer-to",
    "replaces",
    "join",
    "target-dialog",
    "in-reply-to",
}
VENDOR = (
    "X-Device-ID",
    "X-Country",
    "X-Serialnumber",
    "X-Real-IP",
    "X-Forwarded-For",
    "X-3Com-PhoneInfo",
    "Ms-Device-Info",
    "X-MS-UserLocation",
    "X-BroadWorks-Correlation-Info",
    "X-NICE-Call-ID",
    "X-Anything",
    "Nothing-Known",
    "x-GEO-ip",
    "P-Unheard-Of",
    "Cisco-Guid",
    "Record",
)


PLANTED = re.compile(rb"kq\d+vxzu")
"""Values as Plants makes them; none can hide in another, so one search tells which ones stand in a text."""


class Plants:
    """Values that stand nowhere else, each with the name of the place where it was planted."""

    def __init__(self) -> None:
        self._numbers = count(101)
        self.names: dict[bytes, str] = {}
        self._given: set[bytes] = set()

    def __call__(self, name: str) -> bytes:
        value = b"kq%dvxzu" % next(self._numbers)
        self.names[value] = name
        return value

    def given(self, name: str, value: bytes) -> bytes:
        """Plant a value of a form of its own."""
        self.names[value] = name
        self._given.add(value)
        return value

    def likely(self, data: bytes) -> set[bytes]:
        """Return what is worth looking for in data: all of a form of their own, and what stands in it in some form."""
        standing = {value for _, text in labelled(data) for value in PLANTED.findall(text.lower())}
        return self._given | (standing & self.names.keys())


def header_lines(plants: Plants) -> list[bytes]:
    """Every header, by its full and compact name, repeated, folded, in odd case, with and without a valid beginning."""
    compact = {long: short for short, long in CATALOGUE.compact.items()}
    names = [name.decode() for name in CATALOGUE.headers.exact if name.decode() not in APART]
    lines = []
    for name in [*names, *VENDOR]:
        key = name.lower()
        valid = VALID.get(key, b"")
        if b"%b" in valid:
            valid = valid.replace(b"%b", plants(f"{name} inside"))
        spelt = name.title().encode()
        lines.append(spelt + b": " + plants(name))
        lines.append(spelt.upper() + b" :\t" + valid + b";" + plants(f"{name} param") + b"=" + plants(f"{name} value"))
        lines.append(spelt + b": " + valid + b",\r\n " + plants(f"{name} folded"))
        lines.append(
            b'%b: "%b" <sip:%b@%b.example;%b>;tag=%b'
            % (spelt, *(plants(f"{name} {part}") for part in ("display", "user", "host", "uri-param", "header-param")))
        )
        lines.append(b'%b: Digest username="%b", realm="%b"' % (spelt, plants(f"{name} user"), plants(f"{name} realm")))
        if key.encode() in compact:
            lines.append(compact[key.encode()] + b": " + plants(f"{name} compact"))
    return lines


def sendable(method: bytes, plants: Plants) -> list[bytes]:
    """The same less Record in INFO, which is a command to record: refused, nothing of it arrives at all."""
    lines = header_lines(plants)
    return (
        [line for line in lines if not line.lower().startswith((b"record:", b"record :"))]
        if method == b"INFO"
        else lines
    )


def chunks(lines: list[bytes], size: int = 60) -> Iterator[list[bytes]]:
    """Split lines so that no message has too many headers."""
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


def sdp(plants: Plants) -> bytes:
    """A session description with something planted in every line and attribute of the catalogue."""
    lines = [
        b"v=0",
        b"o=%b 2890844526 2890842807 IN IP4 10.44.55.66" % plants("o= user"),
        b"s=" + plants("s="),
        *(b"%b=%b" % (kind, plants(f"{kind.decode()}= line")) for kind in (b"i", b"u", b"e", b"p")),
        b"c=IN IP4 " + plants.given("media address", b"203.0.113.200"),
        b"b=AS:256",
        b"k=clear:" + plants("k="),
        b"z=2882844526 -1h",
        b"t=0 0",
        *(
            b"a=%b:%b" % (name, plants(f"a={name.decode()} session"))
            for name in CATALOGUE.sdp_attributes.exact
            if name not in UNIQUE
        ),
        b"a=" + plants("session flag"),
        b"m=audio 49170 RTP/SAVPF 0 96",
        b"i=" + plants("media i="),
        b"a=rtpmap:96 %b/48000/2" % plants("codec"),
        b"a=fmtp:96 useinbandfec=1;x-%b=1" % plants("fmtp x-"),
        b"a=ice-ufrag:" + plants("ICE ufrag and pwd"),
        b"a=ice-pwd:asd88fgpdd777uzjYhagZg" + plants("ICE ufrag and pwd"),
        b"a=fingerprint:sha-256 " + plants.given("DTLS fingerprint", b":".join([b"4A"] * 32)),
        b"a=setup:actpass",
        b"a=tls-id:91bbf309c0990a6bec11e38b" + plants("DTLS association"),
        b"a=zrtp-hash:1.10 " + plants.given("ZRTP hash", b"9e1b" * 16),
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"
        + plants.given("SRTP key", b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
        b"a=candidate:1 1 UDP 2130706431 10.44.55.67 49170 typ host",
        b"a=candidate:2 1 UDP 2130706175 fe80::21b:63ff:fe84:2b1 49170 typ host",
        b"a=candidate:3 1 UDP 1694498815 203.0.113.200 49170 typ srflx raddr 10.44.55.68 rport 49171 %b 1"
        % plants("candidate extension"),
        b"a=ssrc:314159 cname:" + plants("cname"),
        b"a=ssrc:314159 msid:%b %b" % (plants("msid"), plants("msid track")),
        *(
            b"a=%b:%b" % (name, plants(f"a={name.decode()}"))
            for name in CATALOGUE.sdp_attributes.exact
            if name not in UNIQUE
        ),
        b"a=X-nat:%b" % plants("X-nat"),
        b"a=tool:%b" % plants("tool"),
        b"a=%b" % plants("media flag"),
    ]
    for value, name in (
        (b"10.44.55.66", "o= address"),
        (b"10.44.55.67", "host candidate"),
        (b"10.44.55.68", "raddr"),
        (b"fe80::21b:63ff:fe84:2b1", "host candidate v6"),
    ):
        plants.given(name, value)
    return b"\r\n".join(lines) + b"\r\n"


#: Attributes that the description has in a valid form already; a broken one beside it would end the test early.
UNIQUE = frozenset(
    (
        b"ice-ufrag",
        b"ice-pwd",
        b"fingerprint",
        b"crypto",
        b"setup",
        b"candidate",
        b"rtpmap",
        b"fmtp",
        b"ssrc",
        b"tls-id",
        b"zrtp-hash",
    )
)


def multipart(plants: Plants) -> bytes:
    """A body with one part of every media type that passes whole or not at all, and one that nobody knows.

    Types that are cleaned are left out: nonsense in them fails the whole message, which other tests look at.
    """
    kinds = [name for name, entry in CATALOGUE.bodies.exact.items() if not entry.handling]
    parts = [b"Content-Type: application/sdp\r\n\r\n" + sdp(plants)]
    for kind in [*kinds, b"application/x-nobody-knows"]:
        label = kind.decode()
        parts.append(
            b"Content-Type: %b;%b=%b\r\nContent-ID: <%b@x>\r\nX-Part: %b\r\n\r\n<a>%b</a>\r\n%b: %b"
            % (kind, *(plants(f"{label} {what}") for what in ("param", "value", "id", "header", "text", "key", "line")))
        )
    edge = b"--" + plants("boundary")
    body = plants("preamble") + b"\r\n" + b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts)
    return body + edge + b"--\r\n" + plants("epilogue")


def phone(plants: Plants) -> Agent:
    """A phone whose own name and address of record are planted."""
    return Agent(PHONE, plants("From user"), b'"%b" ' % plants("From display"))


URI_PARTS = ("user-param", "password", "host", "param", "value")


OPEN = [{**route, "domains": ["*"]} for route in SETTINGS["routes"]]
"""Routes on which a phone may call whatever host: something is planted there too."""


def open_world() -> World:
    """Return a world that refuses no Request-URI for its host."""
    return World(settings(routes=OPEN))


def leaky(plants: Plants, agent: Agent, method: bytes, lines: Iterable[bytes], number: int) -> Packet:
    """A request outside dialogs with something planted in everything that a phone writes itself."""
    # Four digits alone stand in many a hash.
    for value, name in ((PHONE[0].encode(), "phone address"), (b":5062", "phone port"), (b"=5062", "phone port")):
        plants.given(name, value)
    dialled = plants("dialled number")
    written = [
        b"%b sip:%b;%b=1:%b@%b.example:5099;transport=udp;%b=%b SIP/2.0"
        % (method, dialled, *(plants(f"Request-URI {part}") for part in URI_PARTS)),
        b"Via: SIP/2.0/UDP %b:5062;branch=z9hG4bK%b%d;rport;%b=%b"
        % (PHONE[0].encode(), plants("branch"), number, plants("Via param"), plants("Via value")),
        b"Via: SIP/2.0/UDP %b.example;branch=z9hG4bK%b;received=10.1.1.24"
        % (plants("second Via"), plants("its branch")),
        b"Max-Forwards: 70",
        b"From: %b<sip:%b:%b@%b.example;%b>;tag=%b;%b=%b"
        % (
            agent.display,
            agent.user,
            *(plants(f"From {part}") for part in ("password", "host", "uri-param")),
            plants("From tag"),
            plants("From param"),
            plants("From value"),
        ),
        b'To: "%b" <sip:%b@%b.example;%b>;%b=%b'
        % (plants("To display"), dialled, *(plants(f"To {part}") for part in ("host", "uri-param", "param", "value"))),
        b"Call-ID: %b@%b.example" % (plants("Call-ID left"), plants("Call-ID right")),
        b"CSeq: %b %b" % (plants.given("CSeq number", b"414243%d" % (100 + number)), method),
        b'Contact: "%b" <sip:%b@10.1.1.23:5062;%b=%b>;+sip.instance="<urn:uuid:%b>";reg-id=7;%b=%b;+%b="%b"'
        % tuple(
            plants(f"Contact {part}")
            for part in (
                "display",
                "user",
                "uri-param",
                "uri-value",
                "instance",
                "param",
                "value",
                "feature",
                "feature value",
            )
        ),
        *lines,
    ]
    return Packet(PHONE, b"\r\n".join(written))


def finish(packet: Packet, body: bytes = b"", content_type: bytes = b"") -> Packet:
    """Close a message with its body."""
    kind = b"\r\nContent-Type: " + content_type if content_type else b""
    return Packet(packet.source, packet.data + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def arrived(world: World, plants: Plants) -> set[str]:
    """Return the names of what arrived at the trunk in any form, masked by something visible included."""
    unmasked = Unmasking([value for value in plants.names if len(value) >= LEAST_UNDER_XOR])
    values: set[bytes] = set()
    for data in {data for address, data in world.sent if address == TRUNK}:  # repetitions say nothing else
        values |= found_in(data, plants.likely(data))
        values |= {value for value, _ in unmasked(data)}
    return {plants.names[value] for value in values}


def methods_that_start() -> list[bytes]:
    return [
        b"INVITE",
        b"MESSAGE",
        b"OPTIONS",
        b"REFER",
        b"SUBSCRIBE",
        b"NOTIFY",
        b"INFO",
        b"UPDATE",
        b"PUBLISH",
        b"FOO",
    ]


@pytest.mark.parametrize("method", methods_that_start())
def test_no_header_of_a_first_request_arrives(method: bytes) -> None:
    """Headers, parameters, folds, compact forms, repeated rows; and the same again for the retransmissions."""
    plants, world = Plants(), open_world()
    agent = phone(plants)
    for number, lines in enumerate(chunks(sendable(method, plants))):
        packet = finish(leaky(plants, agent, method, lines, number))
        before = len(world.sent)
        world.receive(*packet)
        assert any(address == TRUNK for address, _ in world.sent[before:]), world.sent[before:]
        world.receive(*packet)
    world.wait(4)
    assert arrived(world, plants) <= set(EXEMPT)


@pytest.mark.parametrize(
    "header", sorted(APART - {"content-length", "via", "from", "to", "call-id", "cseq", "max-forwards"})
)
def test_headers_that_change_the_message_do_not_arrive(header: str) -> None:
    """Planted one at a time: the request may be refused, but nothing of the header arrives."""
    plants, world = Plants(), open_world()
    agent = phone(plants)
    values = [
        b"%b",
        b"100rel, %b",
        b"<sip:%b@x>",
        b"<sip:+15550123@x?Replaces=%b%%3Bto-tag%%3D1%%3Bfrom-tag%%3D2&Subject=%b>",
        b"%b;to-tag=1;from-tag=2;%b=1",
        b"%b;q=1",
    ]
    for number, value in enumerate(values):
        # The user part of a Refer-To is the number that the recipient shall dial.
        dialled = header == "refer-to" and value == b"<sip:%b@x>"
        planted = value.replace(b"%b", plants("dialled number" if dialled else header)).replace(b"%%", b"%")
        world.receive(*finish(leaky(plants, agent, b"REFER", [header.title().encode() + b": " + planted], number)))
    assert arrived(world, plants) <= set(EXEMPT)


def test_no_line_of_a_session_description_arrives() -> None:
    """SDP alone, and among parts of every other kind, in INVITE."""
    for with_others in (False, True):
        plants, world = Plants(), open_world()
        agent = phone(plants)
        if with_others:
            body = multipart(plants)
            boundary = next(value for value, name in plants.names.items() if name == "boundary")
            kind = b"multipart/mixed;boundary=" + boundary
        else:
            body, kind = sdp(plants), b"application/sdp"
        world.receive(*finish(leaky(plants, agent, b"INVITE", [], 1), body, kind))
        sent = [data for address, data in world.sent if address == TRUNK]
        assert sent, world.sent
        assert b"m=audio 49170" in sent[0], "the offer itself arrives"
        assert arrived(world, plants) <= set(EXEMPT)


@pytest.mark.parametrize("kind", sorted(name for name in CATALOGUE.bodies.exact if b"*" not in name))
def test_no_other_body_arrives(kind: bytes) -> None:
    """Every media type of the catalogue, alone in MESSAGE, INFO and NOTIFY."""
    plants, world = Plants(), open_world()
    agent = phone(plants)
    for number, method in enumerate((b"MESSAGE", b"INFO", b"NOTIFY", b"INVITE")):
        body = b"%b: %b\r\n%b" % (plants("key"), plants("value"), plants("text"))
        world.receive(*finish(leaky(plants, agent, method, [], number), body, kind + b";%b=1" % plants("type param")))
    assert arrived(world, plants) <= set(EXEMPT)


def dialog(plants: Plants, world: World) -> tuple[Ladder, Packet]:
    """A call that was answered; INVITE and everything before it are planted."""
    agent = phone(plants)
    invite = finish(leaky(plants, agent, b"INVITE", [], 0), sdp(plants), b"application/sdp")
    ladder = Ladder(world) >> invite << Sent(agent, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 183) << Sent(agent, 183)
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(agent, 200), invite


def within(ladder: Ladder, invite: Packet, method: bytes, lines: list[bytes], number: int) -> Packet:
    """A request in the dialog, as the phone would write it, with further lines."""
    plain = Agent(PHONE, b"x").within(method, ladder[200], own=invite, cseq=500 + number, contact=False)
    head, _, _ = plain.data.partition(b"\r\nContent-Length")
    return Packet(PHONE, b"\r\n".join([head, *lines]))


@pytest.mark.parametrize(
    "method",
    [b"ACK", b"PRACK", b"UPDATE", b"INVITE", b"BYE", b"MESSAGE", b"OPTIONS", b"INFO", b"REFER", b"NOTIFY", b"FOO"],
)
def test_nothing_arrives_within_a_dialog(method: bytes) -> None:
    """All headers and an SDP in every method that a phone sends in a call, and its retransmission."""
    plants, world = Plants(), open_world()
    ladder, invite = dialog(plants, world)
    for number, lines in enumerate(chunks(sendable(method, plants))):
        lines.append(b'Contact: "%b" <sip:%b@10.1.1.23:5062>;%b' % (plants("C"), plants("C user"), plants("C param")))
        for nth, (body, kind) in enumerate(((b"", b""), (sdp(plants), b"application/sdp"))):
            before = len(world.sent)
            packet = finish(within(ladder, invite, method, lines, 2 * number + nth), body, kind)
            world.receive(*packet)
            assert any(address == TRUNK for address, _ in world.sent[before:]), world.sent[before:]
            world.receive(*packet)
    assert arrived(world, plants) <= set(EXEMPT)


def test_nothing_arrives_with_a_cancel_or_the_ack_of_a_refusal() -> None:
    """Both are made from what went out before."""
    plants, world = Plants(), open_world()
    agent = phone(plants)
    invite = finish(leaky(plants, agent, b"INVITE", [], 0))
    ladder = Ladder(world) >> invite << Sent(agent, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(agent, 180)
    cancel = agent.cancel(invite, headers=tuple(header_lines(plants)[:100]))
    ladder = ladder >> cancel << Sent(agent, 200) << Sent(CARRIER, b"CANCEL")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 487) << Sent(CARRIER, b"ACK") << Sent(agent, 487)
    assert ladder >> agent.ack_failure(invite, ladder[487])
    assert arrived(world, plants) <= set(EXEMPT)


@pytest.mark.parametrize("transport", ["TCP", "TLS", "WS", "WSS"])
@pytest.mark.parametrize("far", ["udp", "tcp"])
def test_a_phone_over_a_connection_tells_no_more(transport: str, far: str) -> None:
    """Neither its headers nor its Via, nor by which transport and socket of ours it is connected."""
    listeners = [
        {"name": "main", "address": PROXY[0], "port": PROXY[1], "transport": far},
        {"name": "near", "address": "192.0.2.99", "port": 5099, "transport": transport.lower()},
    ]
    world = World(settings(listeners=listeners, access={**SETTINGS["access"], "listener": "near"}, routes=OPEN))
    world.flows[PHONE] = Flow(transport, ("192.0.2.99", 5099), PHONE, 7, ("alice.example",))
    if far == "tcp":
        world.flows[TRUNK] = Flow("TCP", PROXY, TRUNK, 8)
    plants = Plants()
    plants.given("our socket for phones", b"192.0.2.99")
    plants.given("certificate", b"alice.example")
    ladder, invite = dialog(plants, world)
    for number, lines in enumerate(chunks(header_lines(plants))):
        world.receive(*finish(within(ladder, invite, b"INFO", lines, number)))
    world.receive(*finish(within(ladder, invite, b"BYE", [], 499)))
    assert arrived(world, plants) <= set(EXEMPT)
    ours = b"" if far == "udp" else b"tcp"
    out = [data.partition(b"\r\n\r\n")[0] for address, data in world.sent if address == TRUNK]
    assert {each for data in out for each in re.findall(rb";transport=(\w+)", data)} <= {ours}
    assert {each for data in out for each in re.findall(rb"SIP/2.0/(\w+)", data)} == {far.upper().encode()}


@pytest.mark.parametrize("status", [180, 183, 200, 202, 302, 404, 407, 415, 420, 486, 488, 500, 599, 603, 699])
@pytest.mark.parametrize("method", [b"BYE", b"INFO", b"INVITE", b"UPDATE", b"MESSAGE", b"NOTIFY", b"OPTIONS"])
def test_nothing_arrives_in_the_phones_responses(method: bytes, status: int) -> None:
    """Responses of every class to requests of the trunk, reason phrase and all."""
    plants, world = Plants(), open_world()
    ladder, _ = dialog(plants, world)
    number = count(1)
    for lines in chunks(header_lines(plants), 120):
        answer = CARRIER.answer(ladder[b"INVITE"], 200)
        said = (b"Event: refer",) if method == b"NOTIFY" else ()
        request = CARRIER.within(method, ladder[b"INVITE"], own=answer, cseq=next(number), headers=said)
        before = len(world.sent)
        world.receive(*request)
        got = next(data for address, data in world.sent[before:] if address == PHONE)
        # Where a 3xx leads is a number that the caller shall dial.
        user = plants("dialled number" if status == 302 else "Contact user")
        contact = b'"%b" <sip:%b@10.1.1.23:5062;%b>;+sip.instance="%b"' % (plants("C"), user, plants("C"), plants("C"))
        reply = Agent(PHONE, b"x").answer(
            got,
            status,
            contact=contact,
            headers=(*lines, b"Content-Type: application/sdp"),
            body=sdp(plants),
            reason=plants("reason phrase"),
            tag=plants("To tag"),
        )
        world.receive(*reply)
        sent = [data for address, data in world.sent[before:] if address == TRUNK and read(data).status == status]
        assert len(sent) == 1, world.sent[before:]
    assert arrived(world, plants) <= set(EXEMPT)


def test_patterns_do_not_arrive_in_kept_fields() -> None:
    """MAC, IMEI, UUID v1, private addresses and the letter-coded form, in tags and Call-IDs."""
    values = {
        b"00:1f:5b:ab:cd:ef": "MAC",
        b"490154203237518": "IMEI",
        b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6": "UUID v1",
        b"192.168.44.55": "private IPv4",
        b"fd12:3456:789a::1": "private IPv6",
        b"BJC.BGI.BCE.GD": "letter-coded IPv4",
        b"SEP001122334455": "Cisco device name",
        b"9c57ad12a4e0": "MAC without separators, of a maker that is on no list",
    }
    for number, (value, name) in enumerate(values.items()):
        world, plants = open_world(), Plants()
        plants.given(name, value)
        # As a tag in the form that a token allows; the letters are a form of Call-IDs only.
        tag = value.replace(b":", b"-") if name == "MAC" else b"t1" if name in CALL_ID_ONLY else value
        plants.given(name, tag if name == "MAC" else value)
        agent = Agent(PHONE, b"alice")
        world.receive(*agent.invite(tag=tag, call_id=b"523072316-5062-13@" + value, branch=b"z9hG4bK%d" % number))
        assert [data for address, data in world.sent if address == TRUNK]
        assert arrived(world, plants) == set(), name


def test_a_withheld_number_does_not_arrive_in_a_passport() -> None:
    """Signed by the phone in every claim and form, with and without signatures of ours: base64 hides nothing."""
    number, name = b"15550142", b"kqpasszu"
    orig: dict[str, object] = {"orig": {"uri": f"sip:{number.decode()}@sip.example.net"}}
    places: tuple[dict[str, object], ...] = (
        {}, orig, {"div": {"tn": number.decode()}}, {"rcd": {"nam": name.decode()}}, {"opt": token(claims()).decode()},
        {"origid": name.decode()}, {"dest": {"tn": ["15550100", number.decode()]}}, {name.decode(): 1},
    )  # fmt: skip
    values = [identity_value(claims() | more) for more in places]
    values += [
        compact_form(),
        identity_value(params=b";info=<https://%b/%b>" % (name, number)),
        b"%b.%b.%b" % ((number,) * 3),
    ]
    trunks = [{**trunk, "sign": True} for trunk in SETTINGS["trunks"]]
    for of in (World(), World(settings(trunks=trunks, signing={"x5u": X5U}), signer=Signer(Credential(KEY, X5U), {}))):
        for nth, each in enumerate(values):
            headers = (b"Identity: " + each, b"P-Asserted-Identity: <tel:+%b>" % number, b"y:\r\n " + each)
            of.receive(*Agent(PHONE, b"+" + number, name).invite(headers=headers, branch=b"z9hG4bK%d" % nth))
        sent = [data for address, data in of.sent if address == TRUNK]
        assert len(sent) >= len(values)
        assert all(found_in(data, [number, name]) == set() for data in sent)
        assert not any(b"identity" in read(data).index for data in sent)


CALL_ID_ONLY = ("private IPv6", "letter-coded IPv4")


# --- the exemptions


def test_nothing_of_a_recording_session_arrives_but_sealed() -> None:
    """A recorder's whole session, both ways: no message holds a canary or metadata that can be read on the way.

    What the recorder opens names nobody either, for nobody has said that it may.
    """
    there = recording_world()
    ladder, invite, answer = begun(Ladder(there))
    up = ladder[200]
    bodies = [RFC, ACME, SONUS, PARTIAL]
    for cseq, metadata in enumerate(bodies, 2):
        body = recording_body(metadata=metadata)
        ladder >> SRC.within(b"UPDATE", up, own=invite, cseq=cseq, headers=MIXED, body=body) << Sent(SRS, b"UPDATE")
        ladder >> SRS.answer(ladder[b"UPDATE"], 200) << Sent(SRC, 200)
    for method in (b"INFO", b"NOTIFY", b"MESSAGE", b"BYE"):
        cseq += 1
        body = recording_body(metadata=RFC)
        ladder >> SRC.within(method, up, own=invite, cseq=cseq, headers=MIXED, body=body)
        ladder.left.clear()
    asked = SRS.within(b"UPDATE", ladder[b"INVITE"], own=answer, cseq=1)
    ladder >> asked << Sent(SRC, b"UPDATE")
    ladder >> SRC.answer(ladder[b"UPDATE"], 200, headers=MIXED, body=recording_body()) << Sent(SRS, 200)
    towards = [data for address, data in there.sent if address == SRS.address]
    assert len(towards) >= len(bodies) + 4
    sealed = 0
    for data in towards:
        assert tells_nothing(data), data
        if b"pkcs7-mime" in data:
            sealed += 1
            assert not any(canary in opened(data) for canary in RECORDING_CANARIES)
    assert sealed >= len(bodies) + 2


def test_the_list_of_exemptions_is_closed() -> None:
    """Twelve entries, each with a reason; adding one is a decision that this test makes visible."""
    assert sorted(EXEMPT) == [
        "CSeq number",
        "DTLS association",
        "DTLS fingerprint",
        "From tag",
        "ICE candidate",
        "ICE ufrag and pwd",
        "SRTP key",
        "To tag",
        "ZRTP hash",
        "codec",
        "dialled number",
        "media address",
    ]
    assert all(EXEMPT.values())


def test_every_exemption_is_used() -> None:
    """What is exempt does arrive: an entry that nothing needs would hide a leak."""
    plants, world = Plants(), open_world()
    ladder, _ = dialog(plants, world)
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> CARRIER.request(b"OPTIONS")
    ladder.left.clear()
    ladder = ladder >> CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer) << Sent(Agent(PHONE, b"x"), b"BYE")
    names = arrived(world, plants)
    candidates = ladder[b"INVITE"].count(b"a=candidate:")
    assert candidates == 1, "one for each component"
    # A dialog of the phone's own answer: its To tag is what the trunk sees.
    assert names | {"ICE candidate", "To tag"} == set(EXEMPT)


# --- tokens give nothing away (peers.md §4)


def test_tokens_do_not_open_by_xor_with_what_is_visible() -> None:
    """Kamailio and OpenSIPS write original XOR replacement beside the replacement: one line undoes it."""
    plants, world = Plants(), open_world()
    dialog(plants, world)
    for address, data in world.sent:
        if address == TRUNK:
            hidden = {value for value, name in plants.names.items() if name not in EXEMPT}
            assert found_by_xor(data, hidden) == set()


def test_a_known_call_gives_no_keystream_for_another() -> None:
    """Known plaintext: two calls whose callers differ in one letter share no more than chance in their tokens."""
    seen = []
    for user in (b"+15550101", b"+15550102"):
        world = World()
        agent = Agent(PHONE, user)
        world.receive(*agent.invite(call_id=b"c-" + user, tag=b"t" + user))
        data = next(data for address, data in world.sent if address == TRUNK)
        route = parse_name_addr(read(data).items(b"record-route")[0]).uri
        seen.append(route.partition(b":")[2].partition(b"@")[0])
    equal = sum(a == b for a, b in zip(*seen, strict=True))
    assert len(seen[0]) == len(seen[1])
    assert equal < len(seen[0]) // 8


def test_equal_callers_look_different_in_every_call() -> None:
    """Nothing but what is exempt is common to two calls of one phone: they cannot be linked."""
    lines = []
    for number in range(2):
        world = World()
        agent = Agent(PHONE, b"alice")
        world.receive(*agent.invite(call_id=b"call-%d" % number, tag=b"tag%d" % number, branch=b"z9hG4bK%d" % number))
        sent = read(next(data for address, data in world.sent if address == TRUNK))
        lines.append({line for line in sent.lines if line[:4].lower() in (b"via:", b"reco", b"cont", b"call")})
    assert {line for line in lines[0] & lines[1] if not line.startswith(b"Content-")} == set()


def test_length_tells_little() -> None:
    """Names of different lengths make tokens of the same size (dialogs.md: padded to size buckets)."""
    sizes = set()
    for name in (b"Al", b"Alice Liddell", b"A. P. Liddell"):
        world = World()
        agent = Agent(PHONE, b"alice", b'"%b" ' % name)
        world.receive(*agent.invite())
        data = next(data for address, data in world.sent if address == TRUNK)
        sizes.add(len(read(data).items(b"record-route")[0]))
    assert len(sizes) == 1
