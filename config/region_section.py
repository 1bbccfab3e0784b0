"""`[region]`: where subscribers' data may go (GDPR Art. 44 to 49)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.countries import COUNTRIES
from config.section import Section

Basis = Literal["none", "adequacy", "clauses", "rules"]


def _country(text: str) -> str:
    """Refuse what is no country."""
    if text not in COUNTRIES:
        raise ValueError('is not a country of ISO 3166; write two capital letters, such as "DE" or "GB"')
    return text


Country = Annotated[str, AfterValidator(_country), Field(title="country")]


class Region(Section):
    """Where the data of subscribers stay who do not let them leave: such a subscriber's calls reach only trunks with a
    `country` of the region, or with a `transfer_basis` that is enough.

    A subscriber decides by the word `abroad` (`hide`: the data stay, `show`: they may leave; `abroad@trunk=show` is
    consent for one trunk). Trunks that may not have a call are passed over by forks and groups, in failover too; where
    none is left the caller gets 403. Who forwarded a call counts as well. Emergency calls go.
    """

    countries: tuple[Country, ...] = Field(min_length=1, description="countries of the region, ISO 3166-1 alpha-2")
    bases: tuple[Literal["adequacy", "clauses", "rules"], ...] = Field(
        default=("adequacy",), description="bases of a transfer that are enough for trunks elsewhere"
    )
    default: Literal["stay", "leave"] = Field(
        default="stay", description="what becomes of the data of subscribers who have not said"
    )
