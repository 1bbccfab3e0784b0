"""What a caller asks for with Privacy (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1.2, RFC 5379 table 1)."""

from __future__ import annotations

import pytest

from config.settings import Limits
from config.vocabulary import Action, Category
from filters.request import NOTHING, STRICTEST, Asked, asked, beside, left_over
from proxy.dialled import Wish
from proxy.errors import Refused
from proxy.message import Message
from proxy.parse import parse
from proxy.policy import pack
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
        ([b"Privacy: session;alice-was-here"], "session"),
        ([b"Privacy: session"], "session"),
    ],
)
def test_critical_and_unmet_is_refused(lines: list[bytes], named: str) -> None:
    """RFC 3323 §5: 500 that lists what is not supported; values of the caller's own invention are not repeated."""
    with pytest.raises(Refused, match=rf"^Privacy cannot be met: {named}$") as refused:
        asked(request(*lines))
    assert refused.value.code == 500


RPID = b"Remote-Party-ID: <sip:+1555@x>"


@pytest.mark.parametrize(
    ("lines", "categories"),
    [
        ([RPID], set()),
        ([RPID + b";privacy=off"], set()),
        ([RPID + b";privacy=full"], ID),
        ([RPID + b";PRIVACY=Full-network"], ID),
        ([RPID + b";privacy=name"], {Category.NAME}),
        ([RPID + b';party=calling;privacy="uri , name"'], ID),
        ([RPID + b";privacy=off, <tel:+1555>;privacy=uri"], {Category.NUMBER}),
        ([RPID, RPID + b";privacy=nonsense"], ID),
        ([RPID + b";privacy"], ID),
        ([b'Remote-Party-ID: "A <sip:+1555@x>;privacy=off'], ID),
        ([b"Diversion: <sip:+1555@x>"], set()),
        ([b"Diversion: <sip:+1555@x>;privacy=off"], set()),
        ([b"Diversion: <sip:+1555@x>;privacy=name"], {Category.HISTORY}),
        ([b"Diversion: <sip:+1555@x>;privacy=off, <sip:+1666@x>;privacy=full"], {Category.HISTORY}),
        ([b"Diversion: <sip:+1555@x;Privacy=off"], {Category.HISTORY}),
        ([b"Diversion: <sip:+1555@x", b"Remote-Party-ID: 1555"], set()),
        ([RPID + b";privacy=full", b"Privacy: history"], ID | {Category.HISTORY}),
    ],
)
def test_a_privacy_parameter_is_a_wish(lines: list[bytes], categories: set[Category]) -> None:
    """draft-ietf-sip-privacy-04 §7.2, RFC 5806 §6; what is no word of theirs, or cannot be read, hides most."""
    message = request(*lines)
    assert hidden(asked(message)) == categories
    assert set(beside(message)) <= categories
    assert bool(asked(message).text) is bool(categories)


@pytest.mark.parametrize("other", [[b"Privacy: none"], []])
def test_what_it_hides_nothing_else_shows(other: list[bytes]) -> None:
    """Neither `Privacy: none` nor *82: of all that asks the strictest wins (peers.md row 5)."""
    message = request(RPID + b";privacy=full", *other)
    for wish in (Wish.NONE, Wish.SHOW):
        found = asked(message, wish)
        assert hidden(found) == ID
        assert not found.relaxed


def test_what_may_not_be_refused_goes_on_with_what_can_be_done() -> None:
    """A BYE, and a response, of which `critical` says nothing (RFC 3323 §4.2)."""
    assert hidden(asked(request(b"Privacy: critical;session"), refuse=False)) == {Category.NETWORK, Category.HISTORY}
    assert asked(request(b"Privacy: critical;full"), refuse=False)[:2] == (STRICTEST, False)


@pytest.mark.parametrize(
    ("lines", "shown", "left"),
    [
        ([b"id"], (), b""),
        ([b"id;header;critical"], (), b""),
        ([b"session;id"], (), b"session"),
        ([b"NONE"], (), b"none"),
        ([b"header;id", b"history"], (Category.NETWORK,), b"header"),
        ([b"header;history"], (Category.HISTORY,), b"header;history"),
        ([b"user"], (Category.DEVICE,), b"user"),
        ([b"id;user"], (Category.NAME, Category.NUMBER), b""),
        ([b"full"], (), b""),
    ],
)
def test_what_is_left_of_the_header(lines: list[bytes], shown: tuple[Category, ...], left: bytes) -> None:
    """RFC 3323 §5: only what was performed goes; a wish that is not granted for the caller's own sake goes too."""
    decision = pack({category: Action.REMOVE for category in Category if category not in shown})
    assert left_over(lines, decision) == left
