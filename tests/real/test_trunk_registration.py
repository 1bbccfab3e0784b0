"""Sipveil registers at a carrier whose registrar is Kamailio, and what is called there reaches phones here."""

from __future__ import annotations

import os
import re
import signal
import time
from functools import partial

from proxy.matching import owner
from tests.agents import read
from tests.real.baresip import Baresip
from tests.real.carrier import INSIDE, Carrier
from tests.real.desk import Desk
from tests.real.harness import PHONE, READY, TRUNK, Lab, Sipveil, free_port, wait_for
from tests.real.sip import Message
from tests.real.test_registrar import REGISTRAR
from tests.real.test_trunk_digest import PASSWORD, with_password
from tests.real.test_workers import PUBLISHED, workers

ACCOUNT = "line-4711"
NUMBER = "+4930555017342"
REGISTRATION = f"""
[trunks.registration]
user = "{ACCOUNT}"
domain = "carrier.example"
retry = 1.0
"""
REGISTERED = 'sipveil_trunk_registered{trunk="carrier"}'


def set_up(lab: Lab, sipveil: Sipveil, *, password: str = PASSWORD, to: str = "registered") -> Carrier:
    """Start a carrier that wants us registered, and then Sipveil."""
    carrier = Carrier(lab, sipveil, password=password, customer=ACCOUNT)
    carrier.start({"nobody": [(INSIDE, free_port(INSIDE))]})
    sipveil.configure(carrier.relay.outer, contract=with_password(lab) + REGISTRATION)
    text = sipveil.config.read_text()
    sipveil.config.write_text(text.replace('source = "trunk"\nto = ["access"]', f'source = "trunk"\nto = ["{to}"]'))
    sipveil.start()
    return carrier


def answers(carrier: Carrier, status: int) -> list[Message]:
    """Return what the registrar has answered with a status."""
    found = map(Message, carrier.relay.sent)
    return [each for each in found if each.status == status and each.method == "REGISTER"]


def registered(carrier: Carrier, times: int = 1) -> Message:
    """Wait until the registrar has said yes so many times, and return the last one."""
    wait_for("the registration", lambda: len(answers(carrier, 200)) >= times or None)
    return answers(carrier, 200)[-1]


def test_a_call_from_the_carrier_reaches_the_phone_of_the_number(lab: Lab, sipveil: Sipveil) -> None:
    """The carrier sends it to our Contact, which is no number; To says which."""
    sipveil.sections = REGISTRAR
    carrier = set_up(lab, sipveil)
    contact = registered(carrier).value("contact")
    wait_for("the gauge", lambda: sipveil.metrics().get(REGISTERED))
    alice = Baresip(lab, PHONE, sipveil.address, name="Alice", user=NUMBER, domain="sip.example.net", regint=600)
    wait_for("alice to be registered", lambda: sipveil.metrics().get("sipveil_bindings"))
    bob = Baresip(lab, INSIDE, carrier.inside, name="Bob", user="+4989555010188", domain="carrier.example.net")
    bob.command("dial", f"sip:{NUMBER}@carrier.example.net")
    for phone in (alice, bob):
        phone.event("CALL_ESTABLISHED")
    bob.command("hangup")
    alice.event("CALL_CLOSED")
    invite = next(each for each in map(Message, carrier.relay.sent) if each.start.startswith("INVITE"))
    assert invite.uri in contact
    assert NUMBER not in invite.uri
    registers = [each for each in map(Message, carrier.relay.received) if each.start.startswith("REGISTER")]
    assert [bool(each.value("authorization")) for each in registers] == [False, True]
    assert all(PHONE not in each.raw.decode() for each in registers)


def test_after_a_kill_there_is_one_binding_and_after_a_stop_none(lab: Lab, sipveil: Sipveil) -> None:
    carrier = set_up(lab, sipveil, to="access")
    first = registered(carrier)
    sipveil.kill()
    sipveil.start()
    second = registered(carrier, 2)
    assert len(second.values("contact")) == 1
    user = re.compile(r"sip:([0-9a-f]{24})@")
    assert user.findall(first.value("contact")) == user.findall(second.value("contact")) != []
    assert first.call_id != second.call_id
    sipveil.runs[-1].signal(signal.SIGTERM)
    assert sipveil.runs[-1].wait(READY) == 0
    gone = registered(carrier, 3)
    assert gone.values("contact") == []


def test_a_wrong_password_is_told_and_tried_again_in_time(lab: Lab, sipveil: Sipveil) -> None:
    carrier = set_up(lab, sipveil, password="another", to="access")
    what = 'sipveil_trunk_registrations_total{outcome="password"}'
    wait_for("two failures", lambda: sipveil.metrics().get(what, 0) >= 2 or None)
    assert answers(carrier, 200) == []
    assert REGISTERED not in sipveil.metrics()
    log = sipveil.runs[-1].output
    assert "registration-failed peer=carrier call=- detail=password" in log
    assert not any(secret in log for secret in (ACCOUNT, PASSWORD, "line-", "carrier.example"))


def test_one_worker_registers_for_all(lab: Lab, sipveil: Sipveil) -> None:
    """And the page of all tells of it."""
    sipveil.workers = 2
    carrier = set_up(lab, sipveil, to="access")
    registered(carrier)
    wait_for("the gauge", lambda: sipveil.metrics().get(REGISTERED))
    ids = {each.call_id for each in map(Message, carrier.relay.received) if each.start.startswith("REGISTER")}
    assert len(ids) == 1


def test_all_workers_know_the_service_route(lab: Lab, sipveil: Sipveil) -> None:
    """Calls that meet either of two workers have it, those too that meet one that has just taken another's place."""
    sipveil.workers = 2
    desk = lab.keep(Desk("trunk", TRUNK, sipveil.address, b"carrier"))
    phone = lab.keep(Desk("phone", PHONE, sipveil.address, b"+4930555017342"))
    sipveil.configure(desk.address, contract='\n[trunks.registration]\nuser = "line-7"\ndomain = "carrier.example"\n')
    sipveil.start()
    _grant(desk)
    time.sleep(PUBLISHED)
    _expect_routes(desk, phone, b"first")
    for worker in (1, 0):
        before = workers(sipveil)
        os.kill(before[worker], signal.SIGKILL)
        wait_for("another worker", partial(_replaced, sipveil, before))
        time.sleep(PUBLISHED)
        # The first one asks the registrar anew, and goes on with what the other knows until that has answered.
        _expect_routes(desk, phone, b"after%d" % worker)
        if not worker:
            _grant(desk)
    desk.settle()
    phone.settle()


ROUTE = b"<sip:edge.carrier.example;lr>"
CALLED = 12
"""Calls that two workers share, by the hash of their Call-IDs."""


def _grant(desk: Desk) -> None:
    """Answer the REGISTER that has come, with a Service-Route."""
    request = desk.take(b"REGISTER", READY)
    contact = read(request).items(b"contact")[0].partition(b";expires=")[0] + b";expires=600"
    desk.send(desk.agent.answer(request, 200, contact=contact, headers=(b"Service-Route: " + ROUTE,)))


def _replaced(sipveil: Sipveil, before: list[int]) -> bool | None:
    now = workers(sipveil)
    return (len(now) == len(before) and now != before) or None


def _expect_routes(desk: Desk, phone: Desk, name: bytes) -> None:
    met = set()
    for number in range(CALLED):
        call = phone.agent.invite(call_id=b"%b%d" % (name, number), branch=b"z9hG4bK%b%d" % (name, number))
        phone.send(call)
        got = desk.take(b"INVITE")
        assert read(got).items(b"route") == [ROUTE]
        met.add(owner(call.data, 2))
        desk.send(desk.agent.answer(got, 486))
        desk.take(b"ACK")
        phone.send(phone.agent.ack_failure(call, phone.take(486)))
    assert met == {0, 1}
