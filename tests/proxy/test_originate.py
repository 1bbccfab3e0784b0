"""Requests of our own."""

from __future__ import annotations

from typing import Any

import pytest

from proxy import originate
from proxy.hop import Hop
from proxy.location import plain
from proxy.message import Message
from tests.agents import CARRIER, Agent, read
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.world import SETTINGS, World, settings

SPARE = Agent(("198.51.100.17", 5060), b"spare")


class Heard:
    """Collects what it is told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.responses: list[Message | None] = []

    def answered(self, status: int, response: Message | None, now: float) -> None:
        self.statuses.append(status)
        self.responses.append(response)


def hop(world: World) -> Hop:
    party = world.core.generation.network.party_of(CARRIER.address)
    assert party is not None
    return originate.hops_of(world.core, party)[0]


def asked(world: World | None = None, patience: float = 0.0) -> tuple[Ladder, Heard]:
    """A world that has asked the carrier for its OPTIONS."""
    ladder, heard = Ladder(world), Heard()
    what = originate.Ask(b"OPTIONS", b"sip:c.example", b"<sip:192.0.2.1>", b"<sip:c.example>", originate.fresh_id())
    before = len(ladder.world.sent)
    originate.ask(ladder.world.core, hop(ladder.world), what, heard, ladder.world.now, patience)
    ladder.left += ladder.world.sent[before:]
    return ladder, heard


def test_the_request_is_whole_and_says_nothing_of_anybody() -> None:
    ladder, heard = asked()
    ladder = ladder << Sent(CARRIER, b"OPTIONS") << Silence()
    sent = read(ladder[b"OPTIONS"])
    assert set(sent.names) == {
        b"via", b"max-forwards", b"from", b"to", b"call-id", b"cseq", b"content-length"
    }  # fmt: skip
    assert (sent.from_.uri, sent.to.uri, sent.from_tag != b"") == (b"sip:192.0.2.1", b"sip:c.example", True)
    assert heard.statuses == []


@pytest.mark.parametrize("status", [200, 404, 503])
def test_the_final_response_is_told_once(status: int) -> None:
    ladder, heard = asked()
    ladder = ladder << Sent(CARRIER, b"OPTIONS")
    answer = CARRIER.answer(ladder[b"OPTIONS"], status)
    assert ladder >> CARRIER.answer(ladder[b"OPTIONS"], 100) >> answer >> answer << Silence()
    assert heard.statuses == [status]
    assert ladder >> Wait(40) << Silence()
    assert heard.statuses == [status]


def test_only_who_was_asked_may_answer() -> None:
    ladder, heard = asked()
    ladder = ladder << Sent(CARRIER, b"OPTIONS")
    other = Agent(("198.51.100.8", 5060), b"second")
    assert ladder >> other.answer(ladder[b"OPTIONS"], 200) << Silence()
    assert heard.statuses == []


def test_silence_is_408() -> None:
    """After timer F, or as soon as patience ends."""
    for patience, before, after in ((0.0, 31.5, 1.0), (4.0, 3.9, 0.2)):
        ladder, heard = asked(patience=patience)
        ladder = ladder >> Wait(before)
        assert heard.statuses == []
        ladder = ladder >> Wait(after)
        assert (heard.statuses, heard.responses) == ([408], [None])
        assert not ladder.world.core.clients


def test_patience_that_an_answer_overtakes_says_nothing() -> None:
    ladder, heard = asked(patience=4.0)
    ladder = ladder << Sent(CARRIER, b"OPTIONS")
    assert ladder >> CARRIER.answer(ladder[b"OPTIONS"], 200) >> Wait(10) << Silence()
    assert heard.statuses == [200]


def test_no_way_there_is_503_and_never_within_the_call() -> None:
    world = World()
    world.refuse_send.add(CARRIER.address)
    ladder, heard = asked(world)
    assert heard.statuses == []
    assert ladder >> Wait(0.2) << Silence()
    assert heard.statuses == [503]


def named(**changes: Any) -> World:
    trunk = {**SETTINGS["trunks"][0], "hosts": ["gw.carrier.example"], "networks": ["198.51.100.16/28"]}
    return World(settings(trunks=[trunk], routes=[], **changes))


def named_hop(world: World) -> Hop:
    party = world.core.generation.network.party_of(SPARE.address)
    assert party is not None
    return originate.hops_of(world.core, party)[0]


def test_a_name_is_located_before() -> None:
    """What it leads to outside the trunk's networks does not count."""
    world, found = named(), []
    originate.locate(world.core, named_hop(world), lambda hops, now: found.append((hops, now)), world.now)
    assert found == []
    ticket, host, port = world.lookups[0]
    assert (host, port) == ("gw.carrier.example", 0)
    world.core.resume(ticket, plain(["203.0.113.9", SPARE.address[0]]), world.now + 1)
    assert [[(each.host, each.port) for each in hops] for hops, _ in found] == [[SPARE.address]]


def test_a_listed_name_and_an_address_are_known_at_once() -> None:
    world, found = named(hosts=[{"name": "gw.carrier.example", "addresses": [SPARE.address[0]]}]), []
    originate.locate(world.core, named_hop(world), lambda hops, now: found.append(hops), world.now)
    plain_world = World()
    originate.locate(plain_world.core, hop(plain_world), lambda hops, now: found.append(hops), world.now)
    assert [[(each.host, each.port) for each in hops] for hops in found] == [[SPARE.address], [CARRIER.address]]
    assert world.lookups == []


def test_a_trunk_behind_tls_is_asked_over_tls() -> None:
    listeners = [*SETTINGS["listeners"], {"name": "secure", "address": "192.0.2.1", "port": 5061, "transport": "tls"}]
    carrier, *others = SETTINGS["trunks"]
    trunks = [{**carrier, "listener": "secure", "tls_name": "carrier.example"}, *others]
    ladder, _ = asked(World(settings(listeners=listeners, trunks=trunks)))
    [(_, data)], [flow] = ladder.left, ladder.world.sent_over
    assert (flow.transport, flow.local, flow.identity) == ("TLS", ("192.0.2.1", 5061), ("carrier.example",))
    assert data.split(b"\r\n")[1].startswith(b"Via: SIP/2.0/TLS ")
