"""The three ways out of the core: bytes, look-ups and events. Tests and tap/ implement them."""

from __future__ import annotations

from typing import Protocol

from proxy.flow import Flow


class Event:
    """Something that a ledger, an audit or a log may want to keep; never personal data."""

    __slots__ = ("call", "detail", "kind", "peer")

    def __init__(self, kind: str, call: str, peer: str, detail: str) -> None:
        """Note what happened.

        Args:
            kind: from a closed set: see EVENTS.
            call: keyed pseudonym of the Call-ID, hexadecimal; empty where there is none.
            peer: `access`, `core`, the name of a trunk, or empty.
            detail: a status code or a reason from a closed set.
        """
        self.kind = kind
        self.call = call
        self.peer = peer
        self.detail = detail


EVENTS = frozenset(
    {
        "call",
        "answered",
        "ended",
        "refused",
        "recording",
        "recording-refused",
        "dropped",
        "failed-closed",
        "token-refused",
        "emergency",
        "overload",
        "privacy-override",
        "failover",
        "authentication",
        "challenge",
        "guard",
        "registered",
        "registration-failed",
    }
)


class Recorder(Protocol):
    """Listens to every forwarded message: the demo, tests and explanations."""

    def forwarded(self, received: bytes, sent: bytes, sent_to: Flow, reasons: list[tuple[str, str]]) -> None:
        """Take a message before and after, and (field, why) for each edit."""


class Sinks(Protocol):
    """Where the core's results go."""

    def send(self, flow: Flow, data: bytes, /) -> bool:
        """Send data over flow at once; False when the system refused it for good (RFC 3261 §16.9)."""

    def lookup(self, ticket: int, host: str, port: int, transport: str) -> None:
        """Find where host is served over a transport; hand that to `Core.resume(ticket, places, now)`, never at once.

        With a port only addresses count; 0 means that none was given (RFC 3263 §4.2).
        """

    def event(self, event: Event) -> None:
        """Take note of an event; must not raise."""
