"""Which messages of a capture are searched, and what is counted."""

from __future__ import annotations

import pytest

from filters.leaks import Search
from tap import scan as scanning
from tap.capture import Captured
from tap.scan import Scan, side
from tests.tap.pcap import PHONE, SBC, TRUNK, message

LEG = Captured(1, 0.0, PHONE, SBC, "UDP", message())
OUT = Captured(2, 0.0, SBC, TRUNK, "UDP", message())
BACK = Captured(3, 0.0, TRUNK, SBC, "UDP", message().replace(b"alice", b"nobody"))


def scanned(*sources: str, to: tuple[str, ...] = ()) -> Scan:
    scan = Scan(Search([b"alice"]), tuple(map(side, sources)), tuple(map(side, to)))
    scan.run([LEG, OUT, BACK], lambda number: None)
    return scan


def test_all_directions() -> None:
    """By default; each on its own account."""
    scan = scanned()
    assert scan.searched == {(PHONE, SBC): 1, (SBC, TRUNK): 1, (TRUNK, SBC): 1}
    assert [(found.message.number, found.finding.place) for found in scan.found] == [(1, "From"), (2, "From")]
    assert scan.leaking[TRUNK, SBC] == 0


def test_one_side() -> None:
    """What went to the trunk, or came from there."""
    assert [found.message.number for found in scanned(to=("198.51.100.0/24",)).found] == [2]
    assert scanned("198.51.100.7:5060").found == []
    assert scanned("198.51.100.7:5060").passed_over == 2
    assert [found.message.number for found in scanned(to=("192.0.2.1:5060", "192.0.2.9")).found] == [1]
    assert scanned(to=("192.0.2.1:5061",)).found == []


@pytest.mark.parametrize(
    ("text", "inside"),
    [("[2001:db8::1]:5060", True), ("2001:db8::/32", True), ("[2001:db8::1]:5061", False), ("192.0.2.0/24", False)],
)
def test_sides(text: str, inside: bool) -> None:
    """Of both families."""
    assert (("2001:db8::1", 5060) in side(text)) is inside


@pytest.mark.parametrize("text", ["", "host.example", "192.0.2.1:x", "192.0.2.0/33", "[2001:db8::1"])
def test_no_side(text: str) -> None:
    """Is refused; but a missing bracket is forgiven."""
    if text.startswith("["):
        assert ("2001:db8::1", 1) in side(text)
        return
    with pytest.raises(ValueError, match=r".*"):
        side(text)


def test_findings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further ones are counted."""
    monkeypatch.setattr(scanning, "MAX_FINDINGS", 1)
    scan = scanned()
    assert (len(scan.found), scan.more) == (1, 1)
