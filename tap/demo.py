"""`sipveil demo`: one real call from a phone through Sipveil to a trunk, and what each of them saw.

Everything runs in this process, on loopback ports of the system's choice, with the policy of
config/example.toml. The demo succeeds only if the call really completed and nothing secret arrived.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib import resources
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as Timeout
from twisted.logger import Logger
from twisted.python.failure import Failure

from config.address import HostPortValue, NetworkValue
from config.load import load
from config.settings import Access, Listener, Metrics, Route, Settings
from proxy.core import Core
from proxy.flow import Flow
from proxy.sinks import Sinks
from tap import demo_messages, demo_view
from tap.clock import use_monotonic
from tap.console import console
from tap.demo_call import CallError, Phone, Trunk, Wire
from tap.log import LineObserver, begin, logger, where
from tap.service import SystemClocks, core_maker
from tap.shell import Shell

PATIENCE = 15.0
"""Seconds until a call that hangs has failed."""
METHODS = ["INVITE", "ACK", "BYE"]
"""What the trunk must have received."""


class Forwarded(NamedTuple):
    """A message that crossed Sipveil, as its recorder tells."""

    received: bytes
    sent: bytes
    sent_to: Flow
    reasons: list[tuple[str, str]]


@dataclass
class Outcome:
    """How the demo's call went."""

    wires: list[Wire] = field(default_factory=list)
    forwarded: list[Forwarded] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What went wrong; empty: the call completed and nothing leaked."""


class Recorder:
    """Listens to the core; see proxy.core.Recorder."""

    def __init__(self, heard: list[Forwarded]) -> None:
        """Collect into heard."""
        self._heard = heard

    def forwarded(self, received: bytes, sent: bytes, sent_to: Flow, reasons: list[tuple[str, str]]) -> None:
        """Keep a forwarded message."""
        self._heard.append(Forwarded(received, sent, sent_to, list(reasons)))


def demo_settings(state: str, phone: tuple[str, int], trunk: tuple[str, int]) -> Settings:
    """Return the example's policy between two loopback ports: the first trunk that carries everyday calls."""
    with resources.as_file(resources.files("config") / "example.toml") as path:
        example = load(Path(path))
    carrier = next(each for each in example.trunks if not each.emergency).model_copy(
        update={"hosts": (HostPortValue(*trunk),), "networks": (), "listener": "demo"}
    )
    access = (example.access or Access(listener="demo")).model_copy(
        update={"networks": (NetworkValue(ip_network(phone[0]), phone[1]),), "listener": "demo"}
    )
    return example.model_copy(
        update={
            "state_dir": state,
            "listeners": (Listener(name="demo", address="127.0.0.1", port=0, transport="udp", advertised=None),),
            "access": access,
            "core": None,
            "trunks": (carrier,),
            "routes": (Route(source="access", methods=(), prefix="", emergency=False, to=(carrier.name,)),),
            "metrics": Metrics(address="127.0.0.1", port=0, enabled=False),
        }
    )


async def perform(reactor: Any, log: Logger) -> Outcome:  # noqa: ANN401 - as tap.shell.Shell
    """Place the call and return how it went; leaves no socket and no file behind."""
    outcome = Outcome()
    clocks = SystemClocks()
    phone = Phone(reactor, outcome.wires, clocks.now)
    trunk = Trunk(reactor, outcome.wires, clocks.now)
    with TemporaryDirectory(prefix="sipveil-demo-") as state:

        def make(settings: Settings, sinks: Sinks) -> Core:
            core = core_maker(clocks)(settings, sinks)
            core.recorder = Recorder(outcome.forwarded)
            return core

        settings = demo_settings(state, phone.address, trunk.address)
        shell = Shell(reactor, settings, make, clocks=clocks, log=log)
        try:
            shell.open()
            shell.start()
            listener = shell.settings.listeners[0]
            call = Deferred.fromCoroutine(phone.call((listener.address, listener.port)))
            await call.addTimeout(PATIENCE, reactor)
        except CallError as failure:
            outcome.faults.append(str(failure))
        except Timeout:
            outcome.faults.append(f"the call did not complete within {PATIENCE:.0f} s")
        finally:
            await shell.stop()
            phone.close()
            trunk.close()
    outcome.faults += faults(outcome, trunk, phone)
    return outcome


def faults(outcome: Outcome, trunk: Trunk, phone: Phone) -> list[str]:
    """Return what is wrong with a call although it seemed to go through."""
    found = [f"the {end.name} failed: {where(failure)}" for end in (phone, trunk) for failure in end.failures]
    if trunk.methods != METHODS:
        found.append(f"the trunk received {', '.join(trunk.methods) or 'nothing'} instead of {', '.join(METHODS)}")
    at_trunk = [wire.data for wire in outcome.wires if wire.end == "trunk" and not wire.outgoing]
    found += [f"the trunk could read: {name}" for name in demo_messages.leaks(at_trunk)]
    crossed = {wire.data for wire in outcome.wires}
    if any(each.received not in crossed or each.sent not in crossed for each in outcome.forwarded):
        found.append("what Sipveil says it forwarded is not what the ends saw")
    return found


def play(*, color: bool | None, width: int | None) -> int:
    """Run the demo on a reactor of its own, show it, and return the exit code.

    color: None lets the terminal decide; width: columns, None for the terminal's, or 150 where there is none.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - installs the reactor

    chosen: Any = reactor
    begin(LineObserver(sys.stderr, "warn"))
    use_monotonic(chosen)
    result = Outcome(faults=["the demo broke off"])

    def done(outcome: Outcome) -> None:
        nonlocal result
        result = outcome

    def broke_off(failure: Failure) -> None:
        result.faults.append(where(failure.value or RuntimeError()))

    def start() -> None:
        playing = Deferred.fromCoroutine(perform(chosen, logger("demo")))
        playing.addCallback(done)
        playing.addErrback(broke_off)
        playing.addBoth(lambda _: chosen.stop())

    chosen.callWhenRunning(start)
    chosen.run()
    demo_view.show(console(color, width), result)
    return 1 if result.faults else 0
