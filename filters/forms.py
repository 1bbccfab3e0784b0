"""Forms: the shapes in which a field without personal data may pass an untrusted border.

A form reads one value (unfolded and stripped, without the name) and returns it when all of it is of
the shape, else what remains after the parts that are not were cut out, else None: nothing remains.
What a form does not understand it cuts out; it never passes a part "as it came".

A value of the shape costs one regular expression and comes back as the same object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Form = Callable[[bytes], bytes | None]
Grammar = str | Sequence[str]
"""A regular expression, or the words that may stand there."""
Params = Mapping[str, Grammar | bool]
"""Parameter name to the grammar of its value; True: the parameter is a flag."""

MAX_ITEMS = 64
"""Items of a list that pass; Allow and Supported of all known methods and tags stay below it."""

MAX_NESTED = 8
"""Comments within comments that are cut out; deeper ones are somebody else's work for us."""

MAX_REMEMBERED = 256
"""Longest part of a value that is remembered, in bytes."""
MAX_KNOWN = 1024
"""Such parts that each form remembers; they are forgotten together."""

LWS = r"[ \t]*"
# RFC 3840 §9: a boolean tag is a bare name, or one with the quoted words TRUE and FALSE.
FLAG = r'(?:"(?:TRUE|FALSE)")?'
# RFC 3261 §25.1: quoted-string = SWS DQUOTE *(qdtext / quoted-pair ) DQUOTE. An atomic group: linear on any input.
QUOTED = r'"(?>(?:[^"\\]++|\\.)*)"'
BALANCED = re.compile(rf'(?>(?:[^"]++|{QUOTED})*)'.encode(), re.DOTALL)
# RFC 3261 §25.1: comment = LPAREN *(ctext / quoted-pair / comment) RPAREN; the innermost one
COMMENT = re.compile(rb"\([^()]*+\)")
# RFC 3261 §20.43: warning-value = warn-code SP warn-agent SP warn-text
WARNING = re.compile(rf"[ \t]*(\d{{3}})[ \t]+[^ \t\",]+[ \t]+{QUOTED}[ \t]*".encode(), re.DOTALL)

PORTS = re.compile(rb"\d{1,5}(?:/\d{1,3})?")


class FormError(ValueError):
    """A body or line that cannot be brought into any form; the message must not go on with it."""


def make_form(name: str, **arguments: object) -> Form:
    """Compile the form called name, a key of FORMS, with the arguments that it takes.

    Raise ValueError where they do not suffice, re.error for a grammar that is no regular expression.
    """
    return FORMS[name].make(**arguments)


def match_form(pattern: str) -> Form:
    """Return the form of values that pattern describes from first to last byte, whatever the case."""
    matches = _compile(pattern).fullmatch
    return lambda value: value if matches(value) else None


def flag_form() -> Form:
    """Return the form of a flag: no value, or RFC 3840's quoted TRUE or FALSE."""
    return match_form(FLAG)


def warning_form() -> Form:
    """Return the form of Warning: the codes stay, host and text do not (RFC 5379 §5.1.13)."""
    return lambda value: (
        b", ".join(found[1] + b' - ""' for item in split(value, b",") if (found := WARNING.fullmatch(item))) or None
    )


def value_form(
    *,
    values: Sequence[str] = (),
    grammar: str = "",
    params: Params | None = None,
    many: bool = False,
    separator: str = ",",
    comments: bool = False,
) -> Form:
    """Return the form of one value with parameters, or of a list of such where many.

    Values are the words of values, or what grammar describes; of the parameters only those of params
    pass. With comments, text in parentheses is cut out before anything else is read.
    """
    item = _item(alternatives(values) if values else grammar, params or {})
    matches = _compile(_list_of(item, separator) if many else f"{LWS}{item}{LWS}").fullmatch
    clean = _item_cleaner(alternatives(values) if values else grammar, params or {}, separator)
    divider = separator.encode()
    joint = divider if divider == b" " else divider + b" "

    def form(value: bytes) -> bytes | None:
        if comments:
            value = without_comments(value)
        if not value or matches(value):
            return value
        items = split(value, divider) if many else (value,)
        return joint.join(filter(None, map(clean, items[:MAX_ITEMS]))) or None

    return form


def codec_form(*, params: Sequence[str], configurations: Sequence[str]) -> Form:
    """Return the form of SDP's fmtp: payload type, then `;`-separated parameters (RFC 8866 §6.15).

    Those of params hold a number, hexadecimal digits or a yes-or-no word, those of configurations a
    codec's parameter sets in hexadecimal or base64; ranges such as telephone-event's `0-15` need no name.
    """
    numbers = r"\d{1,10}(?>(?:[,/.-]\d{1,10})*)"
    short = rf"(?:{numbers}|[0-9A-F]{{1,8}}|yes|no|on|off|true|false)"
    named = rf"(?:{alternatives(params)})=\"?{short}\"?"
    sets = rf"(?:{alternatives(configurations)})=[A-Za-z0-9+/=,]{{1,1024}}"
    is_param = _compile(f"{named}|{sets}|{numbers}").fullmatch
    head = _compile(r"\d{1,3}").fullmatch

    def form(value: bytes) -> bytes | None:
        payload_type, _, rest = value.partition(b" ")
        kept = [param for raw in rest.split(b";") if is_param(param := raw.strip(b" \t"))]
        return payload_type + b" " + b";".join(kept) if kept and head(payload_type) else None

    return form


def media_form(*, values: Sequence[str], pattern: str) -> Form:
    """Return the form of SDP's m=: one of values, a port, and what pattern describes (RFC 8866 §5.14)."""
    return Media(values, pattern).form


class Media:
    """A form of m=; a phone's calls differ in the port, so of the rest is remembered that it matches."""

    __slots__ = ("_known", "_matches", "_media")

    def __init__(self, values: Sequence[str], pattern: str) -> None:
        """Compile."""
        self._media = frozenset(word.lower().encode() for word in values)
        self._matches = _compile(pattern).fullmatch
        self._known: set[bytes] = set()

    def form(self, value: bytes) -> bytes | None:
        """Return value where it has the form."""
        words = value.split(b" ", 2)
        if len(words) < 3 or words[0].lower() not in self._media or not _is_port(words[1]):
            return None
        rest, known = words[2], self._known
        if rest not in known:
            if not self._matches(rest):
                return None
            if len(rest) <= MAX_REMEMBERED:
                if len(known) >= MAX_KNOWN:
                    known.clear()
                known.add(rest)
        return value


def _is_port(text: bytes) -> bool:
    """Tell whether a text is a port, or several in a row: port ["/" integer] (RFC 8866 §9)."""
    return (text.isdigit() and len(text) <= 5) or PORTS.fullmatch(text) is not None


class Shape(NamedTuple):
    """A form that a catalogue file may name, and what it has to say about it."""

    make: Callable[..., Form]
    needs: frozenset[str] = frozenset()
    """Keys that must be there; of values and grammar one, which `make` sees to."""
    takes: frozenset[str] = frozenset()
    """Keys that may be there besides."""


FORMS: Mapping[str, Shape] = {
    "match": Shape(match_form, frozenset({"pattern"})),
    "flag": Shape(flag_form),
    "warning": Shape(warning_form),
    "value": Shape(value_form, takes=frozenset({"values", "grammar", "params", "many", "separator", "comments"})),
    "codec": Shape(codec_form, frozenset({"params", "configurations"})),
    "media": Shape(media_form, frozenset({"values", "pattern"})),
}
"""All forms by the name that `form` of a catalogue entry gives them."""


def split(value: bytes, separator: bytes) -> Sequence[bytes]:
    """Divide value at each separator that stands outside quotes; nothing where a quote stays open."""
    if b'"' not in value:
        return value.split(separator)
    if not BALANCED.fullmatch(value):
        return ()
    mark = re.escape(separator)
    return re.findall(rb'(?>(?:[^"' + mark + rb"]++|" + QUOTED.encode() + rb")+)", value, re.DOTALL)


def without_comments(value: bytes) -> bytes:
    """Return value without its parenthesised texts, nested ones included; what is left open is left to be refused."""
    for _ in range(MAX_NESTED if b"(" in value else 0):
        value = COMMENT.sub(b"", value)
    return value.strip(b" \t")


def alternatives(words: Sequence[str]) -> str:
    """Return the regular expression for any one of words, the longest tried first."""
    if isinstance(words, str):
        raise TypeError("expected a list of words")
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _compile(pattern: str) -> re.Pattern[bytes]:
    # RFC 3261 §7.3.1: names, tokens and parameters are case-insensitive.
    return re.compile(pattern.encode(), re.IGNORECASE)


def _param(name: str, grammar: Grammar | bool) -> str:
    if isinstance(grammar, bool):
        return rf"{re.escape(name)}(?:={FLAG})?" if grammar else "(?!)"
    value = grammar if isinstance(grammar, str) else alternatives(grammar)
    return rf"{re.escape(name)}{LWS}={LWS}(?:{value})"


def _param_of(params: Params) -> str:
    return "|".join(_param(name, grammar) for name, grammar in params.items())


def _item(value: str, params: Params) -> str:
    if not value:
        raise ValueError("needs `values` or `grammar`")
    tail = f"(?:{LWS};{LWS}(?:{_param_of(params)})){{0,{len(params)}}}" if params else ""
    return f"(?:{value}){tail}"


def _list_of(item: str, separator: str) -> str:
    divider = rf"{LWS}{re.escape(separator)}{LWS}"
    return f"{LWS}{item}(?:{divider}{item}){{0,{MAX_ITEMS - 1}}}{LWS}"


def _item_cleaner(value: str, params: Params, separator: str) -> Form:
    is_value = _compile(value).fullmatch
    is_param = _compile(_param_of(params)).fullmatch if params else (lambda _: None)

    def clean(item: bytes) -> bytes | None:
        head, *tail = (separator != ";" and split(item, b";")) or (item,)
        head = head.strip(b" \t")
        # One of each name: a repeated parameter is a place to write into.
        kept = {param.partition(b"=")[0].strip().lower(): param for raw in tail if is_param(param := raw.strip(b" \t"))}
        return b";".join((head, *kept.values())) if is_value(head) else None

    return clean
