"""Looking at letters: what `scan.py` does, and that `scan.c` does the same with any bytes."""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.shape import clue_of
from tap.native import ROOT
from tests import strategies as sip
from tests import twins

CORPUS = [path.read_bytes() for path in sorted((ROOT / "tests/corpus").glob("*/*")) if path.is_file()]
MESSAGE = (
    b"OPTIONS sip:bob@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1;rport\r\n"
    b"From: Alice <sip:alice@example.com>;tag=a\r\n"
    b"t:<sip:bob@example.com>\r\n"
    b"Call-ID : 1@x\r\n"
    b"\r\n"
    b"a\r\n\r\nbody"
)
Known = dict[bytes, tuple[tuple[bytes, ...], object]]


PURE = twins.pure("scan")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Return what scan.c is compiled to."""
    return twins.native("scan", tmp_path_factory.mktemp("scan"))


@pytest.fixture(params=["pure", "native"])
def scan(request: pytest.FixtureRequest) -> ModuleType:
    """Return each of the two."""
    return PURE if request.param == "pure" else request.getfixturevalue("native")


def learn(data: bytes, what: object = "what") -> Known:
    """Return what makes a message known, if it is one."""
    lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return {clue_of(lines): (tuple(line.partition(b":")[0] + b":" for line in lines), what)}


# --- what they do


def test_a_message_is_taken_apart(scan: ModuleType) -> None:
    what = object()
    start, found, lines, body = scan.scan(MESSAGE, learn(MESSAGE, what), 256, 8192)
    assert found is what
    assert b"\r\n".join((start, *lines, b"", body)) == MESSAGE
    assert lines[2:] == [b"t:<sip:bob@example.com>", b"Call-ID : 1@x"]
    assert body == b"a\r\n\r\nbody"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\0",
        MESSAGE.partition(b"\r\n\r\n")[0],
        MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n",
        MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r",
        MESSAGE.replace(b"t:", b"s:"),
        MESSAGE.replace(b"\r\nt:", b"\nt:"),
        MESSAGE.replace(b"\r\nt:", b"\rt:"),
        MESSAGE.replace(b"\r\nt:", b"\n\rt:"),
        MESSAGE.replace(b"<sip:bob", b"<sip:b\nob"),
        MESSAGE.replace(b"<sip:bob", b"<sip:b\rob"),
        MESSAGE.replace(b"1@x", b"1@x\r"),
        MESSAGE.replace(b"1@x", b"1@x\n"),
        MESSAGE.replace(b"t:<", b"\r\n <"),
        MESSAGE.replace(b"t:<", b"X: y\r\nt:<"),
    ],
    ids=range(17),
)  # fmt: skip
def test_any_other_message_is_not(scan: ModuleType, data: bytes) -> None:
    """No end, a bare CR or LF, a fold, other names."""
    assert scan.scan(data, learn(MESSAGE), 256, 8192) is None


def test_limits(scan: ModuleType) -> None:
    """Of lines, the start line not among them; and of their bytes, without their ends."""
    longest = max(map(len, MESSAGE.split(b"\r\n")))
    assert scan.scan(MESSAGE, learn(MESSAGE), 4, longest) is not None
    assert scan.scan(MESSAGE, learn(MESSAGE), 3, longest) is None
    assert scan.scan(MESSAGE, learn(MESSAGE), 4, longest - 1) is None
    assert scan.scan(MESSAGE, learn(MESSAGE), -1, longest) is None
    for lines in (PURE.MOST, PURE.MOST + 1):
        data = b"A\r\n" + b"b:\r\n" * lines + b"\r\n"
        assert (scan.scan(data, learn(data), 1024, 8192) is not None) is (lines == PURE.MOST)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"a;m=t", (b"a", b"t", b"")),
        (b"a;m=t;b", (b"a", b"t", b";b")),
        (b";m=t;", (b"", b"t", b";")),
        (b"a;m=t;m=u", (b"a", b"t", b";m=u")),
        (b"a;m=-.!%*_+`'~09azAZ", (b"a", b"-.!%*_+`'~09azAZ", b"")),
        (b"a;m=", None),
        (b"a;m=;b", None),
        (b"a;m=t b", None),
        (b"a;m=t\0", None),
        (b"a;m=\xe9", None),
        (b'a;m="t"', None),
        (b"a;m", None),
        (b"", None),
    ],
)
def test_a_token_behind_a_mark(scan: ModuleType, line: bytes, parts: tuple[bytes, bytes, bytes] | None) -> None:
    assert scan.cut(line, b";m=") == parts


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"A: b", b"b"),
        (b"A:\t b c \t", b"b c"),
        (b"A : b:c", b"b:c"),
        (b"A:", b""),
        (b"A: \t", b""),
        (b"A", b""),
        (b"", b""),
        (b"A: b\r\n c", None),
        (b"A:\0", b"\0"),
    ],
)
def test_the_value_of_a_line(scan: ModuleType, line: bytes, found: bytes | None) -> None:
    assert scan.plain_value(line) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"i: a", b"a"),
        (b"i:a@b\t", b"a@b"),
        (b"i: (<>:\\\"/[]?{})-.!%*_+`'~@x", b"(<>:\\\"/[]?{})-.!%*_+`'~@x"),
        (b"i: @b", None),
        (b"i: a@", None),
        (b"i: @", None),
        (b"i: a@b@c", None),
        (b"i: a b", None),
        (b"i: a,", None),
        (b"i: a\0", None),
        (b"i: \xe9", None),
        (b"i:", None),
        (b"i: a\r\n b", None),
    ],
)
def test_a_call_id(scan: ModuleType, line: bytes, found: bytes | None) -> None:
    assert scan.call_id(line) == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"INVITE sip:a@b SIP/2.0", (b"INVITE", b"sip:a@b")),
        (b"x \0 SIP/2.0", (b"x", b"\0")),
        (b"INVITE  SIP/2.0", None),
        (b"INVITE SIP/2.0", None),
        (b" sip:a SIP/2.0", None),
        (b"  SIP/2.0", None),
        (b" SIP/2.0", None),
        (b"SIP/2.0", None),
        (b"INVITE sip:a  SIP/2.0", None),
        (b"INVITE sip:a b SIP/2.0", None),
        (b"INVITE sip:\ta SIP/2.0", None),
        (b"INVITE sip:a SIP/2.0 ", None),
        (b"INVITE sip:a sip/2.0", None),
        (b"INVITE", None),
        (b"", None),
    ],
)
def test_a_request_line(scan: ModuleType, line: bytes, words: tuple[bytes, bytes] | None) -> None:
    assert scan.request_line(line) == words


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        (b"sip:a@b", (b"a", b"b")),
        (b"sip:-_.!~*'()&=+$,;/%#09azAZ@b;c@d", (b"-_.!~*'()&=+$,;/%#09azAZ", b"b;c@d")),
        (b"sip:a@", (b"a", b"")),
        (b"sip:@b", None),
        (b"sip:a", None),
        (b"sip:a:b@c", None),
        (b"sip:a?b@c", None),
        (b"sip:a@b?c", None),
        (b"sip:a\0@b", None),
        (b"sips:a@b", None),
        (b"SIP:a@b", None),
        (b"sip", None),
        (b"", None),
    ],
)
def test_the_user_of_a_sip_uri(scan: ModuleType, uri: bytes, parts: tuple[bytes, bytes] | None) -> None:
    assert scan.sip_user(uri) == parts


# --- that they do the same


@given(
    message=st.one_of(st.sampled_from([MESSAGE, *CORPUS]), sip.requests),
    data=st.data(),
    most=st.sampled_from((256, 1024, 7, 0)),
    longest=st.sampled_from((8192, 65535, 60, 0)),
)
def test_the_same_with_mutated_messages(
    native: ModuleType, message: bytes, data: st.DataObject, most: int, longest: int
) -> None:
    """Whether the original is known, or what became of it."""
    mutated = data.draw(sip.mutations(message))
    for known in (learn(message), learn(mutated)):
        for each in (message, mutated):
            assert native.scan(each, known, most, longest) == PURE.scan(each, known, most, longest)
    for line in mutated.split(b"\r\n"):
        same_with_a_line(native, line)


@given(st.lists(st.sampled_from((b"\r\n", b"\r", b"\n", b"A:", b"b", b" ", b"\0", b"\r\n\r\n")), max_size=12))
def test_the_same_with_every_order_of_line_ends(native: ModuleType, parts: list[bytes]) -> None:
    data = b"".join(parts)
    for known in (learn(data), learn(b"A" + data)):
        assert native.scan(data, known, 256, 8192) == PURE.scan(data, known, 256, 8192)


LETTERS = st.sampled_from((b";m=", b";", b"@", b":", b" ", b"\t", b"\n", b"\0", b"a", b"<", b'"', b"-", b"\xff"))


@given(st.one_of(st.binary(max_size=30), st.lists(LETTERS, max_size=8).map(b"".join)))
def test_the_same_with_any_line(native: ModuleType, line: bytes) -> None:
    same_with_a_line(native, line)


def same_with_a_line(native: ModuleType, line: bytes) -> None:
    for mark in (b";m=", b">;tag=", b";branch="):
        assert native.cut(line, mark) == PURE.cut(line, mark)
    assert native.plain_value(line) == PURE.plain_value(line)
    assert native.call_id(line) == PURE.call_id(line)
    for text in (line, b"sip:" + line, line + b" SIP/2.0"):
        assert native.request_line(text) == PURE.request_line(text)
        assert native.sip_user(text) == PURE.sip_user(text)


@pytest.mark.parametrize("letter", range(256))
def test_the_same_with_each_letter(native: ModuleType, letter: int) -> None:
    same_with_a_line(native, b"i: a%c;m=%ca" % (letter, letter))
    same_with_a_line(native, b"i: a%c" % letter)
    same_with_a_line(native, b"a%c@b" % letter)


@pytest.mark.parametrize("piece", [b"\r\n", b"\r", b"\n", b"a:\r\n", b"a", b";m=", b"@", b" ", b":", b"\0"])
def test_the_same_with_64_kib(native: ModuleType, piece: bytes) -> None:
    data = (piece * 65536)[:65535]
    for each in (data, b"A\r\n" + data, b"A\r\nb: " + data, MESSAGE[:-4] + data, b"A\r\nb:" + data[:-9] + b"\r\n\r\n"):
        known = learn(each)
        assert native.scan(each, known, 1024, 65535) == PURE.scan(each, known, 1024, 65535)
    same_with_a_line(native, data)


# --- what only C can get wrong


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("scan", ()),
        ("scan", (MESSAGE, {}, 1)),
        ("scan", (MESSAGE, {}, 1, 1, 1)),
        ("scan", (bytearray(MESSAGE), {}, 256, 8192)),
        ("scan", ("", {}, 256, 8192)),
        ("scan", (MESSAGE, [], 256, 8192)),
        ("scan", (MESSAGE, {}, None, 8192)),
        ("scan", (MESSAGE, {}, 256, b"")),
        ("scan", (MESSAGE, dict.fromkeys(learn(MESSAGE), ()), 256, 8192)),
        ("scan", (MESSAGE, dict.fromkeys(learn(MESSAGE), ([], 1)), 256, 8192)),
        ("cut", (b"", "")),
        ("cut", (None, b"")),
        ("cut", (b"",)),
        ("plain_value", (None,)),
        ("plain_value", ()),
        ("call_id", ("i: a",)),
        ("request_line", ("INVITE sip:a SIP/2.0",)),
        ("sip_user", (None,)),
    ],
)
def test_what_is_of_another_type_is_an_error(native: ModuleType, name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        getattr(native, name)(*arguments)


def test_starts_that_are_no_bytes_fit_nothing(native: ModuleType) -> None:
    assert native.scan(MESSAGE, dict.fromkeys(learn(MESSAGE), ((None,) * 4, 1)), 256, 8192) is None


def test_numbers_that_are_too_large(native: ModuleType) -> None:
    with pytest.raises(OverflowError):
        native.scan(MESSAGE, {}, 256, 2**80)


def calls(native: ModuleType, known: Known) -> Iterator[Callable[[], object]]:
    """Yield one call of each kind."""
    yield lambda: native.scan(MESSAGE, known, 256, 8192)
    yield lambda: native.scan(MESSAGE, {}, 256, 8192)
    yield lambda: native.scan(MESSAGE, known, 2, 8192)
    yield lambda: native.cut(b"ab;m=tu;cd", b";m=")
    yield lambda: native.cut(b"a;m=<", b";m=")
    yield lambda: native.plain_value(b"A: bc")
    yield lambda: native.call_id(b"i: b@c")
    yield lambda: native.request_line(b"INVITE sip:a@b SIP/2.0")
    yield lambda: native.sip_user(b"sip:alice@example.net")


def test_nothing_is_left_behind(native: ModuleType) -> None:
    """No object, and no reference to one."""
    what = object()
    known = learn(MESSAGE, what)
    watched = MESSAGE, what, known, *known.values()
    before = [sys.getrefcount(each) for each in watched]
    tracemalloc.start()
    try:
        sizes = []
        for _ in range(3):
            for call in calls(native, known):
                for _ in range(300):
                    call()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[2] - sizes[1] < 300
    assert [sys.getrefcount(each) for each in watched] == before


def test_memory_that_is_refused(native: ModuleType) -> None:
    """Whichever allocation of a call fails, it is a MemoryError, and no reference is lost."""
    hooks = pytest.importorskip("_testcapi")
    what = object()
    known = learn(MESSAGE, what)
    before = sys.getrefcount(what)
    for call in calls(native, known):
        expected, failed = call(), 0
        for number in range(30):
            outcome: object = None
            hooks.set_nomemory(number, number + 1)
            try:
                outcome = call()
            except MemoryError:
                failed += 1
            finally:
                hooks.remove_mem_hooks()
            assert outcome in (None, expected)
        assert failed or expected is None
    del expected, outcome
    assert sys.getrefcount(what) == before


@pytest.mark.skipif("fsanitize" in os.environ.get("CC", ""), reason="this is that run")
def test_under_the_sanitizers() -> None:
    """All of the above once more: no byte is read that is not ours, nothing is undefined."""
    twins.pass_sanitized(__file__)
