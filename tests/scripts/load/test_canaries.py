"""What is planted, and that it can be told apart."""

from __future__ import annotations

import itertools

from scripts.load.canaries import CALLER_AGENT, CALLER_HEADERS, CANARIES, DIALLED, KEYS, planted, sent


def test_marks_are_not_sent() -> None:
    """The value stays, lines end with CRLF, and the last does not end."""
    assert sent("A: {a place|Gundula}\nB: <sip:{other|x y}@h>\n") == "A: Gundula\r\nB: <sip:x y@h>"
    assert not any("{" in sent(text) for text in KEYS.values())


def test_every_mark_is_searched_for() -> None:
    """A number without its plus: tel URIs, user parts and texts have it without."""
    assert planted("A: {a place|Gundula}", "B: {number|+4930}") == {"a place": b"Gundula", "number": b"4930"}
    assert all(sent(text).encode().count(value) for text in (CALLER_HEADERS,) for value in planted(text).values())


def test_no_value_stands_in_another() -> None:
    """Else the report would name the wrong place."""
    for one, other in itertools.permutations(CANARIES.values(), 2):
        assert one.lower() not in other.lower()


def test_values_are_long_enough_not_to_turn_up_by_chance() -> None:
    """Decoded tokens are random bytes, of which a million calls have a billion."""
    assert min(map(len, CANARIES.values())) >= 6


def test_one_place_has_one_value() -> None:
    """What is planted in two texts is the same value."""
    headers, agent = planted(CALLER_HEADERS), planted(CALLER_AGENT)
    assert agent.items() <= headers.items()


def test_what_the_trunk_must_know_is_no_canary() -> None:
    """The number that was dialled."""
    assert not any(value in DIALLED.encode() for value in CANARIES.values())
