"""What every section of the configuration is made of: the base class, and the kinds of text that keys take."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
)

from config.address import is_ip
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category


def _action(value: object, info: ValidationInfo) -> Action:
    """Read an action by its name, so that a file says `remove` and a plan compares integers.

    It has to be one that the category, after which the field is named, has a meaning for.
    """
    field = (info.field_name or "").upper()
    sensible = SENSIBLE_ACTIONS[Category[field]] if field in Category.__members__ else tuple(Action)
    names = {action.name.lower(): action for action in sensible}
    action = names.get(value) if isinstance(value, str) else value
    if not isinstance(action, Action) or action not in sensible:
        raise ValueError(f"is not an action for {field.lower()}; write one of {', '.join(names)}")
    return action


def _ip(text: str) -> str:
    """Refuse an address to bind that would need a look-up first."""
    if not is_ip(text):
        raise ValueError('is not an IP address; write "192.0.2.1", "2001:db8::1", or "0.0.0.0" for all of IPv4')
    return text


def _host_name(text: str) -> str:
    """Refuse what nobody would look up."""
    if is_ip(text) or not re.fullmatch(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?", text):
        raise ValueError('is not a host name; write it as the trunk has it, such as "sip.carrier.example"')
    return text


ActionName = Annotated[Action, BeforeValidator(_action), PlainSerializer(lambda action: action.name.lower())]
# The titles are what the reference calls these kinds of text.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", title="name")]
IPText = Annotated[str, AfterValidator(_ip), Field(title="IP address")]
HostName = Annotated[str, AfterValidator(_host_name), Field(title="host name")]
# Method names are case-sensitive (RFC 3261 §7.1): a route for "invite" would never match.
Method = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_-]*$", title="method")]
# What an Identity header's `info` can hold (RFC 8224 §4); SHAKEN wants https (ATIS-1000074 §5.3.1).
Https = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9._~:/?#@!$&'()*+,=%\[\]-]+$", title="https URL")]
NumberStart = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$", title="number")]
Dialled = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,15}$", title="dialled number")]


class Section(BaseModel):
    """Base of all sections: immutable, unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
