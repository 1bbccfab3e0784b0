"""`[trunks.credentials]`: by what a trunk that asks for a password knows us."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.section import Section


def _quotable(text: str) -> str:
    """Refuse what does not stand in a quoted-string as it is, or takes no part in a digest (RFC 7616 §3.4.2)."""
    if not text or len(text) > 255 or any(sign in '"\\' or not sign.isprintable() for sign in text):
        raise ValueError('is not a text that a header can quote; write 1 to 255 letters without " and \\')
    return text


def _user(text: str) -> str:
    """Refuse a user with a colon: it ends there in what is hashed."""
    if ":" in text:
        raise ValueError('is not a digest user; write it without ":", and the realm in `realm`')
    return _quotable(text)


class Credentials(Section):
    """What a trunk that challenges (401 or 407) is answered with; without it the challenge goes to the caller.

    The password stands in a file of its own, readable for its owner only, and is read at the start and at each reload.
    Towards such a trunk CSeq counts in steps of four, so that a request can be repeated with credentials.
    """

    user: Annotated[str, AfterValidator(_user), Field(title="digest user")] = Field(description="the user at the trunk")
    password_file: str = Field(
        description="file with the password and nothing else, readable for its owner only; relative to `state_dir`"
    )
    realm: Annotated[str, AfterValidator(_quotable), Field(title="realm")] | None = Field(
        default=None,
        description="the only realm that is answered; without it any is, those too that the trunk lets others ask for",
    )
    algorithms: tuple[Literal["SHA-512-256", "SHA-256", "MD5"], ...] = Field(
        default=("SHA-512-256", "SHA-256", "MD5"),
        min_length=1,
        description="digest algorithms that may be used (RFC 8760), the one to prefer at the head; without MD5 a trunk "
        "cannot be made to ask for it",
    )
