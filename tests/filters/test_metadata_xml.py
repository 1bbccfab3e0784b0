"""XML from strangers: what is read, what is refused before it costs anything, and what is written."""

from __future__ import annotations

import contextlib
import gc
import time
import timeit

import pytest

from filters import metadata_xml
from filters.metadata_xml import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_SIZE, MetadataError, read, write

NS = "urn:ietf:params:xml:ns:recording:1"


def body(inside: str = "", attributes: str = "", declaration: str = "") -> bytes:
    return f"{declaration}<recording xmlns='{NS}'{attributes}>{inside}</recording>".encode()


LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
ATTACKS = {
    "an entity": b"<!DOCTYPE r [<!ENTITY e 'x'>]>" + body("&e;"),
    "a billion laughs": f"<!DOCTYPE r [<!ENTITY l0 'ha'>{LAUGHS}]>".encode() + body("&l9;"),
    "a quadratic blow-up": b"<!DOCTYPE r [<!ENTITY e '" + b"x" * 9000 + b"'>]>" + body("&e;" * 9000),
    "a file": b"<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + body("&e;"),
    "a document type elsewhere": b"<!DOCTYPE r SYSTEM 'http://127.0.0.1:1/r.dtd'>" + body(),
    "a public document type": b"<!DOCTYPE r PUBLIC '-//X' 'http://127.0.0.1:1/r.dtd'>" + body(),
    "an empty document type": b"<!DOCTYPE recording>" + body(),
    "a parameter entity": b"<!DOCTYPE r [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]>" + body(),
    "an attribute by default": b"<!DOCTYPE r [<!ATTLIST recording aor CDATA 'x'>]>" + body(),
    "an entity that nobody declared": body("&e;"),
    "two roots": body() + body(),
    "no root": b"",
    "no XML": b"v=0\r\n",
    "an end that is missing": body()[:-3],
    "an end of another": body("<a></b>"),
    "an attribute twice": body("<a b='1' b='2'/>"),
    "an attribute twice by two prefixes": body("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>"),
    "a prefix that nobody declared": body("<p:a/>"),
    "a control character": body("\x01"),
    "a zero byte": body("\x00"),
    "a reference to a zero byte": body("&#0;"),
    "a reference to half a character": body("&#xD800;"),
    "text behind the root": body() + b"text",
    "a declaration that comes late": b"<!-- -->" + body(declaration="<?xml version='1.0'?>"),
    "a namespace with a blank": body("<a xmlns='urn:x y'/>"),
    "a namespace that names another element": f"<x xmlns='{NS} recording'/>".encode(),
    "a namespace without end": body(f"<a xmlns='urn:{'x' * 300}'/>"),
    "a name without end": body(f"<{'a' * 65}/>"),
    "a name of strange letters": body("<ⅷ/>"),
    "UTF-16": body(declaration="<?xml version='1.0' encoding='UTF-16'?>").decode().encode("utf-16"),
    "UTF-16 without a mark": body().decode().encode("utf-16-le"),
    "UTF-32": body().decode().encode("utf-32"),
    "UTF-7": b"<?xml version='1.0' encoding='UTF-7'?>" + body("+ADw-name+AD4-x+ADw-/name+AD4-"),
    "EBCDIC": b"<?xml version='1.0' encoding='cp037'?>" + body(),
    "a charset that is another's": b"<?xml version='1.0' encoding='ISO-8859-1'?>" + body(),
    "Latin-1 that says it is UTF-8": b"<?xml version='1.0' encoding='UTF-8'?>"
    + body("\xe9").replace(b"\xc3\xa9", b"\xe9"),
    "overlong UTF-8": body("X").replace(b"X", b"\xc0\xbc"),
    "a surrogate in UTF-8": body("X").replace(b"X", b"\xed\xa0\x80"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(name: str) -> None:
    with pytest.raises(MetadataError) as refused:
        read(ATTACKS[name])
    # From a closed set: nothing of what stands there, for it may be logged
    assert str(refused.value).startswith("the metadata ")
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("fits", "exceeds"),
    [
        (body(" " * (MAX_SIZE - len(body()))), body(" " * (MAX_SIZE - len(body()) + 1))),
        (body("<a>" * (MAX_DEPTH - 1) + "</a>" * (MAX_DEPTH - 1)), body("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH)),
        (body("<a/>" * (MAX_ELEMENTS - 1)), body("<a/>" * MAX_ELEMENTS)),
        (body("<a " + " ".join(f"a{n}='1'" for n in range(MAX_ATTRIBUTES)) + "/>"),
         body("<a " + " ".join(f"a{n}='1'" for n in range(MAX_ATTRIBUTES + 1)) + "/>")),
        (body("".join(f"<a xmlns:p{n}='u{n}'/>" for n in range(63))),
         body("".join(f"<a xmlns:p{n}='u{n}'/>" for n in range(64)))),
    ],
    ids=["size", "depth", "elements", "attributes", "namespaces"],
)  # fmt: skip
def test_each_bound_holds(fits: bytes, exceeds: bytes) -> None:
    read(fits)
    with pytest.raises(MetadataError):
        read(exceeds)


@pytest.mark.parametrize(
    "flood",
    [
        body("<a " + " ".join(f"a{n}='1'" for n in range(6500)) + "/>"),
        body("<a " + " ".join(f"xmlns:a{n}='u{n}'" for n in range(3300)) + "/>"),
        body("<a>" * 21000),
        body("<!--" + "-" * 3 + "x" * 60000 + "-->"),
        body("&#65;" * 13000),
        body("<![CDATA[" + "]" * 65000),
    ],
    ids=["attributes", "namespaces", "depth", "comment", "references", "cdata"],
)
def test_floods_cost_no_more_than_their_size(flood: bytes) -> None:
    """In CPU time: the machine may be busy with other things, and lines may be counted."""
    assert len(flood) <= MAX_SIZE

    def attempt() -> None:
        with contextlib.suppress(MetadataError):
            read(flood)

    assert timeit.timeit(attempt, timer=time.process_time, number=10) < 2


def test_no_file_and_no_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("somebody opened something")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("socket.socket", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    for attack in ATTACKS.values():
        with pytest.raises(MetadataError):
            read(attack)


@pytest.mark.parametrize("charset", ["", "utf-8", "UTF-8", "us-ascii"])
def test_the_charset_of_the_media_type_has_the_first_word(charset: str) -> None:
    assert read(body(), charset).root.tag == (NS, "recording")
    with pytest.raises(MetadataError):
        read(body(), "utf-16")
    with pytest.raises(MetadataError):
        read(body(), "utf-7")


def test_what_is_read_is_structure_and_text() -> None:
    document = read(
        b"\xef\xbb\xbf\r\n<?xml version='1.0'?><!-- a --><?b c?>" + body("<a x=' 1 &lt;'>1<![CDATA[<&]]>2</a><!-- -->")
    )
    (child,) = document.root.children
    assert child.tag == (NS, "a")
    assert child.attributes == {("", "x"): " 1 <"}
    assert child.text == "1<&2"


def test_what_is_written_is_read_as_the_same() -> None:
    nasty = "a\"'<>&]]>\t\n\r é\U0001f600 --><!-- x"
    document = read(body("<a/>"))
    document.root.children[0].text = nasty
    document.root.children[0].attributes = {("", "x"): nasty, (metadata_xml.XML_SPACE, "lang"): "en"}
    text = write(document)
    again = read(text).root.children[0]
    assert again.text == nasty
    assert again.attributes == {("", "x"): nasty, (metadata_xml.XML_SPACE, "lang"): "en"}
    assert write(read(text)) == text


def test_prefixes_stay_for_recorders_that_look_for_them() -> None:
    text = write(read(
        b"<t:r xmlns:t='urn:a'><t:x/><y xmlns='urn:b'><z/><t:x/></y><q:a xmlns:q='urn:c' xmlns:r='urn:c'/><w/></t:r>"
    ))  # fmt: skip
    assert text == (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n<t:r xmlns:t="urn:a" xmlns:q="urn:c"><t:x></t:x>'
        b'<y xmlns="urn:b"><z></z><t:x></t:x></y><q:a></q:a><w></w></t:r>\r\n'
    )


def test_two_namespaces_of_one_prefix_stay_two() -> None:
    again = read(write(read(b"<p:r xmlns:p='urn:a'><p:x xmlns:p='urn:b'><n/></p:x><m xmlns='urn:a'/></p:r>")))
    tags = [again.root.tag, *(child.tag for child in again.root.children), again.root.children[0].children[0].tag]
    assert tags == [("urn:a", "r"), ("urn:b", "x"), ("urn:a", "m"), ("", "n")]


def test_what_is_read_leaves_nothing_for_the_garbage_collector() -> None:
    """What is refused leaves a traceback, which is bounded (tap/collector.py)."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            read(body("<a b='c'>d</a>"))
        assert gc.collect() == 0
        for _ in range(100):
            with contextlib.suppress(MetadataError):
                read(body("<a>"))
        assert gc.collect() < 100 * 60
    finally:
        gc.enable()
