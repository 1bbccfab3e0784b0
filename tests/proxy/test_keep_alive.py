"""Datagrams that only keep a flow open: who is answered, and what gets silence."""

from __future__ import annotations

import pytest

from tests.phones import registrar_world
from tests.proxy.test_stun import PLAIN
from tests.world import CORE, PHONE, STRANGER, TRUNK, World


@pytest.fixture
def world() -> World:
    return registrar_world()


def test_a_phone_is_told(world: World) -> None:
    ((peer, data),) = world.receive(PHONE, PLAIN)
    assert (peer, data[:2]) == (PHONE, b"\x01\x01")
    assert world.count("stun", "answered") == 1


@pytest.mark.parametrize("source", [TRUNK, CORE, STRANGER])
def test_nobody_else_is(world: World, source: tuple[str, int]) -> None:
    assert world.receive(source, PLAIN) == []
    assert world.count("stun", "ignored") == 1


def test_without_a_registrar_nobody_is() -> None:
    assert World().receive(PHONE, PLAIN) == []


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"\0" * 40, b""])
def test_blanks_stay_unanswered(world: World, data: bytes) -> None:
    """CRLF is no keep-alive over UDP (RFC 5626 §5.4)."""
    assert world.receive(PHONE, data) == []
    assert world.count("dropped", "keepalive") == 1


def test_what_only_begins_like_it_goes_on_to_the_parser(world: World) -> None:
    assert world.receive(PHONE, b"\r\nINVITE nonsense") == []
    assert world.count("stun", "ignored") == 0
