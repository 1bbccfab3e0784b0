"""Trunks that ask for a password, and what they do with the answers: for tests of the core."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from proxy.digest_client import Account
from tests.agents import Agent, Packet, read
from tests.world import SETTINGS, World, settings

USER = b"sipveil-at-carrier"
PASSWORD = b"canary-pa55word"
REALM = b"carrier.example"
CREDENTIALS = {"user": USER.decode(), "password_file": "carrier.password"}
ACCOUNTS = {"carrier": Account(USER, PASSWORD)}


def world(carrier: dict[str, Any] | None = None, **changes: Any) -> World:
    """A world whose carrier has a password; `carrier` changes its section further."""
    first = {**SETTINGS["trunks"][0], "credentials": CREDENTIALS, **(carrier or {})}
    return World(settings(trunks=[first, *SETTINGS["trunks"][1:]], **changes), passwords=ACCOUNTS)


def challenge(nonce: bytes = b"n1", *more: bytes, realm: bytes = REALM, asks: bytes = b"Proxy-Authenticate") -> bytes:
    """Return a challenge as a header line; more are further parameters."""
    return b"%b: Digest " % asks + b", ".join([b'realm="%b"' % realm, b'nonce="%b"' % nonce, b'qop="auth"', *more])


def ask(agent: Agent, request: bytes, nonce: bytes = b"n1", *more: bytes, status: int = 407, **how: Any) -> Packet:
    """Return the response by which an agent asks for a password."""
    asks = b"Proxy-Authenticate" if status == 407 else b"WWW-Authenticate"
    return agent.answer(request, status, headers=(challenge(nonce, *more, asks=asks, **how),))


def told(request: bytes, name: bytes = b"proxy-authorization") -> dict[bytes, bytes]:
    """Return what the credentials of a request say, quotes taken off; {} where there are none."""
    values = read(request).values(name)
    assert len(values) < 2
    return {
        key: (quoted or plain)
        for value in values
        for key, quoted, plain in re.findall(rb'([a-z]+)=(?:"([^"]*)"|([^\s,"]+))', value)
    }


def is_right(request: bytes, name: bytes = b"proxy-authorization", password: bytes = PASSWORD) -> bool:
    """Tell whether credentials are right, as a server would find out (RFC 7616 §3.4.1), here with MD5."""
    said, sent = told(request, name), read(request)

    def md5(*parts: bytes) -> bytes:
        return hashlib.md5(b":".join(parts), usedforsecurity=False).hexdigest().encode()

    wanted = md5(
        md5(said[b"username"], said[b"realm"], password), said[b"nonce"], said[b"nc"], said[b"cnonce"], said[b"qop"],
        md5(sent.method, said[b"uri"]),
    )  # fmt: skip
    return said[b"response"] == wanted and said[b"uri"] == sent.uri
