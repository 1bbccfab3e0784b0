"""Whether an Identity header goes on, when all else of a request is as it will leave (RFC 8224, RFC 5379 §5.3.1).

It goes on while what it signs still stands in the message, and while it tells nobody what is hidden from him: a
PASSporT holds the caller's number in base64. A claim that did not stand when the message came was not broken here;
it may pass where what it tells may be told.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from config.vocabulary import Category
from filters.passport import KNOWN, Passport, read
from filters.said import Said
from proxy.errors import Malformed
from proxy.policy import KEEP_ALL, hides


class Verdict(StrEnum):
    """What becomes of an Identity header, as it is counted."""

    KEPT = "kept"
    BROKEN = "broken"
    """An edit changed what it signs."""
    REVEALING = "revealing"
    """It tells what is hidden from the next hop."""
    UNREADABLE = "unreadable"


_NAMES = frozenset(("rcd", "rcdi", "crn"))
"""Claims about the caller's name, picture and reason (RFC 9795)."""
_FORWARDING = frozenset(("div", "opt"))
"""Claims about who was called before (RFC 8946 §10)."""


def judge(value: bytes, before: Said, after: Said, decision: int, leaks: Callable[[bytes], bool]) -> Verdict:
    """Return what becomes of one Identity header.

    Args:
        value: of the header, unfolded.
        before: what the request said when it came.
        after: what it says as it leaves.
        decision: packed actions towards the hop.
        leaks: tells whether a text holds a device id or an address that is hidden from the hop.
    """
    try:
        passport = read(value)
    except Malformed:
        # Of the former kind, say (RFC 4474). Who may see everything may see that too.
        return Verdict.UNREADABLE if decision != KEEP_ALL else Verdict.KEPT
    if before.date != after.date or (before.keys != after.keys and (passport.compact or passport.keys)):
        return Verdict.BROKEN
    if leaks(passport.text) or leaks(passport.info):
        return Verdict.REVEALING
    if passport.compact:
        # Every claim is taken from the message, so a change of either address breaks it; it tells nothing else.
        return Verdict.KEPT if before.literal == after.literal and before.callers == after.callers else Verdict.BROKEN
    return _judge_claims(passport, before, after, decision)


def _judge_claims(passport: Passport, before: Said, after: Said, decision: int) -> Verdict:
    if _hidden_claims(passport.claims, decision):
        return Verdict.REVEALING
    if passport.orig not in after.callers:
        # Hidden comes first: where both are true, that it would have told the number is what matters.
        if hides(decision, Category.NUMBER):
            return Verdict.REVEALING
        if passport.orig in before.callers:
            return Verdict.BROKEN
    elsewhere = {called for called in passport.dest if called not in after.called}
    if elsewhere & before.called:
        return Verdict.BROKEN
    if elsewhere and hides(decision, Category.HISTORY):
        return Verdict.REVEALING
    return Verdict.KEPT


def _hidden_claims(claims: frozenset[str], decision: int) -> bool:
    """Tell whether there are claims about what the decision hides."""
    return (
        (hides(decision, Category.NAME) and not claims.isdisjoint(_NAMES))
        or (hides(decision, Category.HISTORY) and not claims.isdisjoint(_FORWARDING))
        or (hides(decision, Category.NUMBER) and "opt" in claims)
        or (hides(decision, Category.UNKNOWN) and not claims <= KNOWN)
    )
