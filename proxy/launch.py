"""Sending a branch: the last step of RFC 3261 §16.6, and the first place where a filter may fail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.by_size import MAX_DATAGRAM, is_for_tcp, is_too_large, may_grow, over_tcp
from proxy.errors import Malformed, NotRecorded, Refused
from proxy.forking import Answer, Branch, ResponseContext
from proxy.hop import flow_of
from proxy.matching import ServerKey, make_branch
from proxy.party import Party
from proxy.record import HARD_LIMIT, RecordTooBig
from proxy.recording_way import check_bare, check_recording, not_sent
from proxy.routing import MAX_USER
from proxy.secure import check_secure
from proxy.unsent import Unsent

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.crossing import Crossing

LOOP_MEMORY = 32.0
"""Seconds for which a request that we sent to ourselves is known as ours: 64*T1."""


def finish(core: Core, crossing: Crossing, key: ServerKey, loop: bytes, share: int, now: float) -> tuple[bytes, bytes]:
    """Return branch and bytes of the request of a crossing whose hop has an address; sets its `far_flow`.

    Where a filter fails, an emergency call towards a PSAP goes through complete, and ACK and BYE go out bare
    (design.md §2): no call stays up because a filter failed.

    Raises:
        Unsent: when anything else fails. Nothing unfinished ever leaves.
    """
    hop = crossing.hop
    is_offered = hop.transport == "TLS" and not hop.connection
    crossing.far_flow = core.aliases.flow_to(hop) if is_offered else flow_of(hop)
    crossing.notes = [] if core.recorder is not None else None
    check_secure(crossing)
    check_recording(core, crossing)
    if crossing.login is not None:
        core.logins.prepare(core.generation, crossing)
    via = make_branch(core.generation.tokens, key, crossing.target, (hop.host, hop.port), loop, core.worker)
    try:
        check_bare(core, crossing)
        data = _built(core, crossing, via, share, now)
        if len(data) > MAX_DATAGRAM and not may_grow(core, crossing, now):
            _check_size(crossing, data)
        return via, data
    except (Malformed, Refused) as error:
        if isinstance(error, NotRecorded):
            unsent = not_sent(core, crossing, error)
            if crossing.request.method not in _KINDS:
                raise unsent from None
        elif not crossing.emergency:
            answer = Answer(error.why.encode(), error.extra if isinstance(error, Refused) else ())
            raise Unsent(error.code or 400, answer) from None
    except Exception:  # whatever a filter raises: fail closed
        kind = _KINDS.get(crossing.request.method, "request")
        core.counters.add("failed_closed", kind)
        core.event("failed-closed", crossing.base.call, hop.party.label, kind)
    return via, _without_plan(core, crossing, via)


def _built(core: Core, crossing: Crossing, via: bytes, share: int, now: float) -> bytes:
    """Return a request; with more room for the dialog's record where it needs that and the hop has TCP too."""
    try:
        return core.request_forwarder.build(crossing, via, share)
    except RecordTooBig:
        if not may_grow(core, crossing, now):
            raise
    crossing.must_grow = True
    crossing.passage = replace(crossing.passage, far_budget=HARD_LIMIT, far_user=MAX_USER)
    return core.request_forwarder.build(crossing, via, share)


def _check_size(crossing: Crossing, data: bytes) -> None:
    """Refuse what a trunk takes no datagram for; an emergency call goes on.

    Raises:
        Refused: 513.
    """
    hop = crossing.hop
    if hop.transport == "UDP" and is_too_large(hop.party, data) and not crossing.emergency:
        raise Refused(513, "Message Too Large")


def _without_plan(core: Core, crossing: Crossing, via: bytes) -> bytes:
    """Return what leaves in place of a request whose plan failed.

    Raises:
        Unsent: 500 where nothing may, and where even that much cannot be made.
    """
    forwarder = core.request_forwarder
    try:
        if crossing.emergency:
            data = forwarder.build_emergency(crossing, via)
            core.override("filter", crossing.base.call, crossing.hop.party)
            return data
        if crossing.request.method in _KINDS:
            return forwarder.build_minimal(crossing, via)
    except Exception:  # the last resort failed too
        core.counters.add("failed_closed", "request")
    raise Unsent(500)


_KINDS = {b"ACK": "ack", b"BYE": "bye"}


def send(
    core: Core, context: ResponseContext, branch: Branch, key: ServerKey, loop: bytes, share: int, now: float
) -> None:
    """Finish and send one branch, whose hop has an address."""
    crossing = branch.crossing
    if branch.login is not None:
        branch.login.begin(crossing)
    try:
        via, data = finish(core, crossing, key, loop, share, now)
    except Unsent as unsent:
        context.failed_locally(branch, unsent.status, now, unsent.answer)
        return
    assert crossing.far_flow is not None  # noqa: S101 -- `finish` has set it
    flow = crossing.far_flow
    if is_for_tcp(core, crossing, data, now):
        via, data = over_tcp(crossing, data, via)
        flow = flow._replace(transport="TCP")
    client = core.start_client(flow, crossing.request.method, data, via, context)
    party = client.hop = crossing.hop.party
    if party.is_limited and client.is_invite and crossing.forms_dialog and party.trunk is not None:
        core.limits.take(party.trunk, crossing.base.call, now)
    context.began(branch, client, now)
    remember_loop(core, crossing, via, now)
    core.record(crossing.request.raw, data, flow, crossing)
    client.start(now)


def remember_loop(core: Core, crossing: Crossing, via: bytes, now: float) -> None:
    """Note the side of a request that goes to ourselves: two of our Routes in a row (dialogs.md "Nesting")."""
    hop = crossing.hop
    network = core.generation.network
    # ACKs have no transaction that would bound them; one too many comes back as nobody's, and is dropped.
    if network.is_us(hop.host.encode(), hop.port) and len(core.looped) < network.limits.transactions:
        core.looped[via] = crossing.hop.party
        core.wheel.start(now, LOOP_MEMORY, _Forget(core.looped, via), "loop")


class _Forget:
    """Drops an entry of a dictionary when its timer fires."""

    __slots__ = ("_key", "_table")

    def __init__(self, table: dict[bytes, Party], key: bytes) -> None:
        self._table = table
        self._key = key

    def fire(self, name: str, now: float) -> None:
        self._table.pop(self._key, None)
