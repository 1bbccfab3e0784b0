"""The proxies that are compared: how each is configured and started for the same job."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.benchmark.errors import BenchError
from scripts.benchmark.prompt import prompt
from scripts.load.addresses import PHONE, PROXY, TRUNK, Address, free
from scripts.load.config import MANY_CALLS, METRICS, UNGUARDED, access, document, listener, route, table, trunk
from scripts.load.proxy import ROOT, Proxy, sipveil

KAMAILIO_CONFIG = Path(__file__).with_name("kamailio.cfg")
KAMAILIO_MODULES = ("/usr/lib/*/kamailio/modules", "/usr/lib64/kamailio/modules", "/usr/local/lib*/kamailio/modules")
KAMAILIO_OPTIONS = ("-x", "fm", "-A", "WITH_SDP", "-A", "WITH_DIALOG")
"""Its fast allocator, and everything of the privacy job; see kamailio.cfg."""


class Ends(NamedTuple):
    """Where the load is; the same for every contender of one comparison."""

    caller: Address
    trunk: Address


class Contender(NamedTuple):
    """A proxy that can be compared: its name, and what starts it."""

    name: str
    start: Callable[[Path, Ends, Sequence[int]], Proxy]
    """(folder for its files, ends of the load, cores) → a context manager."""


def ends() -> Ends:
    """Return free addresses for the load."""
    return Ends(free(PHONE), free(TRUNK))


def start_sipveil(folder: Path, load: Ends, cores: Sequence[int], tree: Path = ROOT) -> Proxy:
    """Return a Sipveil of a tree, by default this one."""
    address = free(PROXY)
    config = folder / "sipveil.toml"
    config.write_text(configuration(address, load))
    return Proxy(sipveil(config), address, folder, cores=cores, tree=tree, ready=prompt(address, load.caller[0]))


def configuration(proxy: Address, load: Ends) -> str:
    """Return Sipveil's, as config/example.toml."""
    return document(
        listener("main", proxy), access("main", f"{load.caller[0]}/32"),
        trunk("carrier", load.trunk, "main"),
        table("trunks.privacy", device="remove", location="remove", software="remove", network="seal"),
        route("access", "carrier"), MANY_CALLS, UNGUARDED, METRICS,
    )  # fmt: skip


def start_kamailio(folder: Path, load: Ends, cores: Sequence[int]) -> Proxy:
    """Return a Kamailio; its files go to folder."""
    program, modules = kamailio_program(), kamailio_modules()
    address = free(PROXY)
    command = [
        program, "-DD", "-E", "-f", str(KAMAILIO_CONFIG), "-L", modules, "-Y", str(folder), "-P", str(folder / "pid"),
        "-m", "2048", "-M", "32", "-b", str(4 << 20), *KAMAILIO_OPTIONS,
        "-A", f"LISTEN=udp:{address[0]}:{address[1]}", "-A", f'TRUNK="sip:{load.trunk[0]}:{load.trunk[1]}"',
    ]  # fmt: skip
    return Proxy(command, address, folder, cores=cores, ready=prompt(address, load.caller[0]))


def start_null(folder: Path, load: Ends, cores: Sequence[int]) -> Proxy:
    """Return a forwarder that looks at nothing; nothing but what it prints tells that it is ready."""
    address = free(PROXY)
    words = [f"{host}:{port}" for host, port in (address, *load)]
    log = folder / "proxy.log"

    def ready() -> bool:
        return log.exists() and "ready" in log.read_text()

    command = [sys.executable, "-m", "scripts.benchmark.null_forwarder", *words]
    return Proxy(command, address, folder, cores=cores, ready=ready)


def kamailio_program() -> str:
    """Return Kamailio's path.

    Raises BenchError where it is not installed.
    """
    found = shutil.which("kamailio", path="/usr/sbin:/usr/bin:/usr/local/sbin") or shutil.which("kamailio")
    if found is None:
        raise BenchError("Kamailio is not installed: apt-get install kamailio (and stop its service)")
    return found


def kamailio_modules() -> str:
    """Return the folder of Kamailio's modules.

    Raises BenchError where there is none.
    """
    for pattern in KAMAILIO_MODULES:
        for folder in sorted(Path("/").glob(pattern[1:])):
            if (folder / "topoh.so").exists():
                return f"{folder}/"
    raise BenchError("Kamailio's modules (topoh.so) are in none of " + ", ".join(KAMAILIO_MODULES))


SIPVEIL = Contender("sipveil", start_sipveil)
KAMAILIO = Contender("kamailio", start_kamailio)
NULL = Contender("null", start_null)
CONTENDERS = {each.name: each for each in (SIPVEIL, KAMAILIO, NULL)}
