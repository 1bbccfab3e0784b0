"""What a call asks to be hidden in recordings: read once, and never mixed up with what another one asks."""

from __future__ import annotations

import pytest

from config.settings import Limits
from config.vocabulary import Category
from filters.withheld import Withheld
from proxy.dialled import Wish
from proxy.message import Message
from proxy.parse import parse
from proxy.policy import hides
from tests.agents import ALICE


def request(*lines: bytes) -> Message:
    return parse(ALICE.request(headers=lines).data, Limits())


@pytest.mark.parametrize(
    ("lines", "wish", "hidden_of_a_participant"),
    [
        ((), Wish.NONE, set()), ((b"Privacy: none",), Wish.NONE, set()), ((b"Privacy: history",), Wish.NONE, set()),
        ((), Wish.SHOW, set()), ((), Wish.WITHHOLD, {Category.NAME, Category.NUMBER}),
        ((b"Privacy: id",), Wish.NONE, {Category.NAME, Category.NUMBER}),
        ((b"Privacy: header",), Wish.NONE, {Category.NETWORK}),
        ((b"Privacy: session;critical",), Wish.NONE, {Category.NETWORK}),
        ((b"Privacy: none", b"Remote-Party-ID: <sip:a@b>;privacy=name"), Wish.NONE, {Category.NAME}),
    ],
    ids=["nothing", "none", "history", "shown", "prefix", "id", "header", "session", "rpid"],
)  # fmt: skip
def test_what_a_call_asks_for_recordings_have_to_know(
    lines: tuple[bytes, ...], wish: Wish, hidden_of_a_participant: set[Category]
) -> None:
    """As its Privacy header in a recording client's message would have it, and never refused for it."""
    found = Withheld().of(request(*lines), wish)
    told = {Category.NAME, Category.NUMBER, Category.NETWORK, Category.DEVICE, Category.LOCATION}
    assert {category for category in told if hides(found, category)} == hidden_of_a_participant
    assert bool(found) is bool(hidden_of_a_participant)


def test_a_from_that_is_nobodys_asks_for_privacy_whatever_stands_beside_it() -> None:
    data = ALICE.request(headers=(b"Privacy: none",)).data
    data = data.replace(b"alice@sip.example.net", b"anonymous@anonymous.invalid")
    found = Withheld().of(parse(data, Limits()), Wish.NONE)
    assert hides(found, Category.NUMBER)
    assert hides(found, Category.NAME)


def test_what_is_remembered_of_one_message_is_not_another_ones() -> None:
    """Of the same header beside a prefix, another privacy parameter or another From, each time all of it counts."""
    reader = Withheld()
    header = b"Privacy: header"
    assert not hides(reader.of(request(header), Wish.NONE), Category.NUMBER)
    assert hides(reader.of(request(header), Wish.WITHHOLD), Category.NUMBER)
    assert hides(reader.of(request(header, b"Remote-Party-ID: <sip:a@b>;privacy=full"), Wish.NONE), Category.NUMBER)
    assert hides(reader.of(request(header, b"Privacy: id"), Wish.NONE), Category.NUMBER)
    assert not hides(reader.of(request(header), Wish.NONE), Category.NUMBER)


def test_long_headers_fill_no_memory() -> None:
    reader = Withheld()
    for number in range(3):
        assert hides(reader.of(request(b"Privacy: " + b"x" * 100 + b"%d" % number), Wish.NONE), Category.NUMBER)
    assert len(reader._known) == 0
