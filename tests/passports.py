"""PASSporTs for tests, made independently of the code under test: with json and base64, signed by `cryptography`."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

X5U = "https://cert.example.org/p.pem"
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
HEADER: dict[str, Any] = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": X5U}
WALL = 1_790_000_000


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unb64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def claims(orig: str = "15550142", dest: str = "15550100", **more: Any) -> dict[str, Any]:
    """The claims of a SHAKEN PASSporT; a None takes one out."""
    found = {
        "attest": "A", "dest": {"tn": [dest]}, "iat": WALL, "orig": {"tn": orig},
        "origid": "123e4567-e89b-42d3-a456-426655440000", **more,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def signature(signed: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(payload: bytes | dict[str, Any], header: bytes | dict[str, Any] = HEADER) -> bytes:
    """header.payload.signature"""
    parts = [each if isinstance(each, bytes) else compact(each) for each in (header, payload)]
    signed = b".".join(map(b64, parts))
    return signed + b"." + b64(signature(signed))


def value(
    payload: bytes | dict[str, Any] | None = None, header: bytes | dict[str, Any] = HEADER,
    params: bytes = b";info=<%b>;alg=ES256;ppt=shaken" % X5U.encode(),
) -> bytes:  # fmt: skip
    """The value of an Identity header."""
    return token(claims() if payload is None else payload, header) + params


def compact_form() -> bytes:
    """The value of one in the compact form (RFC 8224 §7)."""
    return b".." + b64(signature(b"whatever it is over")) + b";info=<%b>;alg=ES256" % X5U.encode()
