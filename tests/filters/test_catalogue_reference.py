"""The reference and the catalogue say the same, and what the reference says is what plans do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.vocabulary import Category
from filters import catalogue_reference as reference
from filters.catalogue import load_catalogue
from filters.engine import Engine
from filters.zones import Towards
from tests.filters.test_zones import PARTIES, WORLD

CATALOGUE = load_catalogue()
TEXT = reference.render()


def test_the_page_in_the_repository_is_up_to_date() -> None:
    message = "run `python -m filters.catalogue_reference`"
    assert reference.TARGET.read_text() == TEXT, message


def test_every_entry_is_in_it_with_its_source() -> None:
    tables: dict[str, Any] = {
        "headers": CATALOGUE.headers, "contact-params": CATALOGUE.contact_params, "uri-params": CATALOGUE.uri_params,
        "sdp.lines": CATALOGUE.sdp_lines, "sdp.attributes": CATALOGUE.sdp_attributes, "bodies": CATALOGUE.bodies,
    }  # fmt: skip
    for section, table in tables.items():
        for name in (*table.exact, *(glob.encode() for glob, _ in table.globs)):
            source = CATALOGUE.source(section, name)
            assert source, (section, name)
            assert any(f"| `{name.decode()}`" in line and source in line for line in TEXT.splitlines()), name


def test_a_row() -> None:
    """Compact form, zones and source."""
    assert "| `subject` (`s`) | kept | removed | removed | RFC 3261 §20.36 |" in TEXT
    assert "| `p-preferred-identity` | always removed | always removed | always removed | RFC 3325 |" in TEXT
    assert "| `p-access-network-info` | always removed | removed | always removed | RFC 7315 §4.4 |" in TEXT
    assert "| `warning` | its form | its form | its form | RFC 3261 §20.43 |" in TEXT
    assert "| `allow` | its form | kept | its form | RFC 3261 §20.5 |" in TEXT
    assert "| `from` (`f`) | kept | core: anonymised | core: anonymised | RFC 3261 §20.20 |" in TEXT
    assert "| `message/cpim` | content | cleaned (cpim) | removed | removed | RFC 3862 |" in TEXT


@pytest.mark.parametrize("zone", Towards)
def test_what_it_says_of_headers_is_what_a_plan_does(zone: Towards) -> None:
    """A header that the page calls removed has an edit that leaves nothing, one that is kept has none that does."""
    engine, hop = Engine(WORLD, CATALOGUE), PARTIES[zone]
    plan = engine.plan(engine.towards(hop), hop)
    for name, entry in CATALOGUE.headers.exact.items():
        if entry.core or entry.category is None or entry.category is Category.CREDENTIALS:
            continue
        edit, *_ = plan._edit_for(name, CATALOGUE.towards(zone).entry(name))
        gone = edit is not None and edit(b"<sip:+15550123@a.example>") is None
        if name == b"p-asserted-identity" and edit is not None:  # which needs to know the hop for it
            gone = not plan.may_assert or not plan._asserted(b"<sip:+15550123@a.example>", b"h")
        assert gone is ("removed" in reference._fate(name, entry, zone)), name


def test_main_writes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "TARGET", tmp_path / "catalogue.md")
    reference.main()
    assert (tmp_path / "catalogue.md").read_text() == TEXT
