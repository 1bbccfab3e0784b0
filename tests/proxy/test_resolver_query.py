"""The questions of RFC 3263 against a real name server on loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import dns.resolver
import pytest

from proxy import resolver_query as module
from proxy.location import Place
from proxy.resolver_query import FAILED, Answer, ask_name_servers, name_servers, system_name_servers
from tests.name_server import NameServer, Zone

NAPTR = [
    '20 10 "s" "SIP+D2U" "" second.example.net.',
    '10 20 "s" "sip+d2u" "" _sip._udp.spare.example.net.',
    '10 10 "S" "SIP+D2U" "" main.example.net.',
    '5 10 "s" "SIPS+D2T" "" tls.example.net.',
    '1 10 "u" "SIP+D2U" "!.*!sip:x@evil.example!" .',
    '2 10 "s" "SIP+D2U" "!.*!x!" tls.example.net.',
]
ZONE: Zone = {
    ("trunk.example.net.", "A"): (60, ["192.0.2.10", "192.0.2.11"]),
    ("trunk.example.net.", "AAAA"): (30, ["2001:db8::10"]),
    ("four.example.net.", "A"): (0, ["192.0.2.4"]),
    ("served.example.net.", "A"): (60, ["192.0.2.99"]),
    ("_sip._udp.served.example.net.", "SRV"): (50, ["10 60 5062 trunk.example.net.", "20 0 5060 four.example.net."]),
    ("pointed.example.net.", "NAPTR"): (20, NAPTR),
    ("pointed.example.net.", "A"): (60, ["192.0.2.99"]),
    ("main.example.net.", "SRV"): (70, ["0 0 5080 trunk.example.net."]),
    ("tls.example.net.", "SRV"): (70, ["0 0 5061 four.example.net."]),
    ("tlsonly.example.net.", "NAPTR"): (40, ['5 10 "s" "SIPS+D2T" "" tls.example.net.']),
    ("tlsonly.example.net.", "A"): (60, ["192.0.2.98"]),
    ("alias.example.net.", "CNAME"): (12, ["trunk.example.net."]),
    ("_sip._udp.none.example.net.", "SRV"): (50, ["0 0 0 ."]),
    ("none.example.net.", "A"): (60, ["192.0.2.99"]),
    ("_sip._udp.half.example.net.", "SRV"): (50, ["1 0 5060 absent.example.net.", "2 0 5060 trunk.example.net."]),
    ("_sip._udp.many.example.net.", "SRV"): (50, [f"{n} 0 5060 trunk.example.net." for n in range(1, 30)]),
}
ZONE |= {
    (f"{prefix}all.example.net.", "SRV"): (50, [f"0 0 {port} four.example.net."])
    for port, prefix in enumerate(("_sip._udp.", "_sip._tcp.", "_sips._tcp.", "_sip._ws.", "_sips._ws."), 5070)
}
ZONE["any.example.net.", "NAPTR"] = (
    20, [f'10 10 "s" "{service}" "" {prefix}all.example.net.' for service, prefix in (
        ("SIP+D2U", "_sip._udp."), ("SIP+D2T", "_sip._tcp."), ("SIPS+D2T", "_sips._tcp."), ("SIP+D2W", "_sip._ws."),
        ("SIPS+D2W", "_sips._ws."),
    )],
)  # fmt: skip
TRUNK = ("192.0.2.10", "192.0.2.11", "2001:db8::10")


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer(dict(ZONE))
    made.start()
    yield made
    made.close()


@pytest.fixture
def client(server: NameServer) -> dns.resolver.Resolver:
    return server.resolver()


def services(client: dns.resolver.Resolver, host: str, lifetime: float = 6.0, transport: str = "UDP") -> Answer:
    """Look up a name that has no port; addresses sorted, for a name server shuffles them."""
    answer = ask_name_servers(client, lifetime=lifetime)(host, transport)
    return answer._replace(
        places=tuple(each._replace(addresses=tuple(sorted(each.addresses))) for each in answer.places)
    )


# Addresses alone


def test_both_families_in_order(client: dns.resolver.Resolver, server: NameServer) -> None:
    """A before AAAA as asked, kept for the shorter of the two TTLs; nobody asks for services (RFC 3263 §4.2)."""
    answer = ask_name_servers(client)("trunk.example.net", "")
    ((_, _, port, addresses),) = answer.places
    assert (port, sorted(addresses[:2]), addresses[2:]) == (0, ["192.0.2.10", "192.0.2.11"], ("2001:db8::10",))
    assert answer.ttl == 30
    assert [kind for _, kind in server.asked] == ["A", "AAAA"]


def test_one_family_only(client: dns.resolver.Resolver, server: NameServer) -> None:
    """Without an IPv6 listener nobody asks for AAAA."""
    answer = ask_name_servers(client, ("A",))("trunk.example.net", "")
    assert sorted(answer.places[0].addresses) == ["192.0.2.10", "192.0.2.11"]
    assert server.asked == [("trunk.example.net.", "A")]


def test_a_family_without_addresses_is_no_failure(client: dns.resolver.Resolver) -> None:
    """No AAAA for a name that has an A."""
    assert ask_name_servers(client)("four.example.net", "") == Answer((Place(0, 0, 0, ("192.0.2.4",)),), 0)


def test_an_alias_is_kept_no_longer_than_itself(client: dns.resolver.Resolver) -> None:
    """CNAME, with its own TTL."""
    answer = ask_name_servers(client, ("A",))("alias.example.net", "")
    assert sorted(answer.places[0].addresses) == ["192.0.2.10", "192.0.2.11"]
    assert answer.ttl == 12


@pytest.mark.parametrize("with_services", ["", "UDP", "TCP", "TLS", "WS", "WSS"])
def test_no_such_name_holds_as_long_as_the_soa_says(client: dns.resolver.Resolver, with_services: str) -> None:
    """The SOA's minimum of 9 s is less than its TTL of 20 (RFC 2308 §5)."""
    assert ask_name_servers(client)("absent.example.net", with_services) == Answer((), 9)


# Services


def test_without_naptr_srv_without_srv_addresses(client: dns.resolver.Resolver, server: NameServer) -> None:
    """RFC 3263 §4.1 and §4.2: in this order; what is not there holds as long as the SOA says."""
    assert services(client, "trunk.example.net") == Answer((Place(0, 0, 0, TRUNK),), 9)
    assert server.asked == [
        ("trunk.example.net.", "NAPTR"), ("_sip._udp.trunk.example.net.", "SRV"), ("trunk.example.net.", "A"),
        ("trunk.example.net.", "AAAA"),
    ]  # fmt: skip


def test_srv_records_stand_for_the_name(client: dns.resolver.Resolver) -> None:
    """Priority, weight and port of each, and its addresses; never the name's own."""
    answer = services(client, "served.example.net")
    assert answer.places == (Place(10, 60, 5062, TRUNK), Place(20, 0, 5060, ("192.0.2.4",)))
    assert answer.ttl == 0, "the shortest of all that it was made of"


def test_naptr_names_the_srv_records(client: dns.resolver.Resolver, server: NameServer) -> None:
    """Ours of the lowest order, by preference, whatever the case; TLS and regular expressions are not ours."""
    assert services(client, "pointed.example.net") == Answer((Place(0, 0, 5080, TRUNK),), 20)
    assert [name for name, kind in server.asked if kind == "SRV"] == ["main.example.net."]


def test_the_next_naptr_serves_where_the_first_leads_nowhere(client: dns.resolver.Resolver, server: NameServer) -> None:
    """Those of one order are alternatives; the next order is not looked at (RFC 3403 §4.1)."""
    del server.zone["main.example.net.", "SRV"]
    assert services(client, "pointed.example.net").places[0].addresses == ("192.0.2.99",)
    assert [name for name, kind in server.asked if kind == "SRV"] == [
        "main.example.net.", "_sip._udp.spare.example.net.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("transport", "port"), [("UDP", 5070), ("TCP", 5071), ("TLS", 5072), ("WS", 5073), ("WSS", 5074)]
)
def test_each_transport_has_services_of_its_own(client: dns.resolver.Resolver, transport: str, port: int) -> None:
    """RFC 3263 §4.1 and §4.2, RFC 7118 §4: by SRV alone, and by NAPTR."""
    for host in ("all.example.net", "any.example.net"):
        assert [place.port for place in services(client, host, transport=transport).places] == [port]


def test_tls_is_never_called_where_only_udp_is_served(client: dns.resolver.Resolver) -> None:
    """RFC 3263 §4.1: no record of another transport counts; the name's own addresses do, with TLS at 5061."""
    ((_, _, port, addresses),) = services(client, "served.example.net", transport="TLS").places
    assert (port, addresses) == (0, ("192.0.2.99",))


def test_naptr_of_other_transports_counts_as_none(client: dns.resolver.Resolver, server: NameServer) -> None:
    """We speak UDP."""
    assert services(client, "tlsonly.example.net").places[0].addresses == ("192.0.2.98",)
    assert "tls.example.net." not in {name for name, _ in server.asked}


def test_a_dot_says_that_there_is_no_service(client: dns.resolver.Resolver) -> None:
    """RFC 2782: and the name's own address is not taken instead."""
    assert services(client, "none.example.net") == Answer((), 50)


def test_a_target_that_leads_nowhere_leaves_the_others(client: dns.resolver.Resolver) -> None:
    """And is asked for again soon: 9 s as its SOA says."""
    assert services(client, "half.example.net") == Answer((Place(2, 0, 5060, TRUNK),), 9)


def test_many_records_are_bounded(client: dns.resolver.Resolver, server: NameServer) -> None:
    """The first eight by priority."""
    answer = services(client, "many.example.net")
    assert [place.priority for place in answer.places] == list(range(1, module.MAX_SERVICES + 1))
    assert len(server.asked) == 2 + 2 * module.MAX_SERVICES


# Trouble


def test_truncated_answers_are_fetched_over_tcp(client: dns.resolver.Resolver, server: NameServer) -> None:
    """All four questions."""
    server.truncated = True
    assert services(client, "trunk.example.net").places == (Place(0, 0, 0, TRUNK),)
    assert server.over_tcp == 4


@pytest.mark.parametrize("kind", ["NAPTR", "SRV", "A"])
@pytest.mark.parametrize("how", ["failing", "silent"])
def test_silence_is_no_denial(client: dns.resolver.Resolver, server: NameServer, kind: str, how: str) -> None:
    """A trunk's own address may be its web server's: it is taken only where somebody said that there is no SRV."""
    getattr(server, how).add(kind)
    server.silent |= {"AAAA"} if kind == "A" else set()
    assert services(client, "trunk.example.net", lifetime=0.8) == FAILED


@pytest.mark.parametrize("how", ["failing", "silent"])
def test_srv_serves_where_nobody_tells_naptr(
    client: dns.resolver.Resolver, server: NameServer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some middleboxes know nothing of NAPTR."""
    monkeypatch.setattr(module, "QUESTION", 0.3)
    getattr(server, how).add("NAPTR")
    assert len(services(client, "served.example.net").places) == 2


def test_a_look_up_has_one_time_for_all_its_questions(client: dns.resolver.Resolver, server: NameServer) -> None:
    """A name server that takes half a second each does not hold a call for sixteen of them."""
    server.delay = 0.15
    began = time.monotonic()  # noqa: TID251
    answer = services(client, "many.example.net", lifetime=0.7)
    assert time.monotonic() - began < 1.0  # noqa: TID251
    assert 0 < len(answer.places) < module.MAX_SERVICES
    assert answer.ttl == module.FAILURE_TTL, "the rest is asked for soon"


def test_server_failure_is_marked(client: dns.resolver.Resolver, server: NameServer) -> None:
    """SERVFAIL is no answer, so that older places may go on serving."""
    server.failing.add("A")
    assert ask_name_servers(client, ("A",), lifetime=0.3)("trunk.example.net", "") == FAILED


def test_dead_server_is_marked() -> None:
    """No server at all, and a server that never answers."""
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    client = dns.resolver.Resolver(configure=False)
    client.nameservers = ["127.0.0.1"]
    client.port = dead.getsockname()[1]
    assert ask_name_servers(client, ("A",), lifetime=0.2)("trunk.example.net", "UDP").failed
    dead.close()


@pytest.mark.parametrize("host", ["", "a..b", "x" * 64 + ".net", "*" * 300, "\udcff", "bücher..net"])
@pytest.mark.parametrize("with_services", ["", "UDP", "TCP", "TLS", "WS", "WSS"])
def test_impossible_names_fail_and_do_not_raise(client: dns.resolver.Resolver, host: str, with_services: str) -> None:
    """What is no name is nobody's traceback."""
    assert ask_name_servers(client, ("A",), lifetime=0.3)(host, with_services).places == ()


def test_machine_without_name_servers(tmp_path: Path) -> None:
    """No resolv.conf: names fail at once, IP hops need none of this."""
    client = system_name_servers(str(tmp_path / "absent"))
    assert ask_name_servers(client)("trunk.example.net", "UDP").failed


def test_configured_name_servers_stand_for_the_systems(server: NameServer) -> None:
    """In their order, each on its own port; the second one answers for the first one that is dead."""
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    client = name_servers([dead.getsockname(), ("127.0.0.1", server.port)])
    assert ask_name_servers(client, ("A",))("four.example.net", "").places == (Place(0, 0, 0, ("192.0.2.4",)),)
    dead.close()
    assert name_servers([]).nameservers == system_name_servers().nameservers
