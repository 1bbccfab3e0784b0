"""SIPp on both sides of Sipveil, with a relay before each: calls in numbers, and every byte on tape.

    caller ── relay ── Sipveil ── relay ── trunk

The scenarios are in scenarios/; README of SIPp: https://sipp.readthedocs.io/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.real import leaks
from tests.real.dialogs import call_ids, faults, renumbered, unlike_repetitions
from tests.real.harness import (
    NO_KEYS,
    PHONE,
    TRUNK,
    Address,
    Lab,
    Process,
    Sipveil,
    free_port,
    is_bound,
    program,
    wait_for,
)
from tests.real.relay import Relay
from tests.real.sip import Message

SCENARIOS = Path(__file__).parent / "scenarios"
CALLS = 25
RATE = 25
"""Calls a second."""
SEARCHED = 5
"""Calls of which all messages at the trunk are searched for secrets in every encoding; all are in the usual ones."""
PATIENCE = 30
"""Seconds that all calls of a test may take."""


class Calls:
    """Many calls at once, each played by two scenarios; `play` returns when all have ended."""

    def __init__(
        self, lab: Lab, sipveil: Sipveil, *, keys: Mapping[str, int] = NO_KEYS, contract: str = "", lossy: str = ""
    ) -> None:
        """Start Sipveil between two relays; the one named lossy loses the first copy of every datagram."""
        self._lab = lab
        self._trunk_end = (TRUNK, free_port(TRUNK))
        self.trunk = lab.keep(Relay("trunk", TRUNK, sipveil.address, self._trunk_end, lossy=lossy == "trunk"))
        self.phone = lab.keep(Relay("phone", PHONE, sipveil.address, lossy=lossy == "phone"))
        self._sipveil = sipveil
        sipveil.configure(self.trunk.outer, keys, contract)
        sipveil.start()

    def play(self, caller: str, trunk: str | None, *, calls: int = CALLS, talk: int = 200) -> None:
        """Play calls between scenarios/caller.xml and scenarios/trunk.xml; all must go as written there.

        trunk: None where nothing may reach it. talk: milliseconds of a `<pause/>`.
        """
        processes = []
        if trunk is not None:
            processes.append(self._sipp(trunk, self._trunk_end, calls, talk))
            wait_for(f"SIPp to listen as {trunk}", lambda: is_bound(self._trunk_end) or None)
        processes.append(self._sipp(caller, (PHONE, free_port(PHONE)), calls, talk, self.phone.inner))
        ended = {process.name: process.wait(PATIENCE + 10) for process in reversed(processes)}
        assert set(ended.values()) == {0}, f"SIPp's exit codes: {ended}"
        errors = [path.read_text() for path in self._lab.folder.glob("*.log")]
        assert not any(errors)

    def _sipp(self, scenario: str, local: Address, calls: int, talk: int, remote: Address | None = None) -> Process:
        argv = arguments(scenario, local, self.trunk.outer, calls=calls, talk=talk)
        if remote is not None:
            argv += towards(remote, RATE)
        return self._lab.start(scenario, argv)

    # --- what came of it

    def expect_private(self) -> None:
        """Assert that neither side heard of the other what is hidden."""
        assert leaks.found(self.trunk.received, leaks.CALLER) == []
        assert leaks.found(self.phone.received, leaks.TRUNK) == []
        few = sorted({Message(data).call_id for data in self.trunk.received})[:SEARCHED]
        assert (
            leaks.everywhere((each for each in self.trunk.received if Message(each).call_id in few), leaks.CALLER) == []
        )

    def expect_unchanged(self, *refused: int, names: bool = True, places: int = 1) -> None:
        """Assert that each end saw dialogs that look like its own, and no code from 300 but refused."""
        if self.trunk.tape:
            assert renumbered(self.phone.tape, self.trunk.tape) == []
            assert renumbered(self.trunk.tape, self.phone.tape) == []
        for end in (self.phone, self.trunk):
            strange = faults(end.tape, refused, names=names, places=places) + unlike_repetitions(end.tape)
            assert (end.name, strange[:5]) == (end.name, [])
            assert not end.tape or len(call_ids(end.tape)) == CALLS

    def transactions(self) -> Counter[str]:
        """Return how many requests of each method reached the trunk, repetitions not counted."""
        requests = (Message(data) for data in self.trunk.received if not data.startswith(b"SIP/2.0"))
        return Counter(method for method, _ in {(request.method, request.branch) for request in requests})


def arguments(scenario: str, local: Address, trunk: Address, *, calls: int, talk: int) -> list[str | Path]:
    """Return the command that plays a scenario at local; talk: milliseconds of a `<pause/>`."""
    return [
        program("sipp", "sip-tester"), "-sf", SCENARIOS / f"{scenario}.xml", "-m", str(calls), "-d", str(talk),
        "-i", local[0], "-p", str(local[1]), "-mi", local[0], "-ci", local[0], "-cp", str(free_port(local[0])),
        "-nostdin", "-trace_err", "-error_file", f"{scenario}.log",
        "-timeout", f"{PATIENCE}s", "-timeout_error", "-cid_str", leaks.CALL_ID,
        "-key", "caller_headers", _lines(leaks.CALLER_HEADERS), "-key", "caller_agent", _lines(leaks.CALLER_AGENT),
        "-key", "caller_offer", _lines(leaks.CALLER_OFFER), "-key", "trunk_headers", _lines(leaks.TRUNK_HEADERS),
        "-key", "trunk_answer", _lines(leaks.TRUNK_ANSWER), "-key", "trunk_host", f"{trunk[0]}:{trunk[1]}",
    ]  # fmt: skip


def towards(remote: Address, rate: int) -> list[str | Path]:
    """Return what makes a scenario a caller's: whom it calls, and how often a second."""
    return ["-r", str(rate), "-s", leaks.DIALLED, f"{remote[0]}:{remote[1]}"]


def _lines(text: str) -> str:
    """Return text as SIPp wants it for a keyword: CRLF, and none at the end."""
    return text.strip().replace("\n", "\r\n")
