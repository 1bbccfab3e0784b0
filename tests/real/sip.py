"""Just enough SIP to look at what real programs send, and to speak it: written apart from proxy/ on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_COMPACT = {"f": "from", "t": "to", "i": "call-id", "v": "via", "m": "contact", "l": "content-length"}
_COMMA = frozenset({"via", "route", "record-route", "contact"})


class Message:
    """A request or response, read once."""

    def __init__(self, raw: bytes) -> None:
        """Split raw into start line, headers and body."""
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        self.start = lines[0]
        self._headers: list[tuple[str, str]] = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            self._headers.append((_COMPACT.get(key, key), value.strip()))

    def __repr__(self) -> str:
        """Return the start line and the CSeq, for failures."""
        return f"<{self.start} ({self.cseq})>"

    @property
    def status(self) -> int:
        """Return the status code, 0 for a request."""
        return int(self.start[8:11]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Return the method, of a response that of its request."""
        return self.cseq.rpartition(" ")[2]

    @property
    def uri(self) -> str:
        """Return the Request-URI."""
        return self.start.split(" ")[1]

    def values(self, name: str) -> list[str]:
        """Return all values of a header; joined ones apart."""
        values = [value for key, value in self._headers if key == name]
        if name in _COMMA:
            values = [part.strip() for value in values for part in re.split(r",(?=\s*(?:<|SIP/|\"))", value)]
        return values

    def value(self, name: str) -> str:
        """Return the first value of a header, "" where there is none."""
        return next(iter(self.values(name)), "")

    @property
    def call_id(self) -> str:
        """Return the Call-ID."""
        return self.value("call-id")

    @property
    def cseq(self) -> str:
        """Return the CSeq."""
        return self.value("cseq")

    @property
    def branch(self) -> str:
        """Return the branch of the topmost Via."""
        return param(self.value("via"), "branch")


def param(value: str, name: str) -> str:
    """Return a header parameter, "" where there is none."""
    found = re.search(rf";\s*{name}\s*=\s*([^;,\s]+)", value.rpartition(">")[2])
    return found[1] if found else ""


def untagged(value: str) -> str:
    """Return a From or To without its tag."""
    return re.sub(r";\s*tag=[^;]+", "", value)


def target(value: str) -> str:
    """Return the URI of a Contact or route."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value


def wire(start: str, headers: Iterable[str], body: str = "") -> bytes:
    """Return a message with its lengths right."""
    payload = body.replace("\n", "\r\n").encode()
    lines = [start, *headers]
    if payload:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(payload)}")
    return "\r\n".join([*lines, "", ""]).encode() + payload


class View(NamedTuple):
    """One end's idea of a dialog at one message: who it is itself, and who the other is."""

    call_id: str
    own: str
    own_tag: str
    other: str
    other_tag: str


def view(message: Message, *, outgoing: bool) -> View:
    """Return the view that an end's message gives: From is whoever began the transaction (RFC 3261 §12.2.1.1)."""
    mine = outgoing is (message.status == 0)
    own, other = (message.value("from"), message.value("to"))[:: 1 if mine else -1]
    return View(message.call_id, untagged(own), param(own, "tag"), untagged(other), param(other, "tag"))
