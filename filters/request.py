"""What a caller asks for in one call: the Privacy header (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1.2), a prefix.

A prefix is what is dialled in front of a number, `*67` say; `proxy/dialled.py` has told it from the number by then.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from config.vocabulary import Action, Category
from proxy.dialled import Wish
from proxy.errors import Refused
from proxy.message import Message

_SPLIT = re.compile(rb"[;,\s]+")

#: What each priv-value hides. Identity fields move as one set: `id` with the number left in From protects nobody;
#: what else follows from a hidden number, the policy adds (filters/policy.py).
_ASKED: dict[bytes, dict[Category, Action]] = {
    b"id": {Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE},
    b"user": {
        Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE, Category.SOFTWARE: Action.REMOVE,
        Category.DEVICE: Action.REMOVE, Category.LOCATION: Action.REMOVE,
        Category.NETWORK: Action.SEAL,  # Call-ID (RFC 5379 §5.1.1)
        Category.HISTORY: Action.REMOVE,  # Referred-By names whoever sends a REFER (RFC 5379 table 1)
    },
    b"header": {Category.NETWORK: Action.SEAL, Category.HISTORY: Action.REMOVE, Category.SOFTWARE: Action.REMOVE},
    b"history": {Category.HISTORY: Action.REMOVE},
    # Without a media relay only what SDP says besides c= and m= can be done (RFC 5379 §4.2).
    b"session": {Category.NETWORK: Action.SEAL, Category.HISTORY: Action.REMOVE},
}  # fmt: skip
UNMET = frozenset((b"session",))
"""Values of which we can do a part: they stay in the header, for a privacy service that can do the rest."""
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
    """Whether the caller wants what its own default hides to be shown (`Privacy: none`, *82)."""
    text: str = ""
    """The wish as people are told of it; never text of the message."""


NOTHING = Asked({}, relaxed=False)
_BY_PREFIX = {
    Wish.WITHHOLD: Asked(_ASKED[b"id"], relaxed=False, text="dialled prefix"),
    Wish.SHOW: Asked({}, relaxed=True, text="dialled prefix"),
}


def asked(message: Message, wish: Wish = Wish.NONE, *, session: str = "refuse", critical: bool = True) -> Asked:
    """Return what a message asks for: by its Privacy header and by the prefix that was dialled.

    Repeated fields, any case, `;` and `,` are alike. What either hides is hidden.

    Args:
        message: a request, or a response.
        wish: what the dialled prefix asks for.
        session: `refuse` or `degrade`: what becomes of `Privacy: session`, for which there is no media relay.
        critical: whether the message may be refused for `critical`; where not, what can be met is.

    Raises:
        Refused: 500 for `critical` with a value that cannot be met, and for `session` where that is to be refused
            (RFC 3323 §5, RFC 5379 §4.3), naming the values.
    """
    dialled = _BY_PREFIX.get(wish, NOTHING)
    written = _written(message, session, critical)
    if not written.text:
        return dialled
    if wish is Wish.NONE:
        return written
    return Asked(
        _strictest(written.actions, dialled.actions), written.relaxed and dialled.relaxed,
        f"{written.text}, {dialled.text}",
    )  # fmt: skip


def _written(message: Message, session: str, critical: bool) -> Asked:
    """Return what the Privacy header asks for."""
    if b"privacy" not in message.index:
        return NOTHING
    values = [value.lower() for line in message.values(b"privacy") for value in _SPLIT.split(line) if value]
    if values == [b"none"]:
        return Asked({}, relaxed=True, text="Privacy: none")
    wanted = [value for value in values if value != b"critical"]
    unknown = [value for value in wanted if value not in _ASKED]
    unmet = [value for value in wanted if value in UNMET or value not in _ASKED]
    insists = critical and len(wanted) < len(values)
    if unmet and (insists or (session == "refuse" and not unknown)) and not message.status:
        raise Refused(500, "Privacy cannot be met: " + _named(unmet))
    if unknown or not values:
        return Asked(STRICTEST, relaxed=False, text="Privacy: a value that nobody knows")
    actions: dict[Category, Action] = {}
    for value in wanted:
        actions = _strictest(actions, _ASKED[value])
    return Asked(actions, relaxed=False, text="Privacy: " + ";".join(value.decode() for value in dict.fromkeys(values)))


def _strictest(one: dict[Category, Action], other: dict[Category, Action]) -> dict[Category, Action]:
    return {
        category: max(one.get(category, Action.KEEP), other.get(category, Action.KEEP)) for category in {**one, **other}
    }


def _named(values: list[bytes]) -> str:
    """Name values to their sender; those of its own invention are not repeated."""
    known = (b"session", b"none")
    return " ".join(value.decode() for value in dict.fromkeys(values) if value in known) or "unknown value"


def left_over(values: list[bytes]) -> bytes:
    """Return the priv-values that stay in the header once ours is done; b"" for none (RFC 3323 §5).

    `none` alone stays as it came. What was performed goes, and with the last of them `critical`.
    """
    lowered = [value.lower() for line in values for value in _SPLIT.split(line) if value]
    if lowered == [b"none"]:
        return b"none"
    unmet = [value for value in dict.fromkeys(lowered) if value in UNMET]
    return b";".join(unmet)
