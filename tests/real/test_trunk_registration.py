"""Sipveil registers at a carrier whose registrar is Kamailio, and what is called there reaches phones here."""

from __future__ import annotations

import re
import signal

from tests.real.baresip import Baresip
from tests.real.carrier import INSIDE, Carrier
from tests.real.harness import PHONE, READY, Lab, Sipveil, free_port, wait_for
from tests.real.sip import Message
from tests.real.test_registrar import REGISTRAR
from tests.real.test_trunk_digest import PASSWORD, with_password

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
