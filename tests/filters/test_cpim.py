"""The names around an instant message go; the message that may be read stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Action, Category
from filters.bodies import BodyFilter, compile_bodies
from filters.catalogue import load_catalogue
from filters.cpim import MAX_LINES, cleaned, read
from filters.forms import FormError
from filters.sdp import SdpContext

CATALOGUE = load_catalogue()
CONTEXT = SdpContext(lambda token: b"x", b"IP4 192.0.2.1")
# RFC 3862 §5.1, with an offset, a copy and an extension
MESSAGE = (
    b"From: MR SANDERS <im:piglet@100akerwood.com>\r\n"
    b'To: "Depressed Donkey" <im:eeyore@100akerwood.com>\r\n'
    b"cc: Pooh <im:pooh@100akerwood.com>\r\n"
    b"DateTime: 2000-12-13T13:40:00-08:00\r\n"
    b"Subject:;lang=fr beau temps prevu pour votre\r\n"
    b"NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\n"
    b"\r\n"
    b"Content-type: text/plain; charset=utf-8\r\nContent-ID: <1234567890@foo.com>\r\n\r\nWishing you"
)
CONTENT = b"Content-Type: text/plain; charset=utf-8\r\n"


def keeping(*kept: Category) -> BodyFilter:
    """Return the filter that hides all but some categories."""
    return compile_bodies(CATALOGUE, dict.fromkeys(Category, Action.REMOVE) | dict.fromkeys(kept, Action.KEEP))


def clean(body: bytes, *kept: Category) -> bytes | None:
    found = keeping(*kept)(b"Message/CPIM", b"", body, CONTEXT)
    return found and found[1]


def test_hidden_content_takes_all_of_it() -> None:
    assert clean(MESSAGE) is None
    assert clean(MESSAGE, Category.NAME, Category.NUMBER, Category.NETWORK, Category.UNKNOWN) is None


def test_content_without_names_and_numbers() -> None:
    """Both ends are anonymous, copies, clock and language go; the part keeps what describes it."""
    result = clean(MESSAGE, Category.CONTENT)
    assert result == (
        b"From: <sip:anonymous@anonymous.invalid>\r\nTo: <sip:anonymous@anonymous.invalid>\r\n"
        b"Subject: beau temps prevu pour votre\r\n\r\n"
        + CONTENT
        + b"Content-ID: <1234567890@foo.com>\r\n\r\nWishing you"
    )
    assert clean(result, Category.CONTENT) == result, "a second proxy finds nothing to do"


def test_numbers_without_names() -> None:
    result = clean(MESSAGE, Category.CONTENT, Category.NUMBER, Category.NETWORK, Category.LOCATION)
    assert result
    assert result.startswith(
        b"From: <im:piglet@100akerwood.com>\r\nTo: <im:eeyore@100akerwood.com>\r\ncc: <im:pooh@100akerwood.com>\r\n"
        b"DateTime: 2000-12-13T13:40:00-08:00\r\nSubject:;lang=fr beau"
    )
    assert b"NS:" not in result


def test_only_what_is_unknown_is_hidden_or_kept() -> None:
    everything = [category for category in Category if category is not Category.SOFTWARE]
    head = MESSAGE.partition(b"\r\n\r\n")[0]
    result = clean(MESSAGE, *everything)
    assert result
    assert result.partition(b"\r\n\r\n")[0] == head


def test_the_part_is_judged_for_itself() -> None:
    """RFC 3862 wraps any MIME part: a composing indication is status, and nothing nests without end."""
    body = MESSAGE.replace(b"text/plain; charset=utf-8", b"application/im-iscomposing+xml")
    assert clean(body, Category.CONTENT) is None
    nested = b"From: <im:a@b>\r\n\r\nContent-Type: message/cpim\r\n\r\n" + MESSAGE
    result = clean(nested, Category.CONTENT)
    assert result
    assert b"SANDERS" not in result
    assert b"Wishing you" in result
    for _ in range(10):
        nested = b"From: <im:a@b>\r\n\r\nContent-Type: message/cpim\r\n\r\n" + nested
    with pytest.raises(FormError):
        clean(nested, Category.CONTENT)


@pytest.mark.parametrize("zone", [b"2000-12-13T13:40:00Z", b"2000-12-13T13:40:00.25Z"])
def test_a_time_in_utc_says_nothing(zone: bytes) -> None:
    assert clean(MESSAGE.replace(b"2000-12-13T13:40:00-08:00", zone), Category.CONTENT).count(zone) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body", [b"", b"From: <im:a@b>", b"no header\r\n\r\nx", b"A: b\r\n" * (MAX_LINES + 1) + b"\r\nx"]
)
def test_malformed(body: bytes) -> None:
    with pytest.raises(FormError):
        read(body)


@given(st.sampled_from([b"From", b"to", b"CC", b"Subject", b"DateTime", b"X"]), st.binary(max_size=40))
def test_no_name_gets_through(name: bytes, junk: bytes) -> None:
    """Whatever stands around it in an address, a hidden name does not pass."""
    value = junk.replace(b"\n", b"").replace(b"\r", b"") + b'kqsecret" <im:a@b>'
    hides = {Category.NAME, Category.UNKNOWN, Category.LOCATION}.__contains__
    kept = cleaned([(name, b"", value)], hides)
    assert b"kqsecret" not in kept or name == b"Subject"
