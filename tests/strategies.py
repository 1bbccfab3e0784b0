"""Hypothesis strategies for SIP: URIs, Call-IDs, messages, records. One place, so that tests agree on what exists.

Strategies without `wild` in their name make what the grammar of RFC 3261 §25 allows.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable

from hypothesis import strategies as st

from config.vocabulary import Zone
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.record import Binding, End, Record

TOKEN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~"
WORD_LETTERS = TOKEN_LETTERS + '()<>:\\"/[]?{}'
USER_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,;?/"
HOST_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-."


def text(letters: str, least: int = 1, most: int = 24) -> st.SearchStrategy[bytes]:
    """Bytes of some letters."""
    return st.text(letters, min_size=least, max_size=most).map(str.encode)


tokens = text(TOKEN_LETTERS)
header_values = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=60
).map(lambda value: value.strip().encode())

ipv4 = st.ip_addresses(v=4).map(lambda address: str(address).encode())
ipv6 = st.ip_addresses(v=6).map(lambda address: str(address).encode())
names = st.builds(b".".join, st.lists(text("abcdefghijklmnopqrstuvwxyz0123456789", most=10), min_size=1, max_size=4))
hosts = st.one_of(names, ipv4, ipv6.map(lambda address: b"[" + address + b"]"))
ports = st.one_of(st.just(b""), st.integers(1, 65535).map(lambda port: b":%d" % port))


@st.composite
def _params(draw: st.DrawFn) -> bytes:
    items = draw(st.lists(st.tuples(text(HOST_LETTERS), st.one_of(st.none(), text(HOST_LETTERS))), max_size=3))
    return b"".join(b";" + name + (b"=" + value if value is not None else b"") for name, value in items)


params = _params()


token_users = st.binary(min_size=1, max_size=150).map(lambda token: urlsafe_b64encode(token).rstrip(b"="))
"""User parts as our own tokens have them."""


@st.composite
def _sip_uris(draw: st.DrawFn) -> bytes:
    scheme = draw(st.sampled_from((b"sip", b"sips")))
    user = draw(st.one_of(st.just(b""), st.one_of(text(USER_LETTERS), token_users).map(lambda user: user + b"@")))
    return scheme + b":" + user + draw(hosts) + draw(ports) + draw(params)


sip_uris = _sip_uris()
other_uris = st.one_of(
    text("0123456789+-.").map(lambda number: b"tel:" + number),
    st.sampled_from((b"urn:service:sos", b"http://www.example.com", b"isbn:2983792873")),
)
uris = st.one_of(sip_uris, other_uris)
wild_uris = st.one_of(uris, st.binary(max_size=80))

quoted = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters='"\\\x7f'), max_size=20).map(
    lambda value: b'"' + value.encode() + b'"'
)
displays = st.one_of(st.just(b""), tokens, quoted)


@st.composite
def _uuids(draw: st.DrawFn) -> bytes:
    value = str(draw(st.uuids()))
    return (value.upper() if draw(st.booleans()) else value).encode()


hex_texts = st.binary(min_size=1, max_size=40).map(lambda value: value.hex().encode())
call_ids = st.builds(
    lambda left, right: left + right,
    st.one_of(text(WORD_LETTERS), _uuids(), hex_texts, hex_texts.map(bytes.upper), text(HOST_LETTERS)),
    st.one_of(
        st.just(b""),
        st.builds(lambda host, port: b"@" + host + port, st.one_of(names, ipv4, ipv6), ports),
        text(WORD_LETTERS).map(lambda right: b"@" + right),
    ),
)
"""Call-IDs as devices make them: UUIDs, hex, letters; with a host, an address, an address and port, or nothing."""
wild_call_ids = st.one_of(call_ids, st.binary(max_size=100))

methods = st.sampled_from((b"INVITE", b"OPTIONS", b"REGISTER", b"MESSAGE", b"SUBSCRIBE", b"NEWMETHOD"))
_extra_names = st.sampled_from(
    (b"Subject", b"s", b"User-Agent", b"X-Device", b"Contact", b"m", b"Supported", b"k", b"Accept", b"Date")
)


@st.composite
def _extra_lines(draw: st.DrawFn) -> bytes:
    """A header line with spaces, folds and any text."""
    colon = draw(st.sampled_from((b":", b": ", b" : ", b":  \t")))
    fold = draw(st.sampled_from((b"", b"\r\n ", b" \r\n\t")))
    return draw(_extra_names) + colon + b"v" + draw(header_values) + fold + draw(header_values)


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    """A request with a right Content-Length, its headers in any order."""
    method, body = draw(methods), draw(st.binary(max_size=60))
    via = draw(hosts) + draw(ports) + b";branch=z9hG4bK" + draw(text(HOST_LETTERS))
    lines = [
        b"Via: SIP/2.0/UDP " + via,
        draw(st.sampled_from((b"From: ", b"f:", b"FROM : "))) + _address(draw) + b";tag=" + draw(tokens),
        draw(st.sampled_from((b"To: ", b"t:", b"to\t: "))) + _address(draw),
        draw(st.sampled_from((b"Call-ID: ", b"i:"))) + draw(text(TOKEN_LETTERS)),
        b"CSeq: %d " % draw(st.integers(0, 2**31 - 1)) + method,
        b"Max-Forwards: %d" % draw(st.integers(0, 255)),
        draw(st.sampled_from((b"Content-Length: ", b"l:", b"content-length  :\t"))) + b"%d" % len(body),
        *draw(st.lists(_extra_lines(), max_size=5)),
    ]
    start = method + b" " + draw(sip_uris) + b" SIP/2.0"
    return b"\r\n".join([start, *draw(st.permutations(lines)), b"", b""]) + body


def _address(draw: st.DrawFn) -> bytes:
    return draw(displays) + b" <" + draw(sip_uris) + b">"


requests = _requests()


_pieces = st.one_of(
    st.binary(max_size=6),
    st.sampled_from((b"\r\n", b"\n", b"\r", b'"', b"<", b">", b";", b",", b":", b"\0", b" ")),
)


@st.composite
def _mutations(draw: st.DrawFn, message: bytes) -> bytes:
    """A message with a few pieces cut out, repeated, replaced or inserted."""
    data = bytearray(message)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        size = draw(st.integers(0, 12))
        piece = draw(_pieces)
        if draw(st.booleans()):
            piece += bytes(data[at : at + size]) * draw(st.integers(0, 3))
        data[at : at + size] = piece
    return bytes(data)


mutations: Callable[[bytes], st.SearchStrategy[bytes]] = _mutations

zones = st.sampled_from((Zone.ACCESS, Zone.CORE, Zone.TRUNK, Zone.PSAP))
ends = st.builds(
    lambda zone, trunk: End(zone, trunk if zone in (Zone.TRUNK, Zone.PSAP) else 0), zones, st.integers(1, 2**32 - 1)
)
addresses = st.tuples(st.one_of(st.ip_addresses().map(str), st.just("fe80::1%eth0")), st.integers(0, 65535))
udp_flows = st.builds(Flow, st.just("UDP"), addresses, addresses, st.just(0), st.just(()))
stream_flows = st.builds(
    Flow, st.sampled_from(("TCP", "TLS", "WS", "WSS")), addresses, addresses,
    st.one_of(st.just(0), st.builds(lambda worker, serial: worker << 32 | serial, st.integers(0, 255),
                                    st.integers(1, 2**32 - 1))),
    st.just(()),
)  # fmt: skip
name_addrs = st.builds(NameAddr, displays, uris, st.just(b""))
bindings = st.builds(Binding, uris, text(TOKEN_LETTERS), st.integers(0, 65535))
decisions = st.integers(0, 2**36 - 1)


def _worker(draw: st.DrawFn, flow: Flow | None) -> int:
    """Return whose a flow is: its number says it, of a connection that there is."""
    if flow is None or flow.transport == "UDP":
        return 0
    return flow.connection >> 32 if flow.connection else draw(st.integers(0, 255))


@st.composite
def _records(draw: st.DrawFn) -> Record:
    flow = draw(st.one_of(st.none(), udp_flows, stream_flows))
    streams = flow is not None and flow.transport != "UDP"
    return Record(
        marks=draw(st.integers(0, 15)),
        issued=draw(st.integers(0, 2**32 - 1)),
        caller=draw(ends),
        callee=draw(ends),
        to_callee=draw(decisions),
        to_caller=draw(decisions),
        subscriber=draw(st.binary(min_size=6, max_size=6)),
        call=draw(st.binary(min_size=6, max_size=6)),
        fingerprint=draw(st.binary(min_size=8, max_size=8)),
        target=draw(uris),
        flow=flow,
        routes=tuple(draw(st.lists(sip_uris, max_size=4))),
        from_original=draw(st.one_of(st.none(), name_addrs)),
        from_outward=draw(st.one_of(st.none(), name_addrs)),
        to_original=draw(st.one_of(st.none(), name_addrs)),
        to_outward=draw(st.one_of(st.none(), name_addrs)),
        call_id=draw(st.one_of(st.just(b""), text(WORD_LETTERS, most=100))),
        binding=draw(st.one_of(st.none(), bindings)),
        node=draw(st.integers(0, 65535)) if streams else 0,
        worker=_worker(draw, flow),
    )


records = _records()
