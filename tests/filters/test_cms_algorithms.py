"""Algorithm identifiers, and that the tables fit together."""

from __future__ import annotations

import subprocess

import pytest

from filters.ber import CmsError, Reader
from filters.cms_algorithms import (
    AGREEMENTS,
    CIPHER_OF,
    CIPHERS,
    RSA_PKCS1,
    WRAP_SIZES,
    Cipher,
    algorithm,
    read_algorithm,
    require_no_parameters,
)
from filters.der import NULL, integer, sequence, value
from tests.recorders import openssl


@openssl
def test_openssl_knows_them_by_these_names() -> None:
    """Each cipher's identifier is the one that OpenSSL has for its name."""
    for cipher, facts in CIPHERS.items():
        command = ["openssl", "asn1parse", "-inform", "DER"]
        said = subprocess.run(command, input=facts.oid, capture_output=True, check=True).stdout.decode()
        assert said.strip().lower().endswith(f":{cipher}")


def test_tables() -> None:
    """Both ways."""
    assert set(CIPHER_OF.values()) == set(CIPHERS) == set(Cipher)
    assert {facts.key_size for facts in CIPHERS.values()} <= set(WRAP_SIZES.values())
    assert len(AGREEMENTS) == 4


def test_identifiers() -> None:
    """With and without parameters, and nothing behind them."""
    found = read_algorithm(Reader(algorithm(RSA_PKCS1, value(NULL))))
    assert (found.oid, found.parameters and found.parameters.raw) == (RSA_PKCS1, b"\x05\x00")
    require_no_parameters(found)
    bare = read_algorithm(Reader(algorithm(RSA_PKCS1)))
    assert bare.parameters is None
    require_no_parameters(bare)
    with pytest.raises(CmsError):
        read_algorithm(Reader(sequence(RSA_PKCS1, value(NULL), value(NULL))))
    with pytest.raises(CmsError):
        require_no_parameters(read_algorithm(Reader(algorithm(RSA_PKCS1, integer(1)))))
