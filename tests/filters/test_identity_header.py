"""Whether an Identity header goes on: what it signs, against the message before and after."""

from __future__ import annotations

from typing import Any

import pytest

from config.vocabulary import Action, Category
from filters.identity_header import Verdict, judge
from filters.patterns import leaks
from filters.said import Said
from proxy.policy import KEEP_ALL, pack
from tests.passports import claims, compact_form, value

KEYS = frozenset(((b"sha-256", b"AB"),))
MKY = [{"alg": "sha-256", "dig": "AB"}]
SAID = Said(frozenset((b"15550142", b"x@h")), frozenset((b"15550100",)), (b"sip:f@h", b"sip:t@h"), b"now", KEYS)


def verdict(header: bytes, *hidden: Category, before: Said = SAID, **after: Any) -> Verdict:
    decision = pack(dict.fromkeys(hidden, Action.REMOVE)) if hidden else KEEP_ALL
    return judge(header, before, before._replace(**after), decision, lambda text: leaks(text) is not None)


def test_nothing_changed() -> None:
    assert verdict(value()) is Verdict.KEPT
    assert verdict(value(), *Category) is Verdict.KEPT, "it tells nothing that the message does not say itself"
    assert verdict(value(claims(mky=MKY))) is Verdict.KEPT
    assert verdict(compact_form(), *Category) is Verdict.KEPT


BROKEN: list[dict[str, Any]] = [
    {"callers": frozenset((b"x@h",))},
    {"called": frozenset((b"15550199",))},
    {"date": b"later"},
    {"date": b""},
]


@pytest.mark.parametrize("after", BROKEN)
def test_an_edit_breaks_it(after: dict[str, Any]) -> None:
    assert verdict(value(), **after) is Verdict.BROKEN


@pytest.mark.parametrize("after", [{"literal": (b"sip:g@h", b"sip:t@h")}, {"literal": (b"sip:f@h", b"")}, BROKEN[0]])
def test_an_edit_breaks_the_compact_form(after: dict[str, Any]) -> None:
    """Which has its claims from From, To and Date, or from P-Asserted-Identity."""
    assert verdict(compact_form(), **after) is Verdict.BROKEN


def test_keys_count_where_they_are_signed() -> None:
    """Media keys: `mky` and the compact form speak of them, shaken without `mky` does not."""
    assert verdict(value(claims(mky=MKY)), keys=frozenset()) is Verdict.BROKEN
    assert verdict(compact_form(), keys=frozenset()) is Verdict.BROKEN
    assert verdict(value(), keys=frozenset()) is Verdict.KEPT


def test_a_hidden_number() -> None:
    """A message that no longer says it has no header that does."""
    assert verdict(value(), Category.NUMBER, callers=frozenset((b"x@h",))) is Verdict.REVEALING
    assert verdict(value(claims("15550999")), Category.NUMBER) is Verdict.REVEALING, "nor one that it never said"


def test_what_did_not_stand_before_was_not_broken_here() -> None:
    """A proxy that only passes it on leaves it to whoever verifies (RFC 8224 §6)."""
    assert verdict(value(claims("15550999"))) is Verdict.KEPT
    assert verdict(value(claims(dest="15550999"))) is Verdict.KEPT
    assert verdict(value(claims(dest="15550999")), Category.HISTORY) is Verdict.REVEALING, "it was called first"


@pytest.mark.parametrize(
    ("more", "category"),
    [
        ({"rcd": {"nam": "Alice"}}, Category.NAME),
        ({"crn": "why"}, Category.NAME),
        ({"div": {"tn": "15550100"}}, Category.HISTORY),
        ({"opt": "a.b.c"}, Category.HISTORY),
        ({"opt": "a.b.c"}, Category.NUMBER),
        ({"x-device": "a"}, Category.UNKNOWN),
    ],
)
def test_claims_about_what_is_hidden(more: dict[str, Any], category: Category) -> None:
    assert verdict(value(claims(**more))) is Verdict.KEPT
    assert verdict(value(claims(**more)), category) is Verdict.REVEALING


@pytest.mark.parametrize(
    "header",
    [
        value(claims(origid="f81d4fae-7dec-11d0-a765-00a0c91e6bf6")),
        value(claims(rcd={"nam": "\u202810.1.2.3"})),
        value(params=b";info=<https://10.1.2.3/c.pem>"),
    ],
)
def test_patterns_in_what_it_says(header: bytes) -> None:
    """A device id as `origid`, an address of the inside as place of the certificate."""
    assert verdict(header) is Verdict.REVEALING


def test_unreadable() -> None:
    assert verdict(b"junk", Category.DEVICE) is Verdict.UNREADABLE
    assert verdict(b"junk") is Verdict.KEPT, "from whom nothing is hidden"
