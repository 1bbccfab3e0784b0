"""A recording session between real sockets, over mutual TLS: who reads what, who is refused, and the call beside it."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import NamedTuple

import pytest

from tests.agents import Packet, read
from tests.filters.recording import PARTIAL
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Address, Lab, Sipveil, free_port
from tests.real.stream_desk import StreamDesk
from tests.recorders import Recorder, certificate, key, openssl, run_openssl
from tests.recording_sessions import CANARIES, MIXED, multipart, offer, tells_nothing
from tests.tls import TlsAuthority

SECTIONS = """
[[listeners]]
name = "secure"
address = "{0}"
port = {1}
transport = "tls"
certificates = ["own.pem"]
keys = ["own.key"]
ca = "Test-authority.pem"
client_ca = "Test-authority.pem"

[[recorders]]
name = "srs"
hosts = ["{2}:{3}"]
listener = "secure"
tls_name = "srs.example.net"
certificate = "srs.pem"

[[recording_clients]]
name = "pbx"
networks = ["{4}/32"]
listener = "secure"
tls_names = ["pbx.example.net"]

[privacy.default]
recording = "keep"
"""
SDP = (b"Content-Type: application/sdp",)


class Tap:
    """A relay on the way to the recorder, which keeps every octet that crosses it, as it is on the wire."""

    def __init__(self, end: Address) -> None:
        self._door = socket.create_server((TRUNK, 0))
        self.address: Address = self._door.getsockname()
        self.tape = b""
        self._end = end
        self._open: list[socket.socket] = [self._door]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection(self._end)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                self.tape += data
                other.sendall(data)

    def close(self) -> None:
        """Close all; safe to call twice."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def shown(self) -> tuple[str, str]:
        """Return what explains a failure."""
        return "tape of the tap", f"{len(self.tape)} octets"


class Studio(NamedTuple):
    """All who take part."""

    sipveil: Sipveil
    authority: TlsAuthority
    client: StreamDesk
    recorder: StreamDesk
    tap: Tap
    phone: Desk
    trunk: Desk
    keys: Recorder
    reached: Address


def context(authority: TlsAuthority, file: str, name: str, *, serves: bool) -> ssl.SSLContext:
    """Return the TLS of an end that shows a certificate and asks for one."""
    purpose = ssl.Purpose.CLIENT_AUTH if serves else ssl.Purpose.SERVER_AUTH
    made = ssl.create_default_context(purpose, cafile=str(authority.file))
    made.load_cert_chain(*authority.issue(file, dns=[name]))
    made.verify_mode = ssl.CERT_REQUIRED
    return made


@pytest.fixture
def studio(lab: Lab, sipveil: Sipveil) -> Studio:
    """A running Sipveil with a recorder behind a tap, and a recording client that is connected."""
    state = lab.folder / "state"
    state.mkdir(mode=0o700)
    authority = TlsAuthority(state)
    authority.issue("own", dns=["sip.example.net"])
    made = key("p256")
    keys = Recorder(made, certificate(made.public_key(), wall=authority.wall))
    keys.write(state, "srs")
    srs = StreamDesk("recorder", TRUNK, b"srs", context=context(authority, "srs-tls", "srs.example.net", serves=True))
    recorder, tap = lab.keep(srs), lab.keep(Tap(srs.address))
    phone, trunk = (lab.keep(Desk(who, at, sipveil.address, who.encode())) for who, at in
                    (("alice", PHONE), ("gateway", TRUNK)))  # fmt: skip
    reached = sipveil.address[0], free_port(sipveil.address[0])
    sipveil.sections = SECTIONS.format(*reached, *tap.address, PHONE)
    sipveil.configure(trunk.address)
    text = sipveil.config.read_text().replace(f'networks = ["{TRUNK}/32"]', "")
    sipveil.config.write_text(text)
    sipveil.start()
    tls = context(authority, "pbx", "pbx.example.net", serves=False)
    client = lab.keep(StreamDesk("client", PHONE, b"src", proxy=reached, context=tls, asks_for="sip.example.net"))
    return Studio(sipveil, authority, client, recorder, tap, phone, trunk, keys, reached)


def record(desk: Desk, studio: Studio, number: int = 1, body: bytes = b"") -> Packet:
    """Send the INVITE of a recording session."""
    contact = b"Contact: <sip:src@%b>;+sip.src" % desk.agent.host
    packet = desk.agent.invite(
        uri=b"sip:recorder@%b:%d" % (studio.reached[0].encode(), studio.reached[1]), call_id=b"rs%d@pbx" % number,
        branch=b"z9hG4bKrs%d" % number, headers=(b"Require: siprec", contact, *MIXED), contact=False,
        body=body or multipart(),
    )  # fmt: skip
    desk.send(packet)
    return packet


def call(studio: Studio) -> tuple[Packet, bytes]:
    """Set up an ordinary call; return its INVITE and its answer."""
    phone, trunk = studio.phone, studio.trunk
    invite = phone.agent.invite(uri=b"sip:+15550100@" + studio.sipveil.address[0].encode(), call_id=b"call@phone")
    phone.send(invite)
    trunk.send(trunk.agent.answer(trunk.take(b"INVITE"), 200))
    answer = phone.take(200)
    phone.send(phone.agent.within(b"ACK", answer, own=invite, cseq=1))
    trunk.take(b"ACK")
    return invite, answer


def end(studio: Studio, invite: Packet, answer: bytes) -> None:
    """End the ordinary call as it would end anyway."""
    studio.phone.send(studio.phone.agent.within(b"BYE", answer, own=invite, cseq=2))
    studio.trunk.send(studio.trunk.agent.answer(studio.trunk.take(b"BYE"), 200))
    studio.phone.take(200)


def metadata_of(lab: Lab, message: bytes) -> bytes:
    """Return the part that was encrypted, as OpenSSL opens it with the recorder's key."""
    _, _, part = message.partition(b"Content-Type: application/pkcs7-mime")
    sealed = part.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    arguments = ("cms", "-decrypt", "-inform", "DER", "-binary", "-recip", "state/srs.pem", "-inkey", "state/srs.key")
    return run_openssl(lab.folder, sealed, *arguments)


@openssl
def test_a_recording_session_and_who_can_read_it(lab: Lab, studio: Studio) -> None:
    """Begun, held, asked by the recorder, ended: RFC 8068 §3.2.1 and §3.2.2 beside the call that is recorded."""
    client, recorder, sipveil = studio.client, studio.recorder, studio.sipveil
    ordinary, answered = call(studio)
    invite = record(client, studio)
    got = recorder.take(b"INVITE")
    assert tells_nothing(got), "not even who ends TLS for the recorder reads it"
    inner = metadata_of(lab, got)
    assert b"<label>96</label>" in inner
    assert not any(canary in inner for canary in CANARIES), "participants have said that they are private"
    contact = b"<sip:srs@%b>;+sip.srs" % recorder.agent.host
    headers = (b"Require: siprec", *SDP)
    answer = recorder.agent.answer(got, 200, contact=contact, headers=headers, body=offer(b"recvonly"))
    recorder.send(answer)
    up = client.take(200)
    client.send(client.agent.within(b"ACK", up, own=invite, cseq=1))
    recorder.take(b"ACK")
    body = multipart(offer(b"inactive"), PARTIAL)
    client.send(client.agent.within(b"INVITE", up, own=invite, cseq=2, headers=MIXED, body=body))
    held = recorder.take(b"INVITE")
    assert b"a=inactive" in held
    assert b"partial" in metadata_of(lab, held)
    recorder.send(recorder.agent.answer(held, 200, contact=contact))
    client.take(200)
    client.send(client.agent.within(b"ACK", up, own=invite, cseq=2, branch=b"z9hG4bKack2"))
    recorder.take(b"ACK")
    recorder.send(recorder.agent.within(b"BYE", got, own=answer, cseq=1))
    client.send(client.agent.answer(client.take(b"BYE"), 200))
    recorder.take(200)
    end(studio, ordinary, answered)
    assert studio.tap.tape
    assert all(tells_nothing(data) for data in (studio.tap.tape, *recorder.received))
    numbers = sipveil.metrics()
    assert numbers['sipveil_recording_sessions_total{result="answered"}'] == 1
    sipveil.stop()


def test_what_is_refused_leaves_the_call_alone(lab: Lab, studio: Studio) -> None:
    """UDP, the certificate of somebody else, media in the clear, unreadable metadata, a recorder that is gone."""
    ordinary, answered = call(studio)
    record(studio.phone, studio, 2)
    refused = studio.phone.take(403)
    assert b'Warning: 399 sipveil "Only configured clients may record"' in refused
    tls = context(studio.authority, "other", "other.example.net", serves=False)
    other = StreamDesk("other", PHONE, b"src", proxy=studio.reached, context=tls, asks_for="sip.example.net")
    record(lab.keep(other), studio, 3)
    other.take(403)
    client = studio.client
    for number, body, status in (
        (4, multipart(offer().replace(b"RTP/SAVP", b"RTP/AVP")), 488),
        (5, multipart(metadata=b"<recording"), 403),
    ):
        client.send(client.agent.ack_failure(record(client, studio, number, body), client.take(status)))
    assert not studio.recorder.received
    studio.recorder.close()
    studio.tap.close()
    client.send(client.agent.ack_failure(record(client, studio, 6), client.take(500)))
    end(studio, ordinary, answered)
    assert tells_nothing(studio.tap.tape)
    assert {read(data).call_id for data in studio.trunk.received} == {read(studio.trunk.received[0]).call_id}
    reasons = ("client", "media", "metadata")
    numbers = studio.sipveil.metrics()
    assert [numbers[f'sipveil_recording_refused_total{{reason="{each}"}}'] for each in reasons] == [2, 1, 1]
    studio.sipveil.stop()


def test_a_recorder_with_another_certificate_gets_nothing(lab: Lab, studio: Studio) -> None:
    """Whoever sits at its address."""
    studio.recorder.close()
    tls = context(studio.authority, "thief", "thief.example.net", serves=True)
    thief = StreamDesk("thief", TRUNK, b"srs", context=tls)
    lab.keep(thief)
    studio.tap._end = thief.address
    record(studio.client, studio, 7)
    while thief.hear(0.5):
        pass
    studio.client.take(500)
    assert not thief.received
    studio.sipveil.stop()
