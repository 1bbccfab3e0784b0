"""Two baresips that register with a password call each other, by every transport; the trunk calls one of them."""

from __future__ import annotations

import socket
import ssl
from functools import partial

import pytest

from tests.real import leaks
from tests.real.baresip import Baresip
from tests.real.dialogs import faults
from tests.real.harness import Lab, wait_for
from tests.real.house import ALICE, BOB, CAROL, DOMAIN, House, Person
from tests.real.relay import Wire
from tests.real.sip import Message
from tests.real.sipp import arguments

TRANSPORTS = [("udp", "udp"), ("tcp", "tcp"), ("tls", "tls"), ("tls", "udp"), ("tcp", "tls")]
CHALLENGES = (401, 407)


@pytest.fixture(autouse=True)
def _nobody_else(house: House, lab: Lab) -> None:
    """Begin when the phones of the test before have signed off."""
    house.expect_bindings(0)


def call(caller: Baresip, callee: Baresip, people: tuple[Person, Person]) -> None:
    """Let one call the other; the caller ends it, once each hears what the other says."""
    caller.command("dial", f"sip:{people[1].number}@{DOMAIN}")
    for phone in (caller, callee):
        phone.event("CALL_ESTABLISHED")
    for phone, other in ((caller, people[1]), (callee, people[0])):
        wait_for(f"{phone.name} to hear {other.name}", partial(phone.has_heard, other.pitch))
    caller.command("hangup")
    callee.event("CALL_CLOSED")


@pytest.mark.parametrize(("first", "second"), TRANSPORTS, ids=["udp", "tcp", "tls", "tls-udp", "tcp-tls"])
def test_phones_call_each_other(lab: Lab, house: House, first: str, second: str) -> None:
    """Both directions; each hears the other, either hangs up, and neither sees anything strange."""
    alice, bob = house.phone(lab, ALICE, first), house.phone(lab, BOB, second)
    house.expect_bindings(2)
    call(alice, bob, (ALICE, BOB))
    call(bob, alice, (BOB, ALICE))
    for phone in (alice, bob):
        wait_for(f"{phone.name} to be answered", partial(_done, phone))
        assert (phone.name, faults(unchallenged(phone), names=False)) == (phone.name, [])
        vias = {Message(data).value("via").split()[0] for data in phone.sent if not data.startswith(b"SIP/2.0 ")}
        assert vias == {f"SIP/2.0/{(first if phone is alice else second).upper()}"}


def unchallenged(phone: Baresip) -> list[Wire]:
    """Return all messages but those of transactions that were challenged, whose To tag is a proxy's."""
    messages = [(wire, Message(wire.data)) for wire in phone.tape]
    challenged = {each.branch for _, each in messages if each.status in CHALLENGES}
    return [wire for wire, each in messages if each.branch not in challenged]


def _done(phone: Baresip) -> bool | None:
    """Return True once every request has its final answer; an ACK needs none."""
    messages = [Message(wire.data) for wire in phone.tape]
    asked = {(each.branch, each.cseq) for each in messages if not each.status and each.method != "ACK"}
    return asked <= {(each.branch, each.cseq) for each in messages if each.status >= 200} or None


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_wrong_password_is_refused(lab: Lab, house: House, transport: str) -> None:
    """The phone is told so once it has tried, and neither registers nor calls."""
    mallory = house.phone(lab, CAROL, transport, password="guessed")
    # Read rather than waited for as an event: it has failed before anybody can ask it for events.
    told = f"reg: sip:{CAROL.number}@{DOMAIN}: 401 Unauthorized"
    wait_for("the refusal", lambda: told in mallory.process.output or None)
    assert house.bindings() == 0
    mallory.command("dial", f"sip:{BOB.number}@{DOMAIN}")
    assert "407" in mallory.event("CALL_CLOSED")["param"]
    assert {each.status for each in map(Message, mallory.received)} == set(CHALLENGES)


def test_phones_register_again_and_sign_off(lab: Lab, house: House) -> None:
    """One binding each however often they register, which they do a tenth of the time before it ends; then none."""
    phones = [house.phone(lab, person, over, regint=10) for person, over in ((ALICE, "udp"), (BOB, "tls"))]
    for phone in phones:
        wait_for(f"{phone.name} to register twice", lambda phone=phone: _registered(phone))  # type: ignore[misc]
    assert house.bindings() == 2
    for phone in phones:
        phone.command("quit")
    house.expect_bindings(0)


def _registered(phone: Baresip) -> bool | None:
    answers = [Message(data) for data in phone.received]
    return sum(each.status == 200 and each.method == "REGISTER" for each in answers) == 2 or None


@pytest.mark.parametrize("transport", ["tls", "wss"])
def test_the_certificate_is_the_proxys(house: House, transport: str) -> None:
    """baresip 1.0 takes any certificate, so whether phones that look at it would take ours is asked besides."""
    context = ssl.create_default_context(cafile=str(house.authority.file))
    with socket.create_connection(house.places[transport]) as plain:
        context.wrap_socket(plain, server_hostname=house.places[transport][0]).close()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_trunk_calls_a_registered_phone(lab: Lab, house: House, transport: str) -> None:
    """SIPp as the carrier dials the number; the phone answers, learns nothing of the trunk, and hears the BYE."""
    alice = house.phone(lab, ALICE, transport)
    house.expect_bindings(1)
    host, port = house.sipveil.address
    dialled = arguments("trunk_dials", house.trunk, house.trunk, calls=1, talk=200)
    carrier = lab.start("trunk", [*dialled, "-cid_str", "%u-%p@10.20.30.40", "-s", ALICE.number, f"{host}:{port}"])
    alice.event("CALL_ESTABLISHED")
    alice.event("CALL_CLOSED")
    assert carrier.wait(10) == 0
    assert leaks.found(alice.received, leaks.TRUNK) == []
    assert f"P-Called-Party-ID: <sip:{ALICE.number}@".encode() in b"".join(alice.received)
    assert faults(unchallenged(alice), names=False) == []
