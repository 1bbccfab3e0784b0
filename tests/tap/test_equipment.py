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
from tests.tls import TlsAuthority

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


REGISTRAR = '[registrar]\ndomains = ["example.net"]\nunauthenticated = true\n'


def test_each_worker_listens_for_connections(tmp_path: Path) -> None:
    """Beside datagrams, which alone are steered; a port that is taken is a sentence, by its transport."""
    second = '[[listeners]]\nname = "second"\naddress = "127.0.0.1"\nport = 0\ntransport = "tcp"\n\n'
    text = PAIR.replace("[access]", second + "[access]", 1)
    equipment = Equipment(settings_of(tmp_path, text))
    equipment.open()
    port = equipment.settings.listeners[1].port
    assert [equipment.sockets(worker)[1].getsockname() for worker in range(2)] == [("127.0.0.1", port)] * 2
    other = Equipment(settings_of(tmp_path, text.replace("port = 0\ntransport", f"port = {port}\ntransport")))
    with pytest.raises(StartError, match=f"cannot open tcp 127.0.0.1:{port}"):
        other.open()
    equipment.close()


def test_certificates_are_read_before_privileges_are_dropped(tmp_path: Path) -> None:
    """Once for all workers; one that is missing is a sentence, and nothing stays open."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    second = (
        '[[listeners]]\nname = "second"\naddress = "127.0.0.1"\nport = 0\ntransport = "tls"\n'
        'certificates = ["own.pem"]\nkeys = ["own.key"]\n\n'
    )
    settings = settings_of(tmp_path, PAIR.replace("[access]", second + "[access]", 1))
    equipment = Equipment(settings)
    with pytest.raises(StartError, match=r"own\.pem"):
        equipment.open()
    assert equipment._groups == []
    TlsAuthority(state).issue("own", dns=["sip.example.net"])
    equipment = Equipment(settings)
    equipment.open()
    assert list(equipment.tls) == ["second"]
    equipment.close()


def test_feeds_are_for_a_registrar_of_our_own(tmp_path: Path) -> None:
    """Nobody else pays for them."""
    for text, count in ((PAIR, 0), (PAIR + REGISTRAR, 2)):
        equipment = Equipment(settings_of(tmp_path, text))
        equipment.prepare(1_790_000_000.0)
        assert len(equipment.feeds) == count
        equipment.nodes[1] = 65_535
        assert list(equipment.nodes) == [0, 65_535]
        equipment.close()
        assert equipment.feeds == []
