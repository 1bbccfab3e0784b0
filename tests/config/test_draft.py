"""Looking things up in what may still be wrong."""

from __future__ import annotations

from config.address import HostPortValue, parse_host_port
from config.draft import EACH, find, parsed, tables, texts

DRAFT = {"trunks": [{"name": "a", "hosts": ["h:1", 5, "bad host"]}, "no table", {"name": 3}], "access": 7}


def test_patterns_lead_to_values_with_their_paths() -> None:
    assert list(find(DRAFT, "trunks", EACH, "name")) == [(("trunks", 0, "name"), "a"), (("trunks", 2, "name"), 3)]


def test_what_has_the_wrong_type_is_passed_over() -> None:
    assert texts(DRAFT, "trunks", EACH, "name") == [(("trunks", 0, "name"), "a")]
    assert [path for path, _ in tables(DRAFT, "trunks", EACH)] == [("trunks", 0), ("trunks", 2)]
    assert list(find(DRAFT, "access", "networks", EACH)) == []
    assert list(find(DRAFT, "trunks", "name")) == []
    assert list(find(DRAFT, "core", EACH)) == []


def test_what_cannot_be_read_is_passed_over() -> None:
    found = parsed(parse_host_port, DRAFT, "trunks", EACH, "hosts", EACH)
    assert found == [(("trunks", 0, "hosts", 0), HostPortValue("h", 1))]
