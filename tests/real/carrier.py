"""A carrier's network behind the trunk: Kamailio at its border, the carrier's phones behind it, a recorder before it.

    Sipveil ── relay ── Kamailio ── phones of the carrier

The phones have an address that Sipveil has never heard of, as PSTN gateways have; a number may ring at several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.real.harness import TRUNK, Address, Lab, Sipveil, free_port, is_bound, program, wait_for
from tests.real.relay import Relay

INSIDE = "127.0.0.22"
"""Where the carrier's phones are."""
CONFIG = Path(__file__).with_suffix(".cfg")


class Carrier:
    """Kamailio behind a relay."""

    def __init__(
        self, lab: Lab, sipveil: Sipveil, *, password: str = "", algorithm: str = "MD5", customer: str = ""
    ) -> None:
        """Choose addresses; nothing runs yet but the relay. With a password, callers from outside are asked for it.

        What its phones call is sent to the Contact of `customer`, an account that has to be registered here.
        """
        self._lab = lab
        self._customer = customer
        self._password, self._algorithm = password, algorithm
        self._gate: Address = (TRUNK, free_port(TRUNK))
        self.inside: Address = (INSIDE, free_port(INSIDE))
        """Where its phones send their requests."""
        self.relay = lab.keep(Relay("trunk", TRUNK, sipveil.address, self._gate))

    def start(self, numbers: Mapping[str, Sequence[Address]]) -> None:
        """Start it. numbers: at which phones each rings."""
        command = program("kamailio", "kamailio")
        config = self._lab.folder / "kamailio.cfg"
        config.write_text(self._filled(CONFIG.read_text(), numbers))
        folder = self._lab.folder / "kamailio"
        folder.mkdir()
        process = self._lab.start(
            "kamailio", [command, "-DD", "-E", "-f", config, "-m", "64", "-M", "8", "-Y", folder, "-P", folder / "pid"]
        )
        for address in (self._gate, self.inside):
            wait_for("Kamailio to listen", lambda address=address: is_bound(address) or None)  # type: ignore[misc]
        assert process.running()

    def _filled(self, text: str, numbers: Mapping[str, Sequence[Address]]) -> str:
        words = {
            "ADVERTISED": _written(self.relay.outer), "GATEPORT": str(self._gate[1]), "GATE": _written(self._gate),
            "INSIDE": _written(self.inside), "RELAY": _written(self.relay.inner),
            "WANTED": str(int(bool(self._password))), "SECRET": self._password or "nobody is asked",
            "ALGORITHM": self._algorithm, "CUSTOMER ==": f"{int(bool(self._customer))} ==",
            "ACCOUNT": self._customer or "nobody",
        }  # fmt: skip
        for word, value in words.items():
            text = text.replace(word, value) if word != "INSIDE" else text.replace("udp:INSIDE", f"udp:{value}")
        return text.replace("\nNUMBERS\n", "\n" + "".join(_rings(*each) for each in numbers.items()))


def _written(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def _rings(number: str, phones: Sequence[Address]) -> str:
    first, *others = (f"sip:{number}@{_written(phone)}" for phone in phones)
    lines = [f'$ru = "{first}";', *(f'append_branch("{other}");' for other in others)]
    return f'    if ($rU == "{number}") {{ {" ".join(lines)} }}\n'
