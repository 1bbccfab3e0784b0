"""What the core asks of the privacy side, which filters/ answers: decisions and plans.

The core never imports a filter. It knows that a decision is a number (an action for each category,
three bits each, so that it fits a dialog record and is a cache key), and that a plan edits drafts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from config.vocabulary import Action, Category
from proxy.dialled import Wish
from proxy.headers import NameAddr
from proxy.message import Draft, Message
from proxy.party import Party

Session = Callable[[bytes], bytes]
"""What makes pseudonyms that are the same within one recording session, and nowhere else."""
Private = Callable[[tuple[bytes, ...]], int]
"""The names of somebody (filters.known_as) to what is to be hidden, packed: it asked for that in a call that runs."""
KEEP_ALL = 0
"""The decision that touches nothing: every category `keep`."""


def pack(actions: dict[Category, Action]) -> int:
    """Write one action for each category into a number, three bits each."""
    return sum(action << 3 * category for category, action in actions.items())


ALL_HIDDEN = pack({
    Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE, Category.DEVICE: Action.REMOVE,
    Category.NETWORK: Action.SEAL, Category.LOCATION: Action.REMOVE,
})  # fmt: skip
"""The decision that hides all of a person that recordings tell."""


def action(decision: int, category: Category) -> Action:
    """Return the action that a decision holds for category."""
    return Action(decision >> 3 * category & 7)


def hides(decision: int, category: Category) -> bool:
    """Tell whether a decision does anything but keep category."""
    return bool(decision >> 3 * category & 7)


def stricter(one: int, other: int) -> int:
    """Return the decision that takes the stricter action of two for every category."""
    return sum(max(one >> shift & 7, other >> shift & 7) << shift for shift in range(0, 3 * len(Category), 3))


class EditContext:
    """What edits may need to know about the message at hand."""

    __slots__ = ("is_request", "lasting", "method", "origin", "pseudonym", "status")

    def __init__(
        self, pseudonym: Callable[[bytes], bytes], origin: bytes, is_request: bool, method: bytes, status: int,
        lasting: Callable[[bytes], bytes] | None = None,
    ) -> None:  # fmt: skip
        """Note what there is to know.

        Args:
            pseudonym: makes a keyed, stable token of 16 hexadecimal digits of a value: the same within a dialog,
                different elsewhere.
            origin: host of ours that the hop may see, for o= lines and rewritten hosts.
            is_request: whether the message is a request.
            method: of the request, or in the CSeq of the response.
            status: of a response; 0 for a request.
            lasting: makes one that is the same in all calls towards one side; without it, each dialog has its own.
        """
        self.pseudonym = pseudonym
        self.lasting = lasting or pseudonym
        self.origin = origin
        self.is_request = is_request
        self.method = method
        self.status = status


class Origin:
    """Where a request comes from, for whoever vouches for its caller."""

    __slots__ = ("call", "request", "source", "wall")

    def __init__(self, request: Message, source: Party, wall: int, call: Callable[[], bytes]) -> None:
        """Note what there is to know.

        Args:
            request: as it came.
            source: from whom.
            wall: when: seconds since the epoch.
            call: makes 16 bytes that are the same for all branches and repetitions of a call, and for no other call.
        """
        self.request = request
        self.source = source
        self.wall = wall
        self.call = call


class Plan(Protocol):
    """The edits for one decision towards one hop, compiled once."""

    def apply(self, draft: Draft, context: EditContext) -> None:
        """Edit every line and the body that the core does not edit itself.

        Raises:
            Refused: for a request that cannot go out at all under this plan.
            Exception: whatever an edit raises that could not be finished; the core fails closed.
        """

    @property
    def vouches(self) -> bool:
        """Whether `vouch` has something to do even for requests that say nothing about their caller."""

    def vouch(self, draft: Draft, origin: Origin) -> Sequence[tuple[str, str]]:
        """Settle what a request says of who calls, when all other edits are made; returns counters with labels.

        Raises:
            Exception: as `apply`.
        """

    @property
    def keeps_all(self) -> bool:
        """Whether every field passes as it came."""

    def contact_params(self, params: bytes) -> bytes:
        """Return those Contact header parameters that may pass."""

    def via(self, line: bytes) -> bytes:
        """Return a Via line with those parameters that may pass.

        Raises:
            Malformed: for one that cannot be read.
        """

    def address(
        self, original: NameAddr, domain: bytes, *, is_from: bool, pseudonym: Callable[[bytes], bytes] | None = None
    ) -> NameAddr:
        """Return the outward form of a From or To (display name and URI).

        Args:
            original: as received.
            domain: the host to show.
            is_from: whether this is the sender's own identity.
            pseudonym: makes a keyed token of a value; without one, what is to have a pseudonym is anonymous.
        """

    @property
    def may_assert(self) -> bool:
        """Whether an asserted identity may pass (RFC 3325 §7)."""

    @property
    def tells_identity(self) -> bool:
        """Whether the hop is told who calls, by us where nobody else has: a trunk of the trust domain."""

    @property
    def indicates(self) -> bool:
        """Whether it is told so with `Privacy: id`."""

    @property
    def fulfils_privacy(self) -> bool:
        """Whether what Privacy and `Proxy-Require: privacy` ask for is done here (RFC 3323 §5)."""

    def left_of_privacy(self, values: list[bytes]) -> bytes | None:
        """Return what Privacy says towards the hop, b"" for nothing, None where it stays as it came."""


class Privacy(Protocol):
    """Classification and decision, as the core sees them."""

    def decide(self, request: Message, source: Party, hop: Party, wish: Wish) -> int:
        """Return the decision for what the sender of an initial request discloses to hop; wish is what it dialled.

        Raises:
            Refused: when it asks for what cannot be done, or when whom it calls does not take it.
        """

    def answers(self, request: Message, source: Party, hop: Party) -> int:
        """Return the decision for what hop's side discloses to the sender of an initial request."""

    def kept_from(self, request: Message, source: Party, hop: Party) -> str:
        """Return whose data may not go to a trunk, so that a new request may not: a label of COUNTERS, or ""."""

    def may_record(self, request: Message, source: Party) -> bool:
        """Tell whether the sender of a request may have a recording begin or end."""

    def withheld(self, message: Message, wish: Wish) -> int:
        """Return what a message asks to be hidden of its sender in recordings, packed; wish is what it dialled."""

    def noted_as(self, uri: bytes, *, believed: bool) -> tuple[bytes, ...]:
        """Return the names by which a wish is kept of whom a URI names; believed: it is known that this is who asks."""

    def also_private(self, message: Message, decision: int, hop: Party, private: Private) -> int:
        """Return the decision for a message to a recorder with what those want whom its headers name."""

    def tell_recorder(
        self, draft: Draft, message: Message, source: Party, hop: Party, session: Session, wall: int, private: Private
    ) -> str:  # fmt: skip
        """Edit what the draft of a message to a recorder tells of a recording, before its plan; wall in Unix seconds.

        Returns by which key what came encrypted was opened, a label of COUNTERS; "" where nothing was.

        Raises:
            NotRecorded: where it may not be told, or cannot be read.
        """

    def recorders_end(self) -> float:
        """Return when the first certificate of a configured recorder ends, in Unix time; 0 for none."""

    def seal(self, draft: Draft, hop: Party, wall: int) -> None:
        """Encrypt what a draft tells of a recording to its recorder, after its plan; wall in Unix seconds.

        Raises:
            NotRecorded: where it cannot be.
        """

    def also(self, message: Message, decision: int, hop: Party) -> int:
        """Return a dialog's decision with what a message of it asks for, or hides of whom it names to a recorder."""

    def towards(self, hop: Party) -> int:
        """Return the decision for what the other side discloses to hop when nobody has asked for more."""

    def plan(self, decision: int, hop: Party) -> Plan:
        """Return the plan for a decision towards a hop; the running catalogue's stricter rules included."""

    def leaks(self, text: bytes) -> bool:
        """Tell whether a tag or another opaque value holds a device id or an address."""
