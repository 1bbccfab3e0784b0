"""Writes docs/configuration.md, the operator's reference, from the schema: `python -m config.reference`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.privacy_section import Privacy
from config.problem import shown
from config.schema import action_words, bounds_words, is_array, section_of, type_words
from config.section import Section
from config.settings import Settings
from config.vocabulary import Category

TARGET = Path(__file__).parent.parent / "docs" / "configuration.md"
"""The file that this module writes."""

_EXAMPLE = Path(__file__).parent / "example.toml"

_INTRODUCTION = """\
# Configuration

Sipveil reads one TOML file. `sipveil check FILE` names every mistake in it, each with its line and what
would be right. A value is taken as it is written: `"5060"` is a text and no port. All times are
seconds, all sizes bytes.

This page is generated from `config/settings.py` by `python -m config.reference`; edit that instead.
"""

_HEAD = """\
| key | type | default | bounds | meaning |
|---|---|---|---|---|
"""


def render() -> str:
    """Return the whole reference as Markdown."""
    parts = [_INTRODUCTION, f"## Example\n\n```toml\n{_EXAMPLE.read_text()}```\n", *_sections(), _privacy()]
    return "\n".join(parts)


def main() -> None:
    """Write the reference to its place."""
    TARGET.write_text(render())


def _sections() -> Iterator[str]:
    """Yield the top level, then one chapter for each table in it."""
    fields = Settings.model_fields
    yield _chapter("Top level", "Keys that stand above all tables.", Settings)
    yield from _tables("", fields)


def _tables(above: str, fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield a chapter for each table, and behind it those for the tables that stand in it."""
    for name, field in fields.items():
        section = section_of(field)
        if section is not None and section is not Privacy:
            text = f"{cleandoc(section.__doc__ or '')} {_presence(field)}"
            yield _chapter(f"`{_header(above + name, field)}`", text, section)
            yield from _tables(f"{above}{name}.", section.model_fields)


def _chapter(title: str, text: str, section: type[Section]) -> str:
    """Describe one section: its keys, and the tables in it."""
    fields = section.model_fields.items()
    rows = [
        _row(name, field) for name, field in fields if section is not Settings or section_of(field) in (None, Privacy)
    ]
    return f"## {title}\n\n{text.strip()}\n\n{_HEAD}{''.join(rows)}"


def _row(name: str, field: FieldInfo) -> str:
    """Describe one key."""
    if section_of(field) is Privacy:
        kind, bounds = "[privacy table](#privacy-tables)", ""
    elif section_of(field) is not None:
        kind, bounds = "tables, see below" if is_array(field) else "table, see below", ""
    else:
        kind, bounds = type_words(field), bounds_words(field)
    return f"| `{name}` | {kind} | {_default(field)} | {bounds} | {field.description} |\n"


def _privacy() -> str:
    """Describe the table that several sections hold, once."""
    rows = [
        f"| `{category.name.lower()}` | action | | {action_words(category)} "
        f"| {Privacy.model_fields[category.name.lower()].description} |\n"
        for category in Category
    ]
    where = "Found in trunks, access, core and privacy, for example as `[privacy.default]` or `[trunks.privacy]`."
    return f"## Privacy tables\n\n{cleandoc(Privacy.__doc__ or '')} {where}\n\n{_HEAD}{''.join(rows)}"


def _header(name: str, field: FieldInfo) -> str:
    """Return the table header as it stands in a file."""
    return f"[[{name}]]" if is_array(field) else f"[{name}]"


def _presence(field: FieldInfo) -> str:
    """Say how often the table stands in a file."""
    if field.is_required():
        return "One table each, at least one."
    if is_array(field):
        return "One table each; may be absent."
    return "May be absent."


def _default(field: FieldInfo) -> str:
    """Show what holds where the key is not written."""
    value = field.default
    match value:
        case Section() if not isinstance(value, Privacy):
            return ""
        case _ if value is PydanticUndefined:
            return "*required*"
        case None:
            return ""
        case Privacy():
            pairs = value.model_dump(exclude_none=True).items()
            return ", ".join(f"`{name} = {shown(action)}`" for name, action in pairs)
        case tuple():
            return f"`[{', '.join(map(shown, value))}]`"
    return f"`{shown(value)}`"


if __name__ == "__main__":
    main()
