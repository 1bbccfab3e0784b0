"""RFC 3261 §16.7: which responses go back, and what happens to the other branches."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER, PBX, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import OTHER_PHONE, World, settings

FORK = ALICE.invite(uri=b"sip:9000@192.0.2.1")


def forked() -> tuple[Ladder, bytes, bytes]:
    """A call to two trunks at once, with the INVITE that each received."""
    ladder = Ladder() >> FORK << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    ladder = ladder << Sent(SECOND, b"INVITE")
    return ladder, first, ladder[b"INVITE"]


def called() -> Ladder:
    """A call to one trunk that has not answered."""
    return Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_branches_differ_in_via_and_record() -> None:
    """§16.6 item 8: a branch of its own for each target."""
    _, first, second = forked()
    assert read(first).via.branch != read(second).via.branch
    assert read(first).call_id != read(second).call_id, "two trunks cannot compare Call-IDs"


def test_the_first_answer_cancels_the_other_branches() -> None:
    """§16.7 item 10: CANCEL to those that have a provisional response, with the reason (RFC 3326)."""
    ladder, first, second = forked()
    ladder = ladder >> SECOND.answer(second, 180, tag=b"b") << Sent(ALICE, 180)
    ladder = ladder >> CARRIER.answer(first, 200, tag=b"a") << Sent(ALICE, 200) << Sent(SECOND, b"CANCEL")
    assert read(ladder[b"CANCEL"]).value(b"reason") == b'SIP;cause=200;text="Call completed elsewhere"'
    ladder = ladder >> SECOND.answer(ladder[b"CANCEL"], 200) << Silence()
    assert ladder >> SECOND.answer(second, 487, tag=b"b") << Sent(SECOND, b"ACK") << Silence()


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    """§9.1: no CANCEL before it."""
    ladder, first, second = forked()
    ladder = ladder >> CARRIER.answer(first, 200, tag=b"a") << Sent(ALICE, 200) << Silence()
    assert ladder >> SECOND.answer(second, 100) << Sent(SECOND, b"CANCEL")


def test_a_late_second_2xx_goes_back_too() -> None:
    """§16.7 item 5: every 2xx to an INVITE is forwarded at once."""
    ladder, first, second = forked()
    ladder = ladder >> CARRIER.answer(first, 200, tag=b"a") << Sent(ALICE, 200)
    assert ladder >> SECOND.answer(second, 200, tag=b"b") << Sent(ALICE, 200)
    assert read(ladder[200]).to_tag == b"b"


def test_a_repeated_2xx_passes_every_time_for_a_while() -> None:
    """RFC 6026 §7: Accepted for 64*T1 on both sides; afterwards it is a stray."""
    ladder = called()
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(ALICE, 200) >> answer << Sent(ALICE, 200) >> Wait(31) << Silence()
    ladder = ladder >> answer << Sent(ALICE, 200) >> Wait(2) << Silence()
    assert ladder >> answer << Silence()
    assert ladder.world.count("dropped", "stray-response") == 1


def test_the_invite_is_absorbed_in_accepted() -> None:
    """RFC 6026 §7.1: a repeated INVITE after the 2xx is neither answered nor forwarded."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    assert ladder >> ALICE.invite() << Silence()


@pytest.mark.parametrize(
    ("finals", "best"),
    [((486, 404), 486), ((503, 486), 486), ((603, 404), 603), ((486, 407), 407), ((500, 302), 302), ((404, 401), 401)],
)
def test_the_best_final_response_goes_back(finals: tuple[int, int], best: int) -> None:
    """§16.7 item 6: 6xx first, else the lowest class, and within 4xx what tells the caller how to go on."""
    ladder, first, second = forked()
    ladder = ladder >> CARRIER.answer(first, finals[0]) << Sent(CARRIER, b"ACK") << Silence()
    assert ladder >> SECOND.answer(second, finals[1]) << Sent(SECOND, b"ACK") << Sent(ALICE, best)


def test_a_lone_503_becomes_500() -> None:
    """§16.7 item 6: the caller would give up on us, not on the trunk."""
    ladder = called()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 503) << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)


def test_challenges_of_all_branches_go_back_together() -> None:
    """§16.7 item 7."""
    ladder, first, second = forked()
    one, two = (b'Proxy-Authenticate: Digest realm="%b", nonce="1"' % realm for realm in (b"a", b"b"))
    ladder = ladder >> CARRIER.answer(first, 407, headers=(one,)) << Sent(CARRIER, b"ACK")
    ladder = ladder >> SECOND.answer(second, 407, headers=(two,)) << Sent(SECOND, b"ACK") << Sent(ALICE, 407)
    assert len(read(ladder[407]).values(b"proxy-authenticate")) == 2
    assert ladder


def test_challenges_pass_the_plan_too() -> None:
    """Towards a trunk phones' challenges are credentials, and leave neither in the best response nor merged into it."""
    phones = [Agent((f"10.1.1.{number}", 5060), b"bob") for number in (98, 99)]
    trunk = {"name": "carrier", "hosts": ["198.51.100.7:5060"], "listener": "main"}
    others = [{"name": f"p{n}", "hosts": [f"10.1.1.{n}:5060"], "listener": "main"} for n in (98, 99)]
    world = World(settings(trunks=[trunk, *others], routes=[{"source": "trunk", "to": ["p98", "p99"]}], core=None))
    ladder = Ladder(world) >> CARRIER.invite() << Sent(CARRIER, 100) << Sent(phones[0], b"INVITE")
    first = ladder[b"INVITE"]
    ladder = ladder << Sent(phones[1], b"INVITE")
    for phone, invite in zip(phones, (first, ladder[b"INVITE"]), strict=True):
        challenge = (b'WWW-Authenticate: Digest realm="home of %b", nonce="1"' % phone.host,)
        ladder = ladder >> phone.answer(invite, 401, headers=challenge) << Sent(phone, b"ACK")
    ladder = ladder << Sent(CARRIER, 401)
    assert b"home of" not in ladder[401]
    assert ladder


def test_a_6xx_cancels_the_rest_and_waits_for_them() -> None:
    """§16.7 item 5: 6xx ends all branches, and is forwarded when they have ended."""
    ladder, first, second = forked()
    ladder = ladder >> SECOND.answer(second, 180) << Sent(ALICE, 180)
    ladder = ladder >> CARRIER.answer(first, 603) << Sent(CARRIER, b"ACK") << Sent(SECOND, b"CANCEL")
    assert ladder >> SECOND.answer(second, 487) << Sent(SECOND, b"ACK") << Sent(ALICE, 603)


def test_an_unanswered_invite_gets_408() -> None:
    """Timer B: seven copies, then 408 (§16.7 item 6, §17.1.1.2)."""
    ladder = called() >> Wait(31.9)
    assert [read(data).method for _, data in ladder.left] == [b"INVITE"] * 6
    ladder.left.clear()
    assert ladder >> Wait(0.3) << Sent(ALICE, 408)
    assert ladder.world.count("timeouts", "B") == 1


def test_timer_c_cancels_what_rings_for_ever() -> None:
    """§16.8: with a provisional response, CANCEL; each further one starts the clock again (§16.7 item 2)."""
    ladder = called()
    ringing = CARRIER.answer(ladder[b"INVITE"], 180)
    ladder = ladder >> ringing << Sent(ALICE, 180) >> Wait(180) << Silence() >> ringing << Sent(ALICE, 180)
    ladder = ladder >> Wait(184) << Silence() >> Wait(1.2) << Sent(CARRIER, b"CANCEL")
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 487) << Sent(CARRIER, b"ACK") << Sent(ALICE, 487)


def test_a_send_that_the_system_refuses_counts_as_503() -> None:
    """§16.9: and a lone 503 goes back as 500."""
    world = World(refuse_send={CARRIER.address})
    assert Ladder(world) >> ALICE.invite() << Sent(ALICE, 100) >> Wait(0.2) << Sent(ALICE, 500)


def test_responses_of_others_are_dropped() -> None:
    """Only the side that was asked may answer, even if another knows the branch."""
    ladder = called()
    forged = CARRIER.answer(ladder[b"INVITE"], 200)
    assert ladder >> Packet(SECOND.address, forged.data) << Silence()
    assert ladder >> Packet(ALICE.address, forged.data) << Silence()
    assert ladder.world.count("dropped", "stray-response") == 2


def test_one_phone_does_not_answer_for_another() -> None:
    """Nor does a phone answer for the core: zones are compared, and for phones the address."""
    bob, eve = Agent(OTHER_PHONE, b"bob"), Agent(("10.1.1.66", 5060), b"eve")
    ladder = Ladder() >> PBX.invite(uri=b"sip:bob@10.1.1.99") << Sent(PBX, 100) << Sent(bob, b"INVITE")
    answer = bob.answer(ladder[b"INVITE"], 200)
    assert ladder >> Packet(eve.address, answer.data) << Silence()
    assert ladder >> Packet((bob.address[0], 49152), answer.data) << Sent(PBX, 200)
    ladder = Ladder() >> CARRIER.invite() << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    assert ladder >> Packet(eve.address, PBX.answer(ladder[b"INVITE"], 200).data) << Silence()


def test_memory_is_given_back() -> None:
    """When all timers have run out nothing of a call is left."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200) >> Wait(40)
    assert not any(ladder.world.core.gauges().values())
    ladder.world.wait(200)
    assert len(ladder.world.core.wheel) == 0
    assert ladder
