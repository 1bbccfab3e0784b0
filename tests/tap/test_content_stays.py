"""What people write to each other is in no log, event, metric or exception's line, also where a filter fails on it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.logger import Logger, LogPublisher, globalLogPublisher

from filters.plan import CompiledPlan
from proxy.message import Draft
from proxy.policy import EditContext
from tap.boundary import Boundary
from tap.events import EventLog
from tap.log import LineObserver
from tests.agents import ALICE, CARRIER, read
from tests.tap.fakes import Lines, StoppedClocks
from tests.world import SETTINGS, World, settings

CANARY = b"zqCanaryqz"
TEXT = b"meet me at " + CANARY
PART = b"--x\r\nContent-Type: image/png\r\nContent-Disposition: attachment;filename=" + CANARY + b"\r\n\r\n" + TEXT
MESSAGES = {
    "text": ((b"Content-Type: text/plain",), TEXT),
    "attachment": ((b"Content-Type: multipart/mixed;boundary=x",), PART + b"\r\n--x--\r\n"),
    "name of an attachment": (
        (b"Content-Type: text/plain", b"Content-Disposition: attachment;filename=" + CANARY), b"",
    ),
    "encoded": ((b"Content-Type: text/plain", b"Content-Encoding: gzip"), TEXT),
    "broken": ((b"Content-Type: multipart/mixed",), TEXT),
    "type": ((b"Content-Type: " + CANARY + b"/x",), TEXT),
}  # fmt: skip


def quoting(self: object, draft: Draft, context: EditContext) -> None:
    """Fail in the worst way: with the whole message in the text of the exception."""
    raise ValueError(draft.body, draft.lines)


class Witness:
    """A world with everything attached that writes something down, at its most talkative."""

    def __init__(self, **changes: Any) -> None:
        self.lines = Lines()
        self.everything: list[str] = []
        self.world = World(settings(**changes))
        observer = LineObserver(self.lines, "debug")
        log = Logger(namespace="sipveil.test", observer=LogPublisher(observer))
        self.boundary = Boundary(log, StoppedClocks().now)
        self.events = EventLog(log, StoppedClocks().now, "debug")

    def hear(self, event: dict[str, Any]) -> None:
        """Take what anything logs by Twisted's own means."""
        self.everything.append(repr(event))

    def receive(self, data: bytes) -> None:
        """Hand a message of a phone to the core, as the shell does."""
        self.boundary.run("datagram", lambda: self.world.receive(ALICE.address, data))

    def written(self) -> str:
        """Return all that was written down."""
        for event in self.world.events:
            self.events(event)
        counters, gauges = self.world.core.counters.values, self.world.core.gauges()
        return "\n".join((*self.lines.lines, *self.everything, repr(self.world.events), repr(counters), repr(gauges)))


@pytest.mark.parametrize("method", [b"MESSAGE", b"INVITE", b"PUBLISH"])
@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("content", ["keep", "remove"])
def test_content_is_written_down_nowhere(
    method: bytes, name: str, fails: bool, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it passes, is refused, cannot be read, or breaks a filter."""
    trunk = {**SETTINGS["trunks"][0], "privacy": {"content": content}}
    witness = Witness(trunks=[trunk, *SETTINGS["trunks"][1:]])
    if fails:
        monkeypatch.setattr(CompiledPlan, "apply", quoting)
    globalLogPublisher.addObserver(witness.hear)  # type: ignore[arg-type]
    try:
        headers, body = MESSAGES[name]
        witness.receive(ALICE.request(method, headers=headers, body=body).data)
        witness.world.wait(40)
    finally:
        globalLogPublisher.removeObserver(witness.hear)  # type: ignore[arg-type]
    assert CANARY.decode() not in witness.written()
    answers = [data for address, data in witness.world.sent if address == ALICE.address]
    assert answers
    assert not any(CANARY in data for data in answers)
    if fails or content == "remove":
        assert not any(CANARY in data for address, data in witness.world.sent if address == CARRIER.address)


def test_the_core_itself_may_fail() -> None:
    """A mistake of ours that no filter made: type and place are written, never the text."""
    witness = Witness()
    witness.boundary.run("datagram", lambda: quoting(None, _draft(), None))  # type: ignore[arg-type]
    assert "ValueError" in witness.written()
    assert CANARY.decode() not in witness.written()


def _draft() -> Draft:
    return Draft(read(ALICE.request(b"MESSAGE", headers=(b"Content-Type: text/plain",), body=TEXT).data))
