"""How PASSporTs of a diverted call refer to each other (RFC 8946 §4.2): each `div` names whom one before it was for.

Nothing here is believed: whose signatures hold is for `verifier` to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from filters.passport import Passport

DIV = "div"


def follows(link: Passport, before: Passport) -> bool:
    """Tell whether a PASSporT says that the call of another one, by the same caller, was diverted."""
    return link.ppt == DIV and link.orig == before.orig and len(link.div) == 1 and link.div[0] in before.dest


def reached(first: Passport, links: Sequence[Passport]) -> list[Passport]:
    """Return a PASSporT and all that follow it, over whatever is between."""
    found = [first]
    for before in found:
        found += [link for link in links if link not in found and follows(link, before)]
    return found


def ends(first: Passport, links: Sequence[Passport]) -> list[Passport]:
    """Return the outermost PASSporTs from a first one: those that no other diverts further; none in a circle."""
    found = reached(first, links)
    return [one for one in found if not any(follows(link, one) for link in found if link is not one)]
