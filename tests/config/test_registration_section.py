"""`[trunks.registration]` takes what a REGISTER can be made of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.registration_section import Registration


def test_the_least_that_is_written() -> None:
    section = Registration.model_validate({})
    assert (section.user, section.domain, section.registrar, section.required) == (None, None, None, False)
    assert (section.expires, section.called) == (3600, ("p-called-party-id", "to"))


@pytest.mark.parametrize("user", ["+15550100", "line-7", "a%20b", "u=1&v"])
def test_users_that_a_uri_holds(user: str) -> None:
    assert Registration.model_validate({"user": user}).user == user


@pytest.mark.parametrize("user", ["", "a b", "a@b", "a:b", "a;b", "a?b", "a>b", "a\r\nVia: x", "a%2", "ä", "a" * 129])
@pytest.mark.parametrize("key", ["user", "contact_user", "number"])
def test_users_that_no_uri_holds(key: str, user: str) -> None:
    with pytest.raises(ValidationError, match="is not a user part"):
        Registration.model_validate({key: user})


@pytest.mark.parametrize("domain", ["", "a b", "192.0.2.1", "a;b", "a>b", "a..b", "x.example:5060"])
def test_what_is_no_domain(domain: str) -> None:
    with pytest.raises(ValidationError, match="is not a domain"):
        Registration.model_validate({"domain": domain})


@pytest.mark.parametrize(
    "wrong", [{"expires": 59}, {"expires": 86401}, {"retry": 0.5}, {"retry_most": 3601}, {"called": ("from",)}]
)
def test_bounds(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Registration.model_validate(wrong)
