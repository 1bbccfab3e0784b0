"""Metadata before and after: each participant as its own settings say, in every maker's dialect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.recording_section import MetadataExtension
from config.vocabulary import Action
from filters.metadata import Edited, edit
from filters.metadata_fields import further
from filters.metadata_names import OPEN, STRICT, Names, Treatment
from filters.metadata_xml import Element, MetadataError, read
from tests.filters.recording import (
    ACME,
    BROADWORKS,
    CANARIES,
    PARTIAL,
    RFC,
    SNAPSHOT,
    SONUS,
    names,
    open_names,
)

MAKERS = Path(__file__).parents[3] / "shared" / "corpora" / "siprec" / "drachtio"
NS = "urn:ietf:params:xml:ns:recording:1"
DIALECTS = {"RFC": RFC, "Acme": ACME, "Sonus": SONUS, "BroadWorks": BROADWORKS, "partial": PARTIAL}
ALICE, BOB = b"sip:+15550123@example.net", b"sip:bob@192.0.2.44"
KEEP = Action.KEEP


def elements(body: bytes, local: str) -> list[Element]:
    found, rest = [], [read(body).root]
    while rest:
        element = rest.pop(0)
        rest = element.children + rest
        if element.tag[1] == local:
            found.append(element)
    return found


def texts(body: bytes, local: str) -> list[str]:
    return [element.text for element in elements(body, local)]


def attributes(body: bytes, local: str, key: str) -> list[str]:
    return [element.attributes["", key] for element in elements(body, local) if ("", key) in element.attributes]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_left_of_who_hides_everything(dialect: str) -> None:
    edited = edit(DIALECTS[dialect], names()).body
    assert not [canary for canary in CANARIES if canary in edited]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_identifiers_still_join_what_they_joined(dialect: str) -> None:
    """Whatever referred to something refers to it still, and nothing refers to anything new."""
    before, after = _references(DIALECTS[dialect]), _references(edit(DIALECTS[dialect], names()).body)
    assert len(before) == len(after)
    meaning = dict(zip(before, after, strict=True))
    assert [meaning[one] for one in before] == after
    assert len(set(meaning.values())) == len(meaning)
    assert not set(before) & set(after)


def _references(body: bytes) -> list[str]:
    rest, found = [read(body).root], []
    while rest:
        element = rest.pop(0)
        rest = element.children + rest
        found += [
            value
            for (_, key), value in sorted(element.attributes.items())
            if key in ("session_id", "participant_id", "stream_id", "group_id", "id", "session", "group", "parent")
        ]
        if element.tag[1] in ("send", "recv", "group-ref", "id") and not element.children:
            found.append(element.text.strip())
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_edit_of_an_edit_and_a_repetition_change_nothing_that_matters(dialect: str) -> None:
    once = edit(DIALECTS[dialect], names())
    assert edit(DIALECTS[dialect], names()) == once
    again = edit(once.body, open_names(real_ids=True))
    assert again.dropped == 0
    assert attributes(again.body, "nameID", "aor") == attributes(once.body, "nameID", "aor")


def test_what_is_no_personal_data_stays() -> None:
    edited = edit(RFC, names()).body
    assert texts(edited, "datamode") == ["complete"]
    assert texts(edited, "label") == ["96", "97"]
    assert texts(edited, "start-time") == ["2026-11-29T10:00:00Z"]
    assert attributes(edited, "param", "pname") == ["audio"]
    assert len(attributes(edited, "nameID", "aor")) == 2
    assert texts(edited, "name") == []
    assert texts(edit(ACME, names()).body, "callingParty") == ["true"]
    assert texts(edit(BROADWORKS, names()).body, "recordingType") == ["on"]
    assert texts(edit(BROADWORKS, names()).body, "requestor") == ["SRC"]


def test_who_shows_everything_is_told_and_who_hides_is_not_in_one_document() -> None:
    edited = edit(RFC, names({ALICE: OPEN})).body
    shown, hidden = attributes(edited, "nameID", "aor")
    assert shown == "sip:+15550123@example.net"
    assert hidden.endswith("@anonymous.invalid")
    (name,) = elements(edited, "name")
    assert name.text == "Alice Canary"
    assert [value for (_, key), value in name.attributes.items() if key == "lang"] == ["it"]
    assert attributes(edited, "param", "pname") == ["audio", "+sip.instance"]
    other = edit(RFC, names({BOB: OPEN})).body
    assert texts(other, "name") == ["Bob Canary"]
    assert attributes(other, "nameID", "aor")[1] == "sip:bob@192.0.2.44"
    assert attributes(other, "param", "pname") == ["audio"]


@pytest.mark.parametrize(
    ("treatment", "name", "address", "language"),
    [
        (Treatment(name=KEEP), "Alice Canary", False, False),
        (Treatment(number=KEEP), None, True, False),
        (Treatment(name=KEEP, location=KEEP), "Alice Canary", False, True),
        (Treatment(device=KEEP, network=KEEP, location=KEEP), None, False, False),
    ],
)
def test_each_setting_decides_for_itself(treatment: Treatment, name: str | None, address: bool, language: bool) -> None:
    edited = edit(RFC, names({ALICE: treatment})).body
    assert texts(edited, "name") == ([name] if name else [])
    assert (b"+15550123" in edited) is address
    assert (b'xml:lang="it"' in edited) is language


def test_an_extension_names_participants_as_their_settings_say() -> None:
    edited = edit(BROADWORKS, names({ALICE: OPEN})).body
    assert texts(edited, "callingPartyNumber") == ["sip:+15550123@example.net"]
    assert texts(edited, "userID") == ["+15550123@example.net"]
    assert texts(edited, "calledPartyNumber")[0].endswith("@anonymous.invalid")
    assert texts(edited, "initiator") == ["sip:+15550123@example.net"]
    assert b"Canary" not in edited
    assert texts(edited, "start-time") == ["2026-11-29T15:44:43Z"]


def test_one_participant_is_the_same_in_extension_and_metadata() -> None:
    edited = edit(BROADWORKS, names()).body
    assert texts(edited, "aor") == texts(edited, "callingPartyNumber") == texts(edited, "initiator")


def test_messages_of_one_recording_session_fit_and_those_of_two_do_not() -> None:
    one, later = edit(RFC, names()).body, edit(PARTIAL, names()).body
    assert texts(later, "datamode") == ["partial"]
    assert attributes(later, "session", "session_id") == attributes(one, "session", "session_id")
    assert set(attributes(later, "participantsessionassoc", "participant_id")) <= set(
        attributes(one, "participant", "participant_id")
    )
    other = edit(PARTIAL, names(key=b"another session")).body
    assert attributes(other, "session", "session_id") != attributes(later, "session", "session_id")


def test_call_ids_stay_only_where_the_policy_says_so() -> None:
    assert b"ab30317f1a784dc48ff824d0d3715d86" not in edit(RFC, open_names()).body
    assert b"ab30317f1a784dc48ff824d0d3715d86" in edit(RFC, open_names(real_ids=True)).body
    assert b"canary-call-id" not in edit(SONUS, open_names()).body


def test_a_recorders_request_for_a_snapshot_passes() -> None:
    edited = edit(SNAPSHOT, names())
    assert edited.dropped == 0
    assert texts(edited.body, "requestreason") == ["restarted"]


def _with(inside: bytes, body: bytes = PARTIAL) -> bytes:
    return body.replace(b"<datamode>partial</datamode>", b"<datamode>partial</datamode>" + inside)


@pytest.mark.parametrize(
    "inside",
    [
        b"<x>canary</x>",
        b"<x xmlns='urn:x'><name>canary</name></x>",
        b"<session_id>canary</session_id>",
        b"<name>canary</name>",
        b"<participant participant_id='a'><name>canary</name></participant>",
        b"<participant participant_id='a' canary='canary'/>",
        b"<participant participant_id='a' xmlns:p='urn:p' p:participant_id='canary'/>",
        b"<participant participant_id='a'>canary</participant>",
        b"<!-- canary --><?canary canary?>",
        b"<participant participant_id='a'><![CDATA[canary]]></participant>",
        b"<start-time>canary</start-time>",
        b"<mode>canary</mode>",
        b"<reason>canary</reason>",
        b"<participantsessionassoc><param pname='canary' pval='1'/></participantsessionassoc>",
        b"<participantsessionassoc><param pname='audio' pval='&lt;canary&gt;'/></participantsessionassoc>",
        b"<participantsessionassoc participant_id='x'><param pname='reg-id' pval='canary'/></participantsessionassoc>",
        b"<requestreason>" + b"canary" * 50 + b"</requestreason>",
        b"<callData xmlns='urn:ietf:params:xml:ns:callData'><fromhdr>\"canary</fromhdr></callData>",
    ],
)  # fmt: skip
def test_what_the_allow_list_does_not_know_does_not_pass(inside: bytes) -> None:
    assert b"canary" not in edit(_with(inside), open_names()).body


def test_what_does_not_pass_is_counted() -> None:
    assert edit(_with(b"<x><y/></x><participant participant_id='a' b='c'>d</participant>"), names()).dropped == 3
    assert isinstance(edit(PARTIAL, names()), Edited)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"not XML",
        b"<recording xmlns='urn:x'/>",
        b"<recording/>",
        b"<participant xmlns='urn:ietf:params:xml:ns:recording:1'/>",
        PARTIAL[:-5],
        PARTIAL.replace(b"partial", b"canary"),
        BROADWORKS.replace(b"<dataMode>complete", b"<dataMode>"),
        _with(b"<stream stream_id='x'><label>a b</label></stream>"),
        _with(b"<stream stream_id='x'><label></label></stream>"),
        _with(b"<participant participant_id='x'/><participant participant_id=' x '/>"),
        _with(b"<session session_id='x'/><session session_id='x'/>"),
        _with(b"<participant id='x' session='1'/><participant id='x' session='1'/>"),
        b"<!DOCTYPE recording>" + PARTIAL[PARTIAL.index(b"<recording") :],
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_not_quoted(wrong: bytes) -> None:
    with pytest.raises(MetadataError) as refused:
        edit(wrong, open_names())
    assert "canary" not in str(refused.value)


def test_a_participant_may_stand_in_two_sessions_of_broadworks() -> None:
    twice = _with(b"<participant id='x' session='1'/><participant id='x' session='2'/>")
    one, other = attributes(edit(twice, names()).body, "participant", "id")
    assert one == other


@pytest.mark.parametrize(
    "display",
    [
        "&lt;/name&gt;&lt;/nameID&gt;&lt;nameID aor=&quot;sip:evil@x&quot;/&gt;&lt;name&gt;",
        "&quot; onload=&quot;x",
        "&amp;lt;name&amp;gt;",
        "]]&gt;&lt;!ENTITY",
        "<![CDATA[</name><participant participant_id='evil'/>]]>",
    ],
)
def test_a_display_name_does_not_become_markup(display: str) -> None:
    body = RFC.replace(b"Alice Canary", display.encode())
    edited = edit(body, names({ALICE: OPEN})).body
    assert len(elements(edited, "nameID")) == len(elements(edited, "participant")) == 2
    assert texts(edited, "name") == [element.text for element in elements(body, "name")[:1]]
    assert all(set(element.attributes) <= {("", "aor")} for element in elements(edited, "nameID"))


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "iso-8859-1"])
def test_a_charset_beside_the_media_type_counts(charset: str) -> None:
    with pytest.raises(MetadataError):
        edit(RFC, names(), charset)


def test_the_metadata_of_makers_lose_their_people_and_keep_their_structure() -> None:
    """Of another licence: read where they stand beside the project."""
    for path in MAKERS.glob("*offer*.txt"):
        found = re.search(rb"<\?xml.*?</(?:\w+:)?recording>", path.read_bytes(), re.DOTALL)
        if found is None:
            continue  # one whose tags the collector took away
        body = found[0]
        edited = edit(body, names()).body
        told = list(attributes(body, "nameID", "aor")) + [name for name in texts(body, "name") if name.strip()]
        assert not [one for one in told if one.encode() in edited], path.name
        assert texts(edited, "label") == texts(body, "label"), path.name
        assert len(elements(edited, "participant")) == len(elements(body, "participant")) > 0, path.name


def test_names_of_nobody_are_strict() -> None:
    assert edit(RFC, Names(lambda uri: STRICT, lambda value: b"")).body.count(b"anonymous.invalid") == 2


def whole(inside: str) -> bytes:
    """Return complete metadata in RFC 7865's words."""
    return f"<recording xmlns='{NS}'><datamode>complete</datamode>{inside}</recording>".encode()


NUMBER = b"sip:+15550123@example.net"
TWO_NAMES = whole(
    "<participant participant_id='a'><nameID aor='sip:+15550123@example.net'><name>Alice Canary</name></nameID>"
    "<nameID aor='sip:acanary@example.com'><name>A. Canary</name></nameID></participant>"
    "<participant participant_id='b'><nameID aor='sip:bob@192.0.2.44'><name>Bob Canary</name></nameID></participant>"
    "<participantsessionassoc participant_id='a' session_id='s'><param pname='reg-id' pval='1'/>"
    "</participantsessionassoc>"
)


def test_who_hides_one_address_hides_all_that_stand_beside_it() -> None:
    """RFC 7865 §6.7: a participant may have several. The other one says who that is, and so does its name."""
    edited = edit(TWO_NAMES, names({NUMBER: STRICT}, OPEN)).body
    assert b"15550123" not in edited
    assert b"acanary" not in edited
    assert b"A. Canary" not in edited
    assert b"reg-id" not in edited
    assert texts(edited, "name") == ["Bob Canary"]
    assert attributes(edited, "nameID", "aor")[2] == "sip:bob@192.0.2.44"
    edited = edit(TWO_NAMES, open_names()).body
    assert len(texts(edited, "name")) == 3


def test_who_is_named_twice_is_told_as_the_strictest_has_it() -> None:
    """By one identifier in two sessions, or by one address under two identifiers."""
    again = whole(
        "<participant id='a' session='1'><aor>sip:+15550123@example.net</aor></participant>"
        "<participant id='a' session='2'><aor>sip:acanary@example.com</aor></participant>"
        "<participant id='c' session='2'><nameID aor='sip:acanary@example.com'><name>A. Canary</name></nameID>"
        "</participant>"
    )
    edited = edit(again, names({NUMBER: STRICT}, OPEN)).body
    assert b"canary" not in edited.lower()
    assert b"15550123" not in edited


@pytest.mark.parametrize(
    ("element", "value"),
    [("dialedDigits", "5550123"), ("calledPartyNumber", "sip:5550123@pbx.example;user=phone"), ("userID", "alice@pbx")],
)
def test_what_may_be_another_word_for_who_hides_is_not_told(element: str, value: str) -> None:
    """The digits that were dialled are those of somebody who takes part, and hides, as a rule."""
    body = BROADWORKS.replace(b"<secret>canary</secret>", f"<{element}>{value}</{element}>".encode())
    user = value.removeprefix("sip:").partition("@")[0].encode()
    assert b">" + user not in edit(body, names({ALICE: STRICT}, OPEN)).body.replace(b"sip:", b"")
    assert user in edit(body, open_names()).body
    alone = whole(
        "<extensiondata id='x'><broadWorksRecordingMetadata xmlns='http://schema.broadsoft.com/broadworksCallRecording'>"
        f"<{element}>{value}</{element}></broadWorksRecordingMetadata></extensiondata>"
    )
    assert user not in edit(alone, open_names()).body, "nobody says whose it is"


def test_the_headers_of_an_extension_tell_what_their_participants_tell() -> None:
    edited = edit(SONUS, names({b"sip:2025558500@192.0.2.55": STRICT}, OPEN)).body
    assert b"8500" not in edited
    assert b"2025558012" not in edited, "no participant is called so: it may be the one who hides"
    assert b"8500" in edit(SONUS, open_names()).body.replace(b"2025558500@", b"8500@")


def test_only_who_asks_for_a_snapshot_says_why() -> None:
    """A recorder does; in what a client writes it would be a text about anybody."""
    body = whole("<requestreason>Alice Canary called</requestreason>")
    assert b"Canary" not in edit(body, open_names()).body
    assert texts(edit(SNAPSHOT, names()).body, "requestreason") == ["restarted"]


@pytest.mark.parametrize("pval", ["Alice Canary", "+15550123", "15550123", "x" * 201])
@pytest.mark.parametrize("pname", ["audio", "class", "events", "methods", "extensions", "priority"])
def test_a_feature_tag_has_no_room_for_a_name(pname: str, pval: str) -> None:
    body = RFC.replace(b'<param pname="audio"/>', f'<param pname="{pname}" pval="{pval}"/>'.encode())
    assert pval.encode() not in edit(body, names()).body


ACD = MetadataExtension(
    namespace="urn:example:acd", structure=("call",), texts=("queue",), addresses=("agent",), identifiers=("ref",),
    calls=("callid",),
)  # fmt: skip
EXTENDED = TWO_NAMES.replace(
    b"</recording>",
    b"<call xmlns='urn:example:acd' kind='canary'><queue>Sales</queue><agent>sip:acanary@example.com</agent>"
    b"<ref>7-canary</ref><callid>canary@192.0.2.1</callid><other>canary</other></call></recording>",
)


@pytest.mark.parametrize(("name", "told"), [("Desk 5550123", False), ("Desk 12", True)])
def test_a_name_has_no_digits_of_another_address_that_is_hidden(name: str, told: bool) -> None:
    """It stands beside an address without any."""
    body = TWO_NAMES.replace(b"A. Canary", name.encode())
    edited = edit(body, names({NUMBER: OPEN._replace(number=Action.REMOVE)}, OPEN)).body
    assert (name in texts(edited, "name")) is told
    pseudonym = OPEN._replace(number=Action.REMOVE, name=Action.PSEUDONYMISE)
    assert [each[:12] for each in texts(edit(body, names({NUMBER: pseudonym}, OPEN)).body, "name")[:2]] == [
        "Participant ", "Participant ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pname", "pval", "told"),
    [
        ("+sip.instance", '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"', True),
        ("+sip.instance", "<urn:gsma:imei:90420156-025763-0>", True),
        ("+sip.instance", "Alice Canary", False),
        ("+sip.instance", "<urn:x:sip:+15550123@example.net>", False),
        ("reg-id", "1", True),
        ("reg-id", "15550123", False),
        ("+g.3gpp.icsi-ref", "urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel", True),
        ("+g.3gpp.smsip", "Alice", False),
    ],
)
def test_a_device_is_told_by_what_tells_one(pname: str, pval: str, told: bool) -> None:
    """Who shows it may hide name and number."""
    escaped = pval.replace("<", "&lt;").replace('"', "&quot;")
    body = RFC.replace(b'<param pname="audio"/>', f'<param pname="{pname}" pval="{escaped}"/>'.encode())
    edited = edit(body, names({ALICE: STRICT._replace(device=KEEP)})).body
    assert (pval in attributes(edited, "param", "pval")) is told


def test_what_an_operator_lets_pass_passes_and_nothing_else() -> None:
    """Each as it was said of it: an address as settings have it, identifiers under pseudonyms, attributes never."""
    edited = edit(EXTENDED, names({NUMBER: STRICT}, OPEN), further=further([ACD])).body
    assert texts(edited, "queue") == ["Sales"]
    assert texts(edited, "agent")[0].endswith("@anonymous.invalid"), "a participant who hides under another address"
    assert texts(edited, "agent") == [attributes(edited, "nameID", "aor")[1]]
    assert b"canary" not in edited.lower().replace(b"bob canary", b"")
    assert texts(edited, "ref") == texts(edit(EXTENDED, names(), further=further([ACD])).body, "ref") != ["7-canary"]
    assert b"urn:example:acd" not in edit(EXTENDED, open_names()).body, "strict by default"
    real = edit(EXTENDED, open_names(real_ids=True), further=further([ACD])).body
    assert texts(real, "callid") == ["canary@192.0.2.1"]
    assert texts(real, "agent") == ["sip:acanary@example.com"]


@pytest.mark.parametrize(
    "text",
    [
        "Sales for Alice",
        "of \uff21lice",
        "Smith",
        "CANARY",
        "call 0123",
        "\u0660\u0661\u0662\u0663",
        "acanary's",
        "x" * 257,
        "a\u202eb",
    ],
)
def test_a_text_that_tells_of_who_hides_does_not_pass(text: str) -> None:
    body = EXTENDED.replace(b">Sales<", f">{text}<".encode()).replace(b"acanary@", b"alice.smith%2ecanary@")
    assert texts(edit(body, names({NUMBER: STRICT}, OPEN), further=further([ACD])).body, "queue") == []


def test_a_makers_own_identifiers_of_calls_are_call_ids_too() -> None:
    """Told where these may be; else pseudonyms that hold for the session."""
    real = edit(BROADWORKS, open_names(real_ids=True)).body
    assert texts(real, "callID") == ["callhalf-7948894825:0"]
    assert texts(real, "extTrackingID") == ["8028549:1"]
    assert texts(edit(SONUS, open_names(real_ids=True)).body, "gcid") == ["241205267"]
    assert b"7948894825" not in edit(BROADWORKS, open_names()).body
    long = BROADWORKS.replace(b"callhalf-", b"x" * 600)
    assert texts(edit(long, open_names(real_ids=True)).body, "callID") == []
