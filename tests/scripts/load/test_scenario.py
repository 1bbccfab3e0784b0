"""The scenario files: what SIPp counts on and does not check."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.load.canaries import KEYS
from scripts.load.scenario import FOLDER, SCENARIOS, Scenario

COUNTED = {"send", "recv", "pause", "nop", "timewait"}
"""Elements that [branch-N] counts; labels are none."""
OF_SIPP = {
    "service", "transport", "branch", "pid", "call_number", "call_id", "len", "peer_tag_param", "next_url", "routes",
    "local_ip", "local_port", "last_Via:", "last_Record-Route:", "last_From:", "last_To:", "last_Call-ID:",
    "last_CSeq:", "$own", "$other",
}  # fmt: skip
FILES = sorted(FOLDER.glob("*.xml"))


def steps(path: Path) -> list[ET.Element]:
    return [each for each in ET.parse(path).getroot() if each.tag in COUNTED]


def method(step: ET.Element) -> str:
    return next(iter((step.text or "").split()), "")


def test_every_file_is_played() -> None:
    """And every one that is named is there."""
    assert {path for each in SCENARIOS.values() for path in (each.caller_file, each.trunk_file)} == set(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_keywords_are_known(path: Path) -> None:
    """SIPp sends a keyword that it does not know as it stands."""
    used = set(re.findall(r"\[([^\[\]]+)\]", "".join(step.text or "" for step in steps(path))))
    assert {re.sub(r"^branch-\d+$", "branch", word) for word in used} <= OF_SIPP | set(KEYS)


def invite_before(path: Path) -> Iterator[tuple[int, ET.Element, int]]:
    """Yield each [branch-N] with its place, and the place that it points to."""
    for place, step in enumerate(steps(path)):
        for distance in re.findall(r"\[branch-(\d+)\]", step.text or ""):
            yield place, step, place - int(distance)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_borrowed_branches_are_the_invites(path: Path) -> None:
    """CANCEL and the ACK to a refusal have the branch of the INVITE (RFC 3261 §9.1, §17.1.1.3)."""
    for _, step, target in invite_before(path):
        assert method(step) in ("CANCEL", "ACK")
        assert method(steps(path)[target]) == "INVITE"


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_callers_take_503_and_measure(scenario: Scenario) -> None:
    """Refusals are counted, not failed; the first request is timed."""
    caller = steps(scenario.caller_file)
    assert caller[0].get("start_rtd") == "setup"
    assert sum(step.get("rtd") == "setup" for step in caller) == 1
    refusals = [step for step in caller if step.get("response") == "503"]
    assert refusals
    assert all(step.get("counter") == "refused" and step.get("optional") for step in refusals)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_invite_takes_a_100(path: Path) -> None:
    """From whichever end it comes."""
    found = steps(path)
    for step, after in itertools.pairwise(found):
        if method(step) == "INVITE":
            assert (after.get("response"), after.get("optional")) == ("100", "true")
