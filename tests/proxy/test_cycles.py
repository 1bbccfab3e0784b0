"""Nothing that a call leaves behind waits for the garbage collector (tap/collector.py)."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from proxy.by_size import RefusedConnections
from proxy.flow import Flow
from proxy.location import plain
from proxy.transaction import ServerTransaction
from tests.agents import ALICE, CARRIER, read
from tests.world import PHONE, PROXY, SETTINGS, TRUNK, World, settings


def whole_call(world: World, number: int) -> None:
    invite = ALICE.invite(call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number)
    sent = world.receive(*invite)[1][1]
    world.receive(*CARRIER.answer(sent, 180))
    answer = world.receive(*CARRIER.answer(sent, 200))[0][1]
    world.receive(*ALICE.within(b"ACK", answer, own=invite, cseq=1, branch=b"z9hG4bKa%d" % number))
    bye = world.receive(*ALICE.within(b"BYE", answer, own=invite, branch=b"z9hG4bKb%d" % number))[0][1]
    world.receive(*CARRIER.answer(bye, 200))


def cancelled_call(world: World, number: int) -> None:
    invite = ALICE.invite(call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number)
    sent = world.receive(*invite)[1][1]
    world.receive(*CARRIER.answer(sent, 180))
    cancel = next(data for _, data in world.receive(*ALICE.cancel(invite)) if data.startswith(b"CANCEL"))
    world.receive(*CARRIER.answer(cancel, 200))
    world.receive(*CARRIER.answer(sent, 487))


def refused_call(world: World, number: int) -> None:
    invite = ALICE.invite(call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number)
    world.receive(*CARRIER.answer(world.receive(*invite)[1][1], 486))


def unanswered_request(world: World, number: int) -> None:
    world.receive(*ALICE.request(b"OPTIONS", call_id=b"%d@x" % number, branch=b"z9hG4bKo%d" % number))


def failed_over_call(world: World, number: int) -> None:
    invite = ALICE.invite(call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number)
    sent = world.receive(*invite)[1][1]
    _, (_, sent) = world.receive(*CARRIER.answer(sent, 503))
    world.receive(*CARRIER.answer(sent, 180))
    world.receive(*CARRIER.answer(sent, 200))


def silent_targets(world: World, number: int) -> None:
    world.receive(*ALICE.invite(call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number))


def located_call(world: World, number: int) -> None:
    invite = ALICE.invite(uri=b"sip:9000@192.0.2.1", call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number)
    world.receive(*invite)
    world.core.resume(world.lookups[-1][0], plain(["198.51.100.17", "198.51.100.18"]), world.now)
    world.receive(*CARRIER.answer(world.sent[-1][1], 486))


def over_streams(world: World, call: Callable[[World, int], None], number: int) -> None:
    """The same call between a phone on a WebSocket and a trunk on TCP."""
    world.flows[PHONE] = Flow("WSS", ("192.0.2.9", 443), PHONE, 7)
    world.flows[TRUNK] = Flow("TCP", PROXY, TRUNK, 8)
    call(world, number)


def call_over_streams(world: World, number: int) -> None:
    over_streams(world, whole_call, number)


def cancelled_over_streams(world: World, number: int) -> None:
    over_streams(world, cancelled_call, number)


def refused_over_streams(world: World, number: int) -> None:
    over_streams(world, refused_call, number)


def unanswered_over_streams(world: World, number: int) -> None:
    over_streams(world, unanswered_request, number)


def closed_over_streams(world: World, number: int) -> None:
    over_streams(world, silent_targets, number)
    world.core.closed(world.flows[TRUNK], world.now)


def undelivered_over_streams(world: World, number: int) -> None:
    """The trunk takes no connection, and the phone's is gone before it is told so."""
    over_streams(world, silent_targets, number)
    sent, flow = world.sent[-1][1], world.sent_over[-1]
    world.gone.add(7)
    world.core.undelivered(flow, sent, world.now)
    world.wait(1)
    world.gone.clear()


def too_large_for_udp(world: World, number: int) -> None:
    """Over TCP in vain, and then over UDP."""
    invite = ALICE.invite(
        call_id=b"%d@x" % number, branch=b"z9hG4bKi%d" % number, headers=(b"Subject: " + b"x" * 2000,)
    )
    world.receive(*invite)
    world.core.refused = RefusedConnections()
    world.core.undelivered(world.sent_over[-1], world.sent[-1][1], world.now)
    world.receive(*CARRIER.answer(world.sent[-1][1], 486))


STREAM_CALLS = [
    call_over_streams, cancelled_over_streams, refused_over_streams, unanswered_over_streams, closed_over_streams,
    undelivered_over_streams,
]  # fmt: skip
SEVERAL = [
    {
        "name": "carrier",
        "hosts": ["198.51.100.7", "198.51.100.17"],
        "networks": ["198.51.100.0/24"],
        "listener": "main",
    },
    {"name": "named", "hosts": ["sip.example", "198.51.100.9"], "networks": ["198.51.100.16/28"], "listener": "main"},
]


@pytest.mark.parametrize(
    "what",
    [
        whole_call,
        cancelled_call,
        refused_call,
        unanswered_request,
        failed_over_call,
        silent_targets,
        located_call,
        *STREAM_CALLS,
        too_large_for_udp,
    ],
)
def test_what_has_ended_is_freed_without_the_collector(what: object) -> None:
    """Five of each, then time for all timers: the collector finds nothing."""
    assert callable(what)
    world = World()
    if what in (failed_over_call, silent_targets, located_call):
        world = World(settings(trunks=SEVERAL, routes=[{"prefix": "9", "to": ["named"]}, {"to": ["carrier"]}]))
    if what in STREAM_CALLS:
        web = {"name": "web", "address": "192.0.2.9", "port": 443, "transport": "wss"}
        main = {**SETTINGS["listeners"][0], "transport": "tcp"}
        world = World(settings(listeners=[main, web], access={**SETTINGS["access"], "listener": "web"}))
    if what is too_large_for_udp:
        sibling = {**SETTINGS["listeners"][0], "name": "tcp", "transport": "tcp"}
        carrier, *others = SETTINGS["trunks"]
        shows = {**carrier, "privacy": {"content": "keep", "unknown": "keep"}}
        world = World(settings(listeners=[*SETTINGS["listeners"], sibling], trunks=[shows, *others]))
    what(world, 0)
    world.wait(300)
    gc.collect()
    for number in range(1, 6):
        what(world, number)
        world.sent.clear()
        world.sent_over.clear()
    world.wait(300)
    assert not world.core.servers
    assert not world.core.clients
    assert not len(world.core.wheel)
    assert not len(world.core.waiting)
    assert gc.collect() == 0


def test_a_forwarded_request_keeps_only_what_its_responses_need() -> None:
    """Twelve kilobytes a ringing call (issue 3)."""
    world = World()
    invite = ALICE.invite()
    world.receive(*invite)
    (server,) = world.core.servers.values()
    assert isinstance(server, ServerTransaction)
    assert server.context is not None
    kept = server.context.request
    assert (kept.lines, kept.raw, kept.body) == ([], b"", b"")
    assert kept.call_id == read(invite.data).call_id
