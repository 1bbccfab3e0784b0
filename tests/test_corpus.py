"""The torture messages of RFC 4475 and RFC 5118, each with the outcome that standards.md §7 states for a proxy.

Every file is fed to the core as it is, from an edge proxy of the access zone, on a trusted keep-all route to a
core hop. What a proxy has no business with must leave byte for byte as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from config.settings import Limits
from config.vocabulary import Category
from proxy.errors import Malformed
from proxy.headers import parse_name_addr, parse_via
from proxy.parse import parse
from proxy.uri import parse_sip_uri
from tests.world import CORE, World, settings

CORPUS = Path(__file__).parent / "corpus"
EDGE = ("10.9.9.9", 5060)
BROADCAST = "255.255.255.255"
KEEP_ALL = {category.name.lower(): "keep" for category in Category}

FORWARDED = 0
DROPPED = -1

OUTCOMES: dict[str, int] = {
    # RFC 4475 §3.1.1: valid messages
    "wsinv.dat": FORWARDED,
    "intmeth.dat": FORWARDED,
    "esc01.dat": FORWARDED,
    "escnull.dat": FORWARDED,
    "esc02.dat": FORWARDED,
    "lwsdisp.dat": FORWARDED,
    "longreq.dat": FORWARDED,
    "dblreq.dat": FORWARDED,
    "semiuri.dat": FORWARDED,
    "transports.dat": FORWARDED,
    "mpart01.dat": FORWARDED,
    "unreason.dat": DROPPED,
    "noreason.dat": DROPPED,
    # RFC 4475 §3.1.2: invalid messages
    "badinv01.dat": 400,
    "clerr.dat": 400,
    "ncl.dat": 400,
    "scalar02.dat": 400,
    "scalarlg.dat": DROPPED,
    "quotbal.dat": 400,
    "ltgtruri.dat": 400,
    "lwsruri.dat": 400,
    "lwsstart.dat": 400,
    "trws.dat": 400,
    "escruri.dat": 400,
    "baddate.dat": FORWARDED,
    "regbadct.dat": FORWARDED,
    "badaspec.dat": 400,
    "baddn.dat": 400,
    "badvers.dat": 505,
    "mismatch01.dat": 400,
    "mismatch02.dat": 501,
    "bigcode.dat": DROPPED,
    # RFC 4475 §3.2: transaction layer
    "badbranch.dat": 400,
    # RFC 4475 §3.3: application layer
    "insuf.dat": 400,
    "unkscm.dat": 416,
    "novelsc.dat": 416,
    "unksm2.dat": FORWARDED,
    "bext01.dat": 420,
    "invut.dat": FORWARDED,
    "regaut01.dat": FORWARDED,
    "multi01.dat": 400,
    "mcl01.dat": 400,
    "bcast.dat": DROPPED,
    "zeromf.dat": 483,
    "cparam01.dat": FORWARDED,
    "cparam02.dat": FORWARDED,
    "regescrt.dat": FORWARDED,
    "sdp01.dat": FORWARDED,
    # RFC 4475 §3.4: backward compatibility
    "inv2543.dat": FORWARDED,
    # an unnamed extra in the archive of RFC 4475: it has no Via, so there is nobody to answer
    "test.dat": DROPPED,
    # RFC 5118 §4
    "ipv6-good": FORWARDED,
    "ipv6-bad": 400,
    "port-ambiguous": FORWARDED,
    "port-unambiguous": FORWARDED,
    "via-received-param-with-delim": FORWARDED,
    "via-received-param-no-delim": FORWARDED,
    "ipv6-in-sdp": FORWARDED,
    "mult-ip-in-header": FORWARDED,
    "mult-ip-in-sdp": FORWARDED,
    "ipv4-mapped-ipv6": FORWARDED,
    "ipv6-bug-abnf-3-colons": FORWARDED,
    "ipv6-correct-abnf-2-colons": FORWARDED,
}
FORWARDED_NAMES = [name for name, outcome in OUTCOMES.items() if outcome == FORWARDED]
ANSWERED_NAMES = [name for name, outcome in OUTCOMES.items() if outcome > 0]
DROPPED_NAMES = [name for name, outcome in OUTCOMES.items() if outcome == DROPPED]

#: What a proxy may change (RFC 3261 §16.4 and §16.6, RFC 5393 §5.3.3); everything else stays byte for byte.
OF_THE_PROXY = (b"via", b"route", b"record-route", b"max-forwards", b"max-breadth", b"content-length")
_COMPACT = {b"v": b"via", b"l": b"content-length"}


class Bytes(NamedTuple):
    """A message taken apart without any help of the code under test."""

    start: bytes
    lines: list[bytes]
    """Header lines with their folds, without the last line end."""
    body: bytes

    def named(self, name: bytes) -> list[bytes]:
        return [line for line in self.lines if _name(line) == name]

    def others(self) -> list[bytes]:
        return [line for line in self.lines if _name(line) not in OF_THE_PROXY]

    def value(self, name: bytes) -> bytes:
        """Return the value of the only line of this name."""
        (line,) = self.named(name)
        return line.partition(b":")[2].strip()


def _name(line: bytes) -> bytes:
    name = line.partition(b":")[0].strip().lower()
    return _COMPACT.get(name, name)


def load(name: str) -> bytes:
    folder = "rfc4475" if name.endswith(".dat") else "rfc5118"
    return (CORPUS / folder / name).read_bytes()


def take_apart(data: bytes) -> Bytes:
    """Split at the empty line; in headers, LF alone (as the archive of RFC 5118 has it) stands for CRLF."""
    head, _, body = data.partition(b"\r\n\r\n" if b"\r\n" in data else b"\n\n")
    if b"\r" not in head:
        head = head.removesuffix(b"\n").replace(b"\n", b"\r\n")
    start, *lines = re.split(rb"\r\n(?![ \t])", head)
    message = Bytes(start, lines, body)
    for line in message.named(b"content-length"):
        message = message._replace(body=body[: int(line.partition(b":")[2])])
    return message


def unfold(text: bytes) -> bytes:
    return re.sub(rb"\s*\r\n[ \t]+", b" ", text).strip()


def new_world() -> World:
    """Return a world with one trusted route, and nothing hidden from anybody."""
    return World(
        settings(
            access={
                "networks": ["10.0.0.0/8"], "listener": "main", "edge_proxies": [EDGE[0]], "privacy": KEEP_ALL,
                "record_budget": 1024,
            },
            core={"networks": [CORE[0]], "listener": "main", "next_hop": f"{CORE[0]}:{CORE[1]}", "privacy": KEEP_ALL},
            privacy={"floor": {}, "default": KEEP_ALL},
            trunks=[],
            routes=[{"to": ["core"]}],
        )
    )  # fmt: skip


def feed(world: World, name: str) -> tuple[list[bytes], list[bytes]]:
    """Hand a file to the core; return what went to the core hop, and what went back to the edge proxy."""
    sent = world.receive(EDGE, load(name))
    assert {peer[0] for peer, _ in sent} <= {CORE[0], EDGE[0]}
    return [data for peer, data in sent if peer == CORE], [data for peer, data in sent if peer[0] == EDGE[0]]


def forward(name: str) -> tuple[Bytes, Bytes]:
    """Return a file and the one request that came of it."""
    forwarded, answers = feed(new_world(), name)
    assert len(forwarded) == 1
    assert all(answer.startswith(b"SIP/2.0 100 ") for answer in answers)
    return take_apart(load(name)), take_apart(forwarded[0])


def test_every_file_has_its_row() -> None:
    """No file of the corpus is without a stated outcome, and no row without a file."""
    files = {path.name for folder in ("rfc4475", "rfc5118") for path in (CORPUS / folder).iterdir()}
    assert files == set(OUTCOMES)
    assert len(files) == 62


def _files(names: list[str]) -> Callable[[Callable[[str], None]], Callable[[str], None]]:
    return pytest.mark.parametrize("name", names)


# --- forwarded


@_files(FORWARDED_NAMES)
def test_forwarded_with_what_is_not_the_proxys_untouched(name: str) -> None:
    """Start line, body and every header that §16.6 does not name leave byte for byte, in order (§16.6 item 1)."""
    received, sent = forward(name)
    assert sent.start == received.start
    assert sent.others() == received.others()
    assert sent.body == received.body


@_files(FORWARDED_NAMES)
def test_forwarded_with_a_via_of_ours_on_top(name: str) -> None:
    """Our Via is on top; the next one gains where the packet came from; the others are not touched (§18.2.1)."""
    received, sent = forward(name)
    ours, top, *lower = sent.named(b"via")
    assert re.fullmatch(rb"Via: SIP/2\.0/UDP 192\.0\.2\.1:5060;branch=z9hG4bK[A-Za-z0-9._-]+;rport", ours)
    assert sent.lines.index(ours) == 0
    was, *below = received.named(b"via")
    assert lower == below
    value = re.sub(rb";received=[^;]*|;rport", b"", unfold(was.partition(b":")[2]))
    now = unfold(top.partition(b":")[2])
    asked = b";rport" in was
    first, comma, rest = value.partition(b",")
    expected = first + b";received=10.9.9.9" + (b";rport=5060" if asked else b"") + comma + rest
    assert now == expected


@_files(FORWARDED_NAMES)
def test_forwarded_with_the_headers_that_a_proxy_counts_with(name: str) -> None:
    """Max-Forwards counts down or begins at 70, Max-Breadth is there, Content-Length is right (§16.6, RFC 5393)."""
    received, sent = forward(name)
    before = received.named(b"max-forwards")
    expected = int(received.value(b"max-forwards")) - 1 if before else 70
    assert int(sent.value(b"max-forwards")) == expected
    assert int(sent.value(b"max-breadth")) == 60
    assert int(sent.value(b"content-length")) == len(sent.body)
    lengths = received.named(b"content-length")
    if lengths and int(received.value(b"content-length")) == len(received.body):
        assert sent.named(b"content-length") == lengths


@_files(FORWARDED_NAMES)
def test_forwarded_with_its_routes(name: str) -> None:
    """Routes that are not ours stay, in order; Record-Route grows by ours at most, on top (§16.6 items 1 and 4)."""
    received, sent = forward(name)

    def uris(message: Bytes, header: bytes) -> list[bytes]:
        return [parse_name_addr(unfold(line.partition(b":")[2])).uri for line in message.named(header)]

    assert uris(sent, b"route") == uris(received, b"route")
    kept = uris(received, b"record-route")
    grown = uris(sent, b"record-route")
    assert grown[len(grown) - len(kept) :] == kept
    for uri in grown[: len(grown) - len(kept)]:
        assert re.fullmatch(rb"sip:[A-Za-z][A-Za-z0-9_-]*@192\.0\.2\.1:5060;lr", uri)
    assert len(grown) - len(kept) <= 1


@_files(FORWARDED_NAMES)
def test_answer_finds_its_way_back(name: str) -> None:
    """The core's answer reaches the edge proxy with Via, From, To, Call-ID and CSeq as the edge proxy wrote them."""
    world = new_world()
    (request,), _ = feed(world, name)
    got = take_apart(request)
    echoed = [
        line for line in got.lines if _name(line) in (b"via", b"from", b"f", b"to", b"t", b"call-id", b"i", b"cseq")
    ]
    back = world.receive(CORE, b"\r\n".join([b"SIP/2.0 404 Not here", *echoed, b"Content-Length: 0", b"", b""]))
    answers = [take_apart(data) for peer, data in back if peer[0] == EDGE[0]]
    assert [answer.start for answer in answers] == [b"SIP/2.0 404 Not here"]
    original = take_apart(load(name))
    for names in ((b"from", b"f"), (b"call-id", b"i"), (b"cseq",)):
        assert [line for line in answers[0].lines if _name(line) in names] == [
            line for line in original.lines if _name(line) in names
        ]
    vias, wanted = ([unfold(line.partition(b":")[2]) for line in lines.named(b"via")] for lines in (answers[0], got))
    assert vias == wanted[1:]
    assert world.count("failed_closed", "final") == 0


# --- answered


@_files(ANSWERED_NAMES)
def test_answered_and_not_forwarded(name: str) -> None:
    """A request that may not go on gets one final answer, which echoes what it said, and nothing else leaves."""
    world = new_world()
    forwarded, answers = feed(world, name)
    assert forwarded == []
    assert [answer.partition(b" ")[2][:3] for answer in answers] == [b"%d" % OUTCOMES[name]]
    received, answer = take_apart(load(name)), take_apart(answers[0])
    for line in received.others():
        if _name(line) in (b"from", b"call-id", b"cseq") and len(received.named(_name(line))) == 1:
            assert line in answer.lines
    assert len(answer.named(b"via")) == len(received.named(b"via"))
    assert answer.value(b"content-length") == b"0"
    assert not world.wait(0.4), "nothing follows"
    assert not any(name == "failed_closed" for name, _ in world.core.counters.values)


# --- dropped


@_files(DROPPED_NAMES)
def test_dropped_in_silence(name: str) -> None:
    """What may not be answered leaves no trace but a count (RFC 6026 §7.3 for responses that nobody waits for)."""
    world = new_world()
    assert feed(world, name) == ([], [])
    assert world.wait(40) == []
    reason = "stray-response" if name in ("unreason.dat", "noreason.dat", "bcast.dat") else "malformed"
    assert world.count("dropped", reason) == 1


def waiting_for(name: str) -> tuple[World, bytes]:
    """Return a world that waits for the response in a file, and the file with the Via that makes it match."""
    response = take_apart(load(name))
    sent_to = [line for line in response.lines if _name(line) in (b"from", b"call-id", b"cseq")]
    request = b"\r\n".join(
        [
            b"INVITE sip:user@example.edu SIP/2.0",
            b"Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKedge",
            b"Max-Forwards: 70",
            *sent_to,
            b"To: <sip:user@example.edu>",
            b"Contact: <sip:user@192.0.2.198>",
            b"Content-Length: 0",
            b"",
            b"",
        ]
    )
    world = new_world()
    (forwarded,) = [data for peer, data in world.receive(EDGE, request) if peer == CORE]
    vias = take_apart(forwarded).named(b"via")
    lines = [line for line in response.lines if _name(line) != b"via"]
    extra = [line for line in response.named(b"via") if BROADCAST.encode() in line]
    head = b"\r\n".join([response.start, vias[0], *(extra or vias[1:]), *lines])
    return world, head + b"\r\n\r\n" + response.body


def test_unreason_is_accepted_where_a_transaction_waits_for_it() -> None:
    """RFC 4475 §3.1.1.12: a Reason-Phrase of UTF-8 and punctuation passes byte for byte."""
    world, response = waiting_for("unreason.dat")
    ((peer, data),) = world.receive(CORE, response)
    received, sent = take_apart(load("unreason.dat")), take_apart(data)
    assert peer == EDGE
    assert sent.start == received.start
    assert "но сто девяносто девять".encode() in sent.start
    assert sent.body == received.body
    assert [line for line in sent.lines if _name(line) == b"contact"] == received.named(b"contact")
    assert world.count("dropped", "stray-response") == 0


def test_noreason_is_accepted_where_a_transaction_waits_for_it() -> None:
    """RFC 4475 §3.1.1.13: an empty Reason-Phrase; a 100 stops timer A and goes no further (§16.7 item 5)."""
    world, response = waiting_for("noreason.dat")
    assert world.receive(CORE, response) == []
    assert world.count("responses_received", "1xx") == 1
    assert world.count("dropped", "stray-response") == 0
    assert world.wait(40) == [], "the INVITE is not sent again"
    assert parse(load("noreason.dat"), Limits()).start == b"SIP/2.0 100 "


def test_bcast_reaches_no_broadcast_address() -> None:
    """RFC 4475 §3.3.10: a response goes back along its own request's Via, never to an address in the response's."""
    world, response = waiting_for("bcast.dat")
    assert BROADCAST.encode() in response
    assert all(peer == EDGE and BROADCAST.encode() not in data for peer, data in world.receive(CORE, response))
    assert not any(peer[0] == BROADCAST for peer, _ in world.sent)


# --- the special demands of each row


def test_wsinv_reads_white_space_and_leading_zeros() -> None:
    """RFC 4475 §3.1.1.1: folds, spaces, zeros in front, an escaped quote and a list in compact and long form."""
    message = parse(load("wsinv.dat"), Limits())
    assert (message.max_forwards, message.cseq, message.cseq_method) == (68, 9, b"INVITE")
    assert (message.from_tag, message.to_tag) == (b"98asjd8", b"1918181833n")
    assert message.from_.display == rb'"J Rosenberg \\\""'
    assert len(message.items(b"via")) == 3
    assert [parse_via(value).host for value in message.items(b"via")] == [
        b"192.0.2.2", b"spindle.example.com", b"192.168.255.111",
    ]  # fmt: skip
    _, sent = forward("wsinv.dat")
    assert b"UnknownHeaderWithUnusualValue: ;;,,;;,;" in sent.lines
    assert b"NewFangledHeader:   newfangled value\r\n continued newfangled value" in sent.lines
    assert b"s :" in sent.lines


def test_intmeth_is_a_method_like_any_other() -> None:
    """RFC 4475 §3.1.1.2: any token is a method, any octet after a backslash is quoted, a tag is any token."""
    message = parse(load("intmeth.dat"), Limits())
    assert message.method == b"!interesting-Method0123456789_*+`.%indeed'~"
    assert message.from_tag == b"_token~1'+`*%!-."
    assert message.to.display == b'"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f"'
    uri = parse_sip_uri(message.uri)
    assert uri is not None
    assert (uri.user, uri.password, uri.host) == (
        b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
        b"example.com",
    )  # fmt: skip


def test_esc01_unescapes_nothing() -> None:
    """RFC 4475 §3.1.1.3: an escaped `@` does not end the user part."""
    uri = parse_sip_uri(parse(load("esc01.dat"), Limits()).uri)
    assert uri is not None
    assert (uri.user, uri.host) == (b"sips%3Auser%40example.com", b"example.net")


def test_escnull_is_not_cut_at_a_null() -> None:
    """RFC 4475 §3.1.1.4: `%00` is a character like others, and `%00` and `%00%00` are two contacts."""
    _, sent = forward("escnull.dat")
    assert [line for line in sent.lines if b"ontact" in line] == [
        b"Contact: <sip:%00@host5.example.com>",
        b"Contact: <sip:%00%00@host5.example.com>",
    ]
    assert sent.value(b"to") == b"sip:null-%00-null@example.com"


def test_esc02_is_no_register() -> None:
    """RFC 4475 §3.1.1.5: escapes mean nothing in methods and header names."""
    world = new_world()
    (sent,), _ = feed(world, "esc02.dat")
    assert sent.startswith(b"RE%47IST%45R ")
    assert world.count("requests_received", "other") == 1
    assert world.count("requests_received", "REGISTER") == 0
    message = parse(load("esc02.dat"), Limits())
    assert len(message.index[b"contact"]) == 2
    assert message.from_.display == b'"%Z%45"'


def test_longreq_is_read_to_its_end() -> None:
    """RFC 4475 §3.1.1.7: long values, and 34 Vias in all spellings of the name."""
    message = parse(load("longreq.dat"), Limits())
    assert len(message.call_id) == len(take_apart(load("longreq.dat")).value(b"call-id"))
    assert len(message.index[b"via"]) == len(message.items(b"via")) == 34


def test_dblreq_forwards_the_first_request_only() -> None:
    """RFC 4475 §3.1.1.8: octets behind Content-Length are not a second request on UDP (§18.3)."""
    _, sent = forward("dblreq.dat")
    assert sent.start.startswith(b"REGISTER ")
    assert sent.body == b""


def test_semiuri_has_its_parameter_in_the_user_part() -> None:
    """RFC 4475 §3.1.1.9."""
    uri = parse_sip_uri(parse(load("semiuri.dat"), Limits()).uri)
    assert uri is not None
    assert (uri.user, uri.host, uri.params) == (b"user;par=u%40example.net", b"example.com", b"")


def test_mpart01_keeps_its_binary_parts() -> None:
    """RFC 4475 §3.1.1.11: a body with NULs is as long as Content-Length says."""
    received, sent = forward("mpart01.dat")
    assert len(sent.body) == int(received.value(b"content-length")) == 553
    assert b"\0" in sent.body


def test_scalar02_fails_for_its_cseq() -> None:
    """RFC 4475 §3.1.2.4: CSeq beyond 32 bits is an error, Max-Forwards beyond 255 alone counts as absent."""
    with pytest.raises(Malformed, match="CSeq"):
        parse(load("scalar02.dat"), Limits())
    fixed = load("scalar02.dat").replace(b"36893488147419103232", b"1")
    assert parse(fixed, Limits()).max_forwards is None


def test_baddn_is_refused_for_its_display_name_too() -> None:
    """RFC 4475 §3.1.2.15: a comma needs quotes, also where the end of the headers is not missing."""
    (answer,) = [data for _, data in new_world().receive(EDGE, load("baddn.dat").rstrip() + b"\r\n\r\n")]
    assert answer.startswith(b"SIP/2.0 400 ")


def test_bext01_names_the_tags_that_a_proxy_would_need() -> None:
    """RFC 4475 §3.3.5: Unsupported has the tags of Proxy-Require; Require is not the proxy's to check (§16.3)."""
    _, (answer,) = feed(new_world(), "bext01.dat")
    assert take_apart(answer).value(b"unsupported") == b"noProxiesSupportThis, norDoAnyProxiesSupportThis"
    assert b"nothingSupportsThis" not in answer


def test_inv2543_is_matched_without_a_branch() -> None:
    """RFC 4475 §3.4.1: an RFC 2543 client's INVITE gets Max-Forwards, keeps a From without tag, and is repeated
    by its Call-ID, CSeq and Via (§17.2.3)."""
    world = new_world()
    (request,), _ = feed(world, "inv2543.dat")
    sent = take_apart(request)
    assert sent.value(b"max-forwards") == b"70"
    assert sent.value(b"from") == b"<sip:+13035551111@ift.client.example.net;user=phone>"
    assert b"Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>" in sent.lines
    forwarded, answers = feed(world, "inv2543.dat")
    assert forwarded == []
    assert len(answers) == 1
    assert world.count("retransmissions_absorbed", "INVITE") == 1


def test_port_ambiguous_is_read_as_an_address() -> None:
    """RFC 5118 §4.3: without brackets around the address alone, `5070` is its last group."""
    ambiguous, clear = (
        parse_sip_uri(parse(load(name), Limits()).uri) for name in ("port-ambiguous", "port-unambiguous")
    )
    assert ambiguous is not None
    assert (ambiguous.host, ambiguous.port) == (b"2001:db8::10:5070", 0)
    assert clear is not None
    assert (clear.host, clear.port) == (b"2001:db8::10", 5070)


@_files(["via-received-param-with-delim", "via-received-param-no-delim"])
def test_received_is_read_with_brackets_and_never_written_with_them(name: str) -> None:
    """RFC 5118 §4.5: both spellings are read; the grammar has none."""
    assert parse(load(name), Limits()).via.params[b"received"].strip(b"[]") == b"2001:db8::9:255"
    _, sent = forward(name)
    assert not any(b"received=[" in line for line in sent.named(b"via"))


def test_ipv6_bug_keeps_its_host_as_text() -> None:
    """RFC 5118 §4.10: three colons are no address; a proxy that forwards need not care."""
    _, sent = forward("ipv6-bug-abnf-3-colons")
    assert sent.start == b"OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0"
