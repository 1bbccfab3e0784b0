"""What a plan is said to do with each field of the catalogue, held against what a core with this plan does with it.

One message a field, whose value stands nowhere else; through the real core, from a phone to a trunk and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from config.vocabulary import Action, Category, Zone
from filters.catalogue import UNKNOWN, load_catalogue
from filters.fate import Fate
from filters.fates import OTHERS, Case, FieldFate, fates
from filters.generalise import generalised
from filters.plan import CompiledPlan
from filters.zones import Towards
from proxy.message import Message
from proxy.party import Party
from proxy.policy import KEEP_ALL, hides, pack
from tests import world
from tests.agents import ALICE, CARRIER, Agent, read
from tests.filters.test_signer import CALLER
from tests.filters.test_signer import world as signing
from tests.plantings import CORE_READS
from tests.world import CORE, SETTINGS, TRUNK, World

CANARY = b"kqcanaryvx"
CATALOGUE = load_catalogue()
OPEN = {category.name.lower(): "keep" for category in Category}
SOME = OPEN | {
    "name": "anonymise", "location": "generalise", "software": "generalise", "unknown": "remove", "status": "remove",
}  # fmt: skip
VALUES = {"mac": b"00:1b:21:12:34:56", "address": b"10.9.8.7", "letters": b"x@BJC.BGI.A.B", "imei": b"490154203237518",
          "uuid": b"00000000-0000-1000-8000-001b21123456", "push-token": b"pn-tok=abc"}  # fmt: skip
SDP = "v=0|o=- 1 1 IN IP4 192.0.2.9|s=-|c=IN IP4 198.51.100.1|t=0 0|m=audio 4000 RTP/AVP 0|"
BODIES = {
    "sdp": SDP, "sdpfrag": "a=mid:0|", "sipfrag": "SIP/2.0 200 OK|", "dtmf-relay": "Signal=1|Duration=100|",
    "dtmf": "1", "message-summary": "Messages-Waiting: yes|", "media-control": "<picture_fast_update/>",
    "multipart": f"--b|Content-Type: application/sdp||{SDP}|--b--|",
    "cpim": f"From: <im:a@b>||Content-Type: application/sdp||{SDP}",
}  # fmt: skip
ELSEWHERE = {one.decode() for one in CORE_READS} - {"require", "content-encoding", "content-disposition"}
"""Headers that mean something to the core: they have tests of their own below."""
CORE_READS_OF_URI = frozenset(("transport", "maddr", "ttl", "method", "user", "lr"))


class Setup(NamedTuple):
    """A policy, and the request that it is asked about."""

    changes: dict[str, Any]
    trunk: Mapping[str, Any] = MappingProxyType({})
    privacy: bytes = b""
    inward: bool = False
    method: bytes = b"INVITE"
    near: Zone = Zone.ACCESS
    """Which side of ours it comes from, or goes to."""


SETUPS = {
    "strict": Setup({}),
    "trusted": Setup({}, {"trusted": True}),
    "open": Setup({"privacy": {"default": OPEN}}),
    "some": Setup({"privacy": {"default": SOME}}),
    "some, seal": Setup({"privacy": {"default": SOME | {"network": "seal"}}}, {"trusted": True}),
    "user": Setup({"privacy": {"default": OPEN}}, privacy=b"user"),
    "header alone": Setup({"privacy": {"default": OPEN}}, privacy=b"header"),
    "header": Setup({"privacy": {"default": OPEN}}, privacy=b"header;id"),
    "whole": Setup({"privacy": {"default": OPEN | {"content": "remove"}}}, {"refuse_bodies": True}),
    "message": Setup({}, method=b"MESSAGE"),
    "in": Setup({}, inward=True),
    "in, trusted": Setup({}, {"trusted": True}, inward=True),
    "from the core": Setup({}, near=Zone.CORE),
    "from the core, trusted": Setup({}, {"trusted": True}, near=Zone.CORE),
    "to the core": Setup({}, near=Zone.CORE, inward=True),
    "to the core, trusted": Setup({}, {"trusted": True}, near=Zone.CORE, inward=True),
}


class Probe:
    """A world with a policy, and the plan that is in force in it."""

    def __init__(self, setup: Setup) -> None:
        trunk = {**SETTINGS["trunks"][0], "allow_headers": ["X-Ticket"], **setup.trunk}
        routes = [{"source": "trunk", "to": [setup.near.value]}, {"source": setup.near.value, "to": ["carrier"]}]
        guard = {"subscriber_calls": 60_000, "subscriber_messages": 60_000}  # all within one moment
        changes = {"trunks": [trunk, *SETTINGS["trunks"][1:]], "routes": routes, "guard": guard} | setup.changes
        self.world, self.setup = World(world.settings(**changes)), setup
        far = Party(Zone.TRUNK, self.world.settings.trunks[0])
        ours = ALICE if setup.near is Zone.ACCESS else Agent(CORE, b"alice")
        self.agent, self.address = (CARRIER, ours.address) if setup.inward else (ours, TRUNK)
        source, hop = (far, Party(setup.near)) if setup.inward else (Party(setup.near), far)
        engine = self.world.privacy
        decision = engine.decide(read(self.request()), source, hop)
        self.plan: CompiledPlan = engine.plan(decision, hop)
        case = Case(source, hop, setup.method, setup.privacy, () if setup.inward else ("X-Ticket",))
        self.fields = {(one.section, one.name): one for one in fates(self.plan, case)}
        self._count = 0

    def request(self, *lines: bytes, body: bytes = b"", contact: bytes = b"", method: bytes = b"") -> bytes:
        privacy = (b"Privacy: " + self.setup.privacy,) if self.setup.privacy else ()
        uri = b"sip:alice@10.1.1.23:5062" if self.setup.inward else b"sip:+15550100@192.0.2.1"
        data = self.agent.request(
            method or self.setup.method, uri, headers=(*lines, *privacy), body=body, contact=not contact
        ).data
        data = data.replace(b"To: <", b'To: "N" <', 1)
        head, _, rest = data.partition(b"\r\n")
        return head + b"\r\n" + (b"Contact: " + contact + b"\r\n" if contact else b"") + rest

    def sent(self, *lines: bytes, **changes: bytes) -> Message | None:
        """Return what the far side gets of a request; None for nothing, since it was refused."""
        self._count += 1
        data = self.request(*lines, **changes).replace(b"z9hG4bKone", b"z9hG4bK%d" % self._count)
        data = data.replace(b"call-1@", b"call-%d@" % self._count)
        left = self.world.receive(self.agent.address, data)
        return next((read(one) for address, one in left if address == self.address), None)

    def fate(self, section: str, name: str) -> Fate:
        return self.fields[section, name].fate


@cache
def probe(name: str) -> Probe:
    return Probe(SETUPS[name])


def each(of: Probe, section: str) -> list[tuple[bytes, FieldFate]]:
    """Return a name that a message may have for each entry of a section, with what is said of it."""
    found = []
    for (its, name), one in of.fields.items():
        unnamed = b"nobody/knows" if section == "bodies" else b"nobodyknows"
        example = unnamed if name == OTHERS else name.replace("*", "q").encode()
        if its == section:
            found.append((example, one))
    return found


everywhere = pytest.mark.parametrize("setup", SETUPS)
outward = pytest.mark.parametrize(
    "setup", ["strict", "trusted", "open", "some", "some, seal", "header", "from the core"]
)


# --- headers


@everywhere
def test_headers(setup: str) -> None:
    of = probe(setup)
    for name, one in each(of, "headers"):
        if one.name in ELSEWHERE or (one.name == "identity" and one.fate is Fate.VOUCHED):
            continue
        got = of.sent(name + b": " + CANARY)
        value = b", ".join(got.values(name)) if got and name in got.index else None
        expected = {
            Fate.KEPT: CANARY, Fate.SWEPT: CANARY, Fate.REMOVED: None, Fate.NEVER: None, Fate.PERFORMED: None,
        }  # fmt: skip
        if one.fate in expected:
            assert value == expected[one.fate], one
            continue
        if one.fate is Fate.FORM:
            assert CANARY not in (value or b""), one
        elif one.fate is Fate.GENERALISED:
            assert value == generalised(name, CANARY), one
        elif one.fate is Fate.PARTY:
            got = of.sent(name + b': "%b" <sip:kept@%b.example?Subject=%b>' % (CANARY, CANARY, CANARY))
            assert got
            hosts = b"%b.example" % CANARY, b"192.0.2.1:5060"
            hidden = [hides(of.plan.decision, category) for category in (Category.NAME, Category.NETWORK)]
            display = b"" if hidden[0] else b'"%b" ' % CANARY
            assert got.values(name) == [b"%b<sip:kept@%b>" % (display, hosts[hidden[1]])], one
        elif one.fate is Fate.OURS:
            assert value or one.name == "p-sipveil-verstat", one  # nothing is verified here
            assert CANARY not in (value or b""), one
        else:
            assert (one.name, one.fate) in PARTLY, one


PARTLY = {(name, Fate.IN_PART) for name in ("supported", "p-asserted-identity", "authorization", "proxy-authorization")}
"""What the test of a single value cannot tell: see below."""


def test_what_passes_in_part() -> None:
    of = probe("some")
    assert of.fate("headers", "authorization") is Fate.IN_PART
    ours, theirs = (b'Authorization: Digest username="a", realm="%b"' % one for one in (b"sip.example.net", b"x"))
    got = of.sent(ours, theirs)
    assert got
    assert [line for line in got.lines if line.startswith(b"Authorization")] == [theirs]
    assert of.fate("headers", "supported") is Fate.FORM
    got = of.sent(b"Supported: timer, from-change, " + CANARY)
    assert got
    assert got.values(b"supported") == [b"timer"]


def test_generalised_fields_keep_their_coarse_part() -> None:
    of = probe("some")
    assert of.fate("headers", "user-agent") is Fate.GENERALISED
    got = of.sent(b"User-Agent: Soft/" + CANARY)
    assert got
    assert got.values(b"user-agent") == [b"Soft"]


@everywhere
def test_swept_fields_lose_what_a_hidden_pattern_is_in(setup: str) -> None:
    """The patterns, one by one, in a header that is let through; and that one is the only kept one."""
    of = probe(setup)
    carrier, kept = ("p-charge-info", "headers") if of.setup.inward else ("x-ticket", "headers")
    if of.fate(kept, carrier) not in (Fate.KEPT, Fate.SWEPT):
        return
    for name in CATALOGUE.patterns:
        got = of.sent(carrier.encode() + b": a " + VALUES[name])
        assert got
        assert (carrier.encode() not in got.index) is (of.fate("patterns", name) is Fate.REMOVED), name
        assert of.fate("patterns", name) is Fate.KEPT or of.fate(kept, carrier) is Fate.SWEPT


@everywhere
def test_addresses(setup: str) -> None:
    """From and To."""
    of = probe(setup)
    given = read(of.request())
    got = of.sent()
    assert got
    for name, one, other in (("from", given.from_, got.from_), ("to", given.to, got.to)):
        fate = of.fate("headers", name)
        if fate is Fate.ANONYMOUS:
            assert other.uri == b"sip:anonymous@anonymous.invalid"
        elif fate is Fate.KEPT:
            assert other[:2] == one[:2]
        else:
            assert fate is Fate.IN_PART
            assert other.uri.partition(b"@")[0] == one.uri.partition(b"@")[0]
            assert other[:2] != one[:2]


def test_pseudonyms() -> None:
    """What only a subscriber may ask for."""
    decision = pack({Category.NUMBER: Action.PSEUDONYMISE, Category.DEVICE: Action.PSEUDONYMISE})
    plan = CompiledPlan(CATALOGUE, decision, zone=Towards.UNTRUSTED)
    far = Party(Zone.TRUNK, world.settings().trunks[0])
    said = {(one.section, one.name): one.fate for one in fates(plan, Case(Party(Zone.ACCESS), far))}
    assert said["headers", "from"] is Fate.PSEUDONYM
    devices = [one for one in fates(plan, Case(Party(Zone.ACCESS), far)) if one.categories == (Category.DEVICE,)]
    assert {one.fate for one in devices if one.section == "headers"} == {Fate.PSEUDONYM}


@everywhere
def test_an_asserted_identity_that_can_be_read(setup: str) -> None:
    """Believed of who is trusted, replaced by the phone's own, or gone."""
    of = probe(setup)
    got = of.sent(b"P-Asserted-Identity: <sip:%b@sip.example.net>" % CANARY)
    assert got
    value = b"".join(got.values(b"p-asserted-identity")) if b"p-asserted-identity" in got.index else None
    fate = of.fate("headers", "p-asserted-identity")
    assert (value is None) is (fate is Fate.REMOVED)
    assert (CANARY in (value or b"")) is (fate is Fate.IN_PART)


@pytest.mark.parametrize(("terms", "fate"), [(None, Fate.OURS), ({"number": "anonymise"}, Fate.REMOVED)])
def test_a_trunk_that_wants_calls_signed_gets_our_signature(terms: dict[str, str] | None, fate: Fate) -> None:
    """In place of the phone's; none where the number is hidden."""
    of = signing(terms)
    source, hop = Party(Zone.ACCESS), Party(Zone.TRUNK, of.settings.trunks[0])
    packet = CALLER.invite(headers=(b"Content-Type: application/sdp", b"Identity: " + CANARY))
    plan = of.privacy.plan(of.privacy.decide(read(packet.data), source, hop), hop)
    assert next(one.fate for one in fates(plan, Case(source, hop)) if one.name == "identity") is fate
    [got] = [read(data) for address, data in of.receive(*packet) if address == TRUNK]
    assert (b"identity" in got.index) is (fate is Fate.OURS)
    assert CANARY not in b"".join(got.values(b"identity") if b"identity" in got.index else [])
    other = next(one.fate for one in fates(plan, Case(source, hop, b"MESSAGE")) if one.name == "identity")
    assert other is (Fate.VOUCHED if fate is Fate.OURS else fate)


@everywhere
def test_topology(setup: str) -> None:
    """Via, Record-Route, Path, Service-Route, Contact, Call-ID."""
    of = probe(setup)
    for line in (
        b"Via: SIP/2.0/UDP %b.example;branch=z9hG4bKx", b"Record-Route: <sip:%b.example;lr>", b"Path: <sip:%b>",
        b"Service-Route: <sip:%b>",
    ):  # fmt: skip
        name = line.partition(b":")[0].lower()
        fate, got = of.fate("headers", name.decode()), of.sent(line % CANARY)
        if fate is Fate.REFUSED:
            assert got is None, name
            assert not of.setup.inward
            continue
        assert got, name
        kept = any(CANARY in value for value in got.values(name)) if name in got.index else False
        assert kept is (fate in (Fate.KEPT, Fate.IN_PART)), name
        assert kept or fate is Fate.REMOVED
    via = of.sent(b"Via: SIP/2.0/UDP a.example;branch=z9hG4bKx;pn-x=" + CANARY)
    assert via
    assert any(CANARY in value for value in via.values(b"via")) is (of.fate("headers", "via") is Fate.KEPT)
    got = of.sent(contact=b"<sip:%b@%b>" % (CANARY, of.agent.host))
    assert got
    sealed = CANARY not in got.values(b"contact")[0]
    assert sealed is (of.fate("headers", "contact") is Fate.SEALED)
    assert (b"@10.1.1.23" not in got.call_id) is (of.fate("headers", "call-id") is Fate.SEALED)
    assert got.values(b"max-forwards") == [b"69"]


@outward
def test_references(setup: str) -> None:
    """Replaces and its like name a dialog of the sender's; Refer-To names a number, and nothing else."""
    of = probe(setup)
    for name in (b"replaces", b"join", b"target-dialog"):
        assert of.fate("headers", name.decode()) is Fate.CARRIED
        got = of.sent(name + b": %b@10.1.1.23;to-tag=a;from-tag=b" % CANARY)
        assert got
        hidden = of.fate("headers", "call-id") is Fate.SEALED
        assert (CANARY not in got.values(name)[0]) is hidden
    got = of.sent(b"Refer-To: <sip:1234@x.example;%b=1>" % CANARY, method=b"REFER")
    assert got
    assert b"sip:1234@" in got.values(b"refer-to")[0]
    assert (CANARY in got.values(b"refer-to")[0]) is (of.fate("uri-params", OTHERS) in OPENED)
    assert of.fate("headers", "refer-to") is Fate.IN_PART


@everywhere
def test_privacy_and_what_was_asked_of_proxies(setup: str) -> None:
    of = probe(setup)
    got = of.sent(b"Proxy-Require: privacy", b"Privacy: header")
    assert got
    fate = of.fate("headers", "privacy")
    assert (got.values(b"privacy") if b"privacy" in got.index else [], fate) in (
        ([], Fate.PERFORMED), ([b"id"], Fate.OURS), ([b"header"], Fate.KEPT)
    )  # fmt: skip
    assert (of.fate("headers", "proxy-require") is Fate.PERFORMED) is (b"proxy-require" not in got.index)
    assert (fate is Fate.KEPT) is setup.startswith("to the core")


# --- parameters

OPENED = (Fate.KEPT, Fate.SWEPT)
RECORDED_BY = frozenset(("+sip.src", "+sip.srs", "+sip-src", "+sip-srs", "sip.src", "sip.srs"))
"""By any of them an INVITE begins a recording session (standards.md §5 R1b)."""


def hidden_pattern(of: Probe) -> bytes | None:
    """Return a value that fields which are kept may not hold."""
    names = [name for name in ("mac", "address") if of.fate("patterns", name) is Fate.REMOVED]
    return VALUES[names[0]] if names else None


@everywhere
def test_parameters_that_are_swept(setup: str) -> None:
    """SWEPT and KEPT differ in what is found in the value alone."""
    of = probe(setup)
    value, seen = hidden_pattern(of), set()
    for section, table in (("contact-params", CATALOGUE.contact_params), ("uri-params", CATALOGUE.uri_params)):
        for name, one in each(of, section):
            entry = _entry(section, one.name)
            if one.fate not in OPENED or table.find(name) is not entry or one.name in CORE_READS_OF_URI | RECORDED_BY:
                continue
            assert value or one.fate is Fate.KEPT
            if value is None or (one.fate in seen and entry.category is not None):
                continue
            seen.add(one.fate)
            uri, param = b"sip:a@" + of.agent.host, b";%b=%b" % (name, value)
            contact = b"<%b>%b" % (uri, param) if section == "contact-params" else b"<%b%b>" % (uri, param)
            got = of.sent(contact=contact)
            assert got, one
            assert (value in got.values(b"contact")[0]) is (one.fate is Fate.KEPT), one


@everywhere
def test_contact_parameters(setup: str) -> None:
    of = probe(setup)
    for name, one in each(of, "contact-params"):
        if CATALOGUE.contact_params.find(name) is not _entry("contact-params", one.name):
            continue
        got = of.sent(contact=b"<sip:a@%b>;%b=%b" % (of.agent.host, name, CANARY))
        if one.name in RECORDED_BY:
            assert not got, "whoever records says so, and is no recording client here (proxy/recording_control.py)"
            continue
        assert got, one
        assert (CANARY in got.values(b"contact")[0]) is (one.fate in OPENED), one


@everywhere
def test_uri_parameters(setup: str) -> None:
    of = probe(setup)
    for name, one in each(of, "uri-params"):
        if one.name in CORE_READS_OF_URI or CATALOGUE.uri_params.find(name) is not _entry("uri-params", one.name):
            continue
        got = of.sent(contact=b"<sip:a@%b;%b=%b>" % (of.agent.host, name, CANARY))
        assert got, one
        assert (CANARY in got.values(b"contact")[0]) is (one.fate in OPENED), one


def _entry(section: str, name: str) -> Any:
    table = CATALOGUE.contact_params if section == "contact-params" else CATALOGUE.uri_params
    found = dict(table.exact) | {glob.encode(): entry for glob, entry in table.globs}
    return found.get(name.encode(), UNKNOWN)


# --- bodies

TYPE = b"Content-Type: application/sdp"


def lines(text: str) -> bytes:
    return text.replace("|", "\r\n").encode()


@everywhere
def test_lines_of_a_description(setup: str) -> None:
    """What has no form fails the description as a whole: then nothing of it arrives either."""
    of = probe(setup)
    whole = lines(SDP)
    for name, one in each(of, "sdp.lines"):
        if one.name == "o-user":
            body = whole.replace(b"o=-", b"o=" + CANARY)
        elif one.name == "o-address":
            body = whole.replace(b"192.0.2.9", CANARY)
        else:
            kind = name if len(name) == 1 else b"y"
            mandatory = whole.find(b"\r\n" + kind + b"=")
            line = kind + b"=" + CANARY + b"\r\n"
            body = whole.replace(b"t=0 0\r\n", line + b"t=0 0\r\n")
            if mandatory >= 0 or kind == b"v":
                at = max(mandatory + 2, 0) if kind != b"v" else 0
                body = whole[:at] + line + whole[whole.index(b"\r\n", at) + 2 :]
        got = of.sent(TYPE, body=body)
        assert (got is not None and CANARY in got.body) is (one.fate in (Fate.KEPT, Fate.SWEPT)), one


@everywhere
def test_attributes_of_a_description(setup: str) -> None:
    of = probe(setup)
    for name, one in each(of, "sdp.attributes"):
        got = of.sent(TYPE, body=lines(SDP) + b'a=%b:%b ;<"\r\n' % (name, CANARY))
        arrives = got is not None and CANARY in got.body
        assert arrives is (one.fate in (Fate.KEPT, Fate.SWEPT)), one
        assert got or one.fate is Fate.REFUSED


@everywhere
def test_bodies(setup: str) -> None:
    of = probe(setup)
    for kind, one in each(of, "bodies"):
        handling = CATALOGUE.bodies.find(kind).handling
        body = lines(BODIES[handling]) if handling else CANARY
        content = b"Content-Type: " + kind + (b";boundary=b" if handling == "multipart" else b"")
        got = of.sent(content, body=body)
        if one.fate is Fate.REFUSED or kind.startswith(b"application/rs-metadata"):
            # Recording metadata in an ordinary call are refused before any plan is asked (standards.md §5 R2).
            assert got is None, one
            continue
        assert got, one
        assert bool(got.body) is (one.fate in (Fate.KEPT, Fate.CLEANED)), one


def test_a_description_that_may_not_pass_takes_its_lines_along(tmp_path: Path) -> None:
    """Of an operator who counts session descriptions as content."""
    own = tmp_path / "own.toml"
    own.write_text('[bodies]\n"application/sdp" = { category = "content" }\n')
    of = Probe(Setup({"catalogue": (str(own),)}))
    assert of.fate("bodies", "application/sdp") is Fate.REMOVED
    lines_ = [one for (section, _), one in of.fields.items() if section.startswith("sdp.")]
    assert {one.fate for one in lines_} == {Fate.REMOVED}
    got = of.sent(TYPE, body=lines(SDP))
    assert got
    assert got.body == b""


@pytest.mark.parametrize("name", ["p-asserted-identity", "privacy"])
def test_what_an_operator_keeps_from_a_trunk_is_not_added_either(tmp_path: Path, name: str) -> None:
    """Sipveil would write both towards a trunk of the trust domain; the catalogue has the last word."""
    own = tmp_path / "own.toml"
    own.write_text(f"[headers]\n{name} = {{ category = 'number', zones = {{ trusted = 'remove' }} }}\n")
    of = Probe(Setup({"catalogue": (str(own),)}, {"trusted": True}))
    assert of.fate("headers", name) is Fate.NEVER
    got = of.sent()
    assert got
    assert name.encode() not in got.index


def test_no_field_is_left_out() -> None:
    """Every entry, those of an operator and the rest of each section; towards a PSAP hardly anything happens."""
    of = probe("strict")
    count = sum(len(table.exact) + len(table.globs) + 1 for table in (
        CATALOGUE.headers, CATALOGUE.contact_params, CATALOGUE.uri_params, CATALOGUE.sdp_lines,
        CATALOGUE.sdp_attributes, CATALOGUE.bodies,
    ))  # fmt: skip
    assert len(of.fields) == count + len(CATALOGUE.patterns) + 1  # and X-Ticket
    assert of.fate("headers", "x-ticket") is Fate.KEPT or of.fate("headers", "x-ticket") is Fate.SWEPT
    psap = Party(Zone.PSAP, world.settings().trunks[2])
    plan = CompiledPlan(CATALOGUE, KEEP_ALL, zone=Towards.PSAP)
    said = {one.name: one.fate for one in fates(plan, Case(Party(Zone.ACCESS), psap)) if one.section == "headers"}
    assert said["p-asserted-identity"] is said["privacy"] is said["from"] is Fate.KEPT
