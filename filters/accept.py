"""What a hop takes as a body: the Accept that belongs to a 415 (RFC 3261 §21.4.13)."""

from __future__ import annotations

from config.vocabulary import Action
from filters.catalogue import Actions, BodyEntry, Catalogue

_FIRST = b"application/sdp"


def accept_line(catalogue: Catalogue, actions: Actions) -> bytes:
    """Return a header line that names the media types which may pass; one without a value where none may (§20.1)."""
    bodies = catalogue.bodies
    named = [name for name, entry in bodies.exact.items() if _may_pass(entry, actions)]
    # Of the catalogue's globs, those that are media ranges.
    ranges = [glob.encode() for glob, entry in bodies.globs if glob.endswith("/*") and _may_pass(entry, actions)]
    passing = sorted((*named, *ranges), key=lambda name: (name != _FIRST, name))
    return b"Accept: " + b", ".join(passing)


def _may_pass(entry: BodyEntry, actions: Actions) -> bool:
    return not entry.fixed and all(actions[category] is Action.KEEP for category in entry.categories)
