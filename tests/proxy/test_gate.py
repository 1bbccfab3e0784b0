"""The door to the phones' side: limits, scanners and bans in the life of a core."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agents import ALICE, CARRIER, PBX, PSAP, STRANGER, Agent, Packet
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import OTHER_PHONE, PHONE, World, settings

NEIGHBOUR = Agent((PHONE[0], 40_000), b"carol")
"""Another phone behind the address of ALICE's."""
EDGE = Agent(("10.9.9.9", 5060), b"edge")
ATTACKED = Agent((PHONE[0], 666), b"mallory")
SCANNER = (b"User-Agent: friendly-scanner",)


def world(**guard: Any) -> World:
    return World(settings(guard=guard))


def asks(agent: Agent, number: int = 0, **changes: Any) -> Packet:
    """Return a request whose answer is 404: a user whom no route leads to."""
    changes.setdefault("method", b"OPTIONS")
    return agent.request(branch=b"z9hG4bKask%d" % number, call_id=b"ask-%d" % number, **changes)


def unrouted(**guard: Any) -> World:
    """Return a world where phones are refused whatever they ask for, but for emergency calls."""
    return World(
        settings(guard=guard, routes=[{"emergency": True, "to": ["psap"]}, {"source": "core", "to": ["access"]},
                                      {"source": "trunk", "to": ["core"]}])
    )  # fmt: skip


def banned(agent: Agent = ATTACKED, **guard: Any) -> Ladder:
    """Return a world in which an agent has asked for so many names that its source is banned."""
    ladder = Ladder(unrouted(sweep=20, **guard))
    for number in range(20):
        ladder.world.receive(*asks(agent, number, uri=b"sip:%d@192.0.2.1" % (1000 + number)))
    while not ladder.world.count("guarded", "ban"):
        number += 1
        ladder.world.receive(*asks(agent, number, uri=b"sip:%d@192.0.2.1" % (1000 + number)))
    assert number < 30
    ladder.left.clear()
    return ladder


# --- too much


def test_a_source_that_asks_for_too_much_gets_503() -> None:
    """With Retry-After, as under overload; what belongs to a call goes on, and so do others."""
    ladder = Ladder(world(source_rate=1, source_burst=1)) >> ALICE.invite() << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE") >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    answer = ladder[200]
    ladder = ladder >> NEIGHBOUR.invite(branch=b"z9hG4bKn") << Sent(NEIGHBOUR, 503)
    assert b"\r\nRetry-After: " in ladder[503]
    ladder = ladder >> NEIGHBOUR.invite(branch=b"z9hG4bKm") << Sent(NEIGHBOUR, 503)
    for method in (b"ACK", b"BYE"):
        ladder = ladder >> ALICE.within(method, answer, own=ALICE.invite()) << Sent(CARRIER, method)
    bob = Agent(OTHER_PHONE, b"bob")
    assert ladder >> bob.invite(branch=b"z9hG4bKo") << Sent(bob, 100) << Sent(CARRIER, b"INVITE")
    assert ladder.world.count("guarded", "source") == 2
    ladder = ladder >> Wait(2)
    ladder.left.clear()
    ladder = ladder >> NEIGHBOUR.invite(branch=b"z9hG4bKp") << Sent(NEIGHBOUR, 100) << Sent(CARRIER, b"INVITE")
    assert ladder
    assert [event.detail for event in ladder.world.events if event.kind == "guard"] == []


def test_the_repetition_of_a_request_is_not_a_new_one() -> None:
    ladder = Ladder(world(source_rate=1, source_burst=1)) >> ALICE.invite() << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE")
    for _ in range(5):
        ladder = ladder >> ALICE.invite() << Sent(ALICE, 100)
    assert ladder


@pytest.mark.parametrize("agent", [CARRIER, PBX, EDGE])
def test_trunks_the_core_and_edge_proxies_are_exempt(agent: Agent) -> None:
    """Who forges the address of a trunk cannot shut it out."""
    ladder = Ladder(unrouted(source_rate=1, source_burst=1, sweep=5, subscriber_calls=1))
    for number in range(50):
        uri = b"sip:nobody%d@192.0.2.1" % number
        ladder.world.receive(*asks(agent, number, uri=uri, headers=SCANNER))
    assert ladder.world.count("responses_made", "503") == 0
    assert not any(ladder.world.count("guarded", what) for what in ("source", "ban", "banned", "scanner"))


@pytest.mark.parametrize(("method", "key"), [(b"INVITE", "subscriber_calls"), (b"MESSAGE", "subscriber_messages")])
def test_a_subscriber_who_asks_for_too_much_gets_503(method: bytes, key: str) -> None:
    ladder = Ladder(world(**{key: 2}))
    for number in range(3):
        ladder.world.receive(*ALICE.request(method, branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number))
    assert ladder.world.count("guarded", "subscriber") == 1
    assert b"\r\nRetry-After: 31\r\n" in ladder.world.sent[-1][1]
    carol = ladder.world.receive(*NEIGHBOUR.request(method, branch=b"z9hG4bKc"))
    assert CARRIER.address in [address for address, _ in carol], "others behind the same address are others"


def test_nobody_uses_up_the_calls_of_another() -> None:
    """Whoever writes ALICE's From elsewhere is, as long as nobody is asked for a password, somebody else."""
    mallory = Agent(OTHER_PHONE, b"alice")
    ladder = Ladder(world(subscriber_calls=2))
    for number in range(5):
        ladder.world.receive(*mallory.invite(branch=b"z9hG4bK%d" % number, call_id=b"m%d" % number))
    assert ladder >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_an_account_is_one_subscriber_wherever_it_is() -> None:
    """Once a request is authenticated From and source do not matter."""
    core = world(subscriber_calls=2).core
    assert [bool(core.guard.admit_subscriber(b" account alice", b"INVITE", 0.0)) for _ in range(3)][-1]


@pytest.mark.parametrize("uri", [b"urn:service:sos", b"sip:911@192.0.2.1", b"tel:112"])
def test_an_emergency_call_passes_every_limit(uri: bytes) -> None:
    """RFC 6443 §16, standards.md §2.6 E3."""
    ladder = Ladder(world(source_rate=1, source_burst=1, subscriber_calls=1))
    for number in range(3):
        ladder.world.receive(*ALICE.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number))
    assert ladder >> ALICE.invite(uri=uri, branch=b"z9hG4bKe") << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")


# --- scanners


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (b"User-Agent: friendly-scanner",)},
        {"headers": (b"user-agent:  Friendly-Scanner/0.2",)},
        {"headers": (b"User-Agent: sipcli/v1.8",)},
        {"headers": (b"User-Agent: pplsip",)},
        {"headers": (b"User-Agent: VaxSIPUserAgent/3.1",)},
    ],
)
@pytest.mark.parametrize("method", [b"OPTIONS", b"REGISTER", b"INVITE"])
def test_a_scanner_gets_silence(changes: dict[str, Any], method: bytes) -> None:
    ladder = Ladder(world()) >> ALICE.request(method, **changes) << Silence() >> Wait(40) << Silence()
    assert ladder.world.count("guarded", "scanner") == 1
    assert not any(ladder.world.core.gauges().values()), "it costs no transaction"


def test_a_scanner_is_known_by_what_it_calls_itself_in_from() -> None:
    for agent in (Agent(PHONE, b"100", b'"sipvicious" '), Agent(PHONE, b"x", b"sipvicious ")):
        assert Ladder(world()) >> agent.request(b"OPTIONS") << Silence()
    scan = ALICE.request(b"OPTIONS")
    scan = Packet(PHONE, scan.data.replace(b"alice@sip.example.net>;", b"100@1.1.1.1>;"))
    assert Ladder(world()) >> scan << Silence()


def test_no_phone_is_taken_for_a_scanner() -> None:
    """The name has to stand at the beginning: others may speak of one."""
    agents = (b"Yealink SIP-T46S 66.85.0.5", b"Linphone/5.2", b"Anti-friendly-scanner 1", b"", b"sip")
    for number, agent in enumerate(agents):
        invite = ALICE.invite(headers=(b"User-Agent: " + agent,), branch=b"z9hG4bK%d" % number)
        assert Ladder(world()) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_scanner_does_not_ring_at_the_psap() -> None:
    """svwar tries 100 to 999, 112 and 911 among them."""
    assert Ladder(world()) >> ALICE.invite(uri=b"sip:911@192.0.2.1", headers=SCANNER) << Silence()


def test_what_a_forger_writes_shuts_no_phone_out() -> None:
    """Requests of a scanner in the name of a phone: they are dropped one by one, and the phone calls."""
    ladder = Ladder(world())
    for number in range(150):
        ladder.world.receive(*asks(ALICE, number, headers=SCANNER))
    assert ladder >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_a_scanner_may_be_kept_waiting() -> None:
    """Delayed, and no larger than what it asked; while too many wait, silence."""
    ladder = Ladder(world(scanners="delay", delay=10))
    scan = asks(ALICE, headers=SCANNER)
    ladder = ladder >> scan << Silence() >> Wait(9) << Silence() >> Wait(2) << Sent(ALICE, 403) >> Wait(40)
    assert ladder << Silence()
    assert len(ladder[403]) <= len(scan.data)
    for number in range(1500):
        ladder.world.receive(*asks(ALICE, number, headers=SCANNER))
    assert len(ladder.world.wait(12)) == 1000
    assert ladder.world.count("guarded", "delayed") == 1001


def test_scanners_may_be_answered_like_others() -> None:
    ladder = Ladder(World(settings(guard={"scanners": "off"}, routes=[]))) >> asks(ALICE, headers=SCANNER)
    assert ladder << Sent(ALICE, 404)


# --- bans


def test_a_sweep_over_many_names_is_met_by_silence() -> None:
    """Also from another port, and before anything is parsed; then it is over."""
    ladder = banned(ban=60)
    ladder = ladder >> asks(ATTACKED, 100) << Silence() >> asks(NEIGHBOUR, 101) << Silence()
    assert ladder.world.count("guarded", "banned") >= 2
    assert ladder.world.core.gauges()["sipveil_guard_banned"] == 1
    assert [event.detail for event in ladder.world.events if event.kind == "guard"] == ["ban"]
    ladder = ladder >> asks(ATTACKED, 102, headers=(b"X: folded\r\n line",)) << Silence()
    broken = asks(ATTACKED, 103).data.replace(b"CSeq: 1 ", b"CSeq: 2 REGISTER ")
    ladder = ladder >> Packet(ATTACKED.address, broken) << Silence()
    ladder = ladder >> Wait(61) >> asks(NEIGHBOUR, 104) << Sent(NEIGHBOUR, 404)
    assert not ladder.world.core.guard.active


@pytest.mark.parametrize("uri", [b"urn:service:sos", b"sip:911@192.0.2.1"])
def test_an_emergency_call_passes_a_ban(uri: bytes) -> None:
    """From whichever phone behind that address."""
    ladder = banned() >> NEIGHBOUR.invite(uri=uri) << Sent(NEIGHBOUR, 100) << Sent(PSAP, b"INVITE")
    assert ladder


def test_a_phone_that_was_called_is_in_no_ban_of_its_address() -> None:
    """It answered what only it can have received."""
    ladder = Ladder(unrouted(sweep=20)) >> PBX.invite(uri=b"sip:alice@10.1.1.23:5062") << Sent(PBX, 100)
    ladder = ladder << Sent(ALICE, b"INVITE") >> ALICE.answer(ladder[b"INVITE"], 180) << Sent(PBX, 180)
    for number in range(40):
        ladder.world.receive(*asks(ATTACKED, number, uri=b"sip:%d@192.0.2.1" % (1000 + number)))
    ladder.left.clear()
    ladder = ladder >> asks(ATTACKED, 100) << Silence()
    assert ladder >> asks(ALICE, 101) << Sent(ALICE, 404)


def test_a_phone_that_was_registered_is_in_no_ban_of_its_address() -> None:
    """The core has asked it for its password, and the answer was right."""
    routes = [{"source": "access", "methods": ["REGISTER"], "to": ["core"]}]
    ladder = Ladder(World(settings(guard={"sweep": 20}, routes=routes)))
    ladder = ladder >> ALICE.request(b"REGISTER", uri=b"sip:192.0.2.1") << Sent(PBX, b"REGISTER")
    ladder = ladder >> PBX.answer(ladder[b"REGISTER"], 200, contact=b"") << Sent(ALICE, 200)
    for number in range(40):
        ladder.world.receive(*asks(ATTACKED, number, uri=b"sip:%d@192.0.2.1" % (1000 + number)))
    assert ladder.world.count("guarded", "ban") == 1
    assert ladder >> asks(ATTACKED, 100) << Silence() >> asks(ALICE, 101) << Sent(ALICE, 404)


def test_a_call_that_is_up_goes_on_under_a_ban() -> None:
    """Nothing within dialogs is judged; and by its ACK the phone has shown that it hears us."""
    routes = [{"source": "access", "prefix": "+", "to": ["carrier"]}]
    ladder = Ladder(World(settings(guard={"sweep": 20}, routes=routes))) >> ALICE.invite() << Sent(ALICE, 100)
    ladder = ladder << Sent(CARRIER, b"INVITE") >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    answer = ladder[200]
    for number in range(40):
        ladder.world.receive(*asks(ATTACKED, number, uri=b"sip:%d@192.0.2.1" % (1000 + number)))
    assert ladder.world.count("guarded", "ban") == 1
    ladder = ladder >> ALICE.invite(branch=b"z9hG4bKbefore", call_id=b"before") << Silence()
    ladder = ladder >> ALICE.within(b"ACK", answer, own=ALICE.invite()) << Sent(CARRIER, b"ACK")
    ladder = ladder >> ALICE.within(b"BYE", answer, own=ALICE.invite()) << Sent(CARRIER, b"BYE")
    ladder = ladder >> ALICE.invite(branch=b"z9hG4bKnew", call_id=b"new") << Sent(ALICE, 100)
    assert ladder << Sent(CARRIER, b"INVITE")


def test_strangers_are_not_even_counted() -> None:
    ladder = Ladder(world(sweep=5))
    for number in range(20):
        ladder = ladder >> asks(STRANGER, number, headers=SCANNER) << Silence()
    assert not ladder.world.core.guard.active
    assert ladder.world.count("guarded", "scanner") == 0


def test_a_guard_that_is_switched_off_does_nothing() -> None:
    ladder = Ladder(unrouted(enabled=False, sweep=5, source_rate=1, source_burst=1))
    for number in range(30):
        ladder = ladder >> asks(ALICE, number, headers=SCANNER) << Sent(ALICE, 404)
    assert ladder


def test_a_reload_changes_limits_at_once() -> None:
    ladder = Ladder(world(source_rate=1, source_burst=1))
    for number in range(3):
        ladder.world.receive(*ALICE.invite(branch=b"z9hG4bK%d" % number))
    assert ladder.world.core.guard.active
    ladder.world.reload(guard={"source_rate": 0, "tools": ["some-phone"]})
    assert ladder >> ALICE.invite(branch=b"z9hG4bKr") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder >> ALICE.invite(branch=b"z9hG4bKs", headers=(b"User-Agent: Some-Phone 2",)) << Silence()


def test_nothing_that_is_counted_tells_who() -> None:
    """Counters and events name neither address nor user."""
    world_ = banned().world
    told = repr((world_.events, sorted(world_.core.counters.values)))
    for secret in ("10.1.1.23", "mallory", "1000@", "1019"):
        assert secret not in told
