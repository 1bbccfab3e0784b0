"""Framing: whatever the cuts, the same messages; and every Content-Length that two readers might read differently."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.framing import PING, Framing, Unframed, content_length

MOST = 400


def message(body: bytes = b"", length: bytes | None = None, extra: bytes = b"") -> bytes:
    value = b"%d" % len(body) if length is None else length
    return b"OPTIONS sip:a@b SIP/2.0\r\n%bContent-Length: %b\r\n\r\n%b" % (extra, value, body)


def fed(*pieces: bytes, most: int = MOST) -> tuple[list[bytes], tuple[str, int, bytes] | None]:
    """What comes out of pieces: messages, and reason, code and head of the mistake."""
    framing = Framing(most)
    found = [each for piece in pieces for each in framing.feed(piece)]
    broken = framing.broken
    return found, None if broken is None else (broken.why, broken.code, broken.head)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


PIECES = st.one_of(
    st.binary(max_size=60).map(message),
    st.sampled_from(
        [
            b"\r\n", b"\r\n\r\n", b"\r\n" * 5, b"\r", b"\n", b"\0\1", b"x", b"\r\n\n",
            message(length=b"-1"), message(length=b""), message(length=b"1e1"), message(length=b"999999999999"),
            message(b"abc").replace(b"Content-Length", b"l"), message(b"abc", b"\r\n 3"),
            b"BYE sip:a SIP/2.0\r\n\r\n", b"BYE sip:a SIP/2.0\n\n", b"BYE sip:a SIP/2.0\r\nl: 2\n\r\n\r\n",
            message(b"y" * 500), message(extra=b"X: " + b"z" * 500 + b"\r\n"), b"A" * 500,
            message(b"12", extra=b"Content-Length: 2\r\n"),
        ]
    ),
)  # fmt: skip


@given(st.lists(PIECES, max_size=6), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cuts_give_the_same(parts: list[bytes], places: list[int]) -> None:
    """As a whole, cut anywhere, or byte by byte: the same messages, pings and mistake."""
    data = b"".join(parts)
    whole = fed(data)
    assert fed(*cut(data, places)) == whole
    assert fed(*[bytes([byte]) for byte in data]) == whole


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=8))
def test_nothing_raises(data: bytes, places: list[int]) -> None:
    """Any bytes end in messages, waiting, or a mistake."""
    assert fed(*cut(data, places)) == fed(data)


@given(st.lists(st.binary(max_size=80).map(message), min_size=1, max_size=5))
def test_messages_come_out_as_they_went_in(messages: list[bytes]) -> None:
    assert fed(b"".join(messages)) == (messages, None)


def test_every_split_of_two_messages() -> None:
    """At each single place."""
    data = b"\r\n" + message(b"one") + b"\r\n\r\n" + message(b"\r\n\r\n")
    for place in range(len(data)):
        assert fed(data[:place], data[place:]) == ([message(b"one"), PING, message(b"\r\n\r\n")], None)


def test_crlf_before_a_message_is_ignored_and_two_are_a_ping() -> None:
    """RFC 3261 §7.5 and RFC 5626 §3.5.1; one alone is the pong of somebody."""
    assert fed(b"\r\n", message())[0] == [message()]
    assert fed(b"\r\n\r\n")[0] == [PING]
    assert fed(b"\r\n" * 5)[0] == [PING, PING]
    assert fed(b"\r\n", message(), b"\r\n")[0] == [message()]


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: 3",
        b"l:3",
        b"L :  3 ",
        b"CONTENT-LENGTH:\t3",
        b"Content-Length:\r\n 3",
        b"l: 003",
        b"l:\r\n\t3",
    ],
)
def test_ways_to_write_a_length(line: bytes) -> None:
    """Compact, folded, blanks, zeros in front."""
    assert fed(b"BYE sip:a SIP/2.0\r\n" + line + b"\r\n\r\nabc") == (
        [b"BYE sip:a SIP/2.0\r\n" + line + b"\r\n\r\nabc"],
        None,
    )


@pytest.mark.parametrize(
    "value", [b"", b"-1", b"+3", b"3 3", b"0x3", b"3;x", b"3,3", "٣".encode(), b"3\r\n 3", b"1_0", b"\x0b3"]
)
def test_what_is_no_length(value: bytes) -> None:
    """The head is there for a 400; nothing behind it is read."""
    found, broken = fed(message(length=value), message())
    assert found == []
    assert broken == ("Malformed Content-Length", 400, message(length=value))


@pytest.mark.parametrize("second", [b"Content-Length: 0", b"l: 3", b"l: 0", b"Content-Length : 9"])
def test_two_lengths_are_none(second: bytes) -> None:
    """Even where they agree: the next hop might think that they do not."""
    _, broken = fed(message(extra=second + b"\r\n"))
    assert broken is not None
    assert broken[:2] == ("Repeated Content-Length", 400)


@pytest.mark.parametrize("line", [b"X-Content-Length: 3", b"Subject: a\r\n Content-Length: 3", b"ll: 3", b"X: l: 3"])
def test_a_missing_length_is_a_mistake(line: bytes) -> None:
    """RFC 3261 §18.3; what only looks like one is none."""
    _, broken = fed(b"BYE sip:a SIP/2.0\r\n" + line + b"\r\n\r\nabc")
    assert broken is not None
    assert broken[:2] == ("Missing Content-Length", 400)


@pytest.mark.parametrize("value", [b"371", b"1000000000", b"9" * 5000])
def test_too_large_is_told_by_the_head(value: bytes) -> None:
    """Nobody waits for a body that will be refused."""
    head = message(length=value)
    found, broken = fed(head, most=max(MOST, len(head) + 370))
    assert found == []
    assert broken == ("Message Too Large", 513, head)


def test_headers_without_an_end_are_cut_off() -> None:
    """The buffer never holds more than a message and one read."""
    framing = Framing(MOST)
    for _ in range(MOST):
        assert framing.feed(b"A") == []
    assert framing.broken is None
    framing.feed(b"A")
    assert framing.broken is not None
    assert (framing.broken.code, len(framing.broken.head)) == (513, MOST + 1)
    assert framing.feed(message()) == []
    assert not framing.begun


def test_largest_message_fits() -> None:
    body = b"x" * (MOST - len(message()) - 2)
    assert len(message(body)) == MOST
    assert fed(message(body)) == ([message(body)], None)


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00", b"\x00\x01\x00\x00\x21\x12\xa4\x42", b" BYE", b"\rBYE", b"\n"]
)
def test_what_begins_no_message(data: bytes) -> None:
    """A TLS hello on the TCP port, STUN, blanks: the end, at the first byte that tells."""
    assert fed(data)[1] == ("Not SIP", 0, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"BYE sip:a SIP/2.0\nl: 0\n\n",
        b"BYE sip:a SIP/2.0\r\nl: 0\n\r\n",
        b"BYE sip:a SIP/2.0\r\nX: a\rb\r\nl: 0\r\n\r\n",
    ],
)
def test_bare_line_ends_are_refused(data: bytes) -> None:
    """Two readers would see different headers, and so different lengths."""
    _, broken = fed(data)
    assert broken is not None
    assert broken[:2] == ("Bare line end in headers", 400)


@pytest.mark.parametrize(
    "start", [b"POST / HTTP/1.1", b"REGISTER sip:a@b HTTP/1.0", b"POST  /x?y http/1.1", b"A B C HTTP/2"]
)
def test_a_browser_is_not_listened_to(start: bytes) -> None:
    """Its request has a Content-Length; what a page has it send behind that, or in it, is nobody's message."""
    body = message(b"abc")
    request = start + b"\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert fed(request + message(b"abc")) == ([], ("Not SIP", 0, b""))
    assert fed(b"OPTIONS sip:a;x=HTTP/1.1 SIP/2.0\r\nl: 0\r\nX: y HTTP/1.1\r\n\r\n")[1] is None


def test_begun_tells_whether_somebody_is_slow() -> None:
    framing = Framing(MOST)
    assert not framing.begun
    framing.feed(b"\r\n")
    assert not framing.begun
    framing.feed(message(b"abc")[:-1])
    assert framing.begun
    framing.feed(b"c")
    assert not framing.begun


def test_byte_by_byte_costs_no_more_than_its_bytes() -> None:
    """64 KiB of headers and a body, one byte at a time, in well under a second: no search begins anew."""
    data = message(b"x" * 30_000, extra=b"X: " + b"z" * 30_000 + b"\r\n")
    framing = Framing(65_535)
    begin = time.process_time()
    found = [each for byte in data for each in framing.feed(bytes([byte]))]
    assert found == [data]
    assert time.process_time() - begin < 2


def test_content_length_of_a_head() -> None:
    assert content_length(b"A\r\nl: 12\r\n\r\n") == 12
    with pytest.raises(Unframed):
        content_length(b"A\r\n\r\n")


# --- pongs


def pinging(*steps: bytes | None) -> list[bytes]:
    """What comes out of pieces; None: we send a ping."""
    framing, found = Framing(MOST), list[bytes]()
    for step in steps:
        if step is None:
            framing.pinged()
        else:
            found += framing.feed(step)
    return found


def test_pongs_in_a_row_are_no_ping() -> None:
    """RFC 5626 §3.5.1: to each ping of ours one CRLF; to answer two of them would have us chatter with the far end."""
    assert pinging(None, b"\r\n", None, b"\r\n", None, b"\r", b"\n", None, b"\r\n") == []


def test_a_ping_of_the_peer_s_is_one_all_the_same() -> None:
    assert pinging(None, b"\r\n", b"\r\n\r\n", None, b"\r\n") == [PING]
    assert pinging(None, b"\r\n\r\n", b"\r\n") == [PING]
    assert pinging(None, b"\r\n\r\n\r\n") == [PING]


def test_a_peer_that_answers_no_ping_has_its_own_answered() -> None:
    """One of its CRLFs passes for a pong each time that we ask; the rest are pings."""
    assert pinging(*[None, *[b"\r\n\r\n"] * 3] * 4) == [PING] * 10


def test_a_pong_before_a_message_is_part_of_no_ping() -> None:
    assert pinging(None, b"\r\n" + message(b"x") + b"\r\n") == [message(b"x")]
