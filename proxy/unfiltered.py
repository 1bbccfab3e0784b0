"""Privacy without filters: what an emergency call gets where the filters themselves fail (design.md §2)."""

from __future__ import annotations

from collections.abc import Callable

from proxy.dialled import Wish
from proxy.errors import NotRecorded
from proxy.headers import NameAddr
from proxy.message import Draft, Message
from proxy.party import Party
from proxy.policy import KEEP_ALL, EditContext, Origin, Private, Session

CREDENTIALS = (b"authorization", b"proxy-authorization")


def remove_credentials(draft: Draft) -> None:
    """Take out all credentials: without filters nobody can tell which are for a realm of ours."""
    for name in CREDENTIALS:
        draft.remove_all(name, "credentials never travel")


class UnfilteredPlan:
    """Lets everything pass but credentials."""

    @property
    def keeps_all(self) -> bool:
        """Everything passes."""
        return True

    def apply(self, draft: Draft, context: EditContext) -> None:
        """Remove credentials."""
        remove_credentials(draft)

    def contact_params(self, params: bytes) -> bytes:
        """Return them as they are."""
        return params

    def via(self, line: bytes) -> bytes:
        """Return it as it is."""
        return line

    def address(
        self, original: NameAddr, domain: bytes, *, is_from: bool, pseudonym: Callable[[bytes], bytes] | None = None
    ) -> NameAddr:
        """Return it as it is."""
        return original

    @property
    def may_assert(self) -> bool:
        """What is asserted passes."""
        return True

    @property
    def tells_identity(self) -> bool:
        """Nothing is added."""
        return False

    @property
    def indicates(self) -> bool:
        """Nothing is added."""
        return False

    @property
    def fulfils_privacy(self) -> bool:
        """Nobody does what Privacy asks for."""
        return False

    @property
    def vouches(self) -> bool:
        """Nothing is signed."""
        return False

    def vouch(self, draft: Draft, origin: Origin) -> list[tuple[str, str]]:
        """Leave what is said of the caller as it came."""
        return []

    def left_of_privacy(self, values: list[bytes]) -> bytes | None:
        """Leave the header as it came."""
        return None


PLAN = UnfilteredPlan()


class Unfiltered:
    """Decides to keep all, whatever was asked for."""

    def decide(self, request: Message, source: Party, hop: Party, wish: Wish) -> int:
        """Return the decision that touches nothing."""
        return KEEP_ALL

    def answers(self, request: Message, source: Party, hop: Party) -> int:
        """Return the decision that touches nothing."""
        return KEEP_ALL

    def kept_from(self, request: Message, source: Party, hop: Party) -> str:
        """An emergency call goes anywhere."""
        return ""

    def may_record(self, request: Message, source: Party) -> bool:
        """Nothing is refused."""
        return True

    def withheld(self, message: Message, wish: Wish) -> int:
        """Nobody is asked."""
        return KEEP_ALL

    def noted_as(self, uri: bytes, *, believed: bool) -> tuple[bytes, ...]:
        """Nobody is known."""
        return ()

    def also_private(self, message: Message, decision: int, hop: Party, private: Private) -> int:
        """Return the decision that touches nothing: no emergency call goes to a recorder."""
        return KEEP_ALL

    def tell_recorder(
        self, draft: Draft, message: Message, source: Party, hop: Party, session: Session, wall: int, private: Private
    ) -> str:  # fmt: skip
        """No emergency call goes to a recorder."""
        raise NotRecorded("recorder")

    def recorders_end(self) -> float:
        """There is none."""
        return 0

    def seal(self, draft: Draft, hop: Party, wall: int) -> None:
        """No emergency call goes to a recorder."""
        raise NotRecorded("recorder")

    def also(self, message: Message, decision: int, hop: Party) -> int:
        """Return the decision that touches nothing."""
        return KEEP_ALL

    def towards(self, hop: Party) -> int:
        """Return the decision that touches nothing."""
        return KEEP_ALL

    def plan(self, decision: int, hop: Party) -> UnfilteredPlan:
        """Return the plan that lets everything pass."""
        return PLAN

    def leaks(self, text: bytes) -> bool:
        """Find nothing."""
        return False
