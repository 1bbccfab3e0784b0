"""Configuration and catalogue files are read together, and their mistakes are said together."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import ConfigError
from filters.engine import build
from tap.configuration import read
from tests.tap.fakes import CONFIG


def configured(folder: Path, text: str, catalogue: str | None) -> Path:
    """Write a configuration that names own.toml, and own.toml unless it shall be absent."""
    if catalogue is not None:
        (folder / "own.toml").write_text(catalogue)
    path = folder / "sipveil.toml"
    path.write_text(f'catalogue = ["own.toml"]\n{text}')
    return path


def test_an_operators_file_holds(tmp_path: Path) -> None:
    """Relative to the configuration file, wherever Sipveil is started from."""
    path = configured(
        tmp_path, CONFIG, '[headers]\nx-ticket = {category = "function", form = "value", grammar = "digits"}'
    )
    settings, found = read(path)
    assert [problem for problem in found if "own.toml" in problem.file] == []
    assert settings.catalogue == (str(tmp_path / "own.toml"),)
    assert build(settings)._catalogue.entry(b"x-ticket").form


def test_what_it_opens_is_a_warning(tmp_path: Path) -> None:
    path = configured(tmp_path, CONFIG, '[headers]\nserver = {category = "unknown", weaken = true}')
    _, found = read(path)
    [warning] = [problem for problem in found if "own.toml" in problem.file]
    assert str(warning).startswith(f"{tmp_path}/own.toml:2: headers.server: is unknown and weakens server of ours, ")


def test_all_mistakes_of_all_files(tmp_path: Path) -> None:
    """Those of the configuration first; neither file hides the other's."""
    path = configured(tmp_path, CONFIG.replace("port = 0", 'port = "x"', 1), "[headers]\nx-a = 1\nx-b = 2\n")
    with pytest.raises(ConfigError) as caught:
        read(path)
    places = [f"{Path(each.file).name}:{each.line}" for each in caught.value.problems]
    assert places == ["sipveil.toml:5", "own.toml:2", "own.toml:3"]


@pytest.mark.parametrize("text", [None, "[headers"])
def test_a_catalogue_that_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    path = configured(tmp_path, CONFIG, text)
    with pytest.raises(ConfigError, match=r"own\.toml"):
        read(path)


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    """Said once."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "absent.toml")
    assert len(caught.value.problems) == 1
