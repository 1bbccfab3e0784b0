"""Requests outside dialogs: emergency calls, Contacts used as addresses, transfers, names to look up."""

from __future__ import annotations

import pytest

from proxy.headers import parse_name_addr
from proxy.location import plain
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, Agent, read
from tests.ladder import Ladder, Restart, Sent, Silence, Wait
from tests.world import OTHER_PHONE, SETTINGS, TRUNK, World, settings

INVITE = ALICE.invite()


def contact_of(data: bytes) -> bytes:
    """The URI of a message's Contact."""
    return parse_name_addr(read(data).items(b"contact")[0]).uri


def established() -> Ladder:
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)


# --- emergency calls (design.md §2)


@pytest.mark.parametrize(
    "uri",
    [
        b"urn:service:sos",
        b"urn:service:sos.fire",
        b"sip:911@192.0.2.1;user=phone",
        b"tel:112",
        b"urn:service:test.sos",
        b"URN:SERVICE:SOS.police",
    ],
)
def test_an_emergency_call_arrives_complete(uri: bytes) -> None:
    """By its Request-URI, towards a hop in zone psap: nothing is hidden but our realm's credentials."""
    headers = (
        b"Geolocation: <cid:alice@x>",
        b"P-Asserted-Identity: <sip:+15550142@sip.example.net>",
        b"X-Anything: kept",
        b"User-Agent: Phone/1",
        b'Authorization: Digest username="alice", realm="sip.example.net", response="x"',
        b"Privacy: id;critical;session",
    )
    ladder = Ladder() >> ALICE.invite(uri=uri, headers=headers) << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    sent = ladder[b"INVITE"]
    for kept in (
        b"Alice Liddell",
        b"Geolocation",
        b"+15550142",
        b"X-Anything: kept",
        b"User-Agent",
        b"SIP/2.0/UDP 10.1.1.23:5062",
    ):
        assert kept in sent, kept
    assert b"Authorization" not in sent
    assert ladder.world.events[-1].kind == "emergency"
    answer = PSAP.answer(sent, 200)
    ladder = ladder >> answer << Sent(ALICE, 200) >> PSAP.within(b"BYE", sent, own=answer) << Sent(ALICE, b"BYE")
    assert ladder


@pytest.mark.parametrize("uri", [b"sip:9115@192.0.2.1", b"urn:service:counseling", b"urn:service:sosx"])
def test_what_is_no_emergency_call_is_not_exempt(uri: bytes) -> None:
    """Nor is one that only claims it in To, Route or Priority."""
    headers = (b"Priority: emergency",)
    world = World(settings(routes=[*SETTINGS["routes"], {"to": ["carrier"]}]))
    ladder = Ladder(world) >> ALICE.invite(uri=uri, headers=headers)
    sent = [data for _, data in ladder.left if read(data).method]
    assert sent
    assert not any(b"Liddell" in data for data in sent)


def test_without_an_emergency_route_the_call_still_goes_but_hidden() -> None:
    """The exemption holds only towards a hop in zone psap."""
    world = World(settings(routes=[{"to": ["carrier"]}]))
    ladder = Ladder(world) >> ALICE.invite(uri=b"sip:911@192.0.2.1") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert b"Liddell" not in ladder[b"INVITE"]
    assert ladder


# --- a phone's Contact outside its dialog (dialogs.md, RFC 3261 §8.1.1.8)


def test_a_phones_contact_is_a_new_call_to_it() -> None:
    """Served with inbound policy: the phone is reached over its flow, the trunk's network stays hidden."""
    ladder = established()
    call = CARRIER.invite(uri=contact_of(ladder[b"INVITE"]), call_id=b"new@198.51.100.7", branch=b"z9hG4bKnew")
    ladder = ladder >> Restart() >> call << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")
    assert read(ladder[b"INVITE"]).uri == b"sip:alice@10.1.1.23:5062"
    assert b"198.51.100" not in ladder[b"INVITE"]
    assert ladder


def test_it_serves_only_the_side_that_it_was_given_to() -> None:
    """Another trunk that got hold of it is refused."""
    ladder = established()
    stolen = contact_of(ladder[b"INVITE"])
    assert ladder >> SECOND.invite(uri=stolen, branch=b"z9hG4bKs") << Sent(SECOND, 403)
    assert ladder >> ALICE.invite(uri=stolen, branch=b"z9hG4bKa") << Sent(ALICE, 403)


def test_it_never_leads_to_a_trunk() -> None:
    """The Contact that the phone sees in place of the trunk's is no way around the routing table."""
    ladder = established()
    assert ladder >> ALICE.invite(uri=contact_of(ladder[200]), branch=b"z9hG4bKt") << Sent(ALICE, 403)


def test_it_has_a_rate_limit() -> None:
    """So many calls a minute to one subscriber; more get 480."""
    ladder = established()
    target = contact_of(ladder[b"INVITE"])
    for number in range(10):
        call = CARRIER.request(uri=target, branch=b"z9hG4bKr%d" % number, call_id=b"r%d" % number)
        ladder = ladder >> call << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")
    assert ladder >> CARRIER.request(uri=target, branch=b"z9hG4bKrx", call_id=b"rx") << Sent(CARRIER, 480)


def test_it_has_a_life_time() -> None:
    """max_dialog_age, as for everything that is sealed."""
    ladder = established()
    ladder.world.wall += 172_801
    late = CARRIER.invite(uri=contact_of(ladder[b"INVITE"]), branch=b"z9hG4bKl")
    assert ladder >> Restart() >> late << Sent(CARRIER, 480)


def test_a_forged_contact_is_an_unknown_user() -> None:
    """What does not authenticate is just a user part, and routes as one."""
    ladder = established()
    forged = contact_of(ladder[b"INVITE"]).replace(b"sip:I", b"sip:J")
    world = World(settings(routes=[]))
    assert Ladder(world) >> CARRIER.invite(uri=forged) << Sent(CARRIER, 404)


# --- attended transfer (dialogs.md "References to other dialogs")


def transfer() -> tuple[Ladder, bytes, bytes]:
    """ALICE talks to the carrier and to the second trunk, and refers the first to the second."""
    world = World(settings(routes=[{"source": "access", "prefix": "2", "to": ["second"]}, {"to": ["carrier"]}]))
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, tag=b"one") << Sent(ALICE, 200)
    first = ladder[200]
    consult = ALICE.invite(uri=b"sip:2000@192.0.2.1", call_id=b"consult@10.1.1.23", tag=b"from2", branch=b"z9hG4bKc")
    ladder = ladder >> consult << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")
    at_second = ladder[b"INVITE"]
    ladder = ladder >> SECOND.answer(at_second, 200, tag=b"two") << Sent(ALICE, 200)
    refer_to = b"Refer-To: <%b?Replaces=consult%%4010.1.1.23%%3Bto-tag%%3Dtwo%%3Bfrom-tag%%3Dfrom2>" % contact_of(
        ladder[200]
    )
    refer = ALICE.within(b"REFER", first, own=INVITE, headers=(refer_to,))
    ladder = ladder >> refer << Sent(CARRIER, b"REFER")
    return ladder, ladder[b"REFER"], at_second


def test_an_attended_transfer_finds_the_replaced_dialog() -> None:
    """The transferee calls the transfer token; the INVITE reaches the other trunk with its own Call-ID in Replaces."""
    ladder, refer, at_second = transfer()
    assert b"10.1.1.23" not in refer
    assert b"198.51.100.8" not in refer, "the transferee's trunk does not see the other one"
    target = parse_name_addr(read(refer).items(b"refer-to")[0]).uri
    uri, _, replaces = target.partition(b"?Replaces=")
    assert replaces
    call = CARRIER.invite(
        uri=uri, call_id=b"t@198.51.100.7", branch=b"z9hG4bKx", headers=(b"Replaces: x;to-tag=1;from-tag=2",)
    )
    ladder = ladder >> call << Sent(CARRIER, 100) << Sent(SECOND, b"INVITE")
    sent = read(ladder[b"INVITE"])
    assert sent.uri == b"sip:gateway2@198.51.100.8:5060"
    assert sent.values(b"replaces") == [read(at_second).call_id + b";to-tag=two;from-tag=from2"]
    assert ladder


def test_a_transfer_token_lives_three_minutes_and_serves_one_side() -> None:
    """dialogs.md: {target, trunk, replaced Call-ID and tags, referrer, three minutes}."""
    ladder, refer, _ = transfer()
    uri = parse_name_addr(read(refer).items(b"refer-to")[0]).uri.partition(b"?")[0]
    assert ladder >> ALICE.invite(uri=uri, branch=b"z9hG4bKa") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).uri.startswith(b"sip:"), (
        "to anybody else it is just a user part for the routing table"
    )
    ladder.world.wall += 181
    assert ladder >> Restart() >> CARRIER.invite(uri=uri, branch=b"z9hG4bKl") << Sent(CARRIER, 480)


def test_a_plain_refer_tells_the_number_and_nothing_else() -> None:
    """Blind transfer: host, embedded headers and display name stay behind."""
    ladder = established()
    refer_to = b'Refer-To: "Bob" <sip:+15550177@10.1.1.23:5062;x=y?Subject=secret&Referred-By=alice>'
    refer = ALICE.within(b"REFER", ladder[200], own=INVITE, headers=(refer_to,))
    ladder = ladder >> refer << Sent(CARRIER, b"REFER")
    assert read(ladder[b"REFER"]).value(b"refer-to") == b"<sip:+15550177@192.0.2.1:5060>"
    assert ladder


@pytest.mark.parametrize(
    "value",
    [
        b"garbage",
        b"<sip:SEP001122334455@x>",
        b"<sip:10.7.7.7@x>",
        b"<sip:a b@x>",
        b"<http://x/y>",
        b"<sip:x@y?Replaces=a%0d%0aVia: evil>",
    ],
)
def test_a_refer_to_that_cannot_be_read_is_refused(value: bytes) -> None:
    """A privacy target that cannot be parsed fails closed; nothing decoded becomes a header."""
    ladder = established()
    refer = ALICE.within(b"REFER", ladder[200], own=INVITE, headers=(b"Refer-To: " + value,))
    assert ladder >> refer << Sent(ALICE, 400)


# --- parking (design.md §5)


def named() -> World:
    """A trunk that is configured by name."""
    trunk = {"name": "named", "hosts": ["sip.carrier.example"], "networks": ["198.51.100.0/24"], "listener": "main"}
    return World(settings(trunks=[trunk], routes=[{"to": ["named"]}], limits={"parked": 2}))


def test_a_parked_invite_has_sent_100_and_goes_on() -> None:
    """Retransmissions are absorbed meanwhile, and the hop is where the name leads."""
    world = named()
    assert Ladder(world) >> INVITE << Sent(ALICE, 100) >> INVITE << Sent(ALICE, 100)
    assert world.lookups == [(1, "sip.carrier.example", 0)]
    world.core.resume(1, plain(["2001:db8::7", "198.51.100.7"]), world.now)
    assert [address for address, _ in world.sent[2:]] == [CARRIER.address], (
        "the first address that a listener can reach"
    )
    world.core.resume(1, plain(["198.51.100.7"]), world.now)
    assert len(world.sent) == 3, "a ticket is good for once"


def test_a_parked_non_invite_sends_nothing() -> None:
    """RFC 4320: no provisional response before its time."""
    world = named()
    assert Ladder(world) >> ALICE.request(b"OPTIONS") << Silence() >> ALICE.request(b"OPTIONS") << Silence()
    world.core.resume(1, plain(["198.51.100.7"]), world.now)
    assert [read(data).method for _, data in world.sent] == [b"OPTIONS"]


def test_a_name_without_address_is_500() -> None:
    """As a transport error (RFC 3261 §16.9): 503, which goes back as 500."""
    world = named()
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100)
    world.core.resume(1, (), world.now)
    ladder.left = world.sent[1:]
    assert ladder << Sent(ALICE, 500)


def test_a_name_leads_nowhere_else() -> None:
    """A DNS answer adds no hop: an address outside the trunk's networks is as good as none."""
    world = named()
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100)
    world.core.resume(1, plain(["203.0.113.66"]), world.now)
    ladder.left = world.sent[1:]
    assert ladder << Sent(ALICE, 500)


def test_a_name_of_ours_means_us() -> None:
    """Phones write their outbound proxy as Route by the name that they were given."""
    route = (b"Route: <sip:proxy.example.net;lr>",)
    assert Ladder() >> ALICE.invite(headers=route) << Sent(ALICE, 403)
    world = World(settings(names=["Proxy.example.net"]))
    assert Ladder(world) >> ALICE.invite(headers=route) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_only_so_many_may_wait() -> None:
    """limits.parked: the next one is refused at once."""
    world = named()
    ladder = Ladder(world)
    for number in range(2):
        ladder = ladder >> ALICE.invite(branch=b"z9hG4bK%d" % number) << Sent(ALICE, 100)
    assert ladder >> ALICE.invite(branch=b"z9hG4bKmore") << Sent(ALICE, 100) << Sent(ALICE, 500)
    assert world.core.gauges()["sipveil_parked_requests"] == 2


def test_an_emergency_call_always_finds_a_place() -> None:
    """The bound on what waits is for everybody else."""
    psap = {"name": "psap", "hosts": ["psap.example"], "networks": ["198.51.100.112"], "listener": "main"}
    world = World(
        settings(
            trunks=[{**psap, "emergency": True}], routes=[{"emergency": True, "to": ["psap"]}], limits={"parked": 1}
        )
    )
    for number in range(3):
        world.receive(*ALICE.invite(uri=b"urn:service:sos", branch=b"z9hG4bK%d" % number))
    assert len(world.lookups) == 3
    world.core.resume(3, plain([PSAP.address[0]]), world.now)
    assert world.sent[-1][0] == PSAP.address


# --- calls from the other side


def test_a_call_from_a_trunk_reaches_the_core_as_it_came() -> None:
    """A trusted hop that keeps all: only what a proxy must touch is touched."""
    headers = (b"X-Anything: kept", b"Remote-Party-ID: <sip:+15550177@carrier.example>", b"Server: gw/1")
    asserted = b"P-Asserted-Identity: <sip:+15550177@carrier.example>"
    ladder = Ladder() >> CARRIER.invite(headers=(*headers, asserted)) << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    for line in (
        *headers,
        b"From: <sip:gateway@sip.example.net>;tag=from1",
        b"Contact: <sip:gateway@198.51.100.7:5060>",
    ):
        assert line + b"\r\n" in ladder[b"INVITE"]
    assert asserted not in ladder[b"INVITE"], "this trunk is outside the trust domain: what it asserts is not believed"
    answer = PBX.answer(ladder[b"INVITE"], 200)
    ladder = ladder >> answer << Sent(CARRIER, 200)
    assert b"203.0.113.5" not in ladder[200], "the trunk does not see the core"
    assert ladder >> CARRIER.within(b"BYE", ladder[200], own=CARRIER.invite()) << Sent(PBX, b"BYE")


def test_a_call_from_the_core_reaches_a_phone() -> None:
    """The phone's answer hides nothing from the core."""
    bob = Agent(OTHER_PHONE, b"bob")
    ladder = Ladder() >> PBX.invite(uri=b"sip:bob@10.1.1.99") << Sent(PBX, 100) << Sent(bob, b"INVITE")
    assert b"203.0.113.5" not in ladder[b"INVITE"]
    ladder = ladder >> bob.answer(ladder[b"INVITE"], 200) << Sent(PBX, 200)
    assert b"sip:bob@10.1.1.99" in ladder[200]
    assert ladder >> PBX.within(b"BYE", ladder[200]) << Sent(bob, b"BYE")


def test_nothing_on_the_wire_stays_for_ever() -> None:
    """After a storm of refused requests all tables are empty again."""
    ladder = Ladder()
    for number in range(200):
        ladder.world.receive(*ALICE.invite(branch=b"z9hG4bK%d" % number, uri=b"sip:+1?x=y"))
    ladder = ladder >> Wait(80)
    ladder.left.clear()
    assert not any(ladder.world.core.gauges().values())


@pytest.mark.parametrize("uri", [b"sip:%3911@192.0.2.1", b"tel:9-1-1", b"sip:1.1.2@192.0.2.1;user=phone"])
def test_an_emergency_number_written_otherwise_is_one(uri: bytes) -> None:
    """Escapes and visual separators do not change a number (RFC 3261 §19.1.4, RFC 3966 §5.1.1)."""
    assert Ladder() >> ALICE.invite(uri=uri) << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")


def test_a_broken_record_route_is_refused_at_the_door() -> None:
    """Later it would fail every response."""
    assert Ladder() >> PBX.invite(headers=(b"Record-Route: <sip:a b>",)) << Sent(PBX, 400)


def test_an_inbound_call_through_long_proxies_is_answered() -> None:
    """max_user bounds requests; a response with a large record still leaves."""
    routes = (
        b"sip:edge-proxy-1.pbx.example.com:5060;transport=udp;lr",
        b"sip:b2bua-cluster-2.pbx.example.com;lr;ftag=abcdef",
    )
    ladder = Ladder() >> CARRIER.invite(uri=b"sip:x@192.0.2.1") << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    contact = b"<sip:+15550100-line-17@203.0.113.5:5060;transport=udp>"
    answer = PBX.answer(ladder[b"INVITE"], 200, routes=routes, contact=contact)
    ladder = ladder >> answer << Sent(CARRIER, 200)
    bye = CARRIER.within(b"BYE", ladder[200], own=CARRIER.invite(uri=b"sip:x@192.0.2.1"))
    ladder = ladder >> bye << Sent(PBX, b"BYE")
    assert read(ladder[b"BYE"]).items(b"route") == [b"<%b>" % uri for uri in reversed(routes)]
    assert ladder


def test_a_refer_towards_a_trunk_that_sees_addresses_still_names_nobody() -> None:
    """`network = "keep"` shows hosts: neither the display name nor embedded headers, but Replaces as it was."""
    trunk = {**SETTINGS["trunks"][0], "privacy": {"network": "keep", "number": "keep"}}
    world = World(settings(trunks=[trunk, *SETTINGS["trunks"][1:]]))
    uri = b"sip:+15550177@10.1.1.9:5062;x=y?From=alice&Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=secret"
    refer = ALICE.request(b"REFER", headers=(b'Refer-To: "Bob" <' + uri + b">;method=INVITE",))
    [data] = [data for address, data in world.receive(*refer) if address == TRUNK]
    expected = b"<sip:+15550177@10.1.1.9:5062?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2>;method=INVITE"
    assert read(data).value(b"refer-to") == expected


def test_a_refer_tells_no_method_that_is_none() -> None:
    """The method parameter of Refer-To is room for anything (RFC 3515 §2.1)."""
    for value, passes in ((b";method=BYE", True), (b';method="Alice Liddell"', False), (b";method=ALICE", False)):
        ladder = established()
        refer = ALICE.within(b"REFER", ladder[200], own=INVITE, headers=(b"Refer-To: <sip:+1@x>" + value,))
        ladder = ladder >> refer << Sent(CARRIER, b"REFER")
        assert (b"method" in (read(ladder[b"REFER"]).value(b"refer-to") or b"")) is passes
        assert ladder


# --- a prefix in front of the number


PREFIXED = [
    b"sip:*67+15550100@192.0.2.1", b"sip:%2A67+15550100@192.0.2.1;user=phone", b"tel:*67+15550100",
    b"tel:%2A67+15550100;phone-context=+1", b"sip:*82*67+15550100@192.0.2.1", b"TEL:*67*67+15550100",
]  # fmt: skip


@pytest.mark.parametrize("caller", [ALICE, PBX])
@pytest.mark.parametrize("uri", PREFIXED)
def test_a_number_is_withheld_by_prefix_however_dialled(uri: bytes, caller: Agent) -> None:
    """By a phone, and by a core that has left the prefix to us: taken off it would show the number (64.1601(b))."""
    shown = {"default": {"number": "keep", "name": "keep"}}
    world = World(settings(routes=[{"prefix": "+", "to": ["carrier"]}], privacy=shown))
    ladder = Ladder(world) >> caller.invite(uri=uri) << Sent(caller, 100) << Sent(CARRIER, b"INVITE")
    sent = read(ladder[b"INVITE"])
    assert sent.from_.uri == b"sip:anonymous@anonymous.invalid"
    assert caller.user not in ladder[b"INVITE"]
    assert sent.uri.startswith(b"sip:+15550100@198.51.100.7")
    assert sent.to.uri.startswith(b"sip:+15550100@198.51.100.7")
    assert b"*" not in sent.uri + sent.to.uri
    assert ladder


def test_a_trunk_dials_no_prefix() -> None:
    """What it calls is a number; nobody there withholds anything of ours by it."""
    ladder = Ladder() >> CARRIER.invite(uri=b"sip:*67555@192.0.2.1") << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    assert read(ladder[b"INVITE"]).uri == b"sip:*67555@192.0.2.1"
    assert b"gateway" in read(ladder[b"INVITE"]).from_.uri
    assert ladder
