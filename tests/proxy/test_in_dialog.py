"""dialogs.md, "Opening" and "Rules that keep it safe": each rule, attacks included."""

from __future__ import annotations

from typing import Any

import pytest

from filters.leaks import found_in
from proxy.headers import parse_name_addr
from proxy.uri import parse_sip_uri
from tests import world as w
from tests.agents import ALICE, CARRIER, PBX, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence
from tests.world import World, keyring, settings

INVITE = ALICE.invite()


def established(world: World | None = None, *, invite: Packet = INVITE, **answer: Any) -> Ladder:
    """A call from ALICE to CARRIER that has been answered."""
    ladder = Ladder(world) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 200, **answer) << Sent(ALICE, 200)


def from_caller(ladder: Ladder, method: bytes = b"BYE", **changes: Any) -> Packet:
    return ALICE.within(method, ladder[200], own=INVITE, **changes)


def from_callee(ladder: Ladder, method: bytes = b"BYE", **changes: Any) -> Packet:
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    return CARRIER.within(method, ladder[b"INVITE"], own=answer, **changes)


def swap(packet: Packet, old: bytes, new: bytes) -> Packet:
    """The same packet with some bytes replaced, which must be there."""
    assert old in packet.data
    return Packet(packet.source, packet.data.replace(old, new))


def route_of(data: bytes) -> bytes:
    return read(data).items(b"record-route")[0]


# --- a dialog as its ends see it


def test_both_ends_see_a_dialog_that_does_not_change() -> None:
    """Each end keeps its own Call-ID, From, To and tags in every request, both ways."""
    ladder = established()
    inward, outward = read(ladder[200]), read(ladder[b"INVITE"])
    ladder = ladder >> from_caller(ladder, b"INFO") << Sent(CARRIER, b"INFO")
    seen = read(ladder[b"INFO"])
    assert (seen.call_id, seen.from_, seen.to.uri) == (outward.call_id, outward.from_, outward.to.uri)
    assert seen.to_tag == b"to1"
    ladder = ladder >> from_callee(ladder, b"UPDATE") << Sent(ALICE, b"UPDATE")
    seen = read(ladder[b"UPDATE"])
    assert (seen.call_id, seen.from_.uri, seen.from_tag) == (inward.call_id, inward.to.uri, b"to1")
    assert (seen.to.address, seen.to_tag) == (inward.from_.address, b"from1")
    assert ladder


@pytest.mark.parametrize("method", [b"BYE", b"INVITE", b"UPDATE", b"INFO", b"PRACK", b"REFER", b"NOTIFY", b"FOO"])
def test_every_method_goes_both_ways(method: bytes) -> None:
    """Unknown ones too (RFC 3261 §16.3: a proxy does not refuse them)."""
    headers = {
        b"PRACK": (b"RAck: 1 1 INVITE",), b"REFER": (b"Refer-To: <sip:bob@192.0.2.1>",), b"NOTIFY": (b"Event: refer",)
    }.get(method, ())  # fmt: skip
    trying = Sent(ALICE, 100), Sent(CARRIER, 100)
    ladder = established()
    ladder = ladder >> from_caller(ladder, method, headers=headers)
    ladder = ladder << trying[0] if method == b"INVITE" else ladder
    ladder = ladder << Sent(CARRIER, method) >> from_callee(ladder, method, headers=headers)
    ladder = ladder << trying[1] if method == b"INVITE" else ladder
    assert ladder << Sent(ALICE, method)


@pytest.mark.parametrize("side", ["caller", "callee"])
def test_kill_9_loses_no_call(side: str) -> None:
    """A new process with the same keys serves the dialog: BYE of either end, restored and filtered."""
    ladder = established() >> Restart()
    if side == "caller":
        ladder = ladder >> from_caller(ladder) << Sent(CARRIER, b"BYE")
        assert b"Liddell" not in ladder[b"BYE"]
        assert b"alice" not in ladder[b"BYE"]
    else:
        ladder = ladder >> from_callee(ladder) << Sent(ALICE, b"BYE")
        assert b"Alice Liddell" in ladder[b"BYE"]
        assert read(ladder[b"BYE"]).call_id == b"call-1@10.1.1.23"
    assert ladder


def test_a_restarted_node_repeats_an_invite() -> None:
    """dialogs.md "Retransmission after restart": the same branch, the same bytes, so no second call."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    assert ladder >> Restart() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder[b"INVITE"] == first


def test_each_early_dialog_has_its_own_record() -> None:
    """The caller-side record is written into every 101-299 response."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    contacts = b"<sip:one@198.51.100.17>", b"<sip:two@198.51.100.18>"
    for tag, contact in zip((b"a", b"b"), contacts, strict=True):
        early = CARRIER.answer(ladder[b"INVITE"], 183, tag=tag, contact=contact)
        ladder = ladder >> early << Sent(ALICE, 183)
        prack = ALICE.within(b"PRACK", ladder[183], own=INVITE, branch=b"z9hG4bK" + tag, headers=(b"RAck: 1 1 INVITE",))
        host = Agent((contact.split(b"@")[1].strip(b">").decode(), 5060), b"x")
        ladder = ladder >> prack << Sent(host, b"PRACK")
        assert read(ladder[b"PRACK"]).uri == contact.strip(b"<>")
    assert ladder


def test_a_far_end_that_drops_our_record_route_is_added_again() -> None:
    """dialogs.md: added where the far end dropped our entry, as many do in 180."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180, keep_route=False) << Sent(ALICE, 180)
    assert len(read(ladder[180]).items(b"record-route")) == 1
    assert ladder >> ALICE.within(b"BYE", ladder[180], own=INVITE) << Sent(CARRIER, b"BYE")


def test_the_hidden_route_set_comes_back_in_order() -> None:
    """The record carries the complete route set: proxies of the trunk are visited as they asked (peers.md row 10)."""
    proxies = (b"sip:198.51.100.18;lr", b"sip:198.51.100.17;lr")
    ladder = established(routes=proxies)
    assert b"198.51.100.1" not in ladder[200], "the phone does not see them"
    first = Agent(("198.51.100.17", 5060), b"first")
    ladder = ladder >> from_caller(ladder) << Sent(first, b"BYE")
    assert read(ladder[b"BYE"]).items(b"route") == [b"<sip:198.51.100.17;lr>", b"<sip:198.51.100.18;lr>"]
    assert ladder


def test_a_strict_router_behind_us_is_obeyed() -> None:
    """RFC 3261 §16.6 item 6: without lr its URI goes on top and the target last."""
    ladder = established(routes=(b"sip:198.51.100.17",))
    strict = Agent(("198.51.100.17", 5060), b"strict")
    ladder = ladder >> from_caller(ladder) << Sent(strict, b"BYE")
    bye = read(ladder[b"BYE"])
    assert (bye.uri, bye.items(b"route")) == (b"sip:198.51.100.17", [b"<sip:gateway@198.51.100.7:5060>"])
    assert ladder


def test_a_strict_router_before_us_is_repaired() -> None:
    """RFC 3261 §16.4: our Record-Route as Request-URI, the target last in Route."""
    ladder = established()
    bye = from_caller(ladder)
    sent = read(bye.data)
    ours = parse_name_addr(sent.items(b"route")[0]).uri
    strict = swap(bye, b"BYE " + sent.uri, b"BYE " + ours)
    strict = swap(strict, b"Route: <" + ours, b"Route: <" + sent.uri)
    assert ladder >> strict << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).uri == b"sip:gateway@198.51.100.7:5060"


def test_target_refresh_moves_the_target() -> None:
    """RFC 3261 §12.2: the Contact of a re-INVITE's answer counts from then on."""
    ladder = established()
    ladder = ladder >> from_caller(ladder, b"INVITE", cseq=2) << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    moved = CARRIER.answer(ladder[b"INVITE"], 200, contact=b"<sip:new@198.51.100.20>")
    first = ladder[200]
    ladder = ladder >> moved << Sent(ALICE, 200)
    contact = parse_name_addr(read(ladder[200]).items(b"contact")[0]).uri
    old = parse_name_addr(read(first).items(b"contact")[0]).uri
    bye = swap(ALICE.within(b"BYE", first, own=INVITE, cseq=3), b"BYE " + old, b"BYE " + contact)
    assert ladder >> bye << Sent(Agent(("198.51.100.20", 5060), b"new"), b"BYE")
    assert read(ladder[b"BYE"]).uri == b"sip:new@198.51.100.20"


# --- Opening


def test_a_token_moved_to_another_call_is_refused() -> None:
    """Rule 3: the fingerprint binds Call-ID and the initiator's tag."""
    ladder = established()
    assert ladder >> swap(from_caller(ladder), b"call-1@", b"call-2@") << Sent(ALICE, 403)
    assert ladder >> swap(from_caller(ladder, cseq=3), b"tag=from1", b"tag=from2") << Sent(ALICE, 403)
    assert ladder.world.count("tokens_refused", "fingerprint") == 2


def test_the_callees_tag_is_not_bound() -> None:
    """Rule 3: it is not known when the request's record is made."""
    ladder = established()
    assert ladder >> swap(from_callee(ladder), b"tag=to1", b"tag=other") << Sent(ALICE, b"BYE")


def test_a_token_used_from_the_wrong_side_is_refused() -> None:
    """Rule 4: the source must belong to the side for which the record serves."""
    ladder = established()
    stolen = from_callee(ladder)
    assert ladder >> Packet(ALICE.address, stolen.data) << Sent(ALICE, 403)
    assert ladder >> Packet(SECOND.address, swap(stolen, b"z9hG4bKbye", b"z9hG4bKxx").data) << Sent(SECOND, 403)
    assert ladder >> Packet(PBX.address, swap(stolen, b"z9hG4bKbye", b"z9hG4bKyy").data) << Sent(PBX, 403)
    assert ladder.world.count("tokens_refused", "side") == 3


@pytest.mark.parametrize("place", [0, 1, 20, 60, -1])
def test_a_forged_token_is_refused(place: int) -> None:
    """One changed letter anywhere: 403, never decoded anyway."""
    ladder = established()
    token = parse_sip_uri(parse_name_addr(route_of(ladder[200])).uri)
    assert token is not None
    letters = bytearray(token.user)
    letters[place] = ord("B") if letters[place] != ord("B") else ord("C")
    assert ladder >> swap(from_caller(ladder), token.user, bytes(letters)) << Sent(ALICE, 403)


def test_a_forged_contact_is_refused() -> None:
    """A user part that bears our host and does not open is never a target."""
    ladder = established()
    bye = from_caller(ladder)
    target = read(bye.data).uri
    assert ladder >> swap(bye, b"BYE " + target, b"BYE sip:AAAAAAAA@192.0.2.1") << Sent(ALICE, 403)


def test_a_contact_of_another_dialog_is_refused() -> None:
    """Two calls of one subscriber: the Contact of one is no target in the other."""
    ladder = established()
    other = ALICE.invite(call_id=b"call-2@10.1.1.23", branch=b"z9hG4bKtwo")
    first = ladder[200]
    second = established(ladder.world, invite=other)
    foreign = parse_name_addr(read(second[200]).items(b"contact")[0]).uri
    bye = ALICE.within(b"BYE", first, own=INVITE)
    assert ladder >> swap(bye, b"BYE " + read(bye.data).uri, b"BYE " + foreign) << Sent(ALICE, 403)


def test_a_route_token_without_to_tag_is_refused() -> None:
    """Rule 5."""
    ladder = established()
    route = b"Route: " + route_of(ladder[200])
    assert ladder >> ALICE.invite(branch=b"z9hG4bKnew", headers=(route,)) << Sent(ALICE, 403)


def test_a_request_with_to_tag_and_no_token_is_refused() -> None:
    """Rule 5: never forwarded to or from a trunk."""
    ladder = Ladder()
    for number, agent in enumerate((ALICE, CARRIER, PBX)):
        stray = agent.request(b"BYE", branch=b"z9hG4bK%d" % number)
        stray = swap(stray, b"To: <sip:+15550100@192.0.2.1>", b"To: <sip:x@192.0.2.1>;tag=1")
        assert ladder >> stray << Sent(agent, 481)


def test_old_records_do_not_open() -> None:
    """Rule 5: older than max_dialog_age is 481."""
    ladder = established()
    ladder.world.wall += 172_801
    assert ladder >> Restart() >> from_caller(ladder) << Sent(ALICE, 481)
    assert ladder >> Restart() >> from_callee(ladder) << Sent(CARRIER, 481)


def test_the_younger_contact_counts() -> None:
    """Rule 5: a route set cannot change, so a refreshed Contact keeps a long dialog alive."""
    ladder = established()
    first = ladder[200]
    ladder.world.wall += 172_000
    ladder = ladder >> Restart() >> from_caller(ladder, b"INVITE") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    young = parse_name_addr(read(ladder[200]).items(b"contact")[0]).uri
    ladder.world.wall += 172_000
    bye = ALICE.within(b"BYE", first, own=INVITE, cseq=5)
    fresh = swap(bye, b"BYE " + read(bye.data).uri, b"BYE " + young)
    assert ladder >> Restart() >> fresh << Sent(CARRIER, b"BYE")
    assert ladder >> Restart() >> swap(bye, b"z9hG4bKbye5", b"z9hG4bKold") << Sent(ALICE, 481)


# --- Rules that keep it safe


@pytest.mark.parametrize(
    "contact",
    [b"<sip:x@198.51.100.8:5060>", b"<sip:x@203.0.113.5>", b"<sip:x@127.0.0.1>", b"<sip:x@192.0.2.1>", b"<tel:+1>"],
)
def test_a_phones_contact_chooses_no_hop(contact: bytes) -> None:
    """A phone is reached over the flow it came in on; its URI is only Request-URI text."""
    headers = (b"Content-Type: application/sdp",)
    invite = ALICE.request(contact=False, headers=(*headers, b"Contact: " + contact), body=b"")
    ladder = established(invite=invite)
    ladder = ladder >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).uri == contact.strip(b"<>")
    assert ladder


@pytest.mark.parametrize(
    "target", [b"203.0.113.5", b"10.1.1.99", b"198.51.100.8", b"203.0.113.66", b"evil.example", b"[2001:db8::1]"]
)
def test_a_trunks_contact_and_routes_choose_no_hop_outside_it(target: bytes) -> None:
    """A trunk's target or route entry is reached only within that trunk's configured hops."""
    ladder = established(contact=b"<sip:x@%b>" % target)
    assert ladder >> from_caller(ladder) << Sent(CARRIER, b"BYE")
    ladder = established(routes=(b"sip:%b;lr" % target,))
    assert ladder >> from_caller(ladder) << Sent(CARRIER, b"BYE")


def test_a_deleted_trunk_serves_its_dialogs_and_nothing_new() -> None:
    """dialogs.md "Pinning"."""
    ladder = established()
    remaining = [trunk for trunk in w.SETTINGS["trunks"] if trunk["name"] != "carrier"]
    routes = [{"source": "access", "to": ["second"]}]
    retired = [trunk for trunk in ladder.world.settings.trunks if trunk.name == "carrier"]
    after = World(settings(trunks=remaining, routes=routes), retired=retired)
    later = Ladder(after)
    assert later >> from_caller(ladder) << Sent(CARRIER, b"BYE")
    assert later >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert later >> ALICE.invite(branch=b"z9hG4bKn") << Sent(ALICE, 100) << Sent(SECOND, b"INVITE")
    assert later >> CARRIER.invite(branch=b"z9hG4bKm") << Sent(CARRIER, 404)


def test_a_trunk_that_is_gone_for_good_refuses() -> None:
    """Without configuration and memory of it there is no hop."""
    ladder = established()
    remaining = [trunk for trunk in w.SETTINGS["trunks"] if trunk["name"] != "carrier"]
    after = Ladder(World(settings(trunks=remaining, routes=[])))
    assert after >> from_caller(ladder) << Sent(ALICE, 403)
    assert after >> from_callee(ladder) << Silence()


def test_key_rotation_does_not_change_a_call() -> None:
    """dialogs.md "Keys": a dialog keeps its record's key for all that is sealed in it."""
    ladder = established()
    call_id = read(ladder[b"INVITE"]).call_id
    ladder.world.ring = keyring(3, 4)
    ladder = ladder >> Restart() >> from_caller(ladder, b"INVITE") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).call_id == call_id
    assert ladder


def test_a_destroyed_key_opens_nothing() -> None:
    """dialogs.md "Keys": then nobody can open the tokens in a carrier's records."""
    ladder = established()
    ladder.world.ring = keyring(4)
    assert ladder >> Restart() >> from_caller(ladder) << Sent(ALICE, 403)


def test_the_decision_is_pinned() -> None:
    """A dialog keeps the decision that it began with, whatever the settings say now."""
    ladder = established()
    shown = {"default": {"name": "keep", "number": "keep", "software": "keep", "network": "keep"}}
    after = Ladder(World(settings(privacy=shown)))
    info = from_caller(ladder, b"INFO", headers=(b"User-Agent: Phone/1",))
    after = after >> info << Sent(CARRIER, b"INFO")
    assert b"Liddell" not in after[b"INFO"]
    assert b"Phone/1" not in after[b"INFO"]
    assert after


def test_a_contact_of_ours_is_not_sealed_twice() -> None:
    """dialogs.md "Nesting": a call that a trunk sends back to us keeps the token, and still routes both ways."""
    roomy = [{**trunk, "record_budget": 640, "max_user": 1024} for trunk in w.SETTINGS["trunks"]]
    world = World(settings(trunks=roomy, routes=[{"source": "trunk", "to": ["second"]}, {"to": ["carrier"]}]))
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = read(ladder[b"INVITE"])
    token = parse_name_addr(first.items(b"contact")[0]).uri
    lines = [line for line, name in zip(first.lines, first.names, strict=True) if name not in (b"via", b"contact")]
    back = [b"INVITE sip:+15550100@192.0.2.1 SIP/2.0", b"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKback;rport"]
    back += [b"Record-Route: <sip:198.51.100.7;lr>", *lines, b"Contact: <%b>" % token]
    returned = Packet(CARRIER.address, b"\r\n".join([*back, b"", b""]) + first.body)
    ladder = ladder >> returned << Sent(CARRIER, 100) << Sent(SECOND, b"INVITE")
    assert parse_name_addr(read(ladder[b"INVITE"]).items(b"contact")[0]).uri == token
    answer = SECOND.answer(ladder[b"INVITE"], 200)
    bye = SECOND.within(b"BYE", ladder[b"INVITE"], own=answer)
    ladder = ladder >> answer << Sent(CARRIER, 200) >> bye << Sent(CARRIER, b"BYE")
    passed = read(ladder[b"BYE"])
    assert passed.uri == token
    on = passed.raw.replace(b"Route: <sip:198.51.100.7;lr>, ", b"Route: ", 1)
    on = on.replace(b"Via: ", b"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKon\r\nVia: ", 1)
    ladder = ladder >> Packet(CARRIER.address, on) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).call_id == b"call-1@10.1.1.23"
    assert ladder


def test_two_routes_of_ours_in_a_row_are_applied_one_by_one() -> None:
    """dialogs.md "Nesting": phone → Sipveil → core → Sipveil → trunk, where the core keeps no Record-Route."""
    roomy = [{**trunk, "record_budget": 640, "max_user": 1024} for trunk in w.SETTINGS["trunks"]]
    routes = [{"source": "access", "to": ["core"]}, {"source": "core", "to": ["carrier"]}]
    world = World(settings(trunks=roomy, routes=routes))
    ladder = Ladder(world) >> INVITE << Sent(ALICE, 100) << Sent(PBX, b"INVITE")
    at_core = read(ladder[b"INVITE"])
    onward = at_core.raw.replace(b"Via: ", b"Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKpbx;rport\r\nVia: ", 1)
    ladder = ladder >> Packet(PBX.address, onward) << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(PBX, 200)
    through = read(ladder[200])
    vias = [line for line, name in zip(through.lines, through.names, strict=True) if name == b"via"]
    ladder = ladder >> Packet(PBX.address, ladder[200].replace(vias[0] + b"\r\n", b"", 1)) << Sent(ALICE, 200)
    ladder = ladder >> from_caller(ladder)
    address, to_self = ladder.left.pop(0)
    assert address == w.PROXY, "both tokens are ours: the second is applied without a detour"
    ladder = ladder >> Packet(w.PROXY, to_self) << Sent(CARRIER, b"BYE")
    assert b"Liddell" not in ladder[b"BYE"]
    assert b"10.1.1.23" not in ladder[b"BYE"]
    assert ladder


def test_nobody_else_speaks_as_ourselves() -> None:
    """A datagram with our own source address counts only if we sent that request."""
    ladder = established()
    assert ladder >> Packet(w.PROXY, from_caller(ladder).data) << Silence()


# --- Trunk profile


def profile(**changes: Any) -> World:
    """The world with another profile for the carrier."""
    trunks = [{**trunk, **changes} if trunk["name"] == "carrier" else trunk for trunk in w.SETTINGS["trunks"]]
    return World(settings(trunks=trunks))


def test_without_record_route_the_contact_carries_everything() -> None:
    """dialogs.md "Trunk profile": for ends that drop Record-Route or route strictly."""
    ladder = established(profile(record_route=False))
    assert b"record-route" not in read(ladder[b"INVITE"]).index
    assert ladder >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert b"Alice Liddell" in ladder[b"BYE"]
    assert ladder >> Restart() >> from_caller(ladder) << Sent(CARRIER, b"BYE")


def test_a_caller_that_drops_record_route_is_anonymous_all_the_same() -> None:
    """The Contact token alone pins the decision: From is hidden again, not passed through."""
    ladder = established()
    bye = from_caller(ladder)
    route = read(bye.data).value(b"route")
    assert route is not None
    ladder = ladder >> swap(bye, b"Route: " + route + b"\r\n", b"") << Sent(CARRIER, b"BYE")
    assert b"Liddell" not in ladder[b"BYE"]
    assert b"alice" not in ladder[b"BYE"]
    assert ladder


def test_tags_that_tell_a_device_are_sealed_everywhere() -> None:
    """dialogs.md: a tag that matches a leak pattern is sealed in every message of the dialog."""
    mac = b"00-1f-5b-ab-cd-ef"
    invite = ALICE.invite(tag=mac)
    ladder = established(invite=invite)
    sealed = read(ladder[b"INVITE"]).from_tag
    assert mac not in ladder[b"INVITE"]
    assert read(ladder[200]).from_tag == mac
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=invite) << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).from_tag == sealed
    ladder = ladder >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).to_tag == mac
    assert ladder


INSTANCE = b'+sip.instance="<urn:uuid:00000000-0000-0000-0000-9C57AD12A4E0>"'


@pytest.mark.parametrize(
    "tag", [b"9c57ad12a4e0", b"9c57ad12a4e00b8a1d3c7c5d", b"deadbeef9C57AD12A4E0", b"9c57-ad12-a4e0"]
)
def test_a_mac_that_nobody_knows_as_one_leaves_in_no_tag(tag: bytes) -> None:
    """The same digits stand in a device id that is hidden; a BYE says nothing of it and is of the same dialog."""
    lines = (b"User-Agent: Acme 9c57ad12a4e0", b"Content-Type: application/sdp")
    invite = ALICE.invite(tag=tag, headers=lines)
    invite = swap(invite, b"5062>\r\n", b"5062>;" + INSTANCE + b"\r\n")
    ladder = established(invite=invite)
    sealed = read(ladder[b"INVITE"]).from_tag
    assert not found_in(ladder[b"INVITE"], [b"9c57ad12a4e0", b"9C57AD12A4E0", tag])
    ladder = ladder >> Restart() >> ALICE.within(b"UPDATE", ladder[200], own=invite) << Sent(CARRIER, b"UPDATE")
    assert read(ladder[b"UPDATE"]).from_tag == sealed
    ladder = ladder >> CARRIER.answer(ladder[b"UPDATE"], 200) << Sent(ALICE, 200)
    assert read(ladder[200]).from_tag == tag
    assert ladder >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).to_tag == tag


def test_a_mac_leaves_in_no_tag_of_a_phone_that_is_called() -> None:
    """The trunk began the dialog, and no record tells what the phone's answer said: the tag alone does."""
    world, tag = World(settings(routes=[{"source": "trunk", "to": ["access"]}])), b"9c57ad12a4e0"
    ladder = Ladder(world) >> CARRIER.invite(uri=b"sip:alice@10.1.1.23:5062") << Sent(CARRIER, 100)
    ladder = ladder << Sent(ALICE, b"INVITE")
    answer = ALICE.answer(ladder[b"INVITE"], 200, tag=tag, headers=(b"User-Agent: Acme 9c57ad12a4e0",))
    ladder = ladder >> answer << Sent(CARRIER, 200)
    sealed = read(ladder[200]).to_tag
    assert sealed != tag
    bye = ALICE.within(b"BYE", ladder[b"INVITE"], own=answer)
    ladder = ladder >> Restart() >> bye << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).from_tag == sealed
    assert not found_in(ladder[b"BYE"], [tag])
    assert ladder >> CARRIER.answer(ladder[b"BYE"], 200) << Sent(ALICE, 200)
    assert read(ladder[200]).from_tag == tag


def test_tags_are_sealed_at_the_trunks_wish() -> None:
    """dialogs.md: … or the trunk asks."""
    ladder = established(profile(seal_tags=True))
    assert read(ladder[b"INVITE"]).from_tag != b"from1"
    assert ladder >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).to_tag == b"from1"


TOKEN = b"dPq0c9Z8S3e7:APA91b" + b"G-x_Yz0123456789" * 8
MOBILE = (
    # Linphone for Android and for iOS, Acrobits' Groundwire, Zoiper; what wakes each stands apart
    (b";transport=udp", b";pn-prid=" + TOKEN + b";pn-provider=fcm;pn-param=929724111839;pn-silent=1;pn-timeout=0"),
    (b";transport=udp", b";pn-prid=%b:voip&%b:remote;pn-provider=apns;pn-param=ABCD.org.linphone.phone.voip&remote"
     b";pn-msg-str=IM_MSG;pn-call-str=IC_MSG;pn-groupchat-str=GC_MSG;pn-call-snd=notes_of_the_optimistic.caf"
     b";pn-msg-snd=msg.caf" % (b"0123456789ABCDEF" * 4, b"FEDCBA9876543210" * 4)),
    (b";transport=udp;rinstance=cf0bd91ac8b0ed1b", b";pn-provider=acrobits;pn-param=cz.acrobits;pn-prid=" + TOKEN),
    (b";rinstance=8c9e3a77cb3c2dd5;transport=UDP", b";app-id=com.zoiper.android.app;pn-type=firebase;pn-tok=" + TOKEN),
)  # fmt: skip
LONG_FEATURES = (
    b';+sip.instance="<urn:uuid:3f2b7f0e-8e4a-4c1d-8a3b-1c2d3e4f5a6b>";+org.linphone.specs="conference/2.4,ephemeral/1.1,'
    b'groupchat/1.2,lime";reg-id=1;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"'
)


@pytest.mark.parametrize(("own", "push"), MOBILE)
def test_a_mobile_phone_calls_with_its_push_parameters(own: bytes, push: bytes) -> None:
    """RFC 8599: nothing of them reaches the trunk, and what comes back has the URI that is equal to the phone's own."""
    contact = b"sip:alice@10.1.1.23:5062" + own
    invite = swap(INVITE, b"<sip:alice@10.1.1.23:5062>", b"<%b%b>%b" % (contact, push, LONG_FEATURES))
    ladder = established(invite=invite)
    assert not found_in(ladder[b"INVITE"], [b"pn-", b"app-id", TOKEN, b"0123456789ABCDEF", b"3f2b7f0e", b"linphone"])
    ladder = ladder >> Restart() >> from_callee(ladder, b"UPDATE") << Sent(ALICE, b"UPDATE")
    assert read(ladder[b"UPDATE"]).uri == contact
    ladder = ladder >> ALICE.answer(ladder[b"UPDATE"], 200, contact=b"<%b%b>" % (contact, push)) << Sent(CARRIER, 200)
    assert b"pn-" not in ladder[200]
    assert ladder >> from_callee(ladder, cseq=3) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).uri == contact


@pytest.mark.parametrize(("own", "push"), MOBILE)
def test_a_mobile_phone_is_called_with_its_push_parameters(own: bytes, push: bytes) -> None:
    """The same in its answer, over its own flow."""
    contact = b"sip:alice@10.1.1.23:5062" + own
    ladder = Ladder(World(settings(routes=[{"source": "trunk", "to": ["access"]}])))
    invite = CARRIER.invite(uri=b"sip:alice@10.1.1.23:5062")
    ladder = ladder >> invite << Sent(CARRIER, 100) << Sent(ALICE, b"INVITE")
    answer = ALICE.answer(ladder[b"INVITE"], 200, contact=b"<%b%b>%b" % (contact, push, LONG_FEATURES))
    ladder = ladder >> answer << Sent(CARRIER, 200)
    assert not found_in(ladder[200], [b"pn-", b"app-id", TOKEN, b"0123456789ABCDEF", b"3f2b7f0e", b"linphone"])
    assert ladder >> Restart() >> CARRIER.within(b"BYE", ladder[200], own=invite) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).uri == contact


def test_a_long_call_id_travels_in_the_record() -> None:
    """At most 64 characters leave; the dialog works all the same, both ways, after a restart too."""
    long = b"97576NWRlYTAyZmMwNzI3OGJlN2IwMWI5MTU0YzI4N2ZlYzg-and-more@10.1.1.23"
    invite = ALICE.invite(call_id=long)
    ladder = established(invite=invite)
    assert len(read(ladder[b"INVITE"]).call_id) <= 64
    assert ladder >> Restart() >> from_callee(ladder) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).call_id == long
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=invite) << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).call_id == read(ladder[b"INVITE"]).call_id


def test_over_budget_names_leave_first_then_the_call_is_refused() -> None:
    """dialogs.md: display name, then To URI; what still does not fit is 513."""
    display = b'"' + b"A" * 120 + b'" '
    wordy = Agent(ALICE.address, b"alice", display)
    ladder = Ladder() >> wordy.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    bye = CARRIER.within(b"BYE", ladder[b"INVITE"], own=CARRIER.answer(ladder[b"INVITE"], 200))
    ladder = ladder >> bye << Sent(ALICE, b"BYE")
    assert b"AAA" not in ladder[b"BYE"]
    assert b"sip:alice@sip.example.net" in ladder[b"BYE"]
    assert ladder
    endless = Agent(ALICE.address, b"a" * 200)
    assert Ladder() >> endless.invite() << Sent(ALICE, 100) << Sent(ALICE, 513)


@pytest.mark.parametrize("limit", [{"max_user": 128}, {"max_datagram": 1300}])
def test_trunk_limits_refuse_what_is_too_big(limit: dict[str, int]) -> None:
    """513 rather than a message that the trunk cuts."""
    headers = tuple(b"Accept: application/sdp" for _ in range(40))
    assert Ladder(profile(**limit)) >> ALICE.request(headers=headers) << Sent(ALICE, 100) << Sent(ALICE, 513)


@pytest.mark.parametrize(
    "call_id",
    [b"call-1@10.1.1.23", b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", b"97576NWRlYTAyZmMwNzI3OGJlN2IwMWI5MTU0YzI4"],
)
def test_a_trunk_that_loses_case_gets_base32(call_id: bytes) -> None:
    """dialogs.md "Trunk profile": token alphabet; what comes back in capitals still opens."""
    invite = ALICE.invite(call_id=call_id)
    ladder = established(profile(token_alphabet="base32", max_user=512), invite=invite)
    sent = read(ladder[b"INVITE"])
    assert len(sent.call_id) <= 64
    for value in (sent.call_id, *(parse_name_addr(sent.items(name)[0]).uri for name in (b"contact", b"record-route"))):
        assert value == value.lower()
    bye = from_callee(ladder)
    shouted = bye.data
    for uri in (read(bye.data).uri, parse_name_addr(read(bye.data).items(b"route")[0]).uri):
        user = uri.partition(b":")[2].partition(b"@")[0]
        shouted = shouted.replace(user, user.upper())
    shouted = shouted.replace(sent.call_id, sent.call_id.upper())
    assert ladder >> Packet(CARRIER.address, shouted) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).call_id == call_id


def test_a_wildcard_listener_names_itself_by_its_advertised_address() -> None:
    """Via carries the node's own address, and 0.0.0.0 is none."""
    listener = {"name": "main", "address": "0.0.0.0", "port": 5060, "advertised": "192.0.2.1:5060"}
    ladder = established(World(settings(listeners=[listener])))
    assert read(ladder[b"INVITE"]).via.host == b"192.0.2.1"
    assert b"0.0.0.0" not in ladder[b"INVITE"] + ladder[200]


def test_from_change_leaves_supported() -> None:
    """dialogs.md "Connected identity": where From is mapped, RFC 4916 would be silently broken; both ways."""
    tags = (b"Supported: timer, from-change",)
    invite = ALICE.invite(headers=tags)
    ladder = established(invite=invite, headers=tags)
    for message in (ladder[b"INVITE"], ladder[200]):
        assert read(message).value(b"supported") == b"timer"
    to_core = Ladder(World(settings(routes=[{"to": ["core"]}]))) >> invite << Sent(ALICE, 100) << Sent(PBX, b"INVITE")
    assert read(to_core[b"INVITE"]).value(b"supported") == b"timer, from-change"
    assert to_core


def test_tokens_are_legal_where_they_stand() -> None:
    """Letters, digits, - and _ in a user part, a letter first (peers.md row 12)."""
    ladder = established()
    for name in (b"contact", b"record-route"):
        for message in (ladder[b"INVITE"], ladder[200]):
            uri = parse_sip_uri(parse_name_addr(read(message).items(name)[0]).uri)
            assert uri is not None
            assert uri.user[:1].isalpha()
            assert uri.user.replace(b"-", b"").replace(b"_", b"").isalnum()


def test_an_answer_to_the_invite_of_before_a_restart_is_understood() -> None:
    """The far side echoes the Record-Route of the first INVITE; a later second has made another token of the same."""
    ladder = Ladder() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    ladder.world.wall += 7
    ladder = ladder >> Restart() >> INVITE << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).items(b"record-route") != read(first).items(b"record-route")
    ladder = ladder >> CARRIER.answer(first, 200) << Sent(ALICE, 200)
    ladder = ladder >> ALICE.within(b"ACK", ladder[200], own=INVITE, cseq=1) << Sent(CARRIER, b"ACK")
    assert read(ladder[b"ACK"]).items(b"route") == []
    assert ladder >> ALICE.within(b"BYE", ladder[200], own=INVITE) << Sent(CARRIER, b"BYE")


def test_to_stays_the_same_when_the_record_could_not_hold_it() -> None:
    """Over budget To leaves the record; what the trunk sees of it is worked out again, with the trunk's own domain."""
    wordy = Agent(ALICE.address, b"alice", b'"%b" ' % (b"A" * 60))
    invite = wordy.invite(uri=b"sip:+15550100@a-long-domain-of-the-subscriber.provider.example.net")
    ladder = Ladder(profile(record_budget=96)) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(ALICE, 200)
    bye = wordy.within(b"BYE", ladder[200], own=invite)
    ladder = ladder >> bye << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).to.uri == read(ladder[b"INVITE"]).to.uri
    assert ladder


def test_an_ordinary_inbound_call_fits() -> None:
    """Long numbers and domains from a carrier, a phone reached by its address: no 513, names included."""
    world = World(settings(routes=[{"source": "trunk", "to": ["access"]}]))
    caller = Agent(CARRIER.address, b"+4930555017342", b'"Gateway of Many Words" ')
    invite = caller.invite(uri=b"sip:+4930555017399@10.1.1.23:5062")
    ladder = Ladder(world) >> invite << Sent(caller, 100) << Sent(ALICE, b"INVITE")
    ladder = ladder >> ALICE.answer(ladder[b"INVITE"], 200) << Sent(caller, 200)
    assert ladder >> caller.within(b"BYE", ladder[200], own=invite) << Sent(ALICE, b"BYE")
    assert read(ladder[b"BYE"]).from_.display == read(ladder[b"INVITE"]).from_.display
