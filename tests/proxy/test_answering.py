"""Calls that want to be answered by nobody, as they reach phones and the core."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import world
from tests.agents import ALICE, CARRIER, PBX, PSAP, Agent, read
from tests.world import World

AUTO = [
    "Answer-Mode: Auto", "Priv-Answer-Mode: Auto;require", "answer-mode : auto", "Call-Info: <sip:x>;answer-after=0",
    "Call-Info: <sip:x>;purpose=icon, <sip:y>;Answer-After=1",
]  # fmt: skip
TO = {"access": b"sip:x@10.1.1.23:5062", "core": b"sip:8000@192.0.2.1"}


def index_of(caller: Agent, line: str, to: str = "access", *, trusted: bool = False) -> Mapping[bytes, object]:
    """Return the headers of the INVITE that arrives."""
    trunks = [{**trunk, "trusted": trusted} for trunk in world.SETTINGS["trunks"]]
    routes = [{"source": "trunk", "to": [to]}, {"source": "core", "to": ["access"]}]
    there = World(world.settings(trunks=trunks, routes=routes))
    sent = there.receive(*caller.invite(uri=TO[to], headers=(line.encode(),)))
    return read(next(data for _, data in sent if data.startswith(b"INVITE"))).index


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("to", TO)
@pytest.mark.parametrize("line", AUTO)
def test_no_phone_picks_up_because_a_trunk_says_so(line: str, to: str, trusted: bool) -> None:
    assert line.partition(":")[0].strip().lower().encode() not in index_of(CARRIER, line, to, trusted=trusted)


@pytest.mark.parametrize("line", AUTO[:2])
def test_the_core_may_ask_for_an_intercom(line: str) -> None:
    assert line.partition(":")[0].lower().encode() in index_of(PBX, line)


def test_what_else_is_told_of_the_caller_stays() -> None:
    """Where nothing hides it."""
    assert b"call-info" in index_of(CARRIER, "Call-Info: <sip:x>;purpose=icon", "core")


def test_a_call_back_after_an_emergency_call_is_complete() -> None:
    there = World(world.settings(routes=[{"source": "trunk", "to": ["access"]}]))
    lines = (b"Priority: psap-callback", b"Answer-Mode: Auto")
    sent = there.receive(*PSAP.invite(uri=TO["access"], headers=lines))
    assert [b"Answer-Mode: Auto" in data for address, data in sent if address == ALICE.address] == [True]
