"""What may stand in recording metadata, and what each field tells: the allow-list of the metadata editor.

RFC 7865 §9, with the forms of Acme/Oracle, Sonus/Ribbon and BroadWorks. Like the catalogue of header fields it is
data: what is not in it does not pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from config.recording_section import MetadataExtension


class Told(Enum):
    """What a text or an attribute tells, which decides what becomes of it."""

    NOTHING = "no text of its own"
    WORD = "one of a few words"
    ID = "an identifier that other elements refer to"
    ADDRESS = "an address of record or a number"
    HEADER = "the value of a From or To header"
    NAME = "the display name beside an address of record"
    TIME = "when"
    SESSION = "a Call-ID or session identifier"
    CALL = "a maker's own identifier of a call"
    LABEL = "the label of a stream, as in the session description"
    CAUSE = "why a session ended"
    TEXT = "what a recorder says of itself, when it asks for a snapshot"
    OTHER = "something that the operator lets pass, of no participant"
    LANGUAGE = "a language"


class Field(NamedTuple):
    """An element that may pass."""

    text: Told = Told.NOTHING
    attributes: Mapping[str, Told] = {}
    words: re.Pattern[str] | None = None
    """Of Told.WORD: what may stand there, in text and attributes."""
    needed: bool = False
    """Whether without its word nobody knows what the whole means."""


SPACES: Final = frozenset((
    "urn:ietf:params:xml:ns:recording:1",  # RFC 7865 §6
    "urn:ietf:params:xml:ns:recording",    # Acme, Sonus
    "urn:ietf:params:xml:ns:siprec",       # BroadWorks
))  # fmt: skip
"""One vocabulary, under three names; standards.md §0 F7."""
RECORDING: Final = ""
"""Stands for all of SPACES in FIELDS."""
ACME: Final = "http://acmepacket.com/siprec/extensiondata"
SONUS: Final = "urn:ietf:params:xml:ns:callData"
BROADWORKS: Final = "http://schema.broadsoft.com/broadworksCallRecording"
ROOTS: Final = frozenset(("recording", "recording_metadata", "requestsnapshot"))
DEFINED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "group": ("group_id", "id"), "session": ("session_id", "id"), "participant": ("participant_id", "id"),
    "stream": ("stream_id", "id"),
}  # fmt: skip
"""Elements that an identifier is of, and how they call it: RFC 7865, its drafts."""

_STRUCTURE: Final = Field()
_IDENTIFIER: Final = Field(Told.ID)
_ADDRESS: Final = Field(Told.ADDRESS)
_TIME: Final = Field(Told.TIME)
_CALL: Final = Field(Told.CALL)


def _ids(*names: str) -> Field:
    return Field(Told.NOTHING, dict.fromkeys(names, Told.ID))


def _word(pattern: str, *attributes: str, text: Told = Told.WORD) -> Field:
    return Field(text, dict.fromkeys(attributes, Told.WORD), re.compile(pattern, re.IGNORECASE))


FIELDS: Final[Mapping[tuple[str, str], Field]] = {
    # RFC 7865 §9; BroadWorks' `recording` is no root and has an id
    (RECORDING, "recording"): _ids("id"),
    (RECORDING, "recording_metadata"): _STRUCTURE,
    (RECORDING, "requestsnapshot"): _STRUCTURE,
    (RECORDING, "requestreason"): Field(Told.TEXT),
    (RECORDING, "datamode"): _word("complete|partial")._replace(needed=True),
    (RECORDING, "dataMode"): _word("complete|partial")._replace(needed=True),
    (RECORDING, "group"): _ids("group_id", "id"),
    (RECORDING, "session"): _ids("session_id", "id", "group"),
    (RECORDING, "participant"): _ids("participant_id", "id", "session"),
    (RECORDING, "stream"): _ids("stream_id", "session_id", "id", "session"),
    (RECORDING, "sessionrecordingassoc"): _ids("session_id"),
    (RECORDING, "participantsessionassoc"): _ids("participant_id", "session_id"),
    (RECORDING, "participantstreamassoc"): _ids("participant_id"),
    (RECORDING, "nameID"): Field(Told.NOTHING, {"aor": Told.ADDRESS}),
    (RECORDING, "name"): Field(Told.NAME, {"lang": Told.LANGUAGE}),
    (RECORDING, "group-ref"): _IDENTIFIER,
    (RECORDING, "send"): _IDENTIFIER,
    (RECORDING, "recv"): _IDENTIFIER,
    (RECORDING, "sipSessionID"): Field(Told.SESSION),
    (RECORDING, "reason"): Field(Told.CAUSE),
    (RECORDING, "label"): Field(Told.LABEL),
    (RECORDING, "associate-time"): _TIME,
    (RECORDING, "disassociate-time"): _TIME,
    (RECORDING, "start-time"): _TIME,
    (RECORDING, "stop-time"): _TIME,
    (RECORDING, "param"): _STRUCTURE,  # its pname and pval: `metadata`
    # drafts of RFC 7865 that Acme and BroadWorks write
    (RECORDING, "mode"): _word("separate|mixed"),
    (RECORDING, "requestor"): _word("SRC|SRS"),
    (RECORDING, "type"): _word("selective|persistent"),
    (RECORDING, "initiator"): _ADDRESS,
    (RECORDING, "aor"): _ADDRESS,
    (RECORDING, "id"): _IDENTIFIER,
    (RECORDING, "extensiondata"): _ids("id", "parent"),
    (ACME, "callingParty"): _word("true|false"),
    (ACME, "callerOrig"): _word("true|false"),
    (ACME, "ucid"): _CALL,
    (SONUS, "callData"): _STRUCTURE,
    (SONUS, "fromhdr"): Field(Told.HEADER),
    (SONUS, "tohdr"): Field(Told.HEADER),
    (SONUS, "callid"): Field(Told.SESSION),
    (SONUS, "gcid"): _CALL,
    (BROADWORKS, "broadWorksRecordingMetadata"): _word(
        r"\d{1,2}(\.\d{1,2})?", "version", "schemaVersion", text=Told.NOTHING
    ),
    (BROADWORKS, "extTrackingID"): _CALL,
    (BROADWORKS, "serviceProviderID"): _IDENTIFIER,  # of the enterprise and its office: names, told as pseudonyms
    (BROADWORKS, "groupID"): _IDENTIFIER,
    (BROADWORKS, "userID"): _ADDRESS,
    (BROADWORKS, "callID"): _CALL,
    (BROADWORKS, "callType"): _STRUCTURE,
    (BROADWORKS, "origCall"): _STRUCTURE,
    (BROADWORKS, "termCall"): _STRUCTURE,
    (BROADWORKS, "callingPartyNumber"): _ADDRESS,
    (BROADWORKS, "calledPartyNumber"): _ADDRESS,
    (BROADWORKS, "dialedDigits"): _ADDRESS,
    (BROADWORKS, "recordingType"): _word("[a-z-]{1,24}"),
}  # fmt: skip

_YES_OR_NO: Final = r"TRUE|FALSE"
_TOKENS: Final = r"!?[A-Za-z][A-Za-z.-]{0,31}"


def _tags(*kinds: tuple[str, str]) -> Mapping[str, re.Pattern[str]]:
    """Return tags with what their values are; each may stand in quotes, or be left out."""
    return {
        name: re.compile(rf'(?P<q>"?)(?:{value})?(?P=q)', re.IGNORECASE)
        for names, value in kinds
        for name in names.split()
    }


FEATURES: Final = _tags(
    ("audio video text data application control automata isfocus +sip.src +sip.srs", _YES_OR_NO),
    ("duplex", "full|half|receive-only|send-only"), ("mobility", "fixed|mobile"), ("class", "business|personal"),
    ("+sip.rendering", "yes|no|unknown"),
    ("methods events", rf"{_TOKENS}(?:,\s*{_TOKENS}){{0,31}}"),
    ("schemes", r"(?:sips?|tel|im|pres|https?)(?:,\s*(?:sips?|tel|im|pres|https?)){0,7}"),
    ("extensions", r"(?:[a-z][a-z-]{1,31}|100rel|199)(?:,\s*(?:[a-z][a-z-]{1,31}|100rel|199)){0,31}"),
    ("priority", r"#[<>=]?=?\d{1,3}(?:\.\d)?"),
)  # fmt: skip
"""Feature tags of a Contact (RFC 3840, RFC 7866) that tell what a phone can do, and not which one it is; their values
are of a few kinds, in which no number and hardly a name has room."""
Further = Mapping[tuple[str, str], Field]
"""Elements that an operator lets pass besides FIELDS, by namespace and name."""
NO_MORE: Final[Further] = MappingProxyType({})
DEVICES: Final = _tags(
    ("+sip.ice +g.3gpp.smsip", _YES_OR_NO), ("reg-id", r"\d{1,3}"),
    ("+sip.instance", r"<?urn:[a-z0-9-]{2,31}:[a-z0-9:.-]{1,128}>?"),  # RFC 5626 §4.1, RFC 7254
    ("+g.3gpp.icsi-ref", r"urn(?:%3A|:)[a-z0-9.:%,*-]{1,256}"),
)  # fmt: skip
"""Those that tell which one it is, or of what kind."""


def field(space: str, local: str, further: Further = NO_MORE) -> Field | None:
    """Return what an element of this name may hold; None where it may not pass. further: what operators add."""
    key = (RECORDING if space in SPACES else space or "-", local)
    return FIELDS.get(key) or further.get(key)


def further(extensions: Sequence[MetadataExtension]) -> Further:
    """Return what operators let pass besides."""
    found: dict[tuple[str, str], Field] = {}
    for each in extensions:
        kinds = (
            (each.structure, _STRUCTURE), (each.texts, Field(Told.OTHER)), (each.addresses, _ADDRESS),
            (each.identifiers, _IDENTIFIER), (each.calls, _CALL),
        )  # fmt: skip
        found |= {(each.namespace, name): kind for names, kind in kinds for name in names}
    return found
