"""Calls for a core without sockets: many at once, one step after the other, each step's messages made beforehand.

A step is what the benchmark times: all its messages go into the core, nothing else happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proxy.flow import Flow
from scripts.benchmark.errors import BenchError
from scripts.benchmark.messages import fill
from scripts.benchmark.world import CALLER, CARRIER, PROXY, TRUNK, World

CALL = ("INVITE", "100", "180", "200 of INVITE", "ACK", "BYE", "200 of BYE")
"""The messages of one call, in order; what the proxy receives."""
EXTRA = ("INVITE again", "MESSAGE", "200 of MESSAGE", "INVITE, refused 503")
KINDS = (*CALL, *EXTRA)
FULL = 100
"""Transactions of a core that refuses the next; the least that the settings allow."""


class Step(NamedTuple):
    """Messages of one kind, ready to be received."""

    kind: str
    world: World
    flow: Flow
    messages: Sequence[bytes]


class Line(NamedTuple):
    """The values of one call."""

    call: str
    run: str
    subscriber: str

    def say(self, name: str, **values: str) -> bytes:
        """Return one of the caller's messages."""
        return fill(name, **self._asdict(), caller=text(CALLER), proxy=text(PROXY), **values)


def text(address: tuple[str, int]) -> str:
    """Return `host:port`."""
    return f"{address[0]}:{address[1]}"


def lines(run: str, count: int, subscribers: int, first: int = 0) -> list[Line]:
    """Return the values of so many calls; nothing but the subscriber ever comes twice."""
    return [Line(f"{n:08x}", run, f"{n % subscribers:08d}") for n in range(first, first + count)]


def invites(batch: Sequence[Line]) -> list[bytes]:
    """Return the INVITE of every call."""
    return [line.say("invite") for line in batch]


def whole_calls(world: World, batch: Sequence[Line]) -> Iterator[Step]:
    """Yield the seven steps of calls; between two of them the core must have received the first one's messages.

    Raises BenchError when the core does not forward every message.
    """
    world.sent.clear()
    yield Step("INVITE", world, world.from_caller, invites(batch))
    outgoing = expect("INVITE", world.take(TRUNK), batch)
    copies = [copied(data, f"leg{n:08x}{batch[0].run}") for n, data in enumerate(outgoing)]
    for kind, name in (("100", "trying"), ("180", "ringing"), ("200 of INVITE", "answer")):
        yield Step(kind, world, world.from_trunk, [fill(name, copied=copy, trunk=text(TRUNK)) for copy in copies])
        if kind == "180":
            expect(kind, world.take(CALLER), batch)
    answers = expect("200 of INVITE", world.take(CALLER), batch)
    dialogs = [dialog(answer) for answer in answers]
    for name in ("ack", "bye"):
        requests = [line.say(name, **values) for line, values in zip(batch, dialogs, strict=True)]
        yield Step(name.upper(), world, world.from_caller, requests)
        outgoing = expect(name.upper(), world.take(TRUNK), batch)
    yield Step("200 of BYE", world, world.from_trunk, [fill("bye-ok", copied=copied(data)) for data in outgoing])
    expect("200 of BYE", world.take(CALLER), batch)


def extras(world: World, full: World, batch: Sequence[Line]) -> Iterator[Step]:
    """Yield what is no part of an ordinary call; `full` is a core whose table has no room left."""
    world.sent.clear()
    for line in batch:
        world.core.receive(line.say("invite"), world.from_caller, world.now)
    world.sent.clear()
    yield Step("INVITE again", world, world.from_caller, invites(batch))
    if world.take(TRUNK):
        raise BenchError("a retransmitted INVITE was forwarded")
    yield Step("MESSAGE", world, world.from_caller, [line.say("message") for line in batch])
    outgoing = expect("MESSAGE", world.take(TRUNK), batch)
    responses = [fill("bye-ok", copied=copied(data, "m")) for data in outgoing]
    yield Step("200 of MESSAGE", world, world.from_trunk, responses)
    expect("200 of MESSAGE", world.take(CALLER), batch)
    full.sent.clear()
    yield Step("INVITE, refused 503", full, full.from_caller, invites(batch))
    refusals = expect("INVITE, refused 503", full.take(CALLER), batch)
    if not all(b" 503 " in each[:12] for each in refusals):
        raise BenchError("a core whose table is full does not answer 503")


def spare_world() -> World:
    """Return a core that lets texts pass: by default a MESSAGE's body is hidden, and so the MESSAGE refused."""
    return World(trunks=[{**CARRIER, "privacy": {**CARRIER["privacy"], "content": "keep"}}])


def full_world() -> World:
    """Return a core whose transaction table is full."""
    world = World(limits={"transactions": FULL})
    for data in invites(lines("full", FULL, FULL)):
        world.core.receive(data, world.from_caller, world.now)
    return world


def expect(kind: str, found: Sequence[bytes], batch: Sequence[Line]) -> Sequence[bytes]:
    """Return found if there is one message for each call; a 100 of the proxy's own does not count."""
    forwarded = [data for data in found if not data.startswith(b"SIP/2.0 100")]
    if len(forwarded) != len(batch):
        head = forwarded[0].split(b"\r\n")[0] if forwarded else b"nothing"
        raise BenchError(f"{kind}: {len(batch)} went in, {len(forwarded)} came out, the first one {head!r}")
    return forwarded


def headers(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield lower-case name and line of each header."""
    for line in data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        yield line.partition(":")[0].lower(), line


def copied(request: bytes, tag: str = "") -> str:
    """Return the lines that a response copies (RFC 3261 §8.2.6.2, §12.1.1), with a tag where To has none."""
    found = []
    for name, line in headers(request):
        if name in ("via", "from", "call-id", "cseq", "record-route"):
            found.append(line)
        elif name == "to":
            found.append(line if ";tag=" in line else f"{line};tag={tag}")
    return "".join(f"{line}\r\n" for line in found)


def dialog(answer: bytes) -> dict[str, str]:
    """Return what the caller keeps of a 200: To, remote target, and the route set, which is the list reversed."""
    values = {"to": "", "target": "", "routes": ""}
    for name, line in headers(answer):
        value = line.partition(":")[2].strip()
        if name == "to":
            values["to"] = value
        elif name == "contact":
            values["target"] = value.partition("<")[2].partition(">")[0]
        elif name == "record-route":
            values["routes"] = f"Route: {value}\r\n{values['routes']}"
    return values
