"""Calls of phones with passwords for a core without sockets: asked once, answered, and then as any other.

Nine messages come in where a call without has seven: the INVITE twice, and the ACK of the 407.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from config import account, accounts
from config.accounts import Accounts
from proxy.digest_client import Account, read
from scripts.benchmark.calls import Line, Step, copied, expect, invites, whole_calls
from scripts.benchmark.world import World

REALM = "sip.example.net"
PASSWORD = "moorgeheim"  # noqa: S105 - of nobody
DIGEST_CALL = ("INVITE, 407", "ACK of 407")
"""What comes before a whole call."""
_CHALLENGE = re.compile(rb"\r\nProxy-Authenticate: ([^\r]*)")
_CSEQ = re.compile(rb"\r\nCSeq: (\d+)")


def digest_world(subscribers: int) -> World:
    """Return a core that asks its phones, which are those of `lines` with so many subscribers."""
    known = Accounts()
    known.replace({REALM.encode(): dict(map(_packed, range(subscribers)))})
    known.are_known = True
    return World(known, authentication={"realm": REALM, "algorithms": ["SHA-256", "MD5"]})


def _packed(number: int) -> tuple[bytes, bytes]:
    name = f"{number:08}"
    address = f"+49151{name}@{REALM}"
    one = account.Account(name, REALM, account.secret_of(name, REALM, PASSWORD), (address,))
    return name.encode(), accounts.pack(one)


def digest_calls(world: World, batch: Sequence[Line]) -> Iterator[Step]:
    """Yield the steps of calls that begin without credentials, as `whole_calls` does.

    Raises:
        BenchError: when the core does not challenge every call, or does not forward all that follows.
    """
    world.sent.clear()
    asked = invites(batch)
    yield Step(DIGEST_CALL[0], world, world.from_caller, asked)
    challenges = expect("407", world.take(world.from_caller.peer), batch)
    refused = [line.say("refused-ack", to=_to(data)) for line, data in zip(batch, challenges, strict=True)]
    yield Step(DIGEST_CALL[1], world, world.from_caller, refused)
    proved = [Proved(*line, _credentials(line, *both)) for line, *both in zip(batch, asked, challenges, strict=True)]
    yield from whole_calls(world, proved)


class Proved(Line):
    """A call whose INVITE was asked for credentials: whatever it says now has the next CSeq (RFC 3261 §22.2)."""

    def __new__(cls, call: str, run: str, subscriber: str, credentials: bytes) -> Proved:
        """Keep the line that answers the challenge."""
        made = super().__new__(cls, call, run, subscriber)
        made.credentials = credentials
        return made

    credentials: bytes

    def say(self, name: str, **values: str) -> bytes:
        """Return one of the caller's messages."""
        data = _CSEQ.sub(lambda match: b"\r\nCSeq: %d" % (int(match[1]) + 1), super().say(name, **values), count=1)
        if name != "invite":
            return data
        return data.replace(b";branch=z9hG4bK", b";branch=z9hG4bKagain", 1).replace(
            b"\r\nMax-Forwards:", b"\r\n%b\r\nMax-Forwards:" % self.credentials, 1
        )


def _credentials(line: Line, invite: bytes, challenge: bytes) -> bytes:
    """Return the header line that answers a challenge: the first, which is of the strongest algorithm."""
    found = read(_CHALLENGE.findall(challenge))[0]
    phone = Account(line.subscriber.encode(), PASSWORD.encode())
    answer = phone.answer(found, b"INVITE", invite.split(b" ", 2)[1], 1, b"0a4f113b")
    return b"Proxy-Authorization: " + answer


def _to(challenge: bytes) -> str:
    return next(line for line in copied(challenge).split("\r\n") if line.startswith("To:"))[4:]
