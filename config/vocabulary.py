"""The words that settings, catalogue, plans and dialog records share (design.md §2 and §3)."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Zone(StrEnum):
    """Where a hop stands, which decides how far it is trusted (design.md §3)."""

    ACCESS = "access"
    CORE = "core"
    TRUNK = "trunk"
    PSAP = "psap"


class Category(IntEnum):
    """What a field of a message discloses about a person.

    The numbers are written into dialog records: never reorder, only append.
    """

    NAME = 0
    NUMBER = 1
    LOCATION = 2
    DEVICE = 3
    STATUS = 4
    SOFTWARE = 5
    NETWORK = 6
    CREDENTIALS = 7
    CONTENT = 8
    HISTORY = 9
    RECORDING = 10
    UNKNOWN = 11


class Action(IntEnum):
    """What is done with a category, from the most open to the strictest.

    The order is used: the stricter of two actions is the greater. The numbers are written into
    dialog records (three bits each): never reorder, only append.
    """

    KEEP = 0
    PSEUDONYMISE = 1
    SEAL = 2
    ANONYMISE = 3
    REMOVE = 4


_KEEP_OR_REMOVE = (Action.KEEP, Action.REMOVE)

SENSIBLE_ACTIONS: dict[Category, tuple[Action, ...]] = dict.fromkeys(Category, _KEEP_OR_REMOVE) | {
    Category.NAME: (Action.KEEP, Action.ANONYMISE, Action.REMOVE),
    # A From without a number is no From: RFC 3323 §4.1.1.3 gives the anonymous form.
    Category.NUMBER: (Action.KEEP, Action.ANONYMISE),
    # Removing a Contact or a Record-Route would end the dialog; sealed, they still work (dialogs.md).
    Category.NETWORK: (Action.KEEP, Action.SEAL),
}
"""What an operator may ask for in each category; anything else is a mistake in the file."""
