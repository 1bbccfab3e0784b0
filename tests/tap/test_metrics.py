"""The numbers of the metrics page."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.logger import Logger

from config.subscribers import Subscribers
from proxy.core import Core
from proxy.counters import COUNTERS, Counters
from proxy.datagrams import TransportStats
from tap.boundary import PLACES
from tap.connections import Connections
from tap.metrics import FAILURES, GAUGES, TRANSPORT, TRUNK_GAUGES, SipveilCollector, Sources, not_registered, registry
from tap.subscriber_watch import gauges
from tests.proxy.registering import world as registering
from tests.tap.fakes import FakeCore, settings_of
from tests.world import TRUNK, World


def page(counters: Counters | None = None, stats: TransportStats | None = None) -> str:
    gauges = {"sipveil_server_transactions": 3, "sipveil_client_transactions": 2, "sipveil_parked_requests": 1}
    sources = Sources(
        counters or Counters(), lambda: gauges, {"access": stats or TransportStats()}, dict.fromkeys(PLACES, 0)
    )
    return generate_latest(registry(SipveilCollector(sources))).decode()


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_series_is_there_at_zero() -> None:
    """Nobody has to guess which values a label can have: all are there from the first scrape on."""
    found = samples(page())
    for spec in (*COUNTERS, FAILURES):
        for value in spec.values:
            assert found[spec.name, (value,)] == 0
    for transport in TRANSPORT:
        assert found[transport.name, ("access",)] == 0


def test_every_family_has_type_and_help() -> None:
    """Counters and gauges alike, and the process's."""
    text = page()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name in [spec.name.removesuffix("_total") for spec in (*COUNTERS, *TRANSPORT, FAILURES)]:
        assert families[name].type == "counter"
        assert families[name].documentation
    for name in GAUGES:
        assert families[name].type == "gauge"
    assert "process_resident_memory_bytes" in families


def test_counts_are_read_at_scrape() -> None:
    """What the core and a listener have counted by now."""
    counters, stats = Counters(), TransportStats()
    counters.add("requests_received", "INVITE")
    counters.add("requests_received", "INVITE")
    stats.datagrams_received = 7
    found = samples(page(counters, stats))
    assert found["sipveil_requests_received_total", ("INVITE",)] == 2
    assert found["sipveil_datagrams_received_total", ("access",)] == 7
    assert found["sipveil_server_transactions", ()] == 3


def test_labels_outside_the_closed_set_never_show() -> None:
    """Should the core ever count under what a phone sent, the page does not say it."""
    counters = Counters()
    counters.add("requests_received", "sip:+15550142@example.net")
    assert "5550142" not in page(counters)


def test_scraping_counts_nothing() -> None:
    """Reading does not add entries to the core's dictionary."""
    counters = Counters()
    page(counters)
    assert not counters.values


def test_gauges_are_those_of_the_core_and_of_the_shell(tmp_path: Path) -> None:
    """The table here, the core, the fake of these tests, the watch and the connections name the same gauges."""
    core = set(FakeCore.gauges(None))  # type: ignore[arg-type]
    connections = Connections(None, settings_of(tmp_path), now=float, wall=float, log=Logger())
    journal = {"sipveil_registrations_unsaved", "sipveil_registrations_store_failing"}
    assert core | journal | set(gauges(Subscribers(), 0)) | set(connections.gauges()) == set(GAUGES)
    assert Core.gauges.__doc__


def test_build_info_names_the_version() -> None:
    """So that a dashboard can show what runs where."""
    assert "sipveil_build_info{version=" in page()


def test_each_trunk_has_its_gauges() -> None:
    """Those of this moment: a trunk that a reload brings has them too, one that it takes has none any more."""
    gauges = {"sipveil_trunk_calls carrier": 4, "sipveil_trunk_calls new": 5}
    trunks = ["carrier", "gone"]
    sources = Sources(Counters(), lambda: gauges, {}, dict.fromkeys(PLACES, 0), lambda: tuple(trunks))

    def calls() -> dict[tuple[str, ...], float]:
        found = samples(generate_latest(registry(SipveilCollector(sources))).decode())
        assert set(TRUNK_GAUGES) <= {name for name, _ in found}
        return {labels: value for (name, labels), value in found.items() if name == "sipveil_trunk_calls"}

    assert calls() == {("carrier",): 4, ("gone",): 0}
    trunks[1] = "new"
    assert calls() == {("carrier",): 4, ("new",): 5}


def test_the_core_has_what_the_trunks_gauges_show() -> None:
    world = World()
    world.core.outages.silent(TRUNK, world.now)
    gauges = world.core.gauges()
    assert gauges["sipveil_trunk_addresses_passed_over carrier"] == 1
    assert gauges["sipveil_trunk_calls second"] == 0
    assert {key.partition(" ")[0] for key in gauges if " " in key} == set(TRUNK_GAUGES)


def test_trunks_that_do_not_know_us_are_those_that_should() -> None:
    settings = registering().settings
    assert not_registered(settings, {}) == ("carrier",)
    assert not_registered(settings, {"sipveil_trunk_registered carrier": 1}) == ()
    assert not_registered(World().settings, {}) == ()
