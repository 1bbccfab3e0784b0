"""Lines for an operator, in text or JSON, without personal data at any level.

Only Sipveil's own loggers (namespace `sipveil…`) write sentences, and what they fill in comes from
the configuration or from closed sets. A failure is written as its type and place: the text of an
exception may quote what a phone sent. What other libraries log is written the same way, without
its text, from `warn` upwards.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO, cast

from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, formatEvent, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from config.settings import Log

NAMESPACE = "sipveil"
_ROOT = Path(__file__).resolve().parent.parent
_OURS = ("proxy", "filters", "config", "tap")
_LEVELS = [LogLevel.debug, LogLevel.info, LogLevel.warn, LogLevel.error, LogLevel.critical]


def logger(part: str) -> Logger:
    """Return the logger of a part of the shell, e.g. `service`."""
    return Logger(namespace=f"{NAMESPACE}.{part}")


def where(error: BaseException, trace: TracebackType | None = None) -> str:
    """Return type and place of an exception, never its text: `ValueError at proxy/parse.py:123`.

    The place is the innermost of our own lines, or the innermost at all.
    """
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(trace or error.__traceback__)]
    ours = [(path, line) for path, line in frames if _relative(path).split("/")[0] in _OURS]
    if not frames:
        return type(error).__name__
    path, line = (ours or frames)[-1]
    return f"{type(error).__name__} at {_relative(path)}:{line}"


def _relative(path: Path) -> str:
    """Return path from the project's root, or its last two parts where it is not ours."""
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts[len(_ROOT.parts) :]:
        return path.relative_to(_ROOT).as_posix()
    return Path(*path.parts[-2:]).as_posix()


@implementer(ILogObserver)
class LineObserver:
    """Writes one line an event to a stream."""

    def __init__(self, stream: TextIO, level: str = "info", form: Literal["text", "json"] = "text") -> None:
        """Write events of level and above; form as in the configuration's `log.format`."""
        self._stream = stream
        self._least = _LEVELS.index(LogLevel.lookupByName(level))
        self._render: Callable[[LogEvent, str], str] = _as_json if form == "json" else _as_text

    def __call__(self, event: LogEvent) -> None:
        """Write an event, unless its level is too low; a stream that is gone is no reason to stop."""
        message = self._message(event)
        if message is None:
            return
        try:
            self._stream.write(self._render(event, message) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # broken pipe, closed file
            return

    def _message(self, event: LogEvent) -> str | None:
        """Return what may be said of an event, None for nothing."""
        level = _LEVELS.index(event.get("log_level", LogLevel.info))
        if level < self._least:
            return None
        failure = event.get("log_failure")
        place = _failure(failure) if isinstance(failure, Failure) else ""
        if _is_ours(event):
            return ": ".join(part for part in (formatEvent(event), place) if part)
        if level < _LEVELS.index(LogLevel.warn) and not place:
            return None
        return f"{event.get('log_namespace', 'unknown')} reports {place or 'something'}"


def _is_ours(event: LogEvent) -> bool:
    """Tell whether one of our loggers wrote it."""
    return str(event.get("log_namespace", "")).split(".")[0] == NAMESPACE


def _failure(failure: Failure) -> str:
    """Return type and place of a Failure."""
    return where(cast(BaseException, failure.value), cast("TracebackType | None", failure.getTracebackObject()))


def _time(event: LogEvent) -> str:
    """Return an event's time, RFC 3339 in UTC with milliseconds."""
    when = datetime.fromtimestamp(event.get("log_time", 0.0), UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_text(event: LogEvent, message: str) -> str:
    """Return `time level message`, on one line whatever a setting contains."""
    line = f"{_time(event)} {event.get('log_level', LogLevel.info).name} {message}"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


def _as_json(event: LogEvent, message: str) -> str:
    """Return one JSON object: time, level, logger, message."""
    return json.dumps(
        {
            "time": _time(event),
            "level": event.get("log_level", LogLevel.info).name,
            "logger": event.get("log_namespace", "unknown"),
            "message": message,
        }
    )


def observer(stream: TextIO, settings: Log) -> LineObserver:
    """Return the observer that the configuration asks for."""
    return LineObserver(stream, settings.level, settings.format)


def begin(chosen: LineObserver) -> None:
    """Make chosen the process's only observer; standard output stays what it is."""
    globalLogBeginner.beginLoggingTo([chosen], redirectStandardIO=False)
