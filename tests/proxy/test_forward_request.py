"""RFC 3261 §16.6: what a request looks like when it leaves."""

from __future__ import annotations

import pytest

from config.vocabulary import Category
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.world import SETTINGS, World, settings


def sent(packet: Packet, to: Agent = CARRIER, world: World | None = None) -> bytes:
    """What becomes of a request."""
    ladder = Ladder(world) >> packet
    return next(data for address, data in ladder.left if address == to.address and not data.startswith(b"SIP"))


TO_CORE = {"uri": b"sip:8000@192.0.2.1"}


def test_what_a_proxy_works_with_stands_on_top() -> None:
    """§7.3.1 recommends it: Via first, then Record-Route."""
    names = read(sent(ALICE.invite())).names
    assert names[:3] == [b"via", b"record-route", b"max-breadth"]


def test_towards_the_core_only_what_must_change_changes() -> None:
    """Every line that a proxy has no business with is byte-identical, folds and odd spellings included."""
    odd = (b"X-Odd :  two\r\n  rows", b"s: subject", b"Proxy-Require: privacy", b"Supported:timer")
    packet = ALICE.invite(headers=odd, body=b"", **TO_CORE)
    received, out = read(packet.data), read(sent(packet, PBX))
    changed = {line for line in received.lines if line not in out.lines}
    assert {line.partition(b":")[0] for line in changed} == {b"Via", b"Max-Forwards"}
    assert set(odd) <= set(out.lines)


def test_an_absent_max_forwards_becomes_70() -> None:
    """§16.6 item 3."""
    packet = ALICE.invite(**TO_CORE)
    bare = Packet(packet.source, packet.data.replace(b"Max-Forwards: 70\r\n", b""))
    assert read(sent(bare, PBX)).value(b"max-forwards") == b"70"


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        (b"10.1.1.23:5062;branch=z9hG4bKone;rport", b"branch=z9hG4bKone;received=10.1.1.23;rport=5062"),
        (b"10.1.1.23:5062;branch=z9hG4bKone", b"10.1.1.23:5062;branch=z9hG4bKone"),
        (b"phone.local;branch=z9hG4bKone", b"phone.local;branch=z9hG4bKone;received=10.1.1.23"),
        (b"10.1.1.99;branch=z9hG4bKone;received=6.6.6.6", b"10.1.1.99;branch=z9hG4bKone;received=10.1.1.23"),
    ],
)
def test_received_and_rport(via: bytes, stamped: bytes) -> None:
    """§18.2.1 and RFC 3581 §4: the packet's source counts, whatever the Via says."""
    packet = ALICE.invite(**TO_CORE)
    own = b"10.1.1.23:5062;branch=z9hG4bKone;rport"
    out = read(sent(Packet(packet.source, packet.data.replace(own, via)), PBX))
    assert out.values(b"via")[1].endswith(stamped)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        (b"sip:+15550100@192.0.2.1;user=phone;maddr=192.0.2.1", b"sip:+15550100@sip.carrier.example;user=phone"),
        (b"tel:+1-555-0100;phone-context=+49", b"sip:+1-555-0100@sip.carrier.example;user=phone"),
        (b"sip:+15550100:secret@192.0.2.1", b"sip:+15550100@sip.carrier.example"),
    ],
)
def test_a_trunk_is_addressed_by_its_own_domain(uri: bytes, target: bytes) -> None:
    """Request-URI and To hold the number dialled and nothing of the subscriber's network."""
    trunk = {"name": "carrier", "hosts": ["198.51.100.7:5060"], "listener": "main", "domain": "sip.carrier.example"}
    world = World(settings(trunks=[trunk], routes=[{"to": ["carrier"]}]))
    out = read(sent(ALICE.invite(uri=uri), world=world))
    assert (out.uri, out.to.uri) == (target, target)


def test_dialog_forming_and_unknown_methods_are_record_routed() -> None:
    """§16.6 item 4: every unknown method too, since we straddle a boundary."""
    for method, routed in (
        (b"INVITE", 1),
        (b"SUBSCRIBE", 1),
        (b"REFER", 1),
        (b"FOO", 1),
        (b"OPTIONS", 0),
        (b"MESSAGE", 0),
    ):
        headers = (b"Refer-To: <sip:+1@x>",) if method == b"REFER" else ()
        out = read(sent(ALICE.request(method, headers=headers)))
        assert len(out.items(b"record-route")) == routed, method


def test_ipv6_is_bracketed_where_it_must_be() -> None:
    """RFC 5118 §4.5: brackets in sent-by and URIs, none in received."""
    world = World(
        settings(
            listeners=[{"name": "main", "address": "2001:db8::1", "port": 5060}],
            access={"networks": ["2001:db8:a::/48"], "listener": "main"},
            trunks=[{"name": "six", "hosts": ["[2001:db8:7::7]:5060"], "listener": "main"}],
            core=None,
            routes=[{"to": ["six"]}],
        )
    )
    phone, trunk = Agent(("2001:db8:a::23", 5060), b"alice"), Agent(("2001:db8:7::7", 5060), b"six")
    packet = phone.invite(uri=b"sip:+15550100@[2001:db8::1]")
    packet = Packet(packet.source, packet.data.replace(b"2001:db8:a::23:5060", b"[2001:db8:a::23]:5060"))
    out = sent(packet, trunk, world)
    assert b"Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=" in out
    assert read(out).uri == b"sip:+15550100@[2001:db8:7::7]:5060"
    assert b"2001:db8:a" not in out
    ladder = Ladder(world) >> trunk.answer(out, 200, contact=b"<sip:gw@[2001:db8:7::7]>")
    address, ok = ladder.left[0]
    assert address == phone.address
    assert b";received=2001:db8:a::23;rport=5060" in ok


def test_no_via_says_more_than_where_a_request_came_from() -> None:
    """Towards a trunk that sees addresses and not devices; the phone gets its own back as it wrote it."""
    shown = {category.name.lower(): "keep" for category in Category} | {"device": "remove"}
    world = World(settings(trunks=[{**SETTINGS["trunks"][0], "privacy": shown}, *SETTINGS["trunks"][1:]]))
    packet = ALICE.invite(headers=(b"Via: SIP/2.0/UDP 10.1.1.24;branch=z9hG4bK0;line=8",))
    packet = packet._replace(data=packet.data.replace(b";rport", b";rport;line=7", 1))
    ladder = Ladder(world) >> packet << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert b"line=" not in ladder[b"INVITE"]
    assert [b";line=7" in ladder[180], b";line=8" in ladder[180]] == [True, True]
