"""Answers to digest challenges: the vectors of the RFCs, and what a hostile or sloppy trunk may send."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.digest_client import MAX_CHALLENGES, MAX_REALMS, MAX_VALUE, Account, Challenge, read
from proxy.digest_hash import HASHES, hashed

MUFASA = Account(b"Mufasa", b"Circle of Life")
CNONCE = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def only(value: bytes) -> Challenge:
    """Return the one challenge that a line holds."""
    (challenge,) = read([value])
    return challenge


def said(answer: bytes, name: bytes) -> bytes | None:
    """Return a parameter of an Authorization value, quotes taken off."""
    for part in answer.removeprefix(b"Digest ").split(b", "):
        key, _, value = part.partition(b"=")
        if key == name:
            return value.strip(b'"')
    return None


def test_rfc_2617_section_3_5() -> None:
    challenge = only(
        b'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        b'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    account = Account(b"Mufasa", b"Circle Of Life")
    answer = account.answer(challenge, b"GET", b"/dir/index.html", 1, b"0a4f113b")
    assert said(answer, b"response") == b"6629fae49393a05397450978507c4ef1"
    assert (said(answer, b"nc"), said(answer, b"qop"), said(answer, b"algorithm")) == (b"00000001", b"auth", None)
    assert said(answer, b"opaque") == b"5ccc069c403ebaf9f0171e9517f40e41"


def test_rfc_2069_without_qop() -> None:
    """The example of RFC 2069 §2.4 with its erratum: no cnonce, no count."""
    challenge = only(b'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    answer = Account(b"Mufasa", b"CircleOfLife").answer(challenge, b"GET", b"/dir/index.html", 1, b"0a4f113b")
    assert said(answer, b"response") == b"1949323746fe6a43ef61f9606e7febea"
    assert {said(answer, name) for name in (b"nc", b"qop", b"cnonce")} == {None}


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (b"MD5", b"8ca523f5e9506fed4657c9700eebdbec"),
        (b"SHA-256", b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: bytes, response: bytes) -> None:
    challenge = only(
        b'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%b, '
        b'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        % algorithm
    )
    answer = MUFASA.answer(challenge, b"GET", b"/dir/index.html", 1, CNONCE)
    assert said(answer, b"response") == response
    assert said(answer, b"algorithm") == algorithm


def test_rfc_7616_section_3_9_2_as_its_erratum_4897_has_it() -> None:
    """SHA-512/256 and userhash; the RFC itself shows the values of SHA-512 cut short."""
    challenge = only(
        b'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        b'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", '
        b"charset=UTF-8, userhash=true"
    )
    account = Account("Jäsøn Doe".encode(), b"Secret, or not?")
    answer = account.answer(challenge, b"GET", b"/doe.json", 1, b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v")
    assert said(answer, b"username") == b"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    assert said(answer, b"response") == b"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert said(answer, b"userhash") == b"true"


def test_several_challenges_in_one_line_and_in_many() -> None:
    """RFC 8760 §2.3: a header for each algorithm; RFC 7235 §4.1: in one line too, other schemes between."""
    one = (
        b'Negotiate a87421000492aa874209af8bc028==, Digest realm="a", nonce="1", Basic realm="simple, \\"x\\"", '
        b'NTLM, Digest realm="b, c", nonce="2", algorithm=SHA-256, qop="auth"'
    )
    found = read([one, b'Digest realm="d", nonce="3"'])
    assert [(each.realm, each.nonce) for each in found] == [(b"a", b"1"), (b"b, c", b"2"), (b"d", b"3")]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Digest",
        b'Digest realm="x"',
        b'Digest nonce="x"',
        b'Digest realm="x", nonce=""',
        b'Digest realm=x, nonce="1"',
        b'Digest realm="x" nonce="1"',
        b'Digest realm="x", nonce="1',
        b'Digest realm="x", realm="y", nonce="1"',
        b'Digest realm="x", nonce="1", opaque=abc',
        b'Digest realm="x", nonce="1", algorithm=MD5-sess, qop="auth"',
        b'Digest realm="x", nonce="1", algorithm=AKAv1-MD5',
        b'Digest realm="x", nonce="1", qop="auth-int"',
        b'Basic realm="x", nonce="1"',
        b'Bearer authz_server="https://as.example"',
        b'realm="x", nonce="1"',
        b'Digest realm="x\r\nVia: y", nonce="1"',
        b'Digest realm="x\x00", nonce="1"',
        b'Digest realm="%b", nonce="1"' % (b"x" * (MAX_VALUE + 1)),
        b'Digest realm="x", nonce="1", ???',
    ],
)
def test_what_cannot_be_answered_counts_for_nothing(value: bytes) -> None:
    assert read([value]) == []
    assert len(read([value, b'Digest realm="good", nonce="1"'])) == 1


def test_what_others_write_is_understood() -> None:
    """Letters of any case, quotes around tokens, empty list elements, domain."""
    challenge = only(
        b' , DIGEST  REALM = "x" ,, nonce="n", algorithm="sha-256", stale=TRUE, qop=auth, domain="sip:a sip:b" ,'
    )
    assert challenge == Challenge(b"x", b"n", None, b"SHA-256", True, True, True, False)


def test_the_number_of_challenges_is_bounded() -> None:
    lines = [b'Digest realm="%d", nonce="1"' % number for number in range(100)]
    assert len(read(lines)) == MAX_CHALLENGES
    assert read([b", ".join(lines)]) == []
    assert len(MUFASA.choose(read(lines))) == MAX_REALMS


def test_the_best_algorithm_that_is_allowed() -> None:
    """Local policy orders (RFC 8760 §2.4), whatever the trunk has on top."""
    found = read([b'Digest realm="r", nonce="1", algorithm=%b, qop="auth"' % name for name in (b"MD5", b"SHA-256")])
    assert [each.algorithm for each in MUFASA.choose(found)] == [b"SHA-256"]
    assert [each.algorithm for each in Account(b"u", b"p", None, [b"MD5", b"SHA-256"]).choose(found)] == [b"MD5"]
    assert Account(b"u", b"p", None, [b"SHA-512-256"]).choose(found) == []


def test_no_downgrade_where_md5_is_not_configured() -> None:
    strict = Account(b"u", b"p", None, [b"SHA-256"])
    assert strict.choose(read([b'Digest realm="r", nonce="1"'])) == []


def test_only_the_configured_realm() -> None:
    """A realm that a trunk relays from elsewhere gets nothing to try passwords on."""
    account = Account(b"u", b"p", b"sip.carrier.example")
    found = read([b'Digest realm="evil", nonce="1", Digest realm="sip.carrier.example", nonce="2"'])
    assert [each.nonce for each in account.choose(found)] == [b"2"]


def test_the_count_rises_in_eight_hexadecimal_digits() -> None:
    challenge = only(b'Digest realm="r", nonce="1", qop="auth"')
    first, later = (MUFASA.answer(challenge, b"INVITE", b"sip:x", count, b"c") for count in (1, 0x1F))
    assert (said(first, b"nc"), said(later, b"nc")) == (b"00000001", b"0000001f")
    assert said(first, b"response") != said(later, b"response")


def test_it_is_bound_to_method_and_uri() -> None:
    challenge = only(b'Digest realm="r", nonce="1", qop="auth"')
    answers = {
        said(MUFASA.answer(challenge, method, uri, 1, b"c"), b"response")
        for method in (b"INVITE", b"BYE")
        for uri in (b"sip:a", b"sip:b")
    }
    assert len(answers) == 4


@pytest.mark.parametrize("uri", [b'sip:a"@b', b"sip:a\r\n@b"])
def test_no_uri_breaks_out_of_its_quotes(uri: bytes) -> None:
    with pytest.raises(ValueError, match="not a Request-URI"):
        MUFASA.answer(only(b'Digest realm="r", nonce="1"'), b"INVITE", uri, 1, b"c")


def test_realms_without_end_take_no_memory() -> None:
    for number in range(200):
        MUFASA.answer(only(b'Digest realm="%d", nonce="1"' % number), b"INVITE", b"sip:x", 1, b"c")
    assert len(MUFASA._secrets) <= 4 * MAX_REALMS


def test_the_password_does_not_show() -> None:
    account = Account(b"user", b"canary-password")
    assert b"canary" not in repr(account).encode()
    assert b"canary" not in str(hash(account)).encode()
    assert account == Account(b"user", b"canary-password")
    assert account != Account(b"user", b"another")
    assert (account == 1) is False


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_passed_over(value: bytes) -> None:
    for challenge in read([value]):
        assert challenge.nonce


_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=40)


@given(_TEXT, _TEXT.filter(bool), st.one_of(st.none(), _TEXT), st.sampled_from(sorted(HASHES)), st.booleans())
def test_a_challenge_comes_back_as_it_was(
    realm: str, nonce: str, opaque: str | None, algorithm: bytes, stale: bool
) -> None:
    parts = [b'realm="%b"' % realm.encode(), b'nonce="%b"' % nonce.encode(), b"algorithm=" + algorithm]
    parts += [b'opaque="%b"' % opaque.encode()] if opaque is not None else []
    parts += [b"stale=true"] if stale else []
    challenge = only(b"Digest " + b", ".join(parts))
    assert challenge == Challenge(
        realm.encode(), nonce.encode(), None if opaque is None else opaque.encode(),
        algorithm, True, False, stale, False,
    )  # fmt: skip
    answer = MUFASA.answer(challenge, b"INVITE", b"sip:x", 1, b"c")
    inner = hashlib.new({b"MD5": "md5", b"SHA-256": "sha256", b"SHA-512-256": "sha512_256"}[algorithm])
    inner.update(b"Mufasa:%b:Circle of Life" % realm.encode())
    assert hashed(algorithm, b"Mufasa:%b:Circle of Life" % realm.encode()) == inner.hexdigest().encode()
    assert b'realm="%b"' % realm.encode() in answer
