"""What is still told, and whom."""

from __future__ import annotations

from typing import Any

from filters.catalogue import load_catalogue
from tap.disclosures import NO_RELAY, Disclosure, disclosures, whom
from tap.explain import Replay, Wish
from tests.agents import ALICE, CARRIER, SDP
from tests.test_no_leak import EXEMPT
from tests.world import WALL, keyring, settings

CATALOGUE = load_catalogue()
MORE_SDP = (
    b"a=candidate:1 1 UDP 2130706431 203.0.113.20 49170 typ srflx raddr 10.1.1.23 rport 49170\r\na=ice-ufrag:abcd\r\n"
    b"a=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=setup:actpass\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
    b"a=fingerprint:sha-256 " + b":".join([b"4A"] * 32) + b"\r\na=tls-id:91bbf309c0990a6bec11e38b\r\n"
    b"a=zrtp-hash:1.10 " + b"9e1b" * 16 + b"\r\n"
)


def told(*data: bytes, wish: Wish | None = None, **changes: object) -> list[Disclosure]:
    replay = Replay(settings(**changes), wish or Wish(), ring=keyring(), now=0.0, wall=WALL)
    steps = [replay.feed(one) for one in data]
    return disclosures(steps[-1].crossed[0], CATALOGUE, replay.network)


def fields(found: list[Disclosure]) -> set[str]:
    return {one.field for one in found}


def test_strict_default() -> None:
    """Nothing of the caller but what EXEMPT of tests/test_no_leak.py lists, and the fact of the call."""
    found = told(ALICE.invite(body=SDP.replace(b"c=IN IP4 10.1.1.23", b"c=IN IP4 203.0.113.20") + MORE_SDP).data)
    assert fields(found) == {
        "", "Request-URI", "To", "From", "CSeq", "c=", "m=", "a=rtpmap",
        "a=candidate", "a=ice-ufrag", "a=ice-pwd", "a=crypto", "a=fingerprint", "a=tls-id", "a=zrtp-hash",
    }  # fmt: skip
    assert len(EXEMPT) == 12, "what is exempt from the leak test is told here: keep both lists together"
    assert [one.value for one in found if one.field == "From"] == ["from1"]
    assert any("how long" in one.what for one in found)
    assert any(one.value == "192.0.2.1:5060" for one in found)


def test_media_goes_to_whoever() -> None:
    """No relay: the trunk passes the address on."""
    (media,) = [one for one in told(ALICE.invite().data) if one.field == "c="]
    assert media.value == "c=IN IP4 10.1.1.23"
    assert media.whom == f"trunk carrier (untrusted) and whoever it passes them to: {NO_RELAY}"


def test_what_a_contract_lets_through() -> None:
    """Name, number, software, addresses, body: each with its category."""
    open_trunk = {
        "name": "carrier", "hosts": ["198.51.100.7:5060"], "listener": "main", "trusted": True,
        "privacy": dict.fromkeys(("name", "number", "software", "network", "content", "unknown"), "keep"),
    }  # fmt: skip
    changes: Any = {"trunks": [open_trunk], "routes": [{"to": ["carrier"]}]}
    headers = (b"User-Agent: X", b"Content-Type: text/plain")
    # One with a private address in it is sealed all the same: it may tell a device, which this trunk is not shown.
    message = ALICE.request(b"MESSAGE", call_id=b"call-1@sip.example.net", headers=headers, body=b"hello").data
    found = told(message, **changes)
    assert {"User-Agent".lower(), "body", "Call-ID", "contact"} <= fields(found)
    assert {one.what for one in found if one.field == "From"} == {
        "who sends it", "the sender's name", "the tag that the sender chose for this dialog",
    }  # fmt: skip
    assert {one.category for one in found if one.field == "user-agent"} == {"software"}
    assert any("that there is a MESSAGE" in one.what for one in found)


def test_a_response_tells_nothing_that_its_receiver_wrote() -> None:
    """Echoed headers are the phone's own; the trunk's media address is told to the phone."""
    description = SDP.replace(b"10.1.1.23", b"198.51.100.9")
    kind = (b"Content-Type: application/sdp",)
    answer = CARRIER.answer(ALICE.invite().data, 200, headers=kind, body=description)
    found = told(ALICE.invite().data, answer.data)
    assert not {"From", "To", "Call-ID", "CSeq", "Request-URI", "contact"} & fields(found)
    assert [one.value for one in found if one.field == "c="] == ["c=IN IP4 198.51.100.9"]
    assert all("the phone" in one.whom for one in found)


def test_whom() -> None:
    """In words."""
    assert whom(None) == "this proxy itself"
