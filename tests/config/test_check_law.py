"""Rules against the law and the trust domain."""

from __future__ import annotations

import tomllib

import pytest

from config.check_law import law_mistakes
from config.problem import key_text

FILE = """
[privacy.floor]
number = "anonymise"
[[trunks]]
name = "t"
trusted = true
pstn = true
privacy = { name = "anonymise", number = "indicate" }
[[trunks]]
name = "v"
trusted = true
[[trunks]]
name = "u"
privacy = { number = "anonymise" }
[[rules]]
level = "contract"
trunks = ["v"]
privacy = { number = "indicate" }
[[rules]]
level = "floor"
privacy = { number = "indicate" }
"""


def found(text: str) -> list[tuple[str, str]]:
    return [(key_text(each.path), key_text(each.also or ())) for each in law_mistakes(tomllib.loads(text))]


def test_a_good_file_has_none() -> None:
    """A floor or default is for all trunks: where the law stands above it, it holds for the others."""
    assert found(FILE) == []
    assert found("") == []


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('number = "indicate"', 'number = "anonymise"', ("trunks[0].privacy.number", "trunks[0].pstn")),
        ('number = "indicate"', 'number = "pseudonymise"', ("trunks[0].privacy.number", "trunks[0].pstn")),
        ('trunks = ["v"]\nprivacy = { number = "indicate"', 'trunks = ["t"]\nprivacy = { number = "anonymise"',
         ("rules[0].privacy.number", "trunks[0].pstn")),
        ('trunks = ["v"]', 'trunks = ["v", "u"]', ("rules[0].privacy.number", "trunks[2]")),
    ],
)  # fmt: skip
def test_each_mistake_names_both_places(old: str, new: str, mistake: tuple[str, str]) -> None:
    """47 CFR 64.1601(a), RFC 3325 §7."""
    assert old in FILE
    assert found(FILE.replace(old, new, 1)) == [mistake]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('trunks = ["v"]\nprivacy = { number = "indicate"', 'trunks = ["t", "v"]\nprivacy = { number = "anonymise"'),
        ('trunks = ["v"]\nprivacy = { number = "indicate"',
         'direction = "in"\ntrunks = ["t"]\nprivacy = { number = "anonymise"'),
        ('number = "indicate"', 'number = 5'),
        ('trunks = ["v"]', "trunks = 5"),
    ],
)  # fmt: skip
def test_what_holds_somewhere_is_none(old: str, new: str) -> None:
    assert found(FILE.replace(old, new, 1)) == []
