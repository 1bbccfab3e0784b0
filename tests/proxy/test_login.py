"""What a core remembers of trunks that ask for passwords: bounded, and by the name of the trunk."""

from __future__ import annotations

from proxy.counters import Counters
from proxy.digest_client import MAX_REALMS, Account
from proxy.login import MAX_USES, Login, Logins, Nonce
from tests.agents import ALICE, CARRIER
from tests.ladder import Ladder, Sent
from tests.passwords import PASSWORD, USER, ask, told, world

ACCOUNT = Account(USER, PASSWORD)


def test_an_attempt_is_told_of_invites_alone() -> None:
    """What an ACK brings back is the attempt of the INVITE, whatever was asked in between."""
    invite, other = Login(is_invite=True, answered=1), Login(is_invite=False, answered=1)
    invite.attempt = other.attempt = 3
    assert (invite.told, other.told) == (3, 1)
    assert (invite.afresh().attempt, invite.afresh().told, other.afresh().told) == (0, 0, 1)


def test_realms_and_nonces_are_bounded() -> None:
    """A trunk that names ever new realms fills no memory, and no request with credentials."""
    the = world()
    for number in range(30):
        invite = ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"call-%d@x" % number)
        ladder = Ladder(the) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
        ladder = ladder >> ask(CARRIER, ladder[b"INVITE"], b"n%d" % number, realm=b"realm-%d" % number)
        ladder = ladder << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
        ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert len(the.core.logins._nonces["carrier"]) <= 2 * MAX_REALMS


def test_a_nonce_that_was_used_very_often_is_left() -> None:
    the = world()
    ladder = Ladder(the) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> ask(CARRIER, ladder[b"INVITE"]) << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    for nonce in the.core.logins._nonces["carrier"].values():
        nonce.uses = MAX_USES
    again = ALICE.invite(branch=b"z9hG4bKnext", call_id=b"next@x")
    ladder = Ladder(the) >> again << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert told(ladder[b"INVITE"]) == {}


def test_other_passwords_and_retired_trunks() -> None:
    logins = Logins(Counters(), {"a": ACCOUNT, "b": ACCOUNT, "c": ACCOUNT})
    nonce: dict[tuple[bytes, bytes], Nonce] = {}
    logins._nonces = {name: dict(nonce) for name in "abc"}
    logins.adopt({"a": ACCOUNT, "b": Account(USER, b"new")}, frozenset({"c"}))
    assert [logins.knows(name) for name in "abc"] == [True, True, True]
    assert sorted(logins._nonces) == ["a", "c"]
    logins.adopt({"a": ACCOUNT}, frozenset())
    assert [logins.knows(name) for name in "abc"] == [True, False, False]
    assert sorted(logins._nonces) == ["a"]
