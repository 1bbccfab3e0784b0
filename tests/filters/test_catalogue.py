"""The catalogue reads what is written, merges files, and names every mistake with its place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.problem import ConfigError
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
from filters.zones import Towards

# RFC 5379 Table 1, RFC 3261 §20 and standards.md §2.4, §6: one of each kind
HEADERS = {
    b"user-agent": Category.SOFTWARE, b"p-asserted-identity": Category.NUMBER, b"diversion": Category.HISTORY,
    b"call-info": Category.NAME, b"subject": Category.CONTENT, b"geolocation": Category.LOCATION,
    b"authorization": Category.CREDENTIALS, b"x-country": Category.LOCATION, b"x-country-code": Category.LOCATION,
    b"x-geo-city": Category.LOCATION, b"x-my-location": Category.LOCATION, b"x-serialnumber": Category.DEVICE,
    b"x-device-id": Category.DEVICE, b"x-real-ip": Category.NETWORK, b"x-source-ip": Category.NETWORK,
    b"x-imei": Category.DEVICE, b"x-cisco-device-name": Category.DEVICE, b"ms-device-info": Category.DEVICE,
    b"x-nice-call-id": Category.RECORDING, b"record": Category.RECORDING, b"session-id": Category.DEVICE,
    b"timestamp": Category.STATUS, b"x-anything": Category.UNKNOWN, b"": Category.UNKNOWN,
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


def test_what_is_wrong_in_all_files_comes_at_once(tmp_path: Path) -> None:
    """File, line, key, what is wrong and what would be right; the files in their order."""
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text('[headers]\nx-a = { category = "nam" }\n\nvia = { category = "number" }\n')
    second.write_text('[header]\nx-b = { category = "name" }\n')
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(PACKAGED, first, tmp_path / "absent.toml", second)
    places = [f"{Path(each.file).name}:{each.line}: {each.key}" for each in caught.value.problems]
    assert places == [
        "first.toml:2: headers.x-a.category", "first.toml:4: headers.via", "absent.toml:0: ", "second.toml:1: header",
    ]  # fmt: skip
    assert all(each.wrong and each.right for each in caught.value.problems)
    assert isinstance(caught.value, ConfigError), "they are printed with those of the configuration"


@pytest.mark.parametrize(
    ("section", "name", "source"),
    [
        ("headers", b"p-preferred-identity", "RFC 3325"), ("headers", b"x-my-device", "standards.md §6"),
        ("sdp.attributes", b"rtpmap", "RFC 8866 §6.6"), ("bodies", b"message/cpim", "RFC 3862"),
        ("patterns", b"imei", "RFC 7255 §8"), ("headers", b"x-anything", ""), ("nothing", b"via", ""),
    ],
)  # fmt: skip
def test_source(catalogue: Catalogue, section: str, name: bytes, source: str) -> None:
    """For whoever explains an edit: where the field is defined."""
    assert catalogue.source(section, name) == source
    assert catalogue.towards(Towards.UNTRUSTED).source(section, name) == source


def test_towards_a_zone_entries_are_fixed(catalogue: Catalogue) -> None:
    """What never goes there is marked, in every section; the catalogue of no zone marks nothing."""
    assert not catalogue.fixed
    assert catalogue.towards(Towards.CORE).fixed == catalogue.towards(Towards.PSAP).fixed == frozenset()
    untrusted = catalogue.towards(Towards.UNTRUSTED)
    assert untrusted.fixed == {"headers", "contact-params", "uri-params"}
    assert untrusted.entry(b"p-access-network-info").fixed
    assert not catalogue.towards(Towards.TRUSTED).entry(b"p-access-network-info").fixed
    assert untrusted.contact_params.find(b"pn-prid").fixed
    assert untrusted is catalogue.towards(Towards.UNTRUSTED)


def test_weakening_is_a_warning(tmp_path: Path, catalogue: Catalogue) -> None:
    own = _file(tmp_path, '[headers]\nuser-agent = {category = "function", form = "flag", weaken = true}')
    [warning] = load_catalogue(PACKAGED, own).warnings
    assert (Path(warning.file), warning.line, warning.key) == (own, 2, "headers.user-agent")
    assert "config/catalogue.toml:" in warning.wrong
    assert catalogue.warnings == ()


def test_towards_recorders_metadata_tell_of_recording_alone() -> None:
    """What they name is edited for each participant by then."""
    catalogue = load_catalogue().towards(Towards.UNTRUSTED)
    kind = b"application/rs-metadata+xml"
    assert Category.NUMBER in catalogue.bodies.find(kind).categories
    told = catalogue.with_metadata()
    assert told.bodies.find(kind).categories == (Category.RECORDING,)
    for other in (b"application/sdp", b"application/pkcs7-mime", b"application/x-cisco-x", b"text/plain", b"x/y"):
        assert told.bodies.find(other) == catalogue.bodies.find(other)
