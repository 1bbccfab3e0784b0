"""The numbers of one process for Prometheus, read at scrape from plain integers.

Every series exists from the first scrape on, at zero: label values come from closed sets (the tables
here, in proxy/counters.py, and the names of configured listeners and trunks), never from a message. Those of trunks
follow a reload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from config.settings import Settings
from proxy.counters import COUNTERS, Counters, CounterSpec
from proxy.datagrams import TransportStats
from tap.boundary import PLACES
from tap.version import version

GAUGES = {
    "sipveil_server_transactions": "Server transactions at this moment.",
    "sipveil_client_transactions": "Client transactions at this moment.",
    "sipveil_parked_requests": "Requests that wait for a look-up at this moment.",
    "sipveil_targets_passed_over": "Addresses of next hops that were silent or asked to be left alone, and come last.",
    "sipveil_bindings": "Registered phones (bindings) at this moment.",
    "sipveil_registered_addresses": "Addresses of record that have any.",
    "sipveil_registrations_unsaved": "Addresses of record whose last change the store has not got yet.",
    "sipveil_registrations_store_failing": "1 while registrations cannot be saved and go on in memory, else 0.",
    "sipveil_overload_active": "1 while new requests may be refused for overload, else 0.",
    "sipveil_overload_refused_ratio": "Part of the new requests that is refused at this moment, 0 to 1.",
    "sipveil_overload_lag_seconds": "How long a datagram had waited to be read when this was last measured.",
    "sipveil_connections": "Connections at this moment, those included that are being made.",
    "sipveil_tls_certificates_invalid": "Certificates of our own that do not hold at this moment.",
    "sipveil_tls_certificate_end_seconds": "When the first of our own certificates ends, in Unix time; 0 for none.",
    "sipveil_recorder_certificate_end_seconds": "When the first certificate ends that metadata are encrypted to or "
                                                "opened for, former ones apart, in Unix time; 0 for none.",
    "sipveil_privacy_wishes_strict_until_seconds": "Until when recordings tell all participants as private, for a wish "
                                                   "for privacy could not be kept, in Unix time; 0 for never.",
    "sipveil_guard_banned": "Sources that are banned at this moment.",
    "sipveil_guard_limited": "Sources that asked for more than `source_rate` within the last second or two.",
    "sipveil_subscribers": "Subscribers who have settings of their own.",
    "sipveil_accounts": "Accounts that phones may authenticate with.",
    "sipveil_subscribers_knowledge": "What holds: 0 the store's settings, 1 the last known ones (the store cannot be "
                                     "read), 2 the strict profile for everybody.",
    "sipveil_subscribers_age_seconds": "How long ago the store of subscribers' settings was last read.",
}  # fmt: skip
"""Name → meaning of each of `Core.gauges()`, and of `tap.subscriber_watch.gauges`."""


TRUNK_GAUGES = {
    "sipveil_trunk_addresses_passed_over": "Addresses of a trunk that come last at this moment, by trunk.",
    "sipveil_trunk_registered": "1 while we are registered at a trunk that wants it, else 0, by trunk.",
    "sipveil_trunk_calls": "Calls that are counted for a trunk with a limit of calls, by trunk.",
}
"""Name → meaning of what `Core.gauges()` has for each trunk, as `name trunk`. The trunks are those that run now."""


class TransportSpec(NamedTuple):
    """A counter of each listener."""

    name: str
    help: str
    field: str
    """Which of TransportStats."""


TRANSPORT = (
    TransportSpec("sipveil_datagrams_received_total", "Datagrams read, and messages on connections, by listener.",
                  "datagrams_received"),
    TransportSpec("sipveil_datagrams_sent_total", "Datagrams and messages handed to the system, by listener.",
                  "datagrams_sent"),
    TransportSpec("sipveil_receive_errors_total", "Reads that the system refused, by listener.", "receive_errors"),
    TransportSpec("sipveil_send_refused_total", "Datagrams that the system refused for good, by listener.",
                  "send_refused"),
    TransportSpec("sipveil_kernel_drops_total", "Datagrams lost for want of room to receive, by listener.",
                  "kernel_drops"),
    TransportSpec("sipveil_send_queue_full_total", "Datagrams lost for want of room to send, by listener.",
                  "queue_full"),
)  # fmt: skip
FAILURES = CounterSpec(
    "sipveil_failures_total", "Exceptions that ended at the shell: each is a bug, by what caused it.", "place", PLACES
)
BUILD_INFO = ("sipveil_build_info", "Version of Sipveil; always 1.")


class Sources(NamedTuple):
    """Where the numbers are read at scrape."""

    counters: Counters
    gauges: Callable[[], Mapping[str, float]]
    listeners: Mapping[str, TransportStats]
    """Listener's configured name → what it counted."""
    failures: Mapping[str, int]
    """Place → exceptions that ended there."""
    trunks: Callable[[], tuple[str, ...]] = tuple
    """Returns the names of the trunks that are configured now."""


class SipveilCollector(Collector):
    """Turns a process's integers into metric families."""

    def __init__(self, sources: Sources) -> None:
        """Read from sources whenever somebody scrapes."""
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        yield from self.fixed()
        yield from trunk_families(self._sources.trunks(), self._sources.gauges())

    def trunks(self) -> tuple[tuple[str, ...], Mapping[str, float]]:
        """Return the trunks of this moment, and all gauges: what `trunk_families` takes."""
        return self._sources.trunks(), self._sources.gauges()

    def fixed(self) -> Iterator[Metric]:
        """Yield the families whose series stay the same from the start to the end."""
        counted = self._sources.counters.values
        for spec in COUNTERS:
            short = spec.name.removeprefix("sipveil_").removesuffix("_total")
            yield _counter(spec, ((value, counted.get((short, value), 0)) for value in spec.values))
        gauges = self._sources.gauges()
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(name, text, value=gauges.get(name, 0))
        names = tuple(self._sources.listeners)
        for transport in TRANSPORT:
            yield _counter(
                CounterSpec(transport.name, transport.help, "listener", names),
                ((name, getattr(stats, transport.field)) for name, stats in self._sources.listeners.items()),
            )
        yield _counter(FAILURES, ((place, self._sources.failures.get(place, 0)) for place in FAILURES.values))
        info = GaugeMetricFamily(*BUILD_INFO, labels=["version"])
        info.add_metric([version()], 1)
        yield info

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not collect."""
        return []


def trunk_families(trunks: Iterable[str], gauges: Mapping[str, float]) -> Iterator[Metric]:
    """Yield the gauges of each trunk; `gauges` as `Core.gauges()` has them."""
    trunks = tuple(trunks)
    for name, text in TRUNK_GAUGES.items():
        family = GaugeMetricFamily(name, text, labels=["trunk"])
        for trunk in trunks:
            family.add_metric([trunk], gauges.get(f"{name} {trunk}", 0))
        yield family


def not_registered(settings: Settings, gauges: Mapping[str, float]) -> tuple[str, ...]:
    """Return the trunks that we should be registered at and are not; `gauges` as `Core.gauges()` has them."""
    wanted = [trunk.name for trunk in settings.trunks if trunk.registration is not None]
    return tuple([name for name in wanted if not gauges.get(f"sipveil_trunk_registered {name}")])


def _counter(spec: CounterSpec, values: Iterable[tuple[str, int]]) -> CounterMetricFamily:
    """Return a family with one series per label value."""
    family = CounterMetricFamily(spec.name, spec.help, labels=[spec.label])
    for label, value in values:
        family.add_metric([label], value)
    return family


def registry(*collectors: Collector) -> CollectorRegistry:
    """Return a registry of its own with Sipveil's numbers and the process's (CPU, memory, descriptors)."""
    made = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        made.register(collector)
    ProcessCollector(registry=made)
    return made
