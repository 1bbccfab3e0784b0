"""One generation of everything that decides: what initial and in-dialog requests alike need to become crossings."""

from __future__ import annotations

from dataclasses import dataclass

from config.vocabulary import Category
from proxy.identity import Identity, Side
from proxy.policy import Privacy, hides
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

    def is_token(self, user: bytes, purpose: Purpose) -> bool:
        """Tell whether a user part is an authentic token for a purpose that needs no context."""
        opened = self.tokens.open_text(user)
        return opened is not None and opened.purpose is purpose

    def origin(self, party: Party) -> bytes:
        """Return host[:port] that a party is told of us."""
        host, port = self.network.advertised(party)
        return hostport(host.encode(), port)
