"""Catalogue files are merged as they are written, and every entry knows its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters.catalogue_file import SECTIONS, Merged, merge


def merged(folder: Path, *texts: str) -> Merged:
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"{number}.toml")
        paths[-1].write_text(text)
    return merge(paths)


def test_later_entries_win_and_their_globs_come_first(tmp_path: Path) -> None:
    found = merged(
        tmp_path, '[headers]\na = 1\n"x-*" = 2\n"y-*" = 3', '[headers]\nA = 4\n"z-*" = 5\n"y-*" = 6\n"w*" = 7'
    )
    headers = found.sections["headers"]
    assert [(key, entry.raw) for key, entry in headers.items() if entry.is_glob] == [
        ("z-*", 5), ("y-*", 6), ("w*", 7), ("x-*", 2),
    ]  # fmt: skip
    assert headers["a"].raw == 4
    assert found.ours["headers"]["a"].raw == 1


def test_lists_grow(tmp_path: Path) -> None:
    found = merged(tmp_path, '[lists]\nmethods = ["A"]', '[lists]\nmethods = ["B"]')
    assert found.sections["lists"]["methods"].raw == ["A", "B"]
    assert found.ours["lists"]["methods"].raw == ["A"]


def test_case_counts_in_attributes_alone(tmp_path: Path) -> None:
    """RFC 8866 §6, RFC 3261 §7.3.1."""
    sections = merged(tmp_path, "[headers]\nX-A = 1\n[sdp.attributes]\nT38 = 2").sections
    assert list(sections["headers"]) == ["x-a"]
    assert list(sections["sdp.attributes"]) == ["T38"]
    assert set(sections) == set(SECTIONS)


def test_place(tmp_path: Path) -> None:
    found = merged(tmp_path, "\n[sdp.lines]\nv = { a = 1 }\n")
    entry = found.sections["sdp.lines"]["v"]
    assert entry.place == f"{tmp_path}/0.toml:3"
    assert str(entry.problem("is wrong", "mend it", "a")) == f"{tmp_path}/0.toml:3: sdp.lines.v.a: is wrong; mend it"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[headers", "0.toml:1: is not TOML"),
        ("x = 1", "0.toml:1: x: is not a section of a catalogue; known here: headers"),
        ("headers = 1", "0.toml:1: headers: is not a section; write [headers]"),
        ("\n[header]\n", "0.toml:2: header: is not a section of a catalogue; did you mean [headers]?"),
        ("[sdp]\nline = {}", "0.toml:2: sdp.line: is not a section of a catalogue; did you mean [sdp.lines]?"),
        ("sdp = 1", "0.toml:1: sdp: is not a section of a catalogue"),
        ('[lists]\nx = ["a", 1]', "0.toml:2: lists.x: is not a list of words"),
    ],
)
def test_mistakes_do_not_hide_the_rest(tmp_path: Path, text: str, problem: str) -> None:
    found = merged(tmp_path, text, "[headers]\na = 1")
    [only] = found.problems
    assert f"{tmp_path}/{problem}" in str(only)
    assert "a" in found.sections["headers"]
