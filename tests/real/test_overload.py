"""Far more calls than the proxy can carry: those that it takes work, those in progress go on, the rest is told so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.agent import Call, Dialog, End
from tests.real.flood import Flood
from tests.real.harness import Lab, Sipveil, now, wait_for
from tests.real.sip import Message

CALLER = "<sip:+4930555017342@sip.example.net>;tag="


def outside(call_id: str, uri: str) -> Dialog:
    """Return what an INVITE outside dialogs is made of."""
    return Dialog(f"{call_id}@192.168.178.23", CALLER + call_id, f"<{uri}>", uri, (), 0)


class Insistent:
    """A phone's request, sent until it is answered (RFC 3261 §17.1)."""

    def __init__(self, phone: End, request: Message) -> None:
        """Take over a request that was just sent."""
        self._phone, self._request = phone, request
        self._again = now() + 0.5
        self.answers: set[int] = set()

    def done(self) -> bool:
        """Read what has come, send again when it is time, and tell whether the final answer is there."""
        while (message := self._phone.next(0)) is not None:
            if message.cseq == self._request.cseq:
                self.answers.add(message.status)
        if not self.answers and now() > self._again:
            self._again = now() + 0.5
            self._phone.send(self._request.raw)
        return any(status >= 200 for status in self.answers)


class Rush:
    """A call that is up, and then a flood beside it; the trunk is busy for everybody else."""

    def __init__(self, lab: Lab, sipveil: Sipveil) -> None:
        """Start everything and set the call up."""
        self.call = Call(lab, sipveil)
        self.call.ring()
        self.call.answer()
        self.flood = lab.keep(Flood(sipveil.address))

    def go_on(self, seconds: float) -> None:
        """Let the flood go on."""
        assert not self.flood.run(seconds, self._unless(lambda: False))

    def ask(self, method: str, dialog: Dialog) -> set[int]:
        """Let the phone send a request in the flood, and return what it was answered with."""
        request = Insistent(self.call.phone, self.call.phone.request(method, dialog))
        assert self.flood.run(4, self._unless(request.done)), f"{method} was not answered"
        return request.answers

    def ask_in_peace(self, method: str, dialog: Dialog) -> set[int]:
        """Do the same after the flood."""
        request = Insistent(self.call.phone, self.call.phone.request(method, dialog))
        wait_for("an answer", lambda: self._unless(request.done)() or None)
        return request.answers

    def _unless(self, done: Callable[[], bool]) -> Callable[[], bool]:
        def look() -> bool:
            self._serve()
            return done()

        return look

    def _serve(self) -> None:
        trunk = self.call.trunk
        while (message := trunk.next(0)) is not None:
            if not message.status and message.method == "INVITE":
                trunk.respond(message, "486 Busy Here", "besetzt")
            elif not message.status and message.method == "BYE":
                trunk.respond(message, "200 OK")


@pytest.fixture
def rush(lab: Lab, sipveil: Sipveil) -> Rush:
    """Return a call that is up; nobody floods yet."""
    return Rush(lab, sipveil)


def test_overload(rush: Rush, sipveil: Sipveil) -> None:
    """An emergency call and a BYE go through at once, the flood's calls in part; afterwards everything does."""
    flood = rush.flood
    rush.go_on(4)
    completed = flood.count(486)
    assert sipveil.metrics()["sipveil_overload_active"] == 1
    assert rush.ask("INVITE", outside("not", "sip:112@sip.example.net")) <= {100, 486}
    assert rush.ask("BYE", rush.call.caller) == {200}
    rush.go_on(2)
    assert flood.count(503) > 300
    assert flood.count(486) - completed > 50, "calls are still taken, and completed"
    assert not [codes for codes in flood.statuses.values() if 503 in codes and codes != {503}]
    assert min(flood.retry_after) >= 10
    assert max(flood.retry_after) <= 20
    assert len(flood.retry_after) > 3
    assert sipveil.metrics().get('sipveil_dropped_total{reason="ack-without-dialog"}', 0) < 10
    wait_for("the end of it", lambda: "overload peer=- call=- detail=ends" in sipveil.runs[-1].output or None)
    assert rush.ask_in_peace("INVITE", outside("danach", "sip:9@sip.example.net")) <= {100, 486}
