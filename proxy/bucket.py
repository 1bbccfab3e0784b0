"""A token bucket: so many at once, and then so many a second."""

from __future__ import annotations


class Bucket:
    """What one of whom is counted may still do."""

    __slots__ = ("stamp", "tokens")

    def __init__(self, tokens: float, now: float) -> None:
        """Begin with tokens, at `now` in monotonic seconds."""
        self.tokens = tokens
        self.stamp = now

    def take(self, rate: float, most: float, now: float) -> bool:
        """Take one of the tokens, of which `rate` a second come up to `most`; False where there is none."""
        left = self.tokens + (now - self.stamp) * rate
        self.stamp = now
        left = min(left, most)
        if left < 1:
            self.tokens = left
            return False
        self.tokens = left - 1
        return True

    def is_dry(self, rate: float, now: float) -> bool:
        """Tell whether `take` would fail."""
        return self.tokens + (now - self.stamp) * rate < 1
