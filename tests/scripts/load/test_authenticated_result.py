"""What calls with passwords have shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scripts.benchmark.generator import Played
from scripts.load.authenticated_result import Authenticated, Calls
from scripts.load.looks import Sample

PLAYED = Played(
    created=100, completed=90, refused=7, expired=2, unfinished=1, elapsed=2.0, retransmissions=3, setup_p50=21.0,
    setup_p95=22.0, setup_p99=23.0, late=0.5, own_cpu=1e5, checked=270, leaks=0, leaked="", strangers=0,
    statuses={"503": 4, "403": 3}, setup_max=24.0, challenges=95, stale=1, expired_in={"BYE": 2, "ACK": 0},
)  # fmt: skip
FOUND = Authenticated(
    load=Calls(rate=50, seconds=2, accounts=20, sources=8), played=PLAYED, dropped=6, cpu_us_per_call=412.3,
    cpu_percent=4.0, generator_percent=2.0, resident_before=60 << 20, resident_after=64 << 20,
    samples=(Sample(1.0, {"calls/s": 5.0}),),
)  # fmt: skip
QUIET = replace(FOUND, played=PLAYED._replace(refused=4, expired=0, unfinished=0, statuses={"503": 4}))


def test_kinds_of_calls() -> None:
    """Lost without an answer, busy with 503, failed with any other."""
    assert (FOUND.lost, FOUND.busy, FOUND.failed) == (3, 4, 3)


@pytest.mark.parametrize(
    ("found", "failing"),
    [
        (QUIET, False),
        (replace(QUIET, played=QUIET.played._replace(unfinished=1)), True),
        (replace(QUIET, played=QUIET.played._replace(refused=5)), True),
    ],
    ids=["refused with 503", "lost", "failed"],
)
def test_failing(found: Authenticated, failing: bool) -> None:
    assert found.failing is failing


def test_text() -> None:
    lines = FOUND.text().splitlines()
    assert lines[0] == (
        "authenticated: 50 calls/s for 2 s, SHA-256, 20 accounts at 8 addresses, a call begins with no credentials"
    )
    assert "  lost                3 (BYE 2)" in lines
    assert "  failed              3 (403 3)" in lines
    assert "  its memory, MB      64.0, before the first call 60.0" in lines
    assert "  CPU of the proxy    412 µs a call, 4 % of a core" in lines
    assert lines[-1] == "  no leaks"


def test_a_leak() -> None:
    leaky = replace(FOUND, played=PLAYED._replace(leaks=2, leaked="+49"), load=Calls(reuse=True), cpu_us_per_call=None)
    assert leaky.leaking
    assert leaky.text().endswith("  LEAKS: '+49' and more in 2 requests")
    assert "a call begins with its last nonce" in leaky.text()
    assert "- µs a call" in leaky.text()


def test_json() -> None:
    """What the generator has counted stands beside the rest."""
    read = json.loads(json.dumps(FOUND.as_json()))
    assert (read["scenario"], read["rate"], read["created"], read["lost"], read["busy"]) == (
        "authenticated", 50, 100, 3, 4,
    )  # fmt: skip
    assert read["expired_in"] == {"BYE": 2, "ACK": 0}
    assert read["samples"] == [{"at": 1.0, "calls/s": 5.0}]
    assert "played" not in read
