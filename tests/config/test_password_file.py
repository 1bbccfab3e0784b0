"""Password files: whose they are, and what may be in them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from config.password_file import MAX_PASSWORD, Password, PasswordFileError, load, read
from tests.world import SETTINGS, settings


def write(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "carrier.password"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_line_is_the_password(tmp_path: Path, end: bytes) -> None:
    assert read(write(tmp_path, b" two words \xc3\xa4" + end)).value == b" two words \xc3\xa4"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_one_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(PasswordFileError, match="others may access it"):
        read(write(tmp_path, b"canary", mode))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"canary\nmore", b"canary\n\n", b"canary\x00", b"c" * (MAX_PASSWORD + 1)]
)
def test_what_is_no_password(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PasswordFileError, match=r"carrier\.password: .*; .*chmod 600") as caught:
        read(write(tmp_path, content))
    assert "canary" not in str(caught.value)


def test_one_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PasswordFileError, match="there is no password file; write"):
        read(tmp_path / "nothing")


def test_each_trunk_that_asks_has_its_own(tmp_path: Path) -> None:
    write(tmp_path, b"one")
    section = {"user": "u", "password_file": "carrier.password"}
    trunks = [{**SETTINGS["trunks"][0], "credentials": section}, *SETTINGS["trunks"][1:]]
    assert load(settings(trunks=trunks, state_dir=str(tmp_path))) == {"carrier": Password(b"one")}
    assert load(settings(state_dir=str(tmp_path))) == {}


def test_it_shows_nowhere_and_goes_to_workers() -> None:
    password = Password(b"canary")
    assert "canary" not in f"{password} {password!r} {[password]} {hash(password)}"
    assert pickle.loads(pickle.dumps(password)) == password
    assert password != Password(b"other")
