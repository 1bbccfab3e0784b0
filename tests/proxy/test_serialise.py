"""From draft to bytes: what nobody touched leaves as it came (issue 2, "The SIP core")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from config.settings import Limits
from proxy.errors import Malformed
from proxy.message import Draft
from proxy.parse import parse
from proxy.serialise import serialise
from tests import strategies as sip

CORPUS = Path(__file__).parents[1] / "corpus"
LIMITS = Limits()
HEAD = (
    b"OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=a\r\n"
    b"To: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
)


def again(data: bytes) -> bytes:
    return serialise(Draft(parse(data, LIMITS)))


@given(sip.requests)
def test_an_untouched_draft_is_what_was_received(data: bytes) -> None:
    """Byte for byte, folds, spaces, compact forms and order included, where Content-Length was right."""
    assert again(data) == data


@given(sip.requests.flatmap(sip.mutations))
def test_writing_is_stable(data: bytes) -> None:
    """What we wrote, we read and write again without a change, whatever it was made of."""
    try:
        once = again(data)
    except Malformed:
        return
    assert again(once) == once


def _valid() -> Iterator[Path]:
    for path in sorted(CORPUS.glob("rfc*/*")):
        try:
            parse(path.read_bytes(), LIMITS)
        except Malformed:
            continue
        yield path


@pytest.mark.parametrize("path", list(_valid()), ids=lambda path: path.name)
def test_the_corpus_is_written_as_it_is_read(path: Path) -> None:
    """RFC 4475 and RFC 5118: the same bytes, less what stands behind Content-Length, and stable from then on."""
    data = path.read_bytes()
    message = parse(data, LIMITS)
    once = serialise(Draft(message))
    if b"content-length" in message.index and b"\r\n" in data:
        assert data.startswith(once)
    assert again(once) == once


def test_a_missing_content_length_is_added() -> None:
    """§20.14: required on streams, harmless on UDP."""
    assert again(HEAD + b"\r\nabc") == HEAD + b"Content-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("line", [b"Content-Length:9", b"l : 9", b"CONTENT-LENGTH\t:\t9"])
def test_a_content_length_that_became_wrong_is_rewritten_under_its_name(line: bytes) -> None:
    """A body that was edited has another length; the name stays as the sender spelled it."""
    draft = Draft(parse(HEAD + line + b"\r\n\r\n123456789", LIMITS))
    draft.body = b"12"
    assert serialise(draft) == HEAD + line.partition(b":")[0] + b": 2\r\n\r\n12"


def test_a_length_with_zeros_in_front_is_right() -> None:
    """The number counts; RFC 4475 §3.1.1.1 has zeros in other headers."""
    data = HEAD + b"Content-Length: 003\r\n\r\nabc"
    assert int(again(data).partition(b"Content-Length: ")[2].partition(b"\r")[0]) == 3


def test_removed_lines_are_gone_and_added_ones_stand_at_top_and_bottom() -> None:
    """§7.3.1: what proxies need stands near the top."""
    draft = Draft(parse(HEAD + b"Content-Length: 0\r\n\r\n", LIMITS))
    draft.remove_all(b"to", "why")
    draft.top.append(b"Via: ours")
    draft.bottom.append(b"X: last")
    lines = serialise(draft).split(b"\r\n")
    assert lines[1] == b"Via: ours"
    assert lines[-3:] == [b"X: last", b"", b""]
    assert not any(line.startswith(b"To") for line in lines)
