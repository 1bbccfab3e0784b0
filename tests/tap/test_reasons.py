"""The `why` column of the demo."""

from __future__ import annotations

import pytest

from filters.catalogue import load_catalogue
from tap.reasons import Reasons

CATALOGUE = load_catalogue()


def test_note_of_a_header_once() -> None:
    """The recorder's words, each of them once, whatever the case of the name."""
    reasons = Reasons([("x-imei", "device: remove"), ("X-IMEI", "device: remove"), ("x-imei", "pattern")], CATALOGUE)
    assert reasons.take("x-imei") == "device: remove; pattern"
    assert not list(reasons.rest())


def test_what_no_line_is_found_for_is_said_all_the_same() -> None:
    """No reason is lost."""
    assert list(Reasons([("x-gone", "why not")], CATALOGUE).rest()) == ["x-gone: why not"]


def test_request_uri_is_the_start_line() -> None:
    """The core calls it Request-URI."""
    reasons = Reasons([("Request-URI", "addressed to the next hop")], CATALOGUE)
    assert reasons.take("start") == "addressed to the next hop"
    assert not list(reasons.rest())


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("p=", "discloses number"),
        ("o=", "discloses number and network"),
        ("a=tool", "discloses software"),
        ("a=serial", "nobody knows what it discloses"),
        ("a=rtpmap", "only the form that a call needs"),
    ],
)
def test_lines_of_a_body_that_was_cleaned(field: str, why: str) -> None:
    """A plan notes the body as a whole; the catalogue says what each line discloses."""
    assert Reasons([("body", "cleaned")], CATALOGUE).take(field) == why


def test_a_body_that_was_not_cleaned_has_no_reason() -> None:
    """Nothing is made up."""
    assert Reasons([], CATALOGUE).take("a=tool") == ""


def test_steps_of_the_core_are_named() -> None:
    """What happens to every message."""
    assert Reasons([], CATALOGUE).take("max-forwards") == "one hop further"
