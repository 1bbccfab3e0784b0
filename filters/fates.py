"""What a plan does with each field of the catalogue, without a message: the same compiled plan, asked field by field.

What `filters/plan.py`, `sdp.py` and `bodies.py` edit they say themselves. What the core edits under a plan
(proxy/forward_request.py, asserted.py, claimed.py, references.py) is written down here; tests/filters/test_fates.py
holds each word against what really leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from config.vocabulary import Action, Category, Zone
from filters.catalogue import UNKNOWN, UNKNOWN_BODY, HeaderEntry, Table
from filters.fate import Fate
from filters.plan import CompiledPlan
from filters.sdp import fate_of_attribute, fate_of_line
from proxy.answering import ANSWERING, is_asked
from proxy.claimed import CLAIMS
from proxy.headers import NameAddr
from proxy.pack import ANONYMOUS
from proxy.party import Party, is_phone
from proxy.policy import action, hides
from proxy.verstat import FINDINGS, RESULT

OTHERS = "(any other)"
"""Stands for what no entry names."""


class FieldFate(NamedTuple):
    """One field."""

    section: str
    """Of the catalogue, as in `Catalogue.source`."""
    name: str
    """As its entry is written, globs included; OTHERS for what has no entry."""
    categories: tuple[Category, ...]
    """What it discloses, the one that decides first; none for a function."""
    fate: Fate
    source: str
    """Where it is defined."""


class Case(NamedTuple):
    """The request that a plan is asked about."""

    source: Party
    """Who sends it."""
    hop: Party
    """Who gets it."""
    method: bytes = b"INVITE"
    privacy: bytes = b""
    """Its Privacy header."""
    allowed: tuple[str, ...] = ()
    """Headers outside the catalogue that the hop may see."""


def fates(plan: CompiledPlan, case: Case) -> Iterator[FieldFate]:
    """Yield what becomes of every field of the plan's catalogue, section by section."""
    yield from _headers(plan, case)
    catalogue = plan.catalogue
    for section, table, fate in (
        ("contact-params", catalogue.contact_params, _contact_param),
        ("uri-params", catalogue.uri_params, _uri_param),
    ):
        for name, entry in _entries(table):
            yield _field(plan, section, name, entry, fate(plan, name, entry))
    yield from _description(plan, case)
    yield from _bodies(plan, case)
    for pattern, category in catalogue.patterns.items():
        hidden = Fate.REMOVED if hides(plan.decision, category) else Fate.KEPT
        yield FieldFate("patterns", pattern, (category,), hidden, catalogue.source("patterns", pattern.encode()))


def _entries(table: Table[HeaderEntry]) -> Iterator[tuple[bytes, HeaderEntry]]:
    """Yield names in their order, then globs in the order in which they are tried, then what has no entry."""
    yield from sorted(table.exact.items())
    yield from ((glob.encode(), entry) for glob, entry in table.globs)
    yield OTHERS.encode(), UNKNOWN


def _field(plan: CompiledPlan, section: str, name: bytes, entry: HeaderEntry, fate: Fate) -> FieldFate:
    categories = () if entry.category is None else (entry.category,)
    source = "" if entry is UNKNOWN else plan.catalogue.source(section, name)
    return FieldFate(section, name.decode(), categories, fate, source)


# --- headers


def _headers(plan: CompiledPlan, case: Case) -> Iterator[FieldFate]:
    named = [name.lower().encode() for name in case.allowed]
    own = [(name, UNKNOWN) for name in dict.fromkeys(named) if name not in plan.catalogue.headers.exact]
    for name, entry in (*own, *_entries(plan.catalogue.headers)):
        of_core = None if entry.fixed and not entry.core else _of_core(plan, case, name)
        fate = of_core or plan.fate_of_header(name, entry)
        yield _field(plan, "headers", name, entry, fate)


def _of_core(plan: CompiledPlan, case: Case, name: bytes) -> Fate | None:
    """Return what the core makes of a header; None for one that it leaves to the plan."""
    hidden = hides(plan.decision, Category.NETWORK)
    if name in _ALWAYS:
        return _ALWAYS[name]
    if name in (b"record-route", b"path") and case.source.zone is Zone.ACCESS and not case.source.edge:
        return Fate.REFUSED  # a phone is no proxy
    if name == b"via" and not hidden:
        return Fate.KEPT if plan.keeps_all else Fate.IN_PART
    if name in (b"via", b"record-route", b"path", b"service-route"):
        return Fate.REMOVED if hidden else Fate.KEPT
    if name in (b"contact", b"call-id") and hidden:
        return Fate.SEALED
    if name in (b"from", b"to"):
        return _address(plan, is_from=name == b"from")
    if name == b"refer-to":
        return Fate.IN_PART if hidden or not plan.keeps_all else Fate.KEPT
    if name == b"proxy-require" and (hidden or plan.fulfils_privacy):
        return Fate.PERFORMED
    if case.hop.zone is Zone.PSAP:
        return None
    return Fate.REMOVED if _is_nobodys_word(case, name) else _of_who_calls(plan, case, name)


def _is_nobodys_word(case: Case, name: bytes) -> bool:
    """Tell whether a header says what its sender has no say in."""
    if name in CLAIMS:
        return is_phone(case.source)
    return name in ANSWERING and is_asked(case.source, case.hop)


_ALWAYS = {
    b"route": Fate.OURS, b"max-forwards": Fate.OURS, b"max-breadth": Fate.OURS, b"content-length": Fate.OURS,
    b"cseq": Fate.KEPT, b"content-type": Fate.WITH_BODY,
    b"replaces": Fate.CARRIED, b"join": Fate.CARRIED, b"target-dialog": Fate.CARRIED, b"in-reply-to": Fate.CARRIED,
}  # fmt: skip
"""What the core does whatever is decided."""


def _of_who_calls(plan: CompiledPlan, case: Case, name: bytes) -> Fate | None:
    """Return what becomes of Identity, P-Asserted-Identity, Privacy, and of what `Privacy: user` takes along."""
    if name == b"identity":
        trunk, phone = case.hop.trunk, case.source.zone is Zone.ACCESS
        signs = trunk is not None and trunk.sign and phone and case.method == b"INVITE"
        return Fate.REMOVED if not plan.may_assert else Fate.OURS if signs else Fate.VOUCHED
    if name == b"p-asserted-identity":
        if not plan.may_assert or (not case.hop.trusted and b"header" in case.privacy.lower()):
            return Fate.REMOVED
        if case.source.trusted:
            return Fate.IN_PART
        return Fate.OURS if case.source.zone is Zone.ACCESS else Fate.REMOVED
    if name == RESULT and case.source.zone is not Zone.CORE:
        return Fate.OURS if case.hop.zone is Zone.CORE else Fate.REMOVED
    if name in FINDINGS and not case.source.trusted:
        return Fate.REMOVED
    if plan.fulfils_privacy:
        if name == b"privacy":
            return Fate.OURS if plan.indicates else Fate.PERFORMED
        if name in (b"subject", b"warning") and b"user" in case.privacy.lower():
            return Fate.REMOVED
    return None


_SAMPLE = NameAddr(b'"N"', b"sip:1@host.invalid;line=1", b"")


def _address(plan: CompiledPlan, *, is_from: bool) -> Fate:
    """Return what becomes of From or To: of one that has all that one can have."""
    shown = plan.address(_SAMPLE, b"domain.invalid", is_from=is_from, pseudonym=lambda value: b"token")
    if shown == _SAMPLE:
        return Fate.KEPT
    if shown.uri == ANONYMOUS.uri:
        return Fate.ANONYMOUS
    return Fate.PSEUDONYM if b"token" in shown.uri else Fate.IN_PART


# --- parameters


def _contact_param(plan: CompiledPlan, _: bytes, entry: HeaderEntry) -> Fate:
    if plan.keeps_all:
        return Fate.KEPT
    if entry.category is None and not entry.fixed and plan.takes_form(entry):
        return Fate.FORM if entry.form else Fate.KEPT
    return _disclosing(plan, entry)


def _uri_param(plan: CompiledPlan, name: bytes, entry: HeaderEntry) -> Fate:
    """Say it of the URI of a Contact, From or To; where addresses are hidden, nothing of it stays but `user=phone`."""
    if plan.keeps_all:
        return Fate.KEPT
    if hides(plan.decision, Category.NETWORK) and not entry.fixed:
        return Fate.FORM if name == b"user" else Fate.SEALED
    if entry.category is None and not entry.fixed and plan.takes_form(entry):
        return Fate.FORM if entry.form else Fate.REMOVED
    return _disclosing(plan, entry)


def _disclosing(plan: CompiledPlan, entry: HeaderEntry) -> Fate:
    if entry.fixed:
        return Fate.NEVER
    if entry.category is not None and hides(plan.decision, entry.category):
        return Fate.REMOVED
    return Fate.SWEPT if plan.sweeps else Fate.KEPT


# --- bodies


def _description(plan: CompiledPlan, case: Case) -> Iterator[FieldFate]:
    catalogue, actions = plan.catalogue, _actions(plan)
    whole = plan.fate_of_body(catalogue.bodies.find(b"application/sdp"), case.method)
    passes = whole in (Fate.KEPT, Fate.CLEANED)
    for name, entry in _entries(catalogue.sdp_lines):
        fate = fate_of_line(catalogue, actions, name, sweeps=plan.sweeps) if passes else whole
        yield _field(plan, "sdp.lines", name, entry, fate)
    for name, entry in _entries(catalogue.sdp_attributes):
        fate = fate_of_attribute(entry, actions, name, sweeps=plan.sweeps) if passes else whole
        yield _field(plan, "sdp.attributes", name, entry, fate)


def _bodies(plan: CompiledPlan, case: Case) -> Iterator[FieldFate]:
    table, decision = plan.catalogue.bodies, plan.decision
    globs = [(glob.encode(), entry) for glob, entry in table.globs]
    for name, entry in (*sorted(table.exact.items()), *globs, (OTHERS.encode(), UNKNOWN_BODY)):
        categories = sorted(entry.categories, key=lambda category: not hides(decision, category))
        source = "" if entry is UNKNOWN_BODY else plan.catalogue.source("bodies", name)
        fate = plan.fate_of_body(entry, case.method)
        yield FieldFate("bodies", name.decode(), tuple(categories), fate, source)


def _actions(plan: CompiledPlan) -> dict[Category, Action]:
    return {category: action(plan.decision, category) for category in Category}
