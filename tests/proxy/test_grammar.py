"""The grammar's regular expressions: what they take, and that none is slow on hostile input (RFC 3261 §25)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from proxy.derive import plain_reason
from proxy.errors import Malformed
from proxy.grammar import (
    ANY_URI,
    CALL_ID,
    COMPACT,
    CSEQ,
    FOLD,
    PARAM,
    QUOTED,
    REQUEST_LINE,
    SIP_URI,
    STATUS_LINE,
    TOKEN,
    VIA,
)
from proxy.headers import parse_cseq, parse_name_addr, parse_params, parse_via, split_list, unfold
from proxy.matching import owner
from proxy.parse import with_crlf
from proxy.uri import parse_sip_uri

RULES: dict[str, tuple[re.Pattern[bytes], list[bytes], list[bytes]]] = {
    "token": (TOKEN, [b"a", b"-.!%*_+`'~", b"INVITE"], [b"", b"a b", b"a@b", b"a/b", b'"a"', "é".encode()]),
    "Request-Line": (
        REQUEST_LINE,
        [b"INVITE sip:a@b SIP/2.0", b"x y sip/2.0", b"OPTIONS sip:a SIP/7.0"],
        [
            b"INVITE  sip:a@b SIP/2.0",
            b"INVITE sip:a@b  SIP/2.0",
            b"INVITE sip:a@b SIP/2.0 ",
            b"INVITE sip:a; lr SIP/2.0",
            b" INVITE sip:a SIP/2.0",
            b"INVITE sip:a",
            b"INVITE sip:a HTTP/1.1",
        ],
    ),
    "Status-Line": (
        STATUS_LINE,
        [b"SIP/2.0 200 OK", b"SIP/2.0 100 ", "SIP/2.0 200 = 2**3 д".encode(), b"sip/2.0 699 x"],
        [
            b"SIP/2.0 100",
            b"SIP/2.0 4294967301 x",
            b"SIP/2.0 700 x",
            b"SIP/2.0 99 x",
            b"SIP/3.0 200 OK",
            b"SIP/2.0  200 OK",
        ],
    ),
    "quoted-string": (
        re.compile(QUOTED, re.DOTALL),
        [b'""', b'"a b"', rb'"\""', rb'"\\\""', b'"\\\0"', b'"a,<b>;c"'],
        [b'"', b'"a', rb'"\"', b'"a"b"', b"a"],
    ),
    "generic-param": (
        PARAM,
        [b";lr", b";a=b", b"; a = b ", b';a="b;c"', b";a=", b";a=[::1]", b";\r\n a\r\n =\r\n b"],
        [b"lr", b";", b";;", b";=b", b';a="b', b";a b"],
    ),
    "CSeq": (
        CSEQ,
        [b"1 INVITE", b"0009\r\n  INVITE", b"4294967295 x"],
        [b"INVITE", b"1", b"-1 INVITE", b"1INVITE", b"1 a b"],
    ),
    "SIP-URI": (
        SIP_URI,
        [b"sip:a@b", b"sips:b", b"SIP:b:5060;lr?x=y", b"sip:[::1]:5060", b"sip:a:b@c", b"sip:a;b=c@d", b"sip:%00@b"],
        [
            b"sip:",
            b"sip:a@",
            b"sip:@b",
            b"sip:a b@c",
            b"sip:<a@b>",
            b"tel:1",
            b"sip:2001:db8::10",
            b"sip:a@b:port",
            b"sip:a@b@c",
        ],
    ),
    "absoluteURI": (
        ANY_URI,
        [b"tel:+1", b"urn:service:sos", b"a+b-c.1:"],
        [b"1a:b", b":b", b"a b:c", b"a:b c", b"<a:b>"],
    ),
    "callid": (
        CALL_ID,
        [b"a", b"a@b", rb"word%ZK-!.*_+'@word`~)(><:\/" + b'"][?}{'],
        [b"", b"@b", b"a@", b"a@b@c", b"a b", b"a;b", b"a,b", "é".encode()],
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_takes_what_the_rfc_allows_and_nothing_else(rule: str) -> None:
    """RFC 3261 §25.1, with the liberties of RFC 4475 that the file notes."""
    pattern, good, bad = RULES[rule]
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("value", "transport", "host", "port"),
    [
        (b"SIP/2.0/UDP a.example.com", b"UDP", b"a.example.com", None),
        (b"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=x", b"UDP", b"192.0.2.2", None),
        (b"sip/2.0/x-new [2001:db8::1]:5070", b"x-new", b"[2001:db8::1]", b"5070"),
        (b"SIP/7.0/UDP a", b"UDP", b"a", None),
        (b"SIP/2.0/TCP a : 5060 ;x", b"TCP", b"a", b"5060"),
    ],
)
def test_via_is_read_with_all_its_white_space(value: bytes, transport: bytes, host: bytes, port: bytes | None) -> None:
    """via-parm of RFC 3261 §25.1; any version is read so that it can be answered with 505."""
    match = VIA.match(value)
    assert match is not None
    assert match.groups() == (transport, host, port)


def test_compact_forms_are_the_iana_registry() -> None:
    """RFC 3261 §7.3.3 and IANA "SIP Header Fields": a filter that knew only long names would let `f:` through."""
    assert len(COMPACT) == 20
    assert {COMPACT[letter] for letter in (b"f", b"t", b"i", b"m", b"v", b"l", b"s", b"b", b"y", b"c", b"k")} == {
        b"from", b"to", b"call-id", b"contact", b"via", b"content-length", b"subject", b"referred-by", b"identity",
        b"content-type", b"supported",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "unfolded"),
    [
        (b"a\r\n b", b"a b"),
        (b"a  \r\n\t b", b"a b"),
        (b"a\r\n \r\n b", b"a b"),
        (b"a \r\n \t \r\n b\r\n c", b"a b c"),
        (b"\r\n b", b" b"),
        (b"a b", b"a b"),
    ],
)
def test_a_fold_reads_as_one_space(text: bytes, unfolded: bytes) -> None:
    """RFC 3261 §7.3.1."""
    assert FOLD.sub(b" ", text) == unfolded


# --- speed

SIZE = 64 * 1024
"""What one datagram can hold."""
BOUND = 0.25
"""Seconds; linear rules take a few milliseconds, quadratic ones many seconds."""

HOSTILE = {
    "spaces": b" " * SIZE,
    "spaces and a letter": b" " * SIZE + b"x",
    "a letter, spaces, a letter": b"a" + b" " * SIZE + b"x",
    "spaces and a late fold": b"x" + b" " * SIZE + b"x\r\n y",
    "folds": b"\r\n " * (SIZE // 3),
    "almost folds": b" \r" * (SIZE // 2) + b"\n",
    "quotes": b'"' * (SIZE + 1),
    "open quote": b'"' + b"a" * SIZE,
    "escaped quotes": b'"' + b'\\"' * (SIZE // 2),
    "backslashes": b'"' + b"\\" * SIZE,
    "open brackets": b"<" * SIZE,
    "open brackets and commas": b"<," * (SIZE // 2),
    "brackets": b"<a>" * (SIZE // 3),
    "open quotes and commas": b'\\",' * (SIZE // 3) + b'"',
    "commas": b"," * SIZE,
    "semicolons": b";" * SIZE,
    "parameters": b";a" * (SIZE // 2),
    "parameter, spaces": b";a" + b" " * SIZE + b"?",
    "parameters, open quotes": b';a="' * (SIZE // 4),
    "parameter, escaped quotes": b';a="' + b'\\"' * (SIZE // 2),
    "parameters, spaces": b"; a = " * (SIZE // 6),
    "letters": b"a" * SIZE,
    "letters and @": b"a" * SIZE + b"@",
    "many @": b"a@" * (SIZE // 2),
    "colons": b"a:" * (SIZE // 2),
    "sip colons": b"sip:" + b"a:" * (SIZE // 2),
    "sip user": b"sip:" + b"a" * SIZE + b" ",
    "sip user, params": b"sip:" + b"a;b=c" * (SIZE // 5) + b" ",
    "sip host, params": b"sip:a@b" + b";b=c" * (SIZE // 4) + b"<",
    "sip semicolons": b"sip:b" + b";" * SIZE + b"<",
    "sip password": b"sip:a:" + b"b" * SIZE + b"<",
    "sip headers": b"sip:a?" + b"b" * SIZE + b"<",
    "sip host": b"sip:" + b"a-." * (SIZE // 3) + b":x",
    "sip v6": b"sip:[" + b":" * SIZE,
    "digits": b"1" * SIZE,
    "digits, spaces": b"1" + b" " * SIZE,
    "cseq": b"1 " + b"a" * SIZE + b"@",
    "cseq, spaces": b"1 a" + b" " * SIZE + b"@",
    "via": b"SIP" + b" " * SIZE + b"/2.0/UDP x",
    "via transport": b"SIP/2.0/" + b"a" * SIZE,
    "via host": b"SIP/2.0/UDP " + b"a" * SIZE + b"@",
    "via spaces": b"SIP/2.0/UDP" + b" " * SIZE + b"@",
    "via port": b"SIP/2.0/UDP a" + b" " * SIZE + b":" + b" " * SIZE,
    "via branch": b"\nVia: x" + b";branch" * (SIZE // 7),
    "vias": b"\nvia " * (SIZE // 5),
    "via, semicolons, spaces": b"\nv:" + b"; \t" * (SIZE // 3),
    "lengths": b"l: 1 x\n" * (SIZE // 7) + b"\n\n",
    "length, spaces": b"x\nl:" + b" " * SIZE + b"x\n\n",
    "lines": b"\n" * SIZE,
    "reason": b"SIP" + b" " * SIZE + b";cause",
    "reason, digits": b"SIP;cause" + b" " * SIZE + b"=" + b"1" * SIZE,
    "call id": b"a" * SIZE + b"@" + b"a" * SIZE + b"@",
}

READERS: dict[str, Callable[[bytes], object]] = {
    "token": TOKEN.fullmatch,
    "request line": REQUEST_LINE.fullmatch,
    "status line": STATUS_LINE.fullmatch,
    "call id": CALL_ID.fullmatch,
    "any uri": ANY_URI.fullmatch,
    "unfold": unfold,
    "unfold behind a fold": lambda text: unfold(b"\n" + text),
    "split_list": split_list,
    "parse_params": parse_params,
    "parse_via": parse_via,
    "parse_name_addr": parse_name_addr,
    "parse_cseq": parse_cseq,
    "parse_sip_uri": parse_sip_uri,
    "owner": lambda text: owner(text, 4),
    "with_crlf": with_crlf,
    "plain_reason": plain_reason,
}


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_is_slow_on_hostile_input(reader: str) -> None:
    """64 KiB of anything are read in a fraction of a second: no expression backtracks over the square of its input."""
    slow = {}
    for name, text in HOSTILE.items():
        began = time.process_time()  # the machine may be busy with other things
        with suppress(Malformed):
            READERS[reader](text)
        took = time.process_time() - began
        if took > BOUND:
            slow[name] = took
    assert slow == {}
