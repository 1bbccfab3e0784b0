"""Numbers: what a dialled one is, how trunks want it, and what the ends of a dialog see of that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.numbering_section import Numbering, TrunkNumbers
from proxy.dialled import Prefixes
from proxy.headers import parse_name_addr
from proxy.numbering import DialPlan
from proxy.uri import parse_sip_uri
from tests.agents import ALICE, CARRIER, PBX, PSAP, SECOND, Agent, Packet, read
from tests.ladder import Ladder, Restart, Sent, Silence
from tests.proxy.test_groups import refuse, world
from tests.world import SETTINGS, World, settings

GERMAN = DialPlan(Numbering(home="DE"), ("112", "911"), Prefixes(("*67",), ("*82",), ("112", "911")))
AMERICAN = DialPlan(Numbering(home="US"), ("911",), Prefixes((), ()))
NATIONAL = TrunkNumbers(form="national")
INTERNATIONAL = TrunkNumbers(form="international")
E164 = TrunkNumbers()
SHOWN = {"name": "keep", "number": "keep"}


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        (b"+493012345678", b"+493012345678"),
        (b"00493012345678", b"+493012345678"),
        (b"03012345678", b"+493012345678"),
        (b"030-123.456(78)", b"+493012345678"),
        (b"%2B493012345678", b"+493012345678"),
        (b"0012025550100", b"+12025550100"),
        (b"03012345678;isub=12", b"+493012345678"),
        (b"12345678;phone-context=+4930", b"+493012345678"),
        (b"12345678;phone-context=+49-30;isub=1", b"+493012345678"),
        # What is no number with country code.
        (b"12345678;phone-context=example.net", b""),
        (b"112;phone-context=+49", b""),
        (b"alice", b""), (b"", b""), (b"*21*03012345678#", b""), (b"123a4567890", b""),
        (b"112", b""), (b"911", b""), (b"+112", b""), (b"110", b""), (b"115", b""), (b"4711", b""), (b"116117", b""),
        (b"+49", b""), (b"+0301234567", b""), (b"+1234567890123456", b""), (b"\xd9\xa1\xd9\xa2\xd9\xa3", b""),
        (b"0301234567890123456789", b""),
    ],
)  # fmt: skip
def test_what_is_dialled(dialled: bytes, number: bytes) -> None:
    assert GERMAN.global_number(dialled) == number


def test_the_plan_is_that_of_the_home_country() -> None:
    assert AMERICAN.global_number(b"2025550100") == b"+12025550100"
    assert AMERICAN.global_number(b"0114930123456") == b"+4930123456"


@pytest.mark.parametrize(
    ("number", "form", "written"),
    [
        (b"+493012345678", E164, b"+493012345678"),
        (b"+493012345678", NATIONAL, b"03012345678"),
        (b"+12025550100", NATIONAL, b"0012025550100"),
        (b"+493012345678", INTERNATIONAL, b"00493012345678"),
        (b"+493012345678", TrunkNumbers(form="international", prefix=""), b"493012345678"),
        (b"+493012345678", TrunkNumbers(form="e164", strip="+", add="9911"), b"9911493012345678"),
        (b"+493012345678", TrunkNumbers(form="national", strip="0"), b"3012345678"),
        (b"+493012345678", TrunkNumbers(form="e164", strip="00", add=""), b"+493012345678"),
    ],
)
def test_forms(number: bytes, form: TrunkNumbers, written: bytes) -> None:
    assert GERMAN.formed(number, form) == written


@pytest.mark.parametrize(
    ("uri", "written"),
    [
        (b"sip:03012345678@192.0.2.1", b"sip:00493012345678@192.0.2.1"),
        (b"sips:03012345678;isub=1@h;user=phone?a=b", b"sips:00493012345678;isub=1@h;user=phone?a=b"),
        (b"sip:12345678;phone-context=+4930;ext=9@h", b"sip:00493012345678;ext=9@h"),
        (b"sip:*6703012345678@h", b"sip:00493012345678@h"),
        (b"tel:03012345678;phone-context=example.net", b"tel:03012345678;phone-context=example.net"),
        (b"tel:3012345678;phone-context=+49;isub=4", b"tel:+493012345678;isub=4"),
        (b"tel:+49-30-12345678", b"tel:+493012345678"),
        (b"sip:*67alice@h", b"sip:*67alice@h"),
        (b"sip:112@h", b"sip:112@h"), (b"sip:*67112@h", b"sip:*67112@h"), (b"urn:service:sos", b"urn:service:sos"),
        (b"sip:h", b"sip:h"), (b"sip:alice@h", b"sip:alice@h"), (b"nonsense", b"nonsense"),
        (b"mailto:03012345678@h", b"mailto:03012345678@h"),
    ],
)  # fmt: skip
def test_uris(uri: bytes, written: bytes) -> None:
    assert GERMAN.uri(uri, INTERNATIONAL) == written


@given(st.text("0123456789+*#-.();=%abx", max_size=24), st.sampled_from([E164, NATIONAL, INTERNATIONAL]))
def test_any_user_part_comes_back_as_a_uri(user: str, form: TrunkNumbers) -> None:
    """Nothing that a phone dials makes an exception, or another host of a URI."""
    uri = b"sip:" + user.encode() + b"@h"
    written = GERMAN.uri(uri, form)
    assert written == uri or getattr(parse_sip_uri(written), "host", b"") == b"h"


@given(st.integers(10**7, 10**14).map(lambda number: b"+%d" % number))
def test_e164_is_written_once(number: bytes) -> None:
    assert GERMAN.global_number(GERMAN.formed(number, E164)) in (number, b"")


# --- on the wire


def numbered(form: str = "national", **changes: Any) -> World:
    """A world whose carrier sees who calls, and wants numbers in a form."""
    contract = {"trusted": True, "privacy": SHOWN, "numbers": {"form": form}, **changes.pop("carrier", {})}
    trunks = [{**SETTINGS["trunks"][0], **contract}, *SETTINGS["trunks"][1:]]
    routes = changes.pop("routes", [{"source": "trunk", "to": ["core"]}, {"to": ["carrier"]}])
    return World(settings(trunks=trunks, numbering={"home": "DE"}, routes=routes, **changes))


CALLER = Agent(ALICE.address, b"03098765432")
DIALLED = b"sip:03012345678@192.0.2.1"


def called(there: World | None = None, invite: Packet | None = None) -> tuple[Ladder, Packet]:
    invite = invite or CALLER.invite(uri=DIALLED)
    ladder = Ladder(there or numbered("international")) >> invite << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    return ladder, invite


def test_request_uri_to_from_and_pai_are_written_as_the_trunk_wants_them() -> None:
    ladder, _ = called()
    sent = read(ladder[b"INVITE"])
    assert sent.uri == b"sip:00493012345678@198.51.100.7:5060"
    assert sent.to.uri == b"sip:00493012345678@198.51.100.7:5060"
    assert sent.from_.uri.startswith(b"sip:00493098765432@")
    asserted = parse_name_addr(sent.items(b"p-asserted-identity")[0])
    assert asserted.uri.startswith(b"sip:00493098765432@")


@pytest.mark.parametrize("restart", [False, True])
def test_each_end_sees_a_dialog_that_does_not_change(restart: bool) -> None:
    """The phone what it wrote, the trunk what it got: in responses and in requests both ways, after a restart too."""
    ladder, invite = called()
    there = ladder[b"INVITE"]
    answer = CARRIER.answer(there, 200)
    ladder = ladder >> answer << Sent(CALLER, 200)
    sent, shown, mine = read(there), read(ladder[200]), read(invite.data)
    assert (shown.from_.uri, shown.to.uri) == (mine.from_.uri, mine.to.uri)
    if restart:
        ladder = ladder >> Restart()
    ladder = ladder >> CALLER.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(CARRIER, b"ACK")
    ladder = ladder >> CALLER.within(b"INFO", ladder[200], own=invite) << Sent(CARRIER, b"INFO")
    for method in (b"ACK", b"INFO"):
        request = read(ladder[method])
        assert (request.from_.uri, request.to.uri) == (sent.from_.uri, sent.to.uri)
    ladder = ladder >> CARRIER.within(b"BYE", there, own=answer) << Sent(CALLER, b"BYE")
    bye = read(ladder[b"BYE"])
    assert (bye.from_.uri, bye.to.uri) == (mine.to.uri, mine.from_.uri)


def test_what_a_policy_hides_stays_hidden_in_every_form() -> None:
    """By contract, by a prefix, by the default: the number is written before the plan looks at it."""
    for form in ("e164", "national", "international"):
        hidden = numbered(form, carrier={"trusted": False, "privacy": {}})
        plain = b"\n".join(data for data in (called(hidden)[0][b"INVITE"],))
        assert b"3098765432" not in plain
        asked = CALLER.invite(uri=b"sip:*6703012345678@192.0.2.1")
        shown = called(numbered(form, carrier={"trusted": False, "privacy": {"number": "keep"}}), asked)[0][b"INVITE"]
        assert b"*67" not in shown
        assert read(shown).uri.partition(b":")[2].partition(b"@")[0] == read(shown).to.uri[4:].partition(b"@")[0]


def test_a_prefix_asks_all_the_same() -> None:
    there = numbered("national", privacy={"default": {"name": "keep", "number": "keep"}}, carrier={"privacy": {}})
    withheld = called(there, CALLER.invite(uri=b"sip:*6703012345678@192.0.2.1"))[0][b"INVITE"]
    assert b"03098765432" not in read(withheld).from_.uri
    assert read(withheld).uri.startswith(b"sip:03012345678@")


@pytest.mark.parametrize("number", [b"112", b"115", b"4711", b"alice"])
def test_emergency_numbers_short_codes_and_names_are_never_rewritten(number: bytes) -> None:
    changed = {"numbers": {"form": "international", "add": "99"}}
    there = numbered(carrier=changed, routes=[{"to": ["carrier"]}])
    ladder, _ = called(there, CALLER.invite(uri=b"sip:%b@192.0.2.1" % number))
    assert read(ladder[b"INVITE"]).uri == b"sip:%b@198.51.100.7:5060" % number


def test_a_psap_gets_numbers_as_they_are() -> None:
    psap = {**SETTINGS["trunks"][2], "numbers": {"form": "international"}}
    there = World(settings(trunks=[*SETTINGS["trunks"][:2], psap], numbering={"home": "DE"}))
    ladder = Ladder(there) >> CALLER.invite(uri=b"sip:112@192.0.2.1") << Sent(CALLER, 100) << Sent(PSAP, b"INVITE")
    assert read(ladder[b"INVITE"]).from_.uri == b"sip:03098765432@sip.example.net"


def test_what_a_trunk_wrote_comes_back_to_it_as_it_wrote_it() -> None:
    """A call from it, in its own form: the forms are for calls to it."""
    ladder = Ladder(numbered("international"))
    incoming = Agent(CARRIER.address, b"03055555555").invite(uri=b"sip:03012345678@192.0.2.1", call_id=b"in@x")
    ladder = ladder >> incoming << Sent(CARRIER, 100) << Sent(PBX, b"INVITE")
    invite = ladder[b"INVITE"]
    answer = PBX.answer(invite, 200)
    ladder = ladder >> answer << Sent(CARRIER, 200) >> PBX.within(b"BYE", invite, own=answer) << Sent(CARRIER, b"BYE")
    bye = read(ladder[b"BYE"])
    users = [uri.partition(b":")[2].partition(b"@")[0] for uri in (bye.from_.uri, bye.to.uri)]
    assert users == [b"03012345678", b"03055555555"]


def test_each_member_of_a_group_has_its_form() -> None:
    forms = {"carrier": {"numbers": {"form": "national"}}, "second": {"numbers": {"form": "e164"}}}
    ladder = Ladder(world(trunks=forms, numbering={"home": "DE"})) >> CALLER.invite(uri=b"sip:00493012345678@192.0.2.1")
    ladder = ladder << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).uri.startswith(b"sip:03012345678@")
    ladder = refuse(ladder, CARRIER) << Sent(SECOND, b"INVITE")
    assert read(ladder[b"INVITE"]).uri.startswith(b"sip:+493012345678@")
    third = Agent(("198.51.100.9", 5060), b"gateway3")
    ladder = refuse(ladder, SECOND) << Sent(third, b"INVITE")
    assert read(ladder[b"INVITE"]).uri.startswith(b"sip:00493012345678@"), "as it was dialled"


def test_without_a_form_nothing_is_touched() -> None:
    ladder = Ladder(World(settings(numbering={"home": "DE"}, routes=[{"to": ["carrier"]}])))
    ladder = ladder >> CALLER.invite(uri=DIALLED) << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    assert read(ladder[b"INVITE"]).uri == b"sip:03012345678@198.51.100.7:5060"


# --- routes


def to(prefix: str, trunk: str, **more: Any) -> dict[str, Any]:
    return {"prefix": prefix, "to": [trunk], **more}


@pytest.mark.parametrize(
    ("order", "user", "reached"),
    [
        ("first", b"+4930123456", CARRIER), ("longest", b"+4930123456", SECOND), ("longest", b"+4940123456", CARRIER),
        ("longest", b"0301234567", SECOND), ("longest", b"00493012345678", SECOND), ("first", b"0301234567", CARRIER),
        ("longest", b"*670301234567", SECOND), ("longest", b"0012025550100", PBX), ("first", b"alice", PBX),
    ],
)  # fmt: skip
def test_the_longest_prefix_decides_where_that_is_wanted(order: str, user: bytes, reached: Agent) -> None:
    """`+49` and `+4930` also match what was dialled otherwise."""
    routes = [to("+49", "carrier"), to("+4930", "second"), to("", "core")]
    ladder = Ladder(World(settings(routes=routes, route_order=order, numbering={"home": "DE"})))
    ladder = ladder >> ALICE.invite(uri=b"sip:%b@192.0.2.1" % user) << Sent(ALICE, 100) << Sent(reached, b"INVITE")
    assert ladder << Silence()


def test_among_equals_the_first_and_without_a_dial_plan_the_text() -> None:
    routes = [to("", "core"), to("+49", "carrier"), to("+49", "second"), to("9", "second", source="core")]
    ladder = Ladder(World(settings(routes=routes, route_order="longest")))
    ladder = ladder >> ALICE.invite(uri=b"sip:+4930123456@192.0.2.1") << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    other = ALICE.invite(uri=b"sip:0301234567@192.0.2.1", branch=b"z9hG4bKtwo", call_id=b"two@x")
    assert ladder >> other << Sent(ALICE, 100) << Sent(PBX, b"INVITE")


def test_emergency_lines_have_their_own_order() -> None:
    routes = [to("", "carrier"), to("112", "second"), {"emergency": True, "to": ["psap"]}]
    ladder = Ladder(World(settings(routes=routes, route_order="longest", numbering={"home": "DE"})))
    assert ladder >> ALICE.invite(uri=b"sip:112@192.0.2.1") << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
