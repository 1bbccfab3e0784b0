"""Explanations as data. Their form: tests/tap/test_explain_command.py."""

from __future__ import annotations

from filters.catalogue import load_catalogue
from filters.leaks import Search
from tap.explain import Replay, Wish
from tap.explain_input import Conversation, Given
from tap.explain_report import Document, explain
from tests.agents import ALICE, CARRIER
from tests.world import PHONE, WALL, keyring, settings


def report(*data: bytes, secrets: tuple[bytes, ...] = (), wish: Wish | None = None) -> Document:
    replay = Replay(settings(), wish or Wish(), ring=keyring(), now=0.0, wall=WALL)
    given = Conversation([Given(one, PHONE, ("mended",)) for one in data], ["about it all"])
    return explain(replay, given, Search(secrets), load_catalogue())


def test_remarks() -> None:
    """What was mended stands first, then what was addressed anew."""
    found = report(ALICE.invite().data, CARRIER.answer(ALICE.invite().data, 200).data)
    assert found["remarks"] == ["about it all"]
    assert found["messages"][0]["remarks"] == ["mended"]
    assert found["messages"][1]["remarks"][0] == "mended"
    assert "addressed anew" in found["messages"][1]["remarks"][1]


def test_leaks_towards_a_trunk_always_count() -> None:
    """Those towards the phone only where it did not say so itself."""
    answer = CARRIER.answer(ALICE.invite().data, 200, headers=(b'Warning: 399 x "Quux4711"', b"Subject: Quux4711"))
    invite = ALICE.invite(uri=b"sip:+15550142@192.0.2.1").data
    found = report(invite, answer.data, secrets=(b"+15550142", b"Quux4711"))
    assert {leak["secret"] for leak in found["messages"][0]["forwarded"][0]["leaks"]} == {1}
    assert {leak["secret"] for leak in found["messages"][1]["forwarded"][0]["leaks"]} <= {2}
    assert found["secrets"]["leaks"] >= 2


def test_fork() -> None:
    """Every branch is explained."""
    (message,) = report(ALICE.invite(uri=b"sip:9123@192.0.2.1").data)["messages"]
    assert [one["to"] for one in message["forwarded"]] == ["trunk carrier (untrusted)", "trunk second (untrusted)"]
