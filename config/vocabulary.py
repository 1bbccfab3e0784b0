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
    dialog records (three bits each): never reorder.
    """

    KEEP = 0
    GENERALISE = 1
    """Keep the coarse part: the country without the cell, the product without its version."""
    INDICATE = 2
    """Hide a number from whom is called and show it, with `Privacy: id`, to a hop of the trust domain (RFC 3325)."""
    PSEUDONYMISE = 3
    """Put a keyed token in its place, the same for the same value in one call or towards one trunk."""
    SEAL = 4
    ANONYMISE = 5
    REMOVE = 6


_KEEP_OR_REMOVE = (Action.KEEP, Action.REMOVE)

SENSIBLE_ACTIONS: dict[Category, tuple[Action, ...]] = dict.fromkeys(Category, _KEEP_OR_REMOVE) | {
    Category.NAME: (Action.KEEP, Action.PSEUDONYMISE, Action.ANONYMISE, Action.REMOVE),
    # A From without a number is no From: RFC 3323 §4.1.1.3 gives the anonymous form.
    Category.NUMBER: (Action.KEEP, Action.INDICATE, Action.PSEUDONYMISE, Action.ANONYMISE),
    Category.LOCATION: (Action.KEEP, Action.GENERALISE, Action.REMOVE),
    Category.DEVICE: (Action.KEEP, Action.PSEUDONYMISE, Action.REMOVE),
    Category.SOFTWARE: (Action.KEEP, Action.GENERALISE, Action.REMOVE),
    # Removing a Contact or a Record-Route would end the dialog; sealed, they still work (dialogs.md).
    Category.NETWORK: (Action.KEEP, Action.SEAL),
}
"""What an operator may ask for in each category; anything else is a mistake in the file."""
