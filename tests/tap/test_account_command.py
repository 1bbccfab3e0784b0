"""`sipveil account`: passwords come in and never out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.account import Account, secret_of
from config.store.account_book import AccountBook
from tap import account_command as module
from tap.account_command import account
from tests.tap.fakes import CONFIG
from tests.tap.processes import BIN, running
from tests.tap.test_subscriber_command import metrics

R = "sip.example.net"
SECTIONS = f'\n[subscribers]\n\n[authentication]\nrealm = "{R}"\n'
PASSWORD = "correct horse"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sipveil.toml"
    path.write_text(CONFIG + SECTIONS)
    return path


def call(config: Path, command: str, *arguments: str | Path, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(account, [command, "--config", str(config), *map(str, arguments)], input=stdin)
    assert PASSWORD not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def find(config: Path, name: str, realm: str = R) -> Account | None:
    return AccountBook(config.parent / "state" / "subscribers.db").find(realm, name)


def test_an_accounts_life(config: Path) -> None:
    assert call(config, "add", "alice", "--password-file", "-", stdin=PASSWORD + "\n").output == "added\n"
    expected = Account("alice", R, secret_of("alice", R, PASSWORD), (f"alice@{R}",))
    assert find(config, "alice") == expected
    assert "use `set`" in call(config, "add", "alice", "--password-file", "-", stdin="x\n").output
    assert call(config, "set", "alice", "--disabled", "--address", "a@b", "--address", "+15550123").output == "set\n"
    assert find(config, "alice") == Account("alice", R, expected.secret, ("a@b", "+15550123"), disabled=True)
    assert call(config, "set", "alice", "--enabled").output == "set\n"
    listed = call(config, "list").output
    assert "a@b +15550123" in listed
    assert "yes" not in listed
    assert "SHA-512-256" not in listed
    assert call(config, "remove", "alice").output == "removed\n"
    assert "no such account" in call(config, "remove", "alice").output
    assert "use `add`" in call(config, "set", "alice", "--enabled").output


def test_a_password_from_a_file(config: Path) -> None:
    (config.parent / "pw").write_text(PASSWORD + "\r\nsecond line\n")
    assert call(config, "add", "alice", "--password-file", config.parent / "pw").output == "added\n"
    found = find(config, "alice")
    assert found is not None
    assert found.secret == secret_of("alice", R, PASSWORD)
    assert "cannot be read" in call(config, "set", "alice", "--password-file", config.parent / "none").output


def test_a_password_from_a_prompt(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked twice, shown never; and where nobody can be asked, that is said."""
    assert "nobody is there to be asked" in call(config, "add", "alice").output
    monkeypatch.setattr(module, "_is_anybody_there", lambda: True)
    assert call(config, "add", "alice", stdin=f"{PASSWORD}\nother\n{PASSWORD}\n{PASSWORD}\n").output.endswith("added\n")
    found = find(config, "alice")
    assert found is not None
    assert found.secret == secret_of("alice", R, PASSWORD)
    assert call(config, "set", "alice", "--password", stdin="new\nnew\n").output.endswith("set\n")
    found = find(config, "alice")
    assert found is not None
    assert found.secret == secret_of("alice", R, "new")


def test_no_password_on_the_command_line(config: Path) -> None:
    assert call(config, "add", "alice", "--password", PASSWORD).exit_code == 2
    assert call(config, "add", "alice", PASSWORD).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "al:ice", "--password-file", "-"),
        ("add", "x y", "--password-file", "-"),
        ("add", "alice", "--address", "nobody", "--password-file", "-"),
        ("add", "alice", "--realm", 'r"\r\nX: y', "--password-file", "-"),
        ("set", "alice"),
    ],
)
def test_mistakes(config: Path, arguments: tuple[str, ...]) -> None:
    assert call(config, *arguments, stdin="pw\n").exit_code in (1, 2)
    assert find_or_none(config) is None


def find_or_none(config: Path) -> Account | None:
    return find(config, "alice") if (config.parent / "state" / "subscribers.db").exists() else None


def test_another_realm(config: Path) -> None:
    assert call(config, "add", "alice", "--realm", "other", "--password-file", "-", stdin="x\n").output == "added\n"
    assert find(config, "alice") is None
    assert find(config, "alice", "other") is not None


def test_without_the_section(config: Path) -> None:
    config.write_text(CONFIG + "\n[subscribers]\n")
    assert "no section [authentication]" in call(config, "list").output


def test_import(config: Path) -> None:
    """All or none; what is wrong is told by line."""
    rows = "username,password,addresses\n" + "".join(f"u{number},{PASSWORD},\n" for number in range(3))
    file = config.parent / "phones.csv"
    file.write_text(rows)
    assert call(config, "import", file, "--dry-run").output == "would be added: 3, changed: 0, as they were: 0\n"
    assert call(config, "import", file).output == "added: 3, changed: 0, as they were: 0\n"
    assert call(config, "import", "-", stdin="username,disabled\nu1,yes\nu2,\n").output == (
        "added: 0, changed: 1, as they were: 1\n"
    )
    assert call(config, "import", file, "--dry-run").output == "would be added: 0, changed: 0, as they were: 3\n"
    file.write_text(rows + f"x:y,{PASSWORD},\n")
    output = call(config, "import", file).output
    assert f"{file}:5: the username has" in output
    assert "nothing was imported" in output
    assert "a new account needs a password" in call(config, "import", "-", stdin="username\nnew\n").output
    file.write_bytes(b"\xff")
    assert "no UTF-8" in call(config, "import", file).output


def test_a_list_has_pages(config: Path) -> None:
    call(config, "import", "-", stdin="username,password\n" + "".join(f"u{n},x\n" for n in range(3)))
    first = call(config, "list", "--limit", "2").output
    assert "there may be more: --after u1" in first
    assert "u2" in call(config, "list", "--after", "u1").output


@pytest.mark.parametrize("workers", [1, 2])
def test_a_running_sipveil_knows_at_once(config: Path, workers: int) -> None:
    """Without restart, in every process; and its log has no names."""
    config.write_text(f"workers = {workers}\n" + CONFIG + "\n[subscribers]\npoll = 0.05\n" + SECTIONS[15:])
    call(config, "add", "alice", "--password-file", "-", stdin=PASSWORD)
    with running(BIN / "sipveil", "run", str(config), cwd=config.parent) as process:
        page = process.wait_for(r"metrics http (\S+)")[1]
        process.wait_for("sipveil is ready")
        call(config, "add", "bob", "--password-file", "-", stdin=PASSWORD)
        until = time.monotonic() + 10
        while "sipveil_accounts 2.0\n" not in metrics(page):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.end()
    assert not any(name in line for line in process.lines for name in ("alice", "bob", "example.net"))
