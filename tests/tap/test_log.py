"""Lines for operators: what they look like, and that nothing personal gets into them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from config.settings import Log
from tap.log import LineObserver, observer, where
from tests.tap.fakes import Lines

SECRET = "sip:+15550142@sip.example.net"


def raised(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("did not raise")


def log(stream: Lines, namespace: str, level: str = "info", form: str = "text") -> Logger:
    """Return a logger that writes to stream alone."""
    return Logger(namespace=namespace, observer=LogPublisher(LineObserver(stream, level, form)))  # type: ignore[arg-type]


def test_text_line() -> None:
    """Time in UTC with milliseconds, level, sentence."""
    stream = Lines()
    log(stream, "sipveil.service").info("listening udp {address}", address="127.0.0.1:5060")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info listening udp 127\.0\.0\.1:5060", stream.lines[0])


def test_json_line() -> None:
    """One object a line."""
    stream = Lines()
    log(stream, "sipveil.service", form="json").warn("hello")
    entry = json.loads(stream.lines[0])
    assert (entry["level"], entry["logger"], entry["message"]) == ("warn", "sipveil.service", "hello")


def test_level_is_a_threshold() -> None:
    """Below it nothing is written."""
    stream = Lines()
    logger = log(stream, "sipveil.service", level="warn")
    logger.info("no")
    logger.error("yes")
    assert len(stream.lines) == 1


def test_one_event_one_line() -> None:
    """A setting with a line break cannot forge a line of the log."""
    stream = Lines()
    log(stream, "sipveil.service").info("{name}", name="a\n2026 error forged\x1b[31m")
    assert len(stream.lines) == 1
    assert "\x1b" not in stream.getvalue()


def test_failure_without_its_text() -> None:
    """Type and place of an exception; what it says may quote a message."""
    stream = Lines()
    logger = log(stream, "sipveil.service")
    try:
        int(SECRET)
    except ValueError:
        logger.failure("tick failed")
    assert "tick failed: ValueError at " in stream.lines[0]
    assert "5550142" not in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_other_libraries_say_nothing_of_their_own(form: str) -> None:
    """Twisted and others may quote what they were given: their sentences are not written, at any level."""
    stream = Lines()
    logger = log(stream, "twisted.web.http", level="debug", form=form)
    logger.info("request from " + SECRET)
    logger.error("bad line " + SECRET)
    logger.failure("Unhandled error in Deferred", Failure(ValueError(SECRET)))
    assert "5550142" not in stream.getvalue()
    assert len(stream.lines) == 2
    assert "twisted.web.http reports something" in stream.lines[0]
    assert "twisted.web.http reports ValueError" in stream.lines[1]


def test_a_namespace_that_only_begins_like_ours_is_not_ours() -> None:
    """`sipveilx` is somebody else."""
    stream = Lines()
    log(stream, "sipveilx").error(SECRET)
    assert "5550142" not in stream.getvalue()


def test_stream_that_is_gone_stops_nothing() -> None:
    """Whoever reads the log may end before us."""
    stream = Lines()
    logger = log(stream, "sipveil.service")
    stream.close()
    logger.info("into the void")


def test_where_names_our_innermost_line() -> None:
    """A failure inside a library is reported at the line of ours that called it."""
    error = raised(lambda: LineObserver(Lines(), "loud"))
    assert re.fullmatch(r"ValueError at tap/log\.py:\d+", where(error))


def test_where_outside_our_code() -> None:
    """Failing elsewhere, the innermost line at all; without a traceback, the type alone."""
    assert re.fullmatch(r"JSONDecodeError at json/decoder\.py:\d+", where(raised(lambda: json.loads("{"))))
    assert where(ValueError(SECRET)) == "ValueError"


def test_settings_choose() -> None:
    """`[log]` of the configuration."""
    stream = Lines()
    chosen = observer(stream, Log(level="error", format="json"))
    logger = Logger(namespace="sipveil.x", observer=LogPublisher(chosen))
    logger.warn("no")
    logger.error("yes")
    assert json.loads(stream.getvalue())["message"] == "yes"


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    """/dev/full is a disk without room: the line is lost, and nothing is raised."""
    with suppress(OSError), open("/dev/full", "w", encoding="utf-8") as stream:  # closing it says so once more
        logger = Logger(namespace="sipveil.x", observer=LogPublisher(LineObserver(stream, "info", "text")))
        for _ in range(3):
            logger.info("into the void")
        written = True
    assert written
