"""The version."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tap.version import version


def test_is_that_of_the_project_file() -> None:
    """pyproject.toml says it, and nothing else."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert version() == project["project"]["version"]
