"""A configuration with everything that belongs to it: the file itself, and the operator's catalogue files it names."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from config.load import ConfigError, Problem, catalogue_files, load, warnings
from config.settings import Settings
from filters.catalogue import PACKAGED, Catalogue, CatalogueError, load_catalogue


class Configuration(NamedTuple):
    """All that files say."""

    settings: Settings
    catalogue: Catalogue
    warnings: tuple[Problem, ...]


def read(path: Path, wall: float | None = None) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings at path, and what is legal in all files and yet hardly meant.

    With wall (Unix seconds), keys and certificates are read too, and judged as of then; a start does so by itself, and
    does without what no longer holds.

    Raises:
        ConfigError: with every mistake in the configuration and in the catalogue files, in this order.
    """
    found = read_all(path, wall)
    return found.settings, found.warnings


def read_all(path: Path, wall: float | None = None) -> Configuration:
    """Return the same with the catalogue.

    Raises:
        ConfigError: as `read`.
    """
    problems: tuple[Problem, ...] = ()
    settings = catalogue = None
    try:
        settings = load(path, wall)
    except ConfigError as error:
        problems = error.problems
    try:
        catalogue = load_catalogue(PACKAGED, *catalogue_files(path))
    except CatalogueError as error:
        problems += error.problems
    except ConfigError:
        pass  # the configuration cannot be read, which `load` has said
    if settings is None or catalogue is None:
        raise ConfigError(problems)
    return Configuration(settings, catalogue, (*warnings(settings, path, wall), *catalogue.warnings))
