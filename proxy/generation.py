"""One generation of everything that decides: what initial and in-dialog requests alike need to become crossings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from config.accounts import Accounts
from config.vocabulary import Category, Zone
from proxy.bindings import Bindings
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.hop import Hop
from proxy.identity import Identity, Side
from proxy.location import Address
from proxy.memo import Recent
from proxy.party import Party
from proxy.passage import Passage
from proxy.places import Places, alone
from proxy.policy import Privacy, hides
from proxy.record import End, Mark
from proxy.references import References
from proxy.routing import Network
from proxy.serialise import serialise
from proxy.tokens import Purpose, Tokens
from proxy.unfiltered import Unfiltered
from proxy.uniform import uniform
from proxy.uri import hostport
from proxy.wishes import Wishes


class Ways(NamedTuple):
    """By which transport and socket of ours each side is reached."""

    near: str
    near_local: Address
    far: str
    far_local: Address


BY_UDP = Ways("UDP", ("", 0), "UDP", ("", 0))


@dataclass(frozen=True, slots=True)
class Generation:
    """One immutable set of settings, catalogue and policy, with the stages that work on it.

    A transaction keeps the generation that it began with.
    """

    network: Network
    privacy: Privacy
    tokens: Tokens
    identity: Identity
    references: References
    places: Places = field(default_factory=lambda: alone(0))
    """Which worker has a connection, and whether it still runs."""
    bindings: Bindings | None = None
    """Where phones are registered; the same for all generations."""
    accounts: Accounts | None = None
    """Who phones may be; the same for all generations, and None where they are not asked."""
    wishes: Wishes | None = None
    """Who asked for privacy in calls that run; None where nothing is recorded."""
    _passages: Recent[tuple[str, str, int, int, bool, int, End, End, Ways], Passage] = field(default_factory=Recent)

    def passage(
        self, source: Party, party: Party, to_far: int, to_near: int, *, emergency: bool, key_id: int,
        ends: tuple[End, End], ways: Ways = BY_UDP,
    ) -> Passage:  # fmt: skip
        """Return what crossings from source to party have in common, worked out once for each pair of decisions.

        Args:
            source: who sends the request.
            party: who is to get it.
            to_far: the decision for what is sent on.
            to_near: the decision for what comes back.
            emergency: whether this is a call to a PSAP.
            key_id: the key that the dialog began with; its pseudonyms are made by it.
            ends: what stands for either side in the dialog's records.
            ways: transport and socket of ours by which each side is reached, as `ways` has them.
        """
        key = (source.key, party.key, to_far, to_near, emergency, key_id, *ends, ways)
        passage = self._passages.get(key)
        if passage is None:
            network, privacy = self.network, self.privacy
            near_way, near_local, far_way, far_local = ways
            far_origin = network.face(party, far_way, far_local)
            passage = Passage(
                self.side(source, to_near)._replace(end=ends[0]),
                self.side(party, to_far, emergency=emergency)._replace(end=ends[1]),
                privacy.plan(to_far, party), privacy.plan(to_near, source),
                network.face(source, near_way, near_local), far_origin,
                far_origin if party.trunk is None else self.domain(party),
                network.record_budget(source, near_way), network.record_budget(party, far_way),
                uniform if source.is_uniform else serialise, uniform if party.is_uniform else serialise,
                self._pseudonyms(key_id, ends[1]), self._pseudonyms(key_id, ends[0]), source.trusted or emergency,
                near_way, far_way, network.max_user(party, far_way),
                Mark.CSEQ_MAPPED * party.logs_in | Mark.CSEQ_MAPPED_BACK * source.logs_in,
                self._numbered(party),
            )  # fmt: skip
            self._passages.put(key, passage)
        return passage

    def ways(self, flow: Flow, hop: Hop) -> Ways:
        """Return by which transport and socket of ours the sender and the hop of a request are reached.

        Where all listeners are of UDP and one family, each party is told of its own one, and nothing is to be told
        apart.
        """
        if self.network.all_alike:
            return BY_UDP
        return Ways(flow.transport, flow.local, hop.transport, hop.local)

    def _pseudonyms(self, key_id: int, end: End) -> Callable[[bytes], bytes]:
        """Return what makes pseudonyms towards a side, 16 hexadecimal digits each."""
        tokens, whom = self.tokens, end.pack()

        def pseudonym(value: bytes) -> bytes:
            return tokens.mac(key_id, b"identity", whom, value, size=8).hex().encode()

        return pseudonym

    def _numbered(self, party: Party) -> Callable[[NameAddr], NameAddr] | None:
        """Return what writes numbers as a trunk wants them; a PSAP gets them as they are."""
        plan, trunk = self.network.dial_plan, party.trunk
        if plan is None or trunk is None or trunk.numbers is None or party.zone is not Zone.TRUNK:
            return None
        return plan.written(trunk.numbers)

    @property
    def asks(self) -> bool:
        """Whether phones have to prove who they are."""
        return self.network.settings.authentication is not None and self.accounts is not None

    def unfiltered(self) -> Generation:
        """Return this generation without filters, for an emergency call on which they fail."""
        return replace(self, privacy=Unfiltered(), _passages=Recent())

    def side(self, party: Party, decision: int, *, emergency: bool = False) -> Side:
        """Return how identifiers look towards a party, given the decision for what is sent to it."""
        hidden, devices = hides(decision, Category.NETWORK), hides(decision, Category.DEVICE)
        end = party.end
        if party.trunk is None:
            return Side(end, hidden, hides_devices=devices)
        trunk = party.trunk
        return Side(
            end,
            hidden,
            trunk.seal_tags or party.is_uniform,
            255 if emergency else trunk.max_call_id,
            trunk.token_alphabet,
            devices,
            wary=True,
        )

    def domain(self, party: Party) -> bytes:
        """Return the host[:port] that Request-URI and To carry towards a party."""
        if party.trunk is None:
            return self.origin(party)
        if party.trunk.domain:
            return party.trunk.domain.encode()
        host, port = party.trunk.hosts[0]
        return hostport(host.encode(), port)

    def is_token(self, user: bytes, purpose: Purpose) -> bool:
        """Tell whether a user part is an authentic token for a purpose that needs no context."""
        opened = self.tokens.open_text(user)
        return opened is not None and opened.purpose is purpose

    def origin(self, party: Party) -> bytes:
        """Return host[:port] that a party is told of us."""
        return self.network.origin(party)
