"""The precedence of design.md §2: emergency, floor, contract, the wish for this call, the default."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import Limits
from config.subscriber import Setting, Value, profile
from config.subscribers import Mark, Subscribers
from config.vocabulary import Action, Category, Zone
from filters import policy as policy_module
from filters.policy import Policy
from filters.rulings import Level
from proxy.dialled import Wish
from proxy.errors import Refused
from proxy.message import Message
from proxy.parse import parse
from proxy.party import Party
from proxy.policy import KEEP_ALL, action, hides
from tests import world
from tests.agents import ALICE, CARRIER

ACCESS, CORE = Party(Zone.ACCESS), Party(Zone.CORE)
SHOWN = {category.name.lower(): "keep" for category in Category}
"""A default under which a subscriber hides nothing."""
HIDDEN = {Category.NAME: "anonymise", Category.NUMBER: "anonymise", Category.NETWORK: "seal"}


def hidden(category: Category) -> dict[str, str]:
    return {category.name.lower(): HIDDEN.get(category, "remove")}


class Levels:
    """A policy with one trunk, level by level; the actions that it decides."""

    def __init__(
        self, *, floor: Any = None, contract: Any = None, default: Any = None, access: Any = None, trusted: bool = False
    ) -> None:
        trunk = {**world.SETTINGS["trunks"][0], "privacy": contract or {}, "trusted": trusted}
        settings = world.settings(
            privacy={"floor": floor or {}, "default": default or {}},
            trunks=[trunk, *world.SETTINGS["trunks"][1:]],
            access={**world.SETTINGS["access"], **({"privacy": access} if access else {})},
        )
        self.policy = Policy(settings)
        self.trunk, self.other, psap = (Party(Zone.TRUNK, trunk) for trunk in settings.trunks)
        self.psap = Party(Zone.PSAP, psap.trunk)

    def hides(self, *wish: bytes, hop: Party | None = None) -> set[Category]:
        """Return what is hidden from hop (the trunk) of a call with these header lines."""
        decision = self.policy.decide(request(*wish), ACCESS, hop or self.trunk)
        return {category for category in Category if hides(decision, category)}


def request(*lines: bytes) -> Message:
    return parse(ALICE.request(headers=lines).data, Limits())


ALL = set(Category)


def with_number(*categories: Category) -> set[Category]:
    """Return what is hidden where these are: with a number all that tells it (peers.md row 3)."""
    along = {Category.NAME, Category.NETWORK, Category.HISTORY} if Category.NUMBER in categories else set()
    return {*categories} | along


EMPTY = b"Privacy:"  # counts as the strictest wish
EVERY = pytest.mark.parametrize("category", Category)


@EVERY
def test_the_default_decides_where_nobody_else_does(category: Category) -> None:
    """The lowest level: a key that is given replaces that key, and everything else stays hidden."""
    assert Levels(default=SHOWN).hides() == set()
    assert Levels(default=SHOWN | hidden(category)).hides() == with_number(category)
    assert Levels(default={category.name.lower(): "keep"}).hides() == with_number(*(ALL - {category}))


def test_nothing_said_hides_everything() -> None:
    """The strict default (standards.md §10), with the action that the category calls for."""
    levels = Levels()
    decision = levels.policy.decide(request(), ACCESS, levels.trunk)
    assert action(decision, Category.NUMBER) is Action.ANONYMISE
    assert action(decision, Category.NETWORK) is Action.SEAL
    assert action(decision, Category.DEVICE) is Action.REMOVE
    assert levels.hides() == ALL


def test_a_wish_hides_what_the_default_shows() -> None:
    """A call for which the caller asks for more than its default (*67, Privacy: id)."""
    levels = Levels(default=SHOWN)
    assert levels.hides(b"Privacy: id") == with_number(Category.NUMBER)
    assert levels.hides(b"Privacy: history") == {Category.HISTORY}
    assert levels.hides(EMPTY) == ALL - {Category.CONTENT}


def test_a_wish_takes_nothing_from_what_the_default_hides() -> None:
    """Within a level the stricter wins; `id` asks for no more to be shown than before."""
    assert Levels().hides(b"Privacy: id") == ALL


@EVERY
def test_privacy_none_relaxes_what_rfc_3323_speaks_of_and_no_more(category: Category) -> None:
    """Whoever shows the number does not thereby show the handset: name, number and history alone."""
    relaxed = {Category.NAME, Category.NUMBER, Category.HISTORY}
    assert Levels().hides(b"Privacy: none") == ALL - relaxed
    left = Levels(default=SHOWN | hidden(category)).hides(b"Privacy: none")
    assert left == {category} - relaxed


@EVERY
def test_the_contract_stands_above_wish_and_default(category: Category) -> None:
    """What a trunk is to get it gets, and what it is not to get it does not, whatever subscribers say."""
    name = category.name.lower()
    shown = Levels(contract={name: "keep"})
    assert shown.hides() == with_number(*(ALL - {category}))
    withheld = {Category.NAME, Category.NUMBER}
    assert shown.hides(EMPTY) == with_number(*(ALL - ({category} - withheld))), "RFC 3325 §7: never to strangers"
    assert Levels(contract=hidden(category), default=SHOWN).hides() == with_number(category)
    assert Levels(contract=hidden(category), default=SHOWN).hides(b"Privacy: none") == with_number(category)
    assert Levels(contract={name: "keep"}).hides(hop=Levels().other) == ALL, "another trunk has another contract"


@EVERY
def test_the_floor_stands_above_contract_wish_and_default(category: Category) -> None:
    """The operator's least: not even `Privacy: none` goes below it, a documented departure from RFC 3323 §5."""
    contract = {category.name.lower(): "keep"}
    levels = Levels(floor=hidden(category), contract=contract, default=SHOWN)
    assert levels.hides() == with_number(category)
    assert levels.hides(b"Privacy: none") == with_number(category)
    assert levels.hides(hop=levels.other) == with_number(category)


@EVERY
def test_the_floor_holds_towards_phones_too(category: Category) -> None:
    """The phones' zone is untrusted (design.md §3); what is hidden whatever anybody asks is hidden from it as well."""
    levels = Levels(floor=hidden(category), access=SHOWN)
    assert levels.hides(hop=ACCESS) == with_number(category)


def test_a_floor_below_what_others_hide_changes_nothing() -> None:
    """A least is no most."""
    assert Levels(floor={"name": "keep"}).hides() == ALL


def test_a_trusted_trunk_sees_unknown_headers() -> None:
    """The allow-list is for untrusted trunks; a trusted one gets what nobody knows, unless somebody objects."""
    assert Levels(trusted=True).hides() == ALL - {Category.UNKNOWN}
    assert Levels(trusted=True, contract={"unknown": "remove"}).hides() == ALL
    assert Levels(trusted=True, floor={"unknown": "remove"}).hides() == ALL
    assert Levels(trusted=True).hides(EMPTY) == ALL, "the strictest wish"


def test_the_core_sees_all() -> None:
    """The operator's own servers do their work on it; they honour Privacy themselves."""
    levels = Levels(floor={"number": "anonymise"})
    assert levels.policy.decide(request(EMPTY), ACCESS, CORE) == levels.policy.towards(CORE) == KEEP_ALL


def test_phones_see_names_and_numbers_of_who_calls() -> None:
    """ACCESS_DEFAULT: what a phone shows its user, and challenges that it has to answer."""
    kept = {Category.NAME, Category.NUMBER, Category.CREDENTIALS, Category.CONTENT, Category.HISTORY}
    assert Levels().hides(hop=ACCESS) == ALL - kept - {Category.RECORDING}


def test_a_wish_holds_towards_phones_too() -> None:
    """A caller who withholds the number withholds it from whom it calls, inside the house as well (RFC 3325 §7)."""
    levels = Levels(access=SHOWN)
    assert levels.hides(b"Privacy: id", hop=ACCESS) == with_number(Category.NUMBER)
    assert levels.hides(EMPTY, hop=ACCESS) == ALL - {Category.CONTENT}


def test_privacy_none_shows_phones_no_more_than_their_zone_sees() -> None:
    """The zone's setting is the operator's; a wish relaxes the caller's own default only."""
    levels = Levels()
    assert levels.hides(b"Privacy: none", hop=ACCESS) == levels.hides(hop=ACCESS)


def test_an_emergency_call_hides_nothing() -> None:
    """standards.md §2.6 E2 and E3: above floor and contract, and `critical` is ignored."""
    levels = Levels(floor={"number": "anonymise"}, contract=hidden(Category.NAME))
    for wish in ((), (EMPTY,), (b"Privacy: session;critical",)):
        assert levels.policy.decide(request(*wish), ACCESS, levels.psap) == KEEP_ALL
    assert levels.policy.towards(levels.psap) == KEEP_ALL
    assert levels.hides(hop=Party(Zone.TRUNK, levels.psap.trunk)) == ALL, "the same trunk for any other call"


def test_critical_that_cannot_be_met_is_refused() -> None:
    """RFC 3323 §5; towards the core it is not ours to judge."""
    levels = Levels()
    with pytest.raises(Refused):
        levels.policy.decide(request(b"Privacy: session;critical"), ACCESS, levels.trunk)
    assert levels.policy.decide(request(b"Privacy: session;critical"), ACCESS, CORE) == KEEP_ALL


@pytest.mark.parametrize("insisting", [b"history;critical;session", b"critical;id;unheard-of", b"session;critical"])
def test_critical_takes_nothing_away_from_what_may_not_be_refused(insisting: bytes) -> None:
    """Of a BYE what can be met is (RFC 3323 §5), and what nobody knows is strictest; a re-INVITE is refused."""
    levels = Levels(default=dict.fromkeys(map(str.lower, Category.__members__), "keep"))
    plain = insisting.replace(b"critical;", b"").replace(b";critical", b"")
    said, insisted = (
        levels.policy.also(
            parse(ALICE.request(b"BYE", headers=(b"Privacy: " + value,)).data, Limits()), KEEP_ALL, levels.trunk
        )
        for value in (plain, insisting)
    )
    assert insisted == said
    assert hides(insisted, Category.HISTORY)
    with pytest.raises(Refused):
        levels.policy.also(request(b"Privacy: " + insisting), KEEP_ALL, levels.trunk)


def test_decisions_are_packed_and_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One number for each zone and trunk, which fits a dialog record and is a cache key (proxy/policy.py)."""
    levels = Levels(contract={"number": "keep"})
    first = {hop: levels.policy.towards(hop) for hop in (levels.trunk, levels.other, levels.psap, ACCESS, CORE)}
    assert first[levels.trunk] != first[levels.other]
    assert all(0 <= decision < 1 << 3 * len(Category) for decision in first.values())
    assert levels.policy.decide(request(), ACCESS, levels.trunk) == first[levels.trunk]

    def again(*_: object) -> int:
        raise AssertionError("worked out twice")

    monkeypatch.setattr(levels.policy, "_packed", again)
    assert {hop: levels.policy.towards(hop) for hop in first} == first
    assert levels.policy.decide(request(), ACCESS, levels.trunk) == first[levels.trunk]


# --- subscribers, law, further rules


def knowing(
    address: bytes = b"alice@sip.example.net", *, telemarketer: bool = False, rejects: bool = False, **words: str
) -> Subscribers:
    """Return subscribers of whom one has said something; `name__carrier` is an exception for a trunk."""
    said = []
    for key, value in words.items():
        word, _, trunk = key.partition("__")
        said.append(Setting(trunk, word, Value(value)))
    subscribers = Subscribers()
    profile_ = profile(said, telemarketer=telemarketer, reject_anonymous=rejects)
    subscribers.replace({address: profile_}, Mark(1, 1), 0.0)
    return subscribers


def levels_of(subscribers: Subscribers, **changes: Any) -> tuple[Policy, Party, Party]:
    """Return a policy, its first trunk and its second."""
    settings = world.settings(**changes)
    first, second, _ = (Party(Zone.TRUNK, trunk) for trunk in settings.trunks)
    return Policy(settings, subscribers), first, second


def test_a_subscribers_word_stands_above_the_default() -> None:
    policy, trunk, other = levels_of(knowing(name="show", number="show", number__second="hide"))
    towards_first = policy.decide(request(), ACCESS, trunk)
    assert action(towards_first, Category.NUMBER) is Action.KEEP
    assert action(towards_first, Category.NAME) is Action.KEEP
    towards_second = policy.decide(request(), ACCESS, other)
    assert action(towards_second, Category.NUMBER) is Action.ANONYMISE
    assert action(towards_second, Category.NAME) is Action.ANONYMISE, "it goes with the number"


def test_a_change_is_obeyed_by_the_next_request() -> None:
    subscribers = knowing(name="show", number="show")
    policy, trunk, _ = levels_of(subscribers)
    assert not hides(policy.decide(request(), ACCESS, trunk), Category.NUMBER)
    subscribers.replace({}, Mark(2, 2), 0.0)
    assert hides(policy.decide(request(), ACCESS, trunk), Category.NUMBER)


def test_whom_the_settings_are_of() -> None:
    """The sender of a call; towards a trunk that calls, whom it calls."""
    policy, trunk, _ = levels_of(knowing(b"+15550100@192.0.2.1", name="show", number="show"))
    call = request()
    assert hides(policy.decide(call, ACCESS, trunk), Category.NUMBER), "another one's"
    assert not hides(policy.answers(call, trunk, ACCESS), Category.NUMBER), "the callee's own"
    assert hides(policy.answers(call, ACCESS, trunk), Category.NETWORK), "of a trunk's side nobody has said anything"


def test_a_subscriber_hides_from_other_phones_too() -> None:
    policy, _, _ = levels_of(knowing(number="hide"))
    assert hides(policy.decide(request(), ACCESS, ACCESS), Category.NUMBER)
    policy, _, _ = levels_of(knowing(name="show"))
    assert not hides(policy.decide(request(), ACCESS, ACCESS), Category.NUMBER)


def test_while_nothing_is_known_everything_is_hidden() -> None:
    """An unreachable store: strict (design.md, fail closed)."""
    policy, trunk, _ = levels_of(Subscribers(60), privacy={"default": SHOWN})
    decision = policy.decide(request(), ACCESS, trunk)
    assert all(hides(decision, category) for category in Category)


def test_a_prefix_withholds_and_shows_for_one_call() -> None:
    """47 CFR 64.1601(b): *67 and *82."""
    policy, trunk, _ = levels_of(Subscribers(), privacy={"default": SHOWN})
    assert hides(policy.decide(request(), ACCESS, trunk, Wish.WITHHOLD), Category.NUMBER)
    policy, trunk, _ = levels_of(Subscribers())
    shown = policy.decide(request(), ACCESS, trunk, Wish.SHOW)
    assert not hides(shown, Category.NUMBER)
    assert hides(shown, Category.DEVICE)
    both = policy.decide(request(b"Privacy: id"), ACCESS, trunk, Wish.SHOW)
    assert hides(both, Category.NUMBER), "what either hides is hidden"


def test_telemarketers_may_not_withhold() -> None:
    """47 CFR 64.1601(e)."""
    policy, trunk, _ = levels_of(knowing(telemarketer=True, number="hide"))
    assert not hides(policy.decide(request(b"Privacy: id"), ACCESS, trunk, Wish.WITHHOLD), Category.NUMBER)


def test_telemarketers_may_not_withhold_from_other_phones_either() -> None:
    """The same law; through the core too, where the asserted identity says who calls."""
    policy, _, _ = levels_of(knowing(telemarketer=True, number="hide"), privacy={"floor": {"number": "anonymise"}})
    assert not hides(policy.decide(request(b"Privacy: id"), ACCESS, ACCESS, Wish.WITHHOLD), Category.NUMBER)
    through = request(b"Privacy: id", b"P-Asserted-Identity: <tel:+1555>, <sip:alice@sip.example.net>")
    assert not hides(policy.decide(through, CORE, ACCESS), Category.NUMBER)


@pytest.mark.parametrize("line", [b"Privacy: id", b"Privacy: user"])
def test_who_takes_no_anonymous_calls_gets_none(line: bytes) -> None:
    """RFC 5079: 433; but a PSAP that calls back is nobody's to refuse."""
    policy, trunk, _ = levels_of(knowing(b"+15550100@192.0.2.1", rejects=True))
    with pytest.raises(Refused) as refused:
        policy.decide(request(line), trunk, ACCESS)
    assert refused.value.code == 433
    assert policy.decide(request(), trunk, ACCESS)
    psap = next(Party(Zone.TRUNK, one) for one in world.settings().trunks if one.emergency)
    assert policy.decide(request(line), psap, ACCESS)


@pytest.mark.parametrize(
    ("from_", "anonymous"),
    [
        (b"<sip:anonymous@anonymous.invalid>", True),
        (b"<sip:anonymous@anonymous.invalid;user=phone>", True),
        (b"<sip:c0ffee@ANONYMOUS.invalid:5060>", True),
        (b'"Anonymous" <sip:Anonymous@carrier.example>', True),
        (b"<sip:anonymous;x=y@carrier.example>", True),
        (b"<sip:+15550177@carrier.example>", False),
        (b"<sip:anonymous.coward@carrier.example>", False),
        (b"<tel:+15550177>", False),
        (b'"anonymous" <sip:bob@anonymous.example>', False),
    ],
)
def test_an_anonymous_caller_however_written(from_: bytes, anonymous: bool) -> None:
    """RFC 3323 §4.1.1.3, with what carriers add to it, and at their own hosts."""
    policy, trunk, _ = levels_of(knowing(b"+15550100@192.0.2.1", rejects=True))
    call = parse(CARRIER.request().data.replace(b"<sip:gateway@sip.example.net>", from_), Limits())
    if not anonymous:
        assert policy.decide(call, trunk, ACCESS)
        return
    with pytest.raises(Refused) as refused:
        policy.decide(call, trunk, ACCESS)
    assert refused.value.code == 433


def called(to: bytes, *lines: bytes, uri: bytes = b"sip:+15550100@192.0.2.1") -> Message:
    """Return a call with a To of its caller's own choice."""
    call = CARRIER.request(uri=uri, headers=(*lines, b"Privacy: id")).data
    return parse(call.replace(b"To: <" + uri + b">", b"To: <" + to + b">"), Limits())


def test_whom_a_call_is_for_the_caller_does_not_choose() -> None:
    """To is the caller's; the Request-URI is where the call goes, and the core knows whom it has put a Contact for."""
    subscribers = knowing(b"+15550100@192.0.2.1", rejects=True, name="hide", number="hide")
    subscribers.patch({b"eve@x": profile([Setting("", "number", Value("show"))])}, None, Mark(2, 2), 0.0)
    policy, trunk, _ = levels_of(subscribers)
    with pytest.raises(Refused):
        policy.decide(called(b"sip:eve@x"), trunk, ACCESS)
    assert hides(policy.answers(called(b"sip:eve@x"), trunk, ACCESS), Category.NUMBER)
    contact, told = b"sip:x@10.1.1.23", b"P-Called-Party-ID: <sip:+15550100@192.0.2.1>"
    with pytest.raises(Refused):
        policy.decide(called(b"sip:eve@x", told, uri=contact), CORE, ACCESS)
    with pytest.raises(Refused):
        policy.decide(called(b"sip:+15550100@192.0.2.1", uri=contact), trunk, ACCESS)
    another = called(b"sip:+15550100@192.0.2.1", told.replace(b"+15550100", b"eve"), uri=contact)
    assert policy.decide(another, CORE, ACCESS), "the core knows better than To"
    with pytest.raises(Refused):
        policy.decide(another, trunk, ACCESS)


@pytest.mark.parametrize(
    ("stored", "uri"),
    [
        (b"+15550142", b"<tel:+1-555-0142>"),
        (b"+15550142", b"<sip:+15550142@sip.example.net;user=phone>"),
        (b"+15550142", b"<sip:+1.555.0142;isub=1@10.1.1.23:5062>"),
        (b"+15550142", b"<sip:%2B15550142@anywhere.example>"),
        (b"+15550142@sip.example.net", b"<tel:+15550142>"),
        (b"+15550142@sip.example.net", b"<sip:+1-555-0142@SIP.example.net>"),
    ],
)
def test_one_number_is_one_subscriber_in_a_sip_and_a_tel_uri(stored: bytes, uri: bytes) -> None:
    """RFC 3261 §19.1.6: whichever of both forms an operator has stored."""
    policy, trunk, _ = levels_of(knowing(stored, number="hide"), privacy={"default": SHOWN})
    call = parse(ALICE.request().data.replace(b"<sip:alice@sip.example.net>", uri), Limits())
    assert hides(policy.decide(call, ACCESS, trunk), Category.NUMBER)


@pytest.mark.parametrize("uri", [b"<sip:15550142@x>", b"<sip:+1555014@x>", b"<tel:5550142>", b"<urn:x:+15550142>"])
def test_another_number_is_another_subscriber(uri: bytes) -> None:
    policy, trunk, _ = levels_of(knowing(b"+15550142", number="hide"), privacy={"default": SHOWN})
    call = parse(ALICE.request().data.replace(b"<sip:alice@sip.example.net>", uri), Limits())
    assert not hides(policy.decide(call, ACCESS, trunk), Category.NUMBER)


def test_what_is_stored_for_the_very_address_comes_first() -> None:
    subscribers = knowing(b"+15550142", number="hide")
    shown = profile([Setting("", "number", Value("show"))])
    subscribers.patch({b"+15550142@sip.example.net": shown}, None, Mark(2, 2), 0.0)
    policy, trunk, _ = levels_of(subscribers, privacy={"default": SHOWN})
    call = parse(ALICE.request().data.replace(b"sip:alice@", b"sip:+15550142@"), Limits())
    assert not hides(policy.decide(call, ACCESS, trunk), Category.NUMBER)


def test_session_is_refused_or_degraded() -> None:
    """Never silently ignored: there is no media relay."""
    policy, trunk, _ = levels_of(Subscribers(), privacy={"default": SHOWN})
    with pytest.raises(Refused, match="session"):
        policy.decide(request(b"Privacy: session"), ACCESS, trunk)
    policy, trunk, _ = levels_of(Subscribers(), privacy={"default": SHOWN, "session": "degrade"})
    assert hides(policy.decide(request(b"Privacy: session"), ACCESS, trunk), Category.NETWORK)


@pytest.mark.parametrize("value", [b"critical;foo", b"critical;session", b"session", b"session;foo"])
def test_within_a_dialog_too(value: bytes) -> None:
    """A re-INVITE that insists is refused, and the call stays; a BYE goes on with all that can be done."""
    policy, trunk, _ = levels_of(Subscribers(), privacy={"default": SHOWN})
    with pytest.raises(Refused, match=r"^Privacy cannot be met: ") as refused:
        policy.also(request(b"Privacy: " + value), KEEP_ALL, trunk)
    assert refused.value.code == 500
    for method in (b"ACK", b"BYE"):
        bye = parse(ALICE.request(method, headers=(b"Privacy: " + value,)).data, Limits())
        assert hides(policy.also(bye, KEEP_ALL, trunk), Category.NETWORK)
    degrading, _, _ = levels_of(Subscribers(), privacy={"default": SHOWN, "session": "degrade"})
    if value == b"session":
        assert hides(degrading.also(request(b"Privacy: session"), KEEP_ALL, trunk), Category.NETWORK)


@pytest.mark.parametrize("line", [b"Privacy: id", b"Privacy: user;critical", b"Privacy: who-knows"])
@pytest.mark.parametrize("pstn", [False, True])
def test_no_contract_shows_a_withheld_number_without_saying_so(line: bytes, pstn: bool) -> None:
    """47 CFR 64.1601(b): a trusted trunk whose contract shows numbers is told this one, with `Privacy: id`."""
    first = {**world.SETTINGS["trunks"][0], "trusted": True, "pstn": pstn}
    trunks = [{**first, "privacy": {"number": "keep", "name": "keep"}}, *world.SETTINGS["trunks"][1:]]
    policy, trunk, _ = levels_of(Subscribers(), trunks=trunks)
    withheld = policy.decide(request(line), ACCESS, trunk)
    assert action(withheld, Category.NUMBER) is Action.INDICATE
    assert action(withheld, Category.NAME) is Action.ANONYMISE
    assert action(policy.decide(request(), ACCESS, trunk, Wish.WITHHOLD), Category.NUMBER) is Action.INDICATE
    assert action(policy.decide(request(), ACCESS, trunk), Category.NUMBER) is Action.KEEP


@pytest.mark.parametrize(
    ("value", "contract", "named"),
    [
        (b"header", "network", "header"),
        (b"user;header", "device", "user"),
        (b"history;id", "history", "history"),
        (b"user;header;history", "history", "user header history"),
    ],
)
def test_critical_against_a_contract_is_refused(value: bytes, contract: str, named: str) -> None:
    """RFC 3323 §5: what stands above the wish keeps us from it, and whoever insists hears of it."""
    trunks = [
        {**world.SETTINGS["trunks"][0], "trusted": True, "privacy": {contract: "keep"}}, *world.SETTINGS["trunks"][1:]
    ]  # fmt: skip
    policy, trunk, _ = levels_of(Subscribers(), trunks=trunks, privacy={"default": SHOWN})
    assert policy.decide(request(b"Privacy: " + value), ACCESS, trunk)
    for ask in (policy.decide, policy.rulings):
        with pytest.raises(Refused, match=rf"^Privacy cannot be met: {named}$"):
            ask(request(b"Privacy: critical;" + value), ACCESS, trunk)
    strict, other, _ = levels_of(Subscribers())
    assert strict.decide(request(b"Privacy: critical;" + value), ACCESS, other)


def test_a_telemarketer_who_insists_is_refused() -> None:
    policy, trunk, _ = levels_of(knowing(telemarketer=True))
    with pytest.raises(Refused, match="id"):
        policy.decide(request(b"Privacy: id;critical"), ACCESS, trunk)


def test_a_rule_for_some_methods_and_trunks() -> None:
    rule = {"level": "contract", "methods": ["MESSAGE"], "trunks": ["carrier"], "privacy": {"content": "keep"}}
    policy, trunk, other = levels_of(Subscribers(), rules=[rule])
    message = parse(ALICE.request(b"MESSAGE").data, Limits())
    assert not hides(policy.decide(message, ACCESS, trunk), Category.CONTENT)
    assert hides(policy.decide(request(), ACCESS, trunk), Category.CONTENT)
    assert hides(policy.decide(message, ACCESS, other), Category.CONTENT)


def test_a_rule_for_what_phones_see_of_a_trunk() -> None:
    rule = {"level": "floor", "direction": "in", "trunks": ["second"], "privacy": {"name": "anonymise"}}
    policy, trunk, other = levels_of(Subscribers(), rules=[rule])
    assert hides(policy.decide(request(), other, ACCESS), Category.NAME)
    assert not hides(policy.decide(request(), trunk, ACCESS), Category.NAME)


def test_rulings_say_who_decided() -> None:
    """What `sipveil explain` prints is what the proxy does."""
    policy, trunk, _ = levels_of(knowing(name="show", number="show"), privacy={"floor": {"name": "anonymise"}})
    rulings = {ruling.category: ruling for ruling in policy.rulings(request(b"Privacy: history"), ACCESS, trunk)}
    assert rulings[Category.NAME][1:4] == (Action.ANONYMISE, Level.FLOOR, "privacy.floor.name")
    assert str(rulings[Category.NAME].overrode[0]) == "subscriber.name: keep"
    assert rulings[Category.NUMBER][1:4] == (Action.KEEP, Level.SUBSCRIBER, "subscriber.number")
    assert rulings[Category.DEVICE].level is Level.DEFAULT
    decision = policy.decide(request(b"Privacy: history"), ACCESS, trunk)
    assert all(action(decision, category) is ruling.action for category, ruling in rulings.items())


def test_a_ruling_names_the_subscribers_word_and_exception() -> None:
    """`number@carrier` where that differs from what is said for all; and that nobody could read any settings."""
    said = profile(
        (Setting("", "number", Value.SHOW), Setting("carrier", "number", Value.HIDE), Setting("", "device", Value.SHOW))
    )
    everybody = Subscribers()
    everybody.replace({b"alice@sip.example.net": said}, Mark(1, 1), 0.0)
    unread = "subscriber settings that cannot be read"
    for subscribers, number, software in (
        (everybody, "subscriber.number@carrier", "subscriber.device"), (Subscribers(stale_after=1), unread, unread),
    ):  # fmt: skip
        policy, trunk, _ = levels_of(subscribers)
        rulings = {ruling.category: ruling for ruling in policy.rulings(request(), ACCESS, trunk)}
        assert rulings[Category.NUMBER].rule == number
        assert rulings[Category.SOFTWARE].rule == software
    policy, _, other = levels_of(everybody)
    rulings = {ruling.category: ruling for ruling in policy.rulings(request(), ACCESS, other)}
    assert rulings[Category.NUMBER].rule == "subscriber.number"


def test_of_two_contracts_the_milder_is_overruled() -> None:
    """The strictest decides, and the page names the other."""
    rules = [
        {"level": "contract", "privacy": {"content": "remove"}},
        {"level": "contract", "trunks": ["carrier"], "privacy": {"content": "keep"}},
    ]
    policy, trunk, _ = levels_of(Subscribers(), rules=rules, privacy={"default": {"content": "keep"}})
    ruling = next(one for one in policy.rulings(request(), ACCESS, trunk) if one.category is Category.CONTENT)
    assert (ruling.action, ruling.rule) == (Action.REMOVE, "rules[0].privacy.content")
    assert list(map(str, ruling.overrode)) == ["rules[1].privacy.content: keep", "privacy.default.content: keep"]


def test_a_flood_of_wishes_costs_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "MAX_DECISIONS", 8)
    policy, trunk, _ = levels_of(Subscribers())
    for number in range(50):
        policy.decide(request(b"Privacy: x-%d" % number), ACCESS, trunk)
    assert len(policy._decided) <= 8


def test_a_wish_as_long_as_a_datagram_is_not_remembered() -> None:
    """It is the strictest each time, and each time the work of a moment."""
    policy, trunk, _ = levels_of(Subscribers())
    long = [b"Privacy: " + b"x" * 200] * 20
    first = policy.decide(request(*long), ACCESS, trunk)
    assert policy._decided == {}
    assert policy.decide(request(*long), ACCESS, trunk) == first == policy.decide(request(b"Privacy: x"), ACCESS, trunk)
    assert len(policy._decided) == 1


def test_no_subscriber_is_hidden_by_who_is_not_believed() -> None:
    policy, *_ = levels_of(knowing(b"+49305550123", number="show"))
    for uri in (b"sip:alice@sip.example.net", b"tel:+49305550123", b"sip:+49305550123@carrier.example"):
        assert policy.noted_as(uri, believed=True)
        assert not policy.noted_as(uri, believed=False)
    assert set(policy.noted_as(b"tel:+49305550199", believed=False)) < set(policy.known_as(b"tel:+49305550199"))
    noted = policy.noted_as(b"sip:alice@sip.example.net", believed=True)
    assert set(policy.known_as(b"sip:alice@sip.example.net")) < set(noted), "at home it is she and no namesake"
    assert not set(noted).isdisjoint(policy.known_as(b"sip:alice@pbx.example"))
