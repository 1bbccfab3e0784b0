"""`sipveil cms`: encrypt to a recorder's certificate as Sipveil does, and open what was encrypted."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from config.encryption_certificate import (
    DecryptionKey,
    EncryptionCertificate,
    EncryptionCertificateError,
    faults,
    read_certificate,
    read_decryption_key,
)
from config.validity import Validity, validity
from filters.ber import CmsError
from filters.cms_algorithms import CIPHERS, Cipher, KeyTransport
from filters.cms_make import MAX_CONTENT, make, recipient
from filters.cms_open import Opened, open_cms, opener
from filters.forms import FormError
from filters.smime import Entity, Part, Sealing, cms_in, content_type_of, seal_parts
from tap.input_file import InputFileError, open_input

SHUT = 3
"""Exit code where CMS does not open."""
MAX_FILE = 2 * MAX_CONTENT
"""Octets of a file: CMS of the longest content, in base64."""
_DER = b"\x30"
PATH: click.Path = click.Path(path_type=Path)


@click.group()
def cms() -> None:
    """Try a recorder's certificate: encrypt to it, and open what was encrypted."""


@cms.command("make")
@click.argument("file")
@click.option("--to", "certificates", type=PATH, multiple=True, required=True, help="A certificate (PEM); repeatable.")
@click.option("--algorithm", type=click.Choice([each.value for each in Cipher]), default=Cipher.AES_128_GCM.value,
              show_default=True, help="GCM makes AuthEnvelopedData, CBC EnvelopedData.")  # fmt: skip
@click.option("--rsa", type=click.Choice([each.value for each in KeyTransport]), default=KeyTransport.OAEP.value,
              show_default=True, help="Padding where the certificate is of an RSA key.")  # fmt: skip
@click.option("--type", "content_type", default="application/rs-metadata+xml", show_default=True,
              help="Content-Type of FILE, which travels inside.")  # fmt: skip
@click.option("--bare", is_flag=True, help="Encrypt FILE alone, without a Content-Type.")
@click.option("--mime", is_flag=True, help="Write a MIME part, as it stands in a message, instead of DER.")
@click.option("--output", type=PATH, help="Where to write; default: standard output.")
def make_command(
    file: str, certificates: tuple[Path, ...], algorithm: str, rsa: str, content_type: str, bare: bool, mime: bool,
    output: Path | None,
) -> None:  # fmt: skip
    """Encrypt FILE (`-` for standard input) to recorders, as Sipveil encrypts metadata to them.

    Each of them can open it. Exit code 1: a certificate or file cannot be used.
    """
    wall = time.time()
    sealing = Sealing(
        [recipient(each) for each in _recorders(certificates, wall)], Cipher(algorithm), KeyTransport(rsa)
    )
    content = _content(file)
    try:
        if bare:
            made = make(content, sealing.recipients, wall, cipher=sealing.cipher, transport=sealing.transport)
            kind = content_type_of(sealing.cipher)
        else:
            kind, _, made = seal_parts(Entity(content_type.encode(), b"", content), _all, sealing, wall).entity
    except FormError as error:
        _fail(f"{file}: {error}")
    head = b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    _write(output, head + made if mime else made)


@cms.command("open")
@click.argument("file")
@click.option("--key", "keys", type=PATH, multiple=True, required=True, help="The private key (PEM), mode 0600.")
@click.option("--cert", "certificates", type=PATH, multiple=True, required=True,
              help="The certificate that was encrypted to (PEM); repeatable, each with its --key.")  # fmt: skip
@click.option("--output", type=PATH, help="Where to write; default: standard output.")
def open_command(file: str, keys: tuple[Path, ...], certificates: tuple[Path, ...], output: Path | None) -> None:
    """Open FILE (`-` for standard input): CMS in DER, or a MIME part that holds it.

    What was in it is written, its Content-Type first. Of several keys the one opens whose certificate FILE names. One
    that has ended opens here, with a warning, and not in front of a recorder. Exit code 3: it does not open; 1: a file
    cannot be used.
    """
    if len(keys) != len(certificates):
        raise click.UsageError("--cert and --key go together: write one of each for each certificate")
    openers = []
    for certificate, key in zip(certificates, keys, strict=True):
        own = _own(certificate, key)
        for wrong in _warnings(own, time.time()):
            click.echo(f"warning: {certificate}: {wrong}", err=True)
        openers.append(opener(own)._replace(validity=Validity()))  # who has the key may look into what is old
    data = _content(file)
    if not data.startswith(_DER):
        data = _cms_in(data, file)
    try:
        opened = open_cms(data, openers, time.time(), unauthenticated=True)
    except CmsError as error:
        click.echo(f"sipveil cms: {file}: {error}", err=True)
        sys.exit(SHUT)
    _tell(opened)
    _write(output, opened.content)


def _recorders(paths: tuple[Path, ...], wall: float) -> list[EncryptionCertificate]:
    """Read certificates that are encrypted to; say all that is wrong with each, and exit."""
    found, mistakes = [], []
    for path in paths:
        try:
            each = read_certificate(path)
        except EncryptionCertificateError as error:
            mistakes.append(str(error))
            continue
        found.append(each)
        if not each.validity.holds(wall):
            held = f"the certificate holds from {each.validity.days()}"
            mistakes.append(f"{path}: {held}; have it renewed, or look at the clock")
    if mistakes:
        _fail(*mistakes)
    return found


def _own(certificate: Path, key: Path) -> DecryptionKey:
    try:
        return read_decryption_key(certificate, key)
    except EncryptionCertificateError as error:
        _fail(str(error))


def _warnings(own: DecryptionKey, wall: float) -> list[str]:
    """Return why Sipveil would not encrypt to a certificate, which opens all the same here."""
    held, wrong = validity(own.certificate), list(faults(own.certificate))
    if not held.holds(wall):
        wrong.append(f"the certificate holds from {held.days()}: a recorder-edge opens nothing for it")
    return wrong


def _content(file: str) -> bytes:
    try:
        with open_input(file) as stream:
            data = stream.read(MAX_FILE + 1)
    except InputFileError as error:
        _fail(str(error))
    if len(data) > MAX_FILE:
        _fail(f"{file}: larger than {MAX_FILE >> 20} MiB")
    return data


def _cms_in(data: bytes, file: str) -> bytes:
    try:
        return cms_in(data)
    except FormError:
        _fail(f"{file}: neither CMS in DER nor a MIME part that holds it")


def _tell(opened: Opened) -> None:
    """Say how it was encrypted, beside the output."""
    click.echo(f"opened: {opened.cipher}", err=True)
    if not CIPHERS[opened.cipher].authenticated:
        click.echo("warning: EnvelopedData authenticates nothing: whoever passed it on may have changed it", err=True)


def _write(output: Path | None, data: bytes) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        _fail(f"{output}: cannot be written: {error.strerror}")


def _all(_: Part) -> bool:
    return True


def _fail(*why: str) -> NoReturn:
    for each in why:
        click.echo(f"sipveil cms: {each}", err=True)
    sys.exit(1)
