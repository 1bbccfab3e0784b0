"""Colour and width of standard output."""

from __future__ import annotations

from tap.console import console


def test_what_was_asked_for() -> None:
    """Wins over what the terminal says; where there is none, 150 columns without colour."""
    assert console(None, 99).width == 99
    assert console(None, None).width == 150
    assert not console(None, None).is_terminal
    assert console(True, None).color_system is not None
    assert console(False, None).color_system is None
