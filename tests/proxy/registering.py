"""A world that registers at its carrier, and what the carrier says to that: for tests of the core."""

from __future__ import annotations

from typing import Any

from tests.agents import CARRIER, Packet, read
from tests.ladder import Ladder, Sent, Wait
from tests.passwords import ACCOUNTS, CREDENTIALS
from tests.world import SETTINGS, World, settings

REGISTRATION = {"user": "+15550100", "domain": "carrier.example"}
AOR = b"sip:+15550100@carrier.example"


def world(section: dict[str, Any] | None = None, carrier: dict[str, Any] | None = None, **changes: Any) -> World:
    """A world that is about to register; `section` and `carrier` change those further."""
    first = SETTINGS["trunks"][0] | {"registration": {**REGISTRATION, **(section or {})}} | (carrier or {})
    return World(settings(**{"trunks": [first, *SETTINGS["trunks"][1:]], **changes}), passwords=ACCOUNTS)


def with_password(**section: Any) -> World:
    return world(section, {"credentials": CREDENTIALS})


def asked(there: World | None = None) -> Ladder:
    """A ladder on which the first REGISTER has been sent."""
    ladder = Ladder(there or world()) >> Wait(0.05) << Sent(CARRIER, b"REGISTER")
    assert read(ladder[b"REGISTER"]).to.uri == AOR
    return ladder


def contact(request: bytes) -> bytes:
    """Return the Contact of a REGISTER."""
    return read(request).items(b"contact")[0]


def ok(request: bytes, expires: int | None = 600, *headers: bytes, agent: Any = CARRIER) -> Packet:
    """Return the 200 that a registrar gives, with its own time."""
    there = contact(request).partition(b";expires=")[0]
    if expires is not None:
        there += b";expires=%d" % expires
    return agent.answer(request, 200, contact=there, headers=headers)  # type: ignore[no-any-return]


def registered(there: World | None = None, expires: int = 600, *headers: bytes) -> Ladder:
    """A ladder on which the carrier has said yes."""
    ladder = asked(there)
    ladder = ladder >> ok(ladder[b"REGISTER"], expires, *headers)
    assert ladder.world.core.registrations.is_up("carrier")
    return ladder


def next_register(ladder: Ladder, within: float) -> bytes | None:
    """Let time pass until another REGISTER leaves, or is over; the others are left out."""
    end = ladder.world.now + within
    while ladder.world.now < end:
        for _, data in ladder.world.wait(0.5):
            if data.startswith(b"REGISTER"):
                return data
    return None
