"""What pydantic found wrong, in an operator's words: what is wrong and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from pydantic_core import ErrorDetails

from config.lines import Path
from config.problem import Mistake, key_text, shown
from config.schema import bounds_words, field_at, is_array, section_at

Wording = tuple[str, str]

_PATTERNS = {
    r"^[a-z0-9][a-z0-9_-]{0,31}$": ("is not a name", 'write 1 to 32 of a-z, 0-9, "-" and "_", a letter or digit first'),
    r"^[A-Z][A-Z0-9_-]*$": ("is not a method", 'write it as in a request, such as "INVITE"'),
    r"^\+[1-9][0-9]{0,14}$": (
        "is not how a number with its country code begins",
        'write "+" and up to 15 digits, such as "+1555"',
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,252}$": (
        "is not a realm",
        'write up to 253 letters, digits, ".", "_", "@" and "-", such as "sip.example.net"',
    ),
    r"^\+?[0-9*#]{1,15}$": ("is not a dialled number", 'write its 1 to 15 digits, such as "112"'),
    r"^\+?[0-9*#]{0,15}$": ("is not how a number may begin", 'write digits, such as "00"'),
    r"^[ -~]{4,64}$": ("is not a name of a tool", "write 4 to 64 plain letters that stand in its User-Agent"),
    r"^https://[A-Za-z0-9._~:/?#@!$&'()*+,=%\[\]-]+$": (
        "is no https URL",
        'write one, such as "https://cert.example.org/p"',
    ),
    r"^[^@\s:;<>\"]+@[A-Za-z0-9._-]+$": ("is no user@host", 'write one, such as "recorder@pbx.example.net"'),
    r"^[A-Za-z][A-Za-z0-9*-]{3,63}$": ("is no name of a header", 'write one, such as "X-Rec-*"'),
    r"^[0-9*#]{1,15}$": ("is no feature code", "write digits, * and #, 15 at most"),
    r"^[A-Za-z][A-Za-z0-9+.-]{1,31}:[!-~]{1,222}$": (
        "is no XML namespace",
        'write the URI of one, such as "urn:example:contact-centre"',
    ),
    r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$": ("is no name of an element", "write it without a prefix, up to 64 letters"),
    r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$": (
        "is no SHA-256 in base64",
        "write the 44 letters that docs/recording.md says how to get from a certificate",
    ),
    r"^[!-~]+( [!-~]+){0,7}$": ("is no text of a command", "write up to eight words of ASCII, one blank apart"),
}


def mistake(error: ErrorDetails) -> Mistake:
    """Word one of pydantic's errors."""
    wrong, right = _WORDS.get(error["type"], _other)(error)
    return Mistake(error["loc"], wrong, right)


def _other(error: ErrorDetails) -> Wording:
    """Fall back on pydantic's own words; test_wording.py asserts that the schema has no need of them."""
    return f"{shown(error['input'])} cannot stand here", error["msg"]


def _validator(error: ErrorDetails) -> Wording:
    """Our own validators say `is not ...; write ...`."""
    wrong, _, right = str(error["ctx"]["error"]).partition("; ")
    return f"{shown(error['input'])} {wrong}", right


def _unknown_key(error: ErrorDetails) -> Wording:
    """Suggest the nearest key, else name them all."""
    section = section_at(error["loc"][:-1])
    known = list(section.model_fields) if section else []
    near = get_close_matches(str(error["loc"][-1]), known, n=1)
    return "is not a key that Sipveil knows", f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def _missing(error: ErrorDetails) -> Wording:
    """Say what the key that must be there is for."""
    field = field_at(error["loc"])
    return "is missing", f"write {error['loc'][-1]} = ... ({field.description if field else 'required'})"


def _range(error: ErrorDetails) -> Wording:
    """Give the whole range, not only the end that was crossed."""
    field = field_at(error["loc"])
    return f"{shown(error['input'])} is out of range", f"write {bounds_words(field) if field else error['msg']}"


def _pattern(error: ErrorDetails) -> Wording:
    """Say in words what the regular expression says in symbols."""
    wrong, right = _PATTERNS[error["ctx"]["pattern"]]
    return f"{shown(error['input'])} {wrong}", right


def _choice(error: ErrorDetails) -> Wording:
    """Name the words that may stand here."""
    choices = error["ctx"]["expected"].replace("'", '"')
    return f"{shown(error['input'])} is not one of the words for this key", f"write {choices}"


def _not_an_array(error: ErrorDetails) -> Wording:
    """An array of tables with single brackets is the usual cause."""
    if isinstance(error["input"], dict):
        return "is a single table", f"write [[{key_text(error['loc'])}]], once for each"
    return f"{shown(error['input'])} is not a list", "write it in brackets: [...]"


def _not_a_table(error: ErrorDetails) -> Wording:
    """A single table with double brackets is the usual cause."""
    if isinstance(error["input"], tuple):
        return "is there once only, and not an array", f"write [{_table(error['loc'])}]"
    return f"{shown(error['input'])} is not a table", f"write [{_table(error['loc'])}] and its keys below"


def _table(path: Path) -> str:
    """Name a table as its header does: without indices, doubly bracketed where it is one of many."""
    field = field_at(path)
    name = key_text(tuple(part for part in path if isinstance(part, str)))
    return f"[{name}]" if field and is_array(field) else name


def _kind(wrong: str, right: str) -> Callable[[ErrorDetails], Wording]:
    """Word a wrong type."""
    return lambda error: (f"{shown(error['input'])} {wrong}", right)


_WHOLE_NUMBER = _kind("is not a whole number", "write digits only, without quotes")

_WORDS: dict[str, Callable[[ErrorDetails], Wording]] = {
    "value_error": _validator,
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "greater_than": _range,
    "greater_than_equal": _range,
    "less_than": _range,
    "less_than_equal": _range,
    "string_pattern_mismatch": _pattern,
    "literal_error": _choice,
    "tuple_type": _not_an_array,
    "model_type": _not_a_table,
    "too_short": lambda error: ("is empty", "write at least one"),
    "too_long": lambda error: (
        f"has {error['ctx']['actual_length']} values",
        f"write {error['ctx']['max_length']} at most",
    ),
    "string_type": _kind("is not a text", 'write it in quotes: "..."'),
    "int_type": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "float_type": _kind("is not a number", "write digits, with a point if need be, without quotes"),
    "finite_number": _kind("is not a number to count with", "write a finite number"),
    "bool_type": _kind("is not true or false", "write true or false, without quotes"),
}
