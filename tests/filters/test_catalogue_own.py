"""An operator may be stricter and name what is new; what opens ours says so, and what never matches is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters.catalogue import PACKAGED
from filters.catalogue_file import merge
from filters.catalogue_own import Verdict, judge, overlap

FLAG = 'form = "flag"WEAKEN'
"""A form, and the place where an entry may say that it opens something."""


def verdict(folder: Path, text: str) -> Verdict:
    path = folder / "own.toml"
    path.write_text(text)
    merged = merge([PACKAGED, path])
    assert not merged.problems
    return judge(merged)


@pytest.mark.parametrize(
    "text",
    [
        '[headers]\nx-ticket = {category = "function", form = "value", grammar = "digits"}',
        '[headers]\nuser-agent = {category = "device"}',
        '[headers]\n"x-acme-*" = {category = "number", zones = {trusted = "remove"}}',
        '[headers]\n"x-*device*" = {category = "status"}',
        '[headers]\nallow = {category = "software"}',
        '[headers]\nmime-version = {category = "function", form = "flag", besides = ["software", "name"]}',
        '[headers]\nwarning = {category = "name"}',
        '[bodies]\n"application/sdp" = {category = "content"}',
        '[lists]\nmethods = ["DANCE"]\n[grammars]\nours = "x"',
        '[compact]\ns = "subject"',
        '[patterns]\nmac = {category = "status"}',
    ],
)
def test_what_is_theirs_to_say(tmp_path: Path, text: str) -> None:
    """Stricter, new, or another category that is hidden, too."""
    assert verdict(tmp_path, text) == ((), ())


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ('[headers]\nuser-agent = {category = "function", FLAG}', "user-agent of ours"),
        ('[headers]\nuser-agent = {category = "unknown"WEAKEN}', "user-agent of ours"),
        ('[headers]\nx-my-device = {category = "function", FLAG}', "x-*device* of ours"),
        ('[headers]\n"x-d*" = {category = "function", FLAG}', "x-*country* of ours"),
        ('[headers]\np-preferred-identity = {category = "number"WEAKEN}', "number, never towards access, trusted"),
        ('[headers]\nwarning = {category = "function", besides = ["name"], FLAG}', "besides content, name"),
        ('[headers]\nwarning = {category = "unknown"WEAKEN}', "warning of ours, which is function besides content"),
        ('[bodies]\n"text/*" = {category = "unknown"WEAKEN}', "text/* of ours, which is content"),
        ('[patterns]\nmac = {category = "unknown"WEAKEN}', "mac of ours"),
    ],
)  # fmt: skip
def test_weakening_takes_a_word(tmp_path: Path, text: str, opened: str) -> None:
    """Without weaken = true it is a mistake, with it a warning; both name both places."""
    refused = verdict(tmp_path, text.replace("FLAG", FLAG).replace("WEAKEN", ""))
    assert not refused.warnings
    assert opened in refused.problems[0].wrong
    assert "catalogue.toml:" in refused.problems[0].wrong
    assert "weaken = true" in refused.problems[0].right
    allowed = verdict(tmp_path, text.replace("FLAG", FLAG).replace("WEAKEN", ", weaken = true"))
    assert not allowed.problems
    assert opened in allowed.warnings[0].wrong
    assert "catalogue.toml:" in allowed.warnings[0].wrong
    assert allowed.warnings[0].line == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[headers]\ns = {category = "content"}', "never matches: it is read as subject ("),
        ('[compact]\nz = "subject"', "never matches: nobody writes z"),
        ('[compact]\ns = "x-subject"', "never matches: nobody writes s but for subject ("),
        ('[headers]\n"x-a*" = {category = "name"}\n"x-ab*" = {category = "number"}', "never matches: x-a* ("),
        ('[headers]\nvia = {category = "number"}', "is edited by Sipveil itself ("),
        ('[sdp.attributes]\ncandidate = {category = "number"}', "is edited by Sipveil itself ("),
        ('[headers]\nx-a = {category = "name", core = true}', "says that Sipveil edits it itself"),
        ('[grammars]\ndigits = ".*"', "is a grammar of ours ("),
        ('[headers]\nx-a = {category = "name", weaken = true}', "opens nothing that we hide"),
    ],
)
def test_mistake(tmp_path: Path, text: str, problem: str) -> None:
    found = verdict(tmp_path, text)
    assert [problem in each.wrong for each in found.problems] == [True]
    assert found.problems[0].right
    assert "(" not in problem or ".toml:" in found.problems[0].wrong, "both places"


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("x-*", "x-a*", True), ("*a", "a*", True), ("*a*", "*b*", True), ("x-*a", "x-*b", False), ("a*", "b*", False),
        ("ab", "a*b", True), ("ab", "ab", True), ("*", "", True), ("a", "", False), ("x-*-id", "x-*ucid*", True),
    ],
)  # fmt: skip
def test_overlap(one: str, other: str, shared: bool) -> None:
    """Whether a name fits both globs."""
    assert overlap(one, other) is overlap(other, one) is shared
