"""Session descriptions arrive with what media needs and with nothing that tells of a person."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Action, Category
from filters.catalogue import PACKAGED, load_catalogue
from filters.forms import FormError
from filters.sdp import MAX_LINES, MAX_REMEMBERED, SdpContext, SdpFilter, _Filter, _short_address, compile_sdp
from tests.strategies import mutations

CATALOGUE = load_catalogue()
KEEP = dict.fromkeys(Category, Action.KEEP)
STRICT = dict.fromkeys(Category, Action.REMOVE)
CANARY = b"zqCanaryqz"


def pseudonym(token: bytes) -> bytes:
    return b"p" + hashlib.sha256(token).hexdigest()[:8].encode()


CONTEXT = SdpContext(pseudonym, b"IP4 192.0.2.1")
strict = compile_sdp(CATALOGUE, STRICT)
trickle = compile_sdp(CATALOGUE, STRICT, fragment=True)
HEAD = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0"]
AUDIO = "m=audio 4000 RTP/AVP 0"


def cleaned(*lines: str, clean: SdpFilter = strict) -> list[str]:
    return clean("\r\n".join([*lines, ""]).encode(), CONTEXT).decode().splitlines()


def attributes(*lines: str, head: list[str] = HEAD, media: str = AUDIO) -> list[str]:
    """Return what is left of a medium's attributes."""
    result = cleaned(*head, media, *(f"a={line}" for line in lines))
    return [line[2:] for line in result if line[:2] == "a="]


def test_phone_to_trunk() -> None:
    """A phone's description, and what the trunk sees of it."""
    assert cleaned(
        "v=0", "o=alice 2890844526 2890844527 IN IP4 192.168.1.5", "s=Call to John", "i=About the loan",
        "u=http://alice.example/", "e=alice@example.com", "p=+1 555", "c=IN IP4 198.51.100.1", "b=AS:64", "b=X-YZ:128",
        "t=0 0", "r=7d 1h 0 25h", "z=2882844526 -1h 2898848070 0", "k=prompt", "a=tool:pjmedia", "a=lang:de",
        "m=audio 4000 RTP/AVP 0 101", "i=Alice's desk", "c=IN IP4 198.51.100.2", "b=TIAS:64000", "a=rtpmap:0 PCMU/8000",
        "a=fmtp:101 0-15", "a=ptime:20", "a=X-nat:0", "a=sendrecv", "y=unknown",
    ) == [
        "v=0", "o=- 2890844526 2890844527 IN IP4 192.0.2.1", "s=-", "c=IN IP4 198.51.100.1", "b=AS:64", "t=0 0",
        "m=audio 4000 RTP/AVP 0 101", "c=IN IP4 198.51.100.2", "b=TIAS:64000", "a=rtpmap:0 PCMU/8000",
        "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv",
    ]  # fmt: skip


def test_a_form_holds_where_what_it_keeps_out_is_hidden(tmp_path: Path) -> None:
    """`besides` of an operator's entry: a hop that sees unknown fields sees no more of it than its form."""
    path = tmp_path / "own.toml"
    ours = 'ours = { category = "function", form = "value", values = ["on"], besides = ["device"] }'
    path.write_text("[sdp.attributes]\n" + ours)
    catalogue = load_catalogue(PACKAGED, path)
    for hidden, kept in ((Category.DEVICE, []), (Category.NAME, ["a=ours:tv"])):
        clean = compile_sdp(catalogue, KEEP | {hidden: Action.REMOVE})
        assert cleaned(*HEAD, "a=ours:tv", "a=ours:on", clean=clean)[len(HEAD) :] == [*kept, "a=ours:on"]


def test_trusted_hop_gets_the_same_object() -> None:
    body = b"anything\n at all"
    assert compile_sdp(CATALOGUE, KEEP)(body, CONTEXT) is body


def test_each_category_alone() -> None:
    """Where only addresses are hidden, user name, tool and unknown attributes stay as they came."""
    lines = ["v=0", "o=alice 1 2 IN IP4 10.0.0.1", "s=Call", "i=x", "c=IN IP4 10.0.0.1", "t=0 0", "a=tool:x", "a=y:z  "]
    clean = compile_sdp(CATALOGUE, KEEP | {Category.NETWORK: Action.ANONYMISE})
    assert cleaned(*lines, clean=clean) == ["v=0", "o=alice 1 2 IN IP4 192.0.2.1", *lines[2:]]
    clean = compile_sdp(CATALOGUE, KEEP | {Category.NUMBER: Action.PSEUDONYMISE})
    assert cleaned(*lines, clean=clean) == ["v=0", "o=- 1 2 IN IP4 10.0.0.1", *lines[2:]]
    clean = compile_sdp(CATALOGUE, KEEP | {Category.UNKNOWN: Action.REMOVE})
    assert cleaned(*lines, clean=clean) == lines[:-1]


@pytest.mark.parametrize("end", [b"\na=b\r", b"\r", b"\n\r\r\n", b"\r\r\n", b"\rx", b"\n\r", b"\r\n\r"])
def test_a_bare_cr_fails_the_description(end: bytes) -> None:
    """RFC 8866 §5 knows CRLF and LF; whatever stands beside it, what we take for one line must be one for others."""
    body = b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0" + end
    with pytest.raises(FormError):
        strict(body, CONTEXT)


def test_line_ends() -> None:
    """LF is read, CRLF is written, blank lines behind the end are tolerated."""
    assert strict(b"v=0\ns=x\n\n\r\n", CONTEXT) == b"v=0\r\ns=-\r\n"
    assert strict(b"v=0\r\ns=x", CONTEXT) == b"v=0\r\ns=-\r\n"
    assert strict(b"", CONTEXT) == b""


@pytest.mark.parametrize("end", [b"\r\n\r\n\n", b"\n\r\n", b"\n\n", b"\n", b"\r\n\n"])
def test_blank_lines_of_either_kind_end_a_description(end: bytes) -> None:
    """Wherever lines end in both ways, those at the end count as blank ones."""
    assert strict(b"v=0\r\ns=x\nt=0 0" + end, CONTEXT) == b"v=0\r\ns=-\r\nt=0 0\r\n"
    assert strict(b"v=0\r\ns=x\r\nt=0 0" + end, CONTEXT) == b"v=0\r\ns=-\r\nt=0 0\r\n"


@pytest.mark.parametrize("body", [b"v=0\r\n\r\ns=x\r\n", b"v=0\n\ns=x\n", b"v=0\n\r\ns=x\n"])
def test_a_blank_line_within_fails_the_description(body: bytes) -> None:
    with pytest.raises(FormError):
        strict(body, CONTEXT)


def test_nothing_stands_behind_a_blank_first_line() -> None:
    """Neither a line nor a bare CR."""
    for body in (b"\r\nv=0\r\n", b"\nv=0\n", b"\r\n", b"\n\r\n\n"):
        assert strict(body, CONTEXT) == b""
    with pytest.raises(FormError):
        strict(b"\r\nv=0\rs=x\r\n", CONTEXT)


# RFC 8866 §9: origin-field = %s"o" "=" username SP sess-id SP sess-version SP nettype SP addrtype SP unicast-address
ORIGIN = re.compile(rb"o=(\S+) (\d{1,20}) (\d{1,20}) IN (IP[46] \S+)[ \t]*")
origins = st.lists(
    st.sampled_from(b"alice|-|1|2|123456789012345678901|IN|IP4|IP6|IP5|192.0.2.7|::1|a\tb|\v|\xa0|x||\t".split(b"|")),
    min_size=5, max_size=7,
)  # fmt: skip
right = st.tuples(
    st.sampled_from((b"alice", b"-", b"a\tb", b"")), st.sampled_from((b"1", b"12345678901234567890", b"x")),
    st.sampled_from((b"2", b"123456789012345678901")), st.sampled_from((b"IN", b"in")),
    st.sampled_from((b"IP4", b"IP6", b"IP5")), st.sampled_from((b"192.0.2.7", b"::1", b"\v", b"a b", b"x \t")),
).map(list)  # fmt: skip


@given(st.one_of(origins, right))
def test_the_origin_is_read_by_its_grammar(words: list[bytes]) -> None:
    """User and address give way, the numbers stay; what is none fails the description."""
    line = b"o=" + b" ".join(words)
    found = ORIGIN.fullmatch(line)
    if found is None:
        with pytest.raises(FormError):
            strict(b"v=0\r\n" + line, CONTEXT)
    else:
        expected = b"v=0\r\no=- %b %b IN IP4 192.0.2.1\r\n" % (found[2], found[3])
        assert strict(b"v=0\r\n" + line, CONTEXT) == expected


def test_blanks_at_the_end_do_no_harm() -> None:
    assert attributes("sendonly ", "ptime:20 ") == ["sendonly", "ptime:20"]


def test_hold_and_rejected_media_stay() -> None:
    lines = [*HEAD[:3], "c=IN IP4 0.0.0.0", "t=0 0", "m=audio 0 RTP/AVP 0", "m=image 4002 udptl t38", "c=IN IP6 ::"]
    assert cleaned(*lines) == lines


@pytest.mark.parametrize(
    "line",
    [
        "garbage", " v=0", "", "=x", "a", "s=x\ry=0", "v=1", "v=0 alice",
        "o=alice 1 1 IN IP4", "o=alice x 1 IN IP4 10.0.0.1", "o=alice 123456789012345678901 1 IN IP4 10.0.0.1",
        "c=IN IP4 alice.example", "c=IN IP4 999.1.1.1", "c=IN IP6 fe80:alice", "c=IN IP6 abcd", "t=now", "t=0",
        "m=alice 4000 RTP/AVP 0", "m=audio 4000 alice 0", "m=audio alice RTP/AVP 0", "m=audio 4000 RTP/AVP alice",
    ],
)  # fmt: skip
def test_unreadable_description_fails(line: str) -> None:
    """A line of no form, or a mandatory one that says something else, fails the whole body."""
    with pytest.raises(FormError):
        cleaned("v=0", line, "s=x")


KEPT = [
    "rtpmap:111 opus/48000/2", "fmtp:111 minptime=10;useinbandfec=1", "ptime:20", "maxptime:60", "framerate:29.97",
    "rtcp-mux", "rtcp-rsize", "rtcp-fb:* nack pli", "rtcp-fb:96 ccm fir", "rtcp-fb:96 trr-int 100",
    "rtcp-xr:voip-metrics",
    "extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "extmap:3/sendonly urn:ietf:params:rtp-hdrext:toffset",
    "ssrc-group:FID 1 2", "ice-ufrag:F7gI", "ice-pwd:x9cml/YzichV2+XlhiMu8g", "ice-options:trickle ice2", "ice-lite",
    "setup:actpass", "connection:new", "tls-id:abcdefghijklmnopqrst", "end-of-candidates", "bundle-only",
    "fingerprint:sha-256 " + ":".join(["4A"] * 32),
    "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32",
    "crypto:2 AES_256_CM_HMAC_SHA1_32 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj== UNENCRYPTED_SRTCP KDR=1",
    "zrtp-hash:1.10 " + "ab" * 32, "record:on", "recordpref:nopreference", "content:slides,alt", "sctp-port:5000",
    "max-message-size:262144", "sctpmap:5000 webrtc-datachannel 1024", "curr:qos local none",
    "des:qos mandatory local sendrecv", "T38FaxVersion:0", "T38FaxRateManagement:transferredTCF",
    "T38FaxUdpEC:t38UDPFEC",
    "T38FaxFillBitRemoval", "T38FaxFillBitRemoval:0", "silenceSupp:off - - - -", "inactive", "mid:0", "mid:audio",
    "label:1", "rid:hi send", "rid:1 recv pt=96,97;max-width=1280", "simulcast:send 1,~4;2 recv 3",
    "imageattr:96 send [x=800,y=640,sar=1.1,q=0.6] recv *", "framesize:34 176-144", "group:BUNDLE 0 1",
]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["tls-id:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "tls-id:xF81D4FAE-7DEC-61D0-a765-00a0c91e6bf6", "tls-id:too-short",
     "tls-id:" + "a" * 256, "tls-id:abcdefghijklmnopqrst alice", "tls-id:" + "ab:" * 10],
)  # fmt: skip
def test_what_is_no_random_association_falls(line: str) -> None:
    """RFC 8842 §4: 20 to 255 letters, random; a UUID of version 1, 2 or 6 holds a MAC (RFC 9562 §5)."""
    assert attributes(line) == []
    random = "tls-id:3f2b7f0e-8e4a-4c1d-8a3b-1c2d3e4f5a6b"
    assert attributes(random) == [random]


@pytest.mark.parametrize("line", KEPT)
def test_kept_attribute(line: str) -> None:
    assert attributes(line) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "tool:x", "lang:de", "sdplang:de", "keywds:x", "cat:x", "charset:x", "identity:eyJ", "X-nat:0", "x-anything",
        "alt:1",
        "alice", "direction:active", "oldmediaip:10.0.0.1", "nortpproxy:yes", "visited-realm:1 a.example",
        "omr-m-cksum:1",
        "remote-candidates:1 192.168.1.1 1", "path:msrp://10.0.0.1:1/x;tcp", "key-mgmt:mikey AQAF", "userid:1",
        "candidate", "candidate:alice", "sendrecv:alice", "setup:alice", "ptime:alice", "rtcp-fb:* alice",
        "extmap:1 http://alice.example/", "extmap:1 urn:ietf:params:rtp-hdrext:toffset alice", "ice-options:alice",
        "ssrc:1 alice:x", "ssrc:alice cname:x", "ssrc:1", "group:ALICE 0", "rid:1 alice", "rid:1 send x=alice",
        "simulcast:alice", "SENDRECV", "Candidate:1 1 udp 1 192.0.2.1 1 typ host", "content:alice", "record:alice",
        "crypto:1 ALICE inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "ice-pwd:short", "rtcp:alice",
        "rtcp:4001 IN IP4 alice", "candidate:1 1 udp 1 alice.example 1 typ host",
        "candidate:1 3 udp 1 192.0.2.1 1 typ host",
    ],
)  # fmt: skip
def test_dropped_attribute(line: str) -> None:
    assert attributes(line) == []


def test_rtcp_address() -> None:
    """The address of a=rtcp falls where c= tells it already (standards.md §3.1), and where nobody could reach it."""
    assert attributes("rtcp:4001 IN IP4 192.168.1.5") == ["rtcp:4001"]
    assert attributes("rtcp:4001 IN IP4 198.51.100.1") == ["rtcp:4001"]
    assert attributes("rtcp:4001 IN IP4 198.51.100.9") == ["rtcp:4001 IN IP4 198.51.100.9"]
    assert attributes("rtcp:4001") == ["rtcp:4001"]


def test_ids_are_replaced_alike_wherever_they_stand() -> None:
    stream, track, name = (pseudonym(word).decode() for word in (b"stream", b"track", b"alice@pc"))
    mid = pseudonym(b"alices-mid").decode()
    assert attributes(
        "group:BUNDLE 0 alices-mid", "mid:alices-mid", "msid-semantic: WMS stream", "msid:stream track", "msid:- track",
        "ssrc:1 cname:alice@pc", "ssrc:1 msid:stream track", "ssrc:1 mslabel:stream", "rid:alices-mid send",
        "simulcast:send 1;alices-mid,~2",
    ) == [
        f"group:BUNDLE 0 {mid}", f"mid:{mid}", f"msid-semantic:WMS {stream}", f"msid:{stream} {track}",
        f"msid:- {track}", f"ssrc:1 cname:{name}", f"ssrc:1 msid:{stream} {track}", f"ssrc:1 mslabel:{stream}",
        f"rid:{mid} send", f"simulcast:send 1;{mid},~2",
    ]  # fmt: skip


HOST = "candidate:Hc0a80105 1 UDP 2130706431 192.168.1.5 4000 typ host"
PUBLIC = "candidate:H1 1 UDP 2130706431 203.0.113.5 5000 typ host"
SRFLX = "candidate:Sc0a80105 1 UDP 1694498815 198.51.100.7 40000 typ srflx raddr 192.168.1.5 rport 4000 generation 0"
RELAY = "candidate:R1 1 udp 16777215 198.51.100.9 50000 typ relay raddr 192.168.1.5 rport 4000 network-id 1"


def test_the_candidate_that_c_and_m_name_is_kept() -> None:
    """RFC 8839 §4.2.5: the default is among the candidates, or ICE fails; which one remains is filters/ice.py's."""
    default = "candidate:x 1 udp 1 198.51.100.1 4000 typ host"
    assert attributes(default, RELAY) == ["candidate:1 1 udp 1 198.51.100.1 4000 typ host"]


def test_the_chosen_candidate_stands_where_the_first_of_all_stood() -> None:
    assert attributes("mid:0", HOST, "ptime:20", RELAY, "sendrecv") == [
        "mid:0", "candidate:4 1 udp 16777215 198.51.100.9 50000 typ relay raddr 0.0.0.0 rport 9", "ptime:20",
        "sendrecv",
    ]  # fmt: skip


def test_c_decides_from_wherever_in_its_section_it_stands() -> None:
    """Of a medium's own lines, else of the session's; never of another medium's."""
    named = "candidate:x 1 udp 1 203.0.113.1 4000 typ host"
    kept = [f"a={line}" for line in (named.replace(":x", ":1"), f"candidate:{RELAY[10:]}")]
    both = [f"a={named}", f"a={RELAY}"]
    own = cleaned(*HEAD, AUDIO, *both, "c=IN IP4 203.0.113.1")
    assert [line for line in own if "candidate" in line] == kept[:1]
    others = cleaned(*HEAD, AUDIO, *both, "m=audio 9 RTP/AVP 0", "c=IN IP4 203.0.113.1")
    assert [line[:13] for line in others if "candidate" in line] == ["a=candidate:4"]
    late = attributes(
        "rtcp:4001 IN IP4 203.0.113.1", head=[*HEAD[:3], "t=0 0"], media=f"{AUDIO}\r\nc=IN IP4 203.0.113.1"
    )
    assert late == ["rtcp:4001"]


def test_rtcp_default_decides_the_second_component() -> None:
    other = "candidate:x 2 udp 99 203.0.113.1 7 typ relay"
    named = "candidate:y 2 udp 1 198.51.100.1 4444 typ host"
    assert attributes("rtcp:4444", other, named) == ["rtcp:4444", "candidate:1 2 udp 1 198.51.100.1 4444 typ host"]
    assert attributes("rtcp:7 IN IP4 203.0.113.1", other, named)[1:] == ["candidate:4 2 udp 99 203.0.113.1 7 typ relay"]


def test_each_medium_keeps_its_own_candidate() -> None:
    lines = cleaned(*HEAD, AUDIO, f"a={HOST}", "m=video 0 RTP/AVP 96", f"a={HOST}", "a=mid:1", f"a={SRFLX}")
    assert [line[:15] for line in lines if "candidate" in line] == ["a=candidate:1 1", "a=candidate:3 1"]


def test_trickled_private_host_falls() -> None:
    """In a fragment no default stands beside a private address that would make it needed (RFC 8840)."""
    lines = ["a=ice-ufrag:F7gI", "a=ice-pwd:x9cml/YzichV2+XlhiMu8g", "m=audio 9 RTP/AVP 0", "a=mid:0", f"a={HOST}"]
    assert cleaned(*lines, clean=trickle) == lines[:-1]
    public = "candidate:1 1 UDP 2130706431 203.0.113.5 5000 typ host"
    assert cleaned(*lines, f"a={PUBLIC}", "a=end-of-candidates", clean=trickle) == [
        *lines[:-1], f"a={public}", "a=end-of-candidates",
    ]  # fmt: skip


def test_same_input_same_output() -> None:
    body = "\r\n".join([*HEAD, AUDIO, f"a={HOST}", f"a={SRFLX}", "a=ssrc:1 cname:x", ""]).encode()
    assert (
        strict(body, CONTEXT)
        == strict(body, CONTEXT)
        == strict(strict(body, CONTEXT), CONTEXT).replace(pseudonym(pseudonym(b"x")), pseudonym(b"x"))
    )


FULL = [*HEAD, "a=group:BUNDLE 0", AUDIO, "a=mid:0", *(f"a={line}" for line in KEPT), f"a={HOST}", f"a={SRFLX}",
        "a=ssrc:1 cname:x", "a=msid:a b", "a=rtcp:4001 IN IP4 198.51.100.9", "i=x", "k=x", "b=AS:1", "y=x"]  # fmt: skip
# The closed list: codecs, and values of ICE, DTLS and SRTP.
EXEMPT = re.compile(r"a=(?:rtpmap|fmtp|ice-ufrag|ice-pwd|tls-id|crypto)")


@given(st.sampled_from([line for line in FULL if not EXEMPT.match(line)]), st.data())
def test_canary_never_arrives(line: str, data: st.DataObject) -> None:
    """Wherever in any line a word stands that no grammar knows, it does not pass, or nothing does."""
    position = data.draw(st.integers(0, len(line)))
    joint = data.draw(st.sampled_from(["", " ", ":", ";", "=", ","]))
    planted = line[:position] + joint + CANARY.decode() + line[position:]
    body = "\r\n".join(planted if other is line else other for other in FULL).encode()
    try:
        result = strict(body, CONTEXT)
    except FormError:
        return
    assert CANARY not in result
    assert CANARY.hex().encode() not in result


@given(st.binary(max_size=300))
def test_garbage_is_cleaned_or_refused(body: bytes) -> None:
    """Nothing but a FormError is raised, and what passes is made of lines."""
    for clean in (strict, trickle):
        try:
            result = clean(body, CONTEXT)
        except FormError:
            continue
        assert all(line[1:2] == b"=" for line in result.splitlines())


def outcome(clean: SdpFilter, body: bytes) -> bytes | None:
    try:
        return clean(body, CONTEXT)
    except FormError:
        return None


DESCRIPTION = "\r\n".join([*FULL, "m=video 5000/2 RTP/AVP 96", "c=IN IP4 203.0.113.1", f"a={RELAY}", ""]).encode()


@given(st.data())
def test_what_is_remembered_changes_nothing(data: st.DataObject) -> None:
    """A filter that has seen much cleans as one that sees its first description, and so does each with LF for CRLF."""
    body = data.draw(mutations(DESCRIPTION))
    first = outcome(compile_sdp(CATALOGUE, STRICT), body)
    assert outcome(strict, body) == outcome(strict, body) == first
    if b"\r" not in body.replace(b"\r\n", b""):
        assert outcome(strict, body.replace(b"\r\n", b"\n")) == first


def test_memory_is_bounded() -> None:
    """Lines that never come twice do not stay, nor do long ones, nor what differs from call to call."""
    made = _Filter(CATALOGUE, STRICT, fragment=False)
    for number in range(MAX_LINES + 10):
        made.clean(b"v=0\r\na=sctp-port:%d\r\n" % number, CONTEXT)
    assert len(made._known) <= MAX_LINES
    known = dict(made._known)
    long = b"a=tool:" + b"x" * MAX_REMEMBERED
    made.clean(b"\r\n".join((b"v=0", *(line.encode() for line in (HEAD[1], AUDIO, f"a={HOST}")), long)), CONTEXT)
    assert made._known == known


def test_a_uniform_origin_counts_up_as_it_did() -> None:
    """RFC 3264 §8: the version that is one higher stays one higher; the largest numbers stay within 31 bits."""
    moved = compile_sdp(CATALOGUE, KEEP, uniform=True)

    def numbers(session: bytes, version: int) -> list[int]:
        body = b"v=0\r\no=- %b %d IN IP4 192.0.2.7\r\ns=-\r\n" % (session, version)
        line = moved(body, CONTEXT).split(b"\r\n")[1]
        assert line.startswith(b"o=- ")
        assert line.endswith(b" IN IP4 192.0.2.7")
        return [int(word) for word in line.split()[1:3]]

    for session, version in ((b"1", 1), (b"3907890000", 3907890000), (b"9" * 20, 2**62)):
        (one, first), (other, second) = numbers(session, version), numbers(session, version + 1)
        assert one == other != int(session)
        assert (second - first) % 2**31 == 1
        assert max(one, first, second) < 2**31


def test_lines_that_ask_for_the_address_are_read_quickly() -> None:
    """As many a=rtcp as a datagram holds, before any c=: none of them looks through all others."""
    began = time.process_time()
    assert len(attributes(*["rtcp:4001 IN IP4 198.51.100.9"] * 2000, head=HEAD[:3])) == 2000
    assert time.process_time() - began < 0.25


def test_a_list_of_layers_is_bounded() -> None:
    """Each id of a=simulcast that nobody knows costs a hash; a list that no encoder has is dropped."""
    assert attributes("simulcast:send " + ";".join(["layer"] * 64)) != []
    assert attributes("simulcast:send " + ";".join(["layer"] * 9000)) == []


MAC, IMEI = "00:1b:21:12:34:56", "490154203237518"


def test_a_device_id_leaves_the_lines_that_are_kept() -> None:
    """[patterns] of the catalogue: what may stand inside any kept value."""
    clean = compile_sdp(CATALOGUE, KEEP | {Category.DEVICE: Action.REMOVE})
    lines = ["v=0", "o=alice 1 1 IN IP4 10.0.0.1", "s=lunch", "i=home", "c=IN IP4 198.51.100.1", "t=0 0", AUDIO,
             "a=tool:x", "a=odd:1", "a=rtpmap:0 PCMU/8000"]  # fmt: skip
    assert cleaned(*lines, clean=clean) == lines
    told = [line.replace("alice", f"SEP{MAC.replace(':', '')}").replace("lunch", MAC).replace("home", IMEI)
            .replace("tool:x", f"tool:{MAC}").replace("odd:1", f"odd:{MAC}") for line in lines]  # fmt: skip
    assert cleaned(*told, clean=clean) == ["v=0", "o=- 1 1 IN IP4 10.0.0.1", "s=-", *lines[4:7], lines[-1]]


@pytest.mark.parametrize("clean", [strict, compile_sdp(CATALOGUE, KEEP | {Category.DEVICE: Action.REMOVE})])
def test_a_device_id_is_no_session_id(clean: SdpFilter) -> None:
    """An IMEI as sess-id is moved, and counts up as it did; what stacks draw by the time is left."""

    def origin(numbers: str) -> list[int]:
        return list(
            map(int, cleaned(*HEAD[:1], f"o=- {numbers} IN IP4 192.0.2.1", *HEAD[2:], clean=clean)[1].split()[1:3])
        )

    (session, version), later = origin(f"{IMEI} 7"), origin(f"{IMEI} 8")
    assert str(session) != IMEI
    assert later == [session, version + 1]
    assert origin("3890844526 3890844527") == [3890844526, 3890844527]


def test_a_name_leaves_the_number_that_is_kept() -> None:
    """RFC 8866 §5.6: `p=+1 617 555-6011 (Jane Doe)`."""
    clean = compile_sdp(CATALOGUE, KEEP | {Category.NAME: Action.ANONYMISE})
    for line in ("p=+1 617 555-6011 (Jane Doe)", "p=Jane Doe <+1 617 555-6011>"):
        assert line not in cleaned(*HEAD[:3], line, *HEAD[3:], clean=clean)
    assert "p=+1 617 555-6011" in cleaned(*HEAD[:3], "p=+1 617 555-6011", *HEAD[3:], clean=clean)


def test_only_short_values_are_remembered_as_addresses() -> None:
    """A c= may be as long as a datagram: a memory of such lines would take all there is."""
    for long in (b"IN IP4 " + b"1" * 60_000, b"IN IP6 " + b":" * 58, b"x" * 60_000):
        before = len(_short_address.__self__)  # type: ignore[attr-defined]
        with pytest.raises(FormError):
            strict(b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=" + long + b"\r\nt=0 0\r\n", CONTEXT)
        assert len(_short_address.__self__) == before  # type: ignore[attr-defined]
