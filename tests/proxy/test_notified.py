"""Events that command phones come from the core alone; what tells how things are passes."""

from __future__ import annotations

from functools import cache

import pytest

from proxy.notified import STATES
from tests.agents import CARRIER, PBX, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.phones import REGISTRAR, ROUTES, Phone, ask
from tests.world import OTHER_PHONE, PHONE, World, settings

COMMANDS = [
    b"talk", b"hold", b"check-sync", b"check-sync;reboot=true", b"Check-Sync", b"resync", b"reboot", b"report",
    b"ua-profile", b"Yealink-xml", b"aastra-xml", b"as-feature-event", b"x-anything", b"", b"refer, talk", b"talk;id=1",
]  # fmt: skip
MALLORY = Agent(OTHER_PHONE, b"mallory")
ALICE = Phone(PHONE)


@cache
def world() -> World:
    """Return a world in which alice is registered, and may be called by everybody; one for all that leaves nothing."""
    made = World(settings(registrar=REGISTRAR, routes=[{"source": "access", "to": ["registered"]}, *ROUTES]))
    ask(made, Phone(PHONE).register())
    return made


def notify(who: Agent, *headers: bytes, to_tag: bytes = b"") -> Packet:
    number = len(world().sent)
    lines = (*headers, b"Subscription-State: active")
    branch, call = b"z9hG4bKn%d" % number, b"n%d@x" % number
    packet = who.request(b"NOTIFY", b"sip:alice@example.net", branch=branch, call_id=call, headers=lines)
    to = b"To: <sip:alice@example.net>"
    return packet._replace(data=packet.data.replace(to, to + b";tag=" + to_tag if to_tag else to))


def told(packet: Packet) -> int:
    """Return the status that a NOTIFY gets; 0 where it reaches the phone."""
    sent = world().receive(*packet)
    if any(address == PHONE for address, _ in sent):
        return 0
    return next(read(data).status for address, data in sent if address == packet.source)


@pytest.mark.parametrize("who", [CARRIER, MALLORY], ids=repr)
@pytest.mark.parametrize("event", COMMANDS)
@pytest.mark.parametrize("name", [b"Event: ", b"o: "])
def test_nobody_commands_a_phone(event: bytes, who: Agent, name: bytes) -> None:
    """Neither a trunk nor a neighbour has it pick up, start anew or fetch something; a To tag of one's own making
    leads round it no more than anything else."""
    for tag in (b"", b"x"):
        assert told(notify(who, name + event, to_tag=tag)) in (489, 481)
    assert told(notify(who, name + event)) == 489


@pytest.mark.parametrize("who", [CARRIER, MALLORY], ids=repr)
def test_what_says_no_event_or_two_says_nothing(who: Agent) -> None:
    assert told(notify(who)) == 489
    assert told(notify(who, b"Event: message-summary", b"Event: talk")) in (400, 489)


@pytest.mark.parametrize("event", sorted(STATES))
def test_who_has_not_asked_is_told_of_messages_alone(event: bytes) -> None:
    """RFC 6665 §4.1.3: 481 where there is no subscription; a carrier's voice mail does not ask (RFC 3842)."""
    assert told(notify(CARRIER, b"Event: " + event)) == (0 if event == b"message-summary" else 481)
    assert told(notify(MALLORY, b"Event: " + event)) == 481


@pytest.mark.parametrize("event", [b"talk", b"check-sync", b"message-summary", b"x"])
def test_the_core_may(event: bytes) -> None:
    assert told(notify(PBX, b"Event: " + event)) == 0


@pytest.mark.parametrize("code", [180, 200])
def test_nobody_picks_up_for_whom_it_calls(code: int) -> None:
    """`talk` within the very call, while it rings: the microphone would be the caller's. A transfer goes on."""
    invite = CARRIER.invite(uri=b"sip:alice@example.net", branch=b"z9hG4bKi%d" % code, call_id=b"i%d@x" % code)
    ladder = Ladder(world()) >> invite << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")
    ladder = ladder >> ALICE.answer(ladder[b"INVITE"], code) << Sent(CARRIER, code)
    branch = b"z9hG4bKw%d" % code
    talk = CARRIER.within(
        b"NOTIFY", ladder[code], own=invite, branch=branch, headers=(b"Event: talk", b"Subscription-State: active")
    )
    ladder = ladder >> talk << Sent(CARRIER, 489)
    lines = (b"Event: refer;id=3", b"Subscription-State: active;expires=60")
    state = CARRIER.within(b"NOTIFY", ladder[code], own=invite, cseq=3, branch=branch + b"3", headers=lines)
    assert ladder >> state << Sent(ALICE, b"NOTIFY")


def test_other_methods_and_other_ways_are_nobodys_business_here() -> None:
    subscribe = CARRIER.request(b"SUBSCRIBE", b"sip:alice@example.net", headers=(b"Event: talk",))
    assert [address for address, _ in world().receive(*subscribe)] == [PHONE]
