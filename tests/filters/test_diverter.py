"""Calls that the core has diverted: what is signed of it, and when nothing is."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest

from config.subscriber import Setting, Value, profile
from config.subscribers import Mark, Subscribers
from config.trust_store import Signatory
from config.validity import Validity
from config.vocabulary import Zone
from filters.credential import Credential
from filters.leaks import found_in
from filters.signer import Signer
from filters.verifier import Result, Verifier
from tests.agents import CARRIER, PBX, Agent, Packet, read
from tests.filters.test_chain import div_value
from tests.ladder import Ladder, Sent
from tests.passports import HEADER, KEY, X5U, claims, compact_form, unb64, value
from tests.world import PHONE, SECOND_TRUNK, SETTINGS, TRUNK, WALL, World, build, settings

ORIG, OURS, OTHER_OURS, TARGET = b"15550142", b"15550100", b"15550111", b"15550777"
SHOWN = {"name": "keep", "number": "keep", "history": "keep"}
ATTEST = {Zone.ACCESS: "A", Zone.CORE: "A", Zone.TRUNK: "C"}
NUMBERS = ["155501"]
SIGNER = Signer(Credential(KEY, X5U, NUMBERS), ATTEST)
VERIFIER = Verifier({X5U: Signatory(KEY.public_key(), Validity(WALL - 1000, WALL + 1000))})
PHONE_AGENT = Agent(PHONE, ORIG)


def world(privacy: dict[str, str] | None = None, signer: Signer = SIGNER, **trunk: Any) -> World:
    """A world whose first trunk wants signatures and, unless told otherwise, is shown everything."""
    first, *others = SETTINGS["trunks"]
    terms = {"sign": True, "privacy": SHOWN if privacy is None else privacy, **trunk}
    return World(settings(trunks=[{**first, **terms}, *others], signing={"x5u": X5U}), signer=signer)


def forwarded(
    *headers: bytes, to: bytes = OURS, target: bytes = TARGET, caller: bytes = ORIG, **changes: Any
) -> Packet:
    """What the core sends on of a call that was for `to`."""
    sender = Agent(PBX.address, b"+" + caller)
    lines = (*headers, b"Content-Type: application/sdp")
    packet = sender.invite(uri=b"sip:+%b@192.0.2.1" % target, headers=lines, **changes)
    return Packet(packet.source, packet.data.replace(b"To: <sip:+%b@" % target, b"To: <sip:+%b@" % to))


SIGNED = b"Identity: " + value(claims())
DIVERSION = b"Diversion: <sip:+%b@sip.example.net>;reason=unconditional" % OURS


def left(of: World, packet: Packet, to: Agent = CARRIER) -> bytes:
    sender = Agent(packet.source, b"x")
    ladder = Ladder(of) >> packet << Sent(sender, 100) << Sent(to, b"INVITE")
    assert ladder >> packet << Sent(sender, 100), "a repetition is absorbed"
    return ladder[b"INVITE"]


def divs(data: bytes) -> list[dict[str, Any]]:
    """The claims of the `div` PASSporTs of what left."""
    found = [each for each in read(data).values(b"identity") if each.endswith(b";ppt=div")]
    heads = [json.loads(unb64(each.split(b".")[0])) for each in found]
    assert all(head == HEADER | {"ppt": "div"} for head in heads)
    return [json.loads(unb64(each.split(b".")[1])) for each in found]


def test_a_forwarded_call() -> None:
    """RFC 8946 §3, §4.1: claim by claim; the original stays as it came; Date is there, as RFC 8224 §6.1 wants it."""
    of = world()
    data = left(of, forwarded(SIGNED))
    assert divs(data) == [
        {"dest": {"tn": ["15550777"]}, "div": {"tn": "15550100"}, "iat": WALL, "orig": {"tn": "15550142"}}
    ]
    assert read(data).values(b"identity")[0] == SIGNED.partition(b" ")[2]
    assert read(data).values(b"date") == [formatdate(WALL, usegmt=True).encode()]
    assert of.count("signing", "div") == 1


def test_what_we_sign_we_verify() -> None:
    """The chain leads from the caller to the new target, and to no other."""
    chained = read(left(world(), forwarded(SIGNED, to=TARGET)))
    assert VERIFIER.verify(chained, WALL) == (Result.PASSED, "A")
    chained = read(left(world(), forwarded(SIGNED, to=TARGET)).replace(b"sip:+%b@" % TARGET, b"sip:+15550999@"))
    assert VERIFIER.verify(chained, WALL) == (Result.FAILED, "")


def test_diverted_before() -> None:
    """div over div (§4.2): the last one is referred to; what came stays."""
    before = b"Identity: " + div_value("15559999", OURS.decode())
    first = b"Identity: " + value(claims(dest="15559999"))
    for lines in ((first, before), (before, first)):
        data = left(world(), forwarded(*lines, to=TARGET))
        assert [claim["div"]["tn"] for claim in divs(data)] == ["15559999", "15550100"]
        assert len(read(data).values(b"identity")) == 3
        assert VERIFIER.verify(read(data), WALL) == (Result.PASSED, "A")


def test_a_div_without_what_it_refers_to() -> None:
    """There is no chain to add to."""
    alone = b"Identity: " + div_value("15559999", OURS.decode())
    assert divs(left(world(), forwarded(alone))) == [json.loads(unb64(alone.split(b".")[1]))]


@pytest.mark.parametrize(
    "target", [b"sip:+15550100@192.0.2.1;user=phone", b"sip:+1-555-0100;npdi@192.0.2.1", b"tel:+1-555-0100"]
)
def test_the_same_number_is_no_diversion(target: bytes) -> None:
    """§4.1: only what differs canonically is."""
    packet = forwarded(SIGNED, target=OURS)
    of = world()
    data = left(of, Packet(packet.source, packet.data.replace(b"INVITE sip:+15550100@192.0.2.1", b"INVITE " + target)))
    assert divs(data) == []
    assert len(read(data).values(b"identity")) == 1


def test_only_where_somebody_has_signed() -> None:
    """§4.1: a call without Identity gets no div, but what every call gets."""
    of = world()
    data = left(of, forwarded(DIVERSION))
    assert divs(data) == []
    assert (of.count("signing", "signed"), of.count("signing", "div")) == (1, 0)


@pytest.mark.parametrize("line", [b"Identity: " + compact_form(), b"Identity: " + value(claims("15550143"))])
def test_not_over_what_says_nothing_of_this_call(line: bytes) -> None:
    """The compact form does not tell whom it was for; another caller's is none of this call."""
    assert divs(left(world(), forwarded(line))) == []


def test_not_for_a_number_that_is_not_ours() -> None:
    """§3: authority over the diverting number, or no signature."""
    of = world()
    assert divs(left(of, forwarded(b"Identity: " + value(claims(dest="15559999")), to=b"15559999"))) == []
    assert of.count("signing", "div-not-ours") == 1
    of = world(signer=Signer(Credential(KEY, X5U), ATTEST))
    assert divs(left(of, forwarded(SIGNED))) == []
    assert of.count("signing", "div-not-ours") == 1


def test_a_call_for_several() -> None:
    """Which of ours diverted it has to be told: To does."""
    both = b"Identity: " + value(claims() | {"dest": {"tn": [OURS.decode(), OTHER_OURS.decode()]}})
    assert divs(left(world(), forwarded(both, to=OTHER_OURS)))[0]["div"] == {"tn": OTHER_OURS.decode()}
    assert divs(left(world(), forwarded(both, to=TARGET))) == []


@pytest.mark.parametrize("source", [PHONE, SECOND_TRUNK])
def test_only_the_core_diverts(source: tuple[str, int]) -> None:
    """A phone's or another trunk's word that a number of ours has forwarded a call is nobody's."""
    routes = [{"source": "any", "to": ["carrier"]}, {"source": "trunk", "to": ["carrier"]}]
    of = world()
    of = World(of.settings.model_copy(update={"routes": settings(routes=routes).routes}), signer=SIGNER)
    packet = forwarded(SIGNED, DIVERSION)
    assert divs(left(of, Packet(source, packet.data))) == []


def test_an_orig_that_is_a_list_or_says_more() -> None:
    """What is copied is the identity, not what else a stranger has put beside it."""
    odd = {"tn": ["+15550142"], "uri": [], "note": "more"}
    data = left(world(), forwarded(b"Identity: " + value(claims() | {"orig": odd})))
    assert [claim["orig"] for claim in divs(data)] == [{"tn": "+15550142"}]


# --- privacy


def test_a_hidden_history_is_not_signed() -> None:
    """Diversion and History-Info go with it, and so does a signature over whom the call was for.

    What is left is a call through a gateway, and says so.
    """
    of = world({"name": "keep", "number": "keep"})
    history = b"History-Info: <sip:+15550100@h>;index=1, <sip:+15550777@h>;index=1.1"
    data = left(of, forwarded(SIGNED, DIVERSION, history, to=TARGET))
    assert found_in(data, [OURS]) == set()
    (identity,) = read(data).values(b"identity")
    made = json.loads(unb64(identity.split(b".")[1]))
    assert (made["attest"], made["dest"], made["orig"]) == ("C", {"tn": ["15550777"]}, {"tn": "15550142"})
    of = world({"name": "keep", "number": "keep"})
    data = left(of, forwarded(SIGNED, DIVERSION))
    assert divs(data) == []
    assert of.count("signing", "div-hidden") == 1
    assert b"Diversion" not in data


def test_a_withheld_caller_is_in_no_passport() -> None:
    """Whatever the contract shows: neither the first one nor a new one goes to a stranger (RFC 3325 §7)."""
    of = world()
    data = left(of, forwarded(SIGNED, DIVERSION, b"Privacy: id", to=TARGET))
    assert read(data).values(b"identity") == []
    assert found_in(data, [ORIG]) == set()


def test_a_withheld_caller_towards_a_trusted_trunk() -> None:
    """Which is told in P-Asserted-Identity, and so in PASSporTs."""
    asserted = b"P-Asserted-Identity: <sip:+15550142@sip.example.net>"
    of = world({"history": "keep"}, trusted=True)
    packet = forwarded(SIGNED, asserted, b"Privacy: id", caller=b"1999", to=TARGET)
    data = left(of, packet)
    assert b"anonymous@anonymous.invalid" in data
    assert [claim["orig"] for claim in divs(data)] == [{"tn": "15550142"}]


def with_subscriber(of: World, address: bytes, *said: tuple[str, Value]) -> World:
    subscribers = Subscribers()
    subscribers.replace({address: profile([Setting("", word, wish) for word, wish in said])}, Mark(1, 1), 0.0)
    of.privacy = build(of.settings, subscribers, signer=of.signer)
    of.new_core()
    return of


@pytest.mark.parametrize("address", [b"+15550100", b"+15550100@sip.example.net"])
def test_who_forwarded_decides(address: bytes) -> None:
    """Not the caller, whose call it is, but not whose forwarding."""
    shown = {"name": "keep", "number": "keep"}
    for wish, count in ((Value.SHOW, 1), (Value.HIDE, 0)):
        of = with_subscriber(world(shown), address, ("history", wish))
        data = left(of, forwarded(SIGNED, DIVERSION, to=TARGET))
        assert len(divs(data)) == count
        assert (b"Diversion:" in data) is bool(count)
        assert found_in(data, [OURS]) == (set() if not count else {OURS})


def test_a_caller_cannot_show_who_forwarded() -> None:
    """Nor by `Privacy: none`."""
    shown = {"name": "keep", "number": "keep"}
    of = with_subscriber(world(shown), b"+15550142@sip.example.net", ("history", Value.SHOW))
    for lines in ((SIGNED, DIVERSION), (SIGNED, DIVERSION, b"Privacy: none")):
        data = left(of, forwarded(*lines, to=TARGET, call_id=b"%d" % len(lines), branch=b"z9hG4bK%d" % len(lines)))
        assert divs(data) == []
        assert found_in(data, [OURS]) == set()


# --- time


def test_a_stale_date_is_not_ours_to_change() -> None:
    """Others have signed beside it; a fresh one stays."""
    of = world()
    old = b"Date: " + formatdate(WALL - 61, usegmt=True).encode()
    assert divs(left(of, forwarded(SIGNED, old))) == []
    assert of.count("signing", "div-stale") == 1
    fresh = formatdate(WALL - 30, usegmt=True).encode()
    data = left(world(), forwarded(SIGNED, b"Date: " + fresh))
    assert divs(data)[0]["iat"] == WALL
    assert read(data).values(b"date") == [fresh]


def test_a_certificate_that_does_not_hold() -> None:
    """The call goes on with what it came with."""
    of = world(signer=Signer(Credential(KEY, X5U, NUMBERS, ends=WALL - 1), ATTEST))
    data = left(of, forwarded(SIGNED))
    assert read(data).values(b"identity") == [SIGNED.partition(b" ")[2]]
    assert read(data).values(b"date") == []
    assert of.count("signing", "div-expired") == 1


def test_hundreds_are_not_looked_at() -> None:
    of = world()
    assert divs(left(of, forwarded(*[b"Identity: " + value(claims("15550143"))] * 8, SIGNED))) == []


def test_the_trunk_that_asks() -> None:
    """And no other."""
    assert divs(left(world(sign=False), forwarded(SIGNED))) == []
    assert CARRIER.address == TRUNK
