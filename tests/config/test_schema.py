"""The schema as an operator sees it."""

from __future__ import annotations

from config.privacy_section import Privacy
from config.schema import action_words, bounds_words, field_at, is_array, section_at, section_of, type_words
from config.settings import Settings, Timers, Trunk
from config.vocabulary import Category


def words(*path: str | int) -> tuple[str, str]:
    field = field_at(path)
    assert field is not None
    return type_words(field), bounds_words(field)


def test_paths_lead_to_sections() -> None:
    assert section_at(()) is Settings
    assert section_at(("trunks", 0)) is Trunk
    assert section_at(("trunks", 0, "privacy")) is Privacy
    assert section_at(("privacy", "default")) is Privacy
    assert section_at(("trunks", 0, "hosts")) is None
    assert section_at(("trunks", 0, "hots", "x")) is None
    assert section_at(("access",)) is not None


def test_paths_lead_to_fields() -> None:
    assert field_at(("timers", "t1")) is Timers.model_fields["t1"]
    assert field_at(("trunks", 0, "hosts", 1)) is Trunk.model_fields["hosts"]
    assert field_at(()) is None
    assert field_at(("nothing", "here")) is None


def test_types_and_bounds_in_words() -> None:
    assert words("listeners", 0, "port") == ("whole number", "0 to 65535")
    assert words("listeners", 0, "name") == ("name", "")
    assert words("listeners", 0, "advertised") == ("host or host:port", "")
    assert words("trunks", 0, "hosts") == ("list: host or host:port", "at least 1 value")
    assert words("access", "networks") == ("list: network", "")
    assert words("routes", 0, "methods") == ("list: method", "")
    assert words("timers", "t1") == ("number", "more than 0, at most 5")
    assert words("log", "format") == ('"text" or "json"', "")
    assert words("trunks", 0, "trusted") == ("true or false", "")
    assert words("trunks", 0, "privacy", "name") == ("action", "")


def test_every_plain_field_has_words() -> None:
    """A new type in the settings needs a word here, or the reference cannot be written."""
    sections = [Settings]
    while sections:
        for field in sections.pop().model_fields.values():
            inner = section_of(field)
            if inner is None:
                assert type_words(field)
            else:
                sections.append(inner)  # type: ignore[arg-type]


def test_arrays_and_actions() -> None:
    assert is_array(Settings.model_fields["trunks"])
    assert not is_array(Settings.model_fields["access"])
    assert action_words(Category.NETWORK) == "keep, seal"
