"""Which line each key of a TOML file stands on, for error messages.

`tomllib` reports lines for syntax errors only. This scanner walks a text that tomllib has already
accepted and notes where each key, table and array element begins; values it merely skips, so it
needs no opinion about what they mean.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""The way to a value: keys of tables and indices of arrays, such as `("trunks", 0, "hosts", 1)`."""

# TOML 1.0: ws = %x20 / %x09; comment = "#" to the end of the line.
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
# unquoted-key = 1*( ALPHA / DIGIT / "-" / "_" ); quoted-key = basic-string / literal-string
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
# Multi-line strings may end in up to two quotes of their own: ml-basic-string-delim after *2( quote ).
# What is no string runs to the next delimiter; a date may hold a space.
_SCALAR = re.compile(
    r""""{3}(?:[^\\]|\\.)*?"{3,5}|'{3}.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^,\]}#\n]+""",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Path, int]:
    """Map the path of every table, key and array element of a valid TOML text to its line, from 1.

    A table that several headers build up is noted where it is first named or, if it has one, at its own header.
    """
    return _Scanner(text.replace("\r\n", "\n")).document()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of path or, for a key that is not in the file, of the table it is missing from."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Scanner:
    """A position in the text, and the lines noted so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1
        self._lines: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}

    def document(self) -> dict[Path, int]:
        """Scan expression after expression: headers and key-value pairs."""
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Path:
        """Scan `[table]` or `[[array of tables]]`; return the path that the following keys belong to."""
        line = self._line_here()
        depth = 2 if self._text.startswith("[[", self._at) else 1
        self._at += depth
        *parents, last = self._dotted_key()
        self._at += depth
        path: Path = ()
        for key in parents:
            path = self._newest((*path, key), line)
        path = (*path, last)
        if depth == 1:
            # The table's own header is where an operator looks for it, even if [table.sub] came before.
            self._lines[path] = line
            return path
        return self._append(path, line)

    def _newest(self, path: Path, line: int) -> Path:
        """Step into a parent table of a header: of an array of tables, that is its last element."""
        self._lines.setdefault(path, line)
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _append(self, path: Path, line: int) -> Path:
        """Begin the next element of an array of tables."""
        index = self._lengths.get(path, 0)
        self._lengths[path] = index + 1
        self._lines.setdefault(path, line)
        self._lines[(*path, index)] = line
        return (*path, index)

    def _pair(self, table: Path) -> None:
        """Scan `key = value`; the key may be dotted."""
        line = self._line_here()
        path = table
        for key in self._dotted_key():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._at += len("=")
        self._skip(_SPACE)
        self._value(path)

    def _dotted_key(self) -> list[str]:
        """Scan a key and the blanks around it, up to the `=` or `]` that ends it."""
        keys = [self._key()]
        while self._text[self._at] == ".":
            self._at += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        """Scan one part of a key with the blanks around it."""
        self._skip(_SPACE)
        raw = self._skip(_KEY)
        self._skip(_SPACE)
        return _unquoted(raw)

    def _value(self, path: Path) -> None:
        """Scan a value, noting the keys and elements inside it."""
        match self._text[self._at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        """Scan `[value, value]`, which may span lines and hold comments."""
        index = 0
        self._open()
        while self._text[self._at] != "]":
            self._lines[(*path, index)] = self._line_here()
            self._value((*path, index))
            self._comma()
            index += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        """Scan `{key = value, key = value}`."""
        self._open()
        while self._text[self._at] != "}":
            self._pair(path)
            self._comma()
        self._at += 1

    def _open(self) -> None:
        """Step over an opening bracket."""
        self._at += 1
        self._skip(_BLANK)

    def _comma(self) -> None:
        """Step over the comma after an element, if there is one."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Step over what pattern matches here, and return it."""
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"line {self._line_here()} is not TOML")
        self._at = match.end()
        return match[0]

    def _line_here(self) -> int:
        """Return the line of the position; counts each newline once, however often it is asked."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _unquoted(raw: str) -> str:
    """Return the key that a part of a dotted key stands for; escapes are tomllib's business."""
    if raw[0] not in "\"'":
        return raw
    (key,) = tomllib.loads(f"{raw} = 0")
    return key
