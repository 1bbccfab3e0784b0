"""On which line of the configuration a rule stands that a ruling names (filters/rulings.py)."""

from __future__ import annotations

import re

from config.lines import Path
from config.settings import Settings
from config.tomlfile import TomlFile

_KEY = re.compile(r"\b(?:privacy|access|core|trunks|rules)(?:\[\d+\])?(?:\.[A-Za-z0-9_-]+)+")


class RuleLines:
    """The keys of one configuration."""

    def __init__(self, settings: Settings, file: TomlFile) -> None:
        """Keep the file, and at which place of it each trunk and recorder stands."""
        self._file = file
        self._trunks = {trunk.name: place for place, trunk in enumerate(settings.trunks)}
        self._recorders = {recorder.name: place for place, recorder in enumerate(settings.recorders)}

    def __call__(self, rule: str) -> int | None:
        """Return the line; None for a rule that is not in the file: a built-in default, a subscriber's word, a wish."""
        found = _KEY.search(rule)
        return None if found is None else self._file.written(self._path(found[0]))

    def is_key(self, rule: str) -> bool:
        """Tell whether a rule is a key that the configuration may have, written or not."""
        return _KEY.search(rule) is not None

    def _path(self, key: str) -> Path:
        head, *rest = key.split(".")
        if head == "trunks" and rest[0] in self._recorders:
            return ("recorders", self._recorders[rest[0]])  # its contract is not written: it is what it is
        if head == "trunks":
            return ("trunks", self._trunks[rest[0]], *rest[1:])
        name, bracket, index = head.partition("[")
        return (name, int(index.rstrip("]")), *rest) if bracket else (name, *rest)
