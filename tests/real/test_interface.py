"""An interface that goes down and comes up again, or loses its address: calls that are up go on, and new ones go.

Each test has a network of its own (tests/real/namespaces.py), in which only it can be hurt.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from tests.agents import Packet
from tests.real.desk import Desk
from tests.real.harness import Address, Lab, Sipveil
from tests.real.namespaces import PHONE, PROXY, TRUNK, Cable
from tests.real.sections import AUTHORITY, secure, stream
from tests.real.stream_desk import StreamDesk
from tests.tls import TlsAuthority

PORT = 5060
PATIENCE = 20.0
"""Seconds to wait for a message: TCP repeats by a timer of its own, which doubles while there is nobody."""
OUTAGE = 1.2
"""Seconds without an interface: more than T1, so that what waits is repeated in vain meanwhile."""
OUTAGES: dict[str, tuple[Callable[[Cable], None], Callable[[Cable], None]]] = {
    "link": (lambda cable: cable.link("down"), lambda cable: cable.link("up")),
    "address": (lambda cable: cable.address("del"), lambda cable: cable.address("add")),
}


@pytest.fixture
def cable(lab: Lab) -> Iterator[Cable]:
    made = Cable()
    yield made
    lab.close()  # before the network that it is in
    made.close()


class Place:
    """A phone, a trunk, and a Sipveil between them, over one transport and one version of IP."""

    def __init__(self, lab: Lab, sipveil: Sipveil, cable: Cable, transport: str, version: int) -> None:
        state = lab.folder / "state"
        state.mkdir(mode=0o700)
        authority = TlsAuthority(state)
        authority.issue("own", dns=["sip.example.net"])
        proxy: Address = (PROXY[version], PORT)
        reached = (proxy[0], 5061) if transport == "tls" else proxy
        server = client = None
        if transport == "tls":
            server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            server.load_cert_chain(*authority.issue("trunk", dns=["carrier.example"]))
            client = ssl.create_default_context(cafile=str(authority.file))

        def ends() -> tuple[Desk, Desk]:
            if transport == "udp":
                return Desk("phone", PHONE[version], proxy, b"alice"), Desk("trunk", TRUNK[version], proxy, b"gw")
            phone = StreamDesk(
                "phone", PHONE[version], b"alice", proxy=reached, context=client, asks_for="sip.example.net"
            )
            return phone, trunk

        if transport != "udp":
            trunk: Desk = lab.keep(cable.at_ends(lambda: StreamDesk("trunk", TRUNK[version], b"gw", context=server)))
            told = trunk.address
        else:
            self.phone, self.trunk = (lab.keep(each) for each in cable.at_ends(ends))
            told = self.trunk.address
        self._configure(sipveil, cable, transport, version, told)
        if transport != "udp":
            self.phone, self.trunk = (lab.keep(each) for each in cable.at_ends(ends))
        self.sipveil, self._calls = sipveil, 0

    @staticmethod
    def _configure(sipveil: Sipveil, cable: Cable, transport: str, version: int, trunk: Address) -> None:
        sipveil.address = (PROXY[version], PORT)
        sipveil.prefix, sipveil.near = cable.prefix, cable.at_proxy
        host = PROXY[version]
        sipveil.sections = stream("tcp", (host, 5060), "tcp") + secure("tls", (host, 5061), ca=AUTHORITY)
        shown = f"[{trunk[0]}]" if version == 6 else trunk[0]
        sipveil.configure((shown, trunk[1]))
        text = sipveil.config.read_text().replace("127.0.0.11/32", PHONE[version])
        text = text.replace(f'networks = ["{shown}/32"]', f'networks = ["{trunk[0]}"]')
        head, carrier = text.split("[[trunks]]", 1)
        listener = 'listener = "main"' if transport == "udp" else f'listener = "{transport}"'
        name = '\ntls_name = "carrier.example"' if transport == "tls" else ""
        carrier = carrier.replace('listener = "main"', listener + name, 1)
        sipveil.config.write_text(f"{head}[[trunks]]{carrier}")
        sipveil.start()

    def invite(self) -> Packet:
        """Let the phone call."""
        self._calls += 1
        host = self.sipveil.address[0].encode()
        uri = b"sip:+15550100@" + (b"[%b]" % host if b":" in host else host)
        number = self._calls
        invite = self.phone.agent.invite(uri=uri, call_id=b"c%d@phone" % number, branch=b"z9hG4bKcall%d" % number)
        self.phone.send(invite)
        return invite

    def call(self) -> tuple[Packet, bytes, bytes, Packet]:
        """Return a call that is up: INVITE and 200 as sent and as received."""
        invite = self.invite()
        return self.answer(invite)

    def answer(self, invite: Packet) -> tuple[Packet, bytes, bytes, Packet]:
        """Let the trunk take a call, which is up then."""
        invited = self.trunk.take(b"INVITE", PATIENCE)
        answer = self.trunk.agent.answer(invited, 200)
        self.trunk.send(answer)
        answered = self.phone.take(200, PATIENCE)
        self.phone.send(self.phone.agent.within(b"ACK", answered, own=invite, cseq=1))
        self.trunk.take(b"ACK", PATIENCE)
        return invite, answered, invited, answer

    def within(self, call: tuple[Packet, bytes, bytes, Packet], method: bytes, cseq: int, *, by_phone: bool) -> None:
        """Let one side ask the other something, and hear 200."""
        invite, answered, invited, answer = call
        asking, other = (self.phone, self.trunk) if by_phone else (self.trunk, self.phone)
        formed, own = (answered, invite) if by_phone else (invited, answer)
        branch = b"z9hG4bK%b%d%d" % (method, cseq, by_phone)
        asking.send(asking.agent.within(method, formed, own=own, cseq=cseq, branch=branch))
        other.send(other.agent.answer(other.take(method, PATIENCE), 200))
        asking.take(200, PATIENCE)


@pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("outage", ["link", "address"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_calls_go_on_when_the_interface_is_back(
    lab: Lab, sipveil: Sipveil, cable: Cable, transport: str, outage: str, version: int
) -> None:
    """Both sides speak within the call that is up; new calls go; the same process and sockets serve them."""
    place = Place(lab, sipveil, cable, transport, version)
    call = place.call()
    place.within(call, b"INFO", 2, by_phone=True)
    down, up = OUTAGES[outage]
    down(cable)
    time.sleep(OUTAGE)
    up(cable)
    place.within(call, b"INFO", 3, by_phone=True)
    place.within(call, b"INFO", 2, by_phone=False)
    place.within(place.call(), b"BYE", 3, by_phone=True)
    place.within(call, b"BYE", 3, by_phone=False)
    assert sipveil.runs[-1].running()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_call_being_set_up_outlives_the_outage(lab: Lab, sipveil: Sipveil, cable: Cable, transport: str) -> None:
    """The trunk has the INVITE and rings; what we cannot repeat meanwhile is lost, as on any way, and no more."""
    place = Place(lab, sipveil, cable, transport, 4)
    invite = place.invite()
    while not place.trunk.received:
        place.trunk.hear(5)
    cable.link("down")
    time.sleep(OUTAGE)
    cable.link("up")
    place.within(place.answer(invite), b"BYE", 2, by_phone=True)
