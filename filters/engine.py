"""The privacy side as the core sees it: decisions, plans from a cache, leak patterns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from config.recorder_keys import RecorderKeys
from config.settings import Settings
from config.subscribers import Subscribers
from config.vocabulary import Zone
from filters.catalogue import PACKAGED, Catalogue, load_catalogue
from filters.patterns import PATTERNS, compile_leaks
from filters.plan import CompiledPlan, forget_plans
from filters.policy import Policy
from filters.recorded import Recorded
from filters.rulings import Ruling
from filters.signer import Signer
from filters.verifier import Verifier
from filters.zones import towards
from proxy.dialled import Prefixes, Wish
from proxy.grammar import PERCENT
from proxy.message import Draft, Message
from proxy.party import Party
from proxy.policy import Private, Session

NO_KEYS: Mapping[str, RecorderKeys] = MappingProxyType({})
"""Of who knows no recorders."""
MAX_PLANS = 256
"""Plans that are kept; a flood of different wishes then compiles anew rather than grow memory."""


class Engine:
    """Classify, decide, and hand out plans for one generation of settings and catalogue."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, subscribers: Subscribers | None = None,
        signer: Signer | None = None, verifier: Verifier | None = None,
        recorder_keys: Mapping[str, RecorderKeys] = NO_KEYS,
    ) -> None:  # fmt: skip
        """Bind settings, catalogue and subscribers; nothing is compiled before it is needed."""
        self.subscribers = Subscribers() if subscribers is None else subscribers
        self._catalogue = catalogue
        self._signer = signer
        self._verifier = verifier
        self._policy = Policy(settings, self.subscribers)
        self._recorded = Recorded(self._policy, recorder_keys, settings.recording.metadata_extensions)
        ends = [recorder_keys[each.name].validity.ends for each in settings.recorders if each.name in recorder_keys]
        self._recorders_end = min(ends, default=0.0)
        verified = settings.authentication.realm if settings.authentication else None
        self._verified = frozenset((verified.lower().encode(),)) if verified else frozenset()
        """The realm of which we verify credentials ourselves, so that not even the core needs them."""
        self._realms = frozenset(realm.lower().encode() for realm in settings.own_realms)
        self._prefixes = Prefixes(settings.privacy.withhold, settings.privacy.show, settings.emergency.numbers)
        self._leaks = compile_leaks((*PATTERNS, *catalogue.searches), catalogue.searches)
        self._plans: dict[tuple[int, str], CompiledPlan] = {}
        # What is remembered by plan would keep alive those of all engines that this one comes after.
        forget_plans()

    def decide(self, request: Message, source: Party, hop: Party, wish: Wish = Wish.NONE) -> int:
        """Return the packed decision for an initial request; wish is what the dialled prefix asks for.

        Raises:
            Refused: for what cannot be done, or is not taken.
        """
        return self._policy.decide(request, source, hop, wish)

    def answers(self, request: Message, source: Party, hop: Party) -> int:
        """Return the packed decision for what hop's side discloses to the sender of an initial request."""
        return self._policy.answers(request, source, hop)

    def kept_from(self, request: Message, source: Party, hop: Party) -> str:
        """Return whose data may not go to a trunk, `caller` or `forwarder`; "" where nobody's keep the call from it."""
        return self._policy.kept_from(request, source, hop)

    def may_record(self, request: Message, source: Party) -> bool:
        """Tell whether the sender of a request may have a recording begin or end."""
        return self._policy.may_record(request, source)

    def withheld(self, message: Message, wish: Wish = Wish.NONE) -> int:
        """Return what a call's message asks to be hidden of its sender in recordings, packed."""
        return self._policy.withheld(message, wish)

    def noted_as(self, uri: bytes, *, believed: bool) -> tuple[bytes, ...]:
        """Return the names by which a wish is kept of whom a URI names."""
        return self._policy.noted_as(uri, believed=believed)

    def tell_recorder(
        self, draft: Draft, message: Message, source: Party, hop: Party, session: Session, wall: int, private: Private
    ) -> str:  # fmt: skip
        """Edit what the draft of a message to a recorder tells of a recording, before its plan; wall in Unix seconds.

        Returns by which key what came encrypted was opened, a label of COUNTERS; "" where nothing was.

        Raises:
            NotRecorded: where it may not be told, or cannot be read.
        """
        return self._recorded.tell(draft, message, source, hop, session, wall, private)

    def also_private(self, message: Message, decision: int, hop: Party, private: Private) -> int:
        """Return the decision for a message to a recorder with what those want whom its headers name."""
        return self._policy.also_private(message, decision, hop, private)

    def recorders_end(self) -> float:
        """Return when the first certificate of a configured recorder ends, in Unix time; 0 for none."""
        return self._recorders_end

    def seal(self, draft: Draft, hop: Party, wall: int) -> None:
        """Encrypt what a draft tells of a recording to its recorder, after its plan.

        Raises:
            NotRecorded: where it cannot be.
        """
        self._recorded.seal(draft, hop, wall)

    def also(self, message: Message, decision: int, hop: Party) -> int:
        """Return a dialog's decision with what a message of it asks for, or hides of whom it names to a recorder."""
        return self._policy.also(message, decision, hop)

    def rulings(self, request: Message, source: Party, hop: Party, wish: Wish = Wish.NONE) -> tuple[Ruling, ...]:
        """Return who decided what for an initial request; raises as `decide`."""
        return self._policy.rulings(request, source, hop, wish)

    def towards(self, hop: Party) -> int:
        """Return the packed decision where nobody has asked for anything."""
        return self._policy.towards(hop)

    def plan(self, decision: int, hop: Party) -> CompiledPlan:
        """Return the plan for a decision towards a hop."""
        key = decision, hop.key
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[key] = self._compile(decision, hop)
        return plan

    def _compile(self, decision: int, hop: Party) -> CompiledPlan:
        allowed = hop.trunk.allow_headers if hop.trunk else ()
        # What a recorder is told in metadata, the settings of those whom they name have decided by then.
        catalogue = self._catalogue if hop.recorder is None else self._catalogue.with_metadata()
        return CompiledPlan(
            catalogue, decision,
            allowed=frozenset(name.lower().encode() for name in allowed),
            realms=self._verified if hop.zone is Zone.CORE else self._realms,
            ours_leave=hop.zone is not Zone.CORE or bool(self._verified), zone=towards(hop),
            prefixes=self._prefixes, uniform=hop.is_uniform,
            refuses_bodies=hop.trunk is not None and hop.trunk.refuse_bodies,
            signer=self._signer if hop.trunk is not None and hop.trunk.sign else None,
            verifier=self._verifier if hop.zone is Zone.CORE else None,
        )  # fmt: skip

    def leaks(self, text: bytes) -> bool:
        """Tell whether an opaque value holds a device id or an address."""
        if PERCENT in text and self._leaks(unquote_to_bytes(text)) is not None:
            return True  # a token has no colon, so some phones escape those of their MAC
        return self._leaks(text) is not None


def catalogue_of(settings: Settings) -> Catalogue:
    """Return the packaged catalogue with the operator's files over it.

    Raises:
        CatalogueError: for mistakes in them.
    """
    return load_catalogue(PACKAGED, *map(Path, settings.catalogue))


def build(
    settings: Settings, subscribers: Subscribers | None = None, signer: Signer | None = None,
    verifier: Verifier | None = None, recorder_keys: Mapping[str, RecorderKeys] = NO_KEYS,
) -> Engine:  # fmt: skip
    """Return the engine for settings with the packaged catalogue and the operator's files over it.

    Without subscribers, nobody has said anything; without signer, nothing is signed; without verifier,
    nothing verified; without recorder_keys, recorders get no metadata.

    Raises:
        CatalogueError: for mistakes in the catalogue.
    """
    return Engine(settings, catalogue_of(settings), subscribers, signer, verifier, recorder_keys)
