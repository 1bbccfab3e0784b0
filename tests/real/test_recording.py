"""A recording session between real sockets, over mutual TLS: who reads what, who is refused, and the call beside it."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import shutil
import signal
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from proxy.matching import owner
from tests.agents import Packet, read
from tests.filters.recording import PARTIAL, RFC, SNAPSHOT
from tests.real.desk import Desk
from tests.real.harness import PHONE, PROXY, TRUNK, Address, Lab, Sipveil, free_port, wait_for
from tests.real.stream_desk import StreamDesk
from tests.real.test_workers import workers
from tests.recorders import Recorder, certificate, key, openssl, run_openssl
from tests.recording_sessions import CANARIES, MEDIA_KEY, MIXED, multipart, offer, tells_nothing
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
SPARE = """
[[recorders]]
name = "spare"
hosts = ["{0}:{1}"]
listener = "secure"
tls_name = "srs.example.net"
certificate = "srs.pem"
priority = 2
"""
LIFE = 3
"""Seconds that a certificate holds which ends during a test, and the second in which it ends."""
SDP = (b"Content-Type: application/sdp",)
METADATA = (b"Content-Type: application/rs-metadata+xml", b"Content-Disposition: recording-session")
OTHER = RFC.replace(b"15550123", b"15550199").replace(b"Alice Canary", b"Carol Canary")
"""The metadata after a transfer: somebody else is there in the place of Alice."""


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


def context(authority: TlsAuthority, file: str, name: str, *, serves: bool, days: float = 90) -> ssl.SSLContext:
    """Return the TLS of an end that shows a certificate, which ends in some days, and asks for one."""
    purpose = ssl.Purpose.CLIENT_AUTH if serves else ssl.Purpose.SERVER_AUTH
    made = ssl.create_default_context(purpose, cafile=str(authority.file))
    made.load_cert_chain(*authority.issue(file, dns=[name], start=-2, days=days))
    made.verify_mode = ssl.CERT_REQUIRED
    return made


@pytest.fixture
def studio(lab: Lab, sipveil: Sipveil) -> Studio:
    """A running Sipveil with a recorder behind a tap, and a recording client that is connected."""
    return opened(lab, sipveil)


@pytest.fixture
def shared(lab: Lab, sipveil: Sipveil) -> Studio:
    """The same with two workers."""
    sipveil.workers = 2
    return opened(lab, sipveil)


def opened(lab: Lab, sipveil: Sipveil) -> Studio:
    """Return all who take part, with Sipveil running."""
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
    client = connected(lab, authority, reached, "client")
    return Studio(sipveil, authority, client, recorder, tap, phone, trunk, keys, reached)


def connected(lab: Lab, authority: TlsAuthority, reached: Address, name: str) -> StreamDesk:
    """Return a recording client with a connection to Sipveil."""
    tls = context(authority, "pbx", "pbx.example.net", serves=False)
    return lab.keep(StreamDesk(name, PHONE, b"src", proxy=reached, context=tls, asks_for="sip.example.net"))


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
    assert MEDIA_KEY in b"".join(recorder.received), "the recorder has what media are encrypted with"
    assert MEDIA_KEY.decode() not in sipveil.runs[-1].output + sipveil.runs[-1].errors, "and no log has it"


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


def waiting(lab: Lab, studio: Studio, name: str, **what: float) -> StreamDesk:
    """Return another recorder that waits for whoever connects, with a certificate of the same name."""
    tls = context(studio.authority, f"{name}-tls", "srs.example.net", serves=True, **what)
    return lab.keep(StreamDesk(name, TRUNK, b"srs", context=tls))


def reload(sipveil: Sipveil, generation: int = 2, further: str = "") -> None:
    """Let Sipveil read its files again, with further sections."""
    sipveil.config.write_text(sipveil.config.read_text() + further)
    sipveil.runs[-1].signal(signal.SIGHUP)
    wait_for("the reload", lambda: f": generation {generation}, hash" in sipveil.runs[-1].output or None)


def begin(studio: Studio, recorder: StreamDesk, invite: Packet) -> tuple[bytes, Packet, bytes]:
    """Let a recorder take a session; return the INVITE that it got, its answer, and what the client got of that."""
    client = studio.client
    got = recorder.take(b"INVITE")
    contact = b"<sip:srs@%b>;+sip.srs" % recorder.agent.host
    answer = recorder.agent.answer(got, 200, contact=contact, headers=SDP, body=offer(b"recvonly"))
    recorder.send(answer)
    up = client.take(200)
    client.send(client.agent.within(b"ACK", up, own=invite, cseq=1))
    recorder.take(b"ACK")
    return got, answer, up


def change(studio: Studio, invite: Packet, up: bytes, cseq: int, body: bytes) -> bytes:
    """Let the client offer anew within a session; return what the recorder got."""
    client, recorder = studio.client, studio.recorder
    client.send(client.agent.within(b"INVITE", up, own=invite, cseq=cseq, headers=MIXED, body=body))
    got = recorder.take(b"INVITE")
    contact = b"<sip:srs@%b>;+sip.srs" % recorder.agent.host
    recorder.send(recorder.agent.answer(got, 200, contact=contact, headers=SDP, body=offer(b"recvonly")))
    client.take(200)
    client.send(client.agent.within(b"ACK", up, own=invite, cseq=cseq, branch=b"z9hG4bKack%d" % cseq))
    recorder.take(b"ACK")
    return got


def leave(studio: Studio, recorder: StreamDesk, invite: Packet, up: bytes, cseq: int) -> None:
    """Let the client end a session."""
    client = studio.client
    client.send(client.agent.within(b"BYE", up, own=invite, cseq=cseq))
    recorder.send(recorder.agent.answer(recorder.take(b"BYE"), 200))
    client.take(200)


def clock() -> float:
    """Return Unix seconds."""
    return datetime.now(UTC).timestamp()


def names_of(metadata: bytes) -> list[bytes]:
    """Return what stands for the addresses of those who take part."""
    return [line.split(b'"')[1] for line in metadata.split(b"<") if line.startswith(b"nameID")]


@openssl
def test_a_persistent_session_pauses_is_handed_over_and_stops_in_order(lab: Lab, studio: Studio) -> None:
    """RFC 8068 §3.4, then §3.2.2 and §3.2.3: up before any call, and whoever takes part later is told then."""
    client, recorder = studio.client, studio.recorder
    contact = b"Contact: <sip:src@%b>;+sip.src" % client.agent.host
    uri = b"sip:recorder@%b:%d" % (studio.reached[0].encode(), studio.reached[1])
    headers = (b"Require: siprec", contact, *SDP)
    invite = client.agent.invite(uri=uri, call_id=b"rs9@pbx", headers=headers, contact=False, body=offer(b"inactive"))
    client.send(invite)
    got, answer, up = begin(studio, recorder, invite)
    assert b"a=inactive" in got
    ordinary, answered = call(studio)
    started = change(studio, invite, up, 2, multipart())
    alice, bob = names_of(metadata_of(lab, started))
    paused = change(studio, invite, up, 3, multipart(offer(b"inactive", 2), PARTIAL))
    assert b"a=inactive" in paused
    resumed = change(studio, invite, up, 4, multipart(offer(version=3)))
    assert names_of(metadata_of(lab, resumed)) == [alice, bob]
    handed = change(studio, invite, up, 5, multipart(offer(version=4), OTHER))
    carol, still = names_of(metadata_of(lab, handed))
    assert still == bob
    assert carol not in (alice, bob)
    client.send(client.agent.within(b"UPDATE", up, own=invite, cseq=6, headers=METADATA, body=PARTIAL))
    updated = recorder.take(b"UPDATE")
    assert b"<datamode>partial</datamode>" in metadata_alone(lab, updated)
    recorder.send(recorder.agent.answer(updated, 200))
    client.take(200)
    recorder.send(recorder.agent.within(b"UPDATE", got, own=answer, cseq=1, headers=METADATA, body=SNAPSHOT))
    asked = client.take(b"UPDATE")
    assert b"requestsnapshot" in asked
    client.send(client.agent.answer(asked, 200))
    recorder.take(200)
    leave(studio, recorder, invite, up, 7)
    end(studio, ordinary, answered)
    order = [read(data).cseq for data in recorder.received if read(data).method not in (b"", b"ACK")]
    assert order == sorted(order)
    assert len(order) == 7
    assert all(tells_nothing(data) for data in (studio.tap.tape, *recorder.received))
    studio.sipveil.stop()


def metadata_alone(lab: Lab, message: bytes) -> bytes:
    """Return metadata that are all of a body, as OpenSSL opens them."""
    arguments = ("cms", "-decrypt", "-inform", "DER", "-binary", "-recip", "state/srs.pem", "-inkey", "state/srs.key")
    return run_openssl(lab.folder, read(message).body, *arguments)


def test_a_plain_recorder_behind_another_sipveil_sees_valid_xml(lab: Lab, studio: Studio) -> None:
    """What the first encrypts the second opens; on the way between them nobody reads anything."""
    folder = lab.folder / "edge"
    folder.mkdir()
    (folder / "state").mkdir(mode=0o700)
    studio.authority.issue("edge", dns=["srs.example.net"])
    for each in (*(lab.folder / "state").glob("*.pem"), *(lab.folder / "state").glob("*.key")):
        shutil.copy(each, folder / "state" / each.name)
    place = Lab(folder)
    edge = Sipveil(place)
    reached = PROXY, free_port(PROXY)
    sections = SECTIONS.format(*reached, *studio.recorder.address, PROXY)
    for before, after in (
        ('"own.', '"edge.'),
        ("pbx.example.net", "sip.example.net"),
        ('certificate = "srs.pem"', 'certificate = "srs.pem"\nkey = "srs.key"\nrole = "recorder-edge"'),
    ):
        sections = sections.replace(before, after)
    edge.sections = sections
    edge.configure(studio.trunk.address)
    text = edge.config.read_text().replace(f'networks = ["{TRUNK}/32"]', "")
    edge.config.write_text(text.replace(f'networks = ["{PHONE}/32"]', f'networks = ["{PROXY}/32"]'))
    try:
        edge.start()
        studio.tap._end = reached
        invite = record(studio.client, studio)
        got, _, up = begin(studio, studio.recorder, invite)
        body = read(got).body
        xml = body[body.index(b"<recording") : body.rindex(b"</recording>") + len(b"</recording>")]
        root = ElementTree.fromstring(xml)
        assert [each.text for each in root.iter("{urn:ietf:params:xml:ns:recording:1}label")] == ["96", "97"]
        assert not any(canary in got for canary in CANARIES)
        assert b"pkcs7" not in got
        leave(studio, studio.recorder, invite, up, 2)
        assert studio.tap.tape
        assert tells_nothing(studio.tap.tape)
        edge.stop()
    finally:
        place.close()
    studio.sipveil.stop()


def test_another_recorder_of_the_group_takes_what_the_first_does_not(lab: Lab, studio: Studio) -> None:
    """Silent, then gone, then both gone: the call that is recorded knows nothing of it."""
    spare = waiting(lab, studio, "spare")
    reload(studio.sipveil, further=SPARE.format(*spare.address))
    ordinary, answered = call(studio)
    invite = record(studio.client, studio, 20)
    studio.recorder.take(b"INVITE")
    spare.hear(10)
    _, _, up = begin(studio, spare, invite)
    leave(studio, spare, invite, up, 2)
    studio.recorder.close()
    studio.tap.close()
    invite = record(studio.client, studio, 21)
    _, _, up = begin(studio, spare, invite)
    leave(studio, spare, invite, up, 2)
    spare.close()
    client = studio.client
    client.send(client.agent.ack_failure(record(client, studio, 22), client.take(500, 12)))
    end(studio, ordinary, answered)
    assert tells_nothing(studio.tap.tape)
    studio.sipveil.stop()


def test_what_has_ended_is_neither_encrypted_to_nor_connected_to(lab: Lab, studio: Studio) -> None:
    """The certificate that metadata are encrypted to, after a reload; and that of the recorder's TLS."""
    client, state = studio.client, lab.folder / "state"
    ordinary, answered = call(studio)
    late = waiting(lab, studio, "late", days=-1)
    studio.tap._end = late.address
    invite = record(client, studio, 30)
    while late.hear(0.5):
        pass
    client.send(client.agent.ack_failure(invite, client.take(500)))
    assert not late.received
    studio.tap._end = studio.recorder.address
    key_, wall = studio.keys.key, int(clock())
    ends = certificate(key_.public_key(), wall=wall, days=LIFE / 86_400)
    Recorder(key_, ends).write(state, "srs")
    reload(studio.sipveil)
    invite = record(client, studio, 31)
    _, _, up = begin(studio, studio.recorder, invite)
    leave(studio, studio.recorder, invite, up, 2)
    studio.recorder.received.clear()
    wait_for("the certificate's end", lambda: clock() > wall + LIFE + 1 or None)
    client.send(client.agent.ack_failure(record(client, studio, 32), client.take(500)))
    assert not studio.recorder.received
    end(studio, ordinary, answered)
    assert studio.sipveil.metrics()['sipveil_recording_refused_total{reason="expired"}'] == 1
    studio.sipveil.stop()


@openssl
def test_a_recorder_that_a_reload_takes_out_hears_the_end_of_its_sessions(lab: Lab, studio: Studio) -> None:
    """What is up goes on with it, encrypted to it, after a restart too; what begins goes to the one in its place."""
    sipveil, client = studio.sipveil, studio.client
    spare = waiting(lab, studio, "spare")
    sessions = []
    for number in (40, 41):
        invite = record(client, studio, number)
        sessions.append((invite, begin(studio, studio.recorder, invite)[2]))
    text = sipveil.config.read_text()
    was = f'name = "srs"\nhosts = ["{studio.tap.address[0]}:{studio.tap.address[1]}"]'
    assert was in text
    sipveil.config.write_text(text.replace(was, f'name = "spare"\nhosts = ["{spare.address[0]}:{spare.address[1]}"]'))
    reload(sipveil)
    (invite, up), (other, up_too) = sessions
    assert b"partial" in metadata_of(lab, change(studio, invite, up, 2, multipart(offer(b"inactive", 2), PARTIAL)))
    leave(studio, studio.recorder, invite, up, 3)
    begun = record(client, studio, 42)
    _, _, new = begin(studio, spare, begun)
    leave(studio, spare, begun, new, 2)
    sipveil.stop()
    sipveil.start()
    again = connected(lab, studio.authority, studio.reached, "client again")
    again.send(client.agent.within(b"BYE", up_too, own=other, cseq=2))
    studio.recorder.send(studio.recorder.agent.answer(studio.recorder.take(b"BYE"), 200))
    again.take(200)
    assert tells_nothing(studio.tap.tape)
    sipveil.stop()


def pin(certificate_file: Path) -> str:
    """Return the pin of a certificate, as docs/recording.md has it made."""
    public = x509.load_pem_x509_certificate(certificate_file.read_bytes()).public_key()
    data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_a_recorder_without_its_pin_gets_nothing_and_loses_its_connection(lab: Lab, studio: Studio) -> None:
    """Its name and its authority are right. A reload takes effect at once, also on a connection that is up."""
    client, sipveil, state = studio.client, studio.sipveil, lab.folder / "state"
    invite = record(client, studio, 50)
    _, _, up = begin(studio, studio.recorder, invite)
    leave(studio, studio.recorder, invite, up, 2)
    name = 'tls_name = "srs.example.net"\n'
    before = sipveil.config.read_text()
    own, other = pin(state / "srs-tls.pem"), pin(state / "own.pem")
    sipveil.config.write_text(before.replace(name, f'{name}pins = ["{other}"]\n'))
    reload(sipveil)
    studio.recorder.received.clear()
    invite = record(client, studio, 51)
    while studio.recorder.hear(0.5):
        pass
    client.send(client.agent.ack_failure(invite, client.take(500)))
    assert not studio.recorder.received
    assert sipveil.metrics()['sipveil_connections_closed_total{reason="identity"}'] == 2
    sipveil.config.write_text(before.replace(name, f'{name}pins = ["{other}", "{own}"]\n'))
    reload(sipveil, 3)
    invite = record(client, studio, 52)
    _, _, up = begin(studio, studio.recorder, invite)
    leave(studio, studio.recorder, invite, up, 2)
    assert tells_nothing(studio.tap.tape)
    sipveil.stop()


def numbers_of(worker: int, count: int, start: int) -> list[int]:
    """Return numbers of sessions whose requests of the client are one worker's of two."""
    mine = (each for each in itertools.count(start) if owner(b"\r\nCall-ID: rs%d@pbx\r\n" % each, 2) == worker)
    return list(itertools.islice(mine, count))


@openssl
def test_sessions_of_two_workers_pass_in_order_and_outlive_both(lab: Lab, shared: Studio) -> None:
    """Whoever has the client's connection, each session is one worker's: pause, update and stop arrive as they left.

    Then both are killed while sessions are up: the client connects anew, and the recorder hears their end.
    """
    sipveil, client, recorder = shared.sipveil, shared.client, shared.recorder
    ordinary, answered = call(shared)
    for number in (*numbers_of(0, 2, 100), *numbers_of(1, 2, 100)):
        invite = record(client, shared, number)
        got, answer, up = begin(shared, recorder, invite)
        assert tells_nothing(got)
        assert b"<label>96</label>" in metadata_of(lab, got)
        asked = recorder.agent.within(
            b"UPDATE", got, own=answer, cseq=1, headers=METADATA, body=SNAPSHOT, branch=b"z9hG4bKs%d" % number
        )
        recorder.send(asked)
        client.send(client.agent.answer(client.take(b"UPDATE"), 200))
        recorder.take(200)
        for method, cseq in ((b"UPDATE", 2), (b"UPDATE", 3), (b"BYE", 4)):
            headers, body = (METADATA, PARTIAL) if method == b"UPDATE" else ((), b"")
            branch = b"z9hG4bK%d-%d" % (number, cseq)
            client.send(
                client.agent.within(method, up, own=invite, cseq=cseq, headers=headers, body=body, branch=branch)
            )
        for method in (b"UPDATE", b"UPDATE", b"BYE"):
            recorder.send(recorder.agent.answer(recorder.take(method), 200))
            client.take(200)
        call_id = read(got).call_id
        order = [read(data).cseq for data in recorder.received if read(data).method and read(data).call_id == call_id]
        assert order == [1, 1, 2, 3, 4], "INVITE, ACK, and what was sent without waiting for answers"
    up_still = []
    for number in (*numbers_of(0, 1, 200), *numbers_of(1, 1, 200)):
        invite = record(client, shared, number)
        up_still.append((invite, begin(shared, recorder, invite)[2]))
    wait_for("the numbers of both", lambda: sipveil.metrics().get(ANSWERED) == 6 or None)
    for victim in workers(sipveil):
        os.kill(victim, signal.SIGKILL)
    wait_for("other workers", lambda: len(alive(sipveil)) == 2 or None)
    again = connected(lab, shared.authority, shared.reached, "client again")
    for invite, up in up_still:
        again.send(
            client.agent.within(b"BYE", up, own=invite, cseq=2, branch=b"z9hG4bKend" + read(invite.data).call_id[:5])
        )
        recorder.send(recorder.agent.answer(recorder.take(b"BYE"), 200))
        again.take(200)
    end(shared, ordinary, answered)
    assert all(tells_nothing(data) for data in (shared.tap.tape, *recorder.received))
    sipveil.stop()


@openssl
@pytest.mark.parametrize("count", [1, 2], ids=["one-process", "two-workers"])
def test_who_withholds_the_number_is_private_in_recordings_after_kill_9(lab: Lab, sipveil: Sipveil, count: int) -> None:
    """Whichever worker has the call or the session; the client says nothing of what the caller asked for."""
    sipveil.workers = count
    shared = opened(lab, sipveil)
    phone, trunk = shared.phone, shared.trunk
    text = sipveil.config.read_text().replace(
        'recording = "keep"', 'recording = "keep"\nname = "keep"\nnumber = "keep"'
    )
    sipveil.config.write_text(text)
    metadata = multipart(metadata=RFC.replace(b"+15550123@example.net", b"alice@sip.example.net"))

    def told(number: int) -> bytes:
        """Return what a session's recorder is told of a call of Alice."""
        client = connected(lab, shared.authority, shared.reached, f"client {number}")
        record(client, shared, number, metadata)
        got = shared.recorder.take(b"INVITE")
        shared.recorder.send(shared.recorder.agent.answer(got, 486))
        client.take(486)
        return metadata_of(lab, got)

    sipveil.kill()
    sipveil.start()
    one, other, later, last = *numbers_of(0, 2, 100), *numbers_of(1, 2, 100)
    assert b"Alice Canary" in told(one)
    invite = phone.agent.invite(
        uri=b"sip:+15550100@" + sipveil.address[0].encode(), call_id=b"call@phone", headers=(b"Privacy: id", *SDP)
    )
    phone.send(invite)
    trunk.send(trunk.agent.answer(trunk.take(b"INVITE"), 200))
    answer = phone.take(200)
    phone.send(phone.agent.within(b"ACK", answer, own=invite, cseq=1))
    trunk.take(b"ACK")
    for number in (other, later):
        inner = told(number)
        assert b"Alice Canary" not in inner
        assert b"alice@" not in inner
        assert b"Bob Canary" in inner
    sipveil.kill()
    sipveil.start()
    assert b"Alice Canary" not in told(last)
    end(shared, invite, answer)
    kept = (lab.folder / "state" / "privacy-wishes").read_bytes()
    assert any(kept[320:])
    assert b"alice" not in kept
    sipveil.stop()


ANSWERED = 'sipveil_recording_sessions_total{result="answered"}'


def alive(sipveil: Sipveil) -> list[str]:
    """Return the series of workers that have begun anew and are up."""
    series = sipveil.metrics()
    up = [name for name, value in series.items() if "worker_up" in name and value == 1]
    return up if sum(value for name, value in series.items() if "worker_restarts" in name) == 2 else []
