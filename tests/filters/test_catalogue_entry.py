"""Each entry is read, or everything that is wrong with it is said with its key and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.vocabulary import Category
from filters.catalogue import PACKAGED
from filters.catalogue_entry import Reader
from filters.catalogue_file import FIELDS, Sections, merge
from filters.entry import BodyEntry, HeaderEntry
from filters.zones import Towards


def sections(folder: Path, text: str) -> Sections:
    path = folder / "own.toml"
    path.write_text(text)
    return merge([PACKAGED, path]).sections


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a file that is laid over ours, without its folder."""
    merged = sections(folder, text)
    reader = Reader(merged)
    reader.lists()
    for section in FIELDS:
        for entry in merged[section].values():
            reader.header(entry)
    for section, read in (("bodies", reader.body), ("patterns", reader.pattern), ("compact", reader.compact)):
        for entry in merged[section].values():
            read(entry)
    return [str(each).replace(f"{folder}/", "") for each in reader.problems]


def test_a_field(tmp_path: Path) -> None:
    """Category, form with lists and grammars, zones."""
    merged = sections(tmp_path, """
        [lists]
        colours = ["red", "green"]
        [headers]
        x-a = { category = "number", zones = { trusted = "remove", core = "keep" } }
        x-b = { category = "function", form = "value", values = "colours", params = { n = "digits", f = true } }
        x-c = { category = "function", form = "match", pattern = '(?:{colours})\\d' }
        x-d = { category = "function", form = "flag", besides = ["name", "device"] }
    """)  # fmt: skip
    reader = Reader(merged)
    first, second, third = (reader.header(merged["headers"][name]) for name in ("x-a", "x-b", "x-c"))
    assert not reader.problems
    assert first
    assert second
    assert third
    fourth = reader.header(merged["headers"]["x-d"])
    assert fourth
    assert fourth.besides == {Category.NAME, Category.DEVICE}
    assert second.besides == frozenset()
    assert first == HeaderEntry(Category.NUMBER, False, None, frozenset({Towards.TRUSTED}))
    assert second.form
    assert third.form
    assert second.form(b"red;n=1;f;x=2") == b"red;n=1;f"
    assert [third.form(value) for value in (b"green7", b"blue7")] == [b"green7", None]


def test_a_body(tmp_path: Path) -> None:
    """Categories, a handling, or both: then what may pass is cleaned."""
    merged = sections(
        tmp_path, '[bodies]\n"A/b" = {category = "content", handling = "cpim", zones = {access = "remove"}}'
    )
    reader = Reader(merged)
    assert reader.body(merged["bodies"]["a/b"]) == BodyEntry((Category.CONTENT,), "cpim", frozenset({Towards.ACCESS}))


VALUE = '[headers]\nx = {category = "function", form = "value", '
OWN = '[patterns]\nalice = {category = "name", pattern = '
MATCH = '[headers]\nx = {category = "function", form = "match", '
NAME = '[headers]\nx = {category = "name", '


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[headers]\nx = 1", 'own.toml:2: headers.x: 1 is not a table; write it like { category = "device" }'),
        ('[headers]\nx = {category = "nam"}', 'headers.x.category: "nam" is not a category; write one of '),
        ("[headers]\nx = {}", "headers.x.category: names no category; write one of content, credentials"),
        (
            '[headers]\nx = {category = "function"}',
            "headers.x: is a function without a form; write form = one of codec",
        ),
        (NAME + 'form = "flag"}', "headers.x.form: has a form and is no function, but name"),
        (NAME + 'values = ["a"]}', "headers.x.values: is not a key that Sipveil knows here; name"),
        (NAME + 'sorce = "a"}', "headers.x.sorce: is not a key that Sipveil knows here; did you"),
        (NAME + "source = 1}", "headers.x.source: 1 is not a text"),
        (NAME + "weaken = 1}", "headers.x.weaken: 1 is not true or false"),
        (
            '[headers]\n"x y" = {category = "name"}',
            'headers."x y": is no name that a message can hold, so it never matches',
        ),
        ('[sdp.lines]\nxy = {category = "name"}', "sdp.lines.xy: is no name that a message can hold"),
        ('[bodies]\nx = {category = "name"}', "bodies.x: is no name that a message can hold"),
        ('[headers]\nx = {category = "function", form = "alice"}', 'headers.x.form: "alice" is no form; write one of'),
        ('[headers]\nx = {category = "function", form = 1}', "headers.x.form: 1 is no form"),
        ('[headers]\nx = {category = "function", form = "match"}', "headers.x: has no pattern, which form match needs"),
        ('[headers]\nx = {category = "function", form = "value"}', "headers.x.form: cannot be used: needs `values`"),
        (VALUE + 'values = ["a"], valves = 1}', "valves: is not a key that Sipveil knows here; did you mean values?"),
        (
            VALUE + 'values = "method"}',
            'values: "method" is neither in [lists] nor in [grammars]; did you mean methods?',
        ),
        (VALUE + "values = [1]}", "headers.x.values: is not a list of words"),
        (VALUE + 'values = ["a"], params = {q = "alice"}}', 'headers.x.params.q: "alice"'),
        (VALUE + 'values = ["a"], params = {q = 1}}', "headers.x.params.q: is not a list"),
        (VALUE + 'values = ["a"], many = 1}', "headers.x.many: 1 is not true or false"),
        (VALUE + 'values = ["a"], separator = ""}', 'headers.x.separator: "" is no sep'),
        (MATCH + "pattern = 1}", "headers.x.pattern: 1 is not a regular expression"),
        (MATCH + 'pattern = "("}', "headers.x.form: cannot be used: missing )"),
        (MATCH + 'pattern = "{alice}"}', 'headers.x.pattern: "alice" is neither'),
        ("[grammars]\nx = 1", "grammars.x: 1 is not a regular expression"),
        ('[compact]\nxy = "via"', "compact.xy: is no compact form"),
        ('[patterns]\nalice = {category = "name"}', "patterns.alice: is no pattern; write one of address"),
        (OWN + "'('}", "patterns.alice.pattern: cannot be used: missing )"),
        (OWN + "5}", "patterns.alice.pattern: 5 is not a regular expression"),
        (OWN + "'a*'}", "patterns.alice.pattern: stands in every text"),
        (OWN + "'{nosuch}'}", 'patterns.alice.pattern: "nosuch" is neither'),
        ("[patterns]\nmac = {category = 'device', pattern = 'x'}", "patterns.mac.pattern: is a pattern of ours"),
        ('[patterns]\nmac = {category = "function"}', "patterns.mac.category: a pattern discloses something"),
        (
            '[bodies]\n"a/b" = {category = "function", handling = "alice"}',
            'bodies."a/b".handling: "alice" is no handling',
        ),
        ('[bodies]\n"a/b" = {category = "function"}', 'bodies."a/b": is a function without a handling'),
        ('[bodies]\n"a/b" = {category = []}', 'bodies."a/b".category: an array is not a category'),
        (
            VALUE + 'values = ["a"], besides = "name"}',
            "headers.x.besides: is not a list of categories; write a list of",
        ),
        (VALUE + 'values = ["a"], besides = []}', "headers.x.besides: is not a list of categories"),
        (VALUE + 'values = ["a"], besides = ["function"]}', "headers.x.besides: is not a list of categories"),
        (VALUE + 'values = ["a"], besides = ["nam"]}', 'headers.x.category: "nam" is not a category'),
        (NAME + 'besides = ["name"]}', "headers.x.besides: says what its form keeps out and has none"),
        (
            '[headers]\nx = {category = "function", core = true, form = "flag", besides = ["name"]}',
            "headers.x.besides: says what its form keeps out and has none that a plan applies",
        ),
        (NAME + "zones = 1}", "headers.x.zones: 1 is not a table"),
        (NAME + 'zones = {trunk = "remove"}}', "zones.trunk: is not a zone; write one of access, core, trusted"),
        (NAME + 'zones = {core = "seal"}}', 'headers.x.zones.core: "seal" is no action for a zone'),
        (
            NAME + 'zones = {trusted = "keep"}}',
            "zones.trusted: cannot open what the category's decision hides: the stricter of the two holds",
        ),
        (NAME + 'zones = {psap = "remove"}}', "headers.x.zones.psap: is removed from emergency calls"),
        (NAME + 'core = true, zones = {core = "remove"}}', "headers.x.zones: is edited by Sipveil itself"),
    ],
)
def test_mistake(tmp_path: Path, text: str, problem: str) -> None:
    """One each, at its key, and no other shadow of it."""
    [only] = problems(tmp_path, text)
    assert problem in only
    assert only.startswith("own.toml:2: ")


def test_several_mistakes_of_one_entry(tmp_path: Path) -> None:
    found = problems(tmp_path, '[headers]\nx = {category = "nam", zones = {cor = "remove"}, sorce = "a"}')
    assert [each.partition(": ")[2].partition(": ")[0] for each in found] == [
        "headers.x.sorce", "headers.x.category", "headers.x.zones.cor",
    ]  # fmt: skip


def test_ours_is_without_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == []
