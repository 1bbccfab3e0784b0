"""The last look at a recording session before a request leaves: who, to whom, over what (RFC 7866 §12).

Whatever Routes, Contacts, tokens or DNS have made of a request: one of a recording session is between a configured
client and a configured recorder, and comes and goes over mutual TLS; nothing else goes to one, or comes from one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import NotRecorded
from proxy.forking import Answer
from proxy.headers import split_list
from proxy.record import Mark
from proxy.recording_control import carries_metadata
from proxy.recording_media import names_plain_media, names_plain_media_once_opened
from proxy.transports import SECURE
from proxy.unsent import Unsent

if TYPE_CHECKING:
    from config.recorders_section import Recorder
    from proxy.core import Core
    from proxy.counters import Counters
    from proxy.crossing import Crossing
    from proxy.message import Draft, Message

_GOES_ON = (b"ACK", b"BYE")
"""What no call can do without: it goes without its body, where another request would be refused."""
_ELSEWHERE = frozenset(("subscriber", "media", "encryption", "expired"))
"""What one recorder may not be told, another one of its group may: each has its country, its certificate, its terms."""


def check_recording(core: Core, crossing: Crossing) -> None:
    """Refuse what must not leave; `far_flow` of the crossing is set.

    Raises:
        Unsent: 403, or 488 for media that are not encrypted.
    """
    near, far = crossing.source.recorder, crossing.hop.party.recorder
    if not crossing.base.marks & Mark.RECORDING and near is far is None:
        return
    try:
        _check(core, crossing)
    except NotRecorded as refusal:
        raise not_sent(core, crossing, refusal) from None


def not_sent(core: Core, crossing: Crossing, refusal: NotRecorded) -> Unsent:
    """Count and tell that a request of a recording session goes nowhere; return what its sender hears."""
    core.counters.add("recording_refused", refusal.reason)
    core.event("recording-refused", crossing.base.call, crossing.hop.party.label, refusal.reason)
    return Unsent(refusal.code, Answer(refusal.why.encode(), refusal.extra, refusal.reason in _ELSEWHERE))


def check_bare(core: Core, crossing: Crossing) -> None:
    """See to it that no ACK and no BYE of an ordinary call carries metadata; other requests are refused before.

    A BYE of a client that was taken out of the configuration goes on too, or its sessions would never end.

    Raises:
        NotRecorded: it goes without its body.
    """
    request = crossing.request
    if request.method not in _GOES_ON or crossing.emergency:
        return
    if crossing.base.marks & Mark.RECORDING:
        if request.method == b"BYE" and not _is_clients(core, crossing):
            raise NotRecorded("client")
    elif carries_metadata(request):
        raise NotRecorded("recorder")


def support_nothing(draft: Draft) -> None:
    """Take `siprec` out of the Supported of what is no recording session: then nobody takes it for half of one."""
    for position in draft.find(b"supported"):
        received = draft.lines[position]
        if received is not None and received.lower().find(b"siprec") >= 0:
            tags = [tag for tag in split_list(draft.value(position)) if tag.lower() != b"siprec"]
            line = draft.with_value(position, b", ".join(tags)) if tags else None
            draft.settle(position, line, "no recording session begins with it")


def _check(core: Core, crossing: Crossing) -> None:
    near, far = crossing.source.recorder, crossing.hop.party.recorder
    recorder = far if crossing.near_is_caller else near
    if not crossing.base.marks & Mark.RECORDING or recorder is None or (near is not None and far is not None):
        raise NotRecorded("recorder")
    flow, sent = crossing.near_flow, crossing.far_flow
    if sent is None or sent.transport not in SECURE or flow.transport not in SECURE:
        raise NotRecorded("way")
    if not flow.identity or not (sent.identity or sent.connection):
        raise NotRecorded("way")  # somebody proved nothing, or nobody is expected
    if crossing.request.method != b"BYE" and not _is_clients(core, crossing):
        raise NotRecorded("client")
    _check_media(core, recorder, crossing.request)


def _is_clients(core: Core, crossing: Crossing) -> bool:
    """Tell whether a session is one of a configured client."""
    client = crossing.near_flow if crossing.near_is_caller else crossing.far_flow
    if client is None:
        return False
    # A record has no room for names; but the connection that it leads to is the one over which they were proved.
    return core.recording.client_of(client) is not None if client.identity else core.recording.is_client_at(client)


def check_answer(core: Core, crossing: Crossing, response: Message) -> None:
    """Refuse an answer, or an offer in a response, whose media are not encrypted; and what belongs to no call.

    Raises:
        NotRecorded: it goes no further, and what it would have begun is taken down.
    """
    if not crossing.base.marks & Mark.RECORDING:
        body = response.body
        tells = (body and body[:2] != b"v=") or b"require" in response.index
        if tells and core.recording.begins(response):
            raise NotRecorded("recorder")
        return
    recorder = crossing.hop.party.recorder or crossing.source.recorder
    if recorder is not None and response.body:  # else it went to no recorder, and what becomes of it is settled
        _check_media(core, recorder, response)


def check_opened(counters: Counters, recorder: Recorder, message: Message, draft: Draft) -> None:
    """Refuse media in the clear that came encrypted, beside metadata or around them, once they have been opened.

    Raises:
        NotRecorded: 488; 493 where whoever changes EnvelopedData would learn from another answer.
    """
    if names_plain_media(message) or not names_plain_media_once_opened(draft) or _lets_pass(counters, recorder):
        return
    raise NotRecorded("encryption", 493) if recorder.takes_enveloped else NotRecorded("media", 488)


def _check_media(core: Core, recorder: Recorder, message: Message) -> None:
    if names_plain_media(message) and not _lets_pass(core.counters, recorder):
        raise NotRecorded("media", 488)


def _lets_pass(counters: Counters, recorder: Recorder) -> bool:
    """Count media that nothing encrypts; tell whether a recorder takes them."""
    allowed = recorder.plain_rtp == "allow"
    counters.add("recording_plain_rtp", "allowed" if allowed else "refused")
    return allowed
