"""ACK: absorbed for a refused INVITE, passed on for an accepted one, and never answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy import in_dialog, without_record
from proxy.breadth import breadth_of
from proxy.by_size import acknowledge_again, is_for_tcp, over_tcp
from proxy.crossing import Crossing
from proxy.errors import Malformed, Refused
from proxy.failover import targets
from proxy.flow import Flow
from proxy.initial import Arrival
from proxy.launch import finish, remember_loop
from proxy.location import Place, is_address
from proxy.matching import server_key
from proxy.message import Message
from proxy.party import Party
from proxy.transaction import ServerTransaction
from proxy.unsent import Unsent
from proxy.validation import read_request_uri

if TYPE_CHECKING:
    from proxy.core import Core


class AckHandler:
    """Takes every ACK."""

    def __init__(self, core: Core) -> None:
        """Work on the core's tables."""
        self._core = core

    def receive(self, request: Message, flow: Flow, source: Party, now: float) -> None:
        """Absorb the ACK of a final response of ours; forward that of a 2xx by its record (§13.2.2.4)."""
        core = self._core
        server = core.servers.get(server_key(request, b"INVITE"))
        if isinstance(server, ServerTransaction) and server.acknowledge(now):
            return
        if core.authentication.active and core.authentication.absorbs(request):
            return
        if not request.to_tag or request.max_forwards == 0:
            core.drop("ack-without-dialog")
            return
        try:
            arrival = Arrival(request, read_request_uri(request), source, flow, core.wall(now))
            crossing = self._cross(arrival)
        except in_dialog.TokenRefused as refusal:
            core.counters.add("tokens_refused", refusal.kind)
            core.drop("ack-without-dialog")
            return
        except (Refused, Malformed):
            core.drop("ack-without-dialog")
            return
        self._forward(crossing, now)

    def _cross(self, arrival: Arrival) -> Crossing:
        generation = self._core.generation
        try:
            crossing = in_dialog.cross(generation, arrival)
            if arrival.source.in_access:
                self._core.guard.proved(arrival.flow)
            return crossing
        except in_dialog.TokenRefused as refusal:
            request = arrival.request
            refused = self._core.refusals.tag(request.via.branch, request.call_id)
            if request.to_tag in (refused, self._core.own_tag(request)):
                raise  # it acknowledges a refusal of ours that no transaction stood for
            return without_record.cross(generation, arrival, refusal)[0]

    def _forward(self, crossing: Crossing, now: float) -> None:
        """Send an ACK, or park it without a transaction while its hop is looked up."""
        core = self._core
        hop = crossing.hop
        if is_address(hop.host):
            self._send(crossing, now)
            return

        network = core.generation.network  # the generation at receipt decides (design.md §5)

        def found(places: Sequence[Place], later: float) -> None:
            there = targets(core, network, hop, places, server_key(crossing.request))
            # Nobody answers an ACK, so there is no second try; but where the dialog was is better than nowhere.
            there += [network.hop(hop.party, address) for address in hop.others]
            if there:
                crossing.hop = there[0]
                self._send(crossing, later)

        listed = network.listed(hop.host)
        if listed is not None:
            found(listed, now)
        elif not core.look_up(hop.host, hop.port, hop.transport, found, urgent=crossing.emergency):
            core.drop("parked-full")

    def _send(self, crossing: Crossing, now: float) -> None:
        core = self._core
        key = server_key(crossing.request) + b" ACK"  # of a 2xx: no transaction, and not the INVITE's branch
        try:
            breadth = breadth_of(crossing.request, core.generation.network.limits.max_breadth)
            via, data = finish(core, crossing, key, b"", breadth, now)
        except Unsent:
            core.drop("failed-closed")
            return
        flow = crossing.far_flow
        assert flow is not None  # noqa: S101 -- `finish` has set it
        if is_for_tcp(core, crossing, data, now):
            via, data = over_tcp(crossing, data, via)
            flow = flow._replace(transport="TCP")
        remember_loop(core, crossing, via, now)
        core.record(crossing.request.raw, data, flow, crossing)
        if not core.transmit(flow, data):
            acknowledge_again(core, flow, data)
