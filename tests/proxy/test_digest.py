"""Digest: the RFCs' own examples, and credentials that are almost right."""

from __future__ import annotations

from contextlib import suppress
from hashlib import md5, new, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import digest
from proxy.digest import MD5, SHA_256, SHA_512_256, Credentials, challenge, is_right
from proxy.errors import Malformed

GOOD = (
    b'Digest username="alice", realm="sip.example.net", nonce="n0", uri="sip:bob@example.net", '
    b'response="0123456789abcdef0123456789abcdef", algorithm=MD5, cnonce="c0", qop=auth, nc=00000001'
)
REALM = b"sip.example.net"
SAID = ("username", "nonce", "uri", "response", "cnonce", "algorithm", "hashed", "nc", "uses")


def read(value: bytes, realm: bytes = REALM) -> Credentials:
    found = digest.read(value, realm)
    assert found is not None
    return found


def said(found: Credentials | None) -> tuple[object, ...]:
    """Return all that credentials say; () for None."""
    return () if found is None else tuple(getattr(found, name) for name in SAID)


# RFC 7616 §3.9.1, RFC 2617 §3.5 (RFC 8760 and RFC 3261 have none with their passwords).
_7616 = (
    b"Mufasa", b"http-auth@example.org", b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", b"/dir/index.html",
    b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", b"Circle of Life",
)  # fmt: skip
_2617 = (
    b"Mufasa", b"testrealm@host.com", b"dcd98b7102dd2f0e8b11d0f600bfb0c093", b"/dir/index.html", b"0a4f113b",
    b"Circle Of Life",
)  # fmt: skip


@pytest.mark.parametrize(
    ("example", "algorithm", "response"),
    [
        (_7616, MD5, b"8ca523f5e9506fed4657c9700eebdbec"),
        (_7616, SHA_256, b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (_2617, MD5, b"6629fae49393a05397450978507c4ef1"),
    ],
)
def test_the_examples_of_the_rfcs(example: tuple[bytes, ...], algorithm: bytes, response: bytes) -> None:
    username, realm, nonce, uri, cnonce, password = example
    given = read(
        b'Digest username="%b",\r\n realm="%b", uri="%b", algorithm=%b, nonce="%b", nc=00000001, cnonce="%b", '
        b'qop=auth, response="%b", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'.replace(b"\r\n", b"")
        % (username, realm, uri, algorithm, nonce, cnonce, response),
        realm,
    )
    text = b"%b:%b:%b" % (username, realm, password)
    ha1 = sha256(text).digest() if algorithm == SHA_256 else md5(text, usedforsecurity=False).digest()
    assert is_right(given, ha1, b"GET")
    assert not is_right(given, ha1, b"POST")
    assert not is_right(given, ha1[::-1], b"GET")
    given.nc = b"00000002"
    assert not is_right(given, ha1, b"GET")


def test_what_is_read() -> None:
    found = read(GOOD)
    assert (found.username, found.nonce, found.uri) == (b"alice", b"n0", b"sip:bob@example.net")
    assert (found.algorithm, found.cnonce, found.uses) == (MD5, b"c0", 1)


@pytest.mark.parametrize("name", [b"qop=auth", b"algorithm=MD5", b"nc=00000001"])
def test_tokens_that_stand_in_quotes(name: bytes) -> None:
    """Old phones quote what RFC 7616 §3.4 does not."""
    key, _, value = name.partition(b"=")
    assert said(read(GOOD.replace(name, b'%b="%b"' % (key, value)))) == said(read(GOOD))


def test_without_algorithm_it_is_md5() -> None:
    assert read(GOOD.replace(b" algorithm=MD5,", b"")).algorithm == MD5


def test_sha_512_256() -> None:
    """RFC 7616 §3.9.2 has an example whose hashes are SHA-512's, cut off (erratum 4897): so ours is of hashlib's."""
    text, asked = b"alice:sip.example.net:pa55", b"REGISTER:sip:bob@example.net"

    def hashed(data: bytes) -> bytes:
        return new("sha512_256", data).hexdigest().encode()

    right = hashed(b":".join((hashed(text), b"n0", b"00000001", b"c0", b"auth", hashed(asked))))
    given = read(GOOD.replace(b"algorithm=MD5", b"algorithm=sha-512-256").replace(b"0123456789abcdef" * 2, right))
    assert given.algorithm == SHA_512_256
    assert is_right(given, new("sha512_256", text).digest(), b"REGISTER")
    assert not is_right(given, sha256(text).digest(), b"REGISTER")


def test_a_hashed_username() -> None:
    name = b"0123456789abcdef" * 2
    given = read(GOOD.replace(b'"alice"', b'"%b"' % name).replace(b"qop=auth", b"qop=auth, userhash=TRUE"))
    assert (given.username, given.hashed) == (name, True)
    assert not read(GOOD.replace(b"qop=auth", b'qop=auth, userhash="false"')).hashed


def test_what_answers_no_challenge_of_ours() -> None:
    """Of another scheme or realm, whatever else is wrong with it; a realm is told letter by letter."""
    assert digest.read(b'Bearer token="x"', REALM) is None
    assert digest.read(GOOD, b"example.net") is None
    assert digest.read(GOOD.replace(b'"n0"', b"n0").replace(b"00000001", b"x"), b"example.net") is None
    assert digest.read(GOOD.replace(b"sip.example", b"sip\\.example"), REALM) is None


@pytest.mark.parametrize("realm", [b"", b"realm=sip.example.net, ", b"Realm=, "])
def test_a_realm_that_nobody_can_tell(realm: bytes) -> None:
    with pytest.raises(Malformed):
        digest.read(GOOD.replace(b'realm="sip.example.net", ', realm), REALM)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'username="alice"', b"username*=UTF-8''alice"),
        (b'username="alice"', b"username=\"alice\", username*=UTF-8''alice"),
        (b", qop=auth", b""),
        (b"qop=auth", b"qop=auth-int"),
        (b"qop=auth", b'qop="auth,auth-int"'),
        (b"algorithm=MD5", b"algorithm=MD5-sess"),
        (b"algorithm=MD5", b"algorithm=SHA-512-256-sess"),
        (b"algorithm=MD5", b"algorithm=SHA-512"),
        (b"algorithm=MD5", b"algorithm=none"),
        (b"qop=auth", b"qop=auth, userhash=perhaps"),
    ],
)
def test_terms_that_we_never_offer(old: bytes, new: bytes) -> None:
    """Whatever is wrong with the rest: it answers somebody else's challenge."""
    assert old in GOOD
    for value in (GOOD, GOOD.replace(b"nc=00000001", b"nc=1"), GOOD.replace(b'"n0"', b"n0")):
        assert digest.read(value.replace(old, new, 1), REALM) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'username="alice"', b"username=alice"),
        (b'username="alice"', b'username="alice'),
        (b'username="alice"', b'username=""'),
        (b'username="alice"', b'username="%b"' % (b"a" * 256)),
        (b'username="alice"', b'username="al\\"ice"'),
        (b'username="alice"', b'username="al\x00ice"'),
        (b'username="alice"', b'username="al\r\n ice"'),
        (b'username="alice", ', b""),
        (b'username="alice"', b'username="alice", username="bob"'),
        (b'username="alice"', b'username="alice", USERNAME="alice"'),
        (b'nonce="n0", ', b""),
        (b'uri="sip:bob@example.net", ', b""),
        (b'cnonce="c0", ', b""),
        (b'cnonce="c0"', b'cnonce=""'),
        (b", nc=00000001", b""),
        (b"nc=00000001", b"nc=1"),
        (b"nc=00000001", b"nc=0000000g"),
        (b"nc=00000001", b"nc=000000001"),
        (b"algorithm=MD5", b"algorithm=SHA-256"),
        (b"algorithm=MD5", b"algorithm=SHA-512-256"),
        (b"0123456789abcdef0123456789abcdef", b"0123456789ABCDEF0123456789ABCDEF"),
        (b"0123456789abcdef0123456789abcdef", b"0123"),
        (b"qop=auth", b"qop=auth, userhash=true"),
        (b"qop=auth,", b"qop=auth"),
        (b"qop=auth,", b"qop=auth;"),
        (b"nc=00000001", b"nc=00000001,"),
        (b"nc=00000001", b"nc=00000001, "),
        (b"nc=00000001", b"nc=00000001 x"),
        (b"Digest ", b"Digest , "),
        (b"Digest ", b"Digest"),
        (b"Digest ", b""),
    ],
)
def test_what_is_not_as_it_must_be(old: bytes, new: bytes) -> None:
    assert old in GOOD
    with pytest.raises(Malformed):
        digest.read(GOOD.replace(old, new, 1), REALM)


def test_more_parameters_than_anybody_has() -> None:
    with pytest.raises(Malformed):
        digest.read(b"Digest " + b", ".join(b"p%d=v" % number for number in range(digest.MAX_PARAMS + 1)), REALM)


def test_one_that_is_never_closed_takes_no_time() -> None:
    with pytest.raises(Malformed):
        digest.read(b'Digest username="' + b'\\"' * 100_000, REALM)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(value: bytes) -> None:
    for text in (value, b"Digest " + value, GOOD + value, GOOD[:40] + value + GOOD[40:]):
        with suppress(Malformed):
            digest.read(text, REALM)


def test_challenge() -> None:
    assert challenge(b"r", b"n", SHA_256, stale=False) == b'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'
    known = challenge(b"r", b"n", SHA_512_256, stale=False, userhash=True)
    assert known == b'Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth", userhash=true'
    assert challenge(b"r", b"n", MD5, stale=True).endswith(b'algorithm=MD5, qop="auth", stale=true')


def outcome(value: bytes, *, letter_by_letter: bool) -> object:
    """Return what is read, or that it is refused."""
    try:
        if letter_by_letter:
            return said(digest._amounts_to(digest._read(value), REALM))
        return said(digest.read(value, REALM))
    except Malformed:
        return Malformed


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        GOOD.replace(b'"c0"', b'"a, b=c"'),
        GOOD.replace(b'username="alice"', b'username=""'),
        GOOD.replace(b"qop=auth", b'qop="auth"'),
        GOOD.replace(b"qop=auth", b'qop=""'),
        GOOD.replace(b", nonce", b"\t,nonce").replace(b"nonce=", b"nonce\t= "),
        GOOD.replace(b"Digest ", b"DIGEST\t "),
        GOOD.replace(b"Digest ", b'Digest a="\xc3\xa9", b=c, d="=,", '),
        GOOD + b', opaque="a\\"b"',
        GOOD + b', opaque="', GOOD + b", nonce=n0", GOOD.replace(b'"n0"', b"n0"), GOOD.replace(b"nc=00000001, ", b""),
    ],
    ids=[
        "usual", "comma", "empty", "quoted", "quoted-empty", "blanks", "scheme", "others", "backslash", "open", "twice",
        "bare", "missing",
    ],
)  # fmt: skip
def test_what_is_remembered_of_the_form_changes_nothing(value: bytes) -> None:
    """Credentials whose form is known are read as those that are read letter by letter."""
    expected = outcome(value, letter_by_letter=True)
    assert outcome(value, letter_by_letter=False) == expected == outcome(value, letter_by_letter=False)


_PIECES = [b'"', b'"', b"=", b",", b" ", b"a", b"b", b"nc", b"\\", b"\t", b";", b"\xff", b"\x7f", b"realm", b"userhash"]


@given(st.lists(st.sampled_from(_PIECES)), st.integers(0, len(GOOD)))
def test_any_text_is_read_by_its_form_as_letter_by_letter(pieces: list[bytes], place: int) -> None:
    """What one of both refuses the other refuses too."""
    text = b"".join(pieces)
    for value in (b"Digest " + text, GOOD[:place] + text + GOOD[place:], GOOD[:place] + text + GOOD[place + 1 :]):
        assert outcome(value, letter_by_letter=False) == outcome(value, letter_by_letter=True)
