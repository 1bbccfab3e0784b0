"""The sections of the configuration about privacy: an action for each category of data, at each level of the policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from config.section import ActionName, Dialled, Method, Name, Section
from config.vocabulary import Action, Category


class Privacy(Section):
    """One action for each data category; a category that is left out is not decided at this level."""

    name: ActionName | None = Field(default=None, description="display names")
    number: ActionName | None = Field(default=None, description="telephone numbers and addresses of record")
    location: ActionName | None = Field(default=None, description="country, cell, geolocation, language")
    device: ActionName | None = Field(default=None, description="device ids, push tokens, serial numbers")
    status: ActionName | None = Field(default=None, description="phone status, NAT type, quality reports")
    software: ActionName | None = Field(default=None, description="User-Agent, Server and their like")
    network: ActionName | None = Field(
        default=None, description="addresses and topology: Via, Contact, Record-Route, Call-ID"
    )
    credentials: ActionName | None = Field(default=None, description="authorizations for realms that are not ours")
    content: ActionName | None = Field(
        default=None, description="message bodies and texts other than session descriptions"
    )
    history: ActionName | None = Field(default=None, description="who forwarded or transferred the call")
    recording: ActionName | None = Field(default=None, description="who is recorded, by whom and when")
    unknown: ActionName | None = Field(default=None, description="fields that the catalogue does not name")

    def of(self, category: Category) -> Action | None:
        """Return the action for category, or None where this level says nothing."""
        action: Action | None = getattr(self, category.name.lower())
        return action


STRICT_DEFAULT = Privacy(
    name=Action.ANONYMISE,
    number=Action.ANONYMISE,
    location=Action.REMOVE,
    device=Action.REMOVE,
    status=Action.REMOVE,
    software=Action.REMOVE,
    network=Action.SEAL,
    credentials=Action.REMOVE,
    content=Action.REMOVE,
    history=Action.REMOVE,
    recording=Action.REMOVE,
    unknown=Action.REMOVE,
)
"""What is hidden of a subscriber who has said nothing."""

ACCESS_DEFAULT = Privacy(
    location=Action.REMOVE,
    device=Action.REMOVE,
    status=Action.REMOVE,
    software=Action.REMOVE,
    network=Action.SEAL,
    credentials=Action.KEEP,
    unknown=Action.REMOVE,
)
"""What phones may not see of others."""


def replacing_only_its_keys(strict: Privacy) -> BeforeValidator:
    """Lay a table that the file gives in part over strict, so that saying less never hides less."""

    def fill(value: object) -> object:
        return strict.model_dump(exclude_none=True) | value if isinstance(value, dict) else value

    return BeforeValidator(fill)


class SubscriberPrivacy(Section):
    """The levels of policy that hold for every subscriber."""

    floor: Privacy = Field(default=Privacy(), description="the least that is hidden, whatever anybody asks for")
    default: Annotated[Privacy, replacing_only_its_keys(STRICT_DEFAULT)] = Field(
        default=STRICT_DEFAULT,
        description="what is hidden of a subscriber who has said nothing; a key given here replaces only that key",
    )
    session: Literal["refuse", "degrade"] = Field(
        default="refuse",
        description="what becomes of `Privacy: session`, which needs a media relay: 500, or all but the media address "
        "is hidden and the wish is left in the header for whoever comes next",
    )
    withhold: tuple[Dialled, ...] = Field(
        default=("*67",), description="prefixes that withhold the caller's number for one call"
    )
    show: tuple[Dialled, ...] = Field(
        default=("*82",),
        description="prefixes that show the caller's number for one call, where only the default hides it",
    )


class PolicyRule(Section):
    """A further rule of the policy, for some trunks, methods or one direction; within a level the strictest wins."""

    level: Literal["floor", "contract", "default"] = Field(
        description="floor: the least that is hidden; contract: what a trunk gets, whatever subscribers say; "
        "default: what is hidden of a subscriber who has said nothing, from trunks alone"
    )
    direction: Literal["out", "in"] = Field(
        default="out", description="out: what trunks see; in: what phones see of others, calls from trunks above all"
    )
    trunks: tuple[Name, ...] = Field(default=(), description="for calls to or from these trunks; empty: all")
    methods: tuple[Method, ...] = Field(
        default=(),
        description="for these methods, of the request that begins a dialog or stands alone; empty: all. What comes "
        "within a dialog obeys what its first request did",
    )
    privacy: Privacy = Field(description="the actions")
