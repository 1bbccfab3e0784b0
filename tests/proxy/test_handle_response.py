"""Responses: 100 ends here; what leaves instead of those that cannot be finished (design.md §2)."""

from __future__ import annotations

import pytest

from proxy.message import Draft
from proxy.policy import EditContext
from tests.agents import ALICE, CARRIER, PSAP, SECOND, Packet, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import World, settings

SDP = (b"Content-Type: application/sdp",)
BROKEN = b"this is no session description"


def called(method: bytes = b"INVITE", headers: tuple[bytes, ...] = ()) -> Ladder:
    """A request that reached the trunk."""
    ladder = Ladder() >> ALICE.request(method, headers=headers)
    return (ladder << Sent(ALICE, 100) if method == b"INVITE" else ladder) << Sent(CARRIER, method)


def test_a_request_whose_body_cannot_be_read_gets_400() -> None:
    """The sender's fault: it is told so, and nothing is forwarded."""
    ladder = Ladder() >> ALICE.invite(body=BROKEN) << Sent(ALICE, 100) << Sent(ALICE, 400)
    assert ladder[400].startswith(b"SIP/2.0 400 Malformed Body")
    assert ladder


def test_a_provisional_response_is_dropped() -> None:
    """A 1xx whose body cannot be cleaned: the call goes on without it."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 183, headers=SDP, body=BROKEN) << Silence()
    assert ladder.world.count("failed_closed", "provisional") == 1
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)


def test_a_final_response_to_a_non_invite_becomes_500() -> None:
    """Our own, with nothing of the far side's."""
    ladder = called(b"OPTIONS")
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 200, headers=SDP, body=BROKEN) << Sent(ALICE, 500)
    assert ladder.world.count("failed_closed", "final") == 1
    assert ladder


def test_a_refusal_that_cannot_be_filtered_becomes_500() -> None:
    """The INVITE ends all the same, on both sides."""
    ladder = called()
    busy = CARRIER.answer(ladder[b"INVITE"], 486, headers=SDP, body=BROKEN)
    assert ladder >> busy << Sent(CARRIER, b"ACK") << Sent(ALICE, 500)


def test_a_2xx_to_an_invite_is_taken_down_on_the_far_side() -> None:
    """500 upstream, ACK and BYE downstream: no call stays up because a filter failed."""
    ladder = called()
    proxy = (b"sip:198.51.100.17;lr",)
    answer = CARRIER.answer(ladder[b"INVITE"], 200, headers=SDP, body=BROKEN, routes=proxy)
    ladder = ladder >> answer << Sent(CARRIER, b"ACK") << Sent(CARRIER, b"BYE") << Sent(ALICE, 500)
    invite, ack, bye = (read(ladder[name]) for name in (b"INVITE", b"ACK", b"BYE"))
    assert {ack.call_id, bye.call_id} == {invite.call_id}
    assert (ack.cseq, bye.cseq) == (invite.cseq, invite.cseq + 1)
    assert ack.uri == bye.uri == b"sip:gateway@198.51.100.7:5060"
    assert bye.items(b"route") == [b"<sip:198.51.100.17;lr>"]
    assert (ack.to_tag, bye.to_tag) == (b"to1", b"to1")
    assert ack.via.branch != bye.via.branch
    assert b"alice" not in ladder[b"BYE"] + ladder[b"ACK"]
    ladder = ladder >> CARRIER.answer(ladder[b"BYE"], 200) << Silence()
    assert ladder >> answer << Sent(CARRIER, b"ACK") << Silence()


def test_a_bye_whose_plan_fails_goes_out_bare() -> None:
    """A minimal message from record and transaction, without body."""
    invite = ALICE.invite()
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    bye = ALICE.within(b"BYE", ladder[200], own=invite, headers=(*SDP, b"RAck: 1 1 secret"), body=BROKEN)
    ladder = ladder >> bye << Sent(CARRIER, b"BYE")
    assert (read(ladder[b"BYE"]).body, b"secret" in ladder[b"BYE"]) == (b"", False)
    assert ladder.world.count("failed_closed", "bye") == 1
    assert ladder >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)


def test_any_exception_of_a_filter_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only those that we thought of."""
    world = World()
    plan = type(world.privacy.plan(world.privacy.towards(world.core.generation.network.party_of(CARRIER.address)),
                                   world.core.generation.network.party_of(CARRIER.address)))  # fmt: skip

    def fail(self: object, draft: Draft, context: EditContext) -> None:
        raise MemoryError("secret")

    monkeypatch.setattr(plan, "apply", fail)
    assert Ladder(world) >> ALICE.invite() << Sent(ALICE, 100) << Sent(ALICE, 500)
    assert world.count("failed_closed", "request") == 1
    assert not any("secret" in each for event in world.events for each in (event.call, event.peer, event.detail))


def test_an_emergency_call_goes_through_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one exception: complete, but for credentials of our own realm."""
    world = World()
    party = world.core.generation.network.party_of(PSAP.address)
    plan = type(world.privacy.plan(0, party))

    def fail(self: object, draft: Draft, context: EditContext) -> None:
        raise RuntimeError

    monkeypatch.setattr(plan, "apply", fail)
    headers = (b"Geolocation: <cid:me@x>", b'Proxy-Authorization: Digest realm="sip.example.net", username="alice"')
    ladder = Ladder(world) >> ALICE.invite(uri=b"urn:service:sos", headers=headers) << Sent(ALICE, 100)
    ladder = ladder << Sent(PSAP, b"INVITE")
    assert b"Geolocation" in ladder[b"INVITE"]
    assert b"Alice Liddell" in ladder[b"INVITE"]
    assert b"Authorization" not in ladder[b"INVITE"]
    assert ladder


@pytest.mark.parametrize("status", [180, 200, 404])
def test_stray_responses_are_dropped(status: int) -> None:
    """RFC 6026 §7.3: no matching client transaction, no forwarding."""
    ladder = called()
    answer = CARRIER.answer(ladder[b"INVITE"], status)
    stray = answer._replace(data=answer.data.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx"))
    assert ladder >> stray << Silence()


def test_reason_phrases_are_the_standard_ones() -> None:
    """A phrase is room for anything."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 404, reason=b"bob is in Lisbon") << Sent(CARRIER, b"ACK")
    ladder = ladder << Sent(ALICE, 404)
    assert ladder[404].startswith(b"SIP/2.0 404 Not Found\r\n")
    assert ladder


def test_a_100_ends_retransmission_and_goes_no_further() -> None:
    """§16.7 item 3, §17.1.1.2."""
    ladder = called()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 100) << Silence() >> Wait(100) << Silence()
    assert ladder.world.count("responses_received", "1xx") == 1


def test_only_the_side_that_was_asked_may_send_a_100() -> None:
    """Another's does not end retransmission; nor does one whose branch nobody knows."""
    ladder = called()
    trying = CARRIER.answer(ladder[b"INVITE"], 100)
    assert ladder >> Packet(SECOND.address, trying.data) << Silence() >> Packet(ALICE.address, trying.data) << Silence()
    assert ladder >> trying._replace(data=trying.data.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")) << Silence()
    assert ladder.world.count("dropped", "stray-response") == 3
    assert ladder >> Wait(0.6) << Sent(CARRIER, b"INVITE")


def test_a_broken_100_is_dropped() -> None:
    ladder = called()
    trying = CARRIER.answer(ladder[b"INVITE"], 100)
    broken = trying._replace(data=trying.data.replace(b"CSeq:", b"CSeq: 1 INVITE\r\nCSeq:"))
    assert ladder >> broken << Silence() >> Wait(0.6) << Sent(CARRIER, b"INVITE")
    assert ladder.world.count("dropped", "malformed") == 1


def test_a_100_lets_a_waiting_cancel_go() -> None:
    """§9.1: no CANCEL before a provisional response, and 100 is one."""
    invite = ALICE.invite()
    ladder = Ladder(World(settings())) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    sent = ladder[b"INVITE"]
    ladder = ladder >> ALICE.cancel(invite) << Sent(ALICE, 200) << Silence()
    assert ladder >> CARRIER.answer(sent, 100) << Sent(CARRIER, b"CANCEL")


def test_after_the_answer_a_100_is_late() -> None:
    ladder = called()
    sent = ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(sent, 200) << Sent(ALICE, 200)
    assert ladder >> CARRIER.answer(sent, 100) << Silence()
    assert ladder.world.count("dropped", "late") == 1
