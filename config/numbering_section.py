"""How numbers are dialled here, and how each trunk wants them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.region_section import Country
from config.section import Section

Digits = Annotated[str, Field(pattern=r"^\+?[0-9*#]{0,15}$", title="digits")]


class Numbering(Section):
    """The dial plan of subscribers, by which a number is told to be one with country code (E.164).

    Read so: `+49301234567`, `0049301234567` or `0301234567` (with `home = "DE"`), a tel URI, `phone-context`. Emergency
    numbers, short codes and what holds letters are never touched. A `prefix` of a route that begins with `+` then
    matches a number however it was dialled.
    """

    home: Country = Field(description="country whose numbering plan subscribers dial in, ISO 3166-1 alpha-2")
    short: int = Field(
        default=6,
        ge=3,
        le=12,
        description="numbers without `+` of so many digits at most are short codes or extensions",
    )


class TrunkNumbers(Section):
    """How a trunk wants numbers in Request-URI and To and, where it may see them, in From and P-Asserted-Identity.

    Needs `[numbering]`. The sender sees in its dialog what it wrote. tel URIs get the form with `+`, their only global
    one (RFC 3966 §5.1.4).
    """

    form: Literal["e164", "international", "national"] = Field(
        default="e164",
        description="e164: `+` and country code; international: `prefix` and country code; national: as dialled within "
        "the home country, numbers of others as `international`",
    )
    prefix: Digits = Field(default="00", description="what stands for `+` in the international form")
    strip: Digits = Field(default="", description="taken off the front of such a number, where it begins so")
    add: Digits = Field(default="", description="put in front of it then: a customer code of the trunk")
