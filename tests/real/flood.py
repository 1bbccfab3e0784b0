"""More calls than any one process carries, from one socket on the phones' side, and what became of each."""

from __future__ import annotations

import re
import socket
import time
from collections import defaultdict
from collections.abc import Callable

from tests.real import leaks
from tests.real.harness import PHONE, Address, now

RATE = 500
"""Calls a second to begin with; more and more, until most of them are refused, whatever the proxy carries here."""
MOST = 12_000
"""Calls a second that are more than enough for any machine."""
_STEP = 0.02
_LOOK = 0.25
"""Seconds between two looks at whether the flood is high enough."""
_ANSWER = re.compile(rb"SIP/2\.0 (\d{3}) .*\r\nTo: ([^\r]*)\r\n.*?Call-ID: (\d+)@flood\r\n", re.DOTALL)
_RETRY_AFTER = re.compile(rb"\r\nRetry-After: (\d+)\r\n")


class Flood:
    """Callers that acknowledge every refusal and repeat nothing."""

    def __init__(self, proxy: Address) -> None:
        """Bind a port; nobody calls yet."""
        self._proxy = proxy
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((PHONE, 0))
        self._socket.setblocking(False)
        self._sent = 0
        self._rate = float(RATE)
        self._seen = (0, 0)
        self.statuses: dict[int, set[int]] = defaultdict(set)
        """Number of the call → codes that it was answered with."""
        self.retry_after: set[int] = set()
        """Seconds that refused calls were told."""

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def shown(self) -> tuple[str, str]:
        """Return title and text for a failure."""
        return "flood", f"{self._sent} calls, {self.count(503)} refused, {self.count(486)} completed"

    def run(self, seconds: float, meanwhile: Callable[[], bool]) -> bool:
        """Call for so many seconds, or until `meanwhile`, which is called all the time, says that it is done."""
        end, look, last = now() + seconds, now() + _LOOK, now()
        while (at := now()) < end:
            for _ in range(int((at - last) * self._rate)):
                self._send(self._sent, "INVITE", f"<sip:{leaks.DIALLED}@sip.example.net>")
                self._sent += 1
            last = at
            self._read()
            if meanwhile():
                return True
            if at > look:
                look = at + _LOOK
                self._rise()
            time.sleep(_STEP)
        return False

    def _rise(self) -> None:
        """Call more often where less than half of the latest calls were refused."""
        refused, sent = self.count(503), self._sent
        if 2 * (refused - self._seen[0]) < sent - self._seen[1]:
            self._rate = min(self._rate * 1.5, MOST)
        self._seen = refused, sent

    def count(self, status: int) -> int:
        """Return how many calls were answered with a code."""
        return sum(status in codes for codes in self.statuses.values())

    def _send(self, number: int, method: str, to: str) -> None:
        text = (
            f"{method} sip:{leaks.DIALLED}@sip.example.net SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 192.168.178.23:5062;branch=z9hG4bKflood{number};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:flood@sip.example.net>;tag=f{number}\r\nTo: {to}\r\n"
            f"Call-ID: {number}@flood\r\nCSeq: 1 {method}\r\nContact: <sip:flood@192.168.178.23:5062>\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        self._socket.sendto(text.encode(), self._proxy)

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(65535)
            except BlockingIOError:
                return
            answer = _ANSWER.match(data)
            assert answer is not None, data
            status, number = int(answer[1]), int(answer[3])
            self.statuses[number].add(status)
            if status >= 300:
                self._send(number, "ACK", answer[2].decode())
            if status == 503:
                told = _RETRY_AFTER.search(data)
                assert told is not None, data
                self.retry_after.add(int(told[1]))
