"""Rules of the policy for methods that no rule is ever asked about.

A rule looks at the request that begins a dialog or stands alone; what comes within one obeys what its first request did
(design.md §4). So a rule for BYE hides nothing, and who wrote it thinks that it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, texts
from config.problem import Mistake

WITHIN = frozenset(("ACK", "BYE", "CANCEL", "PRACK", "UPDATE"))
"""Methods that come only within what another request has begun (RFC 3261 §9, §13.2.2.4, §15; RFC 3262; RFC 3311)."""


def method_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield each such method."""
    for path, method in texts(draft, "rules", EACH, "methods", EACH):
        if method in WITHIN:
            wrong = f"{method} comes only within what another request has begun, whose rules it obeys"
            yield Mistake(path, wrong, "leave it out, or name INVITE")
