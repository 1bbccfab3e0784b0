"""The files that a configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.check_files import file_mistake, state_folder
from config.problem import Mistake
from config.statefile import StateFileError

FOLDER = Path("/etc/sipveil")


@pytest.mark.parametrize(
    ("draft", "folder"),
    [
        ({"state_dir": "keys"}, FOLDER / "keys"),
        ({"state_dir": "/var/lib/sipveil"}, Path("/var/lib/sipveil")),
        ({}, FOLDER / "state"),
        ({"state_dir": 7}, FOLDER),
    ],
    ids=["relative", "absolute", "default", "of the wrong type"],
)
def test_where_they_are(draft: dict[str, object], folder: Path) -> None:
    """Beside the configuration; a mistake of the schema is told elsewhere."""
    assert state_folder(draft, FOLDER) == folder


@pytest.mark.parametrize(
    ("text", "right"), [("a.pem: none; put one there", "put one there"), ("a.pem: none", "docs/configuration.md")]
)
def test_what_is_wrong_and_what_would_be_right(text: str, right: str) -> None:
    """In two parts, the second never empty."""
    found = file_mistake(("signing", "key"), StateFileError(text))
    assert found == Mistake(("signing", "key"), "a.pem: none", found.right)
    assert right in found.right
