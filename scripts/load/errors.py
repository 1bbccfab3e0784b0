"""What a person can mend: said in one sentence, without a traceback."""

from __future__ import annotations


class LoadError(Exception):
    """A load test cannot be run, or not to its end, and its text says why."""
