"""`[trunks.credentials]` takes what a digest can be made of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.credentials_section import Credentials


def test_the_least_that_is_written() -> None:
    section = Credentials.model_validate({"user": "+15550100", "password_file": "carrier.password"})
    assert (section.realm, section.algorithms) == (None, ("SHA-512-256", "SHA-256", "MD5"))


@pytest.mark.parametrize("user", ["", "a:b", 'a"b', "a\\b", "a\r\nVia: x", "a" * 256])
def test_a_user_that_no_digest_or_header_holds(user: str) -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate({"user": user, "password_file": "f"})


@pytest.mark.parametrize("realm", ["", 'a"b', "a\\b", "a\n"])
def test_a_realm_that_no_header_holds(realm: str) -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate({"user": "u", "password_file": "f", "realm": realm})


@pytest.mark.parametrize("algorithms", [(), ("MD5-sess",)])
def test_algorithms_that_nobody_knows(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate({"user": "u", "password_file": "f", "algorithms": algorithms})
