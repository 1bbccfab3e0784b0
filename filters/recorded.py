"""What a recorder gets of a recording session: metadata edited as each participant has it, and then encrypted to it.

Whatever cannot be read, edited or encrypted goes nowhere (NotRecorded). A recorder that Sipveil stands in front of
(`recorder-edge`) gets in clear what came encrypted; it is edited all the same. Neither way has anything to do with a
certificate that does not hold at the time of the message (`expired`); who sent it hears no more than of any other that
does not open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from config.recorder_keys import RecorderKeys
from config.recorders_section import Recorder
from config.recording_section import MetadataExtension
from filters.ber import ValidityError
from filters.bodies import PLAIN_ENCODINGS, media_type
from filters.cms_algorithms import Cipher, KeyTransport
from filters.cms_make import Recipient, recipient
from filters.cms_open import Opener, opener
from filters.forms import FormError
from filters.metadata import edit
from filters.metadata_fields import Further, further
from filters.metadata_names import Names, Treatment, treatment
from filters.metadata_xml import MetadataError
from filters.policy import Policy
from filters.smime import (
    Changed,
    Entity,
    Part,
    Sealing,
    Swapped,
    Unsealed,
    change_parts,
    how_to_handle,
    open_parts,
    seal_parts,
)
from proxy.errors import NotRecorded
from proxy.message import Draft, Message
from proxy.party import Party
from proxy.policy import Private, Session, stricter
from proxy.recording_bodies import ENCRYPTED, BodyReader, holds_recording
from proxy.recording_media import is_silent

METADATA = b"application/rs-metadata"
"""How the types of metadata begin (RFC 7866 §11.3 and its drafts)."""
_WRITTEN = METADATA + b"+xml"
_DESCRIBING = (b"content-description", b"content-language", b"content-location")
_CALL_IDS = (b"session-id", b"cisco-guid")
"""Headers that hold what metadata have as sipSessionID (RFC 7989, RFC 8068 §3): the recorded call's own."""
_UNDECIPHERABLE = 493
"""RFC 3261 §21.4.30."""


class Recorded:
    """All recorders of one generation, with their keys."""

    __slots__ = ("_further", "_openers", "_policy", "_recipients")

    def __init__(
        self, policy: Policy, keys: Mapping[str, RecorderKeys], extensions: Sequence[MetadataExtension] = ()
    ) -> None:
        """Make ready; a recorder without keys gets no metadata. extensions: what operators let pass besides."""
        self._policy = policy
        self._further = further(extensions)
        self._recipients: dict[str, Recipient] = {}
        self._openers: dict[str, tuple[Opener, ...]] = {}
        for name, found in keys.items():
            if found.certificate is not None:
                self._recipients[name] = recipient(found.certificate)
            if found.keys:
                self._openers[name] = tuple([opener(key) for key in found.keys])

    def tell(
        self, draft: Draft, message: Message, source: Party, hop: Party, session: Session, wall: int, private: Private
    ) -> str:  # fmt: skip
        """Edit the metadata in a draft as those have it whom they name; open them first where we stand in front.

        Returns by which key they were opened, as COUNTERS has it; "" where nothing was.

        Args:
            draft: of what the recorder gets.
            message: as it came.
            source: who sends it.
            hop: the recorder.
            session: names of the recording session.
            wall: Unix seconds of the message, of a response those of its request: what is encrypted to a certificate
                that does not hold then is not opened.
            private: what is to be hidden of whom, for it asked for privacy in a call that runs.

        Raises:
            NotRecorded: somebody may not be recorded, or something cannot be read.
        """
        recorder = hop.recorder
        if recorder is None:
            raise NotRecorded("recorder")
        try:
            return self._tell(draft, message, source, hop, session, wall, private)
        except NotRecorded as refusal:
            if refusal.reason != "expired" and recorder.takes_enveloped:
                # What EnvelopedData became on its way is told to nobody: who changes it learns from each answer.
                raise NotRecorded("encryption", _UNDECIPHERABLE) from None
            raise

    def _tell(
        self, draft: Draft, message: Message, source: Party, hop: Party, session: Session, wall: int, private: Private
    ) -> str:  # fmt: skip
        recorder = hop.recorder
        assert recorder is not None  # noqa: S101 -- `tell` has seen to it
        participants, used = _Participants(self._policy, hop, self._policy.wished(message), private), ""
        if not recorder.real_ids:
            for name in _CALL_IDS:
                draft.remove_all(name, "an identifier of the call that is recorded")
        if draft.body:
            if len(draft.find(b"content-type")) > 1:
                raise NotRecorded("metadata")  # one reader takes the first, another the last
            entity = _entity(draft)
            opened = self._opened(entity, recorder, wall) if recorder.role == "recorder-edge" else Unsealed(entity, 0)
            used = _used(opened.places)
            names = Names(participants, session, real_ids=recorder.real_ids)
            edited = _edited(opened.entity, names, self._further, draft.first(b"content-disposition") or b"")
            if edited.number or opened.number:
                draft.body = edited.entity.body
                if edited.entity.content_type != entity.content_type:
                    draft.became(b"content-type", edited.entity.content_type)
                _describe_less(draft)
                draft.note("body", "metadata: of each participant what its settings allow")
        sender = self._policy.sender(message, source, hop) if message.method else None
        participants.check(sender, begins=_begins(message))
        return used

    def seal(self, draft: Draft, hop: Party, wall: int) -> None:
        """Encrypt the metadata in a draft to the recorder.

        Raises:
            NotRecorded: its certificate does not hold, or there is none.
        """
        recorder = hop.recorder
        if recorder is None:
            raise NotRecorded("recorder")
        if not draft.body:
            return
        whom, entity = self._recipients.get(recorder.name), _entity(draft)
        try:
            if recorder.role == "recorder-edge":
                _check_strays(_without_metadata(entity).entity.body, recorder)
                return
            if whom is None:
                if _without_metadata(entity).number:
                    raise NotRecorded("encryption", 500)
                return
            sealing = Sealing((whom,), Cipher(recorder.algorithm), KeyTransport(recorder.key_transport))
            sealed = seal_parts(entity, _is_metadata, sealing, wall)
        except ValidityError:
            raise NotRecorded("expired", 500) from None
        except FormError:  # as which CmsError counts too: all that was made here can be read
            raise NotRecorded("encryption", 500) from None
        if sealed.number:
            draft.body = sealed.entity.body
            if sealed.entity.content_type != entity.content_type:
                position = draft.find(b"content-type")[0]
                line = draft.with_value(position, sealed.entity.content_type)
                draft.settle(position, line, "encrypted to the recorder")
            draft.note("body", "metadata: encrypted to the recorder")
        _check_strays(draft.body, recorder)

    def _opened(self, entity: Entity, recorder: Recorder, wall: int) -> Unsealed:
        openers = self._openers.get(recorder.name, ())
        try:
            return open_parts(entity, openers, wall, unauthenticated=recorder.takes_enveloped)
        except ValidityError:
            raise NotRecorded("expired", _UNDECIPHERABLE) from None
        except FormError:
            raise NotRecorded("encryption", _UNDECIPHERABLE) from None


def _used(places: frozenset[int]) -> str:
    """Return what is counted of the keys that opened a message: whether one was a former one."""
    return ("former" if any(places) else "present") if places else ""


class _Participants:
    """Answers what may be told of whom one message names, and remembers whether all may be recorded."""

    __slots__ = ("_allowed", "_hop", "_policy", "_private", "_wished")

    def __init__(self, policy: Policy, hop: Party, wished: int, private: Private) -> None:
        self._policy, self._hop, self._wished, self._private = policy, hop, wished, private
        self._allowed: list[bool | None] = []

    def __call__(self, uri: bytes) -> Treatment:
        found = self._policy.participant(uri, self._hop)
        self._allowed.append(found.may_be_recorded)
        asked = stricter(self._wished, self._private(self._policy.known_as(uri)))
        return treatment(stricter(found.decision, asked))

    def check(self, sender: bool | None, *, begins: bool) -> None:
        """Refuse a message that names, or comes from, somebody who may not be recorded.

        Where nobody whom it names has said anything, or nobody knows who is recorded, the default decides.

        Args:
            sender: whether who sends it may be.
            begins: whether somebody is recorded from then on.

        Raises:
            NotRecorded: where somebody may not.
        """
        said = [allowed for allowed in (*self._allowed, sender) if allowed is not None]
        if not all(said):
            raise NotRecorded("subscriber")
        if not said and (self._allowed or begins) and not self._policy.anybody_may_be_recorded():
            raise NotRecorded("subscriber")


def _edited(entity: Entity, names: Names, further: Further, disposition: bytes) -> Swapped:
    """Return a body with its metadata edited; disposition is the message's, and a lone body's."""

    def change(part: Part, content_type: bytes, plain: bool) -> Changed | None:
        if part.kind in ENCRYPTED:
            raise NotRecorded("encryption", _UNDECIPHERABLE)  # nobody here can say whom it names
        if not plain:
            raise NotRecorded("metadata")  # compressed or encoded, it may be anything, media in the clear included
        if part.kind.startswith(b"multipart/"):
            return None
        reader = BodyReader()
        reader.read(content_type, part.disposition or (disposition if part.body is entity.body else b""), part.body)
        if not reader.rule and not part.kind.startswith(METADATA):
            return None
        if not part.body:
            raise NotRecorded("metadata")
        charset = media_type(content_type)[1].get(b"charset", b"").decode("latin-1")
        kind = part.kind if part.kind.startswith(METADATA) else _WRITTEN
        return Changed(kind, edit(part.body, names, charset, further).body)

    try:
        return change_parts(entity, change)
    except (FormError, MetadataError):
        raise NotRecorded("metadata") from None


def _is_metadata(part: Part) -> bool:
    return part.kind.startswith(METADATA)


def _without_metadata(entity: Entity) -> Swapped:
    """Return a body with nothing in its parts that are metadata, and how many they are."""
    return change_parts(entity, lambda part, *_: Changed(b"text/plain", b"") if _is_metadata(part) else None)


def _check_strays(body: bytes, recorder: Recorder) -> None:
    """Refuse metadata that stand in no part, or in one that hides what it is: nobody has edited them.

    Raises:
        NotRecorded: there are some; as for all else where who changes EnvelopedData would learn from the answer.
    """
    if holds_recording(body):
        raise NotRecorded("encryption", _UNDECIPHERABLE) if recorder.takes_enveloped else NotRecorded("metadata")


def _describe_less(draft: Draft) -> None:
    """Leave of the headers that describe a body with metadata what they say of a part."""
    why = "describes metadata"
    for name in _DESCRIBING:
        draft.remove_all(name, why)
    first, *others = draft.find(b"content-disposition") or [-1]
    for position in others:
        draft.remove(position, why)
    if first >= 0 and (said := draft.value(first)) != (handled := how_to_handle(said)):
        draft.became(b"content-disposition", handled)


def _begins(message: Message) -> bool:
    """Tell whether somebody is recorded from then on, whoever that is.

    A persistent session (RFC 8068 §3.4) is up before there is anybody; then its media are inactive. Those that know no
    metadata (standards.md §5 R8, R9) have somebody at once.
    """
    return message.method == b"INVITE" and not message.to_tag and not is_silent(message)


def _entity(draft: Draft) -> Entity:
    # A message has no Content-Transfer-Encoding (RFC 3261 §7.4.1), but some obey one.
    places = *draft.find(b"content-encoding"), *draft.find(b"content-transfer-encoding")
    encoding = b", ".join(value for value in map(draft.value, places) if value.lower() not in PLAIN_ENCODINGS)
    return Entity(draft.first(b"content-type") or b"", encoding, draft.body)
