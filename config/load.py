"""From a TOML file to Settings, or to the list of everything that is wrong with it.

`tomlfile` -> schema (`settings`, worded by `wording`) and cross-checks (`check_names`, `check_groups`,
`check_networks`, `check_hosts`, `check_policy`, `check_signing`, `check_transports`, `check_streams`,
`check_registrar`, `check_registration`, `check_authentication`, `check_numbering`, `check_guard`,
`check_recorders`; `check_certificates`, `check_tls` and `check_credentials` where that is asked for) side by side ->
each mistake gets its line.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from config import tomlfile
from config.advice import advice
from config.advice_policy import policy_advice
from config.check_authentication import authentication_mistakes
from config.check_certificates import certificate_advice, certificate_mistakes
from config.check_credentials import credential_mistakes
from config.check_groups import group_mistakes
from config.check_guard import guard_mistakes
from config.check_hosts import host_mistakes
from config.check_names import name_mistakes
from config.check_networks import network_mistakes
from config.check_numbering import numbering_mistakes
from config.check_policy import policy_mistakes
from config.check_prefixes import prefix_mistakes
from config.check_recorders import recorder_mistakes
from config.check_registrar import registrar_mistakes
from config.check_registration import registration_mistakes
from config.check_signing import signing_mistakes
from config.check_streams import stream_mistakes
from config.check_tls import tls_advice, tls_mistakes
from config.check_transports import transport_mistakes
from config.draft import EACH, Draft, texts
from config.problem import ConfigError, Mistake, Problem, key_text
from config.settings import Settings
from config.wording import mistake

__all__ = ["ConfigError", "Problem", "catalogue_files", "load", "warnings"]

_CHECKS = (
    name_mistakes, group_mistakes, network_mistakes, host_mistakes, policy_mistakes, prefix_mistakes, signing_mistakes,
    transport_mistakes, stream_mistakes, registrar_mistakes, authentication_mistakes, numbering_mistakes,
    guard_mistakes, registration_mistakes, recorder_mistakes,
)  # fmt: skip
_RIGHT = "give the path of a configuration file (config/example.toml is one)"


def load(path: Path, wall: float | None = None) -> Settings:
    """Read the configuration file at path; `state_dir` and `catalogue` come back as absolute paths.

    With wall (Unix seconds), the files of keys, certificates and passwords that it names are read, judged as of then.

    Raises:
        ConfigError: with every mistake in the file, in the order of its lines.
    """
    file = tomlfile.read(path, _RIGHT)
    settings, mistakes = _validated(file.data)
    for check in _CHECKS:
        mistakes += check(file.data)
    if wall is not None:
        mistakes += certificate_mistakes(file.data, path.parent, wall)
        mistakes += tls_mistakes(file.data, path.parent, wall)
        mistakes += credential_mistakes(file.data, path.parent)
    if settings is None or mistakes:
        raise ConfigError(file.placed(mistakes))
    absolute = {
        "state_dir": str((path.parent / settings.state_dir).resolve()),
        "catalogue": tuple(str(each) for each in _beside(path, settings.catalogue)),
    }
    return settings.model_copy(update=absolute)


def catalogue_files(path: Path) -> tuple[Path, ...]:
    """Return the catalogue files that the configuration file at path names, also where other things in it are wrong.

    Raises:
        ConfigError: if the file cannot be read.
    """
    named = texts(tomlfile.read(path, _RIGHT).data, "catalogue", EACH)
    return _beside(path, (text for _, text in named))


def warnings(settings: Settings, path: Path | None = None, wall: float | None = None) -> tuple[Problem, ...]:
    """Return what is legal and yet hardly meant; with the path that settings came from, also where.

    With wall (Unix seconds), so too for the files of keys and certificates.
    """
    found = list(advice(settings))
    if wall is not None:
        found += [*certificate_advice(settings, wall), *tls_advice(settings, wall)]
    if path is None:
        return tuple(Problem("configuration", 0, key_text(each.path), each.wrong, each.right) for each in found)
    file = tomlfile.read(path, _RIGHT)
    return file.placed((*found, *policy_advice(file.data)))


def _beside(path: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the files of these names; relative ones are looked for where the file at path is."""
    return tuple((path.parent / name).resolve() for name in names)


def _validated(draft: Draft) -> tuple[Settings | None, list[Mistake]]:
    """Hold the file against the schema, without conversions: "5060" is no port and "yes" no truth."""
    try:
        return Settings.model_validate(_frozen(draft), strict=True), []
    except ValidationError as error:
        found = [mistake(details) for details in error.errors(include_url=False)]
    return None, [each for each in found if not _follows(each, found)]


def _frozen(value: object) -> object:
    """Turn lists into the tuples that Settings are made of."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _follows(each: Mistake, found: list[Mistake]) -> bool:
    """Tell whether a mistake is but the shadow of another: pydantic calls an array empty when all in it is wrong."""
    depth = len(each.path)
    return any(other.path[:depth] == each.path and len(other.path) > depth for other in found)
