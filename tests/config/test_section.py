"""What all sections of the configuration have in common."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from config.section import ActionName, HostName, IPText


@pytest.mark.parametrize("value", ["hide", "Keep", 0, True, None, ["keep"]])
def test_what_names_no_action_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="is not an action"):
        TypeAdapter(ActionName).validate_python(value)


@pytest.mark.parametrize("text", ["sip.example.com", "[2001:db8::1]", "0x7f.1", ""])
def test_what_is_no_address_is_not_bound(text: str) -> None:
    with pytest.raises(ValidationError, match="is not an IP address"):
        TypeAdapter(IPText).validate_python(text)


@pytest.mark.parametrize("text", ["192.0.2.1", "a..b", "sip:a.example", "a b", ""])
def test_what_is_no_host_name_is_not_looked_up(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a host name"):
        TypeAdapter(HostName).validate_python(text)
