"""The allow-list of metadata: every element of RFC 7865 is in it, and nothing is said to be in it by chance."""

from __future__ import annotations

import pytest

from config.recording_section import MetadataExtension
from filters.metadata_fields import (
    ACME,
    BROADWORKS,
    DEFINED_BY,
    DEVICES,
    FEATURES,
    FIELDS,
    SONUS,
    SPACES,
    Told,
    field,
    further,
)

RFC_7865 = (
    "recording", "datamode", "group", "session", "participant", "stream", "sessionrecordingassoc",
    "participantsessionassoc", "participantstreamassoc", "nameID", "name", "group-ref", "send", "recv", "sipSessionID",
    "reason", "label", "associate-time", "disassociate-time", "start-time", "stop-time", "param", "requestsnapshot",
    "requestreason",
)  # fmt: skip


@pytest.mark.parametrize("space", sorted(SPACES))
def test_the_rfcs_elements_are_known_under_each_name_of_its_namespace(space: str) -> None:
    for local in RFC_7865:
        assert field(space, local) is not None


@pytest.mark.parametrize(
    ("space", "local"),
    [("", "recording"), ("urn:x", "name"), (ACME, "name"), (BROADWORKS, "callid"), (SONUS, "name"), ("-", "name"),
     ("urn:ietf:params:xml:ns:recording:1", "Participant")],
)  # fmt: skip
def test_an_element_of_another_namespace_or_case_is_unknown(space: str, local: str) -> None:
    assert field(space, local) is None


def test_what_is_a_word_says_which() -> None:
    for known in FIELDS.values():
        assert (Told.WORD in (known.text, *known.attributes.values())) == (known.words is not None)


def test_what_defines_an_identifier_may_have_it() -> None:
    for local, keys in DEFINED_BY.items():
        known = field("urn:ietf:params:xml:ns:recording:1", local)
        assert known is not None
        assert all(known.attributes[key] is Told.ID for key in keys)


def test_a_feature_tag_is_of_a_device_or_not() -> None:
    assert not FEATURES.keys() & DEVICES


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("audio", ""), ("audio", "TRUE"), ("isfocus", '"FALSE"'), ("duplex", "receive-only"), ("mobility", "mobile"),
        ("methods", '"INVITE,BYE, OPTIONS"'), ("events", "presence,!dialog"), ("schemes", '"sip,tel"'),
        ("extensions", "100rel, timer"), ("priority", "#<=20"), ("+sip.rendering", "unknown"),
    ],
)  # fmt: skip
def test_a_feature_is_told(tag: str, value: str) -> None:
    assert FEATURES[tag].fullmatch(value)


@pytest.mark.parametrize("tag", sorted(FEATURES))
@pytest.mark.parametrize(
    "value", ["+15550123", "15550123", "Alice Canary", '"INVITE', "sip:alice", "x" * 300, "1.2.3.4"]
)
def test_nobody_is_told_by_a_feature(tag: str, value: str) -> None:
    assert not FEATURES[tag].fullmatch(value)


def test_operators_add_elements_and_change_none() -> None:
    mine = MetadataExtension(
        namespace="urn:example:acd", structure=("call",), texts=("queue",), addresses=("agent",), identifiers=("ref",),
        calls=("callid",),
    )  # fmt: skip
    added = further([mine, MetadataExtension(namespace=ACME, texts=("callingParty", "realm"))])
    told = {name: known.text for (space, name), known in added.items() if space == "urn:example:acd"}
    assert told == {
        "call": Told.NOTHING, "queue": Told.OTHER, "agent": Told.ADDRESS, "ref": Told.ID, "callid": Told.CALL,
    }  # fmt: skip
    assert field("urn:example:acd", "queue", added) is not None
    assert field("urn:example:acd", "Queue", added) is None
    assert field("", "queue", added) is None
    assert field(ACME, "callingParty", added) is FIELDS[ACME, "callingParty"]
    assert field(ACME, "realm", added) is not None
    assert field(ACME, "realm") is None
