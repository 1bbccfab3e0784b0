"""What other systems' users run into (peers.md §2), one test a row: each names its row and issue.

| row | what went wrong elsewhere | test |
|---|---|---|
| 1 | the BYE of an early dialog shows the caller | `test_row_1`; real/test_sipp.py `test_early_bye`; test_no_leak.py |
| 2 | a From that changes in mid-dialog is restored as garbage | `test_row_2` |
| 3 | `Privacy: id` was decorative: the number stayed elsewhere | `test_row_3` |
| 4 | priv-values misread | `test_row_4`; filters/test_request.py |
| 5 | Remote-Party-ID's own privacy was not read | `test_row_5`; filters/test_request.py |
| 6 | a carrier that needs a withheld number gets none, or a stranger does | `test_row_6`; proxy/test_asserted.py |
| 8 | addresses left in From, To and Request-URI | `test_row_8` |
| 9 | hiding stops at the first own Record-Route | `test_row_9`; proxy/test_in_dialog.py `test_two_routes…` |
| 10 | an upstream proxy's route set is lost | `test_row_10` |
| 11 | a prefix is taken for a proof; own replies show the Call-ID | `test_row_11`; proxy/test_tokens.py |
| 12 | tokens illegal where they stand | proxy/test_in_dialog.py `test_tokens_are_legal` |
| 16 | internal headers reach carriers | `test_row_16` |
| 18 | two edits of one header corrupt the message | proxy/test_message.py; test_property.py parses all output |
| 22 | an Identity that tells the caller goes to an untrusted trunk | `test_row_22` |
| 24 | several asserted identities break parsers | `test_row_24` |
"""

from __future__ import annotations

import pytest

from config.vocabulary import Category
from filters.leaks import found_in
from tests.agents import ALICE, CARRIER, PBX, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.world import PHONE, SETTINGS, TRUNK, World, settings

CALLER = b"+15550123"
PHONE_OF_CALLER = Agent(PHONE, CALLER, b'"Alice Liddell" ')
ANONYMOUS = b'"Anonymous" <sip:anonymous@anonymous.invalid>;tag=from1'


def ringing() -> tuple[Ladder, Packet]:
    """A call that rings, and its INVITE."""
    invite = PHONE_OF_CALLER.invite(headers=(b"Content-Type: application/sdp", b"Privacy: id"))
    ladder = Ladder() >> invite << Sent(PHONE_OF_CALLER, 100) << Sent(CARRIER, b"INVITE")
    return ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(PHONE_OF_CALLER, 180), invite


@pytest.mark.parametrize("method", [b"BYE", b"PRACK", b"UPDATE", b"OPTIONS", b"INFO", b"REFER", b"NOTIFY"])
def test_row_1_nothing_in_an_early_dialog_shows_the_caller(method: bytes) -> None:
    """kamailio #4829: INVITE and CANCEL were anonymous, the BYE after 180 was not."""
    ladder, invite = ringing()
    request = PHONE_OF_CALLER.within(method, ladder[180], own=invite, headers=(b"RAck: 1 1 INVITE",))
    ladder = ladder >> request << Sent(CARRIER, method)
    assert read(ladder[method]).values(b"from") == [ANONYMOUS]
    assert not found_in(ladder[method], [CALLER, b"Liddell", b"10.1.1.23"])
    assert ladder >> CARRIER.answer(ladder[method], 481) << Sent(PHONE_OF_CALLER, 481)
    assert read(ladder[481]).from_.address == read(invite.data).from_.address


def test_row_2_a_from_that_changes_is_restored_from_the_record() -> None:
    """kamailio #3500: what was XORed with another From came out as garbage. Each end goes on seeing what it knew."""
    ladder, invite = ringing()
    changed = PHONE_OF_CALLER.within(b"UPDATE", ladder[180], own=invite)
    changed = Packet(PHONE, changed.data.replace(b'"Alice Liddell" <sip:' + CALLER, b'"Carol" <sip:carol'))
    assert b"carol" in changed.data
    ladder = ladder >> changed << Sent(CARRIER, b"UPDATE")
    assert read(ladder[b"UPDATE"]).values(b"from") == [ANONYMOUS]
    ladder = ladder >> CARRIER.answer(ladder[b"UPDATE"], 200) << Sent(PHONE_OF_CALLER, 200)
    assert b"carol" in read(ladder[200]).from_.uri
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    theirs = CARRIER.within(b"OPTIONS", ladder[b"INVITE"], own=answer)
    theirs = Packet(TRUNK, theirs.data.replace(b'"Anonymous" <sip:anonymous@anonymous.invalid>', b"<sip:mallory@x>"))
    ladder = ladder >> theirs << Sent(PHONE_OF_CALLER, b"OPTIONS")
    assert read(ladder[b"OPTIONS"]).to.address == read(invite.data).from_.address


NAMED = (
    b'P-Asserted-Identity: "Alice Liddell" <sip:+15550123@x>, <tel:+15550123>',
    b"P-Preferred-Identity: <tel:+15550123>",
    b'Remote-Party-ID: "Alice Liddell" <sip:+15550123@x>;party=calling;privacy=off',
    b"Diversion: <sip:+15550123@x>;reason=no-answer", b"History-Info: <sip:+15550123@x>;index=1",
    b"Referred-By: <sip:+15550123@x>", b"Call-Info: <http://x/+15550123.png>;purpose=icon",
    b"Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiMTU1NTAxMjMifX0.c2ln;info=<https://x/y>",
    b"P-Charge-Info: <sip:+15550123@x>", b"Reply-To: <sip:+15550123@x>",
)  # fmt: skip
SHOWN = {"name": "keep", "number": "keep", "history": "keep", "network": "keep", "unknown": "keep", "status": "keep"}


@pytest.mark.parametrize("wish", [(b"Privacy: id",), ()])
def test_row_3_a_withheld_number_is_nowhere(wish: tuple[bytes, ...]) -> None:
    """siphon PR 199: the header was set and the number left in From. Identity moves as one set, or not at all."""
    contract = {key: value for key, value in SHOWN.items() if key != "unknown"}
    world = World(settings(privacy={"default": SHOWN}, trunks=[{**SETTINGS["trunks"][0], "privacy": contract},
                                                              *SETTINGS["trunks"][1:]]))  # fmt: skip
    packet = PHONE_OF_CALLER.invite(headers=(*NAMED, *wish, b"Content-Type: application/sdp"), call_id=CALLER + b"@x")
    data = dict(world.receive(*packet))[TRUNK]
    assert bool(found_in(data, [b"15550123", b"Liddell"])) is not bool(wish)


@pytest.mark.parametrize(
    ("line", "number", "name", "history"),
    [
        (b"Remote-Party-ID: <sip:+15550123@x>;party=calling;privacy=full", True, True, True),
        (b'Remote-Party-ID: "A" <sip:+15550123@x>;privacy="URI-network,name";screen=yes', True, True, True),
        (b"remote-party-id: <sip:+15550123@x>;Privacy=uri", True, True, True),
        (b"Remote-Party-ID: <sip:+15550123@x>;privacy=name", False, True, False),
        (b"Remote-Party-ID: <sip:+15550123@x>;privacy=whatever", True, True, True),
        (b'Remote-Party-ID: "A <sip:+15550123@x>;privacy=off', True, True, True),
        (b"Remote-Party-ID: <sip:+15550123@x>;privacy=off", False, False, False),
        (b"Remote-Party-ID: <sip:+15550123@x>", False, False, False),
        (b"Diversion: <sip:+15550177@x>;privacy=full;reason=no-answer", False, False, True),
        (b"Diversion: <sip:+15550177@x>;privacy=off", False, False, False),
    ],
)  # fmt: skip
def test_row_5_a_privacy_parameter_is_a_wish(line: bytes, number: bool, name: bool, history: bool) -> None:
    """kazoo PR 170 to 172: anonymity was decided without it. The strictest of all that asks wins."""
    world = World(settings(privacy={"default": SHOWN}))
    asks = number, name, history
    nothing = (False, False, False)
    off = (b"Remote-Party-ID: <sip:+15550123@x>;privacy=off",)
    # What others asked for before does not decide for anybody.
    messages = ((), nothing), (off, nothing), ((line,), asks), ((line, b"Privacy: none"), asks), ((), nothing)
    for nth, (lines, hidden) in enumerate(messages):
        headers = (*lines, b"History-Info: <sip:+15550177@x>;index=1")
        packet = PHONE_OF_CALLER.request(b"OPTIONS", contact=False, headers=headers, branch=b"z9hG4bK%d" % nth)
        [(_, data)] = world.receive(*packet)
        shown = [bool(found_in(data, [one])) for one in (CALLER, b"Liddell", b"15550177")]
        assert shown == [not one for one in hidden], lines


def test_row_5_of_whom_is_called_too() -> None:
    """A connected number that the core withholds in its answer is withheld from the trunk in that answer."""
    world = World(settings(privacy={"default": SHOWN}))
    for word, told in ((b"off", True), (b"full", False)):
        invite = CARRIER.invite(uri=b"sip:bob@192.0.2.1", call_id=word, branch=b"z9hG4bK" + word)
        ladder = Ladder(world) >> invite << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
        line = b"Remote-Party-ID: <sip:+15550188@x>;party=called;privacy=" + word
        ladder = ladder >> PBX.answer(ladder[b"INVITE"], 200, headers=(line,)) << Sent(CARRIER, 200)
        assert bool(found_in(ladder[200], [b"15550188"])) is told


@pytest.mark.parametrize(("trusted", "told"), [(True, True), (False, False)])
def test_row_6_who_needs_a_withheld_number_gets_it_by_indicator(trusted: bool, told: bool) -> None:
    """LibreSBC PR 216: a switch for each trunk, and no guess. From is anonymous towards both."""
    trunks = [{**SETTINGS["trunks"][0], "trusted": trusted}, *SETTINGS["trunks"][1:]]
    world = World(settings(trunks=trunks))
    headers = (b"Privacy: id", b"P-Asserted-Identity: <sip:+15550123@x>")
    [(_, data)] = world.receive(*PHONE_OF_CALLER.request(b"OPTIONS", contact=False, headers=headers))
    assert read(data).values(b"from") == [ANONYMOUS]
    assert read(data).items(b"p-asserted-identity") == ([b"<sip:+15550123@192.0.2.1:5060>"] if told else [])
    assert read(data).values(b"privacy") == ([b"id"] if told else [])
    assert bool(found_in(data, [b"15550123"])) is told


@pytest.mark.parametrize(
    "lines",
    [
        (b"Privacy: ID",), (b"privacy:\tiD ;CRITICAL",), (b"Privacy: header,id",), (b"Privacy: header", b"Privacy: id"),
        (b"Privacy: none;id",), (b"Privacy: whatever",), (b"Privacy:",), (b"Privacy: none", b"Privacy: id"),
    ],
)  # fmt: skip
def test_row_4_priv_values_in_any_spelling_hide_the_number(lines: tuple[bytes, ...]) -> None:
    """gsm-sip-bridge PR 70: read by case, the first field only; what is not understood hides most."""
    world = World(settings(privacy={"default": {"name": "keep", "number": "keep"}}))
    sent = world.receive(*PHONE_OF_CALLER.request(b"OPTIONS", contact=False, headers=lines))
    [data] = [data for address, data in sent if address == TRUNK]
    assert not found_in(data, [CALLER, b"Liddell"])


@pytest.mark.parametrize(
    ("lines", "meant"),
    [
        ((b"Privacy: ID",), b"id"), ((b"privacy:\tiD ;",), b"id"), ((b"Privacy: header,id",), b"header;id"),
        ((b"Privacy: HEADER", b"Privacy: Id"), b"header;id"), ((b"Privacy: history,\r\n user",), b"history;user"),
    ],
)  # fmt: skip
def test_row_4_priv_values_in_any_spelling_mean_what_they_mean(lines: tuple[bytes, ...], meant: bytes) -> None:
    """And no more than that, as what cannot be understood would: it hides the number too, and all else with it."""

    def sent(*lines: bytes) -> bytes:
        shown = {category.name.lower(): "keep" for category in Category}
        world = World(settings(privacy={"default": shown}))
        headers = (b"User-Agent: Acme", b"X-Odd: 1", b"Diversion: <sip:+15550177@x>", *lines)
        return dict(world.receive(*PHONE_OF_CALLER.request(b"OPTIONS", contact=False, headers=headers)))[TRUNK]

    assert sent(*lines) == sent(b"Privacy: " + meant) != sent(b"Privacy: whatever")


def test_row_8_no_address_is_left_in_from_to_and_request_uri() -> None:
    """kamailio #4148; the phone's own form comes back."""
    world = World(settings(privacy={"default": {"name": "keep", "number": "keep"}}))
    packet = ALICE.request(b"OPTIONS", b"sip:+15550100@10.44.0.9:5080", contact=False)
    packet = Packet(PHONE, packet.data.replace(b"alice@sip.example.net", b"alice@10.44.0.8:5070"))
    ladder = Ladder(world) >> packet << Sent(CARRIER, b"OPTIONS")
    assert not found_in(ladder[b"OPTIONS"], [b"10.44.0.8", b"10.44.0.9", b"10.1.1.23"])
    ladder = ladder >> CARRIER.answer(ladder[b"OPTIONS"], 404) << Sent(ALICE, 404)
    assert read(ladder[404]).from_.uri == b"sip:alice@10.44.0.8:5070"
    assert read(ladder[404]).to.uri == b"sip:+15550100@10.44.0.9:5080"


def test_row_9_a_second_crossing_hides_what_is_behind_the_first() -> None:
    """kamailio #4164: hiding stopped at the first own Record-Route, and the core's address was seen in 180 and 200."""
    roomy = [{**trunk, "record_budget": 640, "max_user": 1024} for trunk in SETTINGS["trunks"]]
    routes = [{"source": "access", "to": ["core"]}, {"source": "core", "to": ["carrier"]}]
    ladder = Ladder(World(settings(trunks=roomy, routes=routes)))
    ladder = ladder >> ALICE.invite(headers=(), body=b"") << Sent(ALICE, 100)
    ladder = ladder << Sent(PBX, b"INVITE")
    own = b"203.0.113.5", b"pbx.internal"
    line = b"Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKpbx;rport\r\nRecord-Route: <sip:pbx.internal;lr>\r\n"
    onward = ladder[b"INVITE"].replace(b"Via: ", line + b"Via: ", 1)
    ladder = ladder >> Packet(PBX.address, onward) << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    assert not found_in(ladder[b"INVITE"], [*own, b"10.1.1.23", b"Liddell"])
    for status in (180, 200):
        ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], status) << Sent(PBX, status)
        through = ladder[status].replace(b"Via: SIP/2.0/UDP 203.0.113.5;", b"X: ", 1)
        ladder = ladder >> Packet(PBX.address, through) << Sent(ALICE, status)
        assert not found_in(ladder[status], [*own, b"198.51.100.7", b"gateway"])
    assert ladder


def test_row_10_a_route_set_comes_back_complete_and_in_order() -> None:
    """OpenSIPS #2333: the BYE went past the proxies behind the trunk."""
    ladder = Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    proxies = b"sip:198.51.100.7:5060;lr", b"sip:p2.carrier.example;lr;x=1"
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, routes=tuple(reversed(proxies))) << Sent(ALICE, 200)
    assert not found_in(ladder[200], [b"p2.carrier.example"])
    ladder = ladder >> ALICE.within(b"BYE", ladder[200], own=ALICE.invite()) << Sent(CARRIER, b"BYE")
    assert read(ladder[b"BYE"]).items(b"route") == [b"<%b>" % uri for uri in proxies]


def test_row_11_what_looks_like_ours_is_not_and_our_replies_show_nothing() -> None:
    """OpenSIPS #2395, #1073: two hiding proxies in a row, and a 481 with the decoded Call-ID."""
    first = World()
    outer = next(data for address, data in first.receive(*ALICE.invite()) if address == TRUNK)
    token = read(outer).call_id
    ladder = Ladder() >> ALICE.invite(call_id=token[:-1] + b"A") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180) << Sent(ALICE, 180)
    assert read(ladder[180]).call_id == token[:-1] + b"A"
    stray = CARRIER.request(b"BYE", call_id=token, headers=(), uri=b"sip:alice@192.0.2.1", branch=b"z9hG4bKs")
    stray = Packet(TRUNK, stray.data.replace(b"\r\nTo: <sip:alice@192.0.2.1>", b"\r\nTo: <sip:alice@192.0.2.1>;tag=x"))
    ladder = ladder >> stray << Sent(CARRIER, 481)
    assert read(ladder[481]).call_id == token
    assert not found_in(ladder[481], [b"call-1", b"10.1.1.23"])


def test_row_16_only_what_is_on_the_list_passes() -> None:
    """jambonz/sbc-outbound #96: forwarding was all minus a list."""
    sent = World().receive(*ALICE.request(b"OPTIONS", contact=False, headers=(b"X-CID: 1", b"X-Whatever: 10.2.3.4")))
    assert not {b"x-cid", b"x-whatever"} & set(read(sent[0][1]).names)


@pytest.mark.parametrize("private", [True, False])
def test_row_22_identity_never_reaches_an_untrusted_trunk_for_a_private_call(private: bool) -> None:
    """A PASSporT holds the number in base64: neither for who asks, nor under the strict default."""
    passport = b"Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiMTU1NTAxMjMifX0.c2ln;info=<https://x/y>"
    lines = (passport, b"Privacy: id") if private else (passport,)
    [(address, data)] = World().receive(*PHONE_OF_CALLER.request(b"OPTIONS", contact=False, headers=lines))
    assert address == TRUNK
    assert not found_in(data, [b"15550123"])
    assert b"identity" not in read(data).index


@pytest.mark.parametrize("joint", [b", ", b"\r\nP-Asserted-Identity: "])
def test_row_24_both_asserted_identities_are_read(joint: bytes) -> None:
    """OpenSIPS #1197: one sip: and one tel:, in one field or two; a phone's give way to who it is (RFC 3325 §5).

    Both of the core's go on to a trunk of the trust domain, of each scheme the first (RFC 5876 §4.5).
    """
    trusted = World(settings(trunks=[{**SETTINGS["trunks"][0], "trusted": True}, *SETTINGS["trunks"][1:]]))
    more = b"P-Asserted-Identity: <tel:+15550777>, <sip:+15550777@x>"
    three = (b"P-Asserted-Identity: <sip:+15550123@x>" + joint + b"<tel:+15550199>", more)
    [(_, data)] = trusted.receive(*PBX.request(b"OPTIONS", b"sip:+15550100@192.0.2.1", contact=False, headers=three))
    assert read(data).items(b"p-asserted-identity") == [
        b"<sip:+15550123@192.0.2.1:5060>", b"<sip:+15550199@192.0.2.1:5060;user=phone>",
    ]  # fmt: skip
    line = b"P-Asserted-Identity: <sip:+15550123@x>" + joint + b"<tel:+15550123>"
    open_ = World(settings(trunks=[{**SETTINGS["trunks"][0], "privacy": {"number": "keep", "name": "keep"}},
                                   *SETTINGS["trunks"][1:]]))  # fmt: skip
    for world, expected in ((open_, [b'"Alice Liddell" <sip:+15550123@192.0.2.1:5060>']), (World(), [])):
        [(_, data)] = world.receive(*PHONE_OF_CALLER.request(b"OPTIONS", contact=False, headers=(line,)))
        assert read(data).items(b"p-asserted-identity") == expected
