"""A trunk that is found by a real name server: services, failover to the second, a dead name server, `[[hosts]]`."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.name_server import NameServer
from tests.real.harness import PHONE, PROXY, Address, Lab, Sipveil, now, wait_for
from tests.real.sip import Message, wire

GATEWAYS = "127.0.0.21", "127.0.0.22"
NAME = "sip.carrier.example.net"


class Gateway(threading.Thread):
    """A trunk's gateway: answers each request with one status, or not at all."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__(daemon=True)
        self.status = status
        self.heard: list[Message] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.address: Address = self._socket.getsockname()
        self.start()

    def run(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65535)
            if data == b"stop":
                return
            request = Message(data)
            self.heard.append(request)
            if self.status and not request.start.startswith("ACK"):
                headers = [f"{name}: {value}" for name in ("via", "record-route", "from", "to", "call-id", "cseq")
                           for value in request.values(name)]  # fmt: skip
                headers = [each + ";tag=gw" if each.startswith("to:") else each for each in headers]
                self._socket.sendto(wire(f"SIP/2.0 {self.status} Whatever", [*headers, "Contact: <sip:gw@x>"]), peer)

    @property
    def calls(self) -> set[str]:
        """Return the branches of the INVITEs that were heard."""
        return {each.branch for each in self.heard if each.start.startswith("INVITE")}

    def close(self) -> None:
        self._socket.sendto(b"stop", self.address)
        self.join(2)
        self._socket.close()

    def shown(self) -> tuple[str, str]:
        return f"gateway {self.address}", repr(self.heard)


class Place:
    """A proxy, a name server, two gateways and a phone."""

    def __init__(self, lab: Lab, sipveil: Sipveil, first: int, second: int) -> None:
        self.sipveil = sipveil
        self.gateways = [
            lab.keep(Gateway(host, status)) for host, status in zip(GATEWAYS, (first, second), strict=True)
        ]
        self.dns = NameServer({
            (f"{NAME}.", "NAPTR"): (60, ['1 1 "s" "SIP+D2U" "" srv.example.net.']),
            ("srv.example.net.", "SRV"): (60, [
                f"{number} 0 {each.address[1]} gw{number}.example.net." for number, each in enumerate(self.gateways)
            ]),
            **{(f"gw{number}.example.net.", "A"): (60, [each.address[0]]) for number, each in enumerate(self.gateways)},
        })  # fmt: skip
        self.dns.start()
        self.config = lab.folder / "sipveil.toml"
        self.phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.phone.bind((PHONE, 0))
        self.phone.settimeout(8)
        self._calls = 0

    def configure(self, more: str = "") -> None:
        self.sipveil.configure((NAME, 0))
        text = self.config.read_text().replace(f'"{NAME}:0"', f'"{NAME}"')
        text = text.replace(f'networks = ["{NAME}/32"]', f"networks = {list(GATEWAYS)}")
        text += f'\n[dns]\nservers = ["127.0.0.1:{self.dns.port}"]\n[timers]\nt1 = 0.05\nt2 = 0.2\n{more}'
        self.config.write_text(text)

    def call(self) -> tuple[int, float]:
        """Place a call; return its final status and the seconds until then."""
        self._calls += 1
        host, port = self.phone.getsockname()
        began = now()
        self.phone.sendto(wire(f"INVITE sip:+15550100@{PROXY} SIP/2.0", [
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKl{self._calls};rport", "Max-Forwards: 70",
            "From: <sip:a@sip.example.net>;tag=1", f"To: <sip:+15550100@{PROXY}>", f"Call-ID: l{self._calls}",
            "CSeq: 1 INVITE", f"Contact: <sip:a@{host}:{port}>",
        ]), self.sipveil.address)  # fmt: skip
        while True:
            message = Message(self.phone.recv(65535))
            if message.status >= 200 and message.call_id == f"l{self._calls}":
                return message.status, now() - began

    def close(self) -> None:
        self.dns.close()
        self.phone.close()


@pytest.fixture
def place(request: pytest.FixtureRequest, lab: Lab, sipveil: Sipveil) -> Iterator[Place]:
    made = Place(lab, sipveil, *request.param)
    yield made
    made.close()


@pytest.mark.parametrize("place", [(503, 200)], indirect=True)
def test_the_second_srv_target_answers_for_the_first(place: Place) -> None:
    """503: the next one at once, in a branch of its own; four questions for all calls."""
    place.configure()
    place.sipveil.start()
    for _ in range(3):
        assert place.call()[0] == 200
    first, second = place.gateways
    assert len(first.calls) == len(second.calls) == 3
    assert not first.calls & second.calls
    assert [kind for _, kind in place.dns.asked] == ["NAPTR", "SRV", "A", "A"]
    assert place.sipveil.metrics()['sipveil_failovers_total{reason="503"}'] == 3


@pytest.mark.parametrize("place", [(0, 200)], indirect=True)
def test_only_the_first_call_waits_for_a_blackhole(place: Place) -> None:
    """Timer B (3.2 s here) once; the next calls pass it over."""
    place.configure()
    place.sipveil.start()
    status, took = place.call()
    assert (status, took > 3) == (200, True)
    for _ in range(3):
        status, took = place.call()
        assert (status, took < 1) == (200, True)
    assert len(place.gateways[0].calls) == 1


@pytest.mark.parametrize("place", [(200, 200)], indirect=True)
def test_a_slow_name_server_holds_up_nobody_else(place: Place) -> None:
    """The call that asks waits; what needs no name is answered meanwhile."""
    place.configure()
    place.dns.delay = 0.5
    place.sipveil.start()
    waiting = threading.Thread(target=lambda: results.append(place.call()))
    results: list[tuple[int, float]] = []
    waiting.start()
    wait_for("the first question", lambda: place.dns.asked or None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((PHONE, 0))
        other.settimeout(2)
        began = now()
        other.sendto(wire(f"OPTIONS sip:x@{PROXY} SIP/2.0", [
            f"Via: SIP/2.0/UDP {PHONE};branch=z9hG4bKo;rport", "Max-Forwards: 0", "From: <sip:b@sip.example.net>;tag=1",
            "To: <sip:x@x>", "Call-ID: o", "CSeq: 1 OPTIONS",
        ]), place.sipveil.address)  # fmt: skip
        assert Message(other.recv(65535)).status == 483
        assert now() - began < 0.4
    waiting.join(10)
    ((status, took),) = results
    assert (status, took > 1.5) == (200, True)


@pytest.mark.parametrize("place", [(200, 200)], indirect=True)
def test_a_reload_takes_up_other_name_servers(place: Place) -> None:
    """The configured ones were wrong: no restart is needed."""
    place.configure()
    right = f"127.0.0.1:{place.dns.port}"
    config = place.config
    config.write_text(config.read_text().replace(right, "127.0.0.1:9"))
    place.sipveil.start()
    assert place.call()[0] == 500
    config.write_text(config.read_text().replace("127.0.0.1:9", right))
    place.sipveil.runs[-1].signal(signal.SIGHUP)
    wait_for("the reload", lambda: ": generation 2, hash" in place.sipveil.runs[-1].output or None)
    wait_for("the failure to be forgotten", lambda: place.call()[0] == 200 or None)
    assert place.dns.asked


@pytest.mark.parametrize("place", [(200, 200)], indirect=True)
def test_without_a_name_server_calls_fail_until_hosts_are_listed(place: Place) -> None:
    """A stated outcome: 500, soon; and an operator's way out without a restart. Nobody is asked then."""
    place.configure()
    place.dns.failing = {"NAPTR", "SRV", "A"}
    place.sipveil.start()
    assert place.call()[0] == 500
    gateway = place.gateways[1].address
    place.configure(f'[[hosts]]\nname = "{NAME}"\naddresses = ["{gateway[0]}"]\n')
    config = place.config
    config.write_text(config.read_text().replace(f'hosts = ["{NAME}"]', f'hosts = ["{NAME}:{gateway[1]}"]'))
    asked = len(place.dns.asked)
    place.sipveil.runs[-1].signal(signal.SIGHUP)
    wait_for("the reload", lambda: ": generation 2, hash" in place.sipveil.runs[-1].output or None)
    assert place.call()[0] == 200
    assert len(place.dns.asked) == asked


@pytest.mark.parametrize("place", [(200, 200)], indirect=True)
def test_a_name_server_that_is_killed_leaves_the_last_addresses(place: Place) -> None:
    """Its answers have run out; the first call waits 1.8 s for it, the next not at all."""
    zone = {key: (1, lines) for key, (_, lines) in place.dns.zone.items()}
    place.dns.zone = zone
    place.configure()
    place.sipveil.start()
    assert place.call()[0] == 200
    port = place.dns.port
    place.dns.close()
    time.sleep(5.2)  # an answer is kept for five seconds at least
    status, took = place.call()
    assert (status, took < 2.5) == (200, True)
    for _ in range(3):
        status, took = place.call()
        assert (status, took < 1) == (200, True)
    place.dns = NameServer(zone, port)
    place.dns.start()
    wait_for("a question", lambda: (place.call()[0] == 200 and place.dns.asked) or None, 40)
