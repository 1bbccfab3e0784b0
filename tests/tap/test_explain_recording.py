"""An explanation says what is a recording session, by which rule, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from config.recorder_keys import RecorderKeys
from config.recorder_trunk import recorder_trunks
from config.vocabulary import Zone
from proxy.party import Party
from proxy.recording import Finding, Kind
from proxy.routing import Network
from tap.explain import Replay, Wish
from tap.explain_ends import ExplainError
from tap.explain_recording import PRIVATE, client_flow, detector_of, is_session, remark
from tap.signing import Credentials
from tests.agents import ALICE, CARRIER, read
from tests.recorders import recorder
from tests.recording_sessions import CLIENT, FROM_SRC, LISTENERS, RECORDER, SRS, opened, record, tells_nothing
from tests.world import WALL, keyring, settings

SECTIONS: dict[str, Any] = {
    "listeners": LISTENERS, "recorders": [RECORDER], "recording_clients": [CLIENT],
    "privacy": {"default": {"recording": "keep"}},
}  # fmt: skip
KEYS = Credentials(None, None, recorders={"srs": RecorderKeys(recorder("p256").checked)})


def replay(**changes: Any) -> Replay:
    sections = {**SECTIONS, **changes}
    return Replay(settings(**sections), Wish(), ring=keyring(), now=1000.0, wall=WALL, credentials=KEYS)


def test_a_recording_session_is_shown_as_it_goes_to_its_recorder() -> None:
    step = replay().feed(record().data)
    (crossed,) = step.crossed
    assert crossed.to.peer == SRS.address
    assert tells_nothing(crossed.sent)
    assert b"<label>96</label>" in opened(crossed.sent)
    (said,) = step.remarks
    assert said.startswith("a recording session (rule R1, see docs/recording.md): to recorder srs over mutual TLS")
    assert any("encrypted to the recorder" in why for _, why in crossed.reasons)


def test_a_recorder_that_has_a_name_is_somewhere_in_its_networks() -> None:
    """No name is looked up, as of trunks."""
    named = {**RECORDER, "hosts": ["srs.example.net:5061"], "networks": ["198.51.100.96/28"]}
    (crossed,) = replay(recorders=[named]).feed(record().data).crossed
    assert crossed.to.peer[0] == "198.51.100.97"
    assert tells_nothing(crossed.sent)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recording_clients": [], "recorders": []}, "Only configured clients may record"),
        ({"privacy": {}}, "Somebody who takes part may not be recorded"),
    ],
)
def test_one_that_is_refused(changes: dict[str, Any], why: str) -> None:
    step = replay(**changes).feed(record().data)
    assert step.crossed == []
    assert step.remarks[-1].endswith(f"it goes to no recorder: {why}")
    assert read(step.made[-1][1]).status == 403


def test_a_client_that_is_nowhere_is_told() -> None:
    with pytest.raises(ExplainError, match="recording_clients"):
        replay(recording_clients=[{**CLIENT, "networks": ["192.0.2.200"]}]).feed(record().data)


def test_a_command_and_what_becomes_of_it() -> None:
    packet = ALICE.request(b"INFO", headers=(b"Record: on",))
    said = replay(privacy={}).feed(packet.data).remarks
    assert said == ["a command to record (rule R11, see docs/recording.md): refused as its sender's setting `recording`"
                    " says"]  # fmt: skip


def test_an_ordinary_call_says_nothing_of_it() -> None:
    assert replay().feed(ALICE.invite().data).remarks == []


def test_who_could_record_makes_an_ordinary_call() -> None:
    """`siprec` in Supported alone: nothing is made up of a client that it does not come from."""
    step = replay().feed(ALICE.invite(headers=(b"Supported: siprec", b"Content-Type: application/sdp")).data)
    (crossed,) = step.crossed
    assert crossed.to.peer == CARRIER.address
    assert step.remarks == ["says that it could record (rule R1b-supported): no recording session, unless a recording "
                            "client sends it"]  # fmt: skip


def test_each_word() -> None:
    edge = settings(**{**SECTIONS, "recorders": [{**RECORDER, "role": "recorder-edge", "key": "srs.key"}]})
    party = Party(Zone.TRUNK, recorder_trunks(edge)[0])
    assert "in clear, for Sipveil stands in front of it" in remark(Finding(Kind.RS_SUSPECT, "R1b"), [None, party])
    assert "taken for a recording session" in remark(Finding(Kind.RS_SUSPECT, "R1b"), [party])
    assert "let through" in remark(Finding(Kind.CONTROL, "R17"), [party])
    assert remark(Finding(Kind.HINT, "R5"), [party]) == ""
    assert is_session(detector_of(edge).classify(read(record().data)))
    assert client_flow(Network(edge), edge, ("203.0.113.5", 40001)) == FROM_SRC._replace(connection=1)
    assert client_flow(Network(edge), edge, ("198.51.100.7", 5060)).peer[0] == "203.0.113.5"


@pytest.mark.parametrize(
    ("changes", "headers", "said"),
    [
        ({}, (b"Privacy: id",), [PRIVATE]), ({}, (), []),
        ({"recording_clients": [], "recorders": []}, (b"Privacy: id",), []),
    ],
    ids=["asked", "not-asked", "no-recorder"],
)  # fmt: skip
def test_who_asks_for_privacy_is_told_what_recordings_make_of_it(
    changes: dict[str, Any], headers: tuple[bytes, ...], said: list[str]
) -> None:
    assert replay(**changes).feed(ALICE.request(headers=headers).data).remarks == said
