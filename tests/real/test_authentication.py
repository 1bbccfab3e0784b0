"""SIPp with an account, and with a password that is wrong, through the real proxy."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from config.account import AccountChange, secret_of
from config.store.account_book import AccountBook
from proxy.matching import owner
from tests.accounts import again, challenges, proof
from tests.agents import Packet
from tests.real import leaks
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Address, Lab, Process, Sipveil, wait_for
from tests.real.sip import Message
from tests.real.sipp import CALLS, Calls
from tests.real.test_workers import workers as processes

REALM = "sip.example.net"
NAME, PASSWORD = "desk-7", "correct-horse"
# SIPp 3.6 knows no other algorithm than MD5.
SECTIONS = f"""
[subscribers]

[authentication]
realm = "{REALM}"
algorithms = ["MD5"]
challenges = 1000
source_failures = 1000
failures = 1000
"""

CALLED = 16
"""Calls that two workers share, by the hash of their Call-IDs."""


class Proving(Calls):
    """Calls of a phone with an account."""

    password = PASSWORD

    def _sipp(self, scenario: str, local: Address, calls: int, talk: int, remote: Address | None = None) -> Process:
        if remote is None:
            return super()._sipp(scenario, local, calls, talk)
        with pytest.MonkeyPatch.context() as patch:
            start = self._lab.start
            # digest-uri has to be the Request-URI; by itself SIPp writes the address that it sends to.
            more: list[str | Path] = ["-au", NAME, "-ap", self.password, "-auth_uri", f"{leaks.DIALLED}@{REALM}"]
            patch.setattr(self._lab, "start", lambda name, argv: start(name, [*argv[:1], *more, *argv[1:]]))
            return super()._sipp(scenario, local, calls, talk, remote)


def prepare(lab: Lab, sipveil: Sipveil, workers: int = 1) -> None:
    """Make the store with the account, before anything runs."""
    sipveil.sections, sipveil.workers = SECTIONS, workers
    book = AccountBook(lab.folder / "state" / "subscribers.db", create=True)
    secret = secret_of(NAME, REALM, PASSWORD)
    assert book.add(AccountChange(NAME, REALM, secret, (f"+4930555017342@{REALM}",)), 0.0)


def outcomes(sipveil: Sipveil, *wanted: str) -> list[float]:
    numbers = sipveil.metrics()
    return [numbers.get(f'sipveil_authentications_total{{outcome="{each}"}}', 0) for each in wanted]


@pytest.mark.parametrize("workers", [1, 2])
def test_calls_of_an_account(lab: Lab, sipveil: Sipveil, workers: int) -> None:
    """Challenged once each, proved, answered; the trunk sees no credentials and nothing that is hidden."""
    prepare(lab, sipveil, workers)
    calls = Proving(lab, sipveil)
    calls.play("caller_proves", "trunk_call")
    calls.expect_private()
    assert calls.transactions() == {"INVITE": CALLS, "ACK": CALLS, "BYE": CALLS}
    assert not any(b"uthorization" in data or NAME.encode() in data for data in calls.trunk.received)
    assert sum(b"Proxy-Authorization" in data for data in calls.phone.sent) >= CALLS
    wanted = [CALLS, CALLS, 0, 0]
    wait_for("the numbers", lambda: outcomes(sipveil, "challenged", "accepted", "wrong", "replayed") == wanted or None)


def test_a_wrong_password(lab: Lab, sipveil: Sipveil) -> None:
    """Nothing reaches the trunk."""
    prepare(lab, sipveil)
    calls = Proving(lab, sipveil)
    calls.password = "wrong"
    calls.play("caller_unproved", None)
    assert calls.trunk.tape == []
    assert outcomes(sipveil, "challenged", "accepted", "wrong") == [CALLS, 0, CALLS]
    assert all(Message(data).call_id for data in calls.phone.received)


def test_a_nonce_is_good_at_all_workers_and_each_count_once(lab: Lab, sipveil: Sipveil) -> None:
    """One challenge for many calls that meet either of two workers; none takes a count again, nor does a new one."""
    prepare(lab, sipveil, 2)
    trunk = lab.keep(Desk("trunk", TRUNK, sipveil.address, b"carrier"))
    phone = lab.keep(Desk("phone", PHONE, sipveil.address, b"+4930555017342"))
    sipveil.configure(trunk.address)
    sipveil.start()
    first = phone.agent.invite(uri=b"sip:+15550100@" + REALM.encode())
    phone.send(first)
    challenge = phone.take(407)
    phone.send(phone.agent.ack_failure(first, challenge))

    def call(number: int, uses: int) -> Packet:
        made = phone.agent.invite(
            uri=b"sip:+15550100@" + REALM.encode(), call_id=b"call-%d" % number, branch=b"z9hG4bKn%d" % number
        )
        line = proof(made, challenge, NAME, PASSWORD, uses=uses)
        made = again(made, line, branch=b"z9hG4bKc%d" % number, cseq=1)
        phone.send(made)
        return made

    met = []
    for number in range(1, CALLED + 1):
        met.append(owner(call(number, number).data, 2))
        phone.take(100)
    assert 3 < sum(met) < CALLED - 3
    again_number = CALLED
    for worker in (None, *range(2)):
        if worker is not None:
            _replace(sipveil, worker)
        for uses in range(1, CALLED + 1):
            again_number += 1
            made = call(again_number, uses)
            answer = phone.take(407)
            phone.send(phone.agent.ack_failure(made, answer))
            assert {each["stale"] for each in challenges(answer)} == {"true"}
    call(again_number + 1, CALLED + 1)
    phone.take(100)
    phone.settle()
    trunk.settle()


def _replace(sipveil: Sipveil, worker: int) -> None:
    """Kill a worker and wait for the next."""
    before = processes(sipveil)
    os.kill(before[worker], signal.SIGKILL)
    wait_for("another worker", lambda: len(set(processes(sipveil)) - set(before)) == 1 or None)
