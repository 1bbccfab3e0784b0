"""The self-test of a policy before it goes to work: a call through its plans, of which nothing hidden leaves.

It is no proof. It finds what a check of files cannot: a plan that raises for an ordinary call, and a policy that
does not do what its own decision says. What may pass follows from that decision, so no configuration fails for being
open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from config.keyring import SECRET_SIZE, Key, KeyRing, KeyState
from config.settings import Settings
from config.vocabulary import Action, Category, Zone
from filters.leaks import found_in
from proxy import initial
from proxy.core import Core
from proxy.flow import Flow
from proxy.hop import Hop
from proxy.message import Message
from proxy.parse import parse, read_identity
from proxy.party import ACCESS, CORE, Party
from proxy.policy import Privacy, action, hides
from proxy.sinks import Event
from proxy.validation import read_request_uri
from tap.log import where

CANARIES = {
    Category.NAME: b"Selma Canary",
    Category.NUMBER: b"+4930555017423",
    Category.NETWORK: b"10.83.117.29",
    Category.UNKNOWN: b"unknown-canary-5f1c",
}
"""What the test call tells of each category. Only of those that an operator's catalogue cannot open."""

_INVITE = (
    b"INVITE sip:+4930555017400@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP %(network)b:5060;branch=z9hG4bKselftest;rport\r\n"
    b'Max-Forwards: 70\r\nFrom: "%(name)b" <sip:%(number)b@%(network)b>;tag=selftest\r\n'
    b"To: <sip:+4930555017400@192.0.2.1>\r\nCall-ID: selftest@%(network)b\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <sip:%(number)b@%(network)b:5060>\r\nX-Sipveil-Self-Test: %(unknown)b\r\nContent-Length: 0\r\n\r\n"
) % {name.name.lower().encode(): text for name, text in CANARIES.items()}
_OWN_HEADER = "x-sipveil-self-test"
_BRANCH = b"z9hG4bKselftestdown"
_KEY = Key(0, bytes(SECRET_SIZE), 0.0, KeyState.CURRENT)


class _Nowhere:
    """Sinks that nothing comes out of."""

    def send(self, flow: Flow, data: bytes) -> bool:
        return True

    def lookup(self, ticket: int, host: str, port: int, transport: str = "UDP") -> None:
        """Find nothing."""

    def event(self, event: Event) -> None:
        """Tell nobody."""


class _Way(NamedTuple):
    source: Party
    party: Party


def self_test(settings: Settings, privacy: Privacy) -> str:
    """Return why a policy must not go to work; "" where nothing is to be said against it.

    A call goes from each zone to each trunk, and its answer back.
    """
    core = Core(settings, KeyRing((_KEY,), 1), privacy, _Nowhere(), now=0.0, wall=0.0)
    for way in _ways(settings):
        name = f"self-test of a call from {way.source.label} to {way.party.label}"
        try:
            leaked = _leaked(core, settings, way)
        except Exception as error:
            return f"{name} failed: {where(error)}"
        if leaked:
            return f"{name}: it discloses {', '.join(leaked)}, which its own decision hides"
    return ""


def _ways(settings: Settings) -> Iterator[_Way]:
    """Yield who may call whom; without phones and core, the first trunk calls."""
    trunks = [Party(Zone.TRUNK, trunk) for trunk in settings.trunks]
    sources = [ACCESS] * (settings.access is not None) + [CORE] * (settings.core is not None) or trunks[:1]
    for source in sources:
        for party in trunks:
            yield _Way(source, party)


def _leaked(core: Core, settings: Settings, way: _Way) -> list[str]:
    """Return the categories that a call or its answer discloses although they are hidden."""
    request = parse(_INVITE, settings.limits)
    network = core.generation.network
    flow = Flow("UDP", network.local(way.source, ""), (CANARIES[Category.NETWORK].decode(), 5060))
    hop = Hop(way.party, "192.0.2.77", 5060, network.local(way.party, ""))
    arrival = initial.Arrival(request, read_request_uri(request), way.source, flow, 0)
    crossing = initial.cross(core.generation, arrival, initial.Destination(hop, b""), (), emergency=False)
    crossing.far_flow = Flow("UDP", hop.local, (hop.host, hop.port))
    sent = core.request_forwarder.build(crossing, _BRANCH, 1)
    leaked = _shown(sent, crossing.base.to_callee, way.party)
    answer = core.response_forwarder.build(crossing, _answer(sent, settings))
    far = hides(crossing.base.to_caller, Category.NETWORK)
    return leaked + ["network"] * (far and bool(found_in(answer, (hop.host.encode(),))))


def _shown(data: bytes, decision: int, party: Party) -> list[str]:
    """Return the hidden categories whose canary stands in data."""
    found = found_in(data, CANARIES.values())
    may_pass = set()
    if party.trunk is not None and _OWN_HEADER in map(str.lower, party.trunk.allow_headers):
        may_pass.add(Category.UNKNOWN)
    if party.trusted and action(decision, Category.NUMBER) is Action.INDICATE:
        may_pass.add(Category.NUMBER)  # hidden by indicator: it stands in P-Asserted-Identity (RFC 3325)
    return [
        category.name.lower()
        for category, canary in CANARIES.items()
        if canary in found and hides(decision, category) and category not in may_pass
    ]


def _answer(sent: bytes, settings: Settings) -> Message:
    """Return the 200 of the far side."""
    request = parse(sent, settings.limits)
    names = (b"via", b"record-route", b"from", b"call-id", b"cseq")
    lines = [request.lines[place] for name in names for place in request.index.get(name, ())]
    to = request.lines[request.index[b"to"][0]] + b";tag=answer"
    head = [b"SIP/2.0 200 OK", *lines, to, b"Contact: <sip:far@192.0.2.77>", b"Content-Length: 0", b"", b""]
    response = parse(b"\r\n".join(head), settings.limits)
    read_identity(response)
    return response
