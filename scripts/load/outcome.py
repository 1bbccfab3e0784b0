"""What a run has shown, whatever was played: how it is told, and what it means for the exit status."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from scripts.load import layout
from scripts.load.looks import Sample
from scripts.load.offered import Offered


@dataclass(frozen=True, kw_only=True)
class Outcome(ABC):
    """Figures of one run; a scenario adds its own as fields."""

    scenario: ClassVar[str]
    """Its name as a command."""
    load: Offered
    samples: tuple[Sample, ...]
    """How it went, second by second."""

    @property
    @abstractmethod
    def leaking(self) -> bool:
        """Tell whether a trunk saw what it should not."""

    @property
    @abstractmethod
    def failing(self) -> bool:
        """Tell whether something was lost."""

    @abstractmethod
    def head(self) -> str:
        """Return what was played, as a heading."""

    @abstractmethod
    def rows(self) -> Mapping[str, str]:
        """Return what came of it for a person, by name."""

    def notes(self) -> list[str]:
        """Return what stands below the rows."""
        return []

    def figures(self) -> dict[str, Any]:
        """Return what came of it for a program."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("load", "samples")}

    def text(self) -> str:
        """Return it for a person."""
        return layout.text(f"{self.scenario}: {self.head()}", self.rows(), self.notes())

    def as_json(self) -> dict[str, Any]:
        """Return what json.dumps takes."""
        samples = [{"at": sample.at, **sample.values} for sample in self.samples]
        return {"scenario": self.scenario, **asdict(self.load), **self.figures(), "samples": samples}
