"""A reload (`Core.adopt`): new calls follow the new generation, what is in progress keeps what it began with."""

from __future__ import annotations

import gc
from typing import Any

from filters.plan import CompiledPlan
from proxy.location import plain
from proxy.routing import Network
from tests.agents import ALICE, CARRIER, read
from tests.world import SECOND_TRUNK, SETTINGS, TRUNK, World, keyring, settings

CALLER = (b"User-Agent: Phone 4.7",)
LOOSE: dict[str, Any] = {"privacy": {"default": {"software": "keep", "name": "keep", "number": "keep"}}}
SDP_LINE = b"Content-Type: application/sdp"


def named(name: str) -> dict[str, Any]:
    """Return the world's settings with its first trunk under another name."""
    renamed = {**SETTINGS["trunks"][0], "name": name}
    routes = [{**route, "to": [name if to == "carrier" else to for to in route["to"]]} for route in SETTINGS["routes"]]
    return {"trunks": [renamed, *SETTINGS["trunks"][1:]], "routes": routes}


def without() -> dict[str, Any]:
    """Return the world's settings without its first trunk: calls take the second."""
    routes = [{**route, "to": ["second" if to == "carrier" else to for to in route["to"]]}
              for route in SETTINGS["routes"] if route["to"] != ["carrier", "second"]]  # fmt: skip
    return {"trunks": SETTINGS["trunks"][1:], "routes": routes}


class Call:
    """A call from Alice over the carrier, as far as both ends know it."""

    def __init__(self, world: World, number: int = 1) -> None:
        self.world = world
        self.number = number
        self.invite = ALICE.invite(
            call_id=b"call-%d@10.1.1.23" % number, branch=b"z9hG4bKi%d" % number, headers=(SDP_LINE, *CALLER)
        )
        self.sent = world.receive(*self.invite)[-1][1]
        self.ok = CARRIER.answer(self.sent, 200)

    def up(self) -> Call:
        """Answer and acknowledge it."""
        ((_, self.answer),) = self.world.receive(*self.ok)
        ((_, self.ack),) = self.world.receive(*ALICE.within(b"ACK", self.answer, own=self.invite, cseq=1))
        return self

    def by_phone(self, method: bytes) -> tuple[tuple[str, int], bytes]:
        """Return what leaves for a request of Alice's within the call."""
        request = ALICE.within(
            method, self.answer, own=self.invite, headers=CALLER, branch=b"z9hG4bK%b%d" % (method, self.number)
        )
        return self.world.receive(*request)[-1]

    def by_trunk(self, method: bytes, source: tuple[str, int] = TRUNK) -> list[tuple[tuple[str, int], bytes]]:
        """Return what leaves for a request of the carrier's within the call."""
        branch = b"z9hG4bKt%b%d" % (method, self.number)
        return self.world.receive(source, CARRIER.within(method, self.sent, own=self.ok, branch=branch).data)


def shows_software(data: bytes) -> bool:
    return b"Phone 4.7" in data


def test_a_call_keeps_its_decision_and_a_new_one_has_the_new() -> None:
    """Looser, then stricter: by the record, not by the time (issue 4)."""
    world = World()
    strict = Call(world, 1).up()
    world.reload(**LOOSE)
    loose = Call(world, 2).up()
    assert (shows_software(strict.sent), shows_software(loose.sent)) == (False, True)
    world.reload()
    third = Call(world, 3).up()
    for call, shown in ((strict, False), (loose, True), (third, False)):
        for method in (b"INVITE", b"BYE"):
            to, data = call.by_phone(method)
            assert (to, data.split()[0], shows_software(data)) == (TRUNK, method, shown)
            assert read(data).from_ == read(call.sent).from_


def test_a_call_that_is_being_set_up_goes_on() -> None:
    """Its responses find their transaction, and go back under the plan that it began with."""
    world = World()
    call = Call(world)
    world.reload(**LOOSE)
    ringing = CARRIER.answer(call.sent, 180, headers=(b"Server: Switch 1",))
    ((to, data),) = world.receive(*ringing)
    assert to == ALICE.address
    assert read(data).status == 180
    assert b"Switch 1" not in data
    call.up()
    assert call.ack.startswith(b"ACK ")
    assert world.count("dropped", "stray-response") == 0


def test_a_trunk_may_answer_from_another_of_its_addresses() -> None:
    """Which is told by the trunk's name: the settings are other objects after a reload."""
    world = World()
    call = Call(world)
    world.reload(**LOOSE)
    ((to, _),) = world.receive(("198.51.100.17", 5060), call.ok.data)
    assert to == ALICE.address


def test_a_repeated_invite_is_answered_and_repeated_as_it_was() -> None:
    """Absorbed, and sent again byte for byte (RFC 3261 §17)."""
    world = World()
    call = Call(world)
    world.reload(**LOOSE)
    ((to, again),) = world.receive(*call.invite)
    assert (to, read(again).status) == (ALICE.address, 100)
    repeated = [data for to, data in world.wait(1.0) if to == TRUNK]
    assert repeated
    assert set(repeated) == {call.sent}


def test_a_trunk_that_is_removed_serves_its_calls() -> None:
    """dialogs.md: "A deleted trunk still serves its dialogs"; a new call takes the new route."""
    world = World()
    up, ringing = Call(world, 1).up(), Call(world, 2)
    world.reload(**without())
    assert ringing.up().by_phone(b"BYE")[0] == TRUNK
    assert up.by_phone(b"INVITE")[0] == TRUNK
    assert up.by_trunk(b"BYE")[-1][0] == ALICE.address
    fresh = world.receive(*ALICE.invite(call_id=b"new@10.1.1.23", branch=b"z9hG4bKnew"))
    assert fresh[-1][0] == SECOND_TRUNK


def test_a_trunk_that_is_renamed_serves_its_calls() -> None:
    """It is another one that has the same addresses; either end still ends its calls."""
    world = World()
    calls = [Call(world, number).up() for number in (1, 2, 3)]
    world.reload(**named("carrier-two"))
    to, bye = calls[0].by_phone(b"BYE")
    assert to == TRUNK
    assert world.receive(*CARRIER.answer(bye, 200))[0][0] == ALICE.address
    assert calls[1].by_trunk(b"BYE")[-1][0] == ALICE.address
    # Of a retired trunk's addresses only: its calls are nobody else's.
    ((to, refused),) = calls[2].by_trunk(b"BYE", SECOND_TRUNK)
    assert (to, read(refused).status) == (SECOND_TRUNK, 403)


def test_the_generation_at_receipt_decides_for_what_is_parked() -> None:
    """An INVITE that waits for a name goes where it was to go, as it was to go (design.md §5)."""
    trunks = [
        {**SETTINGS["trunks"][0], "hosts": ["gw.example.org:5060"], "networks": ["198.51.100.7"]},
        *SETTINGS["trunks"][1:],
    ]
    world = World(settings(trunks=trunks))
    world.receive(*ALICE.invite(headers=(SDP_LINE, *CALLER)))
    ((ticket, *_),) = world.lookups
    world.reload(**without(), **LOOSE)
    world.core.resume(ticket, plain([TRUNK[0]]), world.now)
    to, data = world.sent[-1]
    assert (to, data.split()[0]) == (TRUNK, b"INVITE")
    assert not shows_software(data)
    assert world.receive(*CARRIER.answer(data, 180))[0][0] == ALICE.address


def test_a_reload_takes_up_new_keys() -> None:
    """Calls under an old key go on; new ones have the current one."""
    world = World()
    old, ringing = Call(world, 1).up(), Call(world, 2)
    world.ring = keyring(3, 4)
    world.reload()
    assert world.core.generation.tokens.current == 4
    assert old.by_phone(b"BYE")[0] == TRUNK
    assert ringing.up().by_trunk(b"BYE")[-1][0] == ALICE.address
    assert Call(world, 3).up().by_phone(b"BYE")[0] == TRUNK


def test_while_the_keys_are_the_same_what_is_known_of_them_stays() -> None:
    """A reload under load does not begin with empty memories."""
    world = World()
    tokens = world.core.generation.tokens
    world.reload(**LOOSE)
    assert world.core.generation.tokens is tokens


def test_bounds_and_timers_hold_from_then_on() -> None:
    """For everything, since they decide nothing about what is disclosed."""
    world = World()
    world.reload(
        timers={"t1": 1.0}, limits={"parked": 7, "contact_calls": 3}, overload={"enabled": False, "max_delay": 0.5}
    )
    core = world.core
    assert (core.timers.t1, core.parking.limit, core.requests.contact_calls.limit) == (1.0, 7, 3)
    Call(world)
    assert not [data for to, data in world.wait(0.9) if to == TRUNK]
    core.overload.measured("queue", 9.0, 1.0, world.now)
    assert not core.overload.active


def test_overload_ends_where_it_is_switched_off() -> None:
    """And is told."""
    world = World()
    for _ in range(2):
        world.core.overload.measured("queue", 9.0, 1.0, world.now)
        world.now += 1
    assert world.core.overload.active
    world.reload(overload={"enabled": False})
    assert not world.core.overload.active
    assert world.events[-1].detail == "ends"


def test_what_we_sent_to_ourselves_meets_the_new_generation() -> None:
    """Its side is found again by name, so no plan of the former generation is remembered under the new one."""
    world = World()
    party = world.core.generation.network.party_of(TRUNK)
    assert party is not None
    world.core.looped[b"z9hG4bKx"] = party
    world.reload(**LOOSE)
    assert world.core.looped[b"z9hG4bKx"].trunk is world.core.generation.network.settings.trunks[0]


def living(kind: type) -> int:
    """Return how many objects of a class there are."""
    return sum(isinstance(each, kind) for each in gc.get_objects())


def test_former_generations_are_freed() -> None:
    """Without the garbage collector, which rests (tap/collector.py): 200 reloads take no more room than one."""
    gc.collect()
    others = living(CompiledPlan)  # what tests before this one still hold
    world = World()
    Call(world, 0).up()
    gc.collect()
    for number in range(1, 201):
        world.reload(**(LOOSE if number % 2 else {}))
        world.receive(*ALICE.invite(call_id=b"%d@x" % number, branch=b"z9hG4bKz%d" % number))
    world.sent.clear()
    world.wait(400)
    world.reload(**LOOSE)
    Call(world, 999)
    world.wait(400)
    gc.disable()
    try:
        before = living(Network)
        for _ in range(10):
            world.reload(**LOOSE)
            Call(world, 1000)
            world.wait(400)
        assert living(Network) == before
    finally:
        gc.enable()
    gc.collect()
    assert living(CompiledPlan) < others + 10
