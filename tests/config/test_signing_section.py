"""Keys about signed calls."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.signing_section import Signing, Verification

X5U = "https://cert.example.org/p.pem"


def test_what_is_attested_without_a_word() -> None:
    """Never A: nobody here has checked that a caller may use a number."""
    signing = Signing(x5u=X5U)
    assert (signing.attest_access, signing.attest_core, signing.attest_trunk) == ("B", "C", "C")
    assert (signing.key, signing.chain, signing.numbers) == ("signing.key", None, ())
    assert (Verification().anchors, Verification().certificates) == ("anchors.pem", "certificates")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("x5u", "http://cert.example.org/p.pem"),
        ("attest_access", "D"),
        ("numbers", ("1555",)),
        ("numbers", ("+0",)),
    ],
)
def test_what_no_verifier_would_take(key: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=key):
        Signing.model_validate({"x5u": X5U, key: value})
