"""What a caller asks for with Privacy (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1.2, RFC 5379 table 1)."""

from __future__ import annotations

import pytest

from config.settings import Limits
from config.vocabulary import Action, Category
from filters.request import NOTHING, STRICTEST, Asked, asked
from proxy.errors import Refused
from proxy.message import Message
from proxy.parse import parse
from tests.agents import ALICE

ID = {Category.NAME, Category.NUMBER}
USER = ID | {Category.SOFTWARE, Category.DEVICE, Category.LOCATION, Category.NETWORK, Category.HISTORY}
HEADER = {Category.NETWORK, Category.HISTORY, Category.SOFTWARE}


def request(*lines: bytes) -> Message:
    return parse(ALICE.request(headers=lines).data, Limits())


def hidden(wish: Asked) -> set[Category]:
    return {category for category, action in wish.actions.items() if action is not Action.KEEP}


def test_without_the_header_nothing_is_asked() -> None:
    """Then settings alone decide (RFC 3323 §4.3: a user's standing preference)."""
    assert asked(request()) == NOTHING


@pytest.mark.parametrize(
    ("lines", "categories"),
    [
        ([b"Privacy: id"], ID),
        ([b"Privacy: user"], USER),
        ([b"Privacy: header"], HEADER),
        ([b"Privacy: history"], {Category.HISTORY}),
        ([b"PRIVACY : ID"], ID),
        ([b"privacy:Id"], ID),
        ([b"Privacy: id;history"], ID | {Category.HISTORY}),
        ([b"Privacy: id ; history"], ID | {Category.HISTORY}),
        ([b"Privacy: id, history"], ID | {Category.HISTORY}),
        ([b"Privacy: id,;history;"], ID | {Category.HISTORY}),
        ([b"Privacy: id;\r\n history"], ID | {Category.HISTORY}),
        ([b"Privacy: id", b"Privacy: header"], ID | HEADER),
        ([b"Privacy: id", b"X-Between: 1", b"privacy: HISTORY,id"], ID | {Category.HISTORY}),
        ([b"Privacy: id;critical"], ID),
        ([b"Privacy: critical", b"Privacy: user"], USER),
        ([b"Privacy: critical"], set()),
    ],
)
def test_each_value_hides_its_categories(lines: list[bytes], categories: set[Category]) -> None:
    """In any case, joined by `;` or `,` (standards.md §2.1), and in several fields; values add up."""
    wish = asked(request(*lines))
    assert hidden(wish) == categories
    assert not wish.relaxed


@pytest.mark.parametrize(
    "lines",
    [
        [b"Privacy: full"],
        [b"Privacy: id;full"],
        [b'Privacy: "id"'],
        [b"Privacy: id=1"],
        [b"Privacy:"],
        [b"Privacy: ;,"],
        [b"Privacy: id", b"Privacy: full"],
        [b"Privacy: none;id"],
        [b"Privacy: none", b"Privacy: id"],
        [b"Privacy: none;none"],
        [b"Privacy: none", b"Privacy: none"],
    ],
)
def test_what_is_not_understood_counts_as_the_strictest(lines: list[bytes]) -> None:
    """design.md §2: unknown, malformed or empty; RFC 3323 §4.2: `none` stands alone, and each value once."""
    assert asked(request(*lines))[:2] == (STRICTEST, False)


def test_the_strictest_hides_everything_but_content() -> None:
    """Content is what a caller sends on purpose; it has a setting of its own."""
    assert hidden(Asked(STRICTEST, relaxed=False)) == set(Category) - {Category.CONTENT}


@pytest.mark.parametrize("line", [b"Privacy: none", b"privacy: NONE", b"Privacy: None ;"])
def test_none_relaxes_and_hides_nothing(line: bytes) -> None:
    """RFC 3323 §4.2: the privacy service must not perform any privacy function."""
    assert asked(request(line))[:2] == ({}, True)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([b"Privacy: session;critical"], "session"),
        ([b"Privacy: critical;id;session"], "session"),
        ([b"Privacy: CRITICAL", b"Privacy: Session"], "session"),
        ([b"Privacy: none;critical"], "none"),
        ([b"Privacy: session;none;critical"], "session none"),
        ([b"Privacy: alice-was-here;critical"], "unknown value"),
    ],
)
def test_critical_and_unmet_is_refused(lines: list[bytes], named: str) -> None:
    """RFC 3323 §5: 500 that lists what is not supported; values of the caller's own invention are not repeated."""
    with pytest.raises(Refused, match=rf"^Privacy cannot be met: {named}$") as refused:
        asked(request(*lines))
    assert refused.value.code == 500
    assert asked(request(*lines), session="degrade", critical=False).actions, (
        "within a dialog it is met as far as it can be"
    )
