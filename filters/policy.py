"""Decisions: one action for each category, by the precedence of design.md §2.

Highest first: emergency call, law, the operator's floor, the trunk's contract, the caller's wish for this call, the
subscriber's settings, the default. The floor is a least: what it hides is hidden, whatever stands below it.

A decision is worked out by `_rulings`, which says of each category who decided and whom that overrode, and is then
remembered as a number. So what `sipveil explain` shows is what the proxy does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from config.address import is_ip
from config.privacy_section import PolicyRule
from config.privacy_section import Privacy as Actions
from config.region_section import Region
from config.settings import Settings, Trunk
from config.subscriber import EVERYWHERE, STRICT, WORDS, Profile, key_of
from config.subscribers import Subscribers
from config.vocabulary import Action, Category, Zone
from filters.forwarders import MAX_FORWARDERS, forwarders, tells_forwarding
from filters.known_as import known_as, noted_as
from filters.named import Named, named, named_beside
from filters.request import NOTHING, Asked, asked, beside, cannot_be_met, unperformed
from filters.rulings import Level, Ruling, Weighing
from filters.said import global_number, uris
from filters.withheld import Withheld, is_anonymous
from proxy.address_of_record import addresses_of_record
from proxy.dialled import Wish
from proxy.errors import Malformed, Refused
from proxy.message import Message
from proxy.party import CORE, Party
from proxy.policy import KEEP_ALL, Private, action, hides, pack, stricter
from proxy.uri import SipUri, parse_sip_uri

MAX_DECISIONS = 4096
"""Decisions that are remembered; a flood of different wishes begins anew rather than grow memory."""
MAX_WISH = 256
"""Longest Privacy header of which a decision is remembered: all that RFC 3323 and 3325 know has 60 bytes."""
_RELAXED = (Category.NAME, Category.NUMBER, Category.HISTORY)
"""What RFC 3323 speaks of: a caller who shows the number does not thereby show the handset."""
_IDENTITY = (Category.NAME, Category.NUMBER)
"""What metadata tell of a participant (filters.metadata_names.Treatment)."""
_WORD_OF = {category: word for word, meant in WORDS.items() for category in meant.actions}
_NO_WISH, _ACCESS, _PSAP = Wish.NONE, Zone.ACCESS, Zone.PSAP
"""Members that each call asks for: to find one in its enumeration costs five times what a name does."""
_NEVER_REFUSED = frozenset((b"ACK", b"BYE", b"CANCEL"))
"""Requests that go on with what can be done of a wish: without them a call would stay up."""


class _Case(NamedTuple):
    """What a decision is about."""

    hop: Party
    """Who is to see it."""
    other: Party
    """Whose side it is about."""
    method: bytes
    profile: Profile | None
    """Settings of the subscriber on that side, where it has one."""
    wish: Asked
    forwarders: tuple[Profile | None, ...] = ()
    """Settings of those who forwarded the call: theirs is its history, not the caller's."""
    recorded: tuple[Profile, ...] = ()
    """Settings of those whom the headers of a recording session name: each of them may hide them."""


class Participant(NamedTuple):
    """What is decided of somebody whom a recording names."""

    decision: int
    """What the recorder may be told."""
    may_be_recorded: bool | None
    """None where it is no subscriber who has said anything."""


class Policy:
    """The levels of one generation of settings, and the subscribers."""

    def __init__(self, settings: Settings, subscribers: Subscribers | None = None) -> None:
        """Read the rules; subscribers, where there are any, are asked anew for each request."""
        self._settings = settings
        self._subscribers = Subscribers() if subscribers is None else subscribers
        self._rules = [(f"rules[{place}].privacy", rule) for place, rule in enumerate(settings.rules)]
        self._methods = any(rule.methods for rule in settings.rules)
        """Whether a decision may depend on the method."""
        self._realms = tuple(realm.lower().encode() for realm in settings.own_realms)
        registered = settings.registrar.domains if settings.registrar is not None else ()
        self._homes = tuple(dict.fromkeys((*self._realms, *(domain.lower().encode() for domain in registered))))
        """Where subscribers are at home, whatever host others write behind their names."""
        self._region = settings.region
        self._decided: dict[tuple[object, ...], int] = {}
        self._withheld = Withheld()

    # --- what the core asks

    def decide(self, request: Message, source: Party, hop: Party, wish: Wish = Wish.NONE) -> int:
        """Return the packed decision for what the sender of an initial request discloses to hop.

        Raises:
            Refused: when the caller asks for what cannot be done, and insists; when whom it calls takes no anonymous
                calls (433, RFC 5079).
        """
        if hop.zone is _PSAP:
            return KEEP_ALL
        profile = self._profile_of_sender(request, source)
        plain = wish is _NO_WISH and not request.shape.asks
        said = [] if plain else request.values(b"privacy")
        privacy = () if plain else (wish, *said, b"privacy" in request.index, beside(request))
        forwarded = self._profiles_of_forwarders(request, source, hop)
        recorded = self._profiles_of_recorded(named(request)) if hop.recorder is not None else ()
        asked_too = tuple(_key(one, hop) for one in (*forwarded, None, *recorded)) if forwarded or recorded else ()
        key = (hop.key, source.key, request.method if self._methods else b"", _key(profile, hop), privacy, asked_too)
        decision = self._decided.get(key)
        if decision is None:
            case = self._case(request, source, hop, profile, wish)._replace(forwarders=forwarded, recorded=recorded)
            decision = self._packed(case)
            if sum(map(len, said)) <= MAX_WISH:
                self._remember(key, decision)
        if hop.zone is _ACCESS:
            self._check_anonymous(request, source, decision)
        return decision

    def kept_from(self, request: Message, source: Party, hop: Party) -> str:
        """Return whose data may not go to a trunk, by the region (GDPR Art. 44); "" where nobody's keep it from there.

        Calls from another trunk are of no subscriber. What is in the region, or has a basis, may have all.
        """
        region, trunk = self._region, hop.trunk
        if region is None or trunk is None or source.trunk is not None:
            return ""
        if trunk.country in region.countries or trunk.transfer_basis in region.bases:
            return ""
        if self._stays(self._profile_of_sender(request, source), region, trunk):
            return "caller"
        forwarded = self._profiles_of_forwarders(request, source, hop)
        return "forwarder" if any(self._stays(one, region, trunk) for one in forwarded if one is not None) else ""

    def may_record(self, request: Message, source: Party) -> bool:
        """Tell whether the sender of a request may have a recording begin or end: its setting, else the default.

        What trunks ask for is no subscriber's wish. The core is the operator's own.
        """
        if source.trunk is not None or source.zone is Zone.CORE:
            return source.trunk is None
        levels = self._settings.privacy
        if _said(levels.floor, Category.RECORDING):
            return False
        default = pack({Category.RECORDING: _said(levels.default, Category.RECORDING) or Action.KEEP})
        profile = self._profile_of_sender(request, source)
        return not hides(profile.towards(EVERYWHERE, default) if profile else default, Category.RECORDING)

    def participant(self, uri: bytes, hop: Party) -> Participant:
        """Return what a recorder may be told of whom a recording names, and whether that one may be recorded.

        Args:
            uri: of the one who is named.
            hop: the recorder.
        """
        profile = self._profile_of(uri)
        found = self._participant(profile, hop)
        if profile is not None:
            return found
        namesake = self._namesake(uri)
        if namesake is None:
            # Whose host is a realm of ours is a subscriber, who has said nothing.
            return found._replace(may_be_recorded=self.anybody_may_be_recorded()) if self._is_at_home(uri) else found
        # Who that is is not sure: it may hide something, and show nothing.
        other = self._participant(namesake, hop)
        return Participant(stricter(found.decision, other.decision), None if other.may_be_recorded else False)

    def _participant(self, profile: Profile | None, hop: Party) -> Participant:
        key = (hop.key, _key(profile, hop), "participant")
        decision = self._decided.get(key)
        if decision is None:
            decision = self._remember(key, self._packed(_Case(hop, CORE, b"INVITE", profile, NOTHING)))
        return Participant(decision, None if profile is None else self._may_be_recorded(profile, hop))

    def _namesake(self, uri: bytes) -> Profile | None:
        """Return the settings of who has the same number or name where our subscribers are at home; None for nobody.

        Recording clients write their own host or its address behind a user, or no host: sip:+15550123@192.0.2.5, 7042.
        """
        if not self._subscribers.are_kept:
            return None
        parsed = _sip(uri)
        if parsed is None:
            user = uri.partition(b":")[2].partition(b";")[0]  # a local number of a tel URI, an extension
        elif is_ip(parsed.host.decode("ascii", "replace")) or global_number(uri):
            user = parsed.user
        else:
            return None
        same = [self._profile_of(b"sip:%b@%b" % (user, home)) for home in self._homes] if user else []
        return next((profile for profile in same if profile is not None), None)

    def wished(self, message: Message) -> int:
        """Return what a message of a recording session asks for by its Privacy header, of all whom it names; packed.

        Nothing that a recorder may not be told stands in the way of the rest: what cannot be done is not refused here.
        """
        return pack(asked(message, session="degrade", refuse=False).actions)

    def withheld(self, message: Message, wish: Wish) -> int:
        """Return what a call's message asks to be hidden of its sender, as far as recordings tell it; 0 for nothing.

        By its Privacy header, what stands for one, or the prefix that was dialled (`wish`), or by a From that is
        nobody's.
        """
        return self._withheld.of(message, wish)

    def noted_as(self, uri: bytes, *, believed: bool) -> tuple[bytes, ...]:
        """Return the names by which a wish is kept of whom a URI names; () for nobody.

        Args:
            uri: of whoever asks.
            believed: whether whose it is was proved, or is said by who may say so. Others hide none of our subscribers.
        """
        if not believed and (self._is_at_home(uri) or self._profile_of(uri) is not None):
            return ()
        return noted_as(uri, believed=believed)

    def known_as(self, uri: bytes) -> tuple[bytes, ...]:
        """Return the names by which whom a recording names may have asked for privacy."""
        return known_as(uri, self._homes)

    def sender(self, request: Message, source: Party, hop: Party) -> bool | None:
        """Tell whether the sender of a request may be recorded, and whom else its headers name.

        None where the sender has said nothing, and nobody has anything against it.
        """
        if self._subscribers.are_kept:
            found = named(request)
            recorded = self._profiles_of_recorded(found)
            if not found.complete or not all(self._may_be_recorded(profile, hop) for profile in recorded):
                return False
        profile = self._profile_of_sender(request, source)
        return None if profile is None else self._may_be_recorded(profile, hop)

    def anybody_may_be_recorded(self) -> bool:
        """Tell whether who has said nothing may be recorded."""
        levels = self._settings.privacy
        hidden = _said(levels.floor, Category.RECORDING) or _said(levels.default, Category.RECORDING)
        return hidden is Action.KEEP

    def _may_be_recorded(self, profile: Profile, hop: Party) -> bool:
        trunk, levels = hop.trunk, self._settings.privacy
        if trunk is None or _said(levels.floor, Category.RECORDING) is not Action.KEEP:
            return False
        default = pack({Category.RECORDING: _said(levels.default, Category.RECORDING)})
        if hides(profile.towards(trunk.name, default), Category.RECORDING):
            return False
        region = self._region
        if region is None or trunk.country in region.countries or trunk.transfer_basis in region.bases:
            return True
        return not self._stays(profile, region, trunk)

    def _stays(self, profile: Profile | None, region: Region, trunk: Trunk) -> bool:
        said = profile.may_leave(trunk.name) if profile is not None else None
        return region.default == "stay" if said is None else not said

    def answers(self, request: Message, source: Party, hop: Party) -> int:
        """Return the packed decision for what hop's side discloses to the sender of an initial request."""
        if source.zone is _PSAP:
            return KEEP_ALL
        profile = self._profile_of_callee(request, source, hop)
        key = (source.key, hop.key, request.method if self._methods else b"", _key(profile, source), "answers")
        decision = self._decided.get(key)
        if decision is None:
            case = _Case(source, hop, request.method, profile, NOTHING)
            decision = self._remember(key, self._packed(case))
        return decision

    def towards(self, hop: Party) -> int:
        """Return the packed decision for hop where nobody has said anything."""
        key = (hop.key,)
        decision = self._decided.get(key)
        if decision is None:
            decision = self._remember(key, self._packed(_Case(hop, hop, b"", None, NOTHING)))
        return decision

    def also(self, message: Message, decision: int, hop: Party) -> int:
        """Return a dialog's decision with what a message of it asks for by its own Privacy header.

        Towards a recorder also with what those hide whom it names.

        Raises:
            Refused: as for an initial request, where the call does not hang on it.
        """
        if hop.zone in (Zone.PSAP, Zone.CORE):
            return decision
        wish = asked(message, session=self._settings.privacy.session, refuse=message.method not in _NEVER_REFUSED)
        decision = stricter(decision, pack(wish.actions))
        if hop.recorder is not None:
            for profile in self._profiles_of_recorded(named_beside(message)):
                decision = stricter(decision, self._participant(profile, hop).decision)
        return _one_set(decision, hop)

    def also_private(self, message: Message, decision: int, hop: Party, private: Private) -> int:
        """Return the decision for a message to a recorder with what those want whom its headers name.

        private: what is to be hidden of whom, for it asked for privacy in a call that runs. From and To of a dialog
        stay as they were when it began.
        """
        found = named_beside(message) if message.to_tag else named(message)
        asks = KEEP_ALL
        for uri in found.uris:
            asks = stricter(asks, private(self.known_as(uri)))
        return _one_set(stricter(decision, asks), hop) if asks else decision

    def rulings(self, request: Message, source: Party, hop: Party, wish: Wish = Wish.NONE) -> tuple[Ruling, ...]:
        """Return who decided what, for an initial request; raises as `decide`."""
        case = self._case(request, source, hop, self._profile_of_sender(request, source), wish)
        recorded = self._profiles_of_recorded(named(request)) if hop.recorder is not None else ()
        forwarded = self._profiles_of_forwarders(request, source, hop)
        return self._rulings(case._replace(forwarders=forwarded, recorded=recorded))

    def _remember(self, key: tuple[object, ...], decision: int) -> int:
        if len(self._decided) >= MAX_DECISIONS:
            self._decided.clear()
        self._decided[key] = decision
        return decision

    # --- whom it is about

    def _case(self, request: Message, source: Party, hop: Party, profile: Profile | None, wish: Wish) -> _Case:
        session = self._settings.privacy.session
        # The core honours Privacy itself; what is said of the PSAP's zone stands above all.
        asks = hop.zone not in (Zone.CORE, Zone.PSAP)
        return _Case(hop, source, request.method, profile, asked(request, wish, session=session) if asks else NOTHING)

    def _profile_of_sender(self, request: Message, source: Party) -> Profile | None:
        """Return the settings of the subscriber who sends a request; None for trunks and for who has none.

        That is told by From, or by what the core asserts: a sip and a tel identity, of which either may be stored.
        """
        if source.trunk is not None or not self._subscribers.are_kept:
            return None
        if source.zone is Zone.CORE and b"p-asserted-identity" in request.index:
            asserted = uris(request.values(b"p-asserted-identity"))
            return next(filter(None, map(self._profile_of, asserted or (request.from_.uri,))), None)
        return self._profile_of((request.caller or request.from_).uri)

    def _profile_of_callee(self, request: Message, source: Party, hop: Party) -> Profile | None:
        """Return the settings of the subscriber who is called; None for trunks and for who has none.

        The Request-URI says who that is, unless the core has put a phone's Contact in its place. Then
        P-Called-Party-ID does (RFC 7315 §4.2), and To for want of it; but To is the caller's to choose.
        """
        if hop.trunk is not None or not self._subscribers.are_kept:
            return None
        if request.callee:
            return self._profile_of(request.callee)
        known = self._profile_of(request.uri)
        if known is None and source.zone is Zone.CORE and b"p-called-party-id" in request.index:
            return next(map(self._profile_of, uris(request.values(b"p-called-party-id"))), None)
        return known or self._profile_of(request.to.uri)

    def _profile_of(self, uri: bytes) -> Profile | None:
        """Return the settings that are stored for a URI: a number is the same in a sip and in a tel URI."""
        return self._subscribers.find(*addresses_of_record(uri, self._realms))

    def _is_at_home(self, uri: bytes) -> bool:
        """Tell whether a URI is of a realm of ours: whom it names is a subscriber, who has said nothing."""
        found = _sip(uri)
        return found is not None and found.host.lower().removesuffix(b".") in self._realms

    def _profiles_of_forwarders(self, request: Message, source: Party, hop: Party) -> tuple[Profile | None, ...]:
        """Return the settings of those who forwarded what the core sends to a trunk, None for one who has none.

        Who is at home where subscribers are may be named with another host: the number alone is looked for as well.
        """
        if source.zone is not Zone.CORE or hop.trunk is None or not tells_forwarding(request):
            return ()
        found: list[Profile | None] = []
        named = forwarders(request)
        for uri in named[:MAX_FORWARDERS]:
            number = global_number(uri)
            called = (uri, b"tel:+" + number) if number else (uri,)
            found += [profile for profile in map(self._profile_of, called) if profile is not None] or [None]
        return (*found, None) if len(named) > MAX_FORWARDERS else tuple(found)

    def _profiles_of_recorded(self, found: Named) -> tuple[Profile, ...]:
        """Return the settings of all whom a message to a recorder names in its headers, as far as they have any."""
        if not self._subscribers.are_kept:
            return ()
        known = [self._profile_of(uri) or self._namesake(uri) for uri in found.uris]
        return tuple([profile for profile in known if profile is not None])

    def _check_anonymous(self, request: Message, source: Party, decision: int) -> None:
        """Refuse an anonymous call to a subscriber who takes none; a PSAP that calls back is taken always.

        Raises:
            Refused: 433.
        """
        profile = self._profile_of_callee(request, source, _PHONE)
        if profile is None or not profile.rejects_anonymous or source.zone is Zone.PSAP:
            return
        if source.trunk is not None and source.trunk.emergency:
            return
        hidden = action(decision, Category.NUMBER) is not Action.KEEP
        if hidden or is_anonymous(request.from_.uri):
            raise Refused(433, "Anonymity Disallowed")

    # --- the levels

    def _packed(self, case: _Case) -> int:
        return pack({ruling.category: ruling.action for ruling in self._rulings(case)})

    def _rulings(self, case: _Case) -> tuple[Ruling, ...]:
        """Weigh all categories for a case.

        Raises:
            Refused: where the caller insists, by `critical`, on what a level above stands against (RFC 3323 §5).
        """
        if case.hop.zone is Zone.PSAP:
            why = "an emergency call goes through, complete"
            return tuple(Ruling(category, Action.KEEP, Level.EMERGENCY, why, ()) for category in Category)
        weigh = self._towards_trunk if case.hop.trunk is not None else self._towards_zone
        weighed = {category: weigh(category, case) for category in Category}
        _move_together(weighed, case.hop)
        if case.wish.critical:
            decision = pack({category: one.action for category, one in weighed.items()})
            unmet = unperformed(case.wish.critical, decision)
            if unmet:
                raise cannot_be_met(unmet)
        return tuple(one.ruling() for one in weighed.values())

    def _towards_trunk(self, category: Category, case: _Case) -> Weighing:
        settings, trunk, wish = self._settings, case.hop.trunk, case.wish
        assert trunk is not None  # noqa: S101 -- the caller has looked
        found = Weighing(
            category, Level.DEFAULT, _place("privacy.default", category), _said(settings.privacy.default, category)
        )
        for place, action_ in self._of("default", "out", category, case):
            found.least(Level.DEFAULT, place, action_)
        if category is Category.UNKNOWN and trunk.trusted:
            found.replace(Level.CONTRACT, f"trunks.{trunk.name}.trusted", Action.KEEP)
        others = case.forwarders if category is Category.HISTORY else ()
        if others:
            _forwarded(found, case, trunk.name)
        else:
            _subscriber(found, case.profile, trunk.name)
        if wish.relaxed and category in _RELAXED and not others:
            found.replace(Level.CALL, wish.text, Action.KEEP)
        found.least(Level.CALL, wish.text, wish.actions.get(category, Action.KEEP))
        for one in case.recorded:
            own = _wanted(one, category, trunk.name) or Action.KEEP
            found.least(Level.SUBSCRIBER, "subscriber who is recorded", own)
        self._contract(found, case, trunk)
        found.least(Level.FLOOR, _place("privacy.floor", category), _said(settings.privacy.floor, category))
        for place, action_ in self._of("floor", "out", category, case):
            found.least(Level.FLOOR, place, action_)
        _law(found, case, trunk)
        return found

    def _contract(self, found: Weighing, case: _Case, trunk: Trunk) -> None:
        """Let the contract decide; but no contract shows a withheld number.

        Whom nobody trusts is not told it (RFC 3325 §7); who is trusted hears that it is withheld, for nobody may
        override the indicator (47 CFR 64.1601(b)).
        """
        category, withheld = found.category, case.wish.actions.get(found.category, Action.KEEP)
        own = _place(f"trunks.{trunk.name}.privacy", category), trunk.privacy.of(category)
        contracts = [*self._of("contract", "out", category, case), own]
        said = [(place, action_) for place, action_ in contracts if action_ is not None]
        if not said:
            return
        # The strictest speaks last, and of those that say the same the trunk's own table.
        for place, action_ in sorted(said, key=lambda pair: pair[1]):
            found.replace(Level.CONTRACT, place, action_)
        if category in _IDENTITY and not trunk.trusted:
            found.least(Level.LAW, f"RFC 3325 §7: {case.wish.text}", withheld)
        elif category is Category.NUMBER:
            found.least(Level.LAW, f"47 CFR 64.1601(b): {case.wish.text}", min(withheld, Action.INDICATE))

    def _towards_zone(self, category: Category, case: _Case) -> Weighing:
        """Weigh for phones and core."""
        hop, settings = case.hop, self._settings
        section = settings.access if hop.zone is Zone.ACCESS else settings.core
        known = _said(section.privacy, category) if section else Action.REMOVE
        found = Weighing(category, Level.ZONE, _place(f"{hop.zone.value}.privacy", category), known)
        if hop.zone is Zone.CORE:
            return found
        for place, action_ in self._of("contract", "in", category, case):
            found.least(Level.CONTRACT, place, action_)
        if case.other.trunk is None and case.profile is not None and case.profile.said >> 3 * category & 7:
            said = case.profile.towards(EVERYWHERE, 0)
            found.least(Level.SUBSCRIBER, _words(case.profile, category, EVERYWHERE), action(said, category))
        found.least(Level.CALL, case.wish.text, case.wish.actions.get(category, Action.KEEP))
        if case.other.zone is Zone.ACCESS:
            # The floor is about subscribers: it hides one phone's user from another, not a trunk's caller from both.
            found.least(Level.FLOOR, _place("privacy.floor", category), _said(settings.privacy.floor, category))
        for place, action_ in self._of("floor", "in", category, case):
            found.least(Level.FLOOR, place, action_)
        _telemarketer(found, case)
        return found

    def _of(self, level: str, direction: str, category: Category, case: _Case) -> Iterable[tuple[str, Action]]:
        """Yield the further rules of a level that hold for a case."""
        trunk = case.hop.trunk or case.other.trunk
        for place, rule in self._rules:
            said = rule.privacy.of(category)
            if said is not None and rule.level == level and rule.direction == direction and _holds(rule, trunk, case):
                yield _place(place, category), said


def _holds(rule: PolicyRule, trunk: Trunk | None, case: _Case) -> bool:
    if rule.trunks and (trunk is None or trunk.name not in rule.trunks):
        return False
    return not rule.methods or case.method.decode("latin-1") in rule.methods


def _key(profile: Profile | None, hop: Party) -> tuple[object, ...] | None:
    """Return what of a profile a decision towards hop depends on."""
    if profile is None:
        return None
    said = profile.exceptions.get(hop.trunk.name) if hop.trunk is not None else None
    return (*(said or (profile.actions, profile.said)), profile.telemarketer)


def _subscriber(found: Weighing, profile: Profile | None, trunk: str) -> None:
    wanted = _wanted(profile, found.category, trunk)
    if profile is not None and wanted is not None:
        found.replace(Level.SUBSCRIBER, _words(profile, found.category, trunk), wanted)


def _wanted(profile: Profile | None, category: Category, trunk: str) -> Action | None:
    """Return what a subscriber says of a category, None for nothing."""
    if profile is None:
        return None
    actions, said = profile.exceptions.get(trunk) or (profile.actions, profile.said)
    return action(actions, category) if said >> 3 * category & 7 else None


def _words(profile: Profile, category: Category, trunk: str) -> str:
    """Return the subscriber's own word for a category: `subscriber.number`, `subscriber.number@carrier`."""
    if profile is STRICT:
        return "subscriber settings that cannot be read"
    general = profile.said >> 3 * category & 7, action(profile.actions, category)
    actions, said = profile.exceptions.get(trunk) or (profile.actions, profile.said)
    differs = (said >> 3 * category & 7, action(actions, category)) != general
    return f"subscriber.{key_of(_WORD_OF[category], trunk if differs else EVERYWHERE)}"


def _forwarded(found: Weighing, case: _Case, trunk: str) -> None:
    """Let all who forwarded a call agree to what is told of it; the caller may hide it too, and shows nobody."""
    wanted = [_wanted(profile, found.category, trunk) for profile in case.forwarders]
    if any(one is not None for one in wanted):
        strictest = max(found.action if one is None else one for one in wanted)
        found.replace(Level.SUBSCRIBER, "subscriber who forwarded", strictest)
    if case.profile is not None:
        own = _wanted(case.profile, found.category, trunk) or Action.KEEP
        found.least(Level.SUBSCRIBER, _words(case.profile, found.category, trunk), own)


def _telemarketer(found: Weighing, case: _Case) -> None:
    """Show who calls to sell, whomever it calls."""
    if found.category in _IDENTITY and case.profile is not None and case.profile.telemarketer:
        found.replace(Level.LAW, "47 CFR 64.1601(e): a telemarketer may not withhold", Action.KEEP)


def _law(found: Weighing, case: _Case, trunk: Trunk) -> None:
    """Say what no subscriber, contract or floor can change, and what trust makes of a hidden number."""
    _telemarketer(found, case)
    if found.category is not Category.NUMBER:
        return
    if trunk.pstn and found.action > Action.INDICATE:
        found.replace(Level.LAW, f"trunks.{trunk.name}.pstn: 47 CFR 64.1601(a)", Action.INDICATE)
    elif trunk.trusted and found.action is Action.ANONYMISE and found.level not in (Level.FLOOR, Level.CONTRACT):
        found.replace(Level.CONTRACT, f"trunks.{trunk.name}.trusted: RFC 3325", Action.INDICATE)


def _move_together(weighed: dict[Category, Weighing], hop: Party) -> None:
    """Hide what would tell a hidden number all the same: the identity of a caller is one set of fields."""
    number = weighed[Category.NUMBER]
    for category, least in _set_of(number.action, hop):
        weighed[category].least(number.level, f"goes with the number ({number.rule})", least)


def _set_of(number: Action, hop: Party) -> tuple[tuple[Category, Action], ...]:
    """Return the least that becomes of the categories that a number stands in, by what becomes of the number."""
    if number is Action.KEEP:
        return ()
    name = Action.PSEUDONYMISE if number is Action.PSEUDONYMISE else Action.ANONYMISE
    # Contact and Call-ID hold user names; who forwarded a call is its caller's to hide from strangers alone.
    moved = ((Category.NAME, name), (Category.NETWORK, Action.SEAL))
    trusted = hop.trunk is not None and hop.trunk.trusted
    return moved if trusted else (*moved, (Category.HISTORY, Action.REMOVE))


def _one_set(decision: int, hop: Party) -> int:
    """Return a decision in which identity moves as one set."""
    return stricter(decision, pack(dict(_set_of(action(decision, Category.NUMBER), hop))))


def _place(section: str, category: Category) -> str:
    return f"{section}.{category.name.lower()}"


def _said(level: Actions, category: Category) -> Action:
    return level.of(category) or Action.KEEP


def _sip(uri: bytes) -> SipUri | None:
    try:
        return parse_sip_uri(uri)
    except Malformed:
        return None


_PHONE = Party(Zone.ACCESS)
