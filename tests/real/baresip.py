"""baresip as a phone: configured in a folder of its own, driven over ctrl_tcp, its messages read from its trace.

    alice (a phone) ── Sipveil ── bob (where the trunk is)

Nobody registers unless a test says so. What it says comes from a file; what it hears goes into one, to be looked at.
"""

from __future__ import annotations

import json
import math
import re
import socket
import wave
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.real.harness import READY, Address, Lab, free_port, now, program, wait_for
from tests.real.relay import Wire
from tests.real.sip import Message

CONFIG = """\
sip_listen {host}:{port}
call_max_calls 4
net_interface {host}
audio_source aufile,{folder}/said.wav
audio_player aufile,{folder}/heard.wav
audio_alert aufile,{folder}/alert.wav
ausrc_srate 8000
auplay_srate 8000
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
snd_path {folder}
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
"""
ACCOUNT = (
    '"{name}" <sip:{user}@{domain};transport={transport}>;regint={regint};auth_user={account};auth_pass={password}'
    ';outbound="sip:{proxy[0]}:{proxy[1]};transport={transport}";answermode={answer};audio_codecs=pcmu,pcma\n'
)
EVENT = 10.0
"""Seconds to wait for something to happen to a call."""
_TRACE = re.compile(rb"\x1b\[36;1m#\n(?:UDP|TCP|TLS) \S+ -> (\S+)\n(.*?)\n?\x1b\[;m\n", re.DOTALL)
SPOKEN = 8000
"""Samples a second."""
WINDOW = SPOKEN // 10
"""Samples that tell a pitch."""


class Baresip:
    """One phone."""

    def __init__(
        self, lab: Lab, host: str, proxy: Address, *, name: str, user: str, domain: str, answer: str = "auto",
        regint: int = 0, transport: str = "udp", account: str = "", password: str = "none", pitch: int = 0,
    ) -> None:  # fmt: skip
        """Start it and wait until it takes commands.

        Args:
            lab: what ends it.
            host: its address.
            proxy: where it sends everything.
            name: its display name.
            user: its user name.
            domain: its domain.
            answer: `auto`, or `manual` to let it ring.
            regint: seconds between two registrations; 0: it registers nowhere.
            transport: by which it reaches the proxy: udp, tcp or tls.
            account: by which it says who it is; the user where it is left out.
            password: of the account.
            pitch: of what it says, in Hz; 0: it is silent.
        """
        command = program("baresip", "baresip-core")
        self.name = name.split(maxsplit=1)[0].lower()
        self._proxy = proxy
        self.address: Address = (host, free_port(host, 2))  # the port above it is its TLS port
        control = (host, free_port(host))
        folder = lab.folder / f"{self.name}-{self.address[1]}"
        folder.mkdir()
        self._folder = folder
        _tone(folder / "said.wav", pitch)
        config = CONFIG.format(
            host=host, port=self.address[1], control=control[1], folder=folder
        )  # fmt: skip
        account = ACCOUNT.format(
            name=name, user=user, domain=domain, proxy=proxy, answer=answer, regint=regint, transport=transport,
            account=account or user, password=password,
        )  # fmt: skip
        (folder / "config").write_text(config)
        (folder / "accounts").write_text(account)
        self.process = lab.start(self.name, [command, "-f", folder, "-s", "-v"])
        self._buffer = b""
        self._socket = wait_for(f"{self.name} to take commands", lambda: self._connect(control), READY)
        lab.keep(self)

    def _connect(self, control: Address) -> socket.socket | None:
        if not self.process.running():
            pytest.fail(f"{self.name} has ended with {self.process.wait(1)}")
        try:
            return socket.create_connection(control, timeout=1)
        except ConnectionRefusedError:
            return None

    def close(self) -> None:
        """Close the control connection; the lab ends the process."""
        self._socket.close()

    def shown(self) -> tuple[str, str]:
        """Return title and text: start lines only, as the output of the process holds the messages."""
        lines = [f"{'>' if wire.outgoing else '<'} {Message(wire.data)}" for wire in self.tape]
        return f"messages of {self.name}", "\n".join(lines)

    # --- commands and events

    def command(self, name: str, params: str = "") -> None:
        """Send a command of baresip's menu."""
        data = json.dumps({"command": name, "params": params, "token": name}).encode()
        self._socket.sendall(b"%d:%b," % (len(data), data))

    def event(self, kind: str) -> dict[str, Any]:
        """Return the next event of that type; those before it are forgotten."""
        end = now() + EVENT
        while (message := self._message(end)) is not None:
            if message.get("event") and message["type"] == kind:
                return message
        pytest.fail(f"{self.name} had no event {kind} within {EVENT:.0f} s")

    def _message(self, end: float) -> dict[str, Any] | None:
        """Return the next netstring that arrives before end."""
        while True:
            length, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(length):
                self._buffer = rest[int(length) + 1 :]
                parsed: dict[str, Any] = json.loads(rest[: int(length)])
                return parsed
            self._socket.settimeout(max(end - now(), 0.001))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                return None
            self._buffer += data

    def has_heard(self, pitch: int) -> bool | None:
        """Return True once a tenth of a second was a tone of that pitch; then what it has heard is forgotten."""
        for path in self._folder.glob("dump-*-dec.wav"):
            sound = path.read_bytes()[44:]  # behind the header
            samples = array("h", sound[: len(sound) // 2 * 2])
            for start in range(0, len(samples) - WINDOW, WINDOW):
                turns = sum((one < 0) != (other < 0) for one, other in pairwise(samples[start : start + WINDOW]))
                if abs(turns - pitch // 5) <= 2:
                    path.unlink()
                    return True
        return None

    # --- messages

    @property
    def tape(self) -> list[Wire]:
        """Return all messages so far, as baresip's trace shows them."""
        proxy = f"{self._proxy[0]}:{self._proxy[1]}".encode()
        return [Wire(goal == proxy, data) for goal, data in _TRACE.findall(self.process.output_bytes)]

    @property
    def sent(self) -> list[bytes]:
        """Return what it has sent."""
        return [wire.data for wire in self.tape if wire.outgoing]

    @property
    def received(self) -> list[bytes]:
        """Return what has come for it."""
        return [wire.data for wire in self.tape if not wire.outgoing]


def _tone(path: Path, pitch: int) -> None:
    """Write ten seconds of a tone, or of nothing."""
    step = 2 * math.pi * pitch / SPOKEN
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SPOKEN)
        file.writeframes(array("h", (round(8000 * math.sin(step * each)) for each in range(10 * SPOKEN))).tobytes())
