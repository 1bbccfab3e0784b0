"""Who is who and who goes where (dialogs.md "Authentic is not safe")."""

from __future__ import annotations

from typing import Any

import pytest

from config.retired import trunk_id
from config.settings import Limits, Trunk
from config.vocabulary import Zone
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.hop import Hop
from proxy.message import Message
from proxy.parse import parse
from proxy.party import ACCESS, Party
from proxy.record import End
from proxy.routing import Network
from proxy.uri import parse_sip_uri
from tests.agents import ALICE
from tests.proxy.test_sources import LISTENERS, sources
from tests.world import CORE, PROXY, PSAP, SECOND_TRUNK, TRUNK, settings

NETWORK = Network(settings())


def network(**changes: Any) -> Network:
    return Network(settings(**changes))


def party(name: str, *, psap: bool = False) -> Party:
    trunk = next(trunk for trunk in NETWORK.settings.trunks if trunk.name == name)
    return Party(Zone.PSAP if psap else Zone.TRUNK, trunk)


def request(uri: bytes, method: bytes = b"INVITE") -> Message:
    return parse(
        b"%b %b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=a\r\nTo: <sip:b@c>\r\n"
        b"Call-ID: 1\r\nCSeq: 1 %b\r\n\r\n" % (method, uri, method),
        Limits(),
    )


def route(
    uri: bytes, source: Party, *, method: bytes = b"INVITE", where: Network = NETWORK
) -> list[tuple[str, str, int]]:
    message = request(uri, method)
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        parsed = None
    emergency = where.is_emergency(message.uri)
    return [(hop.party.label, hop.host, hop.port) for hop in where.route(message, parsed, source, emergency=emergency)]


PHONES = Party(Zone.ACCESS)
PBX = Party(Zone.CORE)


# --- whose address is it


@pytest.mark.parametrize(
    ("address", "label"),
    [
        (("10.1.1.23", 5062), "access"),
        (("10.255.255.255", 1), "access"),
        (("10.9.9.9", 5060), "access"),
        (CORE, "core"),
        (("203.0.113.5", 40000), "core"),
        (TRUNK, "carrier"),
        (SECOND_TRUNK, "second"),
        (PSAP, "psap"),
        (("198.51.100.20", 40000), "carrier"),
    ],
)
def test_an_address_belongs_to_its_side(address: tuple[str, int], label: str) -> None:
    """By configuration alone."""
    found = NETWORK.party_of(address)
    assert found is not None
    assert found.label == label


@pytest.mark.parametrize(
    "address",
    [("203.0.113.66", 5060), ("198.51.100.7", 5061), ("198.51.100.32", 5060), ("11.0.0.1", 5060), ("2001:db8::1", 5060),
     ("::ffff:10.1.1.23", 5062), ("fe80::1%eth0", 5060)],
)  # fmt: skip
def test_strangers_belong_to_nobody(address: tuple[str, int]) -> None:
    """Issue 2: sources outside the configured networks reach no hop. A trunk's host counts with its port only."""
    assert NETWORK.party_of(address) is None


def test_the_longest_prefix_wins() -> None:
    """A trunk inside the phones' network, and phones inside the trunk's."""
    nested = network(
        access={"networks": ["10.0.0.0/8", "10.1.2.0/28"], "listener": "main", "edge_proxies": ["10.1.2.0/28"]},
        trunks=[{"name": "carrier", "hosts": ["10.1.2.3:5060"], "networks": ["10.1.0.0/16"], "listener": "main"}],
        routes=[],
    )

    def label(host: str, port: int = 9) -> tuple[str, bool]:
        found = nested.party_of((host, port))
        assert found is not None
        return found.label, found.edge

    assert label("10.2.0.1") == ("access", False)
    assert label("10.1.0.1") == ("carrier", False)
    assert label("10.1.2.5") == ("access", True), "among equals, the edge proxy"
    assert label("10.1.2.3", 5060) == ("carrier", False), "address and port win over every network"
    assert label("10.1.2.3", 5061) == ("access", True)


def test_an_edge_proxy_is_known_by_its_address() -> None:
    """Its Route and Record-Route are believed, a phone's are not."""
    edge, phone = NETWORK.party_of(("10.9.9.9", 40000)), NETWORK.party_of(("10.9.9.8", 5060))
    assert edge is not None
    assert phone is not None
    assert (edge.edge, phone.edge) == (True, False)


def test_we_are_our_listeners_bound_and_advertised() -> None:
    """dialogs.md "Names": all of them are us; 5060 is meant where no port is given."""
    ours = network(
        listeners=[{"name": "main", "address": "192.0.2.1", "port": 5070, "advertised": "Sip.Example.Net:5062"}]
    )
    assert ours.is_us(b"192.0.2.1", 5070)
    assert ours.is_us(b"sip.example.net", 5062)
    assert not ours.is_us(b"192.0.2.1", 0)
    assert not ours.is_us(b"sip.example.net", 5070)
    assert NETWORK.is_us(PROXY[0].encode(), 0)


# --- sides of dialogs


def test_a_recorded_side_is_found_again() -> None:
    """By the trunk's stable id, not by its place in the file."""
    for name in ("carrier", "second"):
        assert NETWORK.party(party(name).end) == party(name)
    assert NETWORK.party(End(Zone.ACCESS)) == PHONES
    assert NETWORK.party(End(Zone.CORE)) == PBX
    assert NETWORK.party(End(Zone.TRUNK, 1)) is None
    assert network(core=None, routes=[]).party(End(Zone.CORE)) is None


def test_an_emergency_trunk_is_a_psap_for_emergency_calls_only() -> None:
    """design.md §2."""
    end = End(Zone.PSAP, trunk_id("psap"))
    found, other = NETWORK.party(end, True), NETWORK.party(end)
    assert found is not None
    assert other is not None
    assert (found.zone, other.zone) == (Zone.PSAP, Zone.TRUNK)


def test_a_retired_trunk_serves_its_dialogs_and_gets_no_calls() -> None:
    """dialogs.md "Pinning": a deleted trunk still serves its dialogs."""
    gone = Trunk(name="gone", hosts=("198.51.100.40:5060",), listener="main")  # type: ignore[arg-type]
    retired = Network(settings(), [gone])
    assert retired.party(End(Zone.TRUNK, trunk_id("gone"))) == Party(Zone.TRUNK, gone)
    assert retired.party_of(("198.51.100.40", 5060)) == Party(Zone.TRUNK, gone)
    assert retired.reachable(Party(Zone.TRUNK, gone), ("198.51.100.40", 5060))
    for uri in (b"sip:9@192.0.2.1", b"sip:8@198.51.100.40", b"sip:x@198.51.100.40"):
        assert "gone" not in [label for label, _, _ in route(uri, PHONES, where=retired)]


def test_a_running_trunk_has_its_address_before_a_retired_one() -> None:
    """An address that moved to another trunk is that trunk's now."""
    gone = Trunk(name="gone", hosts=("198.51.100.7:5060",), listener="main")  # type: ignore[arg-type]
    found = Network(settings(), [gone]).party_of(TRUNK)
    assert found is not None
    assert found.label == "carrier"


# --- what may be reached


@pytest.mark.parametrize(
    ("name", "address", "allowed"),
    [
        ("carrier", TRUNK, True),
        ("carrier", ("198.51.100.17", 40000), True),
        ("carrier", ("198.51.100.7", 5061), False),
        ("carrier", SECOND_TRUNK, False),
        ("carrier", CORE, False),
        ("carrier", ("10.1.1.23", 5062), False),
        ("carrier", ("203.0.113.66", 5060), False),
        ("carrier", ("gw.example.com", 5060), False),
        ("carrier", ("", 5060), False),
        ("carrier", ("198.51.100.300", 5060), False),
        ("carrier", ("::1", 5060), False),
    ],
)
def test_a_trunk_is_reached_within_its_own_hops(name: str, address: tuple[str, int], allowed: bool) -> None:
    """dialogs.md: a trunk's target or route entry is reached only within that trunk's configured hops."""
    assert NETWORK.reachable(party(name), address) is allowed


def test_a_hop_by_name_is_reached_by_its_configured_name() -> None:
    """A name that is one of the trunk's hosts is looked up; no other."""
    named = network(trunks=[{"name": "carrier", "hosts": ["gw.example.com:5060"], "listener": "main"}], routes=[])
    carrier = Party(Zone.TRUNK, named.settings.trunks[0])
    assert named.reachable(carrier, ("gw.example.com", 5060))
    assert not named.reachable(carrier, ("gw.example.com", 5061))
    assert not named.reachable(carrier, ("evil.example.com", 5060))


def test_the_core_and_the_phones_are_reached_within_their_networks() -> None:
    """The same check for every side."""
    assert NETWORK.reachable(PBX, ("203.0.113.5", 5080))
    assert not NETWORK.reachable(PBX, TRUNK)
    assert NETWORK.reachable(PHONES, ("10.1.1.23", 5062))
    assert not NETWORK.reachable(PHONES, CORE)


# --- emergency calls


@pytest.mark.parametrize(
    "uri",
    [b"urn:service:sos", b"URN:Service:SOS", b"urn:service:sos.fire", b"urn:service:sos.police.municipal",
     b"urn:service:test.sos", b"urn:service:test.sos.fire", b"sip:911@sip.example.net;user=phone", b"sip:112@192.0.2.1",
     b"sips:911;phone-context=+1@x", b"tel:112", b"tel:911;phone-context=+1", b"tel:+112", b"sip:+911@x",
     b"sip:%2B1-1-2@x", b"sip:*67911@x", b"sip:%2A67112@x", b"sip:*82*67911@x", b"tel:*67911;phone-context=+1",
     b"urn:service:sos;x=y", b"urn:service:sos?=x", b"urn:service:sos#x"],
)  # fmt: skip
def test_emergency_calls_are_known_by_their_request_uri(uri: bytes) -> None:
    """RFC 5031 §4.2 and the configured numbers."""
    message = request(uri)
    assert NETWORK.is_emergency(message.uri)
    assert route(uri, PHONES) == [("psap", *PSAP)]


@pytest.mark.parametrize(
    "uri",
    [b"urn:service:sosx", b"urn:service:sos-x", b"urn:service:counseling", b"urn:service:test.sosx",
     b"urn:x:service:sos",
     b"sip:9112@x", b"sip:+9112@x", b"sip:1911@x", b"sip:++911@x", b"sip:sos@x", b"sip:911.x@y", b"sip:x@911",
     b"tel:+1911", b"sip:*68911@x", b"sip:67911@x", b"sip:*67@x"],
)  # fmt: skip
def test_other_calls_are_none(uri: bytes) -> None:
    """Nothing that only looks alike gets the exemption, nor a To or a header that claims it."""
    assert not NETWORK.is_emergency(uri)


@pytest.mark.parametrize("uri", [b"sip:112@x", b"tel:1-1-2", b"sip:%31%31%32@x", b"sip:11112@x"])
def test_no_prefix_hides_an_emergency_number(uri: bytes) -> None:
    """No configuration switches it off by accident."""
    assert network(privacy={"withhold": ["11"]}).is_emergency(uri)


def test_an_emergency_number_may_be_a_number_of_e164() -> None:
    """Poison control has one (47 CFR 64.1601(d)); its `+` is part of it."""
    where = network(emergency={"numbers": ["+18002221222"]})
    assert where.is_emergency(b"tel:+1-800-222-1222")
    assert not where.is_emergency(b"sip:18002221222@x")


def test_without_an_emergency_route_the_call_goes_where_others_go() -> None:
    """It is never refused for want of a special line; its trunk then is no PSAP."""
    plain = network(routes=[{"source": "access", "to": ["carrier"]}])
    assert route(b"sip:911@x", PHONES, where=plain) == [("carrier", *TRUNK)]
    hops = plain.route(request(b"sip:911@x"), parse_sip_uri(b"sip:911@x"), PHONES, emergency=True)
    assert [hop.party.zone for hop in hops] == [Zone.TRUNK]


# --- the routing table


@pytest.mark.parametrize(
    ("uri", "source", "hops"),
    [
        (b"sip:9@192.0.2.1", PHONES, [("carrier", *TRUNK), ("second", *SECOND_TRUNK)]),
        (b"sip:8@192.0.2.1", PHONES, [("core", *CORE)]),
        (b"sip:+15550100@192.0.2.1", PHONES, [("carrier", *TRUNK)]),
        (b"sip:anything@198.51.100.8", PHONES, []),
        (b"sip:100@198.51.100.8", PHONES, [("carrier", *TRUNK)]),
        (b"tel:9", PHONES, [("carrier", *TRUNK), ("second", *SECOND_TRUNK)]),
        (b"sip:+15550100@192.0.2.1", party("carrier"), [("core", *CORE)]),
        (b"sip:+1@192.0.2.1", PBX, [("carrier", *TRUNK)]),
        (b"sip:alice@10.1.1.23:5062", PBX, [("access", "10.1.1.23", 5062)]),
        (b"sip:alice@10.1.1.23", PBX, [("access", "10.1.1.23", 5060)]),
        (b"sip:alice@203.0.113.66", PBX, []),
        (b"sip:alice@phone.example", PBX, []),
        (b"tel:5", PBX, []),
    ],
)
def test_the_first_route_that_matches_decides(uri: bytes, source: Party, hops: list[tuple[str, str, int]]) -> None:
    """Source, prefix, then the hops in their order; the Request-URI names a hop of the phones only."""
    assert route(uri, source) == hops


def test_routes_may_be_for_some_methods_only() -> None:
    """REGISTER to the core, say."""
    routes = [{"methods": ["REGISTER"], "to": ["core"]}, {"to": ["carrier"]}]
    assert route(b"sip:x@y", PHONES, method=b"REGISTER", where=network(routes=routes)) == [("core", *CORE)]
    assert route(b"sip:x@y", PHONES, where=network(routes=routes)) == []
    assert route(b"sip:1@y", PHONES, where=network(routes=routes)) == [("carrier", *TRUNK)]


def test_a_target_is_tried_once() -> None:
    """§16.5: two lines may name the same hop."""
    twice = network(routes=[{"to": ["carrier", "carrier", "second"]}])
    assert route(b"sip:1@y", PHONES, where=twice) == [("carrier", *TRUNK), ("second", *SECOND_TRUNK)]


def test_no_route_is_no_hop() -> None:
    """Fail closed."""
    assert route(b"sip:x@y", PHONES, where=network(routes=[])) == []


# --- sockets and names


def test_a_hop_leaves_through_its_sides_listener_or_one_of_its_family() -> None:
    """An IPv6 hop cannot be reached from an IPv4 socket."""
    both = network(
        listeners=[
            {"name": "main", "address": "192.0.2.1"},
            {"name": "six", "address": "2001:db8::1"},
            {"name": "other", "address": "192.0.2.2", "port": 5070},
        ],
        trunks=[{"name": "carrier", "hosts": ["198.51.100.7:5060"], "listener": "other"}],
        routes=[],
    )
    carrier = Party(Zone.TRUNK, both.settings.trunks[0])
    assert both.hop(carrier, TRUNK) == Hop(carrier, *TRUNK, ("192.0.2.2", 5070))
    assert both.local(carrier, "2001:db8::7") == ("2001:db8::1", 5060)
    assert both.local(PHONES, "10.1.1.23") == ("192.0.2.1", 5060)


def test_a_side_is_told_the_advertised_name() -> None:
    """dialogs.md "Names"."""
    named = network(listeners=[{"name": "main", "address": "0.0.0.0", "advertised": "sip.example.net"}])
    assert named.advertised(PHONES)[0] == "sip.example.net"
    assert NETWORK.advertised(PHONES) == PROXY


def test_each_side_has_its_record_budget() -> None:
    """dialogs.md: 160 bytes towards a UDP hop by default; phones have no carrier's limits, and get more."""
    assert NETWORK.record_budget(party("carrier")) == 160
    assert NETWORK.record_budget(PHONES) == 320
    assert NETWORK.record_budget(PBX) == 1024
    assert network(core=None, routes=[]).record_budget(PBX) == 0


def test_hops_that_never_change_are_worked_out_once() -> None:
    """Those that the Request-URI names are asked for each time."""
    message = parse(ALICE.invite().data, Limits())
    uri = parse_sip_uri(message.uri)
    first = NETWORK.route(message, uri, ACCESS, emergency=False)
    assert first
    assert NETWORK.route(message, uri, ACCESS, emergency=False) is first
    to_core = network(routes=[{"to": ["core"]}], core={"networks": ["192.0.2.0/24"], "listener": "main"})
    for host in (b"192.0.2.8", b"192.0.2.9"):
        uri = parse_sip_uri(b"sip:a@" + host)
        assert [hop.host for hop in to_core.route(message, uri, ACCESS, emergency=False)] == [host.decode()]


def test_the_addresses_of_a_retired_trunk_are_known_whoever_has_them_now() -> None:
    """A trunk that was renamed sends in its old calls from the same addresses."""
    carrier = settings().trunks[0]
    gone = carrier.model_copy(update={"name": "gone"})
    network = Network(settings(), [gone])
    former, current = (Party(Zone.TRUNK, each).end for each in (gone, carrier))
    assert network.party_of(TRUNK) == Party(Zone.TRUNK, carrier)
    assert network.served(former, TRUNK)
    assert network.served(former, ("198.51.100.17", 5099))
    assert not network.served(former, ("198.51.100.8", 5060))
    assert not network.served(current, TRUNK)


# Hops over other transports


def test_hops_have_the_transport_of_their_listener() -> None:
    """Default port, socket and the name that the certificate must show."""
    network = sources()
    carrier = network.party_of(("198.51.100.7", 5061))
    assert carrier is not None
    home = network.home(carrier)
    assert home is not None
    assert home.flow == Flow("TLS", (PROXY[0], 5061), ("198.51.100.7", 5061), 0, ("gw.carrier.example",))
    assert network.default_port(carrier) == 5061
    named = Network(settings(listeners=LISTENERS, trunks=[{
        "name": "n", "hosts": ["Sip.Carrier.Example."], "networks": ["198.51.100.0/24"], "listener": "tls",
    }], routes=[]))  # fmt: skip
    party = named.party_of(TRUNK)
    assert party is not None
    home = named.home(party)
    assert home is not None
    found = named.at(home, ("198.51.100.9", 5071))
    assert found is not None
    assert found.identity == ("sip.carrier.example",)
    literal = named.named(party, b"198.51.100.9", 0)
    assert literal is not None
    assert (literal.port, literal.identity) == (5061, ("sip.carrier.example",))


def test_an_address_family_without_a_listener_of_that_transport_is_not_reached() -> None:
    """A UDP socket is no way for TLS."""
    listeners = [*LISTENERS, {"name": "six", "address": "2001:db8::1", "port": 5060}]
    network = Network(settings(listeners=listeners, trunks=[{
        "name": "n", "hosts": ["sip.carrier.example"], "networks": ["2001:db8:7::/48"], "listener": "tls",
    }], routes=[]))  # fmt: skip
    party = network.party_of(("2001:db8:7::7", 5061))
    assert party is not None
    home = network.home(party)
    assert home is not None
    assert network.at(home, ("2001:db8:7::7", 5061)) is None


def test_urls_without_port_mean_us_where_the_transport_says_so() -> None:
    """5061 for TLS, 443 for secure WebSockets (RFC 3261 §19.1.2)."""
    tls = Network(settings(listeners=[{"name": "main", "address": PROXY[0], "port": 5061, "transport": "tls"}]))
    assert tls.is_us(PROXY[0].encode(), 0)
    assert not tls.is_us(PROXY[0].encode(), 5060)


def test_records_are_roomy_over_streams_unless_written_otherwise() -> None:
    """dialogs.md: 160 bytes towards a UDP hop, 1,024 on streams."""
    network = sources()
    carrier = network.party_of(("198.51.100.7", 5061))
    assert carrier is not None
    assert [network.record_budget(carrier, each) for each in ("UDP", "TLS")] == [160, 1024]
    assert [network.record_budget(PHONES, each) for each in ("UDP", "WSS")] == [320, 1024]
    tight = sources(record_budget=200, max_user=200)
    carrier = tight.party_of(("198.51.100.7", 5061))
    assert carrier is not None
    assert [tight.record_budget(carrier, each) for each in ("UDP", "TLS")] == [128, 128]
    assert tight.max_user(carrier, "TLS") == 200
