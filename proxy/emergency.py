"""Emergency calls and their call-backs: who is exempt, and what stands in where a filter fails (standards.md §2.6).

That a call is one its Request-URI alone tells (`Network.calls_for_help`). A call-back is an INVITE from an emergency
trunk that says so (RFC 7090), or that is for the Contact of an emergency call. Neither is ever refused for what we
would like, and where a filter fails they go through without it: "it is more important to get an emergency call
through" (RFC 6443 §16).
"""

from __future__ import annotations

from config.vocabulary import Zone
from proxy.errors import Malformed
from proxy.generation import Generation
from proxy.message import Message
from proxy.party import Party
from proxy.record import Mark
from proxy.uri import parse_sip_uri

CALLBACK = b"psap-callback"
"""The value of Priority that marks a call-back (RFC 7090 §5)."""


def is_callback(generation: Generation, request: Message, source: Party, wall: int) -> bool:
    """Tell whether a new request is a PSAP's call-back: only an emergency trunk is believed (RFC 7090 §6).

    Args:
        generation: the running one.
        request: a parsed one.
        source: who sent it.
        wall: now, in seconds; the Contact of an emergency call is that of a call-back for `emergency.callback`.
    """
    if source.trunk is None or not source.trunk.emergency or request.method != b"INVITE" or request.to_tag:
        return False
    return says_callback(request) or _is_for_contact(generation, request.uri, source, wall)


def says_callback(request: Message) -> bool:
    """Tell whether a request claims to be a call-back."""
    return b"priority" in request.index and any(_is_claim(value) for value in request.values(b"priority"))


def _is_claim(value: bytes) -> bool:
    return value.strip().lower() == CALLBACK


def _is_for_contact(generation: Generation, request_uri: bytes, source: Party, wall: int) -> bool:
    try:
        uri = parse_sip_uri(request_uri)
    except Malformed:
        return False
    if uri is None or not uri.user or not generation.network.is_us(uri.host, uri.port):
        return False
    record = generation.references.open_contact(uri)
    if record is None or not record.marks & Mark.EMERGENCY or not record.near.is_side_of(source.end):
        return False
    return wall - record.issued <= generation.network.settings.emergency.callback


def as_psap(generation: Generation, source: Party) -> Party:
    """Return an emergency trunk as the PSAP that it is for emergency calls and their call-backs."""
    return generation.network.party(source.end, True) or source


def is_exempt(party: Party, *, emergency: bool, callback: bool) -> bool:
    """Tell whether a call is exempt on its way to a party: towards a PSAP, or on its way back to a subscriber."""
    if callback:
        return party.zone in (Zone.ACCESS, Zone.CORE)
    return emergency and party.zone is Zone.PSAP
