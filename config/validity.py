"""From when to when certificates hold (RFC 5280 §4.1.2.5)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509


class Validity(NamedTuple):
    """Two moments in Unix seconds, both included; always, where nobody knows them."""

    begins: float = -math.inf
    ends: float = math.inf

    def holds(self, wall: float) -> bool:
        """Tell whether it is between them at a time."""
        return self.begins <= wall <= self.ends

    def ends_within(self, seconds: float, wall: float) -> bool:
        """Tell whether so little time is left, or none."""
        return self.ends - wall < seconds

    def days(self) -> str:
        """Write from which to which day; for moments that are known."""
        return f"{_day(self.begins)} to {self.last_day()}"

    def last_day(self) -> str:
        """Write the day of the end."""
        return _day(self.ends)


def validity(*certificates: x509.Certificate) -> Validity:
    """Return when all of these hold."""
    begins = max(each.not_valid_before_utc for each in certificates)
    return Validity(begins.timestamp(), min(each.not_valid_after_utc for each in certificates).timestamp())


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
