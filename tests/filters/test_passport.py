"""PASSporTs as they come: what is read, and what attackers send."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.passport import MAX_PART, read
from proxy.errors import Malformed
from tests import passports
from tests.passports import HEADER, b64, claims, compact, compact_form, signature, token, value

INFO = b";info=<https://cert.example.org/p.pem>"


def test_a_shaken_passport() -> None:
    passport = read(value())
    assert (passport.orig, passport.dest, passport.iat) == (b"15550142", (b"15550100",), passports.WALL)
    assert (passport.ppt, passport.x5u, passport.info) == ("shaken", passports.X5U, passports.X5U.encode())
    assert passport.claims == set(claims())
    assert passport.signed == value().rpartition(b";info")[0].rpartition(b".")[0]
    assert not passport.compact


def test_what_the_rfcs_print() -> None:
    """RFC 8225 §5.2.1: several destinations of both kinds; §5.2.2: media keys; RFC 8946 §5: where it was diverted."""
    mky = [{"alg": "sha-256", "dig": "02:1a:CC"}]
    passport = read(
        value(
            claims(mky=mky, div={"tn": "12155551213"})
            | {"orig": {"uri": "sip:alice@Example.com"}, "dest": {"tn": ["1", "2"], "uri": ["sip:bob@example.net"]}}
        )
    )
    assert passport.orig == b"alice@example.com"
    assert passport.dest == (b"1", b"2", b"bob@example.net")
    assert passport.keys == {(b"sha-256", b"021ACC")}
    assert passport.div == (b"12155551213",)


@pytest.mark.parametrize(
    "params",
    [
        b";info=<https://c.example/p.pem>;alg=ES256;ppt=shaken",
        b' ; info = <https://c.example/p.pem;v=1?a=b>;ppt="shaken"'.replace(b" = ", b"="),
        b";alg=ES256;ppt=shaken;info=<https://c.example/p.pem>",
        b";info=<https://c.example/p.pem>",
    ],
)
def test_parameters(params: bytes) -> None:
    assert read(value(params=params)).info.startswith(b"https://c.example/p.pem")


def test_the_compact_form() -> None:
    passport = read(compact_form())
    assert passport.compact
    assert not passport.claims


BROKEN = {
    "nothing": b"",
    "junk": b"!!!.???.###" + INFO,
    "two parts": b"abc.def" + INFO,
    "four parts": token(claims()) + b".abc" + INFO,
    "no info": token(claims()),
    "empty info": token(claims()) + b";info=<>",
    "open info": token(claims()) + b";info=<https://c.example/",
    "two in one header": value() + b", " + value(),
    "padding": token(claims()) + b"==" + INFO,
    "alg none": value(header=HEADER | {"alg": "none"}),
    "alg none without signature": token(claims(), HEADER | {"alg": "none"}).rpartition(b".")[0] + b"." + INFO,
    "HS256": value(header=HEADER | {"alg": "HS256"}),
    "alg outside": value(params=INFO + b";alg=none"),
    "another ppt outside": value(params=INFO + b";ppt=div"),
    "typ": value(header=HEADER | {"typ": "JWT"}),
    "x5u of another type": value(header=HEADER | {"x5u": ["https://a/"]}),
    "short signature": b".".join([b64(b"{}"), b64(b"{}"), b64(b"x" * 63)]) + INFO,
    "long signature": b".".join([b64(b"{}"), b64(b"{}"), b64(b"x" * 4000)]) + INFO,
    "huge": value(claims(origid="x" * MAX_PART)),
    "deep": value(b'{"a":' * 1000 + b"1" + b"}" * 1000),
    "deep arrays": value(b"[" * 900 + b"]" * 900),
    "no object": value(b"[]"),
    "a number": value(b"1"),
    "no JSON": value(b"{"),
    "no UTF-8": value(b'{"orig":"\xff"}'),
    "NaN": value(compact(claims()).replace(b"1790000000", b"NaN")),
    "endless number": value(compact(claims()).replace(b"1790000000", b"9" * 3000)),
    "iat as text": value(claims(iat="1")),
    "iat as truth": value(claims(iat=True)),
    "iat with a fraction": value(claims(iat=1.5)),
    "iat before time": value(claims(iat=-1)),
    "no iat": value(claims(iat=None)),
    "no orig": value(claims() | {"orig": {}}),
    "two origs": value(claims() | {"orig": {"tn": ["1", "2"]}}),
    "orig of both kinds": value(claims() | {"orig": {"tn": "1", "uri": "sip:a@b"}}),
    "orig as text": value(claims() | {"orig": "15550142"}),
    "orig no number": value(claims() | {"orig": {"tn": "alice"}}),
    "orig as number": value(claims() | {"orig": {"tn": 15550142}}),
    "orig in other digits": value(claims() | {"orig": {"tn": "\u0661\u0662"}}),
    "orig surrogate": value(compact(claims()).replace(b'"15550142"', b'"\\ud800"')),
    "orig no uri": value(claims() | {"orig": {"uri": "sip:@@@"}}),
    "no dest": value(claims() | {"dest": {}}),
    "dest as null": value(claims() | {"dest": None}),
    "many dests": value(claims() | {"dest": {"tn": ["1"] * 50}}),
    "a name twice": value(compact(claims()).replace(b'{"attest"', b'{"iat":1,"attest"')),
    "a name twice inside": value(compact(claims()).replace(b'{"tn":"15550142"}', b'{"tn":"1","tn":"15550142"}')),
    "mky as object": value(claims(mky={})),
    "mky empty": value(claims(mky=[])),
    "mky of texts": value(claims(mky=["sha-256"])),
    "mky without digest": value(claims(mky=[{"alg": "sha-256"}])),
    "div as text": value(claims(div="1")),
    "attest as list": value(claims(attest=["A"])),
    "origid as number": value(claims(origid=1)),
    "compact with an extension": compact_form() + b";ppt=shaken",
    "half compact": b64(b"{}") + b".." + b64(signature(b"")) + INFO,
    "bits left over": b".." + b64(b"x" * 64)[:-1] + b"B" + INFO,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_passport(name: str) -> None:
    with pytest.raises(Malformed):
        read(BROKEN[name])


def test_a_flood_of_the_longest_is_bounded() -> None:
    """The worst that fits one header line takes a fraction of a millisecond."""
    worst = [value(b'{"a":"%b"}' % (b"\\u0041" * 480)), b"." * 8000 + INFO, b"A" * 8000 + INFO, value(b"{" * 3000)]
    start = time.thread_time()
    for text in worst * 50:
        with pytest.raises(Malformed):
            read(text)
    assert (time.thread_time() - start) / 200 < 0.002


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_bytes_are_read_or_malformed(header: bytes, payload: bytes) -> None:
    with pytest.raises(Malformed):
        read(value(payload, header))
    with pytest.raises(Malformed):
        read(header)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("tn", "uri", "alg", "dig")), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted({*claims(), "mky", "div", "rcd"})), JSON)
def test_any_value_of_any_claim(name: str, inner: object) -> None:
    """It is a PASSporT with this value, or it is none."""
    try:
        read(value(json.dumps(claims() | {name: inner}).encode()))
    except Malformed:
        return
