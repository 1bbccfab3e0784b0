"""A subscriber's settings in a subscriber's words, and the numbers that the hot path makes of them.

A word (`name`, `number`, `location`, …) stands for one or two data categories. It is said once for all trunks, and
again for a single trunk where that is to differ. What is left unsaid the default profile of the configuration decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from config.privacy_section import STRICT_DEFAULT
from config.vocabulary import Action, Category

EVERYWHERE = ""
"""Stands for all trunks where a trunk's name could stand."""


class Value(StrEnum):
    """What a subscriber wants of a word."""

    HIDE = "hide"
    PSEUDONYM = "pseudonym"
    SHOW = "show"


class Word(NamedTuple):
    """A word, and what its values do to each category that it stands for."""

    actions: Mapping[Category, Mapping[Value, Action]]
    values: tuple[Value, ...]
    """Those that make sense for it, the strictest first."""
    meaning: str


def _word(meaning: str, category: Category, *others: Category, pseudonym: bool = False) -> Word:
    """Return a word; hide is what the strict default does, and what has no pseudonym of its own is hidden."""
    actions: dict[Category, dict[Value, Action]] = {}
    for each in (category, *others):
        hide = STRICT_DEFAULT.of(each) or Action.REMOVE
        actions[each] = {Value.HIDE: hide, Value.SHOW: Action.KEEP}
        if pseudonym:
            actions[each][Value.PSEUDONYM] = Action.PSEUDONYMISE if each is category else hide
    return Word(actions, tuple(value for value in Value if value in actions[category]), meaning)


WORDS: Mapping[str, Word] = {
    "name": _word("display name", Category.NAME, pseudonym=True),
    # A pseudonym is a keyed token that is no number: who shows a number, shows one of their own (47 CFR 64.1604).
    "number": _word("telephone number and address of record", Category.NUMBER, pseudonym=True),
    "location": _word("country, cell, geolocation, language", Category.LOCATION),
    # One device stays one device to whom it is told; of its software nothing is told then.
    "device": _word("device ids; make and version", Category.DEVICE, Category.SOFTWARE, pseudonym=True),
    # No pseudonym: hidden addresses are sealed, which is a token of its own in each dialog already.
    "address": _word("network addresses", Category.NETWORK),
    "status": _word("phone status, quality reports", Category.STATUS),
    "content": _word("texts and bodies", Category.CONTENT),
    "history": _word("who forwarded or transferred the call", Category.HISTORY),
    # Of no category: it decides which trunks are asked at all ([region]).
    "abroad": Word({}, (Value.HIDE, Value.SHOW), "calls over trunks outside the region, hide: never"),
    "recording": _word("who is recorded, by whom and when", Category.RECORDING),
}
"""All that a subscriber can decide. Credentials and unknown fields are the operator's business."""

FLAGS: Mapping[str, str] = {
    "telemarketer": "may not withhold the number (47 CFR 64.1601(e))",
    "reject_anonymous": "calls without a number are refused with 433 (RFC 5079)",
}
"""What is said of a subscriber with yes or no, the same towards all trunks."""


class Setting(NamedTuple):
    """One word; trunk is EVERYWHERE, or the trunk that it is an exception for."""

    trunk: str
    word: str
    value: Value

    @property
    def key(self) -> str:
        """Return `word` or `word@trunk`: what columns of a file and options of the command are called."""
        return key_of(self.word, self.trunk)


def key_of(word: str, trunk: str) -> str:
    """Return `word` or `word@trunk`."""
    return f"{word}@{trunk}" if trunk else word


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What is stored of one; nothing personal shows in its repr."""

    address: str = field(repr=False)
    """Canonical: config.subscriber_address."""
    settings: tuple[Setting, ...] = ()
    """Sorted, no key twice."""
    telemarketer: bool = False
    reject_anonymous: bool = False


NOWHERE_SAID: Mapping[str, bool] = {}
"""Nothing said of data that leave the region: the same for all."""


class Profile(NamedTuple):
    """A subscriber's settings as the hot path takes them: actions packed like a decision, three bits a category.

    `said` has all three bits of each category that the subscriber has decided, so that
    `default & ~said | actions` is the decision.
    """

    actions: int
    said: int
    exceptions: Mapping[str, tuple[int, int]]
    """Trunk → actions and said towards it, with what holds everywhere already in them."""
    telemarketer: bool = False
    rejects_anonymous: bool = False
    abroad: Mapping[str, bool] = NOWHERE_SAID
    """Trunk, or EVERYWHERE → whether the data may leave the region for it, where that was said."""

    def may_leave(self, trunk: str) -> bool | None:
        """Tell whether the data may leave the region for a trunk; None where the subscriber has not said."""
        return self.abroad.get(trunk, self.abroad.get(EVERYWHERE))

    def towards(self, trunk: str, default: int) -> int:
        """Return the packed decision for a trunk (EVERYWHERE for other hops), given the default profile's."""
        actions, said = self.exceptions.get(trunk) or (self.actions, self.said)
        return default & ~said | actions


_ALL_BITS = (1 << 3 * len(Category)) - 1

STRICT = Profile(
    sum((STRICT_DEFAULT.of(category) or Action.REMOVE) << 3 * category for category in Category), _ALL_BITS, {},
    abroad={EVERYWHERE: False},
)  # fmt: skip
"""What everybody gets while nobody's settings are known."""


def profile(settings: Iterable[Setting], *, telemarketer: bool = False, reject_anonymous: bool = False) -> Profile:
    """Return the packed form of settings."""
    by_trunk: dict[str, list[Setting]] = {EVERYWHERE: []}
    abroad: dict[str, bool] = {}
    for setting in settings:
        if setting.word == "abroad":
            abroad[setting.trunk] = setting.value is Value.SHOW
            continue
        by_trunk.setdefault(setting.trunk, []).append(setting)
    general = _packed(by_trunk.pop(EVERYWHERE))
    exceptions = {trunk: _over(_packed(said), general) for trunk, said in sorted(by_trunk.items())}
    return Profile(*general, exceptions, telemarketer, reject_anonymous, abroad or NOWHERE_SAID)


def _packed(settings: Iterable[Setting]) -> tuple[int, int]:
    """Return actions and said."""
    actions = said = 0
    for setting in settings:
        for category, choices in WORDS[setting.word].actions.items():
            actions |= choices[setting.value] << 3 * category
            said |= 7 << 3 * category
    return actions, said


def _over(exception: tuple[int, int], general: tuple[int, int]) -> tuple[int, int]:
    """Lay what is said for one trunk over what is said for all."""
    return general[0] & ~exception[1] | exception[0], general[1] | exception[1]
