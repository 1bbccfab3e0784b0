"""Writes docs/catalogue.md, what becomes of each field: `python -m filters.catalogue_reference`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import config
from config.vocabulary import SENSIBLE_ACTIONS, Action, Category
from filters.catalogue import Catalogue, load_catalogue
from filters.catalogue_entry import HANDLINGS
from filters.entry import BodyEntry, HeaderEntry, Table
from filters.forms import FORMS
from filters.zones import DEFAULTS, Towards

TARGET = Path(config.__file__).parent.parent / "docs" / "catalogue.md"
"""The file that this module writes."""

_INTRODUCTION = """\
# The catalogue

`config/catalogue.toml` says of every field of a SIP message what it discloses about a person. The policy decides what
is done with each category ([configuration](configuration.md#privacy-tables)), so a field needs no setting of its
own. What no entry names is *unknown* and goes nowhere but to the core, to trusted trunks and to emergency services.

The tables below say what happens **by default**: nobody has set anything, no caller has asked for anything. An
emergency call keeps everything but credentials for our own realms; so does the core. A field in *its form* passes as
far as its value is of the shape that a call needs; the rest of it is cut out. *Always removed* is what stays so
whatever operator, subscriber or caller decide.

This page is generated from `config/catalogue.toml` by `python -m filters.catalogue_reference`; edit that instead.

## Your own entries

Name files of your own in the configuration; they are laid over ours, which stays untouched:

```toml
catalogue = ["own.toml"]    # relative to the configuration file
```

```toml
# own.toml
[headers]
# A header of your switch that tells a number: removed wherever numbers are hidden, and never shown to untrusted trunks.
x-acme-account = { category = "number", zones = { untrusted = "remove" }, source = "Acme manual" }
# One that a call needs and that says nothing of a person, as long as it is one of these words.
x-acme-queue = { category = "function", form = "value", values = ["gold", "silver"] }
# Globs are tried after names.
"x-acme-*" = { category = "device" }

[lists]
option-tags = ["x-acme-conference"]    # added to ours
```

- A later file replaces entries of the same name; its globs are tried before earlier ones, in the order of the file.
  Lists grow; grammars are added.
- You may name what is new, be stricter, or choose another category. What would open something that we hide (a
  `function` or `unknown` where ours has a category, or a zone rule left out) is a mistake unless the entry says
  `weaken = true`; then `sipveil check` warns of it each time and names both places.
- What Sipveil edits itself (*core* below) cannot be replaced: [privacy] decides about it.
- An entry that no message can ever meet is a mistake. All mistakes of all files are printed at once, with file, line
  and key.

| key | meaning |
|---|---|
| `category` | what the field discloses, or `function`: nothing, as long as it has its form. A body may have several |
| `form` | for a function: {forms}; `filters/forms.py` says what each takes |
| `besides` | for a function: the categories of what the form cuts out, where one is hidden the form holds |
| `handling` | for bodies, how what may pass is cleaned: {handlings} |
| `zones` | towards which the field is removed whatever is decided: {zones}. `keep` only notes the default |
| `source` | where the field is defined |
| `weaken` | true: this opens what ours hides, and that is meant |
"""

_TITLES = {
    "headers": ("Headers", "Upper and lower case are the same; the compact form, where there is one, is in brackets."),
    "contact-params": ("Contact parameters", "Behind the address in a Contact."),
    "uri-params": ("URI parameters", "In the URI of a Contact, From or To that is not sealed as a whole."),
    "sdp.lines": ("SDP lines", "`o-user` and `o-address` are the two halves of `o=` that tell something."),
    "sdp.attributes": ("SDP attributes", "Behind `a=`; upper and lower case differ."),
}
_COLUMNS = (Towards.ACCESS, Towards.TRUSTED, Towards.UNTRUSTED)


def render() -> str:
    """Return the whole reference as Markdown."""
    catalogue = load_catalogue()
    introduction = _INTRODUCTION
    zones = [zone.value for zone in Towards]
    for word, listed in (("{forms}", FORMS), ("{handlings}", HANDLINGS), ("{zones}", zones)):
        introduction = introduction.replace(word, _words(listed))
    tables = {
        "headers": catalogue.headers, "contact-params": catalogue.contact_params, "uri-params": catalogue.uri_params,
        "sdp.lines": catalogue.sdp_lines, "sdp.attributes": catalogue.sdp_attributes,
    }  # fmt: skip
    parts = [introduction, _categories()]
    parts += [_section(catalogue, section, table) for section, table in tables.items()]
    return "\n".join([*parts, _bodies(catalogue), _patterns(catalogue)])


def main() -> None:
    """Write the reference to its place."""
    TARGET.write_text(render())


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _categories() -> str:
    rows = [
        f"| {category.name.lower()} | {' | '.join(DEFAULTS[zone][category].name.lower() for zone in _COLUMNS)} "
        f"| {', '.join(action.name.lower() for action in SENSIBLE_ACTIONS[category])} |\n"
        for category in Category
    ]
    head = _head("category", *(_column(zone) for zone in _COLUMNS), "may be set to")
    return f"## Categories\n\n{head}{''.join(rows)}"


def _section(catalogue: Catalogue, section: str, table: Table[HeaderEntry]) -> str:
    """Describe one section, by category: what a person wonders about is what becomes of names, not of `p-…`."""
    title, text = _TITLES[section]
    compact = {long: short.decode() for short, long in catalogue.compact.items()} if section == "headers" else {}
    parts = [f"## {title}\n\n{text}\n"]
    for category in (*Category, None):
        rows = [
            f"| {_name(name, compact)} | {' | '.join(_fate(name, entry, zone) for zone in _COLUMNS)} "
            f"| {catalogue.source(section, name)} |\n"
            for name, entry in _all(table)
            if entry.category is category
        ]
        if rows:
            heading = "function" if category is None else category.name.lower()
            parts.append(f"### {title}: {heading}\n\n{_zones_head('field')}{''.join(rows)}")
    return "\n".join(parts)


def _all(table: Table[HeaderEntry]) -> Iterator[tuple[bytes, HeaderEntry]]:
    """Yield names in their order, then globs in the order in which they are tried."""
    yield from sorted(table.exact.items())
    yield from ((glob.encode(), entry) for glob, entry in table.globs)


def _name(name: bytes, compact: Mapping[bytes, str]) -> str:
    short = f" (`{compact[name]}`)" if name in compact else ""
    return f"`{name.decode()}`{short}"


def _fate(name: bytes, entry: HeaderEntry, zone: Towards) -> str:
    """Say what becomes of a field by default, as `plan` has it."""
    if zone in entry.zones:
        return "always removed"
    if entry.category is None and any(DEFAULTS[zone][one] is not Action.KEEP for one in entry.besides):
        return "its form"
    action = DEFAULTS[zone][Category.UNKNOWN if entry.category is None else entry.category]
    if action is Action.KEEP:
        return "kept"
    if name == b"p-asserted-identity" and action is Action.INDICATE:
        return "asserted by Sipveil"
    if entry.category is None:
        return "core" if entry.core else "its form"
    return f"core: {_past(action)}" if entry.core else "removed"


def _past(action: Action) -> str:
    words = {
        Action.SEAL: "sealed",
        Action.ANONYMISE: "anonymised",
        Action.INDICATE: "anonymised",
        Action.REMOVE: "removed",
    }
    return words.get(action, action.name.lower())


def _bodies(catalogue: Catalogue) -> str:
    table = catalogue.bodies
    names = [*sorted(table.exact.items()), *((glob.encode(), entry) for glob, entry in table.globs)]
    rows = [
        f"| `{name.decode()}` | {_disclosed(entry)} | {' | '.join(_body_fate(entry, zone) for zone in _COLUMNS)} "
        f"| {catalogue.source('bodies', name)} |\n"
        for name, entry in names
    ]
    text = (
        "A body passes where none of its categories is hidden. Parts of a multipart are judged one by one, eight deep "
        "at most. A body that is compressed or encrypted cannot be looked into and is removed, or the request refused "
        "with 415 where it would be nothing without it."
    )
    head = _head("media type", "discloses", *(_column(zone) for zone in _COLUMNS), "source")
    return f"## Bodies\n\n{text}\n\n{head}{''.join(rows)}"


def _disclosed(entry: BodyEntry) -> str:
    if len(entry.categories) == len(Category):
        return "anything"
    return ", ".join(category.name.lower() for category in entry.categories) or "function"


def _body_fate(entry: BodyEntry, zone: Towards) -> str:
    if zone in entry.zones:
        return "always removed"
    if any(DEFAULTS[zone][category] is not Action.KEEP for category in entry.categories):
        return "removed"
    return f"cleaned ({entry.handling})" if entry.handling else "kept"


def _patterns(catalogue: Catalogue) -> str:
    rows = [
        f"| `{name}` | {category.name.lower()} | {catalogue.source('patterns', name.encode())} |\n"
        for name, category in catalogue.patterns.items()
    ]
    text = (
        "Whatever a field is kept for: where one of these stands in its value, and its category is hidden, it goes. A\n"
        "pattern of your own is looked for wherever these are:\n"
        "`badge = { category = \"device\", pattern = 'ACME-\\d{6}' }`."
    )
    return f"## Patterns in values\n\n{text}\n\n{_head('pattern', 'discloses', 'source')}{''.join(rows)}"


def _zones_head(first: str) -> str:
    return _head(first, *(_column(zone) for zone in _COLUMNS), "source")


def _column(zone: Towards) -> str:
    return "phones" if zone is Towards.ACCESS else f"{zone.value} trunk"


def _head(*columns: str) -> str:
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"


if __name__ == "__main__":
    main()
