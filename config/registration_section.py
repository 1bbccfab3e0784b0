"""`[trunks.registration]`: Sipveil registers itself at a trunk that sends calls only to who is registered."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.address import NextHop, is_ip
from config.section import Section

# user = 1*( unreserved / escaped / user-unreserved ) (RFC 3261 §25.1), less what begins parameters or a password
_USER = re.compile(r"(?:[0-9A-Za-z_.!~*'()&=+$,-]|%[0-9A-Fa-f]{2}){1,128}")


def _user(text: str) -> str:
    """Refuse what is no user part of a URI."""
    if not _USER.fullmatch(text):
        raise ValueError("is not a user part of a SIP URI; write it without host, such as +15550100")
    return text


def _domain(text: str) -> str:
    """Refuse what is no host of a URI."""
    if is_ip(text) or not re.fullmatch(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*", text):
        raise ValueError('is not a domain; write the one of the account, such as "sip.carrier.example"')
    return text


UserPart = Annotated[str, AfterValidator(_user), Field(title="user part")]


class Registration(Section):
    """Registers one address of record at the trunk, by REGISTER, so that the trunk sends its calls to us.

    It is renewed in good time, tried again after failures, and taken out at a stop. Its Contact tells our address and a
    user that says nothing. With several workers the first one registers for all. `[trunks.credentials]` answers the
    trunk's challenges.
    """

    user: UserPart | None = Field(
        default=None, description="user of the address of record; default: `user` of the trunk's credentials"
    )
    domain: Annotated[str, AfterValidator(_domain), Field(title="domain")] | None = Field(
        default=None,
        description="domain of the address of record; default: the trunk's `domain`, else the host that is first in "
        "`hosts`",
    )
    registrar: NextHop | None = Field(
        default=None,
        description="where REGISTER goes, within `hosts` or `networks`, and by a name as those of `hosts`; default: "
        "`hosts`, one after the other",
    )
    contact_user: UserPart | None = Field(
        default=None,
        description="user of our Contact, for carriers that insist on one; default: a pseudonym that says nothing",
    )
    number: UserPart | None = Field(
        default=None,
        description="who is called where the trunk calls our Contact and names nobody but the registration itself; "
        "default: its user",
    )
    called: tuple[Literal["p-called-party-id", "to"], ...] = Field(
        default=("p-called-party-id", "to"),
        description="headers that tell whom the trunk calls at our Contact, the first that does counts; a carrier that "
        'leaves To as the caller dialled it needs `["p-called-party-id"]`',
    )
    expires: int = Field(
        default=3600, ge=60, le=86400, description="seconds that are asked for; the registrar may shorten them"
    )
    retry: float = Field(
        default=30.0, ge=1, le=600,
        description="seconds until the first try after a failure, half of them at least; each further failure doubles "
        "them (RFC 5626 §4.5)",
    )  # fmt: skip
    retry_most: float = Field(default=600.0, ge=1, le=3600, description="where that doubling ends")
    required: bool = Field(
        default=False,
        description="while it is not registered the trunk counts as out of order: groups turn to it last; needs one "
        "worker",
    )
