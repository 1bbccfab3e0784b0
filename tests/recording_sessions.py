"""A recording client, recorders and a world with them, all over mutual TLS; for core tests."""

from __future__ import annotations

import gzip
from typing import Any

from config.recorder_keys import RecorderKeys
from config.subscriber import EVERYWHERE, Setting, Value, profile
from config.subscribers import Mark, Subscribers
from filters.smime import Entity, open_parts
from proxy.flow import Flow
from tests.agents import Agent, Packet, read
from tests.filters.recording import RFC
from tests.ladder import Ladder, Sent
from tests.recorders import WALL, recorder
from tests.world import SETTINGS, World, build, settings

LOCAL = ("192.0.2.1", 5061)
PBX_TLS = ("203.0.113.5", 40001)
SRS_ADDRESS = ("198.51.100.20", 5061)
SPARE_ADDRESS = ("198.51.100.21", 5061)
SRC = Agent(PBX_TLS, b"src", transport=b"TLS", host=b"203.0.113.5:5061;transport=tls")
SRS = Agent(SRS_ADDRESS, b"srs", transport=b"TLS", host=b"198.51.100.20:5061;transport=tls")
SPARE = Agent(SPARE_ADDRESS, b"srs", transport=b"TLS", host=b"198.51.100.21:5061;transport=tls")
FROM_SRC = Flow("TLS", LOCAL, PBX_TLS, 7, ("pbx.example.net",))
RECORDER: dict[str, Any] = {
    "name": "srs", "hosts": ["198.51.100.20:5061"], "listener": "tls", "tls_name": "srs.example.net",
    "certificate": "srs.pem",
}  # fmt: skip
STANDBY: dict[str, Any] = {**RECORDER, "name": "spare", "hosts": ["198.51.100.21:5061"], "priority": 2}
CLIENT: dict[str, Any] = {
    "name": "pbx", "networks": ["203.0.113.5"], "listener": "tls", "tls_names": ["pbx.example.net"],
}  # fmt: skip
LISTENERS = [
    *SETTINGS["listeners"],
    {"name": "tls", "address": LOCAL[0], "port": LOCAL[1], "transport": "tls", "client_ca": "ca.pem"},
]
SDP = (
    b"v=0\r\no=src 2890844526 %d IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
    b"m=audio 12240 RTP/SAVP 0\r\na=label:96\r\na=%b\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
    b"m=audio 12242 RTP/SAVP 0\r\na=label:97\r\na=%b\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
)
MEDIA_KEY = b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
"""What `offer` and `multipart` encrypt media with (RFC 4568)."""
CANARIES = (b"Alice Canary", b"Bob Canary", b"15550123", b"192.0.2.44", b"ab30317f1a784dc48ff824d0d3715d86")
SIPREC = (b"Require: siprec", b"Contact: <sip:src@203.0.113.5:5061;transport=tls>;+sip.src")
MIXED = (b"Content-Type: multipart/mixed;boundary=foobar",)
SRS_CONTACT = b"<sip:srs@198.51.100.20:5061;transport=tls>;+sip.srs"
URI = b"sip:recorder@192.0.2.1:5061;transport=tls"


def offer(direction: bytes = b"sendonly", version: int = 2890844526) -> bytes:
    """Return the session description of a recording session."""
    return SDP % (version, direction, direction)


def multipart(sdp: bytes = b"", metadata: bytes = RFC, kind: bytes = b"application/rs-metadata+xml") -> bytes:
    """Return a body of both (RFC 7866 §9.1)."""
    return (
        b"--foobar\r\nContent-Type: application/sdp\r\n\r\n" + (sdp or offer())
        + b"\r\n--foobar\r\nContent-Type: " + kind
        + b"\r\nContent-Disposition: recording-session\r\nContent-ID: <m1@203.0.113.5>\r\n\r\n" + metadata
        + b"\r\n--foobar--\r\n"
    )  # fmt: skip


def record(body: bytes = b"", **changes: Any) -> Packet:
    """Return the INVITE that begins a recording session."""
    headers = (*SIPREC, b"Content-Type: multipart/mixed;boundary=foobar")
    return SRC.request(
        uri=changes.pop("uri", URI), headers=changes.pop("headers", headers), body=body or multipart(), contact=False,
        **changes,
    )  # fmt: skip


def recording_world(*, said: dict[bytes, str] | None = None, word: str = "recording", **changes: Any) -> World:
    """Return a world with a recorder and a client; `said` is what subscribers say of a word, by their address."""
    sections: dict[str, Any] = {
        "listeners": LISTENERS, "recorders": [RECORDER], "recording_clients": [CLIENT],
        "privacy": {"default": {"recording": "keep"}}, **changes,
    }  # fmt: skip
    there = World(settings(**sections))
    subscribers = Subscribers(60)
    wants = {who: profile([Setting(EVERYWHERE, word, Value(what))]) for who, what in (said or {}).items()}
    subscribers.replace(wants, Mark(1, 1), there.now)
    keys = {
        each.name: RecorderKeys(None, (recorder("p256").decryption,))
        if each.role == "recorder-edge"
        else RecorderKeys(recorder("p256").checked)
        for each in there.settings.recorders
    }
    there.privacy = build(there.settings, subscribers, recorder_keys=keys)
    there.flows[PBX_TLS] = FROM_SRC
    for address in (SRS_ADDRESS, SPARE_ADDRESS):
        there.flows[address] = Flow("TLS", LOCAL, address, 0, ("srs.example.net",))
    there.new_core()
    return there


def begun(ladder: Ladder | None = None) -> tuple[Ladder, Packet, Packet]:
    """Return a recording session that is up: the ladder, the client's INVITE and the recorder's answer."""
    invite = record()
    ladder = (ladder or Ladder(recording_world())) >> invite << Sent(SRC, 100) << Sent(SRS, b"INVITE")
    answer = SRS.answer(
        ladder[b"INVITE"], 200, contact=SRS_CONTACT, headers=(b"Require: siprec", b"Content-Type: application/sdp"),
        body=offer(b"recvonly"),
    )  # fmt: skip
    ladder = ladder >> answer << Sent(SRC, 200)
    ladder >> SRC.within(b"ACK", ladder[200], own=invite, cseq=1) << Sent(SRS, b"ACK")
    return ladder, invite, answer


def opened(data: bytes) -> bytes:
    """Return a message's body as its recorder has it, once it has opened what is encrypted to it."""
    message = read(data)
    entity = Entity(message.value(b"content-type") or b"", b"", message.body)
    return open_parts(entity, (recorder("p256").opener,), WALL).entity.body


def tells_nothing(data: bytes) -> bool:
    """Tell whether a message, as it is on the wire, holds neither a canary nor metadata that can be read."""
    return not any(canary in data for canary in CANARIES) and b"ns:recording" not in data


def zipped(data: bytes) -> bytes:
    """Return data compressed, the same at any time: pytest names tests by their bytes."""
    return gzip.compress(data, mtime=0)
