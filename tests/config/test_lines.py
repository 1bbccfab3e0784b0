"""The line scanner against tomllib: same structure, and lines that hold what they claim to hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from config.lines import Path, key_lines, line_of


def paths(value: object, at: Path = ()) -> Iterator[Path]:
    """Yield the path of everything inside value."""
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def leaves(value: object, at: Path = ()) -> Iterator[tuple[Path, object]]:
    """Yield path and value of everything that is neither table nor array."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*at, index))
    else:
        yield at, value


def same_structure(text: str) -> None:
    """Assert that scanner and tomllib see the same keys."""
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))


def test_every_form_of_key_has_its_line() -> None:
    text = """\
# a comment = 1
title = "x" # [not.a.table]

[server]
a.b.c = 1
"quoted.key" = 2
'literal' . x = 3

[[trunks]]
name = "one"
hosts = [
  "a", # , "decoy"
  # "b",
  "c", { port = 1, in = { x = 2 } },
]

[trunks.privacy]
name = "keep"

[[trunks]]
text = \"\"\"
[[trunks]]
name = "decoy" \\\"\"\" \"\"\"\"\"
name = "two"

[[trunks.deep]]
when = 1979-05-27 07:32:00 # space in a date
"""
    same_structure(text)
    assert key_lines(text) == {
        ("title",): 2,
        ("server",): 4,
        ("server", "a"): 5,
        ("server", "a", "b"): 5,
        ("server", "a", "b", "c"): 5,
        ("server", "quoted.key"): 6,
        ("server", "literal"): 7,
        ("server", "literal", "x"): 7,
        ("trunks",): 9,
        ("trunks", 0): 9,
        ("trunks", 0, "name"): 10,
        ("trunks", 0, "hosts"): 11,
        ("trunks", 0, "hosts", 0): 12,
        ("trunks", 0, "hosts", 1): 14,
        ("trunks", 0, "hosts", 2): 14,
        ("trunks", 0, "hosts", 2, "port"): 14,
        ("trunks", 0, "hosts", 2, "in"): 14,
        ("trunks", 0, "hosts", 2, "in", "x"): 14,
        ("trunks", 0, "privacy"): 17,
        ("trunks", 0, "privacy", "name"): 18,
        ("trunks", 1): 20,
        ("trunks", 1, "text"): 21,
        ("trunks", 1, "name"): 24,
        ("trunks", 1, "deep"): 26,
        ("trunks", 1, "deep", 0): 26,
        ("trunks", 1, "deep", 0, "when"): 27,
    }


def test_a_table_named_first_by_its_child_is_noted_at_its_own_header() -> None:
    lines = key_lines("[a.b]\nx = 1\n[a]\ny = 2\n")
    assert (lines[("a",)], lines[("a", "b")], lines[("a", "y")]) == (3, 1, 4)


def test_windows_line_ends_count_once() -> None:
    assert key_lines("a = 1\r\nb = '''\r\n\r\n'''\r\nc = 3\r\n")[("c",)] == 5


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a = []", "a = {}", "a = [[], [[]]]", "[a]", "[[a]]"])
def test_little_files(text: str) -> None:
    same_structure(text)


def test_a_missing_key_has_the_line_of_its_table() -> None:
    lines = key_lines("\n[[trunks]]\nname = 'x'\n")
    assert line_of(lines, ("trunks", 0, "listener")) == 2
    assert line_of(lines, ("trunks", 0, "name")) == 3
    assert line_of(lines, ("listeners",)) == 1
    assert line_of(lines, ()) == 1


def test_what_tomllib_would_refuse_does_not_hang() -> None:
    with pytest.raises(ValueError, match="line 2 is not TOML"):
        key_lines("a = 1\n!!! = 2")


# -- generated documents ------------------------------------------------------------------------

BARE = st.text(st.sampled_from("abcXYZ019_-"), min_size=1, max_size=4)
QUOTED = st.text(st.sampled_from("ab .#=[]{},'\"\\\té😀"), max_size=5)
DECOYS = st.lists(st.sampled_from(["[t]", "[[t]]", "k = 1", "#", ",", "]", "}", "=", "''", '\\"', "\\\\"]), max_size=4)
BLANKS = st.sampled_from(["", " ", "\t", "  "])
GAPS = st.sampled_from(["", " ", "\n", "\n# a ] , } decoy\n", " # [x]\n\n\t"])


class Writer:
    """Writes random TOML in which every leaf holds a number of its own, `<n>`."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.count = 0

    def token(self) -> str:
        self.count += 1
        return f"9{self.count:05d}9"

    def key(self) -> str:
        if self.draw(st.booleans()):
            return self.draw(BARE)
        text = self.draw(QUOTED)
        if "'" not in text and self.draw(st.booleans()):
            return f"'{text}'"
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("é", "\\u00e9")
        return f'"{escaped}"'

    def dotted(self) -> str:
        blank = self.draw(BLANKS)
        return f"{blank}.{blank}".join(self.key() for _ in range(self.draw(st.integers(1, 3))))

    def scalar(self) -> str:
        token, decoy = self.token(), "".join(self.draw(DECOYS))
        forms = [token, f"{token}.5", f"'{token}'", f'"{token} {decoy.replace(chr(34), "")}\\\\"']
        forms.append(f'"""{token}\n{decoy} ""x\n\\"""""""')
        forms.append(f"'''{token}\n{decoy.replace(chr(39), chr(34))}\n'x' '''''")
        return self.draw(st.sampled_from(forms))

    def value(self, depth: int) -> str:
        kind = self.draw(st.sampled_from(["scalar", "scalar", "array", "inline"] if depth else ["scalar"]))
        if kind == "array":
            gap = self.draw(GAPS)
            inner = [self.value(depth - 1) for _ in range(self.draw(st.integers(0, 3)))]
            comma = self.draw(st.sampled_from(["", ","])) if inner else ""
            return f"[{gap}" + f"{gap},{gap}".join(inner) + f"{comma}{gap}]"
        if kind == "inline":
            pairs = [f"{self.dotted()} = {self.value(depth - 1)}" for _ in range(self.draw(st.integers(0, 3)))]
            return "{ " + ", ".join(pairs) + " }"
        return self.scalar()

    def line(self) -> str:
        match self.draw(st.sampled_from(["pair", "pair", "pair", "table", "tables", "blank"])):
            case "pair":
                blank = self.draw(BLANKS)
                return f"{blank}{self.dotted()}{blank}={blank}{self.value(3)}{blank}# decoy = [1]"
            case "table":
                return f"[ {self.dotted()} ] # decoy"
            case "tables":
                return f"[[{self.dotted()}]]"
        return self.draw(GAPS)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is no failure
@given(st.data())
def test_generated_files_have_tomllib_s_structure_and_true_lines(data: st.DataObject) -> None:
    """Every leaf's line holds that leaf's number; lines that make the file invalid are left out."""
    writer = Writer(data)
    text, parsed = "", {}
    for _ in range(data.draw(st.integers(1, 12))):
        longer = f"{text}{writer.line()}\n"
        try:
            parsed = tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        text = longer
    assume(parsed)
    lines = key_lines(text)
    assert set(lines) == set(paths(parsed))
    rows = text.split("\n")
    for path, leaf in leaves(parsed):
        number = re.search(r"9\d{5}9", str(leaf))
        assert number is not None
        assert number[0] in rows[lines[path] - 1]


FRAGMENTS = (
    "[a]",
    "[a.b]",
    "[[a]]",
    "[[a.b]]",
    "[[c]]",
    "[c.a]",
    "[c.a.b]",
    "[[c.d]]",
    "[c.d.e]",
    "x = 1",
    "a.b = 2",
    "x.y = 3",
)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12))
def test_headers_in_any_order(fragments: list[str]) -> None:
    text = ""
    for fragment in fragments:
        try:
            tomllib.loads(f"{text}{fragment}\n")
        except tomllib.TOMLDecodeError:
            continue
        text += f"{fragment}\n"
    same_structure(text)
