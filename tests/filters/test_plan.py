"""What a decision makes of the lines and the body of a message (design.md §2, step 3).

The core's own headers have their tests in tests/proxy; the forms and bodies in theirs. Here is who gets which edit.
"""

from __future__ import annotations

import hashlib

import pytest

from config.settings import Limits
from config.vocabulary import Action, Category
from filters import plan as plan_module
from filters.catalogue import load_catalogue
from filters.credentials import HEADERS
from filters.forms import FormError
from filters.plan import MAX_LINES, MAX_RECIPES, MAX_REMEMBERED, CompiledPlan
from filters.zones import Towards
from proxy.errors import Malformed, Refused
from proxy.headers import NameAddr
from proxy.message import Draft
from proxy.parse import parse
from proxy.policy import KEEP_ALL, EditContext, pack
from proxy.serialise import serialise
from tests.agents import ALICE, SDP

CATALOGUE = load_catalogue()
STRICT = {
    **dict.fromkeys(Category, Action.REMOVE),
    Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE, Category.NETWORK: Action.SEAL,
}  # fmt: skip
ORIGIN = b"192.0.2.1:5060"
MAC = b"00:1b:21:12:34:56"
FORM = "only the form that a call needs"
LEAK = "a device id or address in a kept field"


def strict(*kept: Category, **options: object) -> CompiledPlan:
    """Return the plan that hides all but some categories."""
    return CompiledPlan(CATALOGUE, pack(STRICT | dict.fromkeys(kept, Action.KEEP)), **options)  # type: ignore[arg-type]


def hiding(*hidden: Category, **options: object) -> CompiledPlan:
    """Return the plan that hides some categories and keeps the others."""
    return CompiledPlan(CATALOGUE, pack({one: STRICT[one] for one in hidden}), **options)  # type: ignore[arg-type]


KEEP = CompiledPlan(CATALOGUE, KEEP_ALL)


def pseudonym(value: bytes) -> bytes:
    return hashlib.sha256(value).hexdigest()[:16].encode()


def apply(
    plan: CompiledPlan, *lines: bytes,
    method: bytes = b"INVITE", body: bytes = b"", status: int = 0, origin: bytes = ORIGIN,
) -> Draft:  # fmt: skip
    """Return the draft of a request, or of a response to it, after the plan."""
    packet = ALICE.request(method, headers=lines, body=body).data
    if status:
        packet = b"SIP/2.0 %d OK\r\n" % status + packet.partition(b"\r\n")[2]
    draft = Draft(parse(packet, Limits()), [])
    plan.apply(draft, EditContext(pseudonym, origin, not status, method, status))
    return draft


def left(plan: CompiledPlan, *lines: bytes, status: int = 0) -> list[bytes]:
    """Return what is left of lines, as they stand in the draft."""
    untouched = len(apply(KEEP).lines) - 1  # Content-Length is the last
    return [line for line in apply(plan, *lines, status=status).lines[untouched:-1] if line is not None]


# --- which headers pass


@pytest.mark.parametrize("name", [b"X-Anything", b"P-Unheard-Of", b"x-odd", b"Nothing-Known"])
def test_an_unknown_header_passes_where_unknown_fields_may(name: bytes) -> None:
    """design.md §2: dropped towards an untrusted trunk (allow-list), untouched towards a trusted one."""
    line = name + b" :\t odd,  spacing "
    assert left(strict(), line) == []
    assert left(hiding(*set(Category) - {Category.UNKNOWN}), line) == [line]


def test_allow_headers_lets_a_trunk_see_more() -> None:
    """A contract may name headers outside the catalogue; a pattern in one is still a pattern."""
    plan = strict(allowed=frozenset((b"x-billing",)))
    assert left(plan, b"X-BILLING: 7", b"X-Other: 8") == [b"X-BILLING: 7"]
    assert left(plan, b"X-Billing: phone " + MAC) == []


def test_allow_headers_does_not_reach_into_the_catalogue() -> None:
    """What a category decides is decided there, or the list would go below the operator's floor."""
    names = (b"p-asserted-identity", b"user-agent", b"x-device-id", b"subject")
    plan = strict(allowed=frozenset(names))
    assert left(plan, *(name + b": <sip:+15550123@x>" for name in names)) == []


# A P-Asserted-Identity that may pass is never as it came: proxy/asserted.py says who, the plan in which form.
CATALOGUED = [name for name, entry in CATALOGUE.headers.exact.items()
              if entry.category is not None and not entry.core and name != b"p-asserted-identity"]  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUED, ids=bytes.decode)
def test_each_header_follows_its_category(name: bytes) -> None:
    """Removed where its category is hidden, however it is written; its own bytes where it is kept."""
    category = CATALOGUE.entry(name).category
    assert category is not None
    line = name.title() + b':  <sip:+15550123@a.example> ,\r\n\t<tel:+15550124>;x="y" '
    assert left(hiding(category), line, name.upper() + b":x") == []
    kept = strict(category, Category.NAME, Category.NETWORK)
    assert left(kept, line) == ([line] if name not in HEADERS else [])


def test_a_function_header_passes_in_its_form() -> None:
    """What a call needs stays; what the form has no room for goes, and the header with it if nothing is left."""
    plan = strict()
    lines = b"Allow: INVITE, ALICE, BYE", b"Priority: call-alice", b"Session-Expires: 1800;refresher=uac"
    assert left(plan, *lines) == [b"Allow: INVITE, BYE", b"Session-Expires: 1800;refresher=uac"]
    assert left(hiding(Category.DEVICE), *lines) == list(lines), "forms are for hops that see nothing unknown"


# What Sipveil's trusted trunks may see: unknown fields, and nothing of whose category is hidden.
TRUSTED = hiding(*set(Category) - {Category.UNKNOWN})


@pytest.mark.parametrize(
    ("line", "expected", "discloses"),
    [
        (b'Warning: 399 pbx.corp.example "Alice Liddell is out"', b'Warning: 399 - ""', "name content network"),
        (b'Reason: SIP;cause=603;text="Alice is out"', b"Reason: SIP;cause=603", "name content network"),
        (b"Alert-Info: <http://pbx.corp.example/alice.wav>", None, "name network"),
        (b"Retry-After: 18 (Alice is at lunch)", b"Retry-After: 18", "name content"),
        (b"Date: Sat, 13 Nov 2010 23:29:00 +0900", None, "location"),
        (b"Event: dialog;call-id=1@10.1.1.23;id=7", b"Event: dialog;id=7", "device software network"),
        (b'Event: ua-profile;vendor="acme";id=7', b"Event: ua-profile;id=7", "device software network"),
        (b'Accept-Contact: *;audio;+sip.instance="<urn:uuid:1>"', b"Accept-Contact: *;audio",
         "device location status content software"),
        (b'Reject-Contact: *;language="de"', b"Reject-Contact: *", "device location status content software"),
        (b'Feature-Caps: *;+g.3gpp.atcf-mgmt-uri="<sip:atcf@x.example>"', b"Feature-Caps: *", "device network"),
        (b"MIME-Version: 1.0 (produced by AcmePhone 7)", None, "software"),
    ],
)  # fmt: skip
def test_a_form_holds_wherever_what_it_cuts_out_is_hidden(line: bytes, expected: bytes | None, discloses: str) -> None:
    """A trusted trunk sees unknown fields; free text and hosts of known ones are still names and addresses."""
    passed = [] if expected is None else [expected]
    assert left(TRUSTED, line) == passed
    categories = {Category[word.upper()] for word in discloses.split()}
    for category in Category:
        hidden = category in categories | {Category.UNKNOWN}
        # Alone, it does not stand for the others; addresses and ids are found wherever they stand.
        assert left(hiding(category) if category is not Category.UNKNOWN else strict(*categories), line) == (
            passed if hidden else [line]
        ), category
    assert left(KEEP, line) == [line]


def test_no_pattern_passes_in_a_function_header() -> None:
    """What a hop sees beyond the forms is looked through, as every other kept value is."""
    lines = (
        b"Allow: INVITE, SEP001122334455",
        b"Allow: INVITE, X-ALICE",
        b"Session-Expires: 90;x=" + MAC,
        b"k: 10.1.1.23",
    )
    assert left(TRUSTED, *lines) == [lines[1]]
    assert left(hiding(Category.DEVICE), *lines) == [lines[1], lines[3]]
    contact = b"Contact: <sip:a@a.example;transport=SEP001122334455;user=phone>;q=SEP001122334455;audio;methods=X"
    assert apply(hiding(Category.DEVICE), contact).lines[-2] == b"Contact: <sip:a@a.example;user=phone>;audio;methods=X"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"k: timer, x-alice", [b"k: timer"]),
        (b"s: about the loan", []),
        (b"b: <sip:alice@a.example>", []),
        (b"x: 1800;refresher=alice", [b"x: 1800"]),
        (b"SUPPORTED\t : 100rel,\r\n  x-alice,\r\n\ttimer", [b"SUPPORTED: 100rel, timer"]),
        (b"Subject: about\r\n the loan", []),
    ],
)
def test_compact_and_folded_lines_are_the_same_header(line: bytes, expected: list[bytes]) -> None:
    """RFC 3261 §7.3.3 and §7.3.1; an edited line keeps the name as the sender spelt it."""
    assert left(strict(), line) == expected


def test_every_row_is_looked_at() -> None:
    """RFC 3261 §7.3.1: a header may come in several rows; one clean row does not vouch for the next."""
    rows = [b"Allow: INVITE", b"Subject: a", b"Allow: ALICE", b"s: b", b"allow: BYE, ALICE"]
    assert left(strict(), *rows) == [b"Allow: INVITE", b"allow: BYE"]


CORE_HEADERS = [name for name, entry in CATALOGUE.headers.exact.items() if entry.core]


def test_the_cores_own_headers_are_not_touched() -> None:
    """Via to Refer-To: proxy/ rewrites them, and two edits of one line would be a conflict."""
    lines = b"Record-Route: <sip:x@10.1.1.1;lr>", b"Refer-To: <sip:y@10.1.1.2>", b"Replaces: a;to-tag=1;from-tag=2"
    assert apply(strict(), *lines).lines == apply(KEEP, *lines).lines
    assert set(CORE_HEADERS) >= {b"via", b"from", b"to", b"call-id", b"cseq", b"contact", b"route", b"refer-to"}


def test_an_open_contact_tells_where_and_nothing_else() -> None:
    """Where addresses are kept, the core leaves the Contact; device ids and names in it go (RFC 7255 §8)."""
    hidden = hiding(Category.DEVICE, Category.NAME)
    line = b'Contact: "Alice" <sip:alice@10.1.1.23>;+sip.instance="<urn:uuid:1>";audio, <sip:b@10.1.1.24>;x=1'
    draft = apply(hidden, line)
    assert draft.lines[-2] == b"Contact: <sip:alice@10.1.1.23>;audio, <sip:b@10.1.1.24>;x=1"
    assert apply(hidden, b"Contact: *").lines[-2] == b"Contact: *"
    assert apply(KEEP, line).lines[-2] == line
    with pytest.raises(Malformed):
        apply(hidden, b'Contact: "Alice <sip:alice@10.1.1.23>')


# --- values of kept headers


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (Category.DEVICE, MAC), (Category.DEVICE, b"SEP001122334455"),
        (Category.DEVICE, b"urn:gsma:imei:90420156-025763-0"),
        (Category.DEVICE, b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), (Category.NETWORK, b"192.168.1.5"),
        (Category.NETWORK, b"fe80::21b:21ff:fe12:3456"), (Category.NETWORK, b"x@BJC.BGI.B.F"),
    ],
)  # fmt: skip
def test_a_pattern_in_a_kept_field_takes_the_line_out(pattern: Category, value: bytes) -> None:
    """Issue 2: patterns wherever they stand in a kept field; where their own category is kept they may stand."""
    line = b"Subject: about " + value
    assert left(hiding(pattern), line) == []
    assert left(hiding(Category.HISTORY), line) == [line]
    assert left(hiding(pattern), b"Subject: about the loan of 2024") == [b"Subject: about the loan of 2024"]


@pytest.mark.parametrize("name", [b"WWW-Authenticate", b"Proxy-Authenticate", b"Authentication-Info", b"SIP-ETag"])
def test_a_kept_challenge_is_kept_whole(name: bytes) -> None:
    """standards.md §2.4: KEEP towards the client. A realm may be an address, a nonce may look like anything."""
    line = name + b': Digest realm="192.168.1.10", nonce="1b2112345678fffe' + b"0" * 16 + b'", opaque="' + MAC + b'"'
    assert left(strict(Category.CREDENTIALS), line, status=401) == [line]
    assert left(strict(), line, status=401) == []


PAI = b"P-Asserted-Identity: "


@pytest.mark.parametrize(
    ("hidden", "line", "expected"),
    [
        ("device", b'"Al" <sip:+15;x=1:pw@a.example;cpc=y;pn-prid=z>;x=1', b'"Al" <sip:+15;x=1:pw@a.example;cpc=y>'),
        ("device name", b'"Alice" <sip:+1555@a.example>, <tel:+1555>', b"<sip:+1555@a.example>, <tel:+1555>"),
        ("network", b"<sip:+1555@a.example;user=phone>, <tel:+1-555>;x=1",
         b"<sip:+1555@192.0.2.1:5060;user=phone>, <sip:+1-555@192.0.2.1:5060;user=phone>"),
        ("device", b'"SEP001122334455" <sip:+1555@a.example>', b"<sip:+1555@a.example>"),
        ("device", b"<sip:SEP001122334455@a.example>, <tel:+1555>", b"<tel:+1555>"),
        ("device", b"<sip:alice@SEP001122334455.a.example>", None),
        ("network", b"<sip:10.1.1.23@a.example>", None),
        ("credentials", b"<sip:alice:secret@a.example>", b"<sip:alice@a.example>"),
        ("device", b'"Alice <sip:+1555@a.example>', None),
        ("device", b"<sip:+1555@a.example:port>, <sip:+1666@a.example>", b"<sip:+1666@a.example>"),
        ("number", b"<sip:+1555@a.example>", None),
    ],
)  # fmt: skip
def test_an_asserted_identity_tells_what_may_be_told(hidden: str, line: bytes, expected: bytes | None) -> None:
    """Each identity of it for itself: name, host, parameters and password by their own categories (RFC 3325)."""
    plan = hiding(*(Category[word.upper()] for word in hidden.split()), zone=Towards.TRUSTED)
    assert left(plan, PAI + line) == ([] if expected is None else [PAI + expected])
    assert left(KEEP, PAI + line) == [PAI + line]


@pytest.mark.parametrize("private", [b"10.9.8.7:5060", b"[fd00::1]:5060"])
def test_our_own_address_is_no_leak_of_the_callers(private: bytes) -> None:
    """A trunk in a private network is told our address in it: only what the sender wrote is looked through."""
    draft = apply(hiding(Category.NETWORK), PAI + b"<sip:+1555@a.example>", origin=private)
    assert draft.first(b"p-asserted-identity") == b"<sip:+1555@%b>" % private
    shown = strict(Category.NUMBER).address(NameAddr(b"", b"sip:+1555@a.example", b""), private, is_from=True)
    assert shown.uri == b"sip:+1555@" + private


def test_a_from_tells_no_device_in_its_host() -> None:
    """Where addresses are kept its host is the sender's own; so of the other URI that says who calls."""
    original = NameAddr(b"", b"sip:alice@SEP001122334455.a.example", b"")
    assert hiding(Category.DEVICE).address(original, b"h", is_from=True).uri == b"sip:anonymous@anonymous.invalid"
    assert hiding(Category.STATUS).address(original, b"h", is_from=True) == original


def test_a_line_that_is_added_passes_the_plan() -> None:
    """As if it had come with the message; what is remembered of the message's shape stays what it was."""
    plan, added = strict(), [(b"x-odd", b"X-Odd: 1"), (b"allow", b"Allow: ALICE, BYE"), (b"warning", b"Warning: 1")]
    for _ in range(2):
        for lines in (added, []):
            draft = Draft(parse(ALICE.request(headers=(b"Subject: x",)).data, Limits()), [])
            for name, line in lines:
                draft.adopt(name, line)
            plan.apply(draft, EditContext(pseudonym, ORIGIN, True, b"INVITE", 0))
            assert draft.lines[len(draft.shape.names) :] == [None, b"Allow: BYE", None][: len(lines)]
            assert draft.first(b"subject") is None


@pytest.mark.parametrize("name", sorted(plan_module._ADDRESSES), ids=bytes.decode)
def test_a_hidden_name_leaves_kept_numbers(name: bytes) -> None:
    """standards.md §2.4, first row: display names are S-name; the URI stays if only the name is private."""
    plan = hiding(Category.NAME, Category.DEVICE)
    value = b': "Alice Liddell" <sip:+15550123@a.example>;privacy=off, Bob <tel:+15550124>'
    assert left(plan, name + value) == [name + b": <sip:+15550123@a.example>;privacy=off, <tel:+15550124>"]
    assert left(plan, name + b': "Alice Liddell') == [], "what cannot be read may be a name"
    assert left(plan, name + b': "A" <sip:SEP001122334455@a.example>') == []
    assert left(hiding(Category.DEVICE), name + value) == [name + value]


# --- extensions


def test_require_of_what_may_not_pass_is_420() -> None:
    """RFC 3261 §8.2.2.3: taken out, the far side could not know that it fails; Unsupported names the tags."""
    for line in (b"Require: x-alice", b"Require: 100rel, X-Alice", b"require:\r\n x-alice,timer"):
        with pytest.raises(Refused) as refused:
            apply(strict(), b"Require: timer", line)
        assert refused.value.code == 420
        assert [extra.lower() for extra in refused.value.extra] == [b"unsupported: x-alice"]
    assert left(strict(), b"Require: 100REL ,timer") == [b"Require: 100REL ,timer"]
    assert left(hiding(Category.DEVICE), b"Require: x-alice") == [b"Require: x-alice"]
    assert left(strict(), b"Require: x-alice", status=200) == [], "a response has nobody to refuse it"


@pytest.mark.parametrize("category", [Category.NAME, Category.NUMBER, Category.NETWORK])
def test_from_change_is_not_offered_where_from_is_mapped(category: Category) -> None:
    """RFC 4916: a change of From would be undone here, silently (dialogs.md)."""
    plan = hiding(category)
    assert left(plan, b"Supported: timer, From-Change, x-odd") == [b"Supported: timer, x-odd"]
    assert left(plan, b"k: from-change") == []
    assert left(strict(), b"Supported: timer,x-odd,from-change") == [b"Supported: timer"]
    assert left(hiding(Category.DEVICE), b"k: from-change") == [b"k: from-change"]


# --- credentials


@pytest.mark.parametrize("name", [b"Authorization", b"Proxy-Authorization"])
def test_credentials_of_our_realm_leave_even_where_all_is_kept(name: bytes) -> None:
    """standards.md §10: regardless of profile, an emergency call included; only the core needs them."""
    realms = frozenset((b"sip.example.net",))
    ours = name + b': Digest username="alice", realm="SIP.example.net", response="x"'
    others = name + b': Digest username="alice", realm="biloxi.example", uri="sip:10.1.1.23", response="x"'
    for plan in (CompiledPlan(CATALOGUE, KEEP_ALL, realms=realms), strict(Category.CREDENTIALS, realms=realms)):
        assert left(plan, ours, others) == [others]
        assert left(plan, name + b": Basic YWxpY2U6c2VjcmV0") == [], "unreadable"
    assert left(strict(realms=realms), ours, others) == []
    assert left(CompiledPlan(CATALOGUE, KEEP_ALL, realms=realms, ours_leave=False), ours) == [ours]


def test_memory_is_bounded() -> None:
    """Lines that never come twice do not stay, nor do long ones."""
    plan = strict()
    for number in range(MAX_LINES + 10):
        apply(plan, b"Expires: %d" % number)
    assert len(plan._cleaned) <= MAX_LINES
    known = dict(plan._cleaned)
    apply(plan, b"Supported: " + b"x" * MAX_REMEMBERED)
    assert plan._cleaned == known


def test_what_is_left_of_privacy_is_remembered_within_bounds() -> None:
    """Several lines are as one with commas; wishes that nobody has twice do not stay, nor do long ones."""
    plan = strict(Category.HISTORY, zone=Towards.UNTRUSTED)
    for _ in range(2):
        assert plan.left_of_privacy([b"id", b"history;session"]) == b"history;session"
        assert plan.left_of_privacy([b"id,history;session"]) == b"history;session"
        assert plan.left_of_privacy([b"id"]) == plan.left_of_privacy([]) == b""
        assert plan.left_of_privacy([b"none"]) == b"none"
    for number in range(MAX_LINES + 10):
        plan.left_of_privacy([b"id;x%d" % number])
    assert len(plan._left) <= MAX_LINES
    known = dict(plan._left)
    assert plan.left_of_privacy([b"id;" + b"x" * MAX_REMEMBERED]) == b""
    assert plan._left == known


def test_a_recipe_is_remembered_for_messages_with_the_same_headers() -> None:
    """It is worked out once for a row of names, and bounded; a name that nobody else has leaves none."""
    plan = strict()
    for number in range(MAX_RECIPES + 10):
        for _ in range(2):
            assert left(plan, b"Expires: 7", b"X-Row-%d: 1" % number) == [b"Expires: 7"]
    assert 0 < len(plan._recipes) <= MAX_RECIPES
    known = len(plan._recipes)
    assert left(plan, b"X-%b: 1" % (b"x" * 100)) == []
    assert len(plan._recipes) == known


# --- bodies


def test_a_session_description_is_cleaned() -> None:
    """standards.md §3.1: o= is told of us, s= of nobody, and the media lines stay."""
    draft = apply(strict(), b"Content-Type: application/sdp;x=alice", body=SDP)
    assert draft.first(b"content-type") == b"application/sdp"
    assert b"o=- 2890844526 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 10.1.1.23\r\n" in draft.body
    assert b"Content-Length: %d\r\n" % len(draft.body) in serialise(draft)


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        (b"192.0.2.1:5060", b"IP4 192.0.2.1"), (b"192.0.2.1", b"IP4 192.0.2.1"),
        (b"sip.example.net", b"IP4 sip.example.net"),
        (b"[2001:db8::1]:5060", b"IP6 2001:db8::1"), (b"[2001:db8::1]", b"IP6 2001:db8::1"),
    ],
)  # fmt: skip
def test_our_address_stands_in_its_own_family(origin: bytes, address: bytes) -> None:
    """RFC 8866 §5.2: addrtype and unicast-address, an IPv6 one without brackets."""
    draft = apply(strict(), b"Content-Type: application/sdp", body=SDP, origin=origin)
    assert b"o=- 2890844526 1 IN " + address + b"\r\n" in draft.body


ABOUT_BODY = (
    b"Content-Disposition: render", b"Content-Encoding: identity", b"Content-Language: de", b"Content-ID: <a@b>",
)  # fmt: skip


def test_a_text_leaves_with_everything_about_it() -> None:
    """Content is hidden: no type, disposition, encoding, language or id is left of what is gone."""
    draft = apply(strict(), b"Content-Type: text/plain;name=alice", *ABOUT_BODY, b"MIME-Version: 1.0", body=b"hello")
    assert draft.body == b""
    assert not [name for name, line in zip(draft.names, draft.lines, strict=True)
                if line is not None and name.startswith(b"content-") and name != b"content-length"]  # fmt: skip
    assert draft.first(b"mime-version") == b"1.0"
    assert b"Content-Length: 0\r\n" in serialise(draft)
    assert {("body", "the body may not pass"), ("content-language", "the body may not pass")} <= set(draft.notes or ())


def test_a_body_without_a_type_leaves() -> None:
    """Nobody knows what it is, and the note says so although no header does."""
    draft = apply(strict(), body=b"hello")
    assert draft.body == b""
    assert ("body", "the body may not pass") in (draft.notes or [])


def test_a_kept_text_stays_as_it_is() -> None:
    """Same bytes, same type; but one type: a second row describes nothing."""
    draft = apply(strict(Category.CONTENT), b"Content-Type: text/plain; charset=utf-8", b"c: x/alice", body=b"hello")
    assert draft.body == b"hello"
    assert [draft.value(place) for place in draft.find(b"content-type")] == [b"text/plain; charset=utf-8"]


@pytest.mark.parametrize("method", [b"MESSAGE", b"PUBLISH"])
def test_a_request_that_is_its_body_is_refused_without(method: bytes) -> None:
    """415: delivered empty it would look as if it had been delivered (RFC 3428 §7)."""
    with pytest.raises(Refused) as refused:
        apply(strict(), b"Content-Type: text/plain", method=method, body=b"hello")
    assert refused.value.code == 415
    assert refused.value.extra[0].startswith(b"Accept: application/sdp, "), "§21.4.13: what would be right"
    assert apply(strict(), b"Content-Type: text/plain", method=method).body == b"", "it has nothing to lose"
    assert apply(strict(), b"Content-Type: text/plain", method=method, status=200, body=b"x").body == b""


def test_a_trunk_may_refuse_bodies_rather_than_lose_them() -> None:
    """`refuse_bodies`: 415 with Accept for requests; what cannot be refused still goes on without."""
    plan, text = strict(refuses_bodies=True), b"Content-Type: text/plain"
    assert apply(strict(), text, body=b"hello").body == b""
    with pytest.raises(Refused) as refused:
        apply(plan, text, body=b"hello")
    assert refused.value.code == 415
    assert refused.value.extra[0].startswith(b"Accept: application/sdp, ")
    for method, status in ((b"ACK", 0), (b"BYE", 0), (b"INVITE", 200)):
        assert apply(plan, text, method=method, status=status, body=b"hello").body == b""
    assert apply(strict(Category.CONTENT, refuses_bodies=True), text, body=b"hello").body == b"hello"


def test_a_part_is_refused_with_the_rest() -> None:
    """A description with a text beside it: by default the text is left out, with `refuse_bodies` nothing goes."""
    sdp = SDP.replace(b"alice", b"-")
    parts = b"--x\r\nContent-Type: application/sdp\r\n\r\n" + sdp + b"\r\n--x\r\n\r\nhello\r\n--x--\r\n"
    mixed = b"Content-Type: multipart/mixed;boundary=x"
    assert b"hello" not in apply(strict(), mixed, body=parts).body
    with pytest.raises(Refused):
        apply(strict(refuses_bodies=True), mixed, body=parts)
    answered = apply(strict(refuses_bodies=True), mixed, status=200, body=parts)
    assert answered.first(b"content-type") == b"application/sdp"


@pytest.mark.parametrize("method", [b"INVITE", b"UPDATE", b"PRACK", b"INFO", b"MESSAGE"])
def test_an_encoded_body_is_refused(method: bytes) -> None:
    """t15, RFC 3261 §8.2.3: 415 says what would be right; an INVITE that lost its offer would be another one."""
    with pytest.raises(Refused) as refused:
        apply(strict(), b"Content-Type: application/sdp", b"e: gzip", method=method, body=b"\x1f\x8b")
    assert (refused.value.code, refused.value.extra) == (415, (b"Accept-Encoding: identity",))


@pytest.mark.parametrize("method", [b"ACK", b"BYE", b"CANCEL"])
def test_what_ends_or_settles_a_call_goes_on_without_it(method: bytes) -> None:
    """design.md §2: no call stays up because a filter failed; an ACK cannot even be refused."""
    draft = apply(strict(), b"Content-Type: application/sdp", b"e: gzip", method=method, body=b"\x1f\x8b")
    assert draft.body == b""
    assert draft.first(b"content-encoding") is None


def test_a_response_goes_on_without_it() -> None:
    """Its sender cannot be told; the body is gone with everything about it."""
    draft = apply(strict(), b"Content-Type: application/sdp", b"Content-Encoding: gzip", status=200, body=b"\x1f\x8b")
    assert (draft.body, draft.first(b"content-type")) == (b"", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"application/sdp", [b"application/sdp"]),
        (b"text/plain; charset=utf-8", [b"text/plain; charset=utf-8"]),
        (b"text/plain;name=alice", [b"text/plain"]),
        (b"x/alice", []),
    ],
)
def test_a_type_without_a_body_has_its_form(value: bytes, expected: list[bytes]) -> None:
    """No filter of bodies sees it, so the plan cleans it; towards a hop that sees unknown fields it stays."""
    draft = apply(strict(), b"Content-Type: " + value)
    assert [draft.value(place) for place in draft.find(b"content-type")] == expected
    assert apply(hiding(Category.DEVICE), b"Content-Type: " + value).first(b"content-type") == value


BROKEN = [
    (b"Content-Type: application/sdp", b"no description\r\n"),
    (b"Content-Type: multipart/mixed", b"--x\r\n\r\n--x--"),
]


@pytest.mark.parametrize(("line", "body"), BROKEN)
def test_a_request_whose_body_cannot_be_read_is_refused(line: bytes, body: bytes) -> None:
    """The sender's fault: 400, and nothing is forwarded."""
    with pytest.raises(Refused) as caught:
        apply(strict(), line, body=body)
    assert caught.value.code == 400


@pytest.mark.parametrize(("line", "body"), BROKEN)
@pytest.mark.parametrize(("method", "status"), [(b"ACK", 0), (b"BYE", 0), (b"INVITE", 200)])
def test_what_cannot_be_refused_raises(line: bytes, body: bytes, method: bytes, status: int) -> None:
    """design.md §2: nothing is forwarded that a filter did not finish; the caller fails closed."""
    with pytest.raises(FormError):
        apply(strict(), line, method=method, body=body, status=status)


def test_a_raising_form_raises_out_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """mitmproxy #7748 (style.md): an addon that raises is logged and the request goes on unfiltered. Not here."""

    def broken(_: bytes) -> bytes | None:
        raise ZeroDivisionError

    allow = CATALOGUE.entry(b"allow")._replace(form=broken)
    catalogue = load_catalogue()
    monkeypatch.setattr(catalogue, "entry", lambda name: allow if name == b"allow" else CATALOGUE.entry(name))
    with pytest.raises(ZeroDivisionError):
        apply(CompiledPlan(catalogue, pack(STRICT)), b"Allow: INVITE")


def test_keep_all_touches_nothing() -> None:
    """The decision for the core and for emergency calls: every byte as it came."""
    lines = (b"X-Odd : \t1 ", b"Content-Type: x/y;z=1", b"s:  folded\r\n\tsubject", b"Require: x-a", b"Allow: ALICE")
    draft = apply(KEEP, *lines, body=b"anything")
    assert draft.lines[-6:-1] == list(lines)
    assert (draft.body, draft.notes) == (b"anything", [])


# --- Contact parameters and addresses


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (b"", b""),
        (b";audio;video", b";audio;video"),
        (b';methods="INVITE,BYE" ; expires = 60', b';methods="INVITE,BYE";expires=60'),
        (b';METHODS="INVITE,ALICE"', b""),
        (b";expires=alice;q=0.5", b";q=0.5"),
        (b';+sip.instance="<urn:uuid:1>";reg-id=1;audio', b";audio"),
        (b";pn-provider=apns;pn-prid=secret;+u.sip!devicename.ccm.cisco.com=SEP001122334455;isfocus", b";isfocus"),
        (b";description=alice;language=de;type=phone;x-unknown=1", b""),
        (b";audio;AUDIO=alice", b";audio"),
    ],
)
def test_contact_parameters_pass_in_their_form(params: bytes, expected: bytes) -> None:
    """standards.md §2.4: functional feature tags stay, what names the device goes, and what nobody knows."""
    assert strict().contact_params(params) == expected


def test_contact_parameters_follow_their_category() -> None:
    """Byte for byte where everything is kept; else each by its own category, and never with a pattern in it."""
    assert KEEP.contact_params(b"; AUDIO ;+Sip.Instance=x") == b"; AUDIO ;+Sip.Instance=x"
    plan = hiding(Category.DEVICE)
    assert plan.contact_params(b";expires=odd;x=1;reg-id=1;language=de") == b";expires=odd;x=1;language=de"
    assert plan.contact_params(b";x=" + MAC.replace(b":", b"-") + b";y=SEP001122334455;z") == b";z"
    with pytest.raises(Malformed):
        strict().contact_params(b';x="alice')


FROM = NameAddr(b'"Alice"', b"sip:+15550123@10.1.1.23", b"")


def test_addresses_follow_the_decision() -> None:
    """filters/address.py's rules under the plan's own decision; the very object where all is kept."""
    anonymous = NameAddr(b'"Anonymous"', b"sip:anonymous@anonymous.invalid", b"")
    assert KEEP.address(FROM, b"x", is_from=True) is FROM
    assert strict().address(FROM, b"x.example", is_from=True) == anonymous
    assert strict().address(FROM, b"x.example", is_from=False) == NameAddr(b"", b"sip:+15550123@x.example", b"")
    assert hiding(Category.HISTORY).address(FROM, b"x.example", is_from=True) == FROM


DEVICE = NameAddr(b'"SEP001122334455"', b"sip:SEP001122334455@10.1.1.23", b"")


def test_a_pattern_in_a_kept_address_goes() -> None:
    """Issue 2: Cisco phones are called by their MAC. The sender's is anonymous then, the dialled one stays."""
    plan = strict(Category.NAME, Category.NUMBER)
    kept = FROM._replace(uri=b"sip:+15550123@192.168.7.7")
    assert plan.address(FROM, b"192.168.7.7", is_from=True) == kept, "our own host is not the sender's address"
    assert plan.address(DEVICE, b"x.example", is_from=True).uri == b"sip:anonymous@anonymous.invalid"
    assert plan.address(DEVICE, b"x.example", is_from=False) == NameAddr(b"", b"sip:SEP001122334455@x.example", b"")
    assert plan.address(DEVICE._replace(uri=kept.uri), b"x.example", is_from=True).display == b""
    imei = NameAddr(b"", b"sip:490154203237518@10.1.1.23", b"")
    assert plan.address(imei, b"x.example", is_from=True).uri == b"sip:490154203237518@x.example", "it may be a number"


TOLD = b"pn-tok=secret", b"line=7", b"x-mac=1"


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        (b"sip:+15550123@10.1.1.23?Subject=secret&Geolocation=here", b"sip:+15550123@10.1.1.23"),
        (b"sip:+15550123;%b;%b;%b@10.1.1.23;user=phone;%b" % (*TOLD, TOLD[0]), b"sip:+15550123@10.1.1.23;user=phone"),
        (b"tel:+15550123;%b;%b;phone-context=+1;%b" % TOLD, b"tel:+15550123;phone-context=+1"),
        (b"tel:+15550123;ext=" + MAC, b"tel:+15550123"),
        (b"im:alice@x?Subject=secret", b"im:alice@x"),
        (b"sip:[2001:db8::1];x-mac=1", b"sip:[2001:db8::1]"),
    ],
)
def test_nothing_hides_in_an_address_that_may_be_seen(uri: bytes, kept: bytes) -> None:
    """Parameters stand behind the host, behind a number before it, and in tel:; a header of a URI may be any header."""
    plan = strict(Category.NAME, Category.NUMBER, Category.NETWORK)
    for is_from in (True, False):
        assert plan.address(FROM._replace(uri=uri), b"x.example", is_from=is_from) == FROM._replace(uri=kept)
    assert left(plan, b"Contact: <" + uri + b">")[-1:] == [b"Contact: <" + kept + b">"]
    said = b'P-Asserted-Identity: "Alice" <%b>'
    assert left(plan, said % uri)[-1:] == [said % kept]


@pytest.mark.parametrize("name", [
    b"P-Charge-Info", b"Additional-Identity", b"P-DCS-Trace-Party-ID", b"Requested-By", b"X-Carrier-Id", b"Diversion",
])  # fmt: skip
def test_a_name_leaves_whatever_tells_of_somebody(name: bytes) -> None:
    """A number or its history may be seen and the name may not: not in any header that has a place for one."""
    plan = hiding(Category.NAME)
    assert left(plan, name + b': "Alice Liddell" <tel:+15550123>;npi=ISDN, Alice <sip:1@x>') == [
        name + b": <tel:+15550123>;npi=ISDN, <sip:1@x>"
    ]
    assert left(plan, name + b': +15550123 "Alice"') == []


def test_what_names_nobody_is_left_alone_where_names_are_hidden() -> None:
    """Values that are no addresses, and do not look like any."""
    lines = [b"User-to-User: 56a390f3d2b7;encoding=hex", b"X-Account-Id: 4711", b"Attestation-Info: A"]
    assert left(hiding(Category.NAME), *lines) == lines


def test_a_second_encoding_is_seen() -> None:
    """Several fields are one list (RFC 3261 §7.3.1): `identity` in the first says nothing of the second."""
    lines = b"Content-Type: text/plain", b"Content-Encoding: identity", b"Content-Encoding: gzip"
    with pytest.raises(Refused) as refused:
        apply(strict(Category.CONTENT), *lines, method=b"MESSAGE", body=b"\x1f\x8b")
    assert refused.value.code == 415


def test_a_via_says_where_and_no_more() -> None:
    """RFC 5049's sigcomp-id is the phone's UUID; of what has no name nobody knows what it tells."""
    plan = strict(Category.NETWORK)
    via = b"SIP/2.0/UDP 10.1.1.23:5062;branch=z9hG4bK1;rport=5062;received=10.1.1.23;keep"
    told = b';sigcomp-id="<urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128>";x-dev=1;line=7'
    assert plan.via(b"v:\t" + via + told) == b"v: " + via
    assert plan.via(b"Via: " + via + b",\r\n " + via + told) == b"Via: " + via + b", " + via
    assert plan.via(b"Via: SIP/2.0/UDP a;branch=z9hG4bK-001b21-SEP001b21123456") == b"Via: SIP/2.0/UDP a"
    with pytest.raises(Malformed):
        plan.via(b"Via: SIP/2.0/UDP a;=")


# --- what is told of it, and what it costs


def test_every_edit_leaves_a_note() -> None:
    """`sipveil explain` is the live path with a recorder: field and reason, never a value."""
    draft = apply(
        strict(Category.CONTENT, realms=frozenset((b"r",))),
        b"X-Odd: 1", b"User-Agent: Phone/1", b"Allow: INVITE, ALICE", b"Subject: " + MAC,
        b"P-Asserted-Identity: <tel:+1>", b"Supported: timer", b"Content-Type: application/sdp", body=SDP,
    )  # fmt: skip
    assert draft.notes == [
        ("content-type", "the body that passed"), ("body", "cleaned"),
        ("x-odd", "unknown: remove"), ("user-agent", "software: remove"), ("allow", FORM), ("subject", LEAK),
        ("p-asserted-identity", "number: anonymise"),
    ]  # fmt: skip
    draft = apply(CompiledPlan(CATALOGUE, KEEP_ALL, realms=frozenset((b"r",))), b'Authorization: Digest realm="r"')
    assert draft.notes == [("authorization", "credentials of our own realm")]


def test_invented_names_cost_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are the sender's choice: beyond MAX_EDITS they are worked out each time, and are edited all the same."""
    monkeypatch.setattr(plan_module, "MAX_EDITS", 40)
    plan = strict()
    for number in range(0, 300, 50):
        lines = [b"X-%d: secret" % nth for nth in range(number, number + 50)]
        assert left(plan, *lines, b"Allow: INVITE, ALICE") == [b"Allow: INVITE"]
    assert len(plan._edits) == 40


def test_an_edit_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled once, applied in one pass (design.md §2)."""
    plan, lines = strict(), (b"X-Odd: 1", b"X-Odd: 2", b"Allow: INVITE, ALICE")
    before = left(plan, *lines)

    def again(_: bytes) -> object:
        raise AssertionError("worked out twice")

    monkeypatch.setattr(plan, "_learn", again)
    assert left(plan, *lines) == before == [b"Allow: INVITE"]
