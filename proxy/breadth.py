"""Max-Breadth: how many branches a request may still become (RFC 5393 §5.3)."""

from __future__ import annotations

from proxy.errors import Refused
from proxy.message import Message


def breadth_of(request: Message, default: int) -> int:
    """Return a request's Max-Breadth; `default` where it has none that can be read."""
    value = request.value(b"max-breadth") if b"max-breadth" in request.index else None
    return int(value) if value and value.isdigit() and len(value) < 10 else default


def share(breadth: int, targets: int) -> list[int]:
    """Divide breadth among targets, so that the sum is what came (§5.3.3).

    Raises:
        Refused: 440 when there are more targets than breadth.
    """
    if breadth < targets:
        raise Refused(440, "Max-Breadth Exceeded")
    if targets == 1:
        return [breadth]
    each, rest = divmod(breadth, targets)
    return [each + (nth < rest) for nth in range(targets)]
