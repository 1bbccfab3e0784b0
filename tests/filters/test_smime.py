"""Encrypted parts: exchanged, and nothing beside them touched; opened, and nothing put in that was not there."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.ber import CmsError
from filters.cms_algorithms import Cipher, KeyTransport
from filters.cms_make import make
from filters.cms_open import open_cms
from filters.forms import FormError
from filters.multipart import MAX_DEPTH
from filters.smime import (
    Changed,
    Entity,
    Part,
    Sealing,
    Swapped,
    change_parts,
    cms_in,
    content_type_of,
    open_parts,
    seal_parts,
)
from tests.recorders import METADATA, WALL, Recorder, certificate, openssl, recorder, run_openssl
from tests.strategies import mutations

OURS = [recorder("p256").opener]
SEALING = Sealing([recorder("p256").recipient])
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\na=label:1\r\n"
SDP_PART = b"Content-Type: application/sdp\r\n\r\n" + SDP
METADATA_PART = (
    b"Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n"
    b"Content-ID: <m1@src>\r\n\r\n" + METADATA
)
MIXED = b"multipart/mixed;boundary=foobar"
PKCS7 = b"application/pkcs7-mime; smime-type=auth-enveloped-data; name=smime.p7m"


def is_metadata(part: Part) -> bool:
    return part.kind.startswith(b"application/rs-metadata")


def multipart(*parts: bytes, boundary: bytes = b"foobar") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + one + b"\r\n" for one in parts) + b"--" + boundary + b"--\r\n"


def sealed(content_type: bytes, body: bytes, sealing: Sealing = SEALING, encoding: bytes = b"") -> Swapped:
    return seal_parts(Entity(content_type, encoding, body), is_metadata, sealing, WALL)


def opened(entity: Entity, *, unauthenticated: bool = False) -> Swapped:
    found = open_parts(entity, OURS, WALL, unauthenticated=unauthenticated)
    return Swapped(found.entity, found.number)


BODY = b"preamble\r\n" + multipart(SDP_PART, METADATA_PART, b"\r\nplain") + b"epilogue"


def test_one_part_is_exchanged_and_nothing_else() -> None:
    """RFC 8591 §5; Content-Disposition and Content-ID stay, all else of the part goes inside."""
    entity, number = sealed(MIXED, BODY)
    assert (entity.content_type, entity.content_encoding, number) == (MIXED, b"", 1)
    before, after = BODY.split(METADATA_PART)
    assert entity.body.startswith(before)
    assert entity.body.endswith(after)
    part = entity.body[len(before) : -len(after)]
    head, _, cms = part.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"Content-Type: " + PKCS7, b"Content-Disposition: recording-session", b"Content-ID: <m1@src>",
        b"Content-Transfer-Encoding: binary",
    ]  # fmt: skip
    assert open_cms(cms, OURS, WALL).content == b"Content-Type: application/rs-metadata+xml\r\n\r\n" + METADATA


def test_there_and_back() -> None:
    """The very octets, with each cipher."""
    for cipher in Cipher:
        entity, _ = sealed(MIXED, BODY, SEALING._replace(cipher=cipher))
        assert opened(entity, unauthenticated=True) == (Entity(MIXED, b"", BODY), 1)


def test_nothing_to_exchange() -> None:
    """The same object, and the number says so."""
    entity = Entity(b"application/sdp", b"", SDP)
    assert seal_parts(entity, is_metadata, SEALING, WALL) == (entity, 0)
    assert seal_parts(entity, is_metadata, SEALING, WALL).entity is entity
    assert opened(entity).entity is entity
    assert opened(Entity(MIXED, b"", BODY)).number == 0


def test_a_body_of_its_own() -> None:
    """RFC 7866 §9: an update of the metadata alone; what describes it goes inside."""
    entity, number = sealed(b"application/rs-metadata;charset=utf-8", METADATA, encoding=b"gzip")
    assert (entity.content_type, entity.content_encoding, number) == (PKCS7, b"", 1)
    inner = open_cms(entity.body, OURS, WALL).content
    assert inner == (
        b"Content-Type: application/rs-metadata;charset=utf-8\r\nContent-Encoding: gzip\r\n\r\n" + METADATA
    )
    assert opened(entity) == (Entity(b"application/rs-metadata;charset=utf-8", b"gzip", METADATA), 1)


def test_the_type_says_which_kind() -> None:
    """RFC 8551 §3.2.2."""
    assert content_type_of(Cipher.AES_256_GCM) == PKCS7
    assert b"smime-type=enveloped-data" in content_type_of(Cipher.AES_128_CBC)
    old = SEALING._replace(cipher=Cipher.AES_256_CBC, transport=KeyTransport.PKCS1)
    assert sealed(b"application/rs-metadata", METADATA, old).entity.content_type == content_type_of(Cipher.AES_256_CBC)


def test_multiparts_in_each_other() -> None:
    """What encloses the part stays too, but for a Content-Length that says how long it is."""
    inner = multipart(METADATA_PART, SDP_PART, boundary=b"in")
    head = b"Content-Type: multipart/mixed; boundary=in\r\nContent-Length: %d\r\nX-Odd: 1\r\n\r\n"
    body = multipart(SDP_PART, head % len(inner) + inner)
    entity, number = sealed(MIXED, body)
    assert number == 1
    found = re.search(rb"Content-Length: (\d+)\r\nX-Odd: 1\r\n\r\n(.*)\r\n--foobar--", entity.body, re.DOTALL)
    assert found
    assert int(found[1]) == len(found[2]) != len(inner)
    assert METADATA not in entity.body
    assert opened(entity) == (Entity(MIXED, b"", body), 1)


def test_a_content_length_of_the_part_itself() -> None:
    """It goes inside, where it is true."""
    part = METADATA_PART.replace(b"Content-ID", b"Content-Length: %d\r\nContent-ID" % len(METADATA))
    entity, _ = sealed(MIXED, multipart(part))
    assert b"Content-Length" not in entity.body
    assert b"Content-Length: %d\r\n" % len(METADATA) in opened(entity).entity.body


def test_a_part_that_names_nothing() -> None:
    """It has a Content-Type inside."""
    entity = seal_parts(Entity(MIXED, b"", multipart(b"\r\nplain")), lambda _: True, SEALING, WALL).entity
    everything = opened(entity).entity
    assert (everything.content_type, everything.body) == (MIXED, multipart(b"\r\nplain"))
    chosen = seal_parts(
        Entity(MIXED, b"", multipart(b"\r\nplain")), lambda part: part.kind == b"text/plain", SEALING, WALL
    )
    assert opened(chosen.entity).entity.body == multipart(b"Content-Type: text/plain\r\n\r\nplain")


@pytest.mark.parametrize("boundary", [b"a", b"0", b"'", b"="])
def test_the_boundary_is_not_in_what_is_encrypted(boundary: bytes) -> None:
    """Of a single letter, in large parts: encrypted until it is not."""
    part = METADATA_PART + bytes(8000)
    body = multipart(SDP_PART, part, boundary=boundary).replace(b"\r\n--", b"\n--")
    for _ in range(60):
        entity, _ = sealed(b'multipart/mixed;boundary="' + boundary + b'"', body)
        assert opened(entity).entity.body == body


def test_a_boundary_that_cannot_be_avoided() -> None:
    """It is in the name of who issued the certificate: given up after some tries, and refused."""
    key = recorder("p256").key
    odd = Recorder(key, certificate(key.public_key(), issuer="x --foobar"))
    with pytest.raises(CmsError, match="boundary"):
        sealed(MIXED, BODY, Sealing([odd.recipient]))
    assert sealed(b"application/rs-metadata", METADATA, Sealing([odd.recipient])).number == 1


def encrypted(inner: bytes, *lines: bytes, content_type: bytes = PKCS7) -> bytes:
    """Return a part that holds what we never encrypt."""
    return b"\r\n".join((b"Content-Type: " + content_type, *lines, b"", make(inner, SEALING.recipients, WALL)))


@pytest.mark.parametrize("inner", [b"A: b\r\n\r\n" + METADATA, METADATA, b"", b"\r\n" + METADATA, b"no head\r\n\r\nx"])
def test_what_is_no_entity(inner: bytes) -> None:
    """Without a Content-Type nobody knows what it is."""
    with pytest.raises(FormError):
        opened(Entity(MIXED, b"", multipart(encrypted(inner))))


def test_a_part_cannot_bring_others_along() -> None:
    """What is encrypted must not end its part: whoever encrypts would add parts to what we hand on."""
    evil = b"Content-Type: text/plain\r\n\r\nx\r\n--foobar\r\nContent-Type: application/sdp\r\n\r\n" + SDP
    with pytest.raises(CmsError, match="boundary"):
        opened(Entity(MIXED, b"", multipart(encrypted(evil))))
    for inner in (b"Content-Type: a/b\rX: y\r\n\r\nx", b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\nx"):
        with pytest.raises(FormError):
            opened(Entity(PKCS7, b"", make(inner, SEALING.recipients, WALL)))


def test_what_was_authenticated_counts() -> None:
    """A header inside replaces the one outside, which anybody could have changed."""
    inner = b"Content-Type: application/rs-metadata\r\nContent-Disposition: recording-session\r\n\r\n" + METADATA
    part = encrypted(inner, b"Content-Disposition: attachment", b"Content-ID: <a@b>", b"Content-Length: 7")
    assert opened(Entity(MIXED, b"", multipart(part))).entity.body == multipart(
        b"Content-Type: application/rs-metadata\r\nContent-Disposition: recording-session\r\nContent-ID: <a@b>\r\n\r\n"
        + METADATA
    )


def test_base64_may_be_received() -> None:
    """RFC 3853 §3; in lines, as mail has it."""
    inner = b"Content-Type: a/b\r\n\r\nx"
    cms = make(inner, SEALING.recipients, WALL)
    head = b"Content-Type: " + PKCS7 + b"\r\nContent-Transfer-Encoding: %b\r\n\r\n"
    part = head % b"Base64" + base64.encodebytes(cms).replace(b"\n", b"\r\n")
    assert opened(Entity(MIXED, b"", multipart(part))) == (Entity(MIXED, b"", multipart(inner)), 1)
    assert cms_in(part) == cms
    for bad in (head % b"base64" + b"@@@@", head % b"base64" + b"QQ", head % b"quoted-printable" + cms):
        with pytest.raises(CmsError):
            opened(Entity(MIXED, b"", multipart(bad)))


def test_what_is_no_cms() -> None:
    """Of another type."""
    with pytest.raises(CmsError, match="not CMS"):
        cms_in(METADATA_PART)


def test_signed_data_is_left_alone() -> None:
    """Only what says that it is encrypted is opened, or says nothing."""
    signed = b"application/pkcs7-mime; smime-type=signed-data"
    body = multipart(b"Content-Type: " + signed + b"\r\n\r\n0\x00")
    assert opened(Entity(MIXED, b"", body)) == (Entity(MIXED, b"", body), 0)
    inner = b"Content-Type: a/b\r\n\r\nx"
    for unsaid in (b"application/pkcs7-mime", b"application/x-pkcs7-mime;name=smime.p7m"):
        assert opened(Entity(MIXED, b"", multipart(encrypted(inner, content_type=unsaid)))).number == 1


def test_what_is_encoded_once_more() -> None:
    """Compressed outside, or in base64 inside of a message, which has no header to say so."""
    inner = b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\neA=="
    cms = make(inner, SEALING.recipients, WALL)
    with pytest.raises(CmsError):
        opened(Entity(PKCS7, b"", cms))
    with pytest.raises(CmsError):
        opened(Entity(PKCS7, b"gzip", cms))
    assert opened(Entity(MIXED, b"", multipart(encrypted(inner)))).entity.body == multipart(inner)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"multipart/mixed", BODY),
        (b"multipart/mixed;boundary=other", BODY),
        (b"", b""),
        (b"a/b;x=\r\nEvil: 1", b""),
        (MIXED, multipart(b"no head")),
        (MIXED, multipart(METADATA_PART.replace(b"Content-ID", b"Content-Type"))),
        (MIXED, multipart(b"Content-Type: nothing\r\n\r\n")),
    ],
)
def test_bodies_that_cannot_be_read(content_type: bytes, body: bytes) -> None:
    """FormError, which no message survives; an empty body is only nothing to encrypt."""
    if not content_type:
        assert sealed(content_type, body).number == 0
        return
    with pytest.raises(FormError):
        sealed(content_type, body)
    if b"Content-ID" in body:
        return
    with pytest.raises(FormError):
        opened(Entity(content_type, b"", body))


def test_depth_is_bounded() -> None:
    """As for the bodies that plans clean."""
    body, kind = METADATA_PART, b""
    for depth in range(MAX_DEPTH + 1):
        if depth == MAX_DEPTH:
            assert sealed(kind, body.partition(b"\r\n\r\n")[2]).number == 1
        kind = b"multipart/mixed;boundary=d%d" % depth
        body = b"Content-Type: " + kind + b"\r\n\r\n" + multipart(body, boundary=b"d%d" % depth)
    with pytest.raises(FormError):
        sealed(kind, body.partition(b"\r\n\r\n")[2])


def test_a_refusal_for_who_cannot_open() -> None:
    """Another's key, and EnvelopedData where it is not allowed."""
    entity = sealed(MIXED, BODY, Sealing([recorder("p256", 1).recipient])).entity
    with pytest.raises(CmsError):
        opened(entity)
    old = sealed(MIXED, BODY, SEALING._replace(cipher=Cipher.AES_128_CBC)).entity
    with pytest.raises(CmsError, match="not allowed"):
        opened(old)


@given(mutations(BODY))
def test_mutated_bodies(body: bytes) -> None:
    """What can be encrypted comes back as it was, but for line ends and the order of the part's own head."""
    try:
        entity, number = sealed(MIXED, body)
    except FormError:
        return
    back = opened(entity)
    assert back.number == number
    if not number:
        assert back.entity.body == body


@given(mutations(sealed(MIXED, BODY).entity.body))
def test_mutated_encrypted_bodies(body: bytes) -> None:
    """One kind of error; metadata that opens is what was encrypted."""
    try:
        back = opened(Entity(MIXED, b"", body))
    except FormError:
        return
    assert back.number == 0 or METADATA in back.entity.body


@given(st.binary(max_size=300))
def test_any_body(body: bytes) -> None:
    """As a part, any octets at all travel."""
    if b"--foobar" in body:
        return
    part = b"Content-Type: application/rs-metadata\r\n\r\n" + body
    whole = multipart(part, SDP_PART)
    assert opened(sealed(MIXED, whole).entity).entity.body == whole


def test_a_part_that_is_changed_leaves_the_rest_as_it_was() -> None:
    """Its own length and type are those of what it is now; who refers to it still does."""
    seen: list[tuple[bytes, bytes, bool]] = []

    def change(part: Part, content_type: bytes, plain: bool) -> Changed | None:
        seen.append((part.kind, content_type, plain))
        return Changed(b"application/rs-metadata+xml", b"<new/>") if is_metadata(part) else None

    telling = b"Content-Length: 999\r\nContent-Description: x\r\nX: y\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID"
    entity = Entity(MIXED, b"", BODY.replace(b"Content-ID", telling))
    changed = change_parts(entity, change)
    kept = METADATA_PART.partition(b"\r\n\r\n")[0] + b"\r\n\r\n<new/>"
    assert changed == Swapped(Entity(MIXED, b"", BODY.replace(METADATA_PART, kept)), 1)
    assert [kind for kind, _, _ in seen] == [
        b"multipart/mixed", b"application/sdp", b"application/rs-metadata+xml", b"text/plain",
    ]  # fmt: skip
    assert all(plain for _, _, plain in seen)
    assert change_parts(entity, lambda *_: None) == Swapped(entity, 0)


@pytest.mark.parametrize("name", [b"Content-Encoding: gzip", b"Content-Transfer-Encoding: base64"])
def test_who_changes_a_part_hears_that_it_is_encoded(name: bytes) -> None:
    heard: list[bool] = []
    body = multipart(name + b"\r\n" + METADATA_PART)
    change_parts(Entity(MIXED, b"", body), lambda part, kind, plain: heard.append(plain))
    assert heard == [True, False]


def test_a_part_is_not_changed_into_two() -> None:
    with pytest.raises(FormError, match="boundary"):
        change_parts(
            Entity(MIXED, b"", BODY),
            lambda part, *_: Changed(b"text/plain", b"x\r\n--foobar\r\n") if is_metadata(part) else None,
        )


def test_a_boundary_within_a_line_ends_nothing() -> None:
    """What was in a part before it was encrypted is so afterwards (found by test_mutated_bodies)."""
    body = BODY.replace(METADATA, METADATA + b"<!-- --foobar -->")
    back = opened(sealed(MIXED, body).entity)
    assert back.number == 1
    assert METADATA + b"<!-- --foobar -->" in back.entity.body


@pytest.mark.parametrize(
    "kind", [b"auth-enveloped-data", b"authEnveloped-data", b"AUTHENVELOPED-DATA", b'"authEnveloped-data"']
)
def test_both_spellings_of_the_type_are_opened(kind: bytes) -> None:
    """RFC 8591 §4.2 has the first, RFC 8551 §3.2.2 the second."""
    inner = b"Content-Type: application/rs-metadata\r\n\r\n" + METADATA
    content_type = PKCS7.replace(b"auth-enveloped-data", kind)
    assert opened(Entity(MIXED, b"", multipart(encrypted(inner, content_type=content_type)))).number == 1


@openssl
@pytest.mark.parametrize("cipher", ["-aes-128-gcm", "-aes-256-cbc"])
def test_a_part_as_openssl_writes_it_in_mail(cipher: str, tmp_path: Path) -> None:
    """With its own head: type in quotes, disposition, base64."""
    path, _ = recorder("p256").write(tmp_path)
    inner = b"Content-Type: application/rs-metadata\r\n\r\n" + METADATA
    part = run_openssl(tmp_path, inner, "cms", "-encrypt", "-binary", cipher, "-recip", path.name)
    found = opened(
        Entity(MIXED, b"", multipart(SDP_PART, part.removeprefix(b"MIME-Version: 1.0\n"))), unauthenticated=True
    )
    assert found.number == 1
    assert METADATA in found.entity.body


@pytest.mark.parametrize(
    ("line", "outside"),
    [
        (b"Content-Disposition: recording-session", b"Content-Disposition: recording-session"),
        (b"content-disposition:x ;handling=required", b"content-disposition:x ;handling=required"),
        (b'Content-Disposition: x;filename="Alice; Canary.xml";handling=optional',
         b"Content-Disposition: x;handling=optional"),
        (b'Content-Disposition: x;\r\n handling="alice canary"', b"Content-Disposition: x"),
    ],
    ids=["alone", "handling", "file name", "no handling"],
)  # fmt: skip
def test_a_disposition_tells_outside_only_how_to_handle_a_part(line: bytes, outside: bytes) -> None:
    """And inside all that it told, which counts for who opens it."""
    part = METADATA_PART.replace(b"Content-Disposition: recording-session", line)
    entity, _ = sealed(MIXED, multipart(SDP_PART, part))
    assert b"\r\n" + outside + b"\r\nContent-ID: <m1@src>\r\n" in entity.body
    assert b"anary" not in entity.body
    assert line in opened(entity).entity.body
    assert opened(entity).entity.body.lower().count(b"content-disposition") == 1


def test_which_of_our_keys_opened() -> None:
    """Of several parts each; none where nothing was encrypted."""
    ours = [recorder(kind).opener for kind in ("rsa", "p256", "p384")]
    parts = [sealed(b"application/rs-metadata+xml", METADATA, Sealing([recorder(kind).recipient])).entity
             for kind in ("p384", "rsa")]  # fmt: skip
    both = multipart(*(b"Content-Type: " + each.content_type + b"\r\n\r\n" + each.body for each in parts))
    assert open_parts(Entity(MIXED, b"", both), ours, WALL).places == {0, 2}
    assert open_parts(parts[0], ours, WALL).places == {2}
    assert open_parts(Entity(MIXED, b"", multipart(SDP_PART)), ours, WALL).places == set()
