"""SIPp with an account, and with a password that is wrong, through the real proxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.account import AccountChange, secret_of
from config.store.account_book import AccountBook
from tests.real import leaks
from tests.real.harness import Address, Lab, Process, Sipveil
from tests.real.sip import Message
from tests.real.sipp import CALLS, Calls

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
    if workers == 1:
        assert outcomes(sipveil, "challenged", "accepted", "wrong") == [CALLS, CALLS, 0]


def test_a_wrong_password(lab: Lab, sipveil: Sipveil) -> None:
    """Nothing reaches the trunk."""
    prepare(lab, sipveil)
    calls = Proving(lab, sipveil)
    calls.password = "wrong"
    calls.play("caller_unproved", None)
    assert calls.trunk.tape == []
    assert outcomes(sipveil, "challenged", "accepted", "wrong") == [CALLS, 0, CALLS]
    assert all(Message(data).call_id for data in calls.phone.received)
