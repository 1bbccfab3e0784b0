"""Who may record: recording sessions of configured clients alone, commands of subscribers whose setting allows it.

What is refused goes nowhere (standards.md §5). A sender hears that recording is not allowed, and not whose setting it
is. Nothing of an emergency call is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from config.address import HostPortValue
from config.recorders_section import RecordingClient
from config.settings import Settings
from proxy.crossing import Crossing
from proxy.dialled import Prefixes
from proxy.emergency import is_callback
from proxy.errors import NotRecorded, Refused
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.initial import Arrival
from proxy.location import Address
from proxy.message import Message
from proxy.pack import ANONYMOUS
from proxy.party import Party
from proxy.record import Mark
from proxy.recording import SUPPORTED, Detector, Finding, Kind, Known
from proxy.recording_bodies import UNREAD, BodyReader
from proxy.transports import DEFAULT_PORTS, SECURE

if TYPE_CHECKING:
    from proxy.core import Core

_COUNTED: Final = {Kind.RS: "session", Kind.RS_SUSPECT: "suspect", Kind.HINT: "hint"}
_SESSIONS: Final = (Kind.RS, Kind.RS_SUSPECT)


class RecordingControl:
    """Looks at each new request once, behind authentication, before it goes anywhere."""

    __slots__ = ("_clients", "_core", "_detector")

    def __init__(self, core: Core) -> None:
        """Ask the core's running generation."""
        self._core = core
        self.obey()

    def obey(self) -> None:
        """Recognise what the running settings name; after a reload again."""
        settings = self._core.generation.network.settings
        self._detector = Detector(known_of(settings))
        sockets = {one.name: (one.address, one.port) for one in settings.listeners}
        self._clients: list[tuple[Address, frozenset[str], RecordingClient]] = [
            (sockets[each.listener], frozenset([name.lower().removesuffix(".") for name in each.tls_names]), each)
            for each in settings.recording_clients
        ]

    def client_of(self, flow: Flow) -> RecordingClient | None:
        """Return which recording client is at the other end: by listener, certificate and address; None for others."""
        if flow.transport not in SECURE or not flow.identity:
            return None
        shown = frozenset([name.lower() for name in flow.identity])
        for local, names, client in self._clients:
            if flow.local == local and not shown.isdisjoint(names) and _is_in(client, flow.peer):
                return client
        return None

    def is_client_at(self, flow: Flow) -> bool:
        """Tell whether a flow leads to where a recording client is: to its address, through its listener."""
        return any(flow.local == local and _is_in(client, flow.peer) for local, _, client in self._clients)

    def has_proved(self, request: Message, flow: Flow) -> bool:
        """Tell whether a request begins a recording session of a client: its certificate says who it is, no password.

        What else it sends is a phone's request, where it stands among phones.
        """
        return self.client_of(flow) is not None and self._detector.classify(request).kind in _SESSIONS

    def check(self, arrival: Arrival) -> None:
        """Tell a new request that begins a recording session, and refuse what its sender may not ask for.

        Sets `client` of the arrival where it is one. Of who is no client, `siprec` in Supported alone begins none: it
        is taken out of what goes on (`proxy/recording_way.py`).

        Raises:
            Refused: 403; 415 for a body that cannot be looked through.
        """
        request, source = arrival.request, arrival.source
        finding = self._detector.classify(request)
        if finding.kind is Kind.NONE:
            return
        self._core.counters.add("recording_rules", finding.rule)
        if finding.kind not in _SESSIONS:
            self._weigh(finding.kind, request, source, emergency=self._is_exempt(arrival))
            return
        if self._is_exempt(arrival):
            return
        self._core.counters.add("recording", _COUNTED[finding.kind])
        arrival.client = self.client_of(arrival.flow)
        if arrival.client is None and finding.rule != SUPPORTED:
            raise _refusal(finding, "client")

    def check_within(self, request: Message, crossing: Crossing) -> None:
        """Do the same for a request within a dialog: one of a recording session is so whatever it says (R6).

        Raises:
            Refused: as `check`, also for what would make a recording session of another dialog; never for a BYE.
        """
        counters = self._core.counters
        if crossing.base.marks & Mark.RECORDING:
            counters.add("recording", "session")
            counters.add("recording_rules", "R6")
            return
        finding = self._detector.classify(request)
        if finding.kind is Kind.NONE:
            return
        counters.add("recording_rules", finding.rule)
        if finding.kind is Kind.CONTROL:
            request.caller = self._sender_within(request, crossing)
        if finding.kind not in _SESSIONS:
            self._weigh(finding.kind, request, crossing.source, emergency=crossing.emergency)
        elif not crossing.emergency and request.method != b"BYE":
            counters.add("recording", _COUNTED[finding.kind])
            if finding.rule != SUPPORTED:
                raise _refusal(finding, "recorder")

    def _sender_within(self, request: Message, crossing: Crossing) -> NameAddr:
        """Return who sends a request within a dialog: who it was at its beginning, whatever From says by now.

        Only tags tell dialogs apart, and nobody is asked for a password within one: with another's From its settings
        would be borrowed. Of a callee whose To went on as it came the record keeps nothing.
        """
        base = crossing.base
        known = base.from_original if crossing.near_is_caller else base.to_original
        if known is not None or not crossing.near_is_caller:
            return known or request.from_
        handle = self._core.generation.identity.subscriber(crossing.key_id, request.from_.uri)
        return request.from_ if handle == base.subscriber else ANONYMOUS

    def begins(self, response: Message) -> bool:
        """Tell whether a response would make a recording session of a call that is none."""
        finding = self._detector.classify(response)
        return finding.kind is Kind.RS or finding.rule == UNREAD

    def _weigh(self, kind: Kind, request: Message, source: Party, *, emergency: bool) -> None:
        """Count a hint; refuse a command that its sender may not give.

        Raises:
            Refused: 403.
        """
        core = self._core
        if kind is Kind.HINT:
            core.counters.add("recording", _COUNTED[kind])
            return
        if not emergency and not core.generation.privacy.may_record(request, source):
            core.counters.add("recording", "refused")
            raise Refused(403, "Recording Not Allowed")
        core.counters.add("recording", "allowed")

    def _is_exempt(self, arrival: Arrival) -> bool:
        """Tell whether a new request is an emergency call, or its call-back."""
        generation, request = self._core.generation, arrival.request
        return generation.network.is_emergency(request.uri) or is_callback(
            generation, request, arrival.source, arrival.wall
        )


def carries_metadata(message: Message) -> bool:
    """Tell whether a message's body has to do with a recording session, or cannot be looked through."""
    body = message.body
    if not body or body[:2] == b"v=":
        return False
    reader = BodyReader()
    reader.read_message(message)
    return bool(reader.rule)


def known_of(settings: Settings) -> Known:
    """Return what a configuration knows of recording."""
    said, clients, privacy = settings.recording, settings.recording_clients, settings.privacy
    others = _others(settings)
    hosts = [hop for recorder in settings.recorders for hop in recorder.hosts if _name(hop.host) not in others]
    return Known(
        recorders=frozenset([place for hop in hosts for place in _places(hop)]),
        clients=frozenset([address.lower().encode() for each in clients for address in each.addresses]),
        headers=tuple(name.encode() for name in said.headers),
        codes=frozenset([code.encode() for code in said.codes]),
        commands=frozenset([text.lower().encode() for text in said.commands]),
        prefixes=Prefixes(privacy.withhold, privacy.show, settings.emergency.numbers),
    )


def _others(settings: Settings) -> frozenset[str]:
    """Return the names by which others are called: a recorder that has one of them is told by nothing in a message."""
    core = settings.core.next_hop if settings.core is not None else None
    hops = [*(hop for trunk in settings.trunks for hop in trunk.hosts), *([core] if core is not None else [])]
    names = (*settings.own_realms, *settings.names, *(hop.host for hop in hops if not hop.is_ip))
    return frozenset(map(_name, names))


def _name(host: str) -> str:
    return host.lower().removesuffix(".")


def _places(hop: HostPortValue) -> Iterator[bytes]:
    """Yield how a URI may name a recorder: by its name, or its address with the port; others may share the address."""
    host = _name(hop.host).encode()
    if not hop.is_ip:
        yield host
    yield b"%b:%d" % (host, hop.port or DEFAULT_PORTS["TLS"])


def _refusal(finding: Finding, reason: str) -> Refused:
    """Return the answer to who may not record: where nobody knows what a body holds, what could be read instead."""
    if finding.rule == UNREAD:
        return Refused(415, "Unsupported Media Type", b"Accept-Encoding: identity")
    return NotRecorded(reason)


def _is_in(client: RecordingClient, peer: Address) -> bool:
    ip = ipaddress.ip_address(peer[0].partition("%")[0])
    return any(item.port in (0, peer[1]) and ip in item.network for item in client.networks)
