"""What a phone says to register and to be called, over a connection (RFC 3261 §10 and §22, RFC 5626)."""

from __future__ import annotations

import hashlib
import re

from scripts.load import wire
from scripts.load.accounts import name_of, number_of, password_of
from scripts.load.addresses import Address
from scripts.load.config import REALM

REGISTER = """\
REGISTER sip:{realm} SIP/2.0
Via: SIP/2.0/{transport} {own[0]}:{own[1]};branch=z9hG4bKr{cseq}x{phone};rport
Max-Forwards: 70
From: <sip:{number}@{realm}>;tag=r{phone}
To: <sip:{number}@{realm}>
Call-ID: register-{phone}-{own[1]}@{own[0]}
CSeq: {cseq} REGISTER
Contact: <sip:{number}@{own[0]}:{own[1]};transport={lower}>;+sip.instance="<urn:uuid:{instance}>";reg-id=1
Supported: outbound, path
Expires: 3600
{proof}Content-Length: 0

"""
_NONCE = re.compile(rb'^(?i:www-authenticate): *Digest .*?nonce="([^"]*)".*?algorithm=SHA-256\b', re.MULTILINE)


def register(phone: int, transport: str, own: Address, nonce: str = "") -> bytes:
    """Return a REGISTER; with a nonce it is the second one, with credentials."""
    text = REGISTER.format(
        realm=REALM, number=number_of(phone), phone=phone, own=own, transport=transport, lower=transport.lower(),
        cseq=2 if nonce else 1, proof=_proof(phone, nonce) if nonce else "",
        instance=f"00000000-0000-4000-8000-{phone:012}",
    )  # fmt: skip
    return text.replace("\n", "\r\n").encode()


def _proof(phone: int, nonce: str) -> str:
    ha1 = _hash(f"{name_of(phone)}:{REALM}:{password_of(phone)}")
    response = _hash(f"{ha1}:{nonce}:00000001:{phone:08x}:auth:{_hash(f'REGISTER:sip:{REALM}')}")
    return (
        f'Authorization: Digest username="{name_of(phone)}", realm="{REALM}", nonce="{nonce}", uri="sip:{REALM}", '
        f'response="{response}", algorithm=SHA-256, cnonce="{phone:08x}", qop=auth, nc=00000001\n'
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def nonce_of(challenge: bytes) -> str:
    """Return the nonce of a 401 for SHA-256; empty where there is none."""
    found = _NONCE.search(challenge)
    return found[1].decode() if found else ""


def answer(request: bytes, phone: int, transport: str, own: Address) -> bytes:
    """Return what a phone says to a request, nothing to an ACK."""
    if request.startswith(b"ACK "):
        return b""
    contact = f"Contact: <sip:{number_of(phone)}@{own[0]}:{own[1]};transport={transport.lower()}>".encode()
    return wire.reply(request, b"200 OK", b"p%d" % phone, contact)
