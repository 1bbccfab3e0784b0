"""`sipveil cms`: an operator tries a recorder's certificate, and hears what is wrong with it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from filters import cms_make
from filters.cms_algorithms import Cipher
from tap.cms_command import MAX_FILE, SHUT, cms
from tap.main import main
from tests.recorders import KINDS, METADATA, Recorder, certificate, key, openssl, recorder, run_openssl, usage

CONTENT_TYPE = b"Content-Type: application/rs-metadata+xml\r\n\r\n"


def now(kind: str = "p256", start: float = -1, days: float = 90) -> Recorder:
    """Return a recorder whose certificate holds today."""
    return Recorder(
        recorder(kind).key, certificate(recorder(kind).key.public_key(), wall=time.time(), start=start, days=days)
    )


@pytest.fixture
def metadata(tmp_path: Path) -> Path:
    path = tmp_path / "metadata.xml"
    path.write_bytes(METADATA)
    return path


def call(*arguments: str | Path, data: bytes | None = None) -> Result:
    return CliRunner().invoke(cms, [str(each) for each in arguments], input=data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cipher", Cipher)
def test_there_and_back(kind: str, cipher: Cipher, tmp_path: Path, metadata: Path) -> None:
    """What was made opens; how it was encrypted stands on standard error."""
    path, secret = now(kind).write(tmp_path)
    made = call("make", "--to", path, "--algorithm", cipher.value, metadata)
    assert (made.exit_code, made.stderr) == (0, "")
    opened = call("open", "--key", secret, "--cert", path, "-", data=made.stdout_bytes)
    assert opened.exit_code == 0
    assert opened.stdout_bytes == CONTENT_TYPE + METADATA
    assert opened.stderr.startswith(f"opened: {cipher.value}\n")
    assert ("authenticates nothing" in opened.stderr) == ("cbc" in cipher.value)


def test_files_and_forms(tmp_path: Path, metadata: Path) -> None:
    """As a MIME part, bare, into files, for several."""
    path, secret = now().write(tmp_path)
    other, other_secret = now("rsa").write(tmp_path, "other")
    made, out = tmp_path / "made", tmp_path / "out"
    done = call("make", "--to", path, "--to", other, "--bare", "--mime", "--rsa", "pkcs1", "--output", made, metadata)
    assert (done.exit_code, done.output) == (0, "")
    assert made.read_bytes().startswith(
        b"Content-Type: application/pkcs7-mime; smime-type=auth-enveloped-data; name=smime.p7m\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n0"
    )
    for with_key, with_certificate in ((secret, path), (other_secret, other)):
        opened = call("open", "--key", with_key, "--cert", with_certificate, "--output", out, made)
        assert (opened.exit_code, out.read_bytes()) == (0, METADATA)


@openssl
def test_with_openssl_on_the_other_side(tmp_path: Path, metadata: Path) -> None:
    """What docs/recording.md tells to try."""
    path, secret = now().write(tmp_path)
    made = call("make", "--to", path, metadata).stdout_bytes
    asked = ("cms", "-decrypt", "-inform", "DER", "-binary", "-recip", path.name, "-inkey", secret.name)
    assert run_openssl(tmp_path, made, *asked) == CONTENT_TYPE + METADATA
    other = run_openssl(tmp_path, METADATA, "cms", "-encrypt", "-binary", "-aes-128-gcm", "-recip", path.name)
    opened = call("open", "--key", secret, "--cert", path, "-", data=other)
    assert opened.stdout_bytes == METADATA


@openssl
@pytest.mark.parametrize(("start", "days"), [(-10, -1), (1, 10)])
def test_a_certificate_that_does_not_hold(start: int, days: int, tmp_path: Path, metadata: Path) -> None:
    """Nothing is made; what was made opens, with a warning."""
    path, secret = now(start=start, days=days).write(tmp_path)
    made = call("make", "--to", path, metadata)
    assert made.exit_code == 1
    assert made.stdout_bytes == b""
    assert "the certificate holds from" in made.stderr
    asked = ("cms", "-encrypt", "-binary", "-outform", "DER", "-aes-128-gcm", "-recip", path.name)
    opened = call("open", "--key", secret, "--cert", path, "-", data=run_openssl(tmp_path, METADATA, *asked))
    assert (opened.exit_code, opened.stdout_bytes) == (0, METADATA)
    assert "warning: " in opened.stderr
    assert "the certificate holds from" in opened.stderr


def test_all_that_is_wrong_with_all_certificates(tmp_path: Path, metadata: Path) -> None:
    """One line a certificate."""
    made = key("p256")
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    bad = Recorder(made, certificate(made.public_key(), usage(digital_signature=True), server, wall=time.time()))
    path, secret = bad.write(tmp_path)
    lapsed, _ = now(days=-0.5).write(tmp_path, "lapsed")
    done = call("make", "--to", path, "--to", lapsed, "--to", tmp_path / "none.pem", metadata)
    assert done.exit_code == 1
    first, second, third = done.stderr.splitlines()
    assert "keyAgreement" in first
    assert "emailProtection" in first
    assert "the certificate holds from" in second
    assert "cannot be read" in third
    assert all(line.startswith("sipveil cms: ") for line in (first, second, third))
    opened = call("open", "--key", secret, "--cert", path, metadata)
    assert "warning: " in opened.stderr
    assert "keyAgreement" in opened.stderr


def test_what_does_not_open(tmp_path: Path, metadata: Path) -> None:
    """Exit code 3, one line, nothing of the content."""
    path, secret = now().write(tmp_path)
    other, other_secret = Recorder(made := key("p256"), certificate(made.public_key(), wall=time.time())).write(
        tmp_path, "other"
    )
    made_cms = call("make", "--to", path, metadata).stdout_bytes
    changed = made_cms[:-1] + bytes((made_cms[-1] ^ 1,))
    for with_key, with_certificate, data in (
        (other_secret, other, made_cms), (secret, path, changed), (secret, path, made_cms[:-1]), (secret, path, b"0"),
    ):  # fmt: skip
        done = call("open", "--key", with_key, "--cert", with_certificate, "-", data=data)
        assert (done.exit_code, done.stdout_bytes) == (SHUT, b"")
        assert done.stderr.startswith("sipveil cms: -: CMS ")
        assert done.stderr.count("\n") == 1


def test_several_keys(tmp_path: Path, metadata: Path) -> None:
    """The one opens that was encrypted to; one that has ended too, with a warning: an auditor reads what is old."""
    path, secret = now().write(tmp_path)
    other = now("rsa", start=-9, days=-1)
    other_path, other_secret = other.write(tmp_path, "other")
    old = cms_make.make(CONTENT_TYPE + METADATA, [other.recipient], time.time() - 5 * 86_400)
    pairs = ("--cert", path, "--key", secret, "--cert", other_path, "--key", other_secret)
    for data in (call("make", "--to", path, metadata).stdout_bytes, old):
        opened = call("open", *pairs, "-", data=data)
        assert (opened.exit_code, opened.stdout_bytes) == (0, CONTENT_TYPE + METADATA)
        assert f"warning: {other_path}: the certificate holds from" in opened.stderr
        assert "a recorder-edge opens nothing for it" in opened.stderr
        assert f"warning: {path}" not in opened.stderr
    half = call("open", *pairs[:-2], "-", data=old)
    assert (half.exit_code, half.stdout_bytes) == (2, b"")
    assert "--cert and --key go together" in half.stderr


@pytest.mark.parametrize("data", [b"", b"hello", METADATA, b"Content-Type: text/plain\r\n\r\nx"])
def test_what_is_no_cms(data: bytes, tmp_path: Path) -> None:
    """Some other file."""
    path, secret = now().write(tmp_path)
    done = call("open", "--key", secret, "--cert", path, "-", data=data)
    assert (done.exit_code, done.stdout_bytes) == (1, b"")
    assert "neither CMS" in done.stderr


def test_files_that_cannot_be_used(tmp_path: Path, metadata: Path) -> None:
    """Named, with what would be right; keys are read only while private."""
    path, secret = now().write(tmp_path)
    secret.chmod(0o644)
    assert "chmod 600" in call("open", "--key", secret, "--cert", path, metadata).stderr
    secret.chmod(0o600)
    assert "cannot be read" in call("make", "--to", path, tmp_path / "none").stderr
    assert "cannot be written" in call("make", "--to", path, "--output", tmp_path, metadata).stderr
    assert "larger than" in call("make", "--to", path, "-", data=bytes(MAX_FILE + 1)).stderr
    assert "too large" in call("make", "--to", path, "-", data=bytes(MAX_FILE)).stderr
    assert "no media type" in call("make", "--to", path, "--type", "nothing", metadata).stderr
    mixed = tmp_path / "mixed.pem"
    mixed.write_bytes(recorder("rsa").certificate.public_bytes(Encoding.PEM))
    assert "is not of the key" in call("open", "--key", secret, "--cert", mixed, metadata).stderr


def test_usage() -> None:
    """The command is there, and asks for what it needs."""
    assert "cms" in CliRunner().invoke(main, ["--help"]).output
    assert call("make").exit_code == 2
    assert call("make", "--to", "x", "--algorithm", "des3", "y").exit_code == 2
