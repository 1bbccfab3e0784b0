"""Our CMS and that of others: `openssl cms` opens what we make, and we open what it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters.cms_algorithms import Cipher, KeyTransport
from filters.cms_make import make
from filters.cms_open import open_cms
from filters.smime import cms_in
from tests.recorders import KINDS, METADATA, WALL, openssl, recorder, run_openssl

pytestmark = openssl
OAEP = ("-keyopt", "rsa_padding_mode:oaep")
RSA = {
    "pkcs1": (), "oaep": OAEP, "oaep-sha256": (*OAEP, "-keyopt", "rsa_oaep_md:sha256"),
    "oaep-sha512-mgf1-sha1": (*OAEP, "-keyopt", "rsa_oaep_md:sha512", "-keyopt", "rsa_mgf1_md:sha1"),
}  # fmt: skip
EC = {
    "kdf-default": (), "kdf-sha256": ("-keyopt", "ecdh_kdf_md:sha256"), "kdf-sha384": ("-keyopt", "ecdh_kdf_md:sha384"),
    "kdf-sha512": ("-keyopt", "ecdh_kdf_md:sha512"),
}  # fmt: skip
OPTIONS = [
    pytest.param(kind, options, id=f"{kind}-{name}")
    for kind in KINDS
    for name, options in (RSA if kind == "rsa" else EC).items()
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cipher", Cipher)
@pytest.mark.parametrize("transport", KeyTransport)
def test_openssl_opens_ours(kind: str, cipher: Cipher, transport: KeyTransport, tmp_path: Path) -> None:
    """Each key with each cipher."""
    certificate, key = recorder(kind).write(tmp_path)
    made = make(METADATA, [recorder(kind).recipient], WALL, cipher=cipher, transport=transport)
    asked = ("cms", "-decrypt", "-inform", "DER", "-binary", "-recip", certificate.name, "-inkey", key.name)
    assert run_openssl(tmp_path, made, *asked) == METADATA


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_opens_ours_as_one_of_a_group(kind: str, tmp_path: Path) -> None:
    """Whoever of the recorders it is."""
    certificate, key = recorder(kind).write(tmp_path)
    made = make(METADATA, [recorder(each, which).recipient for which in (1, 0) for each in KINDS], WALL)
    asked = ("cms", "-decrypt", "-inform", "DER", "-binary", "-recip", certificate.name, "-inkey", key.name)
    assert run_openssl(tmp_path, made, *asked) == METADATA


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
@pytest.mark.parametrize("cipher", Cipher)
@pytest.mark.parametrize("form", [(), ("-stream",), ("-keyid",)], ids=["plain", "stream", "keyid"])
def test_we_open_openssls(
    kind: str, options: tuple[str, ...], cipher: Cipher, form: tuple[str, ...], tmp_path: Path
) -> None:
    """Each key, cipher, padding and hash; -stream writes BER, -keyid names the key's identifier."""
    certificate, _ = recorder(kind).write(tmp_path)
    asked = ("cms", "-encrypt", "-binary", "-outform", "DER", f"-{cipher}", *form, "-recip", certificate.name)
    made = run_openssl(tmp_path, METADATA, *asked, *options)
    assert open_cms(made, [recorder(kind).opener], WALL, unauthenticated=True) == (METADATA, cipher, 0)


def test_a_long_stream(tmp_path: Path) -> None:
    """A megabyte in pieces."""
    certificate, _ = recorder("p256").write(tmp_path)
    content = METADATA * 8000
    asked = ("cms", "-encrypt", "-binary", "-stream", "-outform", "DER", "-aes-128-gcm", "-recip", certificate.name)
    assert open_cms(run_openssl(tmp_path, content, *asked), [recorder("p256").opener], WALL).content == content


def test_the_form_that_openssl_writes_by_default(tmp_path: Path) -> None:
    """S/MIME as in mail: a head, and base64."""
    certificate, _ = recorder("p256").write(tmp_path)
    asked = ("cms", "-encrypt", "-binary", "-aes-256-gcm", "-recip", certificate.name)
    assert (
        open_cms(cms_in(run_openssl(tmp_path, METADATA, *asked)), [recorder("p256").opener], WALL).content == METADATA
    )


def test_what_its_default_cipher_is(tmp_path: Path) -> None:
    """Triple DES, where nobody asks for another (before OpenSSL 3.5): refused by name of what would be taken."""
    certificate, _ = recorder("rsa").write(tmp_path)
    asked = ("cms", "-encrypt", "-binary", "-outform", "DER", "-des3", "-recip", certificate.name)
    with pytest.raises(ValueError, match="AES with GCM or CBC"):
        open_cms(run_openssl(tmp_path, METADATA, *asked), [recorder("rsa").opener], WALL, unauthenticated=True)
