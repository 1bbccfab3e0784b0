"""The Accept that says what a hop takes."""

from __future__ import annotations

from config.vocabulary import Action, Category
from filters.accept import accept_line
from filters.catalogue import load_catalogue

CATALOGUE = load_catalogue()


def test_it_names_what_may_pass() -> None:
    strict = dict.fromkeys(Category, Action.REMOVE)
    line = accept_line(CATALOGUE, strict)
    assert line.startswith(b"Accept: application/sdp, ")
    assert b"multipart/mixed" in line
    assert b"text/" not in line
    assert b"pidf" not in line


def test_ranges_are_named_as_such() -> None:
    """Globs that are no media ranges are left out: an Accept cannot say them."""
    line = accept_line(CATALOGUE, dict.fromkeys(Category, Action.KEEP))
    assert b", text/*" in line
    assert b"pkcs7-*" not in line
