"""Sending a branch: finished or not at all (design.md §2)."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER, Packet, read
from tests.ladder import Ladder, Sent, Silence
from tests.world import SETTINGS, World, settings


def test_an_unregistered_require_is_refused_with_its_tags() -> None:
    """420 with Unsupported (RFC 3261 §8.2.2.3): the tag may not pass, and without it nobody would know."""
    ladder = Ladder() >> ALICE.invite(headers=(b"Require: 100rel, x-alice",)) << Sent(ALICE, 100) << Sent(ALICE, 420)
    assert read(ladder[420]).value(b"unsupported") == b"x-alice"
    assert ladder


def test_an_encoded_offer_is_refused_with_what_would_do() -> None:
    """415 with Accept-Encoding (§8.2.3): what cannot be read cannot be cleaned."""
    headers = (b"Content-Type: application/sdp", b"Content-Encoding: gzip")
    ladder = Ladder() >> ALICE.invite(headers=headers) << Sent(ALICE, 100) << Sent(ALICE, 415)
    assert read(ladder[415]).value(b"accept-encoding") == b"identity"
    assert ladder


def test_one_failing_branch_does_not_stop_the_others() -> None:
    """A fork to a trunk that cannot take the message: the other trunk still rings."""
    trunks = [
        {**trunk, **({"max_datagram": 1300} if trunk["name"] == "second" else {})} for trunk in SETTINGS["trunks"]
    ]
    headers = tuple(b"Accept: application/sdp" for _ in range(40))
    ladder = Ladder(World(settings(trunks=trunks))) >> ALICE.request(uri=b"sip:9000@192.0.2.1", headers=headers)
    ladder = ladder << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)


def test_edits_are_told_to_whoever_listens() -> None:
    """The live path with a recorder attached: what came, what left, and why (design.md §2)."""
    heard: list[tuple[bytes, bytes, list[tuple[str, str]]]] = []

    class Listener:
        def forwarded(self, received: bytes, sent: bytes, sent_to: object, reasons: list[tuple[str, str]]) -> None:
            heard.append((received, sent, reasons))

    world = World()
    world.core.recorder = Listener()
    invite = ALICE.invite()
    ladder = Ladder(world) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    quiet = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder[b"INVITE"] == quiet[b"INVITE"], "listening changes nothing (peers.md row 19)"
    received, sent, reasons = heard[0]
    assert (received, sent) == (invite.data, ladder[b"INVITE"])
    assert ("from", "hidden: the anonymous form of RFC 3323") in reasons
    assert {"via", "record-route", "call-id", "contact", "body"} <= {field for field, _ in reasons}
    assert ladder
    assert quiet


def test_when_even_the_bare_message_fails_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last resort may fail too: 500 to a BYE, silence for an ACK, no exception out of the core."""
    invite = ALICE.invite()
    ladder = Ladder() >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)

    def fail(*_: object) -> bytes:
        raise RuntimeError

    monkeypatch.setattr(ladder.world.core.request_forwarder, "build", fail)
    monkeypatch.setattr(ladder.world.core.request_forwarder, "build_minimal", fail)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=invite, cseq=1) << Silence()
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=invite) << Sent(ALICE, 500)


def test_what_goes_to_ourselves_is_bounded() -> None:
    """ACKs have no transaction: a phone and a callee whose Contact is ours would fill the memory of what we sent."""
    world = World(settings(limits={"transactions": 100}))
    invite = ALICE.invite()
    ladder = Ladder(world) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, contact=b"<sip:x@192.0.2.1>") << Sent(ALICE, 200)
    ack = ALICE.within(b"ACK", ladder[200], own=invite, cseq=1)
    for number in range(150):
        world.receive(*Packet(ack.source, ack.data.replace(b"z9hG4bKack1", b"z9hG4bKack%d" % number)))
    assert len(world.core.looped) == 100
    world.wait(130)
    assert not world.core.looped
