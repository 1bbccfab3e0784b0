"""The catalogue reads what is written, merges files, and names every mistake with its place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.vocabulary import Category
from filters.catalogue import (
    HANDLINGS,
    MAX_CACHED,
    PACKAGED,
    UNKNOWN,
    BodyEntry,
    Catalogue,
    CatalogueError,
    load_catalogue,
)
from filters.patterns import PATTERNS

# RFC 5379 Table 1, RFC 3261 §20 and standards.md §2.4, §6: one of each kind
HEADERS = {
    b"user-agent": Category.SOFTWARE, b"p-asserted-identity": Category.NUMBER, b"diversion": Category.HISTORY,
    b"call-info": Category.NAME, b"subject": Category.CONTENT, b"geolocation": Category.LOCATION,
    b"authorization": Category.CREDENTIALS, b"x-country": Category.LOCATION, b"x-country-code": Category.LOCATION,
    b"x-geo-city": Category.LOCATION, b"x-my-location": Category.LOCATION, b"x-serialnumber": Category.DEVICE,
    b"x-device-id": Category.DEVICE, b"x-real-ip": Category.NETWORK, b"x-source-ip": Category.NETWORK,
    b"x-imei": Category.DEVICE, b"x-cisco-device-name": Category.DEVICE, b"ms-device-info": Category.DEVICE,
    b"x-nice-call-id": Category.RECORDING, b"record": Category.RECORDING, b"session-id": Category.DEVICE,
    b"timestamp": Category.STATUS, b"x-asterisk-hangupcause": Category.UNKNOWN, b"": Category.UNKNOWN,
}  # fmt: skip
CORE = (
    b"via", b"route", b"record-route", b"contact", b"call-id", b"from", b"to", b"cseq", b"max-forwards", b"max-breadth",
    b"content-length", b"content-type", b"replaces", b"join", b"target-dialog", b"in-reply-to", b"refer-to", b"path",
    b"service-route",
)  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(("name", "category"), HEADERS.items())
def test_header(catalogue: Catalogue, name: bytes, category: Category) -> None:
    assert catalogue.entry(name).category is category
    assert catalogue.entry(name).form is None


@pytest.mark.parametrize("name", CORE)
def test_core_headers(catalogue: Catalogue, name: bytes) -> None:
    """What proxy/ writes itself is marked so."""
    assert catalogue.entry(name).core


def test_every_entry_is_a_category_a_form_or_core(catalogue: Catalogue) -> None:
    for table in ("headers", "contact_params", "uri_params", "sdp_lines", "sdp_attributes"):
        for name, entry in getattr(catalogue, table).exact.items():
            assert (entry.category is None) is (entry.form is not None) or entry.core, (table, name)


def test_every_entry_has_its_source() -> None:
    """Whoever wonders why a field is where it is can look it up."""
    data = tomllib.loads(PACKAGED.read_text())
    tables = [data["headers"], data["contact-params"], data["uri-params"], data["bodies"], data["patterns"]]
    for table in [*tables, data["sdp"]["lines"], data["sdp"]["attributes"]]:
        assert all(entry["source"] for entry in table.values())


def test_compact_forms_name_known_headers(catalogue: Catalogue) -> None:
    """IANA has twenty compact forms; each stands for a header that an entry names."""
    assert len(catalogue.compact) == 20
    assert catalogue.compact[b"f"] == b"from"
    assert set(catalogue.compact.values()) <= set(catalogue.headers.exact)


def test_params(catalogue: Catalogue) -> None:
    """Functional parameters stay, what names the device does not."""
    audio, instance = catalogue.contact_params.find(b"audio"), catalogue.contact_params.find(b"+sip.instance")
    assert audio.form
    assert audio.form(b"") == b""
    assert audio.form(b'"alice"') is None
    assert instance.category is Category.DEVICE
    assert catalogue.contact_params.find(b"pn-prid").category is Category.DEVICE
    assert catalogue.contact_params.find(b"+g.3gpp.icsi-ref").category is Category.DEVICE
    assert catalogue.contact_params.find(b"alice") is UNKNOWN
    assert catalogue.uri_params.find(b"x-nearenddevice").category is Category.RECORDING
    transport = catalogue.uri_params.find(b"transport").form
    assert transport
    assert (transport(b"udp"), transport(b"alice")) == (b"udp", None)


def test_bodies(catalogue: Catalogue) -> None:
    assert catalogue.bodies.find(b"application/sdp") == BodyEntry((), "sdp")
    assert catalogue.bodies.find(b"application/pidf+xml").categories == (Category.LOCATION, Category.STATUS)
    assert catalogue.bodies.find(b"text/plain").categories == (Category.CONTENT,)
    assert catalogue.bodies.find(b"multipart/signed").categories == tuple(Category)
    assert catalogue.bodies.find(b"application/alice").categories == (Category.UNKNOWN,)
    assert {entry.handling for entry in catalogue.bodies.exact.values()} - {""} == HANDLINGS


def test_every_pattern_has_a_category(catalogue: Catalogue) -> None:
    assert set(catalogue.patterns) == PATTERNS


def test_flood_of_names_does_not_grow(catalogue: Catalogue) -> None:
    """Names outside the catalogue are remembered, but not without end."""
    for number in range(3 * MAX_CACHED):
        assert catalogue.entry(b"x-flood-%d" % number) is UNKNOWN
    assert len(catalogue.headers._cache) <= len(catalogue.headers.exact) + MAX_CACHED
    assert catalogue.entry(b"via").core


def _file(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text)
    return path


def test_own_file_adds_and_replaces(tmp_path: Path) -> None:
    """Entries of a later file win, its globs come first, its lists grow, and the rest stays."""
    own = _file(tmp_path, """
        [lists]
        methods = ["DANCE"]
        [headers]
        X-Ticket = { category = "function", form = "value", grammar = "digits" }
        "x-*device*" = { category = "status" }
        user-agent = { category = "device" }
    """)  # fmt: skip
    merged = load_catalogue(PACKAGED, own)
    ticket, allow = merged.entry(b"x-ticket").form, merged.entry(b"allow").form
    assert ticket
    assert allow
    assert (ticket(b"17"), ticket(b"x")) == (b"17", None)
    assert allow(b"INVITE, DANCE") == b"INVITE, DANCE"
    assert merged.entry(b"x-my-device").category is Category.STATUS
    assert merged.entry(b"user-agent").category is Category.DEVICE
    assert merged.entry(b"server").category is Category.SOFTWARE


def test_earlier_glob_of_a_file_wins(tmp_path: Path) -> None:
    own = _file(tmp_path, '[headers]\n"x-a*" = {category = "name"}\n"x-*" = {category = "number"}')
    merged = load_catalogue(own)
    assert merged.entry(b"x-ab").category is Category.NAME
    assert merged.entry(b"x-b").category is Category.NUMBER


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[headers", "own.toml: "),
        ("x = 1", "x: expected a section"),
        ('[header]\nx = {category = "name"}', r"\[header\] x: there is no such section"),
        ("[headers]\nx = 1", r"\[headers\] x: expected a table"),
        ('[headers]\nx = {category = "nam"}', "'nam' is not a category; write one of name"),
        ("[headers]\nx = {}", "None is not a category"),
        ('[headers]\nx = {category = "function"}', "a function, and only a function, has a form"),
        ('[headers]\nx = {category = "name", form = "flag"}', "a function, and only a function, has a form"),
        ('[headers]\nx = {category = "name", values = ["a"]}', "'values' stands without a form"),
        ('[headers]\nx = {category = "function", form = "alice"}', "there is no form 'alice'"),
        ('[headers]\nx = {category = "function", form = "value", valves = 1}', "valves"),
        ('[headers]\nx = {category = "function", form = "value", values = "alice"}', "'alice' is neither in"),
        ('[headers]\nx = {category = "function", form = "value", values = ["a"], params = {q = "alice"}}', "'alice'"),
        ('[headers]\nx = {category = "function", form = "match", pattern = "("}', "unterminated"),
        ('[headers]\nx = {category = "function", form = "match", pattern = "{alice}"}', r"'alice' is not in \[lists\]"),
        ('[lists]\nx = ["a", 1]\n[headers]\ny = {category = "function", form = "value", values = "x"}', r"\[lists\] x"),
        ('[compact]\nxy = "via"', r"\[compact\] xy: expected a letter"),
        ('[patterns]\nalice = {category = "name"}', r"\[patterns\] alice: there is no such pattern"),
        ('[bodies]\n"a/b" = {category = "function", handling = "alice"}', "handling must be one of"),
        ('[bodies]\n"a/b" = {category = [], handle = "x"}', "unknown key 'handle'"),
        ('[bodies]\n"a/b" = {category = []}', "is not a category"),
    ],
)
def test_mistake(tmp_path: Path, text: str, problem: str) -> None:
    """File, section and entry are named, and what is wrong with it."""
    with pytest.raises(CatalogueError, match=problem) as caught:
        load_catalogue(_file(tmp_path, text))
    assert "own.toml" in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"absent\.toml"):
        load_catalogue(tmp_path / "absent.toml")
