"""A resolved plan as plain data: what `--json` prints and what the terminal shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypedDict

from config.recorder_trunk import recorder_trunks
from config.settings import Settings, Trunk
from config.subscriber import Profile
from config.subscriber_address import AddressError, canonical, forms
from config.subscribers import Knowledge
from config.vocabulary import Zone
from filters.engine import Engine
from filters.fates import Case, fates
from filters.rulings import Overruled, Ruling
from proxy.errors import Refused
from proxy.message import Message
from proxy.party import Party
from proxy.policy import pack
from tap.disclosures import whom
from tap.explain_ends import ExplainError, trunk_named
from tap.explain_rewrite import read
from tap.rule_line import RuleLines

VERSION = 1
"""Of the document's form; a key that goes or changes its meaning makes it greater."""
# RFC 3261 §7.1, §25.1: case counts, and all that are known are written in capitals.
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]*")
_VALUE = re.compile(r"[\x20-\x7e]*")
_WITHIN = frozenset(("ACK", "BYE", "CANCEL", "INFO", "PRACK", "UPDATE"))
_NOBODY = "sip:nobody@nobody.invalid"


class Question(NamedTuple):
    """Whose plan is asked for."""

    trunk: str = ""
    """Empty: the only one for ordinary calls."""
    inward: bool = False
    subscriber: str = ""
    """As an operator writes it; empty: one who has said nothing."""
    method: str = "INVITE"
    privacy: str = ""


class Rule(TypedDict):
    """A rule that spoke."""

    action: str
    level: str
    rule: str
    line: int | None
    """In the configuration; null for what is not written there."""
    built_in: bool
    """Whether the rule is a key of the configuration that is not written there, and so has its default."""


class Decided(Rule):
    """One category, with the rule that decided."""

    category: str
    overrode: list[Rule]


class Field(TypedDict):
    """One field of the catalogue."""

    section: str
    name: str
    compact: str
    categories: list[str]
    fate: str
    source: str


class Document(TypedDict):
    """A whole plan."""

    version: int
    configuration: str
    trunk: str
    direction: str
    source: str
    receiver: str
    method: str
    privacy: str
    subscriber: str
    profile: str
    """`own`, `default`, or `strict` while nobody's settings can be read."""
    remarks: list[str]
    refused: dict[str, object] | None
    """Status and reason, where the proxy would refuse such a request."""
    categories: list[Decided]
    fields: list[Field]


def resolve(settings: Settings, engine: Engine, question: Question, lines: RuleLines, name: str) -> Document:
    """Return the plan for a question; lines, name: of the configuration.

    Raises:
        ExplainError: there is no such trunk, subscriber's address, method or Privacy header.
    """
    return _Resolver(settings, engine, question, lines).document(name)


class _Resolver:
    """One question to one engine."""

    def __init__(self, settings: Settings, engine: Engine, question: Question, lines: RuleLines) -> None:
        self._settings, self._engine, self._question, self._lines = settings, engine, question, lines
        self._trunk = _trunk(settings, question.trunk)
        far, near = Party(Zone.TRUNK, self._trunk), Party(Zone.ACCESS if settings.access is not None else Zone.CORE)
        self._source, self._hop = (far, near) if question.inward else (near, far)
        self._subscriber = _canonical(question.subscriber) if question.subscriber else b""
        self._request = _request(question, self._subscriber)

    def document(self, name: str) -> Document:
        question = self._question
        rulings, refused = self._rulings()
        return Document(
            version=VERSION, configuration=name, trunk=self._trunk.name,
            direction="in" if question.inward else "out", source=whom(self._source), receiver=whom(self._hop),
            method=question.method, privacy=question.privacy, subscriber=self._subscriber.decode(),
            profile=self._profile_word(), remarks=list(self._remarks()),
            refused=None if refused is None else {"status": refused.code, "reason": refused.why},
            categories=[self._decided(ruling) for ruling in rulings],
            fields=list(self._fields(rulings)),
        )  # fmt: skip

    def _rulings(self) -> tuple[tuple[Ruling, ...], Refused | None]:
        """Return who decided what, and why the request would be refused all the same."""
        try:
            rulings = self._engine.rulings(self._request, self._source, self._hop)
        except Refused as refused:
            return (), refused
        try:
            self._engine.decide(self._request, self._source, self._hop)
        except Refused as refused:
            return rulings, refused
        return rulings, None

    def _decided(self, ruling: Ruling) -> Decided:
        return Decided(
            category=ruling.category.name.lower(),
            **self._rule(Overruled(ruling.level, ruling.rule, ruling.action)),
            overrode=list(map(self._rule, ruling.overrode)),
        )

    def _rule(self, one: Overruled) -> Rule:
        line = self._lines(one.rule)
        return Rule(
            action=one.action.name.lower(), level=one.level.value, rule=one.rule,
            line=line, built_in=line is None and self._lines.is_key(one.rule),
        )  # fmt: skip

    def _fields(self, rulings: tuple[Ruling, ...]) -> Iterator[Field]:
        if not rulings:
            return
        plan = self._engine.plan(pack({ruling.category: ruling.action for ruling in rulings}), self._hop)
        allowed = self._hop.trunk.allow_headers if self._hop.trunk is not None else ()
        method, privacy = self._question.method.encode(), self._question.privacy.encode()
        short = {name: letter.decode() for letter, name in plan.catalogue.compact.items()}
        for one in fates(plan, Case(self._source, self._hop, method, privacy, allowed)):
            yield Field(
                section=one.section, name=one.name,
                compact=short.get(one.name.encode(), "") if one.section == "headers" else "",
                categories=[category.name.lower() for category in one.categories],
                fate=one.fate.value, source=one.source,
            )  # fmt: skip

    # --- the subscriber

    def _profile(self) -> Profile | None:
        realms = tuple(realm.lower().encode() for realm in self._settings.own_realms)
        return self._engine.subscribers.find(*forms(self._subscriber, realms))

    def _profile_word(self) -> str:
        if self._engine.subscribers.knowledge is Knowledge.UNKNOWN:
            return "strict"
        return "default" if self._profile() is None else "own"

    def _remarks(self) -> Iterator[str]:
        yield from self._about_the_subscriber()
        method = self._question.method
        if method in _WITHIN:
            yield f"{method} comes within a dialog, which obeys what its first request did; this is for one outside"
        if self._trunk.emergency:
            yield f"an emergency call goes to {self._trunk.name} complete, less credentials for our own realms"

    def _about_the_subscriber(self) -> Iterator[str]:
        if self._engine.subscribers.knowledge is Knowledge.UNKNOWN:
            yield "subscribers' settings cannot be read: everybody gets the strict profile"
            return
        profile = self._profile()
        if not self._subscriber:
            yield "for a subscriber who has said nothing: the default profile; name one with --subscriber"
        elif self._settings.subscribers is None:
            yield "the configuration has no [subscribers]: everybody has the default profile"
        elif profile is None:
            yield "this subscriber is not in the store, and so has the default profile"
        elif self._question.inward:
            yield "what the subscriber has said is about the other direction: what trunks see"
        if profile is not None and profile.telemarketer:
            yield "a telemarketer: the number is never withheld"
        if profile is not None and profile.rejects_anonymous:
            yield "calls to this subscriber without a number are refused with 433"


def _trunk(settings: Settings, name: str) -> Trunk:
    if name:
        recorder = next((each for each in recorder_trunks(settings) if each.name == name), None)
        return recorder or trunk_named(settings, name)
    ordinary = [trunk for trunk in settings.trunks if not trunk.emergency] or list(settings.trunks)
    if not ordinary:
        raise ExplainError("the configuration has no trunk")
    if len(ordinary) > 1:
        raise ExplainError(f"say which trunk: --trunk {' or '.join(trunk.name for trunk in settings.trunks)}")
    return ordinary[0]


def _canonical(address: str) -> bytes:
    try:
        return canonical(address)
    except AddressError as error:
        raise ExplainError(f"the subscriber {error}") from None


def _request(question: Question, subscriber: bytes) -> Message:
    """Return a request outside dialogs as the subscriber would send it, or get it."""
    if not _METHOD.fullmatch(question.method):
        raise ExplainError('a method is written in capitals, such as "INVITE"')
    if not _VALUE.fullmatch(question.privacy):
        raise ExplainError('what a caller asks for is written as in a Privacy header, such as "id;header"')
    named = subscriber.decode()
    theirs = (f"sip:{named}" if "@" in named else f"tel:{named}") if named else _NOBODY
    caller, called = (_NOBODY, theirs) if question.inward else (theirs, _NOBODY)
    lines = [
        f"{question.method} {called} SIP/2.0", "Via: SIP/2.0/UDP nobody.invalid;branch=z9hG4bKplan",
        f"From: <{caller}>;tag=plan", f"To: <{called}>", "Call-ID: plan", f"CSeq: 1 {question.method}",
        *([f"Privacy: {question.privacy}"] if question.privacy else []), "Content-Length: 0", "", "",
    ]  # fmt: skip
    request = read("\r\n".join(lines).encode())
    if request is None:
        raise ExplainError("such a request cannot be written")
    return request
