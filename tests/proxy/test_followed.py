"""In-dialog requests to a phone whose connection has ended: in the same process, and after a restart."""

from __future__ import annotations

import pytest

from proxy.flow import Flow
from tests.agents import CARRIER, Packet
from tests.phones import Phone, ask, registrar_world, status
from tests.world import PHONE, PROXY, World

INSTANCE = b'+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'
BACK = (PHONE[0], 40002)
"""Where the phone's second connection comes from."""


def connection(peer: tuple[str, int], number: int) -> Flow:
    return Flow("TCP", PROXY, peer, number)


def register(world: World, phone: Phone, number: int) -> None:
    """Register a phone over a connection of that number."""
    world.flows[phone.address] = connection(phone.address, number)
    contact = b"<sip:me@%b;transport=tcp;ob>;%b;reg-id=1" % (phone.host, INSTANCE)
    assert status(ask(world, phone.register(contact, b"Supported: outbound, path"))) == 200


class Call:
    """A call between the carrier and a phone over a connection, established."""

    def __init__(self, world: World, *, by_phone: bool) -> None:
        self.world = world
        self.by_phone = by_phone
        self.phone = Phone(PHONE, call_id=b"reg@phone")
        register(world, self.phone, 7)
        caller, callee = (self.phone, CARRIER) if by_phone else (CARRIER, self.phone)
        uri = b"sip:+15550100@192.0.2.1" if by_phone else b"sip:alice@192.0.2.1"
        self.sent = caller.invite(uri=uri, call_id=b"c@x")
        self.invite = next(data for _, data in world.receive(*self.sent) if data.startswith(b"INVITE"))
        self.answer = callee.answer(self.invite, 200)
        self.got = next(data for _, data in world.receive(*self.answer) if b" 200 " in data[:20])

    def bye(self) -> list[tuple[tuple[str, int], bytes]]:
        """Let the carrier hang up; return what leaves for it."""
        packet: Packet
        if self.by_phone:
            packet = CARRIER.within(b"BYE", self.invite, own=self.answer)
        else:
            packet = CARRIER.within(b"BYE", self.got, own=self.sent)
        return self.world.receive(*packet)

    def back(self) -> Phone:
        """Let the phone come back over another connection, and register there."""
        phone = Phone(BACK, call_id=b"reg@phone")
        phone.cseq = self.phone.cseq
        register(self.world, phone, 9)
        return phone


def tls_world() -> World:
    """Return a world with a registrar that phones may reach by TCP, at the same address."""
    world = registrar_world()
    listeners = [
        {"name": "main", "address": PROXY[0], "port": PROXY[1]},
        {"name": "tcp", "address": PROXY[0], "port": PROXY[1], "transport": "tcp"},
    ]
    settings = world.settings.model_dump(exclude_unset=True) | {"listeners": listeners}
    return World(type(world.settings).model_validate(settings))


@pytest.fixture(params=[True, False], ids=["phone-called", "carrier-called"])
def call(request: pytest.FixtureRequest) -> Call:
    return Call(tls_world(), by_phone=request.param)


def test_it_is_found_by_its_new_connection(call: Call) -> None:
    call.world.close(connection(PHONE, 7))
    call.world.now += 5
    call.back()
    assert [address for address, data in call.bye() if data.startswith(b"BYE")] == [BACK]


def test_while_it_is_away_it_is_unavailable(call: Call) -> None:
    """At once: no timer is waited for."""
    call.world.close(connection(PHONE, 7))
    ((address, data),) = call.bye()
    assert (address, status(data)) == (CARRIER.address, 480)


def test_after_a_restart_it_is_found_when_it_is_back(call: Call) -> None:
    call.world.now += 5
    call.world.wall += 5
    call.world.new_core()
    ((_, data),) = call.bye()
    assert status(data) == 480
    call.world.wall += 5
    call.world.new_core()
    call.back()
    assert [address for address, data in call.bye() if data.startswith(b"BYE")] == [BACK]


def test_another_phone_with_the_same_number_of_connection_gets_nothing(call: Call) -> None:
    """After a restart numbers begin anew: what a record calls 7 is somebody else's by now."""
    call.world.wall += 5
    call.world.new_core()
    other = Phone(("10.1.1.77", 5060), b"bob")
    register(call.world, other, 7)
    ((address, data),) = call.bye()
    assert (address, status(data)) == (CARRIER.address, 480)
