"""What is made once for all workers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from filters.engine import Engine
from tap import equipment as equipment_module
from tap.equipment import Equipment
from tap.shell import StartError
from tap.state import key_ring_path, subscriber_store_path
from tests.config.store.people import two
from tests.tap.fakes import CONFIG, settings_of

PAIR = "workers = 2\n" + CONFIG


def test_each_worker_has_its_socket_of_each_listener(tmp_path: Path) -> None:
    """On one port, which the settings know then."""
    equipment = Equipment(settings_of(tmp_path, PAIR))
    equipment.open()
    port = equipment.settings.listeners[0].port
    assert [sock.getsockname() for worker in range(2) for sock in equipment.sockets(worker)] == 2 * [
        ("127.0.0.1", port)
    ]
    equipment.close()
    equipment.close()


@pytest.mark.parametrize("reach", [1500, 0])
def test_every_listener_is_steered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reach: int) -> None:
    """And what is said of it is true of all of them."""
    reaches = [1500, reach]
    monkeypatch.setattr(equipment_module, "steer", lambda _group: reaches.pop())
    second = '[[listeners]]\nname = "second"\naddress = "127.0.0.1"\nport = 0\n\n'
    equipment = Equipment(settings_of(tmp_path, PAIR.replace("[access]", second + "[access]", 1)))
    equipment.open()
    assert equipment.steered == reach
    assert reaches == []
    equipment.close()


def test_state_and_ways_are_made(tmp_path: Path) -> None:
    """The key ring by the supervisor alone, an inbox for each worker."""
    equipment = Equipment(settings_of(tmp_path, PAIR))
    equipment.open()
    equipment.prepare(1_790_000_000.0)
    assert key_ring_path(equipment.settings).exists()
    assert equipment.state.ring.current
    assert len(equipment.inboxes) == 2
    equipment.close()


def test_all_or_none(tmp_path: Path) -> None:
    """A port in use is a sentence, and nothing stays open."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    second = f'[[listeners]]\nname = "second"\naddress = "127.0.0.1"\nport = {port}\n\n'
    equipment = Equipment(settings_of(tmp_path, PAIR.replace("[access]", second + "[access]", 1)))
    with pytest.raises(StartError, match=f"cannot open udp 127.0.0.1:{port}: Address already in use"):
        equipment.open()
    assert equipment.inboxes == []
    taken.close()


def test_a_key_ring_that_others_may_read_is_a_sentence(tmp_path: Path) -> None:
    """Said once, by the supervisor."""
    equipment = Equipment(settings_of(tmp_path, PAIR))
    equipment.prepare(1_790_000_000.0)
    equipment.close()
    key_ring_path(equipment.settings).chmod(0o644)
    with pytest.raises(StartError, match=r"keys\.json"):
        Equipment(equipment.settings).prepare(1_790_000_000.0)


def test_subscribers_are_read_once_for_all_workers(tmp_path: Path) -> None:
    """Before the fork, and the policy asks what the watch keeps up to date."""
    equipment = Equipment(settings_of(tmp_path, PAIR + "\n[subscribers]\n"))
    two(subscriber_store_path(equipment.settings))
    equipment.prepare(1_790_000_000.0)
    assert len(equipment.subscribers) == 2
    assert isinstance(equipment.privacy, Engine)
    assert equipment.privacy.subscribers is equipment.subscribers
    equipment.close()
