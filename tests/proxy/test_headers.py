"""Typed header values (RFC 3261 §7.3.1, §20)."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Malformed
from proxy.headers import (
    MAX_CSEQ,
    NameAddr,
    _around,
    delta_seconds,
    parse_cseq,
    parse_name_addr,
    parse_params,
    parse_via,
    split_list,
    unfold,
)
from proxy.memo import forget
from tests import strategies as sip


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (b"sip:a@b", (b"", b"sip:a@b", b"")),
        (b"sip:a@b;tag=1", (b"", b"sip:a@b", b";tag=1")),
        (b"<sip:a@b;lr>;tag=1", (b"", b"sip:a@b;lr", b";tag=1")),
        (b'"Bell, A." <sip:a@b>', (b'"Bell, A."', b"sip:a@b", b"")),
        (b"caller<sip:a@b>;tag=323", (b"caller", b"sip:a@b", b";tag=323")),
        (b"A. Bell <sip:a@b>", (b"A. Bell", b"sip:a@b", b"")),
        (rb'"J \"\\ <x>" <sip:a@b>', (rb'"J \"\\ <x>"', b"sip:a@b", b"")),
        (b"<sip:a,b@c?x=y>", (b"", b"sip:a,b@c?x=y", b"")),
        (b"sip:a@b ;   tag    = 1918181833n", (b"", b"sip:a@b", b";   tag    = 1918181833n")),
        (b"<tel:+1>", (b"", b"tel:+1", b"")),
        (b'""<sip:a@b>', (b'""', b"sip:a@b", b"")),
    ],
)
def test_name_addr_and_addr_spec_are_read(value: bytes, parts: tuple[bytes, ...]) -> None:
    """§20.10: without brackets, parameters belong to the header."""
    assert tuple(parse_name_addr(value)) == parts


@pytest.mark.parametrize(
    "value",
    [b"", b"<>", b'"Mr. J. User <sip:j@b>', b"Bell, Alexander <sip:a@b>", b"< sip:a@b>", b"<sip:a@b >", b"sip:a@b?x=y",
     b"sip:a,b@c", b"<sip:a@b", b"<sip:a@b> x", b"sip:a@b x", b"no uri", b'"a" "b" <sip:a@b>', b"<<sip:a@b>>"],
)  # fmt: skip
def test_other_addresses_are_malformed(value: bytes) -> None:
    """RFC 4475 §3.1.2.6, §3.1.2.13 to §3.1.2.15: unbalanced quotes, unquoted commas, spaces in brackets."""
    with pytest.raises(Malformed):
        parse_name_addr(value)


@given(sip.displays, sip.sip_uris, sip.params)
def test_an_address_with_brackets_comes_back(display: bytes, uri: bytes, params: bytes) -> None:
    """What is written with brackets is read to the same parts."""
    address = NameAddr(display, uri, params)
    assert parse_name_addr(address.address + params) == address


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (b"", []),
        (b"  ", []),
        (b"a", [b"a"]),
        (b" a , b ,c", [b"a", b"b", b"c"]),
        (b",,a,,", [b"a"]),
        (b'"a,b" <sip:x>, <sip:y,z>', [b'"a,b" <sip:x>', b"<sip:y,z>"]),
        (rb'"a\",b" <sip:x>,c', [rb'"a\",b" <sip:x>', b"c"]),
        (b'a;x="1,2",b', [b'a;x="1,2"', b"b"]),
        (b'"open <sip:x>, <sip:y>', [b'"open <sip:x>, <sip:y>']),
        (b"<sip:x, <sip:y", [b"<sip:x, <sip:y"]),
        (b'a,"open\\', [b"a", b'"open\\']),
        (b"a>,b", [b"a>", b"b"]),
    ],
)
def test_lists_are_split_at_the_commas_that_separate(value: bytes, items: list[bytes]) -> None:
    """§7.3.1: not at those in quotes or brackets; what is never closed is one value, and its reader refuses it."""
    assert split_list(value) == items


@given(st.text('a,"<>\\; \t', max_size=40).map(str.encode))
def test_no_letter_is_lost_in_splitting(value: bytes) -> None:
    """Commas and white space aside, the items hold everything that the list held, in order."""
    wanted = value.translate(None, b", \t")
    assert b"".join(split_list(value)).translate(None, b", \t") == wanted


@pytest.mark.parametrize(
    ("text", "params"),
    [
        (b"", {}),
        (b";lr", {b"lr": b""}),
        (b";Tag=A;x", {b"tag": b"A", b"x": b""}),
        (b" ; tag = A ; x = \r\n y", None),
        (b"; tag = A ; x = \r\n y ", {b"tag": b"A", b"x": b"y"}),
        (b';a="x;y=z"', {b"a": b'"x;y=z"'}),
        (b";a=1;a=2", {b"a": b"1"}),
        (b";a=", {b"a": b""}),
        (b";;", None),
        (b";", None),
        (b";a b", None),
        (b';a="x', None),
        (b";a=b,c", {b"a": b"b,c"}),
    ],
)
def test_parameters_are_read_by_lower_case_name(text: bytes, params: dict[bytes, bytes] | None) -> None:
    """§7.3.1: names in any case; the first of two wins; what is left over is an error."""
    if params is None:
        with pytest.raises(Malformed):
            parse_params(text)
    elif b"," in text:
        with pytest.raises(Malformed):  # a comma ends a header value, so none can stand in a token
            parse_params(text)
    else:
        assert parse_params(text) == params


def test_via_is_read() -> None:
    """§20.42: protocol and parameter names in any case, host without brackets in lower case."""
    via = parse_via(b"SIP/2.0/udp [2001:DB8::9:1]:6050;RPORT;Branch=z9hG4bKas3-111;received=[2001:db8::9:255]")
    assert (via.transport, via.host, via.port, via.branch) == (b"UDP", b"2001:db8::9:1", 6050, b"z9hG4bKas3-111")
    assert via.params == {b"rport": b"", b"received": b"[2001:db8::9:255]"}
    plain = parse_via(b"SIP/2.0/UDP Host.Example.COM")
    assert (plain.host, plain.port, plain.branch, plain.params) == (b"host.example.com", 0, b"", {})


@pytest.mark.parametrize(
    "value",
    [b"", b"SIP/2.0/UDP", b"SIP/2.0 UDP a", b"HTTP/1.1/TCP a", b"SIP/2.0/UDP 192.0.2.15;;,;,,", b"SIP/2.0/UDP a:65536",
     b"SIP/2.0/UDP a:x", b"SIP/2.0/UDP a b", b"SIP/2.0/UDP 2001:db8::1", b"SIP/2.0/UDP a;branch=\"x"],
)  # fmt: skip
def test_other_vias_are_malformed(value: bytes) -> None:
    """RFC 4475 §3.1.2.1 among others."""
    with pytest.raises(Malformed):
        parse_via(value)


@pytest.mark.parametrize(
    ("value", "number", "method"),
    [
        (b"1 INVITE", 1, b"INVITE"),
        (b"0009\r\n  INVITE", 9, b"INVITE"),
        (b"%d x" % MAX_CSEQ, MAX_CSEQ, b"x"),
        (b"0 ACK", 0, b"ACK"),
    ],
)
def test_cseq_is_read(value: bytes, number: int, method: bytes) -> None:
    """§20.16; zeros in front and folds as in RFC 4475 §3.1.1.1."""
    assert parse_cseq(value) == (number, method)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"1",
        b"INVITE",
        b"-1 INVITE",
        b"1 IN VITE",
        b"4294967296 INVITE",
        b"36893488147419103232 REGISTER",
        b"1" * 5000 + b" x",
    ],
)
def test_other_cseqs_are_malformed(value: bytes) -> None:
    """RFC 4475 §3.1.2.4: what does not fit 32 bits is refused, and no long number is ever converted."""
    with pytest.raises(Malformed):
        parse_cseq(value)


def test_unfolding_strips_the_ends() -> None:
    """§7.3.1."""
    assert unfold(b" \ta  b \r\n c\t ") == b"a  b c"
    assert unfold(b"\r\n a") == b"a"


@given(st.binary(max_size=200))
def test_readers_of_any_bytes_raise_nothing_but_malformed(value: bytes) -> None:
    """Theirs is answered, never a traceback (style.md, habit 8)."""
    for reader in (parse_via, parse_name_addr, parse_cseq, parse_params):
        try:
            reader(value)
        except Malformed:
            continue
    split_list(value)
    unfold(value)


def test_nothing_is_remembered_of_a_long_via() -> None:
    """It may be as long as a datagram; what is read of it is the same."""
    for host, remembered in ((b"a" * 255, 1), (b"b" * 60_000, 0)):
        forget(_around)
        via = parse_via(b"SIP/2.0/UDP " + host + b";branch=z9hG4bK1;x=" + host[:1])
        assert (via.host, via.branch) == (host, b"z9hG4bK1")
        assert len(cast(Any, _around).__self__) == remembered


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120), (b"18000;duration=3600", 18000), (b"120 (I am in a meeting)", 120), (b"0", 0),
        (b"9" * 30, 999_999_999), (b"-1", None), (b"x", None), (b"", None), (None, None),
    ],
)  # fmt: skip
def test_seconds(value: bytes | None, seconds: int | None) -> None:
    assert delta_seconds(value) == seconds
