"""Finding canaries, in clear and decoded, and saying where."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from filters import leaks
from filters.decodings import decodings as plain_decodings
from scripts.load.search import Search, decodings, kind

SECRET = b"Wilhelmine Ackersteen"
INVITE = b"INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\nX: %b\r\n\r\n"


def never() -> float:
    """A clock that stands still: time for everything."""
    return 0.0


@pytest.mark.parametrize("lead", range(8))
@pytest.mark.parametrize(
    "encode",
    [
        bytes,
        bytes.upper,
        lambda data: b"".join(b"%%%02x" % byte for byte in data),
        lambda data: data.hex().encode(),
        lambda data: base64.b64encode(data).rstrip(b"="),
        lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
        lambda data: base64.b32encode(data).rstrip(b"=").lower(),
    ],
)
def test_found_however_it_is_written(encode: Callable[[bytes], bytes], lead: int) -> None:
    """At the end of a token, behind any number of other bytes; the tests' own search agrees."""
    message = INVITE % encode(b"\xf8\x01?>\x07~\xff"[:lead] + SECRET)
    search = Search({"name": SECRET, "other": b"not there at all"}, never)
    search.message(message)
    assert dict(search.leaks) == {("name", "INVITE"): 1}
    assert leaks.found_in(message, [SECRET]) == {SECRET}


def test_decodings_are_those_of_the_tests() -> None:
    """Two implementations, one notion of what counts as plain."""
    message = INVITE % b"c2VjcmV0LXNlY3JldA MFRGGZDFMZTWQ2LKNNWG2 0123456789abcdef0 %41%42"
    assert set(decodings(message)) | {message} == set(plain_decodings(message))


def test_counts_by_place_and_message() -> None:
    """Responses say to what."""
    search = Search({"name": SECRET}, never)
    for data in (INVITE % SECRET, INVITE % SECRET, b"SIP/2.0 200 OK\r\nCSeq: 7 BYE\r\nX: %b\r\n\r\n" % SECRET):
        search.message(data)
    search.message(INVITE % b"nothing")
    assert dict(search.leaks) == {("name", "INVITE"): 2, ("name", "200 to BYE"): 1}
    assert (search.messages, search.decoded) == (4, 4)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (INVITE, "INVITE"),
        (b"SIP/2.0 180 Ringing\r\ncseq : 1 INVITE\r\n\r\n", "180 to INVITE"),
        (b"SIP/2.0 200 OK\r\n\r\n", "200 to ?"),
        (b"", ""),
        (b"SIP/2.0", "? to ?"),
        (b"\xff\x00", "\ufffd\x00"),
    ],
)
def test_kind(message: bytes, expected: str) -> None:
    """Anything that arrives has one."""
    assert kind(message) == expected


def test_every_kind_has_its_turn() -> None:
    """An ACK comes right after the INVITE that has used the time up, a BYE when there is time again."""
    time = 0.0

    def clock() -> float:
        nonlocal time
        time += 0.001
        return time

    search = Search({"name": SECRET}, clock)
    hidden = SECRET.hex().encode()
    for _ in range(200):
        for method in (b"INVITE", b"ACK", b"BYE"):
            search.message(b"%b sip:a@b SIP/2.0\r\nX: %b\r\n\r\n" % (method, hidden))
            time += 0.01 if method == b"ACK" else 0.0
    assert search.decoded < 500
    assert min(search.leaks["name", kind] for kind in ("INVITE", "ACK", "BYE")) > 20


def test_decoding_keeps_to_its_share() -> None:
    """Each look at the clock takes 1 ms, 10 ms pass between messages: about a seventh is for decoding, but clear
    text is always searched.
    """
    time = 0.0

    def clock() -> float:
        nonlocal time
        time += 0.001
        return time

    search = Search({"name": SECRET}, clock)
    for _ in range(1000):
        search.message(INVITE % SECRET)
    assert search.leaks["name", "INVITE"] == search.messages == 1000
    assert 100 <= search.decoded <= 250
