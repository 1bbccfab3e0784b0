"""What keeps the core from being compiled."""

from __future__ import annotations


class CompileError(Exception):
    """One sentence for whoever called scripts/compile."""
