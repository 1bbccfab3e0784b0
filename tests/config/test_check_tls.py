"""Files of TLS listeners, as `sipveil check` and a reload judge them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.check_tls import tls_advice, tls_mistakes
from config.load import ConfigError, load, warnings
from config.problem import key_text
from tests.tls import TlsAuthority

FILE = """
[[listeners]]
name = "a"
address = "127.0.0.1"
[[listeners]]
name = "tls"
address = "127.0.0.1"
transport = "tls"
certificates = ["a.pem", "b.pem"]
keys = ["a.key", "b.key"]
client_ca = "Test-authority.pem"
"""


@pytest.fixture
def authority(tmp_path: Path) -> TlsAuthority:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    made = TlsAuthority(state)
    made.issue("a", dns=["a.example"])
    made.issue("b", dns=["b.example"])
    (tmp_path / "sipveil.toml").write_text(FILE)
    return made


def mistakes(authority: TlsAuthority) -> list[tuple[int, str, str]]:
    """Line, key and what is wrong of each mistake; paths shortened."""
    folder = authority.folder.parent
    try:
        load(folder / "sipveil.toml", authority.wall)
    except ConfigError as error:
        return [(each.line, each.key, each.wrong.replace(f"{folder}/state/", "")) for each in error.problems]
    return []


def test_all_is_well(authority: TlsAuthority, tmp_path: Path) -> None:
    assert mistakes(authority) == []
    assert not [each for each in warnings(load(tmp_path / "sipveil.toml"), None, authority.wall) if "tls" in each.key]


def test_every_file_is_looked_at(authority: TlsAuthority, tmp_path: Path) -> None:
    """One mistake hides no other, and each has the line of its key."""
    (authority.folder / "a.pem").unlink()
    (authority.folder / "b.key").chmod(0o644)
    authority.file.write_text("none")
    assert mistakes(authority) == [
        (9, "listeners[1].certificates[0]", "a.pem: cannot be read: No such file or directory"),
        (9, "listeners[1].certificates[1]", "b.key: others may access it (mode 0644)"),
        (11, "listeners[1].client_ca", "Test-authority.pem: no certificates in PEM"),
    ]


@pytest.mark.parametrize(("start", "days"), [(-9, -1), (1, 9)])
def test_what_does_not_hold_today_is_a_mistake(authority: TlsAuthority, tmp_path: Path, start: int, days: int) -> None:
    """Here and at a reload; a start goes on with it, since most calls may not need it."""
    authority.issue("b", dns=["b.example"], start=start, days=days)
    ((_, key, wrong),) = mistakes(authority)
    assert key == "listeners[1].certificates[1]"
    assert "b.pem: it holds from" in wrong
    assert load(tmp_path / "sipveil.toml").listeners[1].transport == "tls"


def test_what_ends_soon_is_advice(authority: TlsAuthority, tmp_path: Path) -> None:
    authority.issue("b", dns=["b.example"], days=10)
    settings = load(tmp_path / "sipveil.toml", authority.wall)
    (advice,) = tls_advice(settings, authority.wall)
    assert key_text(advice.path) == "listeners[1].certificates[1]"
    assert advice.right == "renew it"
    (told,) = [
        each for each in warnings(settings, tmp_path / "sipveil.toml", authority.wall) if "certificates" in each.key
    ]
    assert told.line == 9


@pytest.mark.parametrize(
    "draft", [{}, {"listeners": [{"transport": "tls", "certificates": 7}]}, {"state_dir": 7, "listeners": [7]}]
)
def test_what_the_schema_refuses_is_passed_over(draft: dict[str, object], tmp_path: Path) -> None:
    assert list(tls_mistakes(draft, tmp_path, 0)) == []
