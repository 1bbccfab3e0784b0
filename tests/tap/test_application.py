"""What a service of an application has to do, whether it works itself or has workers."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.application.service import Application
from twisted.internet import reactor as _reactor
from twisted.logger import ILogObserver

from tap.application import ApplicationService
from tap.log import LineObserver
from tap.shell import StartError
from tests.tap.fakes import Lines

reactor: Any = _reactor


class Starts(ApplicationService):
    """Notes when it has to let go."""

    given_up = False

    def give_up(self) -> None:
        self.given_up = True


def test_its_log_is_the_applications() -> None:
    """No line of Twisted's own gets out beside it."""
    observer = LineObserver(Lines())
    application = Application("test")
    Starts(reactor, "test", observer).setServiceParent(application)
    assert ILogObserver(application) is observer


def test_a_step_that_fails_is_one_line() -> None:
    """Said, and nothing is left open."""

    def fail() -> None:
        raise StartError("cannot open udp 127.0.0.1:5060: Address already in use")

    service = Starts(reactor, "test")
    with pytest.raises(SystemExit) as ended:
        service.or_exit(fail)
    assert ended.value.code == "sipveil: cannot open udp 127.0.0.1:5060: Address already in use"
    assert service.given_up


def test_a_step_that_succeeds() -> None:
    steps: list[int] = []
    service = Starts(reactor, "test")
    service.or_exit(lambda: steps.append(1))
    assert (steps, service.given_up, service.failed) == ([1], False, False)


def test_without_a_file_there_are_no_commands() -> None:
    """Neither to take nor to close."""
    service = Starts(reactor, "test")
    service.take_commands("/nonexistent")
    service.take_no_more_commands()
