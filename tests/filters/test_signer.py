"""Signed calls: what is in the PASSporT, and when there is none."""

from __future__ import annotations

import json
import re
from email.utils import formatdate, parsedate_to_datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.vocabulary import Zone
from filters.credential import Credential
from filters.leaks import found_in
from filters.signer import Signer
from tests.agents import CARRIER, PBX, PSAP, SDP, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.passports import KEY, X5U, unb64, value
from tests.world import OTHER_PHONE, PHONE, SECOND_TRUNK, SETTINGS, WALL, World, settings

CALLER = Agent(PHONE, b"+15550142", b'"Penelope" ')
SECOND = Agent(SECOND_TRUNK, b"gateway")
NUMBER = b"15550142"
SHOWN = {"name": "keep", "number": "keep"}
SIGNER = Signer(Credential(KEY, X5U), {Zone.ACCESS: "B", Zone.CORE: "C", Zone.TRUNK: "C"})
DER = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
SDP_LINE = b"Content-Type: application/sdp"


def world(privacy: dict[str, str] | None = None, **trunk: Any) -> World:
    """A world whose first two trunks want signatures under this contract."""
    terms = {"sign": True, "privacy": SHOWN if privacy is None else privacy, **trunk}
    first, second, psap = SETTINGS["trunks"]
    trunks = [{**first, **terms}, {**second, **terms}, {**psap, "sign": True}]
    return World(settings(trunks=trunks, signing={"x5u": X5U}), signer=SIGNER)


def left(of: World, packet: Packet, to: Agent = CARRIER) -> bytes:
    sender = Agent(packet.source, b"x")
    ladder = Ladder(of) >> packet << Sent(sender, 100) << Sent(to, packet.data.partition(b" ")[0])
    assert ladder
    return ladder[packet.data.partition(b" ")[0]]


def passport(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of the only Identity."""
    (identity,) = read(data).values(b"identity")
    match = re.fullmatch(rb"([\w-]+)\.([\w-]+)\.([\w-]{86});info=<%b>;alg=ES256;ppt=shaken" % X5U.encode(), identity)
    assert match is not None
    return json.loads(unb64(match[1])), json.loads(unb64(match[2]))


def test_a_signed_call() -> None:
    """RFC 8588 §5 claim by claim, RFC 8225 §9 letter by letter."""
    data = left(world(), CALLER.invite())
    header, claims = passport(data)
    assert header == {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": X5U}
    assert claims.pop("origid") == str(UUID(passport(data)[1]["origid"], version=4))
    assert claims == {"attest": "B", "dest": {"tn": ["15550100"]}, "iat": WALL, "orig": {"tn": "15550142"}}
    assert read(data).values(b"date") == [formatdate(WALL, usegmt=True).encode()]
    payload = unb64(read(data).values(b"identity")[0].split(b".")[1])
    assert payload == json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":")).encode()


def test_the_same_call_is_signed_the_same() -> None:
    """RFC 6979, where the library has it."""
    one, other = (read(left(world(), CALLER.invite())).values(b"identity") for _ in range(2))
    assert one == other


# --- when


def test_a_hidden_number_is_not_signed() -> None:
    """From is anonymous, so there is nothing to sign and nothing that tells."""
    of = world({})
    data = left(of, CALLER.invite(headers=(b"P-Asserted-Identity: <tel:+15550142>", SDP_LINE)))
    assert read(data).values(b"identity") == []
    assert found_in(data, [NUMBER]) == set()
    assert of.count("signing", "no-number") == 1


def test_a_number_that_is_told_by_indicator_is_signed() -> None:
    """ATIS-1000074 §5.2.1: From is anonymous, and a trunk of the trust domain attests what P-Asserted-Identity says."""
    data = left(world({}, trusted=True), CALLER.invite())
    assert read(data).from_.uri == b"sip:anonymous@anonymous.invalid"
    assert read(data).values(b"privacy") == [b"id"]
    assert passport(data)[1]["orig"] == {"tn": "15550142"}


def test_what_a_phone_asserts_is_not_signed() -> None:
    """ATIS-1000074: the first of P-Asserted-Identity; of a phone that is Sipveil's own, not what it claims."""
    headers = (b"P-Asserted-Identity: <sip:+15550143@h;user=phone>, <tel:+1-555-0143>", SDP_LINE)
    data = left(world(trusted=True), CALLER.invite(headers=headers))
    assert passport(data)[1]["orig"] == {"tn": "15550142"}


def test_a_withheld_number_is_signed_for_whom_it_is_told() -> None:
    """Standards §8.5: From is anonymous, which nobody can sign; P-Asserted-Identity is ours, and holds it."""
    data = left(world({}, trusted=True), CALLER.invite())
    assert read(data).from_.uri == b"sip:anonymous@anonymous.invalid"
    assert read(data).values(b"privacy") == [b"id"]
    assert passport(data)[1]["orig"] == {"tn": "15550142"}


@pytest.mark.parametrize(("numbers", "attest"), [((), "A"), (("1555014",), "A"), (("1555013", "4930"), "B")])
def test_a_is_attested_of_the_operators_numbers_alone(numbers: tuple[str, ...], attest: str) -> None:
    """RFC 8588 §4: the right to use the number; the caller is known all the same."""
    of = world()
    signer = Signer(Credential(KEY, X5U, numbers), {Zone.ACCESS: "A", Zone.CORE: "C"})
    of = World(of.settings, signer=signer)
    assert passport(left(of, CALLER.invite()))[1]["attest"] == attest
    pbx = Agent(PBX.address, b"+15550142")
    assert passport(left(of, pbx.invite(branch=b"z9hG4bK2")))[1]["attest"] == "C", "no more than was configured"


@pytest.mark.parametrize(("begins", "ends"), [(0, WALL - 1), (WALL + 1, 2 * WALL)])
def test_a_certificate_that_does_not_hold_signs_nothing(begins: int, ends: int) -> None:
    """It expired while the proxy runs, or its clock has jumped: the call goes on, and is counted."""
    told: list[int] = []
    credential = Credential(KEY, X5U, begins=begins, ends=ends, tell=lambda: told.append(1))
    of = World(world().settings, signer=Signer(credential, {}))
    for number in range(3):
        data = left(of, CALLER.invite(branch=b"z9hG4bK%d" % number, call_id=b"c%d" % number))
        assert b"\r\nIdentity:" not in data
        assert b"\r\nDate:" not in data
    assert (of.count("signing", "expired"), of.count("signing", "signed"), len(told)) == (3, 0, 1)


def test_a_clock_that_is_set_right_signs_again() -> None:
    """From the next call on, without a restart."""
    of = World(world().settings, signer=Signer(Credential(KEY, X5U, begins=WALL - 60, ends=WALL + 60), {}))
    of.core.set_wall(of.now, 0)
    assert read(left(of, CALLER.invite())).values(b"identity") == []
    of.core.set_wall(of.now, WALL)
    data = left(of, CALLER.invite(branch=b"z9hG4bK2", call_id=b"2"))
    assert passport(data)[1]["iat"] == WALL


@pytest.mark.parametrize("user", [b"15550142", b"alice", b"+0555", b"0170555"])
def test_a_number_without_its_country_is_not_signed(user: bytes) -> None:
    of = world()
    assert read(left(of, Agent(PHONE, user).invite())).values(b"identity") == []
    assert of.count("signing", "no-number") == 1


def test_nor_one_that_calls_such() -> None:
    assert read(left(world(), CALLER.invite(uri=b"sip:5550100@192.0.2.1"))).values(b"identity") == []


def test_only_new_calls_are_signed() -> None:
    """And those only where the trunk asks."""
    ladder = Ladder(world()) >> CALLER.request(b"OPTIONS") << Sent(CARRIER, b"OPTIONS")
    assert read(ladder[b"OPTIONS"]).values(b"identity") == []
    assert read(left(world(sign=False), CALLER.invite())).values(b"identity") == []
    of = world()
    invite = CALLER.invite()
    ladder = Ladder(of) >> invite << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200) << Sent(CALLER, 200)
    ladder = (
        ladder >> CALLER.within(b"INVITE", ladder[200], own=invite) << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    )
    assert read(ladder[b"INVITE"]).values(b"identity") == []
    assert of.count("signing", "signed") == 1


def test_an_emergency_call_is_not_signed() -> None:
    """It leaves as it came."""
    data = left(world(), CALLER.invite(uri=b"urn:service:sos"), PSAP)
    assert b"Identity:" not in data
    assert b"Date:" not in data


def test_what_the_core_signed_stands() -> None:
    """And what a phone signed gives way to what we attest."""
    theirs = value()
    pbx = Agent(PBX.address, b"+15550142")
    data = left(world(), pbx.invite(headers=(b"Identity: " + theirs, SDP_LINE)))
    assert read(data).values(b"identity") == [theirs]
    data = left(world(), CALLER.invite(headers=(b"Identity: " + theirs, SDP_LINE)))
    assert passport(data)[1]["attest"] == "B"
    data = left(world(), pbx.invite())
    assert passport(data)[1]["attest"] == "C"


# --- Date


@pytest.mark.parametrize("off", [0, -59, 60])
def test_a_fresh_date_is_signed(off: int) -> None:
    date = formatdate(WALL + off, usegmt=True).encode()
    data = left(world(), CALLER.invite(headers=(b"Date: " + date, SDP_LINE)))
    assert read(data).values(b"date") == [date]
    assert passport(data)[1]["iat"] == WALL + off == parsedate_to_datetime(date.decode()).timestamp()


@pytest.mark.parametrize(
    "date",
    [formatdate(WALL - 61, usegmt=True).encode(), b"Sat, 99 Nov 2010 23:29:00 GMT", b"yesterday", b"\xff GMT", b""],
)
def test_any_other_is_replaced(date: bytes) -> None:
    data = left(world(), CALLER.invite(headers=(b"Date: " + date, b"date: " + date, SDP_LINE)))
    assert read(data).values(b"date") == [formatdate(WALL, usegmt=True).encode()]
    assert passport(data)[1]["iat"] == WALL


# --- retransmission, forks, calls


def test_a_call_has_one_origid() -> None:
    """A retransmission is absorbed, a fork says the same; another call shares nothing (RFC 8588 §10)."""
    of = world()
    invite = CALLER.invite(uri=b"sip:+15550100@192.0.2.1")
    data = left(of, invite)
    assert of.receive(*invite)[0][0] == PHONE
    routes = [{"source": "access", "to": ["carrier", "second"]}]
    both = World(of.settings.model_copy(update={"routes": settings(routes=routes).routes}), signer=SIGNER)
    ladder = Ladder(both) >> invite << Sent(CALLER, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    assert ladder << Sent(SECOND, b"INVITE")
    assert passport(ladder[b"INVITE"])[1] == passport(first)[1] == passport(data)[1]
    other = left(of, CALLER.invite(call_id=b"other", branch=b"z9hG4bKother", tag=b"other"))
    assert passport(other)[1]["origid"] != passport(data)[1]["origid"]
    phone = Agent(OTHER_PHONE, b"+15550142")
    assert b"10.1.1" not in unb64(read(left(world(), phone.invite())).values(b"identity")[0].split(b".")[1])


def test_media_keys_are_signed() -> None:
    """RFC 8224 §4.1: a MUST where the offer has fingerprints; in order, without colons, in upper case."""
    lines = b"".join(
        b"a=fingerprint:%b %b\r\n" % (kind, b":".join([b"4a"] * size))
        for kind, size in ((b"sha-256", 32), (b"sha-1", 20))
    )
    data = left(world(), CALLER.invite(headers=(SDP_LINE,), body=SDP + lines))
    assert passport(data)[1]["mky"] == [{"alg": "sha-1", "dig": "4A" * 20}, {"alg": "sha-256", "dig": "4A" * 32}]
