"""From an entry as it is written to what it means, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from config.problem import Problem, shown
from config.vocabulary import Action, Category
from filters.catalogue_file import Sections, Written
from filters.entry import BodyEntry, HeaderEntry
from filters.forms import FORMS, Form, make_form
from filters.patterns import PATTERNS
from filters.zones import DEFAULTS, Towards

FUNCTION = "function"
"""The category of what discloses nothing."""
HANDLINGS = frozenset(
    {"sdp", "sdpfrag", "multipart", "sipfrag", "dtmf-relay", "dtmf", "message-summary", "media-control", "cpim"}
)
"""The words that `handling` of a body may have."""

_CATEGORIES = {category.name.lower(): category for category in Category}
_COMMON = ("category", "zones", "source", "weaken")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z-]*)\}")
# RFC 3261 §25.1 token; a `*` stands for any letters
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
NAMES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "headers": (_TOKEN, 'the name of a header, without colon: "x-ticket"'),
    "contact-params": (_TOKEN, 'the name of a parameter, without its value: "+sip.instance"'),
    # RFC 3261 §25.1: paramchar = param-unreserved / unreserved / escaped
    "uri-params": (re.compile(r"[^\s;=?@<>\",]+"), 'the name of a parameter, without its value: "transport"'),
    "sdp.lines": (re.compile(r"[a-z]|o-user|o-address"), 'the letter before "=", or o-user or o-address'),
    "sdp.attributes": (_TOKEN, 'what stands between "a=" and ":": "rtpmap"'),
    "bodies": (re.compile(r"[^\s/;,\"]+/[^\s/;,\"]+"), 'a media type without parameters: "application/sdp"'),
}
"""By section, what a name looks like that a message can hold, and how to say so."""


class Reader:
    """Reads entries; collects what is wrong with them in `problems`."""

    def __init__(self, sections: Sections) -> None:
        """Read entries that refer to the lists and grammars of these sections."""
        self._lists = sections["lists"]
        self._grammars = sections["grammars"]
        self.problems: list[Problem] = []
        self.searches: dict[str, re.Pattern[bytes]] = {}
        """What an operator's own patterns look for, by name."""

    def header(self, entry: Written) -> HeaderEntry | None:
        """Return what an entry of a field means; None, and problems, where that cannot be told."""
        before = len(self.problems)
        raw = self._table(entry)
        shape = FORMS.get(raw["form"]) if isinstance(raw.get("form"), str) else None
        taken = shape.needs | shape.takes if shape else ()
        self._keys(entry, raw, (*_COMMON, "besides", "core", "form", *taken))
        self._name(entry)
        core = self._flag(entry, raw, "core")
        category = self._category(entry, raw.get("category"))
        form = self._form(entry, raw) if "form" in raw else None
        if category is None and form is None and not core and len(self.problems) == before:
            self._wrong(entry, "is a function without a form", f"write form = one of {_listed(FORMS)}")
        if category is not None and "form" in raw:
            self._wrong(entry, f"has a form and is no function, but {category.name.lower()}",
                        'leave the form out, or write category = "function"', "form")  # fmt: skip
        besides = self._besides(entry, raw)
        zones = self._zones(entry, raw, () if category is None else (category,))
        if core and zones:
            self._wrong(entry, "is edited by Sipveil itself, in every zone", "leave `zones` out", "zones")
        return HeaderEntry(category, core, form, zones, besides=besides) if len(self.problems) == before else None

    def body(self, entry: Written) -> BodyEntry | None:
        """Return what an entry of a media type means; None, and problems, where that cannot be told."""
        before = len(self.problems)
        raw = self._table(entry)
        self._keys(entry, raw, (*_COMMON, "handling"))
        self._name(entry)
        handling = raw.get("handling", "")
        named = raw.get("category")
        names = named if isinstance(named, list) and named else [named]
        categories = tuple(category for name in names if (category := self._category(entry, name)) is not None)
        if "handling" in raw and (not isinstance(handling, str) or handling not in HANDLINGS):
            self._wrong(entry, f"{shown(handling)} is no handling", f"write one of {_listed(HANDLINGS)}", "handling")
        if FUNCTION in names and (len(names) > 1 or not handling):
            self._wrong(entry, "is a function without a handling", "name the categories that the body discloses")
        zones = self._zones(entry, raw, categories)
        return BodyEntry(categories, handling, zones) if len(self.problems) == before else None

    def pattern(self, entry: Written) -> Category | None:
        """Return the category of a pattern."""
        raw = self._table(entry)
        self._keys(entry, raw, ("category", "source", "weaken", "pattern"))
        if entry.name in PATTERNS and "pattern" in raw:
            self._wrong(entry, "is a pattern of ours", "give yours a name of its own", "pattern")
        elif entry.name not in PATTERNS and "pattern" not in raw:
            self._wrong(entry, "is no pattern", f"write one of {_listed(PATTERNS)}, or give it a pattern = '...'")
        elif "pattern" in raw:
            self._search(entry, raw["pattern"])
        if raw.get("category") == FUNCTION:
            self._wrong(entry, "a pattern discloses something", f"write one of {_listed(_CATEGORIES)}", "category")
        return self._category(entry, raw.get("category"))

    def _search(self, entry: Written, value: object) -> None:
        """Keep the search for a pattern of an operator's own."""
        before = len(self.problems)
        text = self._grammar(entry, value, "pattern")
        if len(self.problems) > before:
            return
        try:
            found = re.compile(text.encode())
        except (re.error, OverflowError) as error:
            self._wrong(entry, f"cannot be used: {error}", "see docs/catalogue.md, Patterns in values", "pattern")
            return
        if found.search(b""):
            self._wrong(entry, "stands in every text", "write what is to be found", "pattern")
        self.searches[entry.key] = found

    def compact(self, entry: Written) -> str:
        """Return the name that a compact form stands for."""
        if not isinstance(entry.raw, str) or len(entry.name) != 1:
            self._wrong(entry, "is no compact form", 'write a letter and the name that it stands for: s = "subject"')
            return ""
        return entry.raw.lower()

    def lists(self) -> None:
        """Read what no entry refers to, too."""
        for entry in self._grammars.values():
            if not isinstance(entry.raw, str):
                self._wrong(entry, f"{shown(entry.raw)} is not a regular expression", "write it in quotes: '\\d+'")

    # ---- parts of an entry

    def _wrong(self, entry: Written, wrong: str, right: str, *within: str | int) -> None:
        self.problems.append(entry.problem(wrong, right, *within))

    def _table(self, entry: Written) -> dict[str, Any]:
        if isinstance(entry.raw, dict):
            return entry.raw
        self._wrong(entry, f"{shown(entry.raw)} is not a table", 'write it like { category = "device" }')
        return {"category": "unknown"}

    def _keys(self, entry: Written, raw: Mapping[str, object], known: Iterable[str]) -> None:
        """Refuse keys that nobody reads."""
        known = sorted(known)
        for key in [key for key in raw if key not in known]:
            near = get_close_matches(key, known, n=1)
            right = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            if any(key in shape.needs | shape.takes for shape in FORMS.values()) and "form" not in raw:
                right = "name the form that it belongs to, or leave it out"
            self._wrong(entry, "is not a key that Sipveil knows here", right, key)
        if not isinstance(raw.get("source", ""), str):
            self._wrong(entry, f"{shown(raw['source'])} is not a text", 'write it in quotes: "RFC ..."', "source")
        self._flag(entry, raw, "weaken")

    def _flag(self, entry: Written, raw: Mapping[str, object], key: str) -> bool:
        value = raw.get(key, False)
        if not isinstance(value, bool):
            self._wrong(entry, f"{shown(value)} is not true or false", "write true or false, without quotes", key)
        return value is True

    def _name(self, entry: Written) -> None:
        pattern, words = NAMES[entry.section]
        if not pattern.fullmatch(entry.name):
            self._wrong(entry, "is no name that a message can hold, so it never matches", f"write {words}")

    def _category(self, entry: Written, name: object) -> Category | None:
        if isinstance(name, str) and name in _CATEGORIES:
            return _CATEGORIES[name]
        if name != FUNCTION:
            missing = "names no category" if name is None else f"{shown(name)} is not a category"
            self._wrong(entry, missing, f"write one of {_listed((*_CATEGORIES, FUNCTION))}", "category")
        return None

    def _besides(self, entry: Written, raw: Mapping[str, object]) -> frozenset[Category]:
        """Return what a function may disclose where it is not of its form."""
        if "besides" not in raw:
            return frozenset()
        names = raw["besides"]
        if "form" not in raw or raw.get("core", False) is not False:
            self._wrong(
                entry, "says what its form keeps out and has none that a plan applies", "leave it out", "besides"
            )
        if not isinstance(names, list) or not names or FUNCTION in names:
            right = f"write a list of {_listed(_CATEGORIES)}"
            self._wrong(entry, "is not a list of categories", right, "besides")
            return frozenset()
        return frozenset(category for name in names if (category := self._category(entry, name)) is not None)

    def _zones(self, entry: Written, raw: Mapping[str, object], categories: Iterable[Category]) -> frozenset[Towards]:
        """Return the zones towards which the field is removed whatever is decided."""
        given = raw.get("zones", {})
        if not isinstance(given, dict):
            self._wrong(entry, f"{shown(given)} is not a table", 'write it like { untrusted = "remove" }', "zones")
            return frozenset()
        removed = set()
        for zone, action in given.items():
            if zone not in Towards.__members__.values():
                hint = ', "trusted" or "untrusted" for trunks' if zone == "trunk" else ""
                self._wrong(entry, "is not a zone", f"write one of {', '.join(Towards)}{hint}", "zones", zone)
            elif action not in ("keep", "remove"):
                self._wrong(entry, f"{shown(action)} is no action for a zone", "write keep or remove", "zones", zone)
            elif action == "remove":
                removed.add(Towards(zone))
            elif any(DEFAULTS[Towards(zone)][category] is not Action.KEEP for category in categories):
                self._wrong(entry, "cannot open what the category's decision hides: the stricter of the two holds",
                            "leave it out; keep only notes what holds by default", "zones", zone)  # fmt: skip
        if Towards.PSAP in removed:
            self._wrong(entry, "is removed from emergency calls, from which nothing is but our own credentials",
                        "leave it out", "zones", "psap")  # fmt: skip
        return frozenset(removed)

    # ---- forms

    def _form(self, entry: Written, raw: Mapping[str, Any]) -> Form | None:
        name = raw["form"]
        shape = FORMS.get(name) if isinstance(name, str) else None
        if shape is None:
            self._wrong(entry, f"{shown(name)} is no form", f"write one of {_listed(FORMS)}", "form")
            return None
        before = len(self.problems)
        for key in sorted(key for key in shape.needs if key not in raw):
            self._wrong(entry, f"has no {key}, which form {name} needs", f"write {key} = ...")
        taken = shape.needs | shape.takes
        given = {key: self._argument(entry, key, raw[key]) for key in sorted(raw) if key in taken}
        if len(self.problems) > before:
            return None
        try:
            return make_form(name, **given)
        except (ValueError, re.error, OverflowError) as error:
            self._wrong(entry, f"cannot be used: {error}", "see docs/catalogue.md, Forms", "form")
        return None

    def _argument(self, entry: Written, key: str, value: object) -> Any:  # noqa: ANN401 - as the form wants it
        if key in ("many", "comments"):
            return self._flag(entry, {key: value}, key)
        if key == "separator":
            if not isinstance(value, str) or len(value) != 1:
                self._wrong(entry, f"{shown(value)} is no separator", 'write one letter, such as ";"', key)
            return value
        if key == "params" and isinstance(value, dict):
            return {name: self._param(entry, name, spec) for name, spec in value.items()}
        if key in ("pattern", "grammar"):
            return self._grammar(entry, value, key)
        return self._words(entry, value, key)

    def _param(self, entry: Written, name: str, spec: object) -> str | list[str] | bool:
        """Return what may stand behind a parameter's "=": a grammar, words, or true for a flag."""
        if isinstance(spec, bool):
            return spec
        if isinstance(spec, str) and spec in self._grammars:
            return self._grammar(entry, spec, "params", name)
        return self._words(entry, spec, "params", name)

    def _grammar(self, entry: Written, value: object, *within: str) -> str:
        """Return a regular expression: of [grammars], or as it stands there, its lists written out."""
        if not isinstance(value, str):
            self._wrong(entry, f"{shown(value)} is not a regular expression", "write it in quotes: '\\d+'", *within)
            return ""
        if value in self._grammars and within[0] != "pattern":
            value = str(self._grammars[value].raw)

        def alternatives(found: re.Match[str]) -> str:
            return "|".join(map(re.escape, sorted(self._words(entry, found[1], *within), key=len, reverse=True)))

        return _PLACEHOLDER.sub(alternatives, value)

    def _words(self, entry: Written, value: object, *within: str) -> list[str]:
        """Return a list of words: of [lists], or as it stands there."""
        if isinstance(value, str) and value in self._lists:
            return list(self._lists[value].raw)
        if isinstance(value, str):
            near = get_close_matches(value, [*self._lists, *self._grammars], n=1)
            right = f"did you mean {near[0]}?" if near else f"write a list, or name one of {_listed(self._lists)}"
            self._wrong(entry, f"{shown(value)} is neither in [lists] nor in [grammars]", right, *within)
        elif not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
            self._wrong(entry, "is not a list of words", 'write it in brackets: ["one", "other"]', *within)
        else:
            return value
        return []


def _listed(words: Iterable[str]) -> str:
    words = sorted(words)
    return ", ".join(words[:16]) + (", ..." if len(words) > 16 else "")
