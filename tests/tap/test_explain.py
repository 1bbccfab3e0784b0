"""Explanations are what the live proxy does: the same bytes, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest

from config.signing_key import SigningKey
from proxy.message import Message
from tap.explain import Replay, Step, Wish, throw_away_ring
from tap.explain_ends import ExplainError
from tap.signing import NO_CREDENTIALS, Credentials
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.passports import KEY, X5U, unb64
from tests.world import PHONE, SETTINGS, TRUNK, WALL, World, keyring, settings


def replay(wish: Wish | None = None, **changes: object) -> Replay:
    """A replay with the world's settings, keys and clock."""
    return Replay(settings(**changes), wish or Wish(), ring=keyring(), now=1000.0, wall=WALL)


def only(step: Step) -> Message:
    """The one message that crossed."""
    assert len(step.crossed) == 1, step
    return read(step.crossed[0].sent)


@pytest.mark.parametrize("method", [b"INVITE", b"MESSAGE", b"OPTIONS", b"SUBSCRIBE"])
def test_what_is_shown_is_what_the_proxy_sends(method: bytes) -> None:
    """Byte for byte, with the same keys and clock; 100 Trying too."""
    packet = ALICE.request(method, headers=(b"User-Agent: X", b"Subject: secret"))
    world = World()
    world.receive(*packet)
    step = replay().feed(packet.data)
    assert [(one.to.peer, one.sent) for one in step.crossed] == [sent for sent in world.sent if sent[0] == TRUNK]
    assert [(to.peer, data) for to, data in step.made] == [sent for sent in world.sent if sent[0] == PHONE]
    assert step.crossed[0].received == packet.data


def test_a_whole_call_is_what_the_proxy_sends() -> None:
    """Answer, ACK, re-INVITE, BYE from the other side, and its response."""
    world, shown = World(), replay()
    ladder = Ladder(world)
    invite = ALICE.invite()
    ladder = ladder >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(ALICE, 200)
    ack = ALICE.within(b"ACK", ladder[200], own=invite, cseq=1, contact=False)
    ladder = ladder >> ack << Sent(CARRIER, b"ACK")
    bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=answer, cseq=7)
    ladder = ladder >> bye << Sent(ALICE, b"BYE")
    done = ALICE.answer(ladder[b"BYE"], 200)
    world.sent.clear()
    ladder >> done
    crossed = {
        b"INVITE": only(shown.feed(invite.data)).raw,
        b"200 INVITE": only(shown.feed(answer.data)).raw,
        b"ACK": only(shown.feed(ack.data)).raw,
        b"BYE": only(shown.feed(bye.data)).raw,
        b"200 BYE": only(shown.feed(done.data)).raw,
    }
    assert crossed[b"INVITE"] == ladder[b"INVITE"]
    assert crossed[b"200 INVITE"] == ladder[200]
    assert crossed[b"ACK"] == ladder[b"ACK"]
    assert crossed[b"BYE"] == ladder[b"BYE"]
    assert crossed[b"200 BYE"] == world.sent[-1][1]


def test_a_call_of_another_proxy_is_addressed_anew() -> None:
    """Captured elsewhere: foreign Call-ID, tags and branches on the far side; all of it crosses, both ways."""
    shown = replay()
    far = Packet(TRUNK, CARRIER.invite(call_id=b"elsewhere", tag=b"theirs", branch=b"z9hG4bKtheirs").data)
    sent = only(shown.feed(ALICE.invite().data))
    answer = only(shown.feed(CARRIER.answer(far.data, 200, tag=b"far").data))
    assert (answer.status, answer.call_id) == (200, b"call-1@10.1.1.23")
    told = ALICE.answer(ALICE.invite().data, 200, tag=b"far", contact=b"<sip:x@198.51.100.7>")
    ack = only(shown.feed(ALICE.within(b"ACK", told.data, own=ALICE.invite(), cseq=1, contact=False).data))
    assert (ack.method, ack.call_id) == (b"ACK", sent.call_id)
    bye = CARRIER.within(b"BYE", far.data, own=CARRIER.answer(far.data, 200, tag=b"far"), cseq=3)
    arrived = only(shown.feed(bye.data))
    assert (arrived.method, arrived.call_id, arrived.to_tag) == (b"BYE", b"call-1@10.1.1.23", b"from1")


def test_a_refused_call() -> None:
    """The refusal crosses, its ACK ends at the proxy."""
    shown = replay()
    shown.feed(ALICE.invite().data)
    busy = shown.feed(CARRIER.answer(ALICE.invite().data, 486).data)
    assert only(busy).status == 486
    ack = shown.feed(ALICE.ack_failure(ALICE.invite(), busy.crossed[0].sent).data)
    assert (ack.crossed, ack.made) == ([], [])


def test_cancel_is_answered_and_passed_on() -> None:
    """As the proxy's own message: it is made from the INVITE that went out."""
    shown = replay()
    shown.feed(ALICE.invite().data)
    shown.feed(CARRIER.answer(ALICE.invite().data, 180).data)
    step = shown.feed(ALICE.cancel(ALICE.invite()).data)
    assert {read(data).method or read(data).status for _, data in step.made} == {b"CANCEL", 200}


def test_the_trunk_that_was_asked_for() -> None:
    """Where routing would choose another, it is overruled, and that is said."""
    step = replay(Wish(trunk="second")).feed(ALICE.invite().data)
    assert step.crossed[0].receiver is not None
    assert step.crossed[0].receiver.label == "second"
    assert any("would route this to carrier" in remark for remark in step.remarks)
    assert not replay(Wish(trunk="carrier")).feed(ALICE.invite().data).remarks


@pytest.mark.parametrize("uri", [b"sip:*67+15550100@192.0.2.1", b"tel:*67+15550100", b"sip:+15550100@192.0.2.1"])
def test_a_prefix_is_no_part_of_what_is_routed(uri: bytes) -> None:
    """As in the proxy: what is dialled behind it chooses the trunk."""
    routes = [{"source": "access", "prefix": "+", "to": ["carrier"]}, {"to": ["second"]}]
    step = replay(Wish(trunk="carrier"), routes=routes).feed(ALICE.invite(uri=uri).data)
    assert not step.remarks
    assert step.crossed[0].receiver is not None
    assert step.crossed[0].receiver.label == "carrier"


def test_an_emergency_call_takes_the_trunk_that_was_asked_for() -> None:
    """And is edited as an emergency call only where that trunk is marked for it."""
    invite = ALICE.invite(uri=b"sip:112@sip.example.net")
    assert b"Alice" in only(replay(Wish(trunk="psap")).feed(invite.data)).raw
    assert b"Alice" not in only(replay(Wish(trunk="carrier")).feed(invite.data)).raw


def test_unknown_trunk() -> None:
    """Is a mistake of use, and the right names are told."""
    with pytest.raises(ExplainError, match="carrier, second, psap"):
        replay(Wish(trunk="nobody"))


def test_inward() -> None:
    """From the trunk to the core, by the configuration's routes."""
    step = replay(Wish(inward=True, trunk="carrier")).feed(CARRIER.invite().data)
    assert step.sender.label == "carrier"
    assert step.crossed[0].to.peer == PBX.address
    with pytest.raises(ExplainError, match="which trunk"):
        replay(Wish(inward=True))


def test_subscriber_replaces_the_caller() -> None:
    """Where the message is somebody else's; the same message is left alone."""
    step = replay(Wish(subscriber=b"bob@sip.example.net")).feed(ALICE.invite().data)
    assert read(step.given).from_.uri == b"sip:bob@sip.example.net"
    assert any("From named another" in remark for remark in step.remarks)
    for same in (b"alice@sip.example.net", b"sip:alice@SIP.example.net", b"alice"):
        assert replay(Wish(subscriber=same)).feed(ALICE.invite().data).given == ALICE.invite().data
    inward = replay(Wish(inward=True, trunk="carrier", subscriber=b"+15559")).feed(CARRIER.invite().data)
    assert read(inward.given).uri == b"sip:+15559@192.0.2.1"


def test_a_lone_response_gets_a_request() -> None:
    """What is edited in it does not hang on what else the request said; other than for one within a dialog."""
    step = replay().feed(CARRIER.answer(ALICE.invite().data, 200).data)
    assert only(step).status == 200
    assert "one was made up" in step.remarks[0]
    with pytest.raises(ExplainError, match="give the request first"):
        replay().feed(CARRIER.answer(ALICE.request(b"BYE").data, 200).data)


def test_what_is_refused_is_answered() -> None:
    """A result like any other: nothing crossed, and the sender hears why."""
    step = replay().feed(ALICE.invite(max_forwards=0).data)
    assert (step.crossed, [read(data).status for _, data in step.made]) == ([], [483])
    bye = ALICE.within(b"BYE", ALICE.answer(ALICE.invite().data, 200).data).data
    lost = replay().feed(b"BYE sip:+15550199@192.0.2.1 SIP/2.0" + bye[bye.index(b"\r\n") :])
    assert [read(data).status for _, data in lost.made] == [481]
    assert "its dialog was not given" in lost.remarks[0]
    for garbage in (b"nothing at all", b"INVITE x SIP/2.0\r\n\r\n"):
        assert replay().feed(garbage).crossed == []


def test_trunk_known_by_name() -> None:
    """Its look-up is answered from the networks that are configured for it."""
    named = {"name": "named", "hosts": ["sip.carrier.example:5060"], "networks": ["198.51.100.64/28"]}
    changes: Any = {"trunks": [{**named, "listener": "main"}], "routes": [{"to": ["named"]}]}
    step = replay(**changes).feed(ALICE.invite().data)
    assert step.crossed[0].to.peer == ("198.51.100.65", 5060)


def test_what_a_signature_tells_is_shown() -> None:
    """A PASSporT names the caller: shown without it, a message would seem to tell less than the trunk hears."""
    first, *others = SETTINGS["trunks"]
    terms = {"sign": True, "privacy": {"name": "keep", "number": "keep"}}
    wanted = settings(trunks=[{**first, **terms}, *others], signing={"x5u": X5U})
    invite = Agent(PHONE, b"+15550142").invite()
    told = [
        only(Replay(wanted, Wish(), ring=keyring(), now=1000.0, wall=WALL, credentials=each).feed(invite.data))
        for each in (Credentials(SigningKey(KEY), None), NO_CREDENTIALS)
    ]
    signed, unsigned = (message.value(b"identity") for message in told)
    assert unsigned is None
    assert signed is not None
    assert b'"orig":{"tn":"15550142"}' in unb64(signed.split(b".")[1])


def test_rings_are_thrown_away() -> None:
    """No two runs have the same key."""
    assert throw_away_ring(WALL).current.secret != throw_away_ring(WALL).current.secret
