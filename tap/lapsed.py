"""Exceptions of subscribers for trunks that are not there: a trunk was renamed, they hold nowhere, and nobody is told.

`number@old = hide` says nothing of a trunk `new`, though it is the same carrier; then the subscriber's general word
holds there, which may be `show`. The configuration cannot tell that by itself, for it is the store that names trunks.
"""

from __future__ import annotations

from config.problem import Problem
from config.recorder_trunk import names_of
from config.settings import Settings
from config.subscribers import Subscribers


def lapsed(settings: Settings, subscribers: Subscribers) -> list[Problem]:
    """Return how many subscribers have exceptions for each trunk that is not configured; never whose they are."""
    configured = names_of(settings)
    found = {name: number for name, number in subscribers.exceptions().items() if name not in configured}
    return [
        Problem(
            "subscribers", 0, f"exceptions for {name}",
            f"{number} of those who have settings have said something of trunk {name!r}, which is not configured",
            "give the trunk its name back, or export, rename in the file, and import: until then it holds nowhere",
        )
        for name, number in sorted(found.items())
    ]  # fmt: skip
