"""Verified calls: what the core is told, and what forgers get."""

from __future__ import annotations

import base64
from email.utils import formatdate
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from config.settings import Limits
from config.trust_store import Signatory
from config.validity import Validity
from filters.verifier import MAX_TRIED, Result, Verifier
from tests.agents import CARRIER, PBX, SDP, Agent, Packet, read
from tests.filters.test_chain import div_value
from tests.filters.test_passport import BROKEN
from tests.ladder import Ladder, Sent
from tests.passports import HEADER, KEY, WALL, X5U, b64, claims, compact_form, signature, token, value
from tests.world import PHONE, SETTINGS, TRUNK, World, settings

SECONDS = 100_000
VERIFIER = Verifier({X5U: Signatory(KEY.public_key(), Validity(WALL - SECONDS, WALL + SECONDS))})
GATEWAY = Agent(TRUNK, b"+15550142")
SDP_LINE = b"Content-Type: application/sdp"
MKY = [{"alg": "sha-256", "dig": "4A" * 32}]
KEYED = SDP + b"a=fingerprint:sha-256 " + b":".join([b"4a"] * 32) + b"\r\n"


def verdict(*headers: bytes, wall: int = WALL, caller: Agent = GATEWAY, **changes: Any) -> tuple[str, str]:
    request = read(caller.invite(headers=(*headers, SDP_LINE), **changes).data)
    return VERIFIER.verify(request, wall)


def test_a_signature_that_holds() -> None:
    """With the attestation, which says how much the signer knows of the caller."""
    assert verdict(b"Identity: " + value()) == (Result.PASSED, "A")
    assert verdict(b"y: " + value(claims(attest="C"))) == (Result.PASSED, "C")
    keyed = value(claims(mky=MKY))
    assert verdict(b"Identity: " + keyed, body=KEYED) == (Result.PASSED, "A")
    assert verdict(b"Identity: " + value(), body=KEYED) == (Result.PASSED, "A"), "SHAKEN does without media keys"


def test_nobody_signed() -> None:
    """Or nobody whom we know: that says nothing against the caller."""
    unknown = HEADER | {"x5u": "https://elsewhere.example/p.pem"}
    assert verdict() == (Result.NONE, "")
    assert verdict(b"Identity: " + value(header=unknown)) == (Result.NONE, "")
    assert verdict(b"Identity: " + compact_form()) == (Result.NONE, "")
    div = value(claims(div={"tn": "15550100"}), HEADER | {"ppt": "div"}, b";info=<%b>;ppt=div" % X5U.encode())
    assert verdict(b"Identity: " + div) == (Result.NONE, "")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9464/metrics", "file:///etc/passwd", "https://10.0.0.1/", "cid:1", ""]
)
def test_nothing_is_fetched(url: str) -> None:
    """Wherever an attacker points."""
    header = value(header=HEADER | {"x5u": url}, params=b";info=<%b>" % (url.encode() or b"x:y"))
    assert verdict(b"Identity: " + header) == (Result.NONE, "")


FORGED = value(header=HEADER).replace(b";info=<https://cert", b";info=<https://tarc")


@pytest.mark.parametrize(
    "header",
    [
        value(claims("15550143")),
        value(claims(dest="15550199")),
        value(claims(iat=WALL - 61)),
        value(claims(iat=WALL + 61)),
        value(claims(attest="D")),
        value(claims(attest=None)),
        value(claims(mky=MKY)),
        FORGED,
        value()[:100] + b"A" + value()[101:],
    ],
)
def test_what_does_not_hold(header: bytes) -> None:
    """Another number, another time, other keys, another certificate outside than inside, other bytes."""
    assert verdict(b"Identity: " + header) == (Result.FAILED, "")


def test_another_signer() -> None:
    """The right URL and the wrong key; and a signature that is no number on the curve."""
    signed, _, rest = value().partition(b";")[0].rpartition(b".")[0], b"", b";info=<%b>" % X5U.encode()
    other = ec.generate_private_key(ec.SECP256R1())
    theirs = Verifier({X5U: Signatory(other.public_key(), Validity(0, WALL * 2))})
    request = read(GATEWAY.invite(headers=(b"Identity: " + value(), SDP_LINE)).data)
    assert theirs.verify(request, WALL) == (Result.FAILED, "")
    for raw in (bytes(64), b"\xff" * 64):
        forged = signed + b"." + base64.urlsafe_b64encode(raw).rstrip(b"=") + rest
        assert verdict(b"Identity: " + forged) == (Result.FAILED, "")


@pytest.mark.parametrize("wall", [WALL - SECONDS - 1, WALL + SECONDS + 1])
def test_a_certificate_that_does_not_hold_today(wall: int) -> None:
    assert verdict(b"Identity: " + value(claims(iat=wall)), wall=wall) == (Result.FAILED, "")


def test_date() -> None:
    """RFC 8224 §6.2 step 4: it may be off by a minute."""
    for off, result in ((0, Result.PASSED), (60, Result.PASSED), (61, Result.FAILED), (-61, Result.FAILED)):
        date = b"Date: " + formatdate(WALL + off, usegmt=True).encode()
        assert verdict(date, b"Identity: " + value())[0] is result
    assert verdict(b"Date: now", b"Identity: " + value())[0] is Result.FAILED


def test_the_asserted_number_counts_before_from() -> None:
    """All of it: two numbers of which one is signed are one too many."""
    signed = b"Identity: " + value()
    anonymous = Agent(TRUNK, b"anonymous")
    assert verdict(b"P-Asserted-Identity: <sip:+15550142@h>, <tel:+15550142>", signed, caller=anonymous)[1] == "A"
    assert verdict(signed, caller=anonymous) == (Result.FAILED, "")
    for asserted in (b"<tel:+15550143>", b"<tel:+15550142>, <tel:+15550143>", b"junk <", b""):
        assert verdict(b"P-Asserted-Identity: " + asserted, signed) == (Result.FAILED, "")


def test_several() -> None:
    """One that holds is enough; a bad one outweighs an unknown one; and nobody makes us look at hundreds."""
    bad, unknown = value(claims("15550143")), value(header=HEADER | {"x5u": "https://elsewhere.example/"})
    lines = [b"Identity: " + each for each in (bad, unknown, value())]
    assert verdict(*lines) == (Result.PASSED, "A")
    assert verdict(*lines[:2]) == (Result.FAILED, "")
    assert verdict(*[lines[0]] * MAX_TRIED, lines[2]) == (Result.FAILED, "")


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_passport(name: str) -> None:
    """Attackers' PASSporTs: no exception, no pass."""
    if len(BROKEN[name]) < Limits().line:
        assert verdict(b"Identity: " + BROKEN[name])[0] is not Result.PASSED


def test_alg_none_is_not_believed() -> None:
    """Even where the rest is right."""
    header = token(claims(), HEADER | {"alg": "none"}).rpartition(b".")[0] + b".;info=<%b>" % X5U.encode()
    assert verdict(b"Identity: " + header) == (Result.FAILED, "")


# --- calls that were diverted: To and Request-URI are those of DIVERTED, what was signed first was for another

TO = "15550177"
FIRST = value(claims(dest="1001"))
ELSEWHERE = HEADER | {"ppt": "div", "x5u": "https://elsewhere.example/p.pem"}


def diverted(*identities: bytes, caller: Agent = GATEWAY) -> Result:
    lines = [b"Identity: " + each for each in identities]
    return Result(verdict(*lines, caller=caller, uri=b"sip:+%b@192.0.2.1" % TO.encode())[0])


def test_a_chain_leads_to_whom_is_called() -> None:
    """RFC 8946 §4.2: over one or several, in any order, and with the attestation of the first."""
    assert diverted(FIRST) is Result.FAILED
    assert diverted(FIRST, div_value("1001", TO)) is Result.PASSED
    chain = [FIRST, div_value("1001", "1002"), div_value("1002", "1003"), div_value("1003", TO)]
    assert diverted(*chain) is Result.PASSED
    assert diverted(*chain[::-1]) is Result.PASSED
    lines = [b"Identity: " + each for each in (value(claims(dest="1001", attest="B")), div_value("1001", TO))]
    assert verdict(*lines, uri=b"sip:+%b@192.0.2.1" % TO.encode()) == (Result.PASSED, "B")


def test_the_request_uri_counts_where_to_is_of_before() -> None:
    """A proxy that retargets leaves To (RFC 3261 §16.6), so either may be whom a PASSporT is for."""
    packet = GATEWAY.invite(uri=b"sip:+%b@192.0.2.1" % TO.encode(), headers=(b"Identity: " + FIRST, SDP_LINE))
    old = packet.data.replace(b"To: <sip:+%b@" % TO.encode(), b"To: <sip:+1009@")
    assert VERIFIER.verify(read(old), WALL) == (Result.FAILED, "")
    line = b"\r\nIdentity: " + div_value("1001", TO) + b"\r\nContent-Type"
    assert VERIFIER.verify(read(old.replace(b"\r\nContent-Type", line)), WALL) == (Result.PASSED, "A")
    straight = old.replace(FIRST, value(claims(dest=TO)))
    assert VERIFIER.verify(read(straight), WALL) == (Result.PASSED, "A")


def _altered(header: bytes) -> bytes:
    return header[:140] + bytes([header[140] ^ 1]) + header[141:]


BROKEN_LINKS = {
    "of another call": div_value("1001", TO, orig="15550143"),
    "of another number": div_value("1002", TO),
    "to another number": div_value("1001", "15550999"),
    "old": div_value("1001", TO, iat=WALL - 61),
    "of tomorrow": div_value("1001", TO, iat=WALL + 61),
    "other media": div_value("1001", TO, mky=MKY),
    "altered": _altered(div_value("1001", TO)),
    "another place for its certificate": div_value("1001", TO).replace(b";info=<https://cert", b";info=<https://tarc"),
    "no div": value(claims(dest=TO, div={"tn": "1001"}), HEADER | {"ppt": "rph"}).replace(b"ppt=shaken", b"ppt=rph"),
    "not saying what it is": value(claims(dest=TO, div={"tn": "1001"}), HEADER | {"ppt": "div"}),
}


@pytest.mark.parametrize("name", BROKEN_LINKS)
def test_a_broken_link(name: str) -> None:
    """Whatever else stands beside it."""
    assert diverted(FIRST, BROKEN_LINKS[name]) is Result.FAILED
    assert diverted(FIRST, BROKEN_LINKS[name], div_value("1001", "1005")) is Result.FAILED


def test_a_link_by_another_key() -> None:
    """Forged under the name of a carrier that we know."""
    signed = div_value("1001", TO)
    other = ec.generate_private_key(ec.SECP256R1())
    body, _, _ = signed.partition(b";")[0].rpartition(b".")
    forged = body + b"." + b64(signature(body, other)) + b";" + signed.partition(b";")[2]
    assert diverted(FIRST, forged) is Result.FAILED


def test_a_link_by_whom_we_do_not_know() -> None:
    """That says nothing against the caller, and nothing for him."""
    payload = claims(dest=TO, div={"tn": "1001"}, attest=None, origid=None)
    unknown = value(payload, ELSEWHERE, b";info=<https://elsewhere.example/p.pem>;alg=ES256;ppt=div")
    assert diverted(FIRST, unknown) is Result.NONE
    assert diverted(FIRST, unknown, div_value("1001", TO)) is Result.PASSED


def test_where_it_was_diverted_away() -> None:
    """§4.2: only the outermost says who is called: what was captured there is not played back before."""
    assert diverted(FIRST, div_value("1001", TO), div_value(TO, "1003")) is Result.FAILED


def test_a_first_one_that_does_not_hold() -> None:
    """No chain makes a forged caller right."""
    link = div_value("1001", TO)
    for first in (value(claims(dest="1001", iat=WALL - 61)), value(claims(dest="1001", attest="D"))):
        assert diverted(first, link) is Result.FAILED
    assert diverted(FIRST, link, caller=Agent(TRUNK, b"+15550143")) is Result.FAILED
    assert diverted(link) is Result.NONE, "a div alone says nothing of the caller"
    assert diverted(FIRST, link, div_value("1001", "1001")) is Result.PASSED


# --- through the core


def world(**trunk: Any) -> World:
    first, *others = SETTINGS["trunks"]
    return World(settings(trunks=[{**first, **trunk}, *others], verification={}), verifier=VERIFIER)


def result(of: World, packet: Packet, to: Agent = PBX) -> list[bytes]:
    sender = Agent(packet.source, b"x")
    ladder = Ladder(of) >> packet << Sent(sender, 100) << Sent(to, b"INVITE")
    assert ladder
    return read(ladder[b"INVITE"]).values(b"p-sipveil-verstat")


CLAIMED = b"P-Sipveil-Verstat: TN-Validation-Passed;attest=A"


@pytest.mark.parametrize("trusted", [True, False])
def test_the_core_is_told(trusted: bool) -> None:
    """By us alone, whoever else says so."""
    of = world(trusted=trusted)
    headers = (CLAIMED, b"Identity: " + value(claims(attest="B")), SDP_LINE)
    assert result(of, GATEWAY.invite(headers=headers)) == [b"TN-Validation-Passed;attest=B"]
    headers = (CLAIMED, b"Identity: " + value(claims("15550143")), SDP_LINE)
    assert result(of, GATEWAY.invite(headers=headers, branch=b"z9hG4bK2")) == [b"TN-Validation-Failed"]
    assert result(of, GATEWAY.invite(headers=(CLAIMED, SDP_LINE), branch=b"z9hG4bK3")) == [b"No-TN-Validation"]
    assert [of.count("verification", each.value) for each in Result] == [1, 1, 1]


def test_only_of_calls_from_trunks() -> None:
    """A phone's call has none, nor has what the core says of one any way out."""
    phone = Agent(PHONE, b"+15550142")
    of = world()
    assert result(of, phone.invite(uri=b"sip:800@192.0.2.1", headers=(CLAIMED, SDP_LINE))) == []
    pbx = Agent(PBX.address, b"+15550142")
    assert result(of, pbx.invite(uri=b"sip:+15550100@192.0.2.1", headers=(CLAIMED, SDP_LINE)), CARRIER) == []
    assert (
        result(of, pbx.invite(branch=b"z9hG4bK2", uri=b"sip:a@10.1.1.23:5062", headers=(CLAIMED, SDP_LINE)), phone)
        == []
    )
    trusted = world(trusted=True, privacy={"number": "keep"})
    assert result(trusted, pbx.invite(uri=b"sip:+15550100@192.0.2.1", headers=(CLAIMED, SDP_LINE)), CARRIER) == []


def test_without_trust_store_nothing_is_said() -> None:
    assert result(World(), GATEWAY.invite(headers=(CLAIMED, b"Identity: " + value(), SDP_LINE))) == []
