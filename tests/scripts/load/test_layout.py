"""How results are laid out."""

from __future__ import annotations

import json

from scripts.load.layout import as_json, text


def test_rows_are_below_each_other() -> None:
    assert text("plain: 2 calls", {"lost": "0", "set-up": "5 ms"}, ["  no leaks"]) == (
        "plain: 2 calls\n  lost    0\n  set-up  5 ms\n  no leaks"
    )
    assert text("plain", {}) == "plain"


def test_json() -> None:
    assert json.loads(as_json([{"a": 1}, {"b": None}], leaking=True)) == {
        "version": 1, "leaking": True, "runs": [{"a": 1}, {"b": None}],
    }  # fmt: skip
