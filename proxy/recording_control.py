"""Who may have a recording begin or end: record buttons, INFO, commands (standards.md §5, REC control).

A command that its sender may not give is refused and goes nowhere: without what it says it would be nothing. What is
said is that recording is not allowed, and not whose setting it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.errors import Refused
from proxy.message import Message
from proxy.recording import Detector, Kind, Known
from proxy.routing import Party

if TYPE_CHECKING:
    from proxy.core import Core

_COUNTED: Final = {Kind.RS: "session", Kind.RS_SUSPECT: "suspect", Kind.HINT: "hint"}


class RecordingControl:
    """Looks at each new request once, behind authentication, before it goes anywhere."""

    __slots__ = ("_core", "_detector")

    def __init__(self, core: Core) -> None:
        """Ask the core's running generation."""
        self._core = core
        self.obey()

    def obey(self) -> None:
        """Recognise what the running settings name; after a reload again."""
        said = self._core.generation.network.settings.recording
        self._detector = Detector(
            Known(
                headers=tuple(name.encode() for name in said.headers),
                codes=frozenset([code.encode() for code in said.codes]),
                commands=frozenset([text.lower().encode() for text in said.commands]),
            )
        )

    def check(self, request: Message, source: Party, *, emergency: bool = False) -> None:
        """Refuse a command to record that its sender may not give, and count what else has to do with recording.

        Args:
            request: as it came.
            source: from whom.
            emergency: whether it is of a call to or from a PSAP, of which nothing is refused.

        Raises:
            Refused: 403.
        """
        finding = self._detector.classify(request)
        if finding.kind is Kind.NONE:
            return
        core = self._core
        if finding.kind is not Kind.CONTROL:
            core.counters.add("recording", _COUNTED[finding.kind])
            return
        generation = core.generation
        exempt = emergency or (not request.to_tag and generation.network.is_emergency(request.uri))
        if not exempt and not generation.privacy.may_record(request, source):
            core.counters.add("recording", "refused")
            raise Refused(403, "Recording Not Allowed")
        core.counters.add("recording", "allowed")
