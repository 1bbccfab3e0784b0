"""Accounts for core tests, and phones that answer challenges as RFC 7616 says: written apart from `proxy/digest`."""

from __future__ import annotations

import hashlib
import re

from config.account import Account, secret_of
from config.accounts import Accounts, pack
from tests.agents import Packet, read

REALM = "sip.example.net"


def accounts(*names: str, **addresses: tuple[str, ...]) -> Accounts:
    """Return known accounts whose passwords are `pw-NAME`; a keyword gives the addresses of one."""
    found = Accounts()
    people = {**{name: (f"{name}@{REALM}",) for name in names}, **addresses}
    packed = {
        name.encode(): pack(Account(name, REALM, secret_of(name, REALM, f"pw-{name}"), its))
        for name, its in people.items()
    }
    found.replace({REALM.encode(): packed})
    found.are_known = True
    return found


def challenges(response: bytes) -> list[dict[str, str]]:
    """Return the challenges of a 401 or 407, their parameters by name, unquoted."""
    got = read(response)
    values = got.values(b"www-authenticate") + got.values(b"proxy-authenticate")
    found = []
    for value in values:
        assert value.startswith(b"Digest ")
        pairs = re.findall(rb'([a-z]+)=("[^"]*"|[^,]+)', value[7:])
        found.append({name.decode(): text.decode().strip('"') for name, text in pairs})
    return found


def proof(
    packet: Packet, response: bytes, /, name: str = "alice", password: str | None = None, *,
    pick: int = 0, uses: int = 1, uri: bytes | None = None, method: bytes | None = None, userhash: bool = False,
    **changes: str,
) -> bytes:  # fmt: skip
    """Return the header line that answers a challenge.

    Args:
        packet: the request that was challenged.
        response: the challenge.
        name: the account.
        password: default: its own.
        pick: which challenge of several.
        uses: how often the nonce was used, this time included.
        uri: digest-uri; default: the Request-URI.
        method: what A2 is of; default: the request's.
        userhash: whether the name is sent as its hash.
        changes: other values, by parameter.
    """
    request, asked = read(packet.data), challenges(response)[pick]
    said = {"realm": asked["realm"], "nonce": asked["nonce"], "cnonce": "f2wE4q74E6z", "nc": f"{uses:08x}", **changes}
    target = (uri or request.uri).decode()
    kind = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}[asked["algorithm"]]

    def hashed(text: str) -> str:
        return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()

    ha1 = hashed(f"{name}:{said['realm']}:{f'pw-{name}' if password is None else password}")
    ha2 = hashed(f"{(method or request.method).decode()}:{target}")
    answer = hashed(f"{ha1}:{said['nonce']}:{said['nc']}:{said['cnonce']}:auth:{ha2}")
    header = "Authorization" if request.method == b"REGISTER" else "Proxy-Authorization"
    said_name = hashed(f"{name}:{said['realm']}") if userhash else name
    return (
        f'{header}: Digest username="{said_name}", realm="{said["realm"]}", nonce="{said["nonce"]}", uri="{target}", '
        f'response="{changes.get("response", answer)}", algorithm={changes.get("algorithm", asked["algorithm"])}, '
        f'cnonce="{said["cnonce"]}", qop={changes.get("qop", "auth")}, nc={said["nc"]}{", userhash=true" * userhash}'
    ).encode()


def again(packet: Packet, *lines: bytes, branch: bytes = b"z9hG4bKtwo", cseq: int = 2) -> Packet:
    """Return a request as it is sent again with credentials: more lines, another branch, the next CSeq (§22.2)."""
    data = re.sub(rb"branch=[^;\r\n]+", b"branch=" + branch, packet.data, count=1)
    data = re.sub(rb"(\r\nCSeq: )\d+", rb"\g<1>%d" % cseq, data, count=1)
    return packet._replace(
        data=data.replace(b"\r\nCSeq:", b"".join(b"\r\n" + line for line in lines) + b"\r\nCSeq:", 1)
    )
