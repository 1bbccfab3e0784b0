"""Phones in a browser: SIP.js in Chromium registers over WebSockets, calls, and is called, with real ICE and DTLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real import leaks
from tests.real.browser import Browser, WebPhone
from tests.real.harness import PHONE, Address, Lab, free_port
from tests.real.house import ALICE, BOB, CAROL, DOMAIN, House, Person
from tests.real.sipp import arguments

OFFER = """\
v=0
o=ottilie 4711 1 IN IP4 192.168.178.23
s=-
t=0 0
a=group:BUNDLE 0
m=audio 40000 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 127.0.0.11
a=mid:0
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=ice-ufrag:oQ4z
a=ice-pwd:Zk3uV0cZq7yH9tYb1mWx2dRs
a=fingerprint:sha-256 F8:76:AE:18:91:F5:86:11:6F:80:3B:C5:D8:C9:AD:F9:AB:3E:94:57:06:9A:2B:6B:33:11:A2:1E:91:8B:DB:21
a=setup:actpass
a=candidate:1 1 UDP 2130706431 127.0.0.11 40000 typ host
a=rtcp-mux
a=sendrecv
"""
"""What a UDP phone offers that a browser takes; nobody sends media there."""

Register = Callable[..., WebPhone]


@pytest.fixture(scope="module")
def browser(house: House) -> Iterator[Browser]:
    """Return a Chromium that takes the house's certificate and no other."""
    made = Browser(house.lab, house.key())
    yield made
    made.quit()


@pytest.fixture
def register(house: House, browser: Browser) -> Iterator[Register]:
    """Return what opens a phone and registers it; at the end all sign off."""
    phones: list[WebPhone] = []

    def made(person: Person, transport: str, *, password: str = "", expected: str = "accepted") -> WebPhone:
        host, port = house.places[transport]
        scheme = "ws" if transport == "ws" else "wss"
        phone = WebPhone(browser, f"{person.user}-{len(browser.events)}")
        phones.append(phone)
        phone.do(
            "start", server=f"{scheme}://{host}:{port}", user=person.number, domain=DOMAIN, account=person.user,
            password=password or person.password,
        )  # fmt: skip
        phone.event(expected)
        return phone

    house.expect_bindings(0)
    yield made
    for phone in phones:
        phone.close()
    house.expect_bindings(0)


def talk(caller: WebPhone, callee: WebPhone, called: Person) -> None:
    """Let one call the other, until each hears the other's beeps through DTLS."""
    caller.do("dial", uri=f"sip:{called.number}@{DOMAIN}")
    callee.event("ringing")
    callee.do("accept")
    for phone in (caller, callee):
        phone.event("Established")
    for phone in (caller, callee):
        assert phone.event("heard")["dtls"] == "connected"


@pytest.mark.parametrize(("first", "second"), [("ws", "ws"), ("wss", "wss"), ("wss", "ws")], ids=["ws", "wss", "both"])
def test_browsers_call_each_other(register: Register, first: str, second: str) -> None:
    """Both directions; the caller ends the one call, the callee the other."""
    alice, bob = register(ALICE, first), register(BOB, second)
    talk(alice, bob, BOB)
    alice.do("hangup")
    bob.event("Terminated")
    talk(bob, alice, ALICE)
    alice.do("hangup")
    bob.event("Terminated")


def test_a_browser_gives_up(register: Register) -> None:
    """CANCEL reaches the browser where it rings, and 487 the one that gave up."""
    alice, bob = register(ALICE, "wss"), register(BOB, "wss")
    alice.do("dial", uri=f"sip:{BOB.number}@{DOMAIN}")
    bob.event("ringing")
    alice.do("cancel")
    bob.event("Terminated")
    assert alice.event("rejected")["status"] == 487


def test_a_browser_registers_again_and_signs_off(house: House, register: Register) -> None:
    """One binding however often; none afterwards."""
    alice = register(ALICE, "wss")
    alice.do("register")
    alice.event("accepted")
    assert house.bindings() == 1
    alice.do("unregister")
    alice.event("Unregistered")
    house.expect_bindings(0)


def test_a_wrong_password_is_refused(house: House, register: Register) -> None:
    """The page is told 401 once it has tried."""
    mallory = register(CAROL, "ws", password="guessed", expected="refused")
    assert house.bindings() == 0
    assert any("Authorization: Digest" in text for text in mallory.wires)


def test_a_browser_goes_away_from_a_certificate_that_it_does_not_believe(house: House, register: Register) -> None:
    """What makes the other tests over wss mean something."""
    alice = register(ALICE, "stranger", expected="failed")
    assert not any("REGISTER" in text for text in alice.wires)
    assert house.bindings() == 0


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_a_phone_that_cannot_do_what_browsers_want(lab: Lab, house: House, register: Register, transport: str) -> None:
    """baresip without DTLS refuses what a browser offers, and the page is told so."""
    alice, bob = register(ALICE, "wss"), house.phone(lab, BOB, transport)
    house.expect_bindings(2)
    alice.do("dial", uri=f"sip:{BOB.number}@{DOMAIN}")
    assert alice.event("rejected")["status"] == 488
    bob.command("quit")


def dialling(scenario: str, local: Address, house: House) -> list[str | Path]:
    """Return SIPp's arguments for a call with OFFER, whichever end it plays."""
    offer = OFFER.strip().replace("\n", "\r\n")
    argv = arguments(scenario, local, house.trunk, calls=1, talk=200)
    return [offer if str(each).startswith("v=0") else each for each in argv]


def test_a_phone_on_udp_calls_a_browser(lab: Lab, house: House, register: Register) -> None:
    """SIPp as a phone with an account: what is said is between both, so signalling is all that is tried."""
    bob = register(BOB, "wss")
    host, port = house.sipveil.address
    dialled = dialling("caller_proves", (PHONE, free_port(PHONE)), house)
    proof = ["-au", ALICE.user, "-ap", ALICE.password, "-auth_uri", f"{BOB.number}@{DOMAIN}"]
    caller = lab.start("caller", [*dialled, *proof, "-s", BOB.number, f"{host}:{port}"])
    bob.event("ringing")
    bob.do("accept")
    bob.event("Established")
    bob.event("Terminated")
    assert caller.wait(10) == 0


def test_the_trunk_calls_a_browser(lab: Lab, house: House, register: Register) -> None:
    """The browser answers; neither learns anything of the other."""
    bob = register(BOB, "ws")
    host, port = house.sipveil.address
    dialled = dialling("trunk_dials", house.trunk, house)
    dialled += ["-trace_msg", "-message_file", "messages"]
    carrier = lab.start("trunk", [*dialled, "-cid_str", "%u-%p@10.20.30.40", "-s", BOB.number, f"{host}:{port}"])
    bob.event("ringing")
    bob.do("accept")
    bob.event("Terminated")
    assert carrier.wait(10) == 0
    assert leaks.found([text.encode() for text in bob.wires], leaks.TRUNK) == []
    heard = (lab.folder / "messages").read_bytes()
    assert b"SIP/2.0 200 OK" in heard
    assert leaks.found([heard], {"software": b"SIP.js", "host": b".invalid", "network": b"network-id"}) == []
