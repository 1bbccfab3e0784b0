"""Tables of a comparison."""

from __future__ import annotations

import io

from rich.console import Console

from scripts.benchmark.generator import Played
from scripts.benchmark.peers import Turn
from scripts.benchmark.report import console, peers_tables, ratio_of, show_turn, unique, verdicts
from tests.scripts.benchmark.test_generator import PLAYED

GOOD = Played(**{**PLAYED, "completed": 10})  # type: ignore[arg-type]
LOST = Played(**PLAYED)  # type: ignore[arg-type]


def turn(name: str, number: int, cpu: float, played: Played = GOOD, others: float = 0.0) -> Turn:
    return Turn(name, "saturated", number, played, cpu, 1 << 20, 1.0, others, 100.0)


TURNS = [turn("sipveil", 0, 200), turn("kamailio", 0, 100), turn("sipveil", 1, 600), turn("kamailio", 1, 200)]


def shown(*things: object) -> str:
    file = io.StringIO()
    plain = Console(file=file, width=200, color_system=None)
    for thing in things:
        plain.print(thing)
    return file.getvalue()


def test_rounds_are_compared_one_by_one() -> None:
    """The machine was half as fast in the second round; the ratios do not care."""
    assert ratio_of(TURNS, "sipveil", "kamailio") == (2.0, 2.5, 3.0)
    assert ratio_of(TURNS, "sipveil", "sipveil") is None


def test_table() -> None:
    text = shown(*peers_tables(TURNS))
    assert "saturated: least / median / greatest of 2 rounds" in text
    assert "200 / 400 / 600" in text
    assert "2.00 / 2.50 / 3.00" in text


def test_verdict() -> None:
    assert verdicts(TURNS) == ["saturated: sipveil costs 2.50 times kamailio"]
    assert verdicts(TURNS[1:2]) == []


def test_no_verdict_where_calls_were_lost() -> None:
    """What completes nothing costs nothing."""
    turns = [*TURNS[:3], turn("kamailio", 1, 200, LOST)]
    assert verdicts(turns) == ["saturated: no comparison of sipveil with kamailio: kamailio lost calls"]


def test_line_of_a_turn() -> None:
    file = io.StringIO()
    show_turn(Console(file=file, width=250), turn("sipveil", 0, 321, LOST, others=0.4))
    text = file.getvalue()
    assert "round 1" in text
    assert "321 µs/call" in text
    assert "20.0% failed {'503': 1}" in text
    assert "others had 40% of the core" in text


def test_unique() -> None:
    assert unique(["b", "a", "b"]) == ["b", "a"]


def test_console_of_a_pipe_is_wide() -> None:
    assert console().width >= 80
