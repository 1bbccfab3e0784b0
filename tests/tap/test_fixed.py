"""What a reload cannot change is told key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.problem import key_text
from tap.fixed import FIXED, fixed_changes
from tests.tap.fakes import CONFIG, settings_of


def told(folder: Path, text: str) -> list[str]:
    """Return what is said of a change from CONFIG to text."""
    found = fixed_changes(settings_of(folder), settings_of(folder, text))
    assert all(mistake.path[0] in FIXED for mistake in found)
    return [f"{key_text(mistake.path)}: {mistake.wrong}" for mistake in found]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("port = 0", "port = 5070"), "listeners[0].port: changed from 0 to 5070"),
        (("[metrics]\nport = 0", "[metrics]\nport = 9000"), "metrics.port: changed from 0 to 9000"),
        (("[[listeners]]", "workers = 3\n[[listeners]]"), "workers: changed from 1 to 3"),
        (("[metrics]", '[log]\nlevel = "debug"\n[metrics]'), 'log.level: changed from "info" to "debug"'),
        (("[metrics]", "[subscribers]\n[metrics]"), "subscribers: changed from nothing to a table"),
        (
            ("[access]", '[[listeners]]\nname = "more"\naddress = "127.0.0.1"\n[access]'),
            "listeners: changed from 1 of them to 2 of them",
        ),
    ],
)
def test_what_hangs_on_sockets_processes_and_files(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    """Each key by itself, with both values."""
    (line,) = told(tmp_path, CONFIG.replace(*change, 1))
    assert line == said + ", which a reload cannot do"


_REGISTRAR = '[registrar]\ndomains = ["example.net"]\nunauthenticated = true\n[metrics]'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[registrar]", "[registrar]\nstore = 'r.db'"), 'registrar.store: changed from "registrations.db" to "r.db"'),
        ((_REGISTRAR, "[metrics]"), "registrar: changed from a table to nothing"),
    ],
)
def test_of_the_registrar_what_hangs_on_its_file(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    running = CONFIG.replace("[metrics]", _REGISTRAR, 1)
    assert change[0] in running
    (mistake,) = fixed_changes(settings_of(tmp_path, running), settings_of(tmp_path, running.replace(*change, 1)))
    assert f"{key_text(mistake.path)}: {mistake.wrong}" == said + ", which a reload cannot do"


def test_whose_registrar_it_is_holds(tmp_path: Path) -> None:
    running = settings_of(tmp_path, CONFIG.replace("[metrics]", _REGISTRAR, 1))
    assert running.registrar is not None
    other = running.model_copy(update={"registrar": running.registrar.model_copy(update={"mode": "forward"})})
    assert [key_text(each.path) for each in fixed_changes(running, other)] == ["registrar.mode"]


@pytest.mark.parametrize(
    "change",
    [
        ('"example.net"', '"example.net", "example.org"'),
        ("[registrar]", "[registrar]\nminimum_expires = 30"),
        ("[registrar]", "[registrar]\naccount_bindings = 3\nflow_timer = 60\nring = 5"),
    ],
)
def test_all_else_of_the_registrar_can_be_reloaded(tmp_path: Path, change: tuple[str, str]) -> None:
    running = CONFIG.replace("[metrics]", _REGISTRAR, 1)
    assert change[0] in running
    changed = running.replace(*change, 1)
    assert fixed_changes(settings_of(tmp_path, running), settings_of(tmp_path, changed)) == []


def test_the_state_folder_too(tmp_path: Path) -> None:
    """It has the keys, and the socket that was asked."""
    (line,) = told(tmp_path, 'state_dir = "other"\n' + CONFIG)
    assert line.startswith("state_dir: changed from ")


@pytest.mark.parametrize(
    "change",
    [
        ("5080", "5081"),
        ("carrier", "other"),
        ("numbers = []", 'numbers = ["112"]'),
        ("[metrics]", "[limits]\nparked = 5\n[metrics]"),
        ("[metrics]", '[privacy.floor]\nnumber = "anonymise"\n[metrics]'),
    ],
)
def test_all_else_can_be_reloaded(tmp_path: Path, change: tuple[str, str]) -> None:
    """Trunks, routes, policy, limits."""
    assert told(tmp_path, CONFIG.replace(*change)) == []
