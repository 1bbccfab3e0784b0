"""Signs that a call was diverted (RFC 8946): by whom of the operator's numbers, and to whom.

Only the core retargets calls here: what it sends to a trunk with an Identity that was for somebody else was diverted by
him. What is signed stands in that Identity and in the Request-URI, so it tells what the message tells already.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from config.vocabulary import Category, Zone
from filters.chain import DIV, ends
from filters.credential import Credential
from filters.passport import Passport, orig_of, read
from filters.said import canonical, global_number, leaving, request_uri, uris, values_of
from filters.signer import date, is_fresh
from proxy.errors import Malformed
from proxy.message import Draft
from proxy.policy import Origin, hides

MAX_READ = 8
"""PASSporTs of one request that are looked at; networks divert a call five times at most (Q.763 §3.44)."""


class Diverted(StrEnum):
    """What became of a call that was diverted and is to be signed, as it is counted."""

    SIGNED = "div"
    HIDDEN = "div-hidden"
    """Who diverted it is hidden from the hop."""
    NOT_OURS = "div-not-ours"
    """The number that diverted it is none that the operator answers for, or it is not told which it was."""
    STALE = "div-stale"
    """Its Date is so old that no signature over it would count, and is not ours to change."""
    EXPIRED = "div-expired"


def divert(draft: Draft, origin: Origin, credential: Credential, decision: int) -> Diverted | None:
    """Add a `div` PASSporT where the core has retargeted a signed call; None where there is nothing to tell.

    The PASSporTs that are there stay (§4.1): the new one refers to them.

    Args:
        draft: of the request, all other edits made.
        origin: where it comes from.
        credential: signs.
        decision: packed actions towards the hop.
    """
    target = global_number(request_uri(draft))
    last = _last(draft) if origin.source.zone is Zone.CORE and target else []
    if not last or any(target in one.dest for one in last):
        return None
    if hides(decision, Category.HISTORY):
        return Diverted.HIDDEN
    found = {(number, one.orig): one for one in last for number in one.dest if credential.answers_for(number)}
    if len(found) > 1:
        called = {canonical(uri) for uri in uris(values_of(draft, b"to"))}
        found = {key: one for key, one in found.items() if key[0] in called}
    if len(found) != 1:
        return Diverted.NOT_OURS
    dated = bool(draft.find(b"date"))
    if dated and not is_fresh(draft, origin.wall):
        return Diverted.STALE
    if not credential.holds(origin.wall):
        return Diverted.EXPIRED
    (((number, _), one),) = found.items()
    if not dated:
        date(draft, origin.wall)
    claims = {
        "dest": {"tn": [target.decode()]}, "div": {"tn": number.decode()}, "iat": origin.wall, "orig": orig_of(one),
    }  # fmt: skip
    draft.bottom.append(credential.identity(DIV, claims))
    draft.note("identity", "signed: who diverted the call (RFC 8946)")
    return Diverted.SIGNED


def _last(draft: Draft) -> Sequence[Passport]:
    """Return the outermost PASSporTs of those that tell who calls as the message does."""
    callers = leaving(draft).callers
    found = [one for value in values_of(draft, b"identity")[:MAX_READ] for one in _read(value) if one.orig in callers]
    return [end for one in found if one.ppt != DIV for end in ends(one, found)]


def _read(value: bytes) -> list[Passport]:
    """Return the PASSporT of a header, if it says whom it was for: the compact form does not."""
    try:
        passport = read(value)
    except Malformed:
        return []
    return [] if passport.compact else [passport]
