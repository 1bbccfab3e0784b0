"""A configuration with everything that belongs to it: the file itself, and the operator's catalogue files it names."""

from __future__ import annotations

from pathlib import Path

from config.load import ConfigError, Problem, catalogue_files, load, warnings
from config.settings import Settings
from filters.catalogue import PACKAGED, CatalogueError, load_catalogue


def read(path: Path) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings at path, and what is legal in all files and yet hardly meant.

    Raises:
        ConfigError: with every mistake in the configuration and in the catalogue files, in this order.
    """
    problems: tuple[Problem, ...] = ()
    settings = None
    try:
        settings = load(path)
    except ConfigError as error:
        problems = error.problems
    try:
        catalogue = load_catalogue(PACKAGED, *catalogue_files(path))
    except CatalogueError as error:
        problems += error.problems
    except ConfigError:
        pass  # the configuration cannot be read, which `load` has said
    if settings is None or problems:
        raise ConfigError(problems)
    return settings, (*warnings(settings, path), *catalogue.warnings)
