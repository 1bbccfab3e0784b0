"""What a phone says to register."""

from __future__ import annotations

import hashlib
import re

from proxy.digest import is_right, read
from scripts.load import wire
from scripts.load.accounts import name_of, password_of
from scripts.load.config import REALM
from scripts.load.registering import answer, nonce_of, register

OWN = ("127.12.0.1", 40000)
CHALLENGE = b"\r\n".join((
    b"SIP/2.0 401 Unauthorized", b'WWW-Authenticate: Digest realm="r", nonce="N1", algorithm=SHA-256, qop="auth"',
    b'WWW-Authenticate: Digest realm="r", nonce="N2", algorithm=MD5, qop="auth"', b"", b"",
))  # fmt: skip


def test_register() -> None:
    first, second = register(7, "TCP", OWN), register(7, "TCP", OWN, nonce_of(CHALLENGE))
    assert (wire.value(first, b"cseq"), wire.value(second, b"cseq")) == (b"1 REGISTER", b"2 REGISTER")
    assert wire.value(first, b"call-id") == wire.value(second, b"call-id")
    assert b"reg-id=1" in wire.value(first, b"contact")
    assert not wire.value(first, b"authorization")


def test_the_proof_is_right() -> None:
    """As the proxy's own code sees it."""
    value = wire.value(register(7, "TCP", OWN, nonce_of(CHALLENGE)), b"authorization")
    found = read(value, REALM.encode())
    assert found is not None
    assert (found.nonce, found.username) == (b"N1", name_of(7).encode())
    ha1 = hashlib.sha256(f"{name_of(7)}:{REALM}:{password_of(7)}".encode()).digest()
    assert is_right(found, ha1, b"REGISTER")


def test_no_challenge() -> None:
    assert nonce_of(re.sub(rb"SHA-256", b"SHA-512", CHALLENGE)) == ""


def test_answers() -> None:
    invite = b"INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n"
    assert wire.status(answer(invite, 7, "TCP", OWN)) == 200
    assert answer(invite.replace(b"INVITE", b"ACK"), 7, "TCP", OWN) == b""
