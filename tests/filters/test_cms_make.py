"""CMS as we make it."""

from __future__ import annotations

import pytest

from filters.ber import CmsError, Reader
from filters.cms_algorithms import AUTH_ENVELOPED, CIPHERS, DATA, ENVELOPED, Cipher, KeyTransport
from filters.cms_make import MAX_CONTENT, MAX_RECIPIENTS, make
from filters.cms_open import open_cms
from filters.der import INTEGER, OID, SEQUENCE, SET, explicit, integer
from tests.recorders import KINDS, METADATA, WALL, Recorder, certificate, recorder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cipher", Cipher)
@pytest.mark.parametrize("transport", KeyTransport)
def test_every_combination_opens(kind: str, cipher: Cipher, transport: KeyTransport) -> None:
    """Each key with each cipher."""
    made = make(METADATA, [recorder(kind).recipient], WALL, cipher=cipher, transport=transport)
    assert open_cms(made, [recorder(kind).opener], WALL, unauthenticated=True) == (METADATA, cipher, 0)
    assert METADATA[:16] not in made


@pytest.mark.parametrize("cipher", Cipher)
def test_the_structure(cipher: Cipher) -> None:
    """RFC 5083 §2.1 and RFC 5652 §6.1: types and versions."""
    versions = []
    for kinds in (("rsa",), ("p256", "rsa")):
        info = Reader(make(b"x", [recorder(kind).recipient for kind in kinds], WALL, cipher=cipher)).into(SEQUENCE)
        authenticated = CIPHERS[cipher].authenticated
        assert info.take(OID).raw == (AUTH_ENVELOPED if authenticated else ENVELOPED)
        fields = info.into(explicit(0)).into(SEQUENCE)
        versions.append(fields.take(INTEGER).raw)
        fields.take(SET)
        assert fields.into(SEQUENCE).take(OID).raw == DATA
        if authenticated:
            assert len(fields.any().content) == 16
        fields.end()
    assert versions == ([integer(0)] * 2 if CIPHERS[cipher].authenticated else [integer(0), integer(2)])


def test_a_group_of_recorders() -> None:
    """Each opens it alone, whatever its key; nobody else does."""
    group = [recorder(kind, which) for kind in KINDS for which in (0, 1)]
    made = make(METADATA, [each.recipient for each in group], WALL)
    for each in group:
        assert open_cms(made, [each.opener], WALL).content == METADATA
    with pytest.raises(CmsError, match="none of our keys"):
        open_cms(made, [recorder("p256", 2).opener], WALL)


def test_nothing_is_made_twice() -> None:
    """Each has a content key and a nonce of its own."""
    assert make(METADATA, [recorder("p256").recipient], WALL) != make(METADATA, [recorder("p256").recipient], WALL)


@pytest.mark.parametrize(("start", "days"), [(-10, -1), (1, 10)])
def test_a_certificate_that_does_not_hold(start: int, days: int) -> None:
    """Not for it, and for nobody of its group."""
    key = recorder("p256").key
    lapsed = Recorder(key, certificate(key.public_key(), start=start, days=days))
    with pytest.raises(CmsError, match="does not hold now"):
        make(METADATA, [recorder("rsa").recipient, lapsed.recipient], WALL)


def test_bounds() -> None:
    """Of recipients and of content."""
    one = recorder("p256").recipient
    assert make(bytes(MAX_CONTENT), [one] * MAX_RECIPIENTS, WALL)
    for content, recipients in ((b"", []), (b"", [one] * (MAX_RECIPIENTS + 1)), (bytes(MAX_CONTENT + 1), [one])):
        with pytest.raises(CmsError):
            make(content, recipients, WALL)
