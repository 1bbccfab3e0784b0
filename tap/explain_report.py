"""An explanation as plain data: what `--json` prints and what the terminal shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from config.vocabulary import Action, Category, Zone
from filters.catalogue import Catalogue
from filters.leaks import Finding, Search
from filters.rulings import Ruling
from proxy.party import Party
from tap.compare import Row, compare, printable
from tap.demo_messages import title
from tap.disclosures import disclosures, whom
from tap.explain import Crossed, Replay, Step
from tap.explain_input import Conversation
from tap.field_facts import facts
from tap.reasons import Reasons

VERSION = 1
"""Of the document's form; a key that goes or changes its meaning makes it greater."""

_DONE = {"changed": "changed", "removed": "removed", "added": "added"}


class Edit(TypedDict):
    """One line that is not what it was."""

    field: str
    action: str
    before: str
    after: str
    categories: list[str]
    level: str
    rule: str
    overrode: list[str]
    why: str
    rfc: str


class Leak(TypedDict):
    """A secret that stands in a message that left."""

    secret: int
    place: str
    form: str


class Forwarded(TypedDict):
    """A message that crossed."""

    to: str
    address: str
    before: str
    after: str
    edits: list[Edit]
    other_reasons: list[str]
    disclosures: list[dict[str, str]]
    leaks: list[Leak]


class Made(TypedDict):
    """A message of the proxy's own."""

    to: str
    address: str
    title: str
    message: str


class Explained(TypedDict):
    """A message that was given."""

    number: int
    title: str
    sender: str
    remarks: list[str]
    forwarded: list[Forwarded]
    made: list[Made]


class Document(TypedDict):
    """A whole explanation."""

    version: int
    remarks: list[str]
    messages: list[Explained]
    secrets: dict[str, Any]


def explain(replay: Replay, given: Conversation, search: Search, catalogue: Catalogue) -> Document:
    """Hand all messages to a replay and return what became of them.

    Raises:
        ExplainError: a message cannot be explained.
    """
    reporter = _Reporter(replay, search, catalogue)
    messages: list[Explained] = []
    for number, one in enumerate(given.messages, 1):
        step = replay.feed(one.data, one.source)
        step.remarks[:0] = one.remarks
        messages.append(reporter.step(number, step))
    leaks = sum(len(crossed["leaks"]) for message in messages for crossed in message["forwarded"])
    verdict = {"searched": len(search.secrets), "left_out": search.left_out(), "leaks": leaks}
    return Document(version=VERSION, remarks=given.remarks, messages=messages, secrets=verdict)


class _Reporter:
    """Writes steps down, and remembers what each side has told of the secrets itself."""

    def __init__(self, replay: Replay, search: Search, catalogue: Catalogue) -> None:
        self._network = replay.network
        self._search = search
        self._catalogue = catalogue
        self._told: dict[str, set[int]] = {}

    def step(self, number: int, step: Step) -> Explained:
        told = self._told.setdefault(step.sender.key, set())
        told.update(finding.secret for finding in self._search(step.given))
        return Explained(
            number=number,
            title=printable(title(step.given)),
            sender=whom(step.sender),
            remarks=step.remarks,
            forwarded=[self._forwarded(crossed) for crossed in step.crossed],
            made=[self._made(to.peer, data) for to, data in step.made],
        )

    def _forwarded(self, crossed: Crossed) -> Forwarded:
        reasons = Reasons(crossed.reasons, self._catalogue)
        rows = [row for row in compare(crossed.received, crossed.sent) if row.kind != "same"]
        decided = {ruling.category: ruling for ruling in crossed.rulings}
        edits = [self._edit(row, reasons, decided) for row in rows]
        return Forwarded(
            to=whom(crossed.receiver),
            address=_address(crossed.to.peer),
            before=_text(crossed.received),
            after=_text(crossed.sent),
            edits=edits,
            other_reasons=list(reasons.rest()),
            disclosures=[one._asdict() for one in disclosures(crossed, self._catalogue, self._network)],
            leaks=[
                Leak(secret=leak.secret + 1, place=leak.place, form=leak.form)
                for leak in self._leaks(crossed.receiver, self._search(crossed.sent))
            ],
        )

    def _edit(self, row: Row, reasons: Reasons, decided: Mapping[Category, Ruling]) -> Edit:
        known = facts(row.field, self._catalogue)
        found = [decided[category] for category in known.categories if category in decided]
        ruling = max(found, key=lambda one: one.action, default=None)
        hidden = ruling is not None and ruling.action is not Action.KEEP
        return Edit(
            field=row.field,
            action=_DONE[row.kind],
            before=row.left,
            after=row.right,
            categories=[category.name.lower() for category in known.categories],
            level=ruling.level.value if ruling and hidden else "",
            rule=ruling.rule if ruling and hidden else "",
            overrode=list(map(str, ruling.overrode)) if ruling and hidden else [],
            why=reasons.take(row.field),
            rfc=known.rfc,
        )

    def _leaks(self, receiver: Party | None, findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings that are leaks: what phones and core get back of what they said themselves is none."""
        if receiver is None:
            return []
        if receiver.zone in (Zone.TRUNK, Zone.PSAP):
            return list(findings)
        told = self._told.get(receiver.key, set())
        return [finding for finding in findings if finding.secret not in told]

    def _made(self, peer: tuple[str, int], data: bytes) -> Made:
        party = self._network.party_of(peer)
        return Made(to=whom(party), address=_address(peer), title=printable(title(data)), message=_text(data))


def _address(peer: tuple[str, int]) -> str:
    host, port = peer
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
