"""One generation of everything that decides: what initial and in-dialog requests alike need to become crossings."""

from __future__ import annotations

from dataclasses import dataclass

from config.vocabulary import Category
from proxy.headers import NameAddr
from proxy.identity import Identity, Side
from proxy.pack import DERIVED
from proxy.policy import Privacy, hides
from proxy.record import Record
from proxy.references import References
from proxy.routing import Network, Party
from proxy.tokens import Purpose, Tokens
from proxy.uri import hostport


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

    def side(self, party: Party, decision: int, *, emergency: bool = False) -> Side:
        """Return how identifiers look towards a party, given the decision for what is sent to it."""
        hidden = hides(decision, Category.NETWORK)
        end = party.end
        if party.trunk is None:
            return Side(end, hidden)
        trunk = party.trunk
        return Side(end, hidden, trunk.seal_tags, 255 if emergency else trunk.max_call_id, trunk.token_alphabet)

    def domain(self, party: Party) -> bytes:
        """Return the host[:port] that Request-URI and To carry towards a party."""
        if party.trunk is None:
            return self.origin(party)
        if party.trunk.domain:
            return party.trunk.domain.encode()
        host, port = party.trunk.hosts[0]
        return hostport(host.encode(), port)

    def outward(self, record: Record, callee: Party) -> tuple[NameAddr | None, NameAddr | None]:
        """Return From and To as the callee's side sees them, by the originals and the decision of a record."""
        plan = self.privacy.plan(record.to_callee, callee)
        from_, to = record.from_original, record.to_original
        return (
            from_ and plan.address(from_, self.origin(callee), is_from=True),
            to and plan.address(to, self.domain(callee), is_from=False),
        )

    def with_addresses(self, record: Record, callee: Party) -> Record:
        """Return a record that came in, with the outward addresses that it left to be derived."""
        if DERIVED not in (record.from_outward, record.to_outward):
            return record
        from_, to = self.outward(record, callee)
        return record._replace(
            from_outward=from_ if record.from_outward == DERIVED else record.from_outward,
            to_outward=to if record.to_outward == DERIVED else record.to_outward,
        )

    def is_token(self, user: bytes, purpose: Purpose) -> bool:
        """Tell whether a user part is an authentic token for a purpose that needs no context."""
        opened = self.tokens.open_text(user)
        return opened is not None and opened.purpose is purpose

    def origin(self, party: Party) -> bytes:
        """Return host[:port] that a party is told of us."""
        host, port = self.network.advertised(party)
        return hostport(host.encode(), port)
