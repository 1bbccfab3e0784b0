"""Asserted identity: P-Asserted-Identity and Privacy on their way into and out of the trust domain (RFC 3325).

What somebody whom we do not trust asserts is removed; a side that may know who calls is told so by us, in the words of
the sender's own From (§5). A number that is hidden there all the same goes with `Privacy: id` (§7).

Here is settled who is asserted. In which form the next side may see it, if at all, the plan says: what is added here it
edits like what came with the message.
"""

from __future__ import annotations

from collections.abc import Callable

from config.vocabulary import Zone
from proxy.errors import Malformed
from proxy.headers import NameAddr, parse_name_addr, split_list
from proxy.message import Draft, Message
from proxy.pack import ANONYMOUS
from proxy.party import Party
from proxy.policy import Plan
from proxy.verstat import disclaimed

HEADER = b"p-asserted-identity"
_PRIVACY = b"privacy"
_NEVER = frozenset((b"ACK", b"CANCEL", b"REGISTER"))
"""Methods without an asserted identity (RFC 5876 §3.2; a REGISTER asserts nobody to anybody)."""
_OF_THE_USER = (b"subject", b"warning")
"""What `Privacy: user` takes along whatever category it is of; of Warning nothing is left but what may hold a name."""
_PSAP = Zone.PSAP
_NOBODY = ANONYMOUS.uri.partition(b"@")[2]
"""Whose host tells that somebody is nobody."""
_NOT_TRUSTED = "asserted by whom nobody trusts"
_NUMBERED = "the number as this side wants it"
_OURS = "who calls, as Sipveil knows it (RFC 3325)"


def assert_identity(
    draft: Draft, message: Message, sender: Party, receiver: Party, plan: Plan, within: NameAddr | None = None
) -> None:
    """Edit what a message asserts; before its plan is applied.

    Args:
        draft: of the message.
        message: as received.
        sender: which side it comes from.
        receiver: who gets it; what is for a PSAP stays as it is.
        plan: towards the receiver.
        within: of a request within a dialog: who its sender is by the record. What stands in From there nobody has
            asked about; without a record that tells, nobody is asserted.
    """
    if receiver.zone is _PSAP:
        return
    index = message.index
    if HEADER in index or (plan.tells_identity and message.method):
        _assert(draft, message, sender, receiver, plan, within)
    if _PRIVACY in index or plan.indicates:
        _ask_on(draft, message, plan)


def _assert(
    draft: Draft, message: Message, sender: Party, receiver: Party, plan: Plan, within: NameAddr | None
) -> None:
    if sender.trusted:
        if HEADER not in message.index:
            return
        asserted = _first_of_each_scheme(message.items(HEADER))
    elif HEADER in message.index or not message.to_tag:
        asserted = _own(message, sender, within if message.to_tag else message.caller or message.from_)
    else:
        return
    draft.remove_all(HEADER, _NOT_TRUSTED)
    if not plan.may_assert:
        return
    if not receiver.trusted and _PRIVACY in message.index and _asks(message.values(_PRIVACY), b"header"):
        return
    if asserted:
        draft.adopt(HEADER, b"P-Asserted-Identity: " + b", ".join([identity.address for identity in asserted]))
        draft.note(HEADER.decode(), _OURS)


def write_numbers(draft: Draft, numbered: Callable[[NameAddr], NameAddr]) -> None:
    """Write the numbers of what is asserted as the receiver wants them; before the plan is applied.

    Raises:
        Malformed: for an identity that cannot be read.
    """
    kept = [draft.value(place) for place in draft.find(HEADER)]
    items = [parse_name_addr(item) for line in kept for item in split_list(line)]
    written = [numbered(item) for item in items]
    if written != items:
        draft.remove_all(HEADER, _NUMBERED)
        draft.adopt(HEADER, b"P-Asserted-Identity: " + b", ".join([item.address + item.params for item in written]))
        draft.note(HEADER.decode(), _NUMBERED)


def _asks(said: list[bytes], value: bytes) -> bool:
    """Tell whether Privacy has a value: `header` takes the asserted identity along, `user` Subject (RFC 5379)."""
    return any(each.lower().find(value) >= 0 for each in said)


def _own(message: Message, sender: Party, who: NameAddr | None) -> list[NameAddr]:
    """Return the identity of a phone that sends a request, unless that or its From is nobody's."""
    if who is None or not sender.in_access or not message.method or message.method in _NEVER:
        return []
    if _is_nobody(message.from_) or (who is not message.from_ and _is_nobody(who)):
        return []
    identity = disclaimed(who)
    return [identity._replace(params=b"") if identity.params else identity]


def _is_nobody(who: NameAddr) -> bool:
    return who.uri.lower().endswith(_NOBODY)


def _first_of_each_scheme(items: list[bytes]) -> list[NameAddr]:
    """Return one sip or sips and one tel identity: further ones are ignored and not forwarded (RFC 5876 §4.5)."""
    found: dict[bytes, NameAddr] = {}
    for item in items:
        try:
            identity = parse_name_addr(item)
        except Malformed:
            continue
        scheme = identity.uri.partition(b":")[0].lower()
        if scheme in (b"sip", b"sips", b"tel"):
            found.setdefault(b"tel" if scheme == b"tel" else b"sip", identity._replace(params=b""))
    return list(found.values())


def _ask_on(draft: Draft, message: Message, plan: Plan) -> None:
    """Leave of Privacy what was not performed here, and `id` where the next side is told the number (RFC 3323 §5)."""
    said = message.values(_PRIVACY)
    left = plan.left_of_privacy(said)
    if left is None:
        return
    draft.remove_all(_PRIVACY, "performed here")
    if _asks(said, b"user"):
        for name in _OF_THE_USER:
            draft.remove_all(name, "Privacy: user (RFC 3323 §5.3, RFC 5379 §5.1)")
    if left:
        draft.adopt(_PRIVACY, b"Privacy: " + left)
        draft.note("privacy", "left for who comes next")
