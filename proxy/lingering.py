"""What is kept of a transaction that merely waits for its end: timers D, J, L and M, 32 seconds each.

At a steady rate nearly all transactions are such. Each gives its place in the table to something small, which the
timer takes out again: the bytes that a repetition is answered with, or, for an INVITE that was accepted, what a further
2xx needs on its way back (RFC 6026 §7). From that a crossing is made again when such a 2xx really comes.
"""

from __future__ import annotations

from proxy.crossing import Crossing, packed
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.hop import hop_over
from proxy.message import Message
from proxy.party import Party
from proxy.record import Mark, decode

_LINE_END = b"\r\n"
NOBODY = NameAddr(b"", b"", b"")
"""Stands for To: a further 2xx names nobody but by its own lines."""


class CompletedServer:
    """A non-INVITE that was answered, in timer J."""

    __slots__ = ("flow", "response")

    def __init__(self, flow: Flow, response: bytes) -> None:
        """Keep the final response, and where it goes."""
        self.flow = flow
        self.response = response

    def fire(self, name: str, now: float) -> None:
        """End; the table has let go already."""


class CompletedClient:
    """An INVITE that was refused, in timer D."""

    __slots__ = ("ack", "flow", "hop")

    def __init__(self, flow: Flow, hop: Party | None, ack: bytes) -> None:
        """Keep the ACK, where it goes, and the side that may ask for it."""
        self.flow = flow
        self.hop = hop
        self.ack = ack

    def fire(self, name: str, now: float) -> None:
        """End; the table has let go already."""


class Accepted:
    """A branch of an INVITE that was accepted: one for both transactions, in timers L and M.

    Repeated INVITEs and other responses than 2xx are absorbed.
    """

    __slots__ = (
        "_call_id", "_echo", "_forms_dialog", "_head", "_is_sips", "_key_id", "_login", "_near_is_caller", "_passage",
        "_record",
        "_record_routes", "_source", "_target", "_to_tag", "back", "flow", "hop",
    )  # fmt: skip

    def __init__(self, crossing: Crossing, back: Flow, flow: Flow) -> None:
        """Keep what a further 2xx needs of a crossing whose request was sent.

        Args:
            crossing: of the branch that was accepted.
            back: where responses go.
            flow: where the request went.

        Raises:
            Malformed: when its record does not go into bytes.
        """
        request = crossing.request
        assert request.echo is not None  # noqa: S101 -- a response has passed
        head, tail = request.echo
        self.back = back
        self.flow = flow
        self.hop = crossing.hop.party
        self._echo = head + _LINE_END + tail
        self._head = len(head)
        self._record = packed(crossing)
        self._record_routes = tuple([request.lines[position] for position in request.index.get(b"record-route", ())])
        self._to_tag = request.to_tag
        self._call_id = crossing.call_id
        self._target = crossing.target
        self._key_id = crossing.key_id
        self._source = crossing.source
        self._passage = crossing.passage
        self._near_is_caller = crossing.near_is_caller
        self._forms_dialog = crossing.forms_dialog
        self._is_sips = crossing.is_sips
        self._login = crossing.login

    def fire(self, name: str, now: float) -> None:
        """End; the table has let go already."""

    def crossing(self) -> Crossing:
        """Return the crossing as far as responses look at it: they go back under its decisions, keys and issue time."""
        base = decode(self._record)
        hop = hop_over(self.hop, self.flow)
        crossing = Crossing(
            self._request(), self._source, hop, self.back, self._key_id, base, base.issued, self._near_is_caller,
            self._forms_dialog, self._call_id, bool(base.marks & Mark.EMERGENCY), self._passage,
        )  # fmt: skip
        crossing.target = self._target
        crossing.far_flow = self.flow
        crossing.login = self._login
        return crossing

    def _request(self) -> Message:
        """Return the INVITE as far as its responses repeat it."""
        request = Message()
        request.uri = b"sips:" if self._is_sips else b""
        request.to, request.to_tag = NOBODY, self._to_tag
        request.echo = self._echo[: self._head], self._echo[self._head + len(_LINE_END) :]
        request.lines = list(self._record_routes)
        request.names = [b"record-route"] * len(request.lines)
        request.index = {b"record-route": tuple(range(len(request.lines)))} if request.lines else {}
        return request
