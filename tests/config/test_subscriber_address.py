"""One subscriber, one form of address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.subscriber_address import AddressError, canonical, forms, from_parts
from proxy.uri import SipUri, parse_sip_uri


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("alice@example.net", b"alice@example.net"),
        ("  sip:alice@EXAMPLE.Net ", b"alice@example.net"),
        ("SIPS:alice@example.net.", b"alice@example.net"),
        ("sip:Alice@example.net:5070;transport=tcp?subject=x", b"Alice@example.net"),
        ("sip:+1-555-0123@example.net;user=phone", b"+1-555-0123@example.net"),
        ("%61lice%2b@example.net", b"alice+@example.net"),
        ("a%5b@example.net", b"a%5B@example.net"),
        ("a;ext=3@10.0.0.1", b"a;ext=3@10.0.0.1"),
        ("alice@[2001:DB8:0::1]:5060", b"alice@[2001:db8::1]"),
        ("tel:+1-(555)-01.23;ext=7", b"+15550123"),
        ("+1 555".replace(" ", "-"), b"+1555"),
    ],
)
def test_canonical(text: str, form: bytes) -> None:
    assert canonical(text) == form


@pytest.mark.parametrize(
    "text",
    ["", "alice", "alice@", "@example.net", "alice@ex ample.net", "al ice@example.net", "alice:secret@example.net",
     "jösé@example.net", "alice@-x-.net", "alice@a..b", "alice@example.net:port", "alice@[::1", "alice@[zz]",
     "alice@[::1]x", "tel:0123", "tel:+", "+1234567890123456", "+1x", "http://example.net", "a@b@c",
     "x" * 256 + "@example.net", "alice@" + "a." * 130 + "net", "' OR 1=1 --@example.net\x00"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    """It may be anybody's name: the error says what would be right, and nothing else."""
    with pytest.raises(AddressError, match="; ") as caught:
        canonical(text)
    assert caught.value.right
    words = [word for word in (text, text.strip("@"), *text.split("@")) if len(word) > 5 and word != "example.net"]
    assert not any(word in str(caught.value) for word in words)


def test_hosts_are_the_same_in_any_case_and_users_are_not() -> None:
    assert canonical("bob@Example.NET") == canonical("bob@example.net") != canonical("Bob@example.net")


@given(st.from_regex(r"[A-Za-z0-9%+._-]{1,20}@[A-Za-z0-9-]{1,10}(\.[a-z]{1,5}){0,2}\.?", fullmatch=True))
def test_canonical_is_its_own_canonical_form(text: str) -> None:
    try:
        once = canonical(text)
    except AddressError:
        return
    assert canonical(once.decode()) == once


@pytest.mark.parametrize(
    "uri", ["sip:%61lice@EXAMPLE.net:5070;a=b", "sips:alice@[2001:DB8:0::1]", "sip:+1555@10.0.0.1;user=phone"]
)
def test_what_the_core_has_parsed_has_the_same_form(uri: str) -> None:
    parsed = parse_sip_uri(uri.encode())
    assert isinstance(parsed, SipUri)
    assert from_parts(parsed.user, parsed.host) == canonical(uri)


def test_a_host_that_is_none_finds_nobody_and_raises_nothing() -> None:
    assert from_parts(b"alice", b"::G") == b"alice@[::g]"


@pytest.mark.parametrize(
    ("address", "others"),
    [
        (b"+15550123", [b"+15550123@a.example", b"+15550123@b.example"]),
        (b"+15550123@c.example", [b"+15550123"]),
        (b"+1-555-0123@c.example", [b"+15550123@c.example", b"+15550123"]),
        (b"alice@c.example", []),
        (b"15550123@c.example", []),
        (b"+1555x@c.example", []),
        (b"+1234567890123456", []),
        (b"", []),
    ],
)
def test_a_number_may_be_stored_in_several_forms(address: bytes, others: list[bytes]) -> None:
    """RFC 3261 §19.1.6; its own form first."""
    assert forms(address, (b"a.example", b"b.example")) == (address, *others)
