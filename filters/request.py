"""What a caller asks for in one call: the Privacy header (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1.2), a prefix.

A prefix is what is dialled in front of a number, `*67` say; `proxy/dialled.py` has told it from the number by then.
Before the Privacy header there was a parameter of the headers that it is about, and many still write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from config.vocabulary import Action, Category
from proxy.dialled import Wish
from proxy.errors import Malformed, Refused
from proxy.headers import parse_name_addr
from proxy.message import Message
from proxy.policy import hides, pack

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


#: draft-ietf-sip-privacy-04 §7.2 and RFC 5806 §6: full, name, uri or off, and what each hides of whom the header names.
_BESIDE: dict[bytes, tuple[Category, ...]] = {
    b"off": (), b"name": (Category.NAME,), b"uri": (Category.NUMBER,), b"full": (Category.NAME, Category.NUMBER),
}  # fmt: skip
_IDENTITY_DONE = pack({Category.NAME: Action.REMOVE, Category.NUMBER: Action.REMOVE})


class Asked(NamedTuple):
    """A caller's wish for one call."""

    actions: dict[Category, Action]
    """What is to be hidden, beyond settings."""
    relaxed: bool
    """Whether the caller wants what its own default hides to be shown (`Privacy: none`, *82)."""
    text: str = ""
    """The wish as people are told of it; never text of the message."""
    critical: tuple[bytes, ...] = ()
    """Priv-values that are all to be performed, or the request to fail (RFC 3323 §4.2)."""


NOTHING = Asked({}, relaxed=False)
ANONYMOUS = pack(_ASKED[b"id"])
"""What a From asks for that is nobody's (RFC 3323 §4.1), packed."""
_BY_PREFIX = {
    Wish.WITHHOLD: Asked(_ASKED[b"id"], relaxed=False, text="dialled prefix"),
    Wish.SHOW: Asked({}, relaxed=True, text="dialled prefix"),
}


def asked(message: Message, wish: Wish = Wish.NONE, *, session: str = "refuse", refuse: bool = True) -> Asked:
    """Return what a message asks for: by its Privacy header and by the prefix that was dialled.

    Repeated fields, any case, `;` and `,` are alike. What either hides is hidden, and what a `privacy` parameter of
    Remote-Party-ID or Diversion does.

    Args:
        message: a request, or a response.
        wish: what the dialled prefix asks for.
        session: `refuse` or `degrade`: what becomes of `Privacy: session`, for which there is no media relay.
        refuse: whether a request may be refused; of one that may not, what can be done is done.

    Raises:
        Refused: 500 for `critical` with a value that cannot be met, and for `session` where that is to be refused
            (RFC 3323 §5, RFC 5379 §4.3), naming the values.
    """
    hidden = beside(message)
    of_headers = Asked(
        {one: Action.REMOVE if one is Category.HISTORY else Action.ANONYMISE for one in hidden}, relaxed=False,
        text="a privacy parameter" if hidden else "",
    )  # fmt: skip
    written = _written(message, session, may_refuse=refuse and not message.status)
    wishes = [one for one in (written, _BY_PREFIX.get(wish, NOTHING), of_headers) if one.text]
    if len(wishes) < 2:
        return wishes[0] if wishes else NOTHING
    actions: dict[Category, Action] = {}
    for one in wishes:
        actions = _strictest(actions, one.actions)
    text = ", ".join(one.text for one in wishes)
    return Asked(actions, all(one.relaxed for one in wishes), text, written.critical)


def beside(message: Message) -> tuple[Category, ...]:
    """Return what `privacy` parameters hide: of Remote-Party-ID who it names, of Diversion who forwarded.

    What is no word of theirs counts as the strictest, as does a parameter that cannot be read.
    """
    if b"remote-party-id" not in message.index and b"diversion" not in message.index:
        return ()
    found: set[Category] = set()
    for item in message.items(b"remote-party-id"):
        for word in _parameter(item):
            found.update(_BESIDE.get(word, _BESIDE[b"full"]))
    if any(word != b"off" for item in message.items(b"diversion") for word in _parameter(item)):
        found.add(Category.HISTORY)
    return tuple(sorted(found))


def _parameter(item: bytes) -> list[bytes]:
    """Return the words of the `privacy` parameter of one address, less `-network`, which says where to perform them."""
    try:
        value = parse_name_addr(item).param(b"privacy")
    except Malformed:
        return [b"full"] if b"privacy" in item.lower() else []
    if value is None:
        return []
    return [word.partition(b"-")[0] for word in _SPLIT.split(value.strip(b'"').lower())]


def _written(message: Message, session: str, *, may_refuse: bool) -> Asked:
    """Return what the Privacy header asks for."""
    if b"privacy" not in message.index:
        return NOTHING
    values = [value.lower() for line in message.values(b"privacy") for value in _SPLIT.split(line) if value]
    if values == [b"none"]:
        return Asked({}, relaxed=True, text="Privacy: none")
    wanted = [value for value in values if value != b"critical"]
    unknown = [value for value in wanted if value not in _ASKED]
    unmet = [value for value in wanted if value in UNMET or value not in _ASKED]
    refused = b"critical" in values or (session == "refuse" and not UNMET.isdisjoint(wanted))
    if may_refuse and unmet and refused:
        raise cannot_be_met(unmet)
    if unknown or not values:
        return Asked(STRICTEST, relaxed=False, text="Privacy: a value that nobody knows")
    actions: dict[Category, Action] = {}
    for value in wanted:
        actions = _strictest(actions, _ASKED[value])
    text = "Privacy: " + ";".join(value.decode() for value in dict.fromkeys(values))
    insists = may_refuse and b"critical" in values
    return Asked(actions, relaxed=False, text=text, critical=tuple(dict.fromkeys(wanted)) if insists else ())


def _strictest(one: dict[Category, Action], other: dict[Category, Action]) -> dict[Category, Action]:
    return {
        category: max(one.get(category, Action.KEEP), other.get(category, Action.KEEP)) for category in {**one, **other}
    }


def cannot_be_met(values: Iterable[bytes]) -> Refused:
    """Return the refusal that names values to their sender; those of its own invention are not repeated."""
    known = (b"none", *_ASKED)
    named = " ".join(value.decode() for value in dict.fromkeys(values) if value in known)
    return Refused(500, "Privacy cannot be met: " + (named or "unknown value"))


def unperformed(values: Iterable[bytes], decision: int) -> list[bytes]:
    """Return those of known priv-values of which a packed decision leaves something open: a contract stands above."""
    return [value for value in values if not all(hides(decision, category) for category in _ASKED[value])]


def left_over(values: list[bytes], decision: int) -> bytes:
    """Return the priv-values that stay in the header once ours is done; b"" for none (RFC 3323 §5).

    `none` alone stays as it came. What was performed goes, and with the last of them `critical`. What a contract keeps
    us from performing stays, for a privacy service that may; but not where it is about the number: that is told in
    spite of the wish only where the caller may not withhold it.
    """
    lowered = [value.lower() for line in values for value in _SPLIT.split(line) if value]
    if lowered == [b"none"]:
        return b"none"
    wanted = [value for value in dict.fromkeys(lowered) if value in _ASKED]
    left = unperformed(wanted, decision | _IDENTITY_DONE)
    return b";".join(value for value in wanted if value in UNMET or value in left)
