"""What a caller asks for in one call: the Privacy header (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

from config.vocabulary import Action, Category
from proxy.errors import Refused
from proxy.message import Message

_SPLIT = re.compile(rb"[;,\s]+")

#: What each priv-value hides. Identity fields move as one set: `id` with the number left in From protects nobody.
_ASKED: dict[bytes, dict[Category, Action]] = {
    b"id": {Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE},
    b"user": {
        Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE, Category.SOFTWARE: Action.REMOVE,
        Category.DEVICE: Action.REMOVE, Category.LOCATION: Action.REMOVE,
        Category.HISTORY: Action.REMOVE,  # Referred-By names whoever sends a REFER (RFC 5379 table 1)
    },
    b"header": {Category.NETWORK: Action.SEAL, Category.HISTORY: Action.REMOVE, Category.SOFTWARE: Action.REMOVE},
    b"history": {Category.HISTORY: Action.REMOVE},
}  # fmt: skip
#: The strictest of all: what an unknown or malformed value counts as (design.md §2). Content is what the
#: caller sends on purpose, and stays under its own setting.
STRICTEST: dict[Category, Action] = {
    **{category: Action.REMOVE for category in Category if category is not Category.CONTENT},
    Category.NAME: Action.ANONYMISE,
    Category.NUMBER: Action.ANONYMISE,
    Category.NETWORK: Action.SEAL,
}


class Asked(NamedTuple):
    """A caller's wish for one call."""

    actions: dict[Category, Action]
    """What is to be hidden, beyond settings."""
    relaxed: bool
    """Whether the caller wants what its own default hides to be shown (`Privacy: none`)."""


NOTHING = Asked({}, relaxed=False)


def asked(request: Message) -> Asked:
    """Return what the Privacy header of a request asks for; repeated fields, any case, `;` and `,` alike.

    Raises:
        Refused: 500 for `critical` with a value that cannot be met, naming the values (RFC 3323 §5).
    """
    values = [value.lower() for line in request.values(b"privacy") for value in _SPLIT.split(line) if value]
    if not values:
        return NOTHING if b"privacy" not in request.index else Asked(STRICTEST, relaxed=False)
    if values == [b"none"]:
        return Asked({}, relaxed=True)
    wanted = [value for value in values if value != b"critical"]
    unmet = [value for value in wanted if value not in _ASKED]
    if unmet and len(wanted) < len(values):
        names = b" ".join(value for value in unmet if value in (b"session", b"none")) or b"unknown value"
        raise Refused(500, "Privacy cannot be met: " + names.decode())
    if unmet:
        return Asked(STRICTEST, relaxed=False)
    actions: dict[Category, Action] = {}
    for value in wanted:
        actions |= _ASKED[value]
    return Asked(actions, relaxed=False)
