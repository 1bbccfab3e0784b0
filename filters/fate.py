"""What becomes of a field: the words in which a plan is told to people, each for one kind of edit."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """From the most open to the strictest."""

    KEPT = "kept"
    SWEPT = "kept, unless a hidden device id or address is in it"
    VOUCHED = "kept while what it signs is as it was"
    NAMELESS = "kept, without names"
    PARTY = "kept, without the names, networks and texts in it that are hidden"
    IN_PART = "kept in part"
    FORM = "only in the form that a call needs"
    CLEANED = "cleaned"
    WITH_BODY = "as the body that it describes"
    CARRIED = "as the other side knows that dialog"
    OURS = "written by Sipveil"
    NEUTRAL = "says nothing any more"
    GENERALISED = "generalised"
    PSEUDONYM = "a pseudonym in its place"
    SEALED = "sealed"
    ANONYMOUS = "the anonymous form"
    PERFORMED = "removed once performed"
    REMOVED = "removed"
    REFUSED = "the request is refused"
    NEVER = "always removed"
