"""What a configuration says of signatures must fit together."""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, tables
from config.problem import Mistake


def signing_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield every trunk that wants signatures which nobody can make."""
    if "signing" in draft:
        return
    for path, trunk in tables(draft, "trunks", EACH):
        if trunk.get("sign") is True:
            yield Mistake((*path, "sign"), "there is no section [signing]", "add [signing] or write sign = false")
