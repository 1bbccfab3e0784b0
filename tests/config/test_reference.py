"""The reference manual and the schema say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import reference
from config.schema import section_of
from config.section import Section
from config.settings import Settings


def test_the_manual_in_the_repository_is_up_to_date() -> None:
    message = "run `python -m config.reference`"
    assert reference.TARGET.read_text() == reference.render(), message


def test_every_key_is_in_it_with_its_meaning() -> None:
    text = reference.render()
    tables = (section_of(field) for field in Settings.model_fields.values())
    sections: list[type[Section]] = [Settings, *(table for table in tables if table)]
    for section in sections:
        for name, field in section.model_fields.items():
            assert f"`{name}`" in text or f"[{name}]" in text
            assert field.description
            assert field.description in text or section is Settings or section_of(field) is not None


def test_types_defaults_and_bounds_are_an_operator_s_words() -> None:
    text = reference.render()
    assert "| `port` | whole number | `5060` | 0 to 65535 | port to bind; 0 lets the system choose one |" in text
    assert "| `hosts` | list: host or host:port | *required* | at least 1 value |" in text
    assert "| `network` | action | | keep, seal |" in text
    assert "## `[[trunks]]`" in text
    assert "## `[access]`" in text


def test_it_begins_with_the_example() -> None:
    text = reference.render()
    assert text.index("# Sipveil on one machine") < text.index("## Top level")


def test_main_writes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "configuration.md"
    monkeypatch.setattr(reference, "TARGET", target)
    reference.main()
    assert target.read_text() == reference.render()
