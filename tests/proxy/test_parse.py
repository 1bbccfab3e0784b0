"""From bytes to a message: what is read, what is refused and with which code (RFC 3261 §7, §18.3)."""

from __future__ import annotations

import contextlib
import inspect
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Limits
from proxy import shape
from proxy.errors import Malformed
from proxy.message import Message
from proxy.parse import parse, partial, with_crlf
from tests import strategies as sip
from tests.world import PHONE, World

LIMITS = Limits()
CORPUS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "corpus").glob("rfc*/*"))]
GOOD = (
    b"OPTIONS sip:bob@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1;rport\r\n"
    b"From: Alice <sip:alice@example.com>;tag=a\r\n"
    b"To: <sip:bob@example.com>\r\n"
    b"Call-ID: 1@x\r\n"
    b"CSeq: 7 OPTIONS\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 3\r\n"
    b"\r\n"
    b"abc"
)


def swap(old: bytes, new: bytes, data: bytes = GOOD) -> bytes:
    assert old in data
    return data.replace(old, new)


def fault(data: bytes, limits: Limits = LIMITS) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(data, limits)
    return caught.value


@given(st.lists(st.tuples(st.integers(0, GOOD.index(b"abc") - 1), st.sampled_from((b"\r", b"\n", b"\n\r", b"\r\n")))))
def test_no_line_of_a_message_holds_a_bare_line_end(inserted: list[tuple[int, bytes]]) -> None:
    """Whatever way the lines are found: what we take for one line must be one for the next hop."""
    data = GOOD
    for place, text in inserted:
        data = data[:place] + text + data[place:]
    try:
        message = parse(data, LIMITS)
    except Malformed:
        return
    for line in (message.start, *message.lines):
        assert line.replace(b"\r\n ", b"").count(b"\r") == line.replace(b"\r\n ", b"").count(b"\n") == 0
    assert message.raw == b"\r\n".join([message.start, *message.lines, b"", message.body])


def test_a_request_is_read() -> None:
    """The values that every message needs."""
    message = parse(GOOD, LIMITS)
    assert (message.method, message.uri, message.status) == (b"OPTIONS", b"sip:bob@example.com", 0)
    assert (message.from_.display, message.from_.uri, message.from_tag) == (b"Alice", b"sip:alice@example.com", b"a")
    assert (message.to.uri, message.to_tag, message.call_id) == (b"sip:bob@example.com", b"", b"1@x")
    assert (message.cseq, message.cseq_method, message.max_forwards) == (7, b"OPTIONS", 70)
    assert (message.via.host, message.via.port, message.via.branch) == (b"10.1.1.23", 5062, b"z9hG4bK1")
    assert (message.body, message.raw) == (b"abc", GOOD)


def test_a_response_is_read() -> None:
    """Status and phrase; a response needs no Max-Forwards."""
    data = GOOD.replace(b"OPTIONS sip:bob@example.com SIP/2.0", b"SIP/2.0 486 Busy Here")
    message = parse(data.replace(b"Max-Forwards: 70\r\n", b""), LIMITS)
    assert (message.method, message.uri, message.status, message.reason) == (b"", b"", 486, b"Busy Here")
    assert message.cseq_method == b"OPTIONS"


@pytest.mark.parametrize(
    ("data", "code", "why"),
    [
        (swap(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"), 505, "Version Not Supported"),
        (swap(b"Via: SIP/2.0/UDP 10.1.1.23", b"Via: SIP/2.0 10.1.1.23"), 400, "Malformed Via"),
        (swap(b"Via: ", b"Vix: "), 0, "Missing Via"),
        (swap(b"From: ", b"Fron: "), 400, "Missing From"),
        (swap(b"To: ", b"Two: "), 400, "Missing To"),
        (swap(b"Call-ID: ", b"Call-IO: "), 400, "Missing Call-ID"),
        (swap(b"Call-ID: 1@x", b"Call-ID: 1@x@y"), 400, "Malformed Call-ID"),
        (swap(b"Call-ID: 1@x", b"Call-ID:"), 400, "Missing Call-ID"),
        (swap(b"CSeq: ", b"CSex: "), 400, "Missing CSeq"),
        (swap(b"7 OPTIONS", b"7"), 400, "Malformed CSeq"),
        (swap(b"7 OPTIONS", b"7 INVITE"), 400, "CSeq method mismatch"),
        (swap(b"7 OPTIONS", b"7 INVITE").replace(b"OPTIONS sip", b"NEWMETHOD sip"), 501, "CSeq method mismatch"),
        (swap(b"Forwards: 70", b"Forwards: x"), 400, "Malformed Max-Forwards"),
        (swap(b"Forwards: 70", b"Forwards: -1"), 400, "Malformed Max-Forwards"),
        (swap(b"Length: 3", b"Length: 4"), 400, "Body shorter than Content-Length"),
        (swap(b"Length: 3", b"Length: -999"), 400, "Malformed Content-Length"),
        (swap(b"Length: 3", b"Length: 3333333333"), 400, "Malformed Content-Length"),
        (swap(b"CSeq", b"l: 3\r\nCSeq"), 400, "Repeated Content-Length"),
        (swap(b"CSeq", b"t: <sip:x@y>\r\nCSeq"), 400, "Repeated To"),
        (swap(b"CSeq", b"i: 2\r\nCSeq"), 400, "Repeated Call-Id"),
        (swap(b"CSeq", b"no colon\r\nCSeq"), 400, "Malformed header line"),
        (swap(b"CSeq", b": no name\r\nCSeq"), 400, "Malformed header line"),
        (swap(b"CSeq", b"a b: c\r\nCSeq"), 400, "Malformed header line"),
        (swap(b"tag=a", b"tag=a b"), 400, "Malformed parameters in From"),
        (swap(b"tag=a", b"tag=<a>"), 400, "Malformed tag in From"),
        (swap(b"<sip:alice@example.com>", b"<sip:alice@>"), 400, "Malformed URI in From"),
        (swap(b"OPTIONS sip:bob@example.com", b"OPTIONS  sip:bob@example.com"), 400, "Malformed Request-Line"),
        (swap(b"CSeq: 7", b"X: a\nCSeq: 7"), 400, "Bare line end in headers"),
        (swap(b"CSeq: 7", b"X: a\rCSeq: 7"), 400, "Bare line end in headers"),
        (swap(b"\r\n\r\nabc", b""), 400, "Missing end of headers"),
        (swap(b"\r\n\r\nabc", b"\r\n"), 400, "Missing end of headers"),
        (b"OPTIONS", 0, "Not SIP"),
        (b"\x80\x00\x01\x02 x", 0, "Not SIP"),
        (b"SIP/2.0 99 x" + GOOD[35:], 0, "Malformed Status-Line"),
        (b"SIP/3.0 200 x" + GOOD[35:], 0, "Malformed Status-Line"),
    ],
)  # fmt: skip
def test_what_breaks_the_grammar_is_answered_with_its_code(data: bytes, code: int, why: str) -> None:
    """§16.3 item 1, RFC 4475 §3.1.2: 0 stands for silence."""
    error = fault(data)
    assert (error.code, error.why) == (code, why)


@pytest.mark.parametrize(
    "data",
    [
        swap(b"7 OPTIONS", b"7"),
        swap(b"From: ", b"Fron: "),
        swap(b"CSeq", b"l: 3\r\nCSeq"),
        swap(b"Length: 3", b"Length: 9"),
    ],
)
def test_broken_responses_and_acks_get_silence(data: bytes) -> None:
    """§18.3 for responses, §17.1.1.3 for ACK: neither is ever answered."""
    assert fault(data.replace(b"OPTIONS sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK")).code == 0
    assert fault(data.replace(b"OPTIONS", b"ACK")).code == 0


ATTRIBUTES = [name for name, _ in inspect.getmembers(Message, inspect.isdatadescriptor) if not name.startswith("__")]
"""Not `__slots__`: a compiled class has none."""


@pytest.mark.parametrize("data", [GOOD, *CORPUS], ids=lambda data: data[:12].decode("ascii", "replace"))
def test_whatever_was_read_until_it_broke_is_enough_for_an_answer(data: bytes) -> None:
    """`partial` returns a message with every attribute, at whichever letter the datagram ends."""
    for size in range(0, len(data), 7):
        try:
            parse(data[:size], LIMITS)
        except Malformed as error:
            message = partial(error)
            if error.code:
                assert isinstance(message, Message)
                assert all(hasattr(message, name) for name in ATTRIBUTES)


def test_a_shortened_request_is_answered_where_it_came_from() -> None:
    """A datagram that ends too early is answered with 400, at whichever header it ends (§18.3)."""
    world = World()
    for size in range(GOOD.index(b"From"), len(GOOD)):
        ((peer, answer),) = world.receive(PHONE, GOOD[:size])
        assert peer == PHONE
        assert answer.startswith(b"SIP/2.0 400 ")


@pytest.mark.parametrize("via", [b"Via:", b"Via: ,", b"Via", b"Via:\r\nVia: SIP/2.0/UDP 10.1.1.23;branch=z9hG4bK1"])
@pytest.mark.parametrize("rest", [b"", b"\r\nX: a bare\nline end", b"\r\nX: " + b"x" * 9000])
def test_without_a_topmost_via_there_is_nobody_to_answer(via: bytes, rest: bytes) -> None:
    """§18.2.2: the topmost Via is what an answer follows; an empty one is dropped like none, whatever else is wrong."""
    data = swap(b"Via: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1;rport", via + rest)
    assert fault(data).code == 0
    assert World().receive(PHONE, data) == []


# --- lines and bodies


def test_octets_behind_content_length_are_discarded() -> None:
    """§18.3: on UDP they are not another message."""
    message = parse(GOOD + b"INVITE sip:x SIP/2.0", LIMITS)
    assert (message.body, message.raw) == (b"abc", GOOD)


def test_without_content_length_the_body_reaches_to_the_end() -> None:
    """§18.3."""
    assert parse(swap(b"Content-Length: 3\r\n", b""), LIMITS).body == b"abc"


def test_line_ends_before_the_start_line_are_ignored() -> None:
    """§7.5."""
    assert parse(b"\r\n\r\n" + GOOD, LIMITS).raw == GOOD


def test_a_header_line_may_be_folded_anywhere_between_words() -> None:
    """§7.3.1; the received bytes stay as they are."""
    message = parse(swap(b"CSeq: 7 OPTIONS", b"CSeq:\r\n\t7\r\n  OPTIONS"), LIMITS)
    assert message.cseq == 7
    assert message.lines[message.index[b"cseq"][0]] == b"CSeq:\r\n\t7\r\n  OPTIONS"


def test_lf_alone_counts_as_line_end_where_it_is_the_only_one() -> None:
    """The archive of RFC 5118 writes it; a mixture is refused, for the next hop might see other lines."""
    message = parse(GOOD.replace(b"\r\n", b"\n"), LIMITS)
    assert message.lines == parse(GOOD, LIMITS).lines
    assert message.body == b"abc"


@pytest.mark.parametrize(
    ("length", "body", "outcome"),
    [
        (b"4", b"a\nb\n", b"a\nb\n"),
        (b"6", b"a\nb\n", b"a\r\nb\r\n"),
        (b"5", b"a\nb\n", b"a\nb\n"),
        (b"9", b"a\nb\n", b"a\nb\n"),
        (b"2", b"a\nb\n", b"a\n"),
    ],
)
def test_a_body_of_lf_lines_is_converted_only_where_that_makes_its_length_right(
    length: bytes, body: bytes, outcome: bytes
) -> None:
    """A tool that wrote LF either counted LF or CRLF; no octet of a body that was miscounted is lost."""
    data = swap(b"Length: 3", b"Length: " + length).replace(b"abc", body).replace(b"\r\n", b"\n")
    assert parse(data, LIMITS).body == outcome


def test_messages_with_crlf_are_not_touched() -> None:
    """Whatever their bodies hold."""
    for data in (GOOD, GOOD + b"\n\n", GOOD.replace(b"abc", b"\n\n\n"), b"no line end"):
        assert with_crlf(data) == data


def test_max_forwards_beyond_255_counts_as_absent() -> None:
    """RFC 4475 §3.1.2.4; zeros in front are none (§3.1.1.1)."""
    assert parse(swap(b"Forwards: 70", b"Forwards: 256"), LIMITS).max_forwards is None
    assert parse(swap(b"Forwards: 70", b"Forwards: 00068"), LIMITS).max_forwards == 68
    assert parse(swap(b"Max-Forwards: 70\r\n", b""), LIMITS).max_forwards is None


def test_a_row_of_names_is_known_the_second_time() -> None:
    """Blanks before a colon included; it is then read as it was the first time."""
    data = swap(b"To:", b"To \t:").replace(b"Alice", b"A-row-of-its-own").replace(b"\r\n\r\n", b"\r\nX-Row: a\r\n\r\n")
    first, second = parse(data, LIMITS), parse(data, LIMITS)
    assert second.shape is first.shape
    assert first.shape.shared
    assert (first.to, first.lines) == (second.to, second.lines)
    assert first.names[2] == b"to"


def test_nothing_is_remembered_of_more_header_lines_than_are_allowed() -> None:
    """Rows of sixteen thousand names, a thousand of them, would be gigabytes."""
    limits, rows = Limits(headers=32), len(shape._shapes)
    assert fault(swap(b"CSeq", b"X-Many: 1\r\n" * 40 + b"CSeq"), limits).code == 513
    assert len(shape._shapes) == rows


@pytest.mark.parametrize(
    "line", [b"SIP/2.0 200 %b", b"%b sip:x SIP/2.0", b"BYE sip:%b SIP/2.0", b"BYE sip:x SIP/2.0\r\nX-%b: x"],
    ids=["status line", "method", "Request-URI", "header"],
)  # fmt: skip
def test_nothing_is_remembered_of_lines_that_are_too_long(line: bytes) -> None:
    """Four thousand of them would be 240 MB, and anybody can send them."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100):
        with contextlib.suppress(Malformed):
            parse(line % (b"%d" % number + b"x" * 60_000) + b"\r\n\r\n", LIMITS)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 300_000


# --- limits


def test_a_message_beyond_the_limit_is_refused() -> None:
    """513 (§21.5.7)."""
    limits = Limits(message=1300)
    data = swap(b"Content-Length: 3", b"Content-Length: 1300") + b"x" * 1297
    error = fault(data, limits)
    assert error.code == 513
    assert parse(data, LIMITS).body[:3] == b"abc"


def test_too_many_header_lines_are_refused() -> None:
    """513 while the message can still be answered at a sane price, silence beyond twice the limit."""
    limits = Limits(headers=32)
    assert fault(swap(b"CSeq", b"X: 1\r\n" * 30 + b"CSeq"), limits).code == 513
    assert fault(swap(b"CSeq", b"X: 1\r\n" * 100 + b"CSeq"), limits).code == 0
    assert parse(swap(b"CSeq", b"X: 1\r\n" * 25 + b"CSeq"), limits).cseq == 7


def test_a_header_line_that_is_too_long_is_refused() -> None:
    """Folds do not make it shorter."""
    limits = Limits(line=512)
    assert fault(swap(b"CSeq", b"X: " + b"x" * 512 + b"\r\nCSeq"), limits).code == 513
    assert fault(swap(b"CSeq", b"X: 1" + b"\r\n x" * 200 + b"\r\nCSeq"), limits).code == 513
    assert parse(swap(b"CSeq", b"X: " + b"x" * 500 + b"\r\nCSeq"), limits).cseq == 7


@pytest.mark.parametrize("fold", [b"", b"\r\n"])
def test_a_start_line_that_is_too_long_is_refused(fold: bytes) -> None:
    """414 (§21.4.12), whether or not other lines are folded; of a response, silence."""
    limits, data = Limits(line=512), swap(b"CSeq:", b"CSeq:" + fold + b" ")
    for uri in (b"sip:%b@x.example", b"tel:%b", b"sip:x@x.example;a=%b"):
        assert fault(swap(b"sip:bob@example.com SIP", uri % (b"1" * 600) + b" SIP", data), limits).code == 414
    assert fault(swap(b"OPTIONS sip:bob@example.com SIP/2.0", b"SIP/2.0 200 " + b"x" * 600, data), limits).code == 0


@pytest.mark.parametrize(
    "data",
    [
        swap(b"CSeq", b"X: " + b"x" * 9000 + b"\r\nCSeq"),
        swap(b"CSeq", b"X: 1\r\n" * 300 + b"CSeq"),
        swap(b"Content-Length: 3", b"Content-Length: 65535") + b"x" * 65532,
    ],
)
def test_what_exceeds_a_limit_is_answered_with_513(data: bytes) -> None:
    """The answer goes back to the port that the packet came from, as rport asks (RFC 3581 §4)."""
    ((peer, answer),) = World().receive(PHONE, data)
    assert peer == PHONE
    assert answer.startswith(b"SIP/2.0 513 ")


# --- fuzzing


def survives(data: bytes) -> None:
    """Parse; anything but a message or Malformed, and anything slow, fails the test."""
    began = time.process_time()
    outcome: Message | Malformed
    try:
        outcome = parse(data, LIMITS)
    except Malformed as error:
        outcome = error
    if isinstance(outcome, Malformed):
        assert outcome.code in (0, 400, 501, 505, 513)
    else:
        assert bool(outcome.method) is not bool(outcome.status)
    assert time.process_time() - began < 0.5


@given(st.binary(max_size=400))
def test_random_bytes_are_a_message_or_malformed(data: bytes) -> None:
    """Theirs is answered or dropped, never a traceback."""
    survives(data)


@given(st.sampled_from(CORPUS).flatmap(sip.mutations))
def test_mutated_torture_messages_are_a_message_or_malformed(data: bytes) -> None:
    """The corpus with pieces cut, repeated, replaced."""
    survives(data)


@given(sip.requests.flatmap(sip.mutations))
def test_mutated_requests_are_a_message_or_malformed(data: bytes) -> None:
    """So with requests made from the grammar."""
    survives(data)


@given(st.sampled_from(CORPUS).flatmap(sip.mutations))
def test_the_core_survives_mutated_torture_messages(data: bytes) -> None:
    """Nothing that a peer sends raises out of the core, and no filter fails on it."""
    world = WORLDS[0]
    world.receive(PHONE, data)
    world.receive(("10.9.9.9", 5060), data)
    world.wait(0.05)


WORLDS = [World()]


@pytest.mark.parametrize(
    "data",
    [
        swap(b"Via: ", b"Via: SIP/2.0/UDP a;x=" + b'"' * 8000),
        swap(b"Alice <sip", b'"' + b'\\"' * 4000 + b"<sip"),
        swap(b"Alice <sip", b"A" + b" " * 8000 + b"sip"),
        swap(b"CSeq: 7", b"CSeq:" + b" " * 8000 + b"7"),
        swap(b"Via: ", b"Via: " + b"<," * 4000),
        b"x\r\n " * 16000,
        b"OPTIONS a b\r\n" + b"a:\r\n" * 16000,
        b"OPTIONS a b\r\n" + b" " * 65000,
        b"\r\n" * 32000 + b"x",
        b"\n" * 65000 + b"x",
    ],
    ids=range(10),
)  # fmt: skip
def test_hostile_datagrams_are_read_quickly(data: bytes) -> None:
    """Whatever 64 KiB hold (see also test_grammar)."""
    survives(data)
