"""CMS as others may send it: opened, or refused with one outcome for all that an attacker could learn from."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from config.validity import Validity
from filters import cms_algorithms as known
from filters.ber import CmsError, Element, Reader, ValidityError
from filters.cms_algorithms import CIPHERS, Cipher, KeyTransport, algorithm
from filters.cms_make import MAX_CONTENT, make
from filters.cms_open import ENDED, FAILED, MAX_SIZE, NOT_OURS, open_cms
from filters.der import NULL, OID, SEQUENCE, SET, explicit, implicit, integer, octets, sequence, set_of, value
from tests.recorders import KINDS, METADATA, WALL, Recorder, certificate, recorder

OURS = [recorder(kind).opener for kind in KINDS]
MADE = {
    (kind, cipher, transport): make(METADATA, [recorder(kind).recipient], WALL, cipher=cipher, transport=transport)
    for kind in KINDS
    for cipher in Cipher
    for transport in KeyTransport
}
ANY = st.sampled_from(sorted(MADE.values()))


def outcome(data: bytes, *, unauthenticated: bool = True) -> bytes | str:
    """What comes out, or what is said."""
    try:
        return open_cms(data, OURS, WALL, unauthenticated=unauthenticated).content
    except CmsError as error:
        return str(error)


@given(st.binary(max_size=3000), st.sampled_from(KINDS), st.sampled_from(list(Cipher)))
def test_any_content(content: bytes, kind: str, cipher: Cipher) -> None:
    """What went in comes out."""
    assert outcome(make(content, [recorder(kind).recipient], WALL, cipher=cipher)) == content


@given(ANY, st.data())
@settings(max_examples=400)
def test_whatever_is_changed(made: bytes, data: st.DataObject) -> None:
    """Octets changed, cut off or put in: never another error, and never other content where that is authenticated."""
    start = data.draw(st.integers(0, len(made)))
    end = data.draw(st.integers(start, min(len(made), start + 40)))
    changed = made[:start] + data.draw(st.binary(max_size=12)) + made[end:]
    found = outcome(changed)
    cbc = any(CIPHERS[cipher].oid in made for cipher in Cipher if not CIPHERS[cipher].authenticated)
    assert isinstance(found, str) or found == METADATA or cbc


@given(st.binary(max_size=200))
def test_whatever_comes(data: bytes) -> None:
    """The one error, nearly always."""
    assert isinstance(outcome(data), str)


@given(ANY, st.data())
def test_whatever_is_cut_off(made: bytes, data: st.DataObject) -> None:
    """Never any content."""
    assert isinstance(outcome(made[: data.draw(st.integers(0, len(made) - 1))]), str)
    assert isinstance(outcome(made + b"\x00"), str)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cipher", [Cipher.AES_128_GCM, Cipher.AES_256_GCM])
def test_each_octet_counts(kind: str, cipher: Cipher) -> None:
    """One octet after the other, in all regions; nothing opens but what says no more than whose it is."""
    made = MADE[kind, cipher, KeyTransport.OAEP]
    opens = [at for at in range(len(made)) if not isinstance(outcome(_flipped(made, at)), str)]
    # The versions, of the whole and of the recipient, which say nothing that its form does not.
    assert [made[at - 2 : at] for at in opens] == [integer(0)[:2]] * 2
    for at in range(len(made) - len(METADATA) - 40, len(made)):  # nonce, content and tag
        assert isinstance(outcome(_flipped(made, at)), str)


def _flipped(made: bytes, at: int) -> bytes:
    return made[:at] + bytes((made[at] ^ 1,)) + made[at + 1 :]


def test_one_outcome() -> None:
    """A wrong key, a changed wrapped key, changed content and padding that is none: the same words (RFC 3218)."""
    said = set()
    for (kind, _, _), made in MADE.items():
        # Another's key under our certificate's name.
        wrong = recorder(kind).opener._replace(key=recorder(kind, 1).key)
        try:
            open_cms(made, [wrong], WALL, unauthenticated=True)
        except CmsError as error:
            said.add(str(error))
        wrapped = _wrapped_key(made)
        for at in (0, len(wrapped) // 2, len(wrapped) - 1):
            changed = outcome(made.replace(wrapped, _flipped(wrapped, at)))
            # CBC under a random key ends in what looks like padding once in 256 times; that is no metadata either.
            assert changed != METADATA
            said |= {changed} if isinstance(changed, str) else set()
        said |= {text for text in (outcome(_flipped(made, len(made) - 1)),) if isinstance(text, str)}
    assert said == {FAILED}


def _wrapped_key(made: bytes) -> bytes:
    """Return the wrapped key of the only recipient."""
    fields = Reader(made).into(SEQUENCE)
    fields.any()
    fields = fields.into(explicit(0)).into(SEQUENCE)
    fields.any()
    info = fields.into(SET).any()
    last = _last(info)
    while last.tag == SEQUENCE:
        last = _last(last)
    return last.content


def _last(element: Element) -> Element:
    fields = Reader(element.content)
    found = fields.any()
    while fields.more():
        found = fields.any()
    return found


def test_a_key_of_another_kind() -> None:
    """Our certificate's name with a RecipientInfo for another kind of key: the same again."""
    made = MADE["rsa", Cipher.AES_128_GCM, KeyTransport.OAEP]
    odd = recorder("rsa").opener._replace(key=recorder("p256").key)
    with pytest.raises(CmsError, match=FAILED):
        open_cms(made, [odd], WALL)
    odd = recorder("p256").opener._replace(key=recorder("rsa").key)
    with pytest.raises(CmsError, match=FAILED):
        open_cms(MADE["p256", Cipher.AES_128_GCM, KeyTransport.OAEP], [odd], WALL)


def test_for_none_of_us() -> None:
    """Said before anything is computed."""
    made = make(METADATA, [recorder("p256", 1).recipient], WALL)
    assert outcome(made) == NOT_OURS
    with pytest.raises(CmsError, match=NOT_OURS):
        open_cms(made, [], WALL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_does_not_hold_opens_nothing(kind: str) -> None:
    """Before its first second and after its last; both are told from what is not for us, and nothing is computed."""
    key, day = recorder(kind).key, 86_400
    old = Recorder(key, certificate(key.public_key(), start=-20, days=-10))
    made = make(METADATA, [old.recipient], WALL - 15 * day)
    never = old.opener._replace(key=recorder("p256" if kind == "rsa" else "rsa").key)
    for wall in (WALL - 20 * day, WALL - 10 * day):
        assert open_cms(made, [old.opener], wall).content == METADATA
    for wall in (WALL - 20 * day - 1, WALL - 10 * day + 1):
        for each in (old.opener, never):
            with pytest.raises(ValidityError, match=ENDED):
                open_cms(made, [each], wall)


def test_a_renewed_certificate_of_the_same_key_opens_what_names_the_key() -> None:
    """Its key identifier is that of the one before, which has ended and stands first; issuer and number are not."""
    key = recorder("rsa").key
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    old, new = (Recorder(key, certificate(key.public_key(), identifier, start=-20, days=days)) for days in (-10, 10))
    openers = [old.opener, new.opener]
    by_key = envelope(infos=set_of(rsa_info(value(implicit(0), identifier.digest))))
    assert open_cms(by_key, openers, WALL).content == METADATA
    assert open_cms(make(METADATA, [new.recipient], WALL), openers, WALL).content == METADATA
    with pytest.raises(ValidityError):
        open_cms(make(METADATA, [old.recipient], WALL - 15 * 86_400), openers, WALL)


def test_of_several_keys_only_the_one_that_is_named_first_is_tried() -> None:
    """A message that names all of us, and often, asks for one computation: the first that holds, and no other."""
    others = [recorder("rsa", which).opener for which in (1, 2)]
    ours = [*others, recorder("rsa").opener]
    wrong = [rsa_info(each.identity.issuer_and_serial)[:-1] + b"\x00" for each in others]
    made = envelope(infos=value(SET, *wrong * 15, rsa_info()))
    for openers in (ours, ours[::-1]):
        with pytest.raises(CmsError, match=FAILED):
            open_cms(made, openers, WALL)
    ended = [each._replace(validity=Validity(ends=WALL - 1)) for each in others]
    assert open_cms(made, [*ended, ours[-1]], WALL).content == METADATA


def test_enveloped_data_has_to_be_allowed() -> None:
    """It authenticates nothing; and AuthEnvelopedData must not be taken for it, or the other way (RFC 9709 §1)."""
    cbc = MADE["p256", Cipher.AES_128_CBC, KeyTransport.OAEP]
    assert outcome(cbc) == METADATA
    assert "not allowed" in str(outcome(cbc, unauthenticated=False))
    gcm = MADE["p256", Cipher.AES_128_GCM, KeyTransport.OAEP]
    assert outcome(gcm, unauthenticated=False) == METADATA
    as_cbc = gcm.replace(CIPHERS[Cipher.AES_128_GCM].oid, CIPHERS[Cipher.AES_128_CBC].oid)
    assert isinstance(outcome(as_cbc), str)
    iv = algorithm(CIPHERS[Cipher.AES_128_CBC].oid, octets(bytes(16)))
    assert "another kind" in str(outcome(envelope(content=(known.DATA, iv, value(implicit(0), bytes(32))))))
    nonce = sequence(octets(bytes(12)), integer(16))
    gcm_content = (known.DATA, algorithm(CIPHERS[Cipher.AES_128_GCM].oid, nonce), value(implicit(0), b"x"))
    assert "another kind" in str(outcome(envelope(known.ENVELOPED, content=gcm_content, tag=b"")))


KEY = bytes(range(16))
NONCE = bytes(12)
HOW = algorithm(CIPHERS[Cipher.AES_128_GCM].oid, sequence(octets(NONCE), integer(16)))


def rsa_info(name: bytes | None = None) -> bytes:
    rsa = recorder("rsa").recipient
    assert isinstance(rsa.key, RSAPublicKey)
    how, encrypted = algorithm(known.RSA_PKCS1, value(NULL)), octets(rsa.key.encrypt(KEY, PKCS1v15()))
    return sequence(integer(0), rsa.identity.issuer_and_serial if name is None else name, how, encrypted)


def envelope(
    kind: bytes = known.AUTH_ENVELOPED, *, infos: bytes | None = None, content: tuple[bytes, ...] | None = None,
    attributes: bytes = b"", tag: bytes | None = None, before: bytes = b"", after: bytes = b"",
) -> bytes:  # fmt: skip
    """Return CMS with what we never write."""
    # RFC 5083 §2.2: the attributes are authenticated as SET OF
    sealed = AESGCM(KEY).encrypt(NONCE, METADATA, bytes((SET,)) + attributes[1:] if attributes else None)
    return sequence(kind, value(explicit(0), sequence(
        integer(0), before, set_of(rsa_info()) if infos is None else infos,
        sequence(*(content or (known.DATA, HOW, value(implicit(0), sealed[:-16])))), attributes,
        octets(sealed[-16:]) if tag is None else tag, after,
    )))  # fmt: skip


@pytest.mark.parametrize(
    "made",
    [
        envelope(),
        envelope(attributes=value(explicit(1), sequence(known.DATA))),
        envelope(before=value(explicit(0)), after=value(explicit(2), sequence())),
        envelope(infos=value(SET, value(explicit(4), known.DATA), value(explicit(2), integer(4)), rsa_info())),
        envelope(infos=set_of(rsa_info(value(implicit(0), recorder("rsa").recipient.identity.key_identifier)))),
    ],
)
def test_what_we_never_write(made: bytes) -> None:
    """Attributes, originatorInfo, recipients of other kinds, and by key identifier."""
    assert outcome(made) == METADATA


def test_attributes_are_authenticated() -> None:
    """Changed, or taken out."""
    made = envelope(attributes=value(explicit(1), sequence(known.DATA)))
    assert outcome(made.replace(value(explicit(1), sequence(known.DATA)), b"")) != METADATA
    assert outcome(made.replace(value(explicit(1), sequence(known.DATA)), value(explicit(1), sequence(HOW[2:13])))) != (
        METADATA
    )


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (envelope(known.DATA), "neither"),
        (envelope(content=(known.ENVELOPED, HOW, value(implicit(0), b"x"))), "no data"),
        (envelope(content=(known.DATA, HOW)), "elsewhere"),
        (envelope(content=(known.DATA, algorithm(value(OID, b"\x2a\x03")), value(implicit(0), b"x"))), "cipher"),
        (envelope(tag=octets(bytes(15))), "does not open"),
        (envelope(tag=b""), "lacks"),
        (envelope(infos=set_of()), "none of our keys"),
        (envelope(infos=value(SET, *[value(explicit(2))] * 32, rsa_info())), "too many"),
        (envelope(after=octets(b"")), "should end"),
        (bytes(MAX_SIZE + 1), "too large"),
    ],
)
def test_what_is_refused(made: bytes, why: str) -> None:
    """In a sentence that says which."""
    assert why in str(outcome(made))


def test_the_first_of_our_names_counts() -> None:
    """One message asks for one computation with our key, however often it names us."""
    start = time.process_time()
    wrong = rsa_info()[:-1] + b"\x00"
    assert outcome(envelope(infos=value(SET, *[wrong] * 31, rsa_info()))) == FAILED
    assert time.process_time() - start < 0.5


def test_a_certificate_without_key_identifier() -> None:
    """Its key's hash names it."""
    key = recorder("rsa").key
    bare = Recorder(key, certificate(key.public_key()))
    usual = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    made = envelope(infos=set_of(rsa_info(value(implicit(0), usual))))
    assert open_cms(made, [bare.opener], WALL).content == METADATA


def test_a_megabyte() -> None:
    """The longest body opens, in time."""
    made = make(bytes(MAX_CONTENT), [recorder("p256").recipient], WALL)
    start = time.process_time()
    assert len(open_cms(made, OURS, WALL).content) == MAX_CONTENT
    assert time.process_time() - start < 1
