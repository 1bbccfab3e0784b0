"""Forms let their own shape pass and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.catalogue import load_catalogue
from filters.forms import (
    MAX_ITEMS,
    MAX_KNOWN,
    MAX_REMEMBERED,
    Media,
    alternatives,
    make_form,
    split,
    value_form,
    without_comments,
)

CATALOGUE = load_catalogue()
CANARY = b"zqCanaryqz"

HEADERS = [
    ("allow", b"INVITE, ACK ,BYE", b"INVITE, ACK ,BYE"),
    ("allow", b"INVITE, SECRET, BYE", b"INVITE, BYE"),
    ("allow", b"SECRET", None),
    ("allow", b"", b""),
    ("supported", b"100rel,timer,x-cisco-monrec", b"100rel, timer"),
    ("supported", b"Replaces", b"Replaces"),
    ("require", b"siprec", b"siprec"),
    ("accept", b"application/sdp;q=0.5, x/alice, text/plain;name=alice", b"application/sdp;q=0.5, text/plain"),
    ("accept-encoding", b"identity, gzip;q=0.5, alice", b"identity, gzip;q=0.5"),
    ("accept-contact", b'*;audio;methods="INVITE,BYE";+sip.instance="<urn:x>"', b'*;audio;methods="INVITE,BYE"'),
    ("alert-info", b"<urn:alert:service:normal>", b"<urn:alert:service:normal>"),
    ("alert-info", b"<http://tracker.example/alice>;x=1, <urn:alert:priority:high>;y=2", b"<urn:alert:priority:high>"),
    ("alert-info", b"<http://a/,<urn:alert:service:normal@alice.example>>", None),
    ("content-disposition", b"session;handling=optional;filename=alice", b"session;handling=optional"),
    ("content-disposition", b"alice", None),
    ("content-encoding", b"identity", b"identity"),
    ("content-encoding", b"gzip", None),
    ("content-type", b"application/sdp", b"application/sdp"),
    ("content-type", b"multipart/mixed;boundary=alice", b"multipart/mixed"),
    ("date", b"Sat, 13 Nov 2010 23:29:00 GMT", b"Sat, 13 Nov 2010 23:29:00 GMT"),
    ("date", b"Sat, 13 Nov 2010 23:29:00 CET", None),
    ("date", b"Sat, 13 Nov 2010 23:29:00 GMT (alice)", None),
    ("event", b"presence", b"presence"),
    ("event", b"refer;id=93809824", b"refer;id=93809824"),
    ("event", b"dialog;call-id=a@b;from-tag=x", b"dialog"),
    ("event", b"ua-profile;vendor=alice;model=x", b"ua-profile"),
    ("expires", b"3600", b"3600"),
    ("expires", b"3600;alice", b"3600"),
    ("expires", b"alice", None),
    ("expires", b"12345678901", None),
    ("feature-caps", b'*;+sip.608;+g.3gpp.atcf="<sip:alice>"', b"*;+sip.608"),
    ("mime-version", b"1.0", b"1.0"),
    ("priority", b"non-urgent", b"non-urgent"),
    ("priority", b"alice", None),
    ("privacy", b"id; user;x-alice", b"id; user"),
    ("privacy", b"id;critical", b"id;critical"),
    ("rack", b"776656 1 INVITE", b"776656 1 INVITE"),
    ("rack", b"776656 1 ALICE", None),
    ("reason", b'Q.850;cause=16;text="Alice, hung; up"', b"Q.850;cause=16"),
    ("reason", b'SIP ;cause=200 ;text="Call completed elsewhere", Alice;cause=1', b"SIP;cause=200"),
    ("reason", b'SIP;cause=200;text="open', None),
    ("reason", b"SIP;cause=2000", b"SIP"),
    ("refer-sub", b"FALSE", b"FALSE"),
    ("request-disposition", b"fork, alice, parallel", b"fork, parallel"),
    ("resource-priority", b"wps.3, dsn.flash", b"wps.3, dsn.flash"),
    ("resource-priority", b"alice.3", None),
    ("retry-after", b"18000;duration=3600", b"18000;duration=3600"),
    ("retry-after", b"120 (I'm in a (long) meeting)", b"120"),
    ("retry-after", b"120 (I'm in a meeting", None),
    ("rseq", b"988789", b"988789"),
    ("session-expires", b"1800 ; Refresher = UAC", b"1800 ; Refresher = UAC"),
    ("session-expires", b"1800;refresher=alice", b"1800"),
    ("subscription-state", b"terminated;reason=noresource;x=alice", b"terminated;reason=noresource"),
    ("subscription-state", b"active;expires=60;expires=61", b"active;expires=60;expires=61"),
    ("subscription-state", b"active;expires=60;expires=61;expires=62;expires=63", b"active;expires=63"),
    ("warning", b'399 alice.example "miscellaneous, by alice", 301 10.0.0.1:5060 "x"', b'399 - "", 301 - ""'),
    ("warning", b"399 alice.example no quotes", None),
]


@pytest.mark.parametrize(("name", "value", "expected"), HEADERS)
def test_header(name: str, value: bytes, expected: bytes | None) -> None:
    """What has the form stays; what has not is cut out, or takes the field with it."""
    form = CATALOGUE.entry(name.encode()).form
    assert form is not None
    assert form(value) == expected
    if expected == value:
        assert form(value) is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"111 minptime=10;useinbandfec=1", b"111 minptime=10;useinbandfec=1"),
        (b"101 0-15,66", b"101 0-15,66"),
        (b"96 profile-level-id=42e01f; apt=1; x=alice", b"96 profile-level-id=42e01f;apt=1"),
        (b"97 apt=96", b"97 apt=96"),
        (b"18 annexb=no", b"18 annexb=no"),
        (b"97 mode-set=0,2,4,7; octet-align=1;", b"97 mode-set=0,2,4,7;octet-align=1"),
        (b"96 sprop-parameter-sets=Z0LAH9oBQBbo==,aM48gA==", b"96 sprop-parameter-sets=Z0LAH9oBQBbo==,aM48gA=="),
        (b"96 minptime=alice", None),
        (b"96", None),
        (b"alice minptime=10", None),
    ],
)  # fmt: skip
def test_codec(value: bytes, expected: bytes | None) -> None:
    """Of fmtp, known parameters with a value that a codec could mean."""
    form = CATALOGUE.sdp_attributes.find(b"fmtp").form
    assert form is not None
    assert form(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"audio 4000 RTP/AVP 0 101", True),
        (b"AUDIO 0 rtp/avp 0", True),
        (b"video 4000/2 UDP/TLS/RTP/SAVPF 96", True),
        (b"image 4002 udptl t38", True),
        (b"alice 4000 RTP/AVP 0", False),
        (b"audio alice RTP/AVP 0", False),
        (b"audio 123456 RTP/AVP 0", False),
        (b"audio 4000/ RTP/AVP 0", False),
        (b"audio 4000/1234 RTP/AVP 0", False),
        (b"audio  4000 RTP/AVP 0", False),
        (b"audio 4000 RTP/AVP", False),
        (b"audio 4000 RTP/AVP alice", False),
        (b"audio 4000 RTP/AVP 0 ", False),
        (b"audio 4000 RTP/AVP" + b" 0" * 65, False),
        (b"audio 4000", False),
        (b"", False),
    ],
)  # fmt: skip
def test_media(value: bytes, expected: bool) -> None:
    """Of m=, a medium that we know, any port, and what has a form behind it; the second time as the first."""
    form = CATALOGUE.sdp_lines.find(b"m").form
    assert form is not None
    for _ in range(2):
        assert form(value) == (value if expected else None)


def test_what_media_lines_say_is_remembered_within_bounds() -> None:
    """Other ports do not count as others; more than fits, or a long one, is looked at anew each time."""
    media = Media(["audio"], r".{1,300}")
    form = media.form
    for number in range(2 * MAX_KNOWN):
        value = b"audio %d x%d" % (number, number)
        assert form(value) is value
    long = b"audio 4000 " + b"x" * (MAX_REMEMBERED + 1)
    assert form(long) is long
    assert 0 < len(media._known) <= MAX_KNOWN
    assert max(map(len, media._known)) <= MAX_REMEMBERED


def test_list_ends() -> None:
    """A list of allowed words cannot be made long enough to write with."""
    form = make_form("value", values=["a", "b"], many=True)
    cleaned = form(b",".join([b"a"] * 1000))
    assert cleaned is not None
    assert cleaned.count(b"a") == MAX_ITEMS


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("alice", {}, KeyError),
        ("value", {}, ValueError),
        ("value", {"values": "abc"}, TypeError),
        ("value", {"values": ["a"], "parms": {}}, TypeError),
        ("match", {"pattern": "("}, re.error),
        ("match", {}, TypeError),
    ],
)
def test_mistakes(name: str, arguments: dict[str, object], error: type[Exception]) -> None:
    """A form that does not exist, or arguments that it does not have, are refused at once."""
    with pytest.raises(error):
        make_form(name, **arguments)


def test_split_respects_quotes() -> None:
    """A separator within quotes divides nothing, and an open quote leaves nothing."""
    assert split(b'a,"b,\\",c",d', b",") == [b"a", b'"b,\\",c"', b"d"]
    assert split(b'a,"b', b",") == ()


def test_nested_comments() -> None:
    assert without_comments(b"1 (a (b) c) 2 (d)") == b"1  2"


def test_longest_word_first() -> None:
    assert alternatives(["a", "a.b"]) == r"a\.b|a"


def test_false_flag_is_no_parameter() -> None:
    assert value_form(values=["x"], params={"y": False})(b"x;y") == b"x"


# What is allowed to hold anything of its alphabet: the closed list of tests/test_no_leak.py.
EXEMPT = {b"rtpmap", b"fmtp", b"ice-ufrag", b"ice-pwd", b"fingerprint", b"crypto", b"tls-id", b"zrtp-hash"}
FORMS = [
    (section, name, entry.form)
    for section in ("headers", "contact_params", "uri_params", "sdp_attributes", "sdp_lines")
    for name, entry in getattr(CATALOGUE, section).exact.items()
    if entry.form and name not in EXEMPT
]
PIECES = st.sampled_from(
    [b",", b";", b" ", b"=", b'"', b"\\", b"(", b")", b"<", b">", b":", b"/", b"-", b"INVITE", b"timer", b"presence",
     b"id", b"application/sdp", b"q", b"0.5", b"17", b"SIP", b"cause", b"text", b"active", b"*", b"audio", b"session"]
)  # fmt: skip


@given(st.sampled_from(FORMS), st.lists(PIECES, max_size=12), st.lists(PIECES, max_size=12))
def test_canary_never_passes(form: tuple[str, bytes, object], before: list[bytes], after: list[bytes]) -> None:
    """Wherever a word that no grammar knows stands, no form lets it through."""
    clean = form[2]
    assert callable(clean)
    assert CANARY not in (clean(b"".join(before) + CANARY + b"".join(after)) or b"")


@given(st.sampled_from([row for row in HEADERS if row[2] == row[1] and row[1]]), st.data())
def test_canary_in_real_values(row: tuple[str, bytes, bytes], data: st.DataObject) -> None:
    """The same within values that would pass."""
    form = CATALOGUE.entry(row[0].encode()).form
    position = data.draw(st.integers(0, len(row[1])))
    assert form is not None
    assert CANARY not in (form(row[1][:position] + CANARY + row[1][position:]) or b"")


@given(st.sampled_from([form for _, _, form in FORMS]), st.binary(max_size=200))
def test_cleaned_stays_clean(form: object, value: bytes) -> None:
    """What a form returns has the form."""
    assert callable(form)
    cleaned = form(value)
    assert cleaned is None or form(cleaned) == cleaned
