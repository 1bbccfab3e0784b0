"""Results in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from scripts.load.report import as_json, text
from scripts.load.result import Leak, Reloading
from tests.scripts.load.results import GOOD, result


def test_words() -> None:
    """What was asked for, on a line each."""
    shown = text(GOOD)
    assert shown.startswith("rich: 1000 calls, 100/s offered\n  calls/s             99.9\n")
    assert "p50 24, p90 28, p99 32, max 64 (rings 20)" in shown
    assert "412 µs a call, 4 % of a core" in shown
    assert "3000 messages at the trunk, 2900 of them decoded too" in shown
    assert shown.endswith("\n  no leaks")


def test_leaks_are_named() -> None:
    """By the place where they were planted and the messages that they arrived in."""
    leaks = [Leak("PAI name", "ACK", 3), Leak("PAI name", "INVITE", 5), Leak("cell", "200 to BYE", 1)]
    shown = text(result(leaks=leaks)).splitlines()
    assert "  no leaks" not in shown
    assert shown[-2:] == ["    PAI name: ACK 3, INVITE 5", "    cell: 200 to BYE 1"]


def test_failures_say_why() -> None:
    """SIPp's reasons, and the first message that nobody expected."""
    failed = result(failed=3, reasons={"UnexpectedMessage": 3}, surprise="while expecting 180, received SIP/2.0 513")
    assert "failed              3 (UnexpectedMessage 3; while expecting 180, received SIP/2.0 513)" in text(failed)


def test_workers_and_the_like() -> None:
    """Each process's share of the work; nothing was completed, so there is no CPU per call."""
    shown = text(result(workers=2, limit=50, sources=64, ports=32, cpu_us_by_process=[0, 30, 10], cpu_us_per_call=None))
    assert "offered, at most 50 in flight, 64 sources, 32 ports, 2 workers\n" in shown
    assert "- µs a call, 4 % of a core (0 %, 75 %, 25 %)" in shown


def test_reloads() -> None:
    """Not a word of them where there were none; why the first was refused."""
    assert "reload" not in text(GOOD)
    some = Reloading(made=9, refused=[], longest_ms=120.4, gap_ms=31.2, other_gap_ms=9.8)
    assert (
        "  reloads             9 made in up to 120 ms, 0 refused; longest pause 31 ms while reloading, 10 otherwise\n"
    ) in text(result(reloads=some))
    none = replace(some, made=0, refused=["a.toml:3: no", "b"])
    assert "0 made in up to 120 ms, 2 refused (a.toml:3: no); " in text(result(reloads=none))
    assert json.loads(as_json([result(reloads=some)]))["runs"][0]["reloads"]["gap_ms"] == 31.2
    assert json.loads(as_json([GOOD]))["runs"][0]["reloads"] is None


def test_json() -> None:
    """All figures, under the names of the fields."""
    leaking = result(leaks=[Leak("cell", "INVITE", 2)])
    read = json.loads(as_json([GOOD, leaking]))
    assert read["version"] == 1
    assert read["leaking"] is True
    assert [run["leaks"] for run in read["runs"]] == [[], [{"place": "cell", "message": "INVITE", "messages": 2}]]
    assert read["runs"][0]["set_up_ms"]["p99"] == 32.0
    assert json.loads(as_json([GOOD]))["leaking"] is False
