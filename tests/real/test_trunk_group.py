"""A group of three trunks under load: one swallows everything, one is killed; new calls find the third."""

from __future__ import annotations

import csv
import signal
import socket
import time
from pathlib import Path

from tests.real.harness import PHONE, TRUNK, Address, Lab, Process, Sipveil, free_port, is_bound, wait_for
from tests.real.sipp import arguments, towards

RATE, CALLS = 20, 160
FAILOVER = 1.0
"""Seconds of `groups.failover`."""
ON_THE_KILLED = 14
"""Calls that may be up or ringing at the trunk that is killed, and end with it: 0.3 s each, 20 a second."""

SECTIONS = """
[[trunks]]
name = "killed"
hosts = ["{killed[0]}:{killed[1]}"]
listener = "main"

[[trunks]]
name = "swallows"
hosts = ["{swallows[0]}:{swallows[1]}"]
listener = "main"

[[groups]]
name = "all"
failover = {failover}
members = [{{ trunk = "carrier" }}, {{ trunk = "killed", weight = 2 }}, {{ trunk = "swallows", weight = 2 }}]
"""


class BlackHole:
    """A trunk behind a router that drops everything: a socket that nobody reads."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((TRUNK, 0))
        self.address: Address = self._socket.getsockname()

    def close(self) -> None:
        self._socket.close()

    def shown(self) -> tuple[str, str]:
        return "black hole", str(self.address)


def trunk(lab: Lab) -> tuple[Process, Address]:
    """Start a SIPp that takes calls for ever."""
    address = TRUNK, free_port(TRUNK)
    argv = list(arguments("trunk_call", address, address, calls=10 * CALLS, talk=200))
    process = lab.start("trunk", argv)
    wait_for("SIPp to listen", lambda: is_bound(address) or None)
    return process, address


def numbers(folder: Path) -> dict[str, int]:
    """Return the last line of the caller's statistics."""
    rows = list(csv.DictReader((folder / "calls.csv").read_text().splitlines(), delimiter=";"))
    return {name: int(rows[-1][name]) for name in ("SuccessfulCall(C)", "FailedCall(C)", "TotalCallCreated")}


def test_no_new_call_is_lost_when_one_trunk_is_killed_and_one_swallows_all(lab: Lab, sipveil: Sipveil) -> None:
    hole = lab.keep(BlackHole())
    _, carrier = trunk(lab)
    victim, killed = trunk(lab)
    sipveil.sections = SECTIONS.format(killed=killed, swallows=hole.address, failover=FAILOVER)
    sipveil.configure(carrier)
    config = lab.folder / "sipveil.toml"
    config.write_text(config.read_text().replace('to = ["carrier"]', 'to = ["all"]'))
    sipveil.start()
    local = PHONE, free_port(PHONE)
    argv = [*arguments("caller_call", local, carrier, calls=CALLS, talk=200), *towards(sipveil.address, RATE)]
    # What was up at the killed trunk can only give up: soon, for a test.
    argv += ["-max_non_invite_retrans", "3", "-recv_timeout", "7000", "-trace_stat", "-stf", "calls.csv", "-fd", "1"]
    caller = lab.start("caller", argv)
    time.sleep(3)
    victim.signal(signal.SIGKILL)
    caller.wait(30)
    found, metrics = numbers(lab.folder), sipveil.metrics()
    failovers = metrics.get('sipveil_failovers_total{reason="timeout"}', 0)
    print(f"\n{found}, {failovers:.0f} failovers after {FAILOVER} s of silence")
    print({name: value for name, value in metrics.items() if "passed_over" in name or "failovers" in name})
    assert found["TotalCallCreated"] == CALLS
    assert found["FailedCall(C)"] <= ON_THE_KILLED
    assert found["SuccessfulCall(C)"] == CALLS - found["FailedCall(C)"]
    assert 2 <= failovers <= 3 * RATE, "both were found out, by the calls of a few seconds"
    assert metrics['sipveil_trunk_addresses_passed_over{trunk="swallows"}'] == 1
    assert metrics['sipveil_trunk_addresses_passed_over{trunk="killed"}'] == 1
