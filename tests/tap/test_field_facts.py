"""Category and RFC of a field."""

from __future__ import annotations

import pytest

from config.vocabulary import Category
from filters.catalogue import load_catalogue
from tap.field_facts import Facts, facts

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("start", Facts((Category.NUMBER,), "RFC 3261 §8.1.1.1")),
        ("from", Facts((Category.NAME, Category.NUMBER), "RFC 3261 §20.20")),
        ("user-agent", Facts((Category.SOFTWARE,), "RFC 3261 §20.41")),
        ("m", Facts((Category.NETWORK,), "RFC 3261 §20.10")),
        ("cseq", Facts((), "RFC 3261 §20.16")),
        ("o=", Facts((Category.NUMBER, Category.NETWORK), "RFC 8866 §5.2")),
        ("a=ice-ufrag", Facts((), "RFC 8839 §5.4")),
        ("x-nobody-knows", Facts((Category.UNKNOWN,), "")),
        ("a=nobody-knows", Facts((Category.UNKNOWN,), "")),
    ],
)
def test_facts(field: str, expected: Facts) -> None:
    """Headers by either name, the lines of a description, and what the catalogue does not name."""
    assert facts(field, CATALOGUE) == expected
