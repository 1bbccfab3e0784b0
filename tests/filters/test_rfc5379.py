"""RFC 5379 table 1, cell by cell: what each priv-value does to each target header, towards an untrusted trunk.

Everything is shown by default here, so that a change is the value's doing. A cell is `delete`, `anonymize` or `-`; for
`-` a header stays, but for the departures that `ALONG` lists with their reason: we hide more there, never less.
"""

from __future__ import annotations

import pytest

from config.vocabulary import Category
from proxy.message import Message
from tests import world
from tests.agents import ALICE, CARRIER, PBX, read
from tests.ladder import Ladder, Sent
from tests.world import World

SHOWN = {category.name.lower(): "keep" for category in Category}
VALUES = ("user", "header", "session", "id", "history")

#: header → where (R, r), and the cell of each value; `not add` is a `-` for what the sender wrote (RFC 3323 §5.1).
TABLE = {
    "call-id": ("R", "anonymize", "-", "-", "-", "-"),
    "call-info": ("Rr", "delete", "-", "-", "-", "-"),
    "contact": ("R", "-", "anonymize", "-", "-", "-"),
    "from": ("R", "anonymize", "-", "-", "-", "-"),
    "history-info": ("Rr", "-", "delete", "delete", "-", "delete"),
    "in-reply-to": ("R", "delete", "-", "-", "-", "-"),
    "organization": ("Rr", "delete", "-", "-", "-", "-"),
    "p-asserted-identity": ("Rr", "-", "delete", "-", "delete", "-"),
    "record-route": ("Rr", "-", "anonymize", "-", "-", "-"),
    "referred-by": ("R", "anonymize", "-", "-", "-", "-"),
    "reply-to": ("Rr", "delete", "-", "-", "-", "-"),
    "server": ("r", "delete", "-", "-", "-", "-"),
    "subject": ("R", "delete", "-", "-", "-", "-"),
    "user-agent": ("R", "delete", "-", "-", "-", "-"),
    "via": ("R", "-", "anonymize", "-", "-", "-"),
    "warning": ("r", "anonymize", "-", "-", "-", "-"),
}
LINES = {
    "call-info": b"Call-Info: <http://www.example.com/alice/photo.jpg>;purpose=icon",
    "history-info": b"History-Info: <sip:leaky@10.7.7.7>;index=1",
    "in-reply-to": b"In-Reply-To: leaky@10.7.7.7",
    "organization": b"Organization: Leaky Ltd",
    "p-asserted-identity": b"P-Asserted-Identity: <sip:leaky@sip.example.net>",
    "record-route": b"Record-Route: <sip:leaky@10.9.9.9;lr>",
    "referred-by": b"Referred-By: <sip:leaky@sip.example.net>",
    "reply-to": b"Reply-To: <sip:leaky@sip.example.net>",
    "server": b"Server: LeakyPhone",
    "subject": b"Subject: leaky",
    "user-agent": b"User-Agent: LeakyPhone",
    "warning": b'Warning: 399 leaky.example "Misc"',
}
_SET = "identity moves as one set (peers.md row 3)"
_NETWORK = "one switch hides the network"
_TELLS = "tells who forwarded, as History-Info does"
_WITH_ID = (
    "from", "call-id", "contact", "via", "record-route", "history-info", "referred-by", "reply-to", "in-reply-to",
    "call-info", "organization",
)  # fmt: skip
_WITH_SESSION = ("call-id", "in-reply-to", "contact", "via", "record-route")
ALONG = {
    **{(name, "id"): _SET for name in _WITH_ID},
    **{(name, "user"): _SET for name in ("p-asserted-identity", "contact", "via", "record-route", "history-info")},
    **{(name, "header"): _NETWORK for name in ("call-id", "in-reply-to")},
    **{(name, "session"): _NETWORK for name in _WITH_SESSION},
    **{("referred-by", value): _TELLS for value in ("header", "session", "history")},
    **{("warning", value): "its agent is a host of the network" for value in ("header", "session", "id")},
    ("user-agent", "header"): "a product tells a user's device",
    ("server", "header"): "a product tells a user's device",
}
"""(header, value) → why it is hidden although the table has `-`."""
CASES = [
    (name, value, cell)
    for name, (_, *cells) in TABLE.items()
    for value, cell in zip(VALUES, cells, strict=True)
]  # fmt: skip


def place() -> World:
    trunk = {**world.SETTINGS["trunks"][0], "privacy": {"unknown": "keep"}}
    privacy = {"default": SHOWN, "session": "degrade"}
    access = {**world.SETTINGS["access"], "privacy": SHOWN}
    trunks = [trunk, *world.SETTINGS["trunks"][1:]]
    return World(world.settings(trunks=trunks, privacy=privacy, access=access))


def request(name: str, value: str) -> Message:
    """Return what the trunk gets of a request of the core with one target header and one value."""
    world_ = place()
    headers = (*(line for field, line in LINES.items() if field == name), b"Privacy: " + value.encode())
    world_.receive(PBX.address, PBX.request(uri=b"sip:+15550100@192.0.2.1", headers=headers).data)
    return next(read(data) for peer, data in world_.sent if peer == CARRIER.address)


def stays(name: str, message: Message) -> bool:
    """Tell whether a target header arrived as it was sent."""
    if name == "call-id":
        return message.call_id == b"call-1@10.1.1.23"
    if name == "from":
        return b"203.0.113.5" in message.from_.uri or PBX.user in message.from_.uri
    if name == "contact":
        return any(PBX.host in item for item in message.items(b"contact"))
    if name == "via":
        return any(PBX.host in item for item in message.items(b"via"))
    return any(b"leaky" in line.lower() or b"photo" in line for line in message.lines)


@pytest.mark.parametrize(("name", "value", "cell"), [case for case in CASES if "R" in TABLE[case[0]][0]])
def test_requests(name: str, value: str, cell: str) -> None:
    message = request(name, value)
    hidden = cell != "-" or (name, value) in ALONG
    assert stays(name, message) is not hidden


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, value, cell in CASES if "r" in TABLE[name][0] and cell != "-" and name != "record-route"],
)
def test_responses(name: str, value: str) -> None:
    """The same of whom is called, towards the caller: with the value it is hidden, without it stays."""
    for privacy, shown in (((), True), ((b"Privacy: " + value.encode(),), False)):
        ladder = Ladder(place()) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
        answer = CARRIER.answer(ladder[b"INVITE"], 200, headers=(LINES[name], *privacy))
        ladder = ladder >> answer << Sent(ALICE, 200)
        assert stays(name, read(ladder[200])) is (shown and name != "p-asserted-identity")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value) for name, value, cell in CASES
        if "r" in TABLE[name][0] and cell == "-" and name not in ("record-route", "p-asserted-identity")
    ],
)  # fmt: skip
def test_what_a_value_leaves_in_responses(name: str, value: str) -> None:
    """A `-` is one there too, but for the departures; a stranger's P-Asserted-Identity never passes."""
    ladder = Ladder(place()) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    answer = CARRIER.answer(ladder[b"INVITE"], 200, headers=(LINES[name], b"Privacy: " + value.encode()))
    ladder = ladder >> answer << Sent(ALICE, 200)
    assert stays(name, read(ladder[200])) is ((name, value) not in ALONG)


def test_the_table_is_the_rfcs() -> None:
    """Sixteen targets, five values; a departure is only where the table has none of its own."""
    assert len(TABLE) == 16
    assert all(len(cells) == 6 for cells in TABLE.values())
    cells = {(name, value): cell for name, value, cell in CASES}
    assert all(cells[departure] == "-" for departure in ALONG)
