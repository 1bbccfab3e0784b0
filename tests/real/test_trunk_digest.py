"""Trunks that ask for a password, and check it with code that is none of ours: SIPp's and Kamailio's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real import leaks
from tests.real.baresip import Baresip
from tests.real.carrier import INSIDE, Carrier
from tests.real.harness import PHONE, Lab, Sipveil, free_port, wait_for
from tests.real.sip import Message
from tests.real.sipp import CALLS, Calls

USER, PASSWORD = "sipveil-at-carrier", "canary-pa55word"
ALICE = "+4930555017342"
CREDENTIALS = f"""
[trunks.credentials]
user = "{USER}"
password_file = "carrier.password"
"""
SECRETS = {"user at the trunk": USER.encode(), "password": PASSWORD.encode(), "realm": b"carrier.example"}


def with_password(lab: Lab) -> str:
    """Write the password file, and return the lines that name it."""
    state = lab.folder / "state"
    state.mkdir(mode=0o700)
    path: Path = state / "carrier.password"
    path.touch(mode=0o600)
    path.write_text(PASSWORD + "\n")
    return CREDENTIALS


def numbers(messages: list[bytes]) -> dict[str, list[int]]:
    """Return the CSeq numbers of each call's requests other than ACK, each transaction once, in their order."""
    found: dict[str, list[int]] = {}
    seen = set()
    for message in map(Message, messages):
        if message.status or message.method == "ACK" or message.branch in seen:
            continue
        seen.add(message.branch)
        found.setdefault(message.call_id, []).append(int(message.cseq.split()[0]))
    return found


def expect_hidden(lab: Lab, sent_to_phone: list[bytes], sipveil: Sipveil) -> None:
    """Assert that neither phone nor log heard of the password or of who asked for it."""
    assert leaks.everywhere(sent_to_phone, SECRETS) == []
    assert not any(b"authenticate" in data.lower() for data in sent_to_phone)
    log = sipveil.runs[-1].output
    assert not any(secret.decode() in log for secret in SECRETS.values())


def test_calls_whose_invite_and_bye_are_challenged(lab: Lab, sipveil: Sipveil) -> None:
    """SIPp asks each INVITE and each BYE, and computes itself what is right."""
    calls = Calls(lab, sipveil, contract=with_password(lab))
    calls.play("caller_call", "trunk_digest")
    calls.expect_private()
    expect_hidden(lab, calls.phone.received, sipveil)
    counted = numbers(calls.trunk.received)
    assert len(counted) == CALLS
    assert all(each in ([4, 5, 8, 9], [4, 5, 8]) for each in counted.values()), counted
    phones = numbers(calls.phone.sent)
    assert set(map(tuple, phones.values())) == {(1, 2)}
    assert {Message(data).cseq.split()[0] for data in calls.phone.received} <= {"1", "2"}


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_kamailio_is_told_the_password_once_a_nonce(lab: Lab, sipveil: Sipveil, algorithm: str) -> None:
    """The first call is challenged; its BYE and the second call carry what worked, with a count that rises."""
    carrier = Carrier(lab, sipveil, password=PASSWORD, algorithm=algorithm)
    sipveil.configure(carrier.relay.outer, contract=with_password(lab))
    sipveil.start()
    alice = Baresip(lab, PHONE, sipveil.address, name="Ottilie Quandtner", user=ALICE, domain="sip.example.net")
    bob = Baresip(
        lab, INSIDE, carrier.inside, name="Bob", user=leaks.DIALLED, domain="carrier.example.net", answer="auto"
    )
    carrier.start({leaks.DIALLED: [bob.address]})
    for _ in range(2):
        alice.command("dial", f"sip:{leaks.DIALLED}@sip.example.net")
        for phone in (alice, bob):
            phone.event("CALL_ESTABLISHED")
        alice.command("hangup")
        bob.event("CALL_CLOSED")
    wait_for("both BYEs to be answered", lambda: sum(b"BYE" in data for data in carrier.relay.sent) >= 2 or None)
    answers = [Message(data).status for data in carrier.relay.sent]
    assert answers.count(407) == 1
    requests = [Message(data) for data in carrier.relay.received]
    told = [each for each in requests if each.value("proxy-authorization")]
    assert {each.method for each in told} == {"INVITE", "ACK", "BYE"}
    assert all(f"algorithm={algorithm}" in each.value("proxy-authorization") for each in told)
    counts = [each.value("proxy-authorization").partition("nc=")[2][:8] for each in told if each.method != "ACK"]
    assert sorted(set(counts)) == ["00000001", "00000002", "00000003", "00000004"]
    for each in numbers(carrier.relay.received).values():
        assert each == sorted(set(each))
    expect_hidden(lab, alice.received, sipveil)


def test_a_wrong_password_is_an_error_of_ours(lab: Lab, sipveil: Sipveil) -> None:
    """The phone hears 500, once, and is asked for nothing."""
    carrier = Carrier(lab, sipveil, password="another")
    sipveil.configure(carrier.relay.outer, contract=with_password(lab))
    sipveil.start()
    alice = Baresip(lab, PHONE, sipveil.address, name="Ottilie Quandtner", user=ALICE, domain="sip.example.net")
    carrier.start({leaks.DIALLED: [(INSIDE, free_port(INSIDE))]})
    alice.command("dial", f"sip:{leaks.DIALLED}@sip.example.net")
    closed = alice.event("CALL_CLOSED")
    assert "500" in str(closed)
    assert [Message(data).status for data in carrier.relay.sent].count(407) == 2
    expect_hidden(lab, alice.received, sipveil)
