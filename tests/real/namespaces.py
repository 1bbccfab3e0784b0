"""A network of a test's own: Sipveil in one network namespace, phones and trunk in another, a cable between them.

    ends (10.77.0.11, .21) ── cable ── proxy (10.77.0.1)

Its interfaces may be taken down and its addresses away, which on the loopback of a machine nobody may do.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.real.harness import program, wait_for

T = TypeVar("T")

PROXY = {4: "10.77.0.1", 6: "fd77::1"}
PHONE = {4: "10.77.0.11", 6: "fd77::11"}
TRUNK = {4: "10.77.0.21", 6: "fd77::21"}
_BITS = {4: 24, 6: 64}
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of linux/sched.h; Python has os.setns from 3.12 on."""


class Cable:
    """Two network namespaces that are connected; only root may make them."""

    def __init__(self) -> None:
        """Make them and plug the cable in, or skip the test, saying why."""
        self._ip = program("ip", "iproute2")
        self._proxy, self._ends = (f"sipveil-{os.getpid()}-{end}" for end in ("proxy", "ends"))
        made = subprocess.run([self._ip, "netns", "add", self._proxy], capture_output=True, check=False)
        if made.returncode:
            pytest.skip("no network namespaces here: run as root, in a container with CAP_SYS_ADMIN")
        self._run("netns", "add", self._ends)
        self._run("-n", self._ends, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns",
                  self._proxy)  # fmt: skip
        for namespace, hosts in ((self._proxy, (PROXY,)), (self._ends, (PHONE, TRUNK))):
            self._run("-n", namespace, "link", "set", "lo", "up")
            self._run("-n", namespace, "link", "set", "cable", "up")
            for host in hosts:
                for version in (4, 6):
                    self._address("add", host, version, namespace)

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return what runs a command on the proxy's side."""
        return self._ip, "netns", "exec", self._proxy

    def close(self) -> None:
        """Take both away; safe to call twice."""
        for namespace in (self._proxy, self._ends):
            subprocess.run([self._ip, "netns", "del", namespace], capture_output=True, check=False)

    def shown(self) -> tuple[str, str]:
        """Return how the proxy's interfaces are."""
        return "interfaces of the proxy", self._run("-n", self._proxy, "address")

    def at_proxy(self, make: Callable[[], T]) -> T:
        """Return what make returns on the proxy's side."""
        return _inside(self._proxy, make)

    def at_ends(self, make: Callable[[], T]) -> T:
        """Return what make returns on the other side; sockets stay where they were made."""
        return _inside(self._ends, make)

    def link(self, state: str) -> None:
        """Take the proxy's interface down, or up. IPv6 addresses leave with it and are set again."""
        self._run("-n", self._proxy, "link", "set", "cable", state)
        if state == "up":
            self._address("replace", PROXY, 6, self._proxy)
            wait_for("the cable", lambda: "LOWER_UP" in self._run("-n", self._proxy, "link", "show", "cable") or None)

    def address(self, what: str) -> None:
        """Take the proxy's addresses away (del), or put them back (add)."""
        for version in (4, 6):
            self._address(what, PROXY, version, self._proxy)

    def _address(self, what: str, host: dict[int, str], version: int, namespace: str) -> None:
        # nodad: usable at once, as no second of a test has to be spent on looking for a second owner.
        more = ("nodad",) if version == 6 and what != "del" else ()
        self._run("-n", namespace, "address", what, f"{host[version]}/{_BITS[version]}", "dev", "cable", *more)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([self._ip, *arguments], capture_output=True, check=False, text=True)
        assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
        return done.stdout


def _inside(namespace: str, make: Callable[[], T]) -> T:
    """Run make in a thread of its own that has entered a namespace: who entered one cannot come back as simply."""
    made: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            with Path(f"/run/netns/{namespace}").open("rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(make())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return made[0]
