"""What a person can mend: said in one sentence, without a traceback."""

from __future__ import annotations


class BenchError(Exception):
    """A benchmark cannot be run, or not to its end, and its text says why."""
