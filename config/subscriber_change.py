"""A change to a subscriber as a command or a row of a file says it, and the subscriber that it leads to.

What a change does not mention stays as it is; None unsets a word, so that the default profile decides again.
Nothing here repeats a value that it refuses: in a file whose columns have slipped that may be anybody's name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from config.subscriber import EVERYWHERE, FLAGS, WORDS, Setting, Subscriber, Value, key_of
from config.subscriber_address import AddressError, canonical

UNSET = "default"
"""How a command or a file says that the default profile is to decide again."""

COLUMN = "subscriber"
"""The column or key of the address of record; `address` is the word for network addresses."""

_FLAG_VALUES = {"yes": True, "no": False}

Place = tuple[str, str]
"""(trunk, word)"""


class Wrong(NamedTuple):
    """What is wrong with one key of a change, and what would be right."""

    key: str
    wrong: str
    right: str


class Mistakes(Exception):  # noqa: N818 - a list of them
    """All that is wrong with one change."""

    def __init__(self, found: Iterable[Wrong]) -> None:
        """Keep them in the order of the change."""
        self.found = tuple(found)
        super().__init__(f"{len(self.found)} mistakes")


class Change(NamedTuple):
    """What is to be said of a subscriber."""

    address: str
    settings: Mapping[Place, Value | None]
    flags: Mapping[str, bool]


def read_change(address: object, said: Mapping[str, object], trunks: Collection[str]) -> Change:
    """Return the change that `word[@trunk]` → value and flag → yes or no amount to.

    Raises:
        Mistakes: it amounts to none.
    """
    found: list[Wrong] = []
    settings: dict[Place, Value | None] = {}
    flags: dict[str, bool] = {}
    whose = _address(address, found)
    for key, value in said.items():
        try:
            if key in FLAGS:
                flags[key] = _flag(key, value)
            else:
                word, trunk = read_key(key)
                settings[trunk, word] = _value(key, word, value)
                if settings[trunk, word] is not None:
                    check_trunk(key, trunk, trunks)
        except Mistakes as mistakes:
            found += mistakes.found
    if found:
        raise Mistakes(found)
    return Change(whose, settings, flags)


def read_key(key: str) -> tuple[str, str]:
    """Return word and trunk of `word` or `word@trunk`.

    Raises:
        Mistakes: there is no such word.
    """
    word, at, trunk = key.partition("@")
    if word in FLAGS and at:
        raise Mistakes([Wrong(key, "has no exceptions", f"write {word} without a trunk")])
    if word not in WORDS or (at and not trunk):
        right = f"write one of {', '.join((*WORDS, *FLAGS))}, or word@trunk for an exception"
        raise Mistakes([Wrong(key, "is no setting", right)])
    return word, trunk


def check_trunk(key: str, trunk: str, trunks: Collection[str]) -> None:
    """Hold an exception's trunk against those of the configuration.

    Raises:
        Mistakes: there is no such trunk.
    """
    if trunk != EVERYWHERE and trunk not in trunks:
        right = f"write one of {', '.join(sorted(trunks))}" if trunks else "configure it first"
        raise Mistakes([Wrong(key, "names a trunk that is not configured", right)])


def changed(subscriber: Subscriber, change: Change) -> Subscriber:
    """Return what a change makes of a subscriber."""
    settings: dict[Place, Value | None] = {(each.trunk, each.word): each.value for each in subscriber.settings}
    settings.update(change.settings)
    return Subscriber(
        change.address,
        tuple(sorted(Setting(*place, value) for place, value in settings.items() if value is not None)),
        change.flags.get("telemarketer", subscriber.telemarketer),
        change.flags.get("reject_anonymous", subscriber.reject_anonymous),
    )


def of(subscriber: Subscriber) -> Change:
    """Return the change that makes a subscriber out of nothing, each word said or unset."""
    settings: dict[Place, Value | None] = {(EVERYWHERE, word): None for word in WORDS}
    settings.update({(each.trunk, each.word): each.value for each in subscriber.settings})
    flags = {"telemarketer": subscriber.telemarketer, "reject_anonymous": subscriber.reject_anonymous}
    return Change(subscriber.address, settings, flags)


def keys(change: Change) -> dict[str, Value | None]:
    """Return the words of a change by the keys of a file."""
    return {key_of(word, trunk): value for (trunk, word), value in change.settings.items()}


def _address(text: object, found: list[Wrong]) -> str:
    """Return the canonical address; what is wrong with it goes to found."""
    try:
        if not isinstance(text, str):
            raise AddressError("is missing or no text")
        return canonical(text).decode()
    except AddressError as error:
        found.append(Wrong(COLUMN, error.wrong, error.right))
    return ""


def _value(key: str, word: str, value: object) -> Value | None:
    """Return what a word is set to."""
    if value is None or value in ("", UNSET):
        return None
    values = WORDS[word].values
    if not isinstance(value, str) or value not in values:
        choice = ", ".join((*values, UNSET))
        raise Mistakes([Wrong(key, "has no such value", f"write one of {choice}")])
    return Value(value)


def _flag(key: str, value: object) -> bool:
    """Return what a flag is set to; nothing is no."""
    if isinstance(value, bool):
        return value
    if value is None or value == "":
        return False
    if not isinstance(value, str) or value not in _FLAG_VALUES:
        raise Mistakes([Wrong(key, "is neither yes nor no", "write yes or no")])
    return _FLAG_VALUES[value]
