"""Our signatures and those of others: what independent implementations of ES256 say of ours, and we of theirs.

OpenSSL's program, given files; python-ecdsa, which is P-256 in plain Python and shares no line with OpenSSL (which
`cryptography` is built on); and the example of RFC 7515.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import ecdsa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from config.trust_store import Signatory
from config.validity import Validity
from filters.passport import Passport
from filters.verifier import Result, Verifier, is_signed
from tests.agents import Agent, read
from tests.filters.test_diverter import SIGNED, forwarded, left, world
from tests.passports import HEADER, KEY, WALL, X5U, b64, claims, compact, unb64
from tests.world import PHONE, TRUNK

CALL = Agent(PHONE, b"+15550142").invite()
SIGNATORY = Signatory(KEY.public_key(), Validity(0, 2 * WALL))
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl: apt-get install openssl")


def ours() -> list[tuple[bytes, bytes]]:
    """What is signed, and the signature (r and s, 32 bytes each), of a `shaken` and a `div` PASSporT of ours."""
    shaken = read(left(world(), CALL)).values(b"identity")[0]
    div = read(left(world(), forwarded(SIGNED))).values(b"identity")[1]
    assert (shaken.rpartition(b"=")[2], div.rpartition(b"=")[2]) == (b"shaken", b"div")
    parts = [each.partition(b";")[0].rpartition(b".") for each in (shaken, div)]
    return [(signed, unb64(signature)) for signed, _, signature in parts]


def run(folder: Path, data: bytes, *arguments: str) -> bytes:
    (folder / "private.pem").write_bytes(PRIVATE)
    (folder / "public.pem").write_bytes(PUBLIC)
    command = ["openssl", "dgst", "-sha256", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=False, cwd=folder).stdout


@openssl
def test_openssl_verifies_ours(tmp_path: Path) -> None:
    """RFC 7518 §3.4 against DER."""
    for signed, raw in ours():
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        (tmp_path / "signature").write_bytes(der)
        asked = ("-verify", "public.pem", "-signature", "signature")
        assert run(tmp_path, signed, *asked) == b"Verified OK\n"
        assert run(tmp_path, signed + b"A", *asked) == b"Verification failure\n"


def test_python_ecdsa_verifies_ours() -> None:
    key = ecdsa.VerifyingKey.from_pem(PUBLIC)
    for signed, raw in ours():
        assert key.verify(raw, signed, sha256, ecdsa.util.sigdecode_string)
        with pytest.raises(ecdsa.BadSignatureError):
            key.verify(raw, signed + b"A", sha256, ecdsa.util.sigdecode_string)


def by_openssl(folder: Path, signed: bytes) -> bytes:
    r, s = decode_dss_signature(run(folder, signed, "-sign", "private.pem"))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def by_python_ecdsa(_: Path, signed: bytes) -> bytes:
    raw: bytes = ecdsa.SigningKey.from_pem(PRIVATE).sign(signed, hashfunc=sha256, sigencode=ecdsa.util.sigencode_string)
    return raw


@pytest.mark.parametrize("sign", [pytest.param(by_openssl, marks=openssl), by_python_ecdsa])
def test_we_verify_theirs(sign: Callable[[Path, bytes], bytes], tmp_path: Path) -> None:
    """A call that was signed and diverted by others; and none of it once a byte is another."""

    def identity(kind: str, payload: dict[str, object]) -> bytes:
        signed = b64(compact(HEADER | {"ppt": kind})) + b"." + b64(compact(payload))
        token = signed + b"." + b64(sign(tmp_path, signed))
        return b"Identity: %b;info=<%b>;alg=ES256;ppt=%b" % (token, X5U.encode(), kind.encode())

    first = identity("shaken", claims(dest="15550777"))
    link = identity("div", claims(dest="15550100", div={"tn": "15550777"}, attest=None, origid=None))
    packet = Agent(TRUNK, b"+15550142").invite(headers=(first, link))
    verifier = Verifier({X5U: SIGNATORY})
    assert verifier.verify(read(packet.data), WALL) == (Result.PASSED, "A")
    for line in (first, link):
        place = line.index(b";info") - 9
        other = b"A" if line[place : place + 1] != b"A" else b"Q"
        broken = packet.data.replace(line, line[:place] + other + line[place + 1 :])
        assert verifier.verify(read(broken), WALL) == (Result.FAILED, "")


def test_the_example_of_rfc_7515() -> None:
    """Appendix A.3: ES256 as its authors computed it."""
    x, y = b"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", b"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    x_, y_ = (int.from_bytes(unb64(each), "big") for each in (x, y))
    numbers = ec.EllipticCurvePublicNumbers(x_, y_, ec.SECP256R1())
    signed = (
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        b"cnVlfQ"
    )
    signature = unb64(b"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
    signatory = Signatory(numbers.public_key(), Validity(0, 0))
    assert is_signed(Passport(False, signed, signature, b""), signatory)
    assert not is_signed(Passport(False, signed + b"A", signature, b""), signatory)
