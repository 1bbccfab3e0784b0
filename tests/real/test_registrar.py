"""Phones register at Sipveil, and calls from the trunk reach them: real processes, kill -9, and baresip."""

from __future__ import annotations

import time

import pytest

from config.account import AccountChange, secret_of
from config.store.account_book import AccountBook
from tests.accounts import again, proof
from tests.agents import Packet, read
from tests.phones import Phone
from tests.real import leaks
from tests.real.baresip import Baresip
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Lab, Sipveil, wait_for

REGISTRAR = """
[registrar]
domains = ["sip.example.net"]
unauthenticated = true
"""
DOMAIN = b"sip.example.net"
NUMBER = b"+4930555017342"
SECOND = b"+4930555017399"
AUTHENTICATION = """
[subscribers]
poll = 0.1

[authentication]
realm = "sip.example.net"
"""


@pytest.fixture
def carrier(lab: Lab, sipveil: Sipveil) -> Desk:
    """Return the trunk, with Sipveil configured as its registrar and not yet started."""
    desk = lab.keep(Desk("carrier", TRUNK, sipveil.address, b"carrier"))
    sipveil.sections = REGISTRAR
    sipveil.configure(desk.address)
    text = sipveil.config.read_text()
    sipveil.config.write_text(
        text.replace('source = "trunk"\nto = ["access"]', 'source = "trunk"\nto = ["registered"]')
    )
    return desk


class DeskPhone(Desk):
    """A phone on a socket of its own that can register."""

    def __init__(self, lab: Lab, sipveil: Sipveil, name: str) -> None:
        super().__init__(name, PHONE, sipveil.address, NUMBER)
        self.phone = Phone(self.address, NUMBER, call_id=name.encode() + b"@phone")
        lab.keep(self)

    def register(self, contact: bytes | None = None, *headers: bytes) -> bytes:
        self.send(self.phone.register(contact, *headers, uri=b"sip:" + DOMAIN, domain=DOMAIN))
        return self.take(200)


def call(carrier: Desk, sipveil: Sipveil, number: int = 1, user: bytes = NUMBER) -> Packet:
    """Let the trunk call the number, or another one, at Sipveil's address."""
    host, port = sipveil.address
    uri = b"sip:%b@%b:%d" % (user, host.encode(), port)
    invite = carrier.agent.invite(uri=uri, call_id=b"in-%d@carrier" % number, branch=b"z9hG4bKin%d" % number)
    carrier.send(invite)
    return invite


def test_a_registration_outlasts_a_kill(lab: Lab, sipveil: Sipveil, carrier: Desk) -> None:
    """A second after the REGISTER the process is killed; the next one knows the phone, and how long it stays."""
    sipveil.start()
    phone = DeskPhone(lab, sipveil, "desk")
    phone.register()
    time.sleep(1)
    sipveil.kill()
    sipveil.start()
    assert sipveil.metrics()["sipveil_bindings"] == 1
    call(carrier, sipveil)
    invite = phone.take(b"INVITE")
    assert read(invite).uri == b"sip:%b@%b" % (NUMBER, phone.phone.host)
    phone.send(phone.agent.answer(invite, 486))
    carrier.take(486)
    (contact,) = read(phone.register(b"")).items(b"contact")
    assert 3580 <= int(contact.partition(b";expires=")[2]) < 3600
    carrier.settle()
    phone.settle()


def test_who_has_gone_stays_gone_after_a_kill(lab: Lab, sipveil: Sipveil, carrier: Desk) -> None:
    sipveil.start()
    phone = DeskPhone(lab, sipveil, "desk")
    phone.register()
    phone.register(b"*", b"Expires: 0")
    time.sleep(1)
    sipveil.kill()
    sipveil.start()
    call(carrier, sipveil)
    carrier.take(480)
    carrier.settle()


def test_all_phones_of_a_number_ring(lab: Lab, sipveil: Sipveil, carrier: Desk) -> None:
    sipveil.start()
    phones = [DeskPhone(lab, sipveil, name) for name in ("desk", "mobile")]
    for phone in phones:
        phone.register()
    call(carrier, sipveil)
    invites = [phone.take(b"INVITE") for phone in phones]
    for phone, invite in zip(phones, invites, strict=True):
        phone.send(phone.agent.answer(invite, 486, tag=phone.phone.call_id[:3]))
    carrier.take(486)
    carrier.settle()
    for phone in phones:
        phone.settle()


def test_baresip_registers_and_is_called(lab: Lab, sipveil: Sipveil, carrier: Desk) -> None:
    """A phone that we did not write registers over UDP; the trunk's call rings there and is answered."""
    sipveil.start()
    alice = Baresip(
        lab, PHONE, sipveil.address, name="Ottilie Quandtner", user=NUMBER.decode(), domain=DOMAIN.decode(), regint=600
    )
    assert wait_for("the binding to be counted", lambda: sipveil.metrics().get("sipveil_bindings")) == 1
    sent = call(carrier, sipveil)
    answer = carrier.take(200)
    assert leaks.found([answer.partition(b"\r\n\r\n")[0]], {"address": PHONE.encode(), "software": b"baresip"}) == []
    carrier.send(carrier.agent.within(b"ACK", answer, own=sent, cseq=1))
    alice.event("CALL_ESTABLISHED")
    carrier.send(carrier.agent.within(b"BYE", answer, own=sent))
    carrier.take(200)
    alice.event("CALL_CLOSED")
    invite = next(data for data in alice.received if data.startswith(b"INVITE"))
    assert b"P-Called-Party-ID: <sip:%b@" % NUMBER in invite


def test_a_call_to_a_second_number_rings_in_each_worker(lab: Lab, sipveil: Sipveil, carrier: Desk) -> None:
    """Two workers, a phone that has proved its account under the first number, calls to the second by Call-IDs that
    meet either; until the account has that number no more, which both know with the next look at the store."""
    config = sipveil.config.read_text()
    sipveil.config.write_text(
        config.replace("workers = 1", "workers = 2").replace("unauthenticated = true", "") + AUTHENTICATION
    )
    assert "workers = 2" in sipveil.config.read_text()
    state = lab.folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    book = AccountBook(state / "subscribers.db", create=True)
    secret = secret_of("alice", DOMAIN.decode(), "pw-alice")
    book.add(AccountChange("alice", DOMAIN.decode(), secret, (NUMBER.decode(), SECOND.decode())), 0.0)
    sipveil.start()
    phone = DeskPhone(lab, sipveil, "desk")
    packet = phone.phone.register(uri=b"sip:" + DOMAIN, domain=DOMAIN)
    phone.send(packet)
    phone.send(again(packet, proof(packet, phone.take(401)), cseq=phone.phone.cseq + 1))
    associated = read(phone.take(200)).values(b"p-associated-uri")
    assert associated == [b"<sip:%b@%b>, <sip:%b@%b>" % (NUMBER, DOMAIN, SECOND, DOMAIN)]
    for number in range(8):
        sent = call(carrier, sipveil, number, SECOND)
        invite = phone.take(b"INVITE")
        assert b"P-Called-Party-ID: <sip:%b@" % SECOND in invite
        phone.send(phone.agent.answer(invite, 486, tag=b"x%d" % number))
        answer = carrier.take(486)
        assert b"ssociated" not in answer
        carrier.send(carrier.agent.ack_failure(sent, answer))
        phone.take(b"ACK")
    book.change(AccountChange("alice", DOMAIN.decode(), addresses=(NUMBER.decode(),)), 1.0)
    time.sleep(1)
    for number in range(8, 16):
        sent = call(carrier, sipveil, number, SECOND)
        carrier.send(carrier.agent.ack_failure(sent, carrier.take(480)))
    carrier.settle()
    phone.settle()
