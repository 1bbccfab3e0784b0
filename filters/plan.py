"""Plans: what catalogue and decision mean for each header line and body, compiled once, applied in one pass.

Towards a hop that sees unknown fields (a trusted one), only what the decision hides is touched, free text of known
fields included. Towards any other the catalogue is an allow-list: a field passes because it has an entry, and in the
entry's form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from config.vocabulary import Action, Category
from filters import parties
from filters.accept import accept_line
from filters.address import asserted, outward, without_prefix
from filters.bodies import SECTIONS as BODY_SECTIONS
from filters.bodies import BodyFilter, compile_bodies, may_pass
from filters.catalogue import BodyEntry, Catalogue, HeaderEntry
from filters.credentials import HEADERS as CREDENTIALS
from filters.credentials import is_ours
from filters.fate import Fate
from filters.forms import FormError
from filters.generalise import generalised
from filters.patterns import compile_hidden
from filters.request import left_over
from filters.sdp import SdpContext
from filters.signer import Signer
from filters.verifier import Verifier
from filters.vouching import Vouching
from filters.zones import Towards
from proxy.dialled import Prefixes
from proxy.errors import Malformed, Refused
from proxy.grammar import SEMICOLON
from proxy.headers import NameAddr, parse_name_addr, parse_params, read_params, split_list, unfold, value_of
from proxy.memo import forget, remembered, remembered_by_all
from proxy.message import Draft, with_value
from proxy.pack import ANONYMOUS
from proxy.policy import KEEP_ALL, EditContext, Origin, action, hides
from proxy.shape import Shape
from proxy.uri import parse_sip_uri

Edit = Callable[[bytes], bytes | None]
"""Header value to what may pass of it; None for nothing."""

#: Headers that describe the body, and go with it.
_ENTITY = frozenset((b"content-type", b"content-disposition", b"content-encoding", b"content-language", b"content-id"))
#: Requests that are their body: without it nothing is left to send.
_ALL_BODY = frozenset((b"MESSAGE", b"PUBLISH"))
_ASSERTED = b"p-asserted-identity"
#: What is said of somebody, and may be seen: what it tells besides is looked at (filters/parties.py).
_OF_SOMEBODY = (Category.NUMBER, Category.HISTORY)
#: Headers of those that are addresses; of others that is seen by their values.
_ADDRESSES = frozenset((
    b"p-preferred-identity", b"p-associated-uri", b"p-called-party-id", b"p-served-user",
    b"remote-party-id", b"diversion", b"history-info", b"referred-by",
))  # fmt: skip
#: Parameters of Via that those of URIs do not include (RFC 3261 §25.1, RFC 3581, RFC 6223).
_OF_VIA = frozenset((b"branch", b"rport", b"keep"))
#: Requests that are sent without the body that may not pass rather than refused: without them a call stays up.
_NEVER_REFUSED = frozenset((b"ACK", b"BYE", b"CANCEL"))
MAX_REMEMBERED = 512
"""Longest header line whose edit is remembered, in bytes."""
MAX_LINES = 1024
"""Lines whose edit each plan remembers; they are forgotten together, and what is in use is soon back."""
MAX_EDITS = 2048
"""Header names whose edits are remembered; invented names beyond it are worked out each time."""


MAX_RECIPES = 256
"""Shapes of messages whose recipe each plan remembers; they are forgotten together."""


class Step:
    """What is done with one line of a message."""

    __slots__ = ("edit", "looks_around", "name", "position", "removes", "why")

    def __init__(self, position: int, name: bytes, edit: Edit, why: str) -> None:
        """Note where the line stands, its name, its edit, and why."""
        self.position = position
        self.name = name
        self.edit = edit
        self.why = why
        self.removes = edit is _nothing
        self.looks_around = edit is _by_token or edit is _by_party
        """Whether what becomes of it hangs on more than the line."""


Recipe = tuple[Step, ...]
"""What is done with each line of a message that is not kept whatever it says."""


class CompiledPlan:
    """The edits for one decision towards one hop."""

    def __init__(  # noqa: PLR0913 -- the one place where all that a hop is makes a plan
        self, catalogue: Catalogue, decision: int, *,
        allowed: frozenset[bytes] = frozenset(), realms: frozenset[bytes] = frozenset(), ours_leave: bool = True,
        zone: Towards | None = None, prefixes: Prefixes | None = None, uniform: bool = False,
        refuses_bodies: bool = False, signer: Signer | None = None, verifier: Verifier | None = None,
    ) -> None:  # fmt: skip
        """Compile.

        Args:
            catalogue: the running one.
            decision: packed actions.
            allowed: lower-case names outside the catalogue that this hop may see.
            realms: our digest realms, lower case.
            ours_leave: whether credentials for them are removed; only the core may need them.
            zone: where the hop stands, for what never goes there; without one, decision alone counts.
            prefixes: what may be dialled in front of a number, and is for us alone.
            uniform: whether the numbers of o= are moved, so that they do not tell the make of a phone.
            refuses_bodies: whether a request is refused where its body may not pass as a whole.
            signer: where the hop wants calls signed.
            verifier: where the hop is told what a caller's signature is worth.
        """
        if zone is not None:
            catalogue = catalogue.towards(zone)
        self._catalogue = catalogue
        self._keeps_all = decision == KEEP_ALL and not catalogue.fixed
        self._decision = decision
        self._allowed = allowed
        self._realms = realms
        self._ours_leave = ours_leave
        self._prefixes = prefixes
        number = action(decision, Category.NUMBER)
        self.may_assert = number is Action.KEEP or (number is Action.INDICATE and zone is not Towards.UNTRUSTED)
        self.tells_identity = self.may_assert and zone is Towards.TRUSTED
        self.indicates = self.tells_identity and number is Action.INDICATE
        self.fulfils_privacy = zone not in (None, Towards.CORE, Towards.PSAP)
        self._strict = hides(decision, Category.UNKNOWN)
        self._maps_from = any(hides(decision, one) for one in (Category.NAME, Category.NUMBER, Category.NETWORK))
        actions = {category: action(decision, category) for category in Category}
        # A pattern in a kept field tells what its own category hides.
        self._leaks = compile_hidden(catalogue.patterns, actions, catalogue.searches)
        self._parties = parties.Rules(
            hides_name=hides(decision, Category.NAME), hides_network=hides(decision, Category.NETWORK),
            withholds=zone in (Towards.UNTRUSTED, Towards.ACCESS),
            less_params=self._less_params, shown_name=self._shown_name, leaks=self._leaks_in,
        )  # fmt: skip
        keeps_bodies = decision == KEEP_ALL and not uniform and catalogue.fixed.isdisjoint(BODY_SECTIONS)
        self._bodies: BodyFilter | None = None if keeps_bodies else compile_bodies(catalogue, actions, uniform=uniform)
        self._whole: BodyFilter | None = None
        if refuses_bodies and not keeps_bodies:
            self._whole = compile_bodies(catalogue, actions, uniform=uniform, whole=True)
        self._vouching = Vouching(decision, zone, self._leaks_in, signer, verifier)
        self._edits: dict[bytes, tuple[Edit | None, str]] = {}
        # A plain dictionary replaces `Recent`, whose `get` would cost more than the rest of what a line costs.
        self._cleaned: dict[bytes, bytes] = {}
        self._recipes: dict[Shape, Recipe] = {}
        self._left: dict[bytes, bytes] = {}

    def apply(self, draft: Draft, context: EditContext) -> None:
        """Edit every line and the body that the core does not edit itself.

        Raises:
            Refused: for a request that would be nothing without what may not pass.
            FormError: when a body cannot be read.
        """
        if self._bodies is not None and draft.body:
            self._edit_body(draft, context, self._bodies)
        elif self._strict and b"content-type" in draft:
            self._edit_type_of_nothing(draft)
        if not context.is_request and b"identity" in draft and hides(self._decision, Category.NUMBER):
            # Of a request, `vouch` says what becomes of it; a response has no use for one.
            draft.remove_all(b"identity", "number: removed")
        lines, known, shape = draft.lines, self._cleaned, draft.shape
        recipe = self._recipes.get(shape) if len(lines) == len(shape.names) else None
        for step in recipe if recipe is not None else self._recipe(draft):
            line = lines[step.position]
            if line is None:
                continue
            if step.removes:
                draft.put(step.position, None, step.why)
                continue
            if step.looks_around:
                cleaned = self._in_context(line, step.name, step.edit, context)
            else:
                known_line = known.get(line)
                cleaned = self._clean(line, step.name, step.edit, context) if known_line is None else known_line
            if cleaned != line:
                draft.put(step.position, cleaned or None, step.why)

    @property
    def vouches(self) -> bool:
        """Whether `vouch` has something to do even for requests that say nothing about their caller."""
        return self._vouching.always

    def vouch(self, draft: Draft, origin: Origin) -> Sequence[tuple[str, str]]:
        """Settle what a request says of who calls, when all other edits are made; returns counters with labels."""
        return self._vouching(draft, origin)

    def _recipe(self, draft: Draft) -> Recipe:
        """Return what is to be done with the lines of a draft: of its message, and of what it adopted since."""
        recipe, received = self._recipes.get(draft.shape), len(draft.shape.names)
        if recipe is None:
            recipe = self._recipe_of(draft.shape)
        return recipe + self._steps(draft.names, received) if len(draft.names) > received else recipe

    def _recipe_of(self, shape: Shape) -> Recipe:
        """Return what is to be done with the lines of a message; remembered for messages with the same headers.

        Replaces a look at each line of each message: most lines pass as they came.
        """
        recipe = self._steps(shape.names, 0)
        if shape.shared:
            if len(self._recipes) >= MAX_RECIPES:
                self._recipes.clear()
            self._recipes[shape] = recipe
        return recipe

    def _steps(self, names: Sequence[bytes], start: int) -> Recipe:
        """Return what is to be done with lines of these names, from one position on."""
        steps = []
        for position, name in enumerate(names[start:], start):
            edit, why = self._edits.get(name) or self._learn(name)
            if edit is not None:
                steps.append(Step(position, name, edit, why))
        return tuple(steps)

    def _in_context(self, line: bytes, name: bytes, edit: Edit, context: EditContext) -> bytes:
        """Return what may pass of a whole line whose edit hangs on the message, b"" for nothing."""
        value = value_of(line)
        if edit is _by_token:
            return with_value(line, context.lasting(value))
        if name == _ASSERTED:
            shown: bytes | None = self._asserted(value, context.origin)
        else:
            shown = parties.cleaned(value, context.origin, self._parties, addresses=name in _ADDRESSES)
        return line if shown == value else with_value(line, shown) if shown else b""

    def _clean(self, line: bytes, name: bytes, edit: Edit, context: EditContext) -> bytes:
        """Return what may pass of a whole line, b"" for nothing, and remember it: phones say the same in every call."""
        value = value_of(line)
        cleaned = edit(value)
        if cleaned == value:
            passed = line
        else:
            if context.is_request and name == b"require":
                _refuse_unknown_extensions(value, cleaned)
            passed = b"" if cleaned is None else with_value(line, cleaned)
        if name != b"require" and len(line) <= MAX_REMEMBERED:
            if len(self._cleaned) >= MAX_LINES:
                self._cleaned.clear()
            self._cleaned[line] = passed
        return passed

    def _learn(self, name: bytes) -> tuple[Edit | None, str]:
        """Return the edit for lines of this name, with the reason that people are told."""
        edit, why, _ = self._edit_for(name, self._catalogue.entry(name))
        learned = edit, why
        if len(self._edits) < MAX_EDITS:
            self._edits[name] = learned
        return learned

    def _edit_for(self, name: bytes, entry: HeaderEntry) -> tuple[Edit | None, str, Fate]:
        if entry.core:
            return self._core_edit(name)
        category = entry.category
        if entry.fixed:
            return _nothing, "never goes there, whatever anybody asks for", Fate.NEVER
        if name == b"supported" and self._maps_from:
            form, _, fate = self._function(entry)
            what = fate if fate is Fate.FORM else Fate.IN_PART
            return self._without_from_change(form), "From is mapped (RFC 4916)", what
        if category is None:
            return self._function(entry)
        allowed = category is Category.UNKNOWN and name in self._allowed
        if name == _ASSERTED and self.may_assert and not self._keeps_all:
            return _by_party, "as much of who calls as may be told here", Fate.IN_PART
        if hides(self._decision, category) and not allowed:
            return self._hidden(name, category)
        if name in CREDENTIALS and self._ours_leave:
            return self._others_credentials, "credentials of our own realm", Fate.IN_PART
        if category in _OF_SOMEBODY and any(self._parties[:3]):
            why = "what it tells besides: names, networks, texts, who asks for privacy of their own"
            swept = Fate.SWEPT if self.sweeps else Fate.KEPT
            return _by_party, why, swept if self._parties.leaves else Fate.PARTY
        # A challenge without its realm or nonce is none; what credentials hold is opaque by design.
        if self._leaks is not None and category is not Category.CREDENTIALS:
            return self._swept, "a device id or address in a kept field", Fate.SWEPT
        return None, "", Fate.KEPT

    def _function(self, entry: HeaderEntry) -> tuple[Edit | None, str, Fate]:
        """Return the edit for what discloses nothing in its form: free text elsewhere is still free text."""
        if self.takes_form(entry):
            return entry.form, "only the form that a call needs", Fate.FORM
        if self._leaks is not None:
            return self._swept, "a device id or address in a kept field", Fate.SWEPT
        return None, "", Fate.KEPT

    def takes_form(self, entry: HeaderEntry) -> bool:
        """Tell whether the hop sees a function in its form alone: what else it could say is hidden from it.

        That is what nobody knows, and what the entry names besides: the text of a Warning is a name, whoever is told.
        """
        return self._strict or any(hides(self._decision, category) for category in entry.besides)

    def _hidden(self, name: bytes, category: Category) -> tuple[Edit, str, Fate]:
        """Return the edit for a header that may not pass as it is."""
        what = action(self._decision, category)
        why = f"{category.name.lower()}: {what.name.lower()}"
        if what is Action.GENERALISE:
            return lambda value: generalised(name, value), why, Fate.GENERALISED
        if what is Action.PSEUDONYMISE and category is Category.DEVICE:
            return _by_token, why, Fate.PSEUDONYM
        return _nothing, why, Fate.REMOVED

    def _core_edit(self, name: bytes) -> tuple[Edit | None, str, Fate]:
        """Return what is left to do for a header that the core edits: a Contact that is not sealed."""
        if name == b"contact" and not self._keeps_all and not hides(self._decision, Category.NETWORK):
            return self._contacts, "what a Contact says besides where to reach it", Fate.IN_PART
        return None, "", Fate.KEPT

    def _contacts(self, value: bytes) -> bytes:
        return b", ".join(item if item == b"*" else self._contact(item) for item in split_list(value))

    def _contact(self, item: bytes) -> bytes:
        contact = parse_name_addr(item)
        kept = NameAddr(
            self._shown_name(contact.display), self._open_uri(contact.uri), self.contact_params(contact.params)
        )
        return item if kept == contact else kept.address + kept.params

    def _open_uri(self, uri: bytes) -> bytes:
        """Return a URI whose host may be seen, less the password, parameters and headers that tell something else.

        Parameters stand behind the host, behind the number in front of it (RFC 3261 §19.1.6), and in tel: URIs. A
        header of a URI may be any header, Subject and Geolocation too, and no dialog needs one (§19.1.1 table 1).
        """
        parsed = parse_sip_uri(uri)
        if parsed is None:
            return self._less_params(uri.partition(b"?")[0])
        password = b"" if hides(self._decision, Category.CREDENTIALS) else parsed.password
        user, params = self._less_params(parsed.user), self._less_params(parsed.params)
        return bytes(parsed.replaced(user=user, params=params, headers=b"", password=password))

    def _less_params(self, text: bytes) -> bytes:
        """Return what stands before the first `;`, and those parameters behind it that may pass."""
        if SEMICOLON not in text:
            return text
        head, *params = text.split(b";")
        return b";".join((head, *filter(self._may_pass_in_uri, params)))

    def _may_pass_in_uri(self, item: bytes) -> bool:
        name, _, value = item.partition(b"=")
        entry = self._catalogue.uri_params.find(name.lower())
        if entry.fixed:
            return False
        if entry.category is None and self.takes_form(entry):
            return entry.form is not None and entry.form(value) is not None
        return not self._hides(entry.category) and not self._leaks_in(item)

    def _hides(self, category: Category | None) -> bool:
        return category is not None and hides(self._decision, category)

    def _shown_name(self, display: bytes) -> bytes:
        return b"" if hides(self._decision, Category.NAME) or self._leaks_in(display) else display

    def _asserted(self, value: bytes, domain: bytes) -> bytes:
        """Return who is asserted, as the hop may see it; b"" for nobody, as for what cannot be read."""
        shown = []
        for item in split_list(value):
            try:
                identity = parse_name_addr(item)
                uri = self._open_uri(identity.uri)
            except Malformed:
                continue
            if not self._leaks_in(self._senders_own(uri)):  # a device id in place of a number, as in From
                identity = NameAddr(self._shown_name(identity.display), uri, b"")
                shown.append(asserted(identity, self._decision, domain))
        return b", ".join(shown)

    def _senders_own(self, uri: bytes) -> bytes:
        """Return what of a URI the sender wrote: where addresses are hidden the host is ours, which may be private."""
        return uri.partition(b"@")[0] if hides(self._decision, Category.NETWORK) else uri

    @staticmethod
    def _without_from_change(form: Edit | None) -> Edit:
        """Drop `from-change` from Supported: a change of From would be undone here, silently (dialogs.md)."""

        def edit(value: bytes) -> bytes | None:
            cleaned = form(value) if form else value
            if cleaned is None or b"from-change" not in cleaned.lower():
                return cleaned
            return b", ".join(tag for tag in split_list(cleaned) if tag.lower() != b"from-change") or None

        return edit

    def _others_credentials(self, value: bytes) -> bytes | None:
        return None if is_ours(value, self._realms) else value

    def _swept(self, value: bytes) -> bytes | None:
        return None if self._leaks_in(value) else value

    def _leaks_in(self, text: bytes) -> bool:
        return self._leaks is not None and self._leaks(text) is not None

    def _edit_body(self, draft: Draft, context: EditContext, bodies: BodyFilter) -> None:
        refusable = context.is_request and context.method not in _NEVER_REFUSED
        if self._whole is not None and refusable:
            bodies = self._whole
        content_type = draft.first(b"content-type") or b""
        sdp_context = SdpContext(context.pseudonym, _network_address(context.origin))
        # Few have them, and nothing has edited them yet: looking for a name costs less than asking for its value.
        disposition = (b"content-disposition" in draft and draft.first(b"content-disposition")) or b""
        encoding = b""
        if b"content-encoding" in draft:
            encoding = b", ".join(map(draft.value, draft.find(b"content-encoding")))
        try:
            kept = bodies(content_type, disposition, draft.body, sdp_context, encoding)
        except FormError:
            if refusable:
                # The sender's fault, and it hears so; ACK and BYE go on bare, a response fails closed.
                raise Refused(400, "Malformed Body") from None
            raise
        if kept is None:
            if refusable:
                self._refuse_without_body(draft, context.method)
            draft.body = b""
            draft.note("body", "the body may not pass")
            for name in _ENTITY:
                draft.remove_all(name, "the body may not pass")
        elif kept[1] is not draft.body or kept[0] != content_type:
            draft.body = kept[1]
            draft.set_only(b"content-type", kept[0], "the body that passed")
            draft.note("body", "cleaned")
        else:
            for position in list(draft.find(b"content-type"))[1:]:
                draft.remove(position, "a body has one type")

    def _refuse_without_body(self, draft: Draft, method: bytes) -> None:
        """Refuse a request that would be nothing, or another, without its body, or whose trunk has it so.

        An INVITE whose offer is encoded would become one without an offer.

        Raises:
            Refused: 415, with what would be right (RFC 3261 §8.2.3, §21.4.13).
        """
        encoding = draft.first(b"content-encoding") or b"identity"
        if encoding.lower() != b"identity":
            raise Refused(415, "Unsupported Media Type", b"Accept-Encoding: identity")
        if method in _ALL_BODY or self._whole is not None:
            actions = {category: action(self._decision, category) for category in Category}
            raise Refused(415, "Unsupported Media Type", accept_line(self._catalogue, actions))

    def _edit_type_of_nothing(self, draft: Draft) -> None:
        """Clean a Content-Type that describes no body: no filter of bodies will."""
        form = self._catalogue.entry(b"content-type").form
        for position in list(draft.find(b"content-type")):
            value = draft.value(position)
            cleaned = form(value) if form else None
            if cleaned is None:
                draft.remove(position, "only the form that a call needs")
            elif cleaned != value:
                draft.replace(position, cleaned, "only the form that a call needs")

    # --- told to people (filters/fates.py)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue, as it holds towards the hop."""
        return self._catalogue

    @property
    def decision(self) -> int:
        """The packed actions."""
        return self._decision

    @property
    def sweeps(self) -> bool:
        """Whether fields that are kept are searched for device ids and addresses."""
        return self._leaks is not None

    def fate_of_header(self, name: bytes, entry: HeaderEntry) -> Fate:
        """Return what becomes of a header of this entry, as far as it is not the core's."""
        return self._edit_for(name, entry)[2]

    def fate_of_body(self, entry: BodyEntry, method: bytes) -> Fate:
        """Return what becomes of a body of this entry in a request."""
        if self._bodies is None:
            return Fate.KEPT
        if may_pass(entry, {category: action(self._decision, category) for category in Category}):
            return Fate.CLEANED if entry.handling else Fate.KEPT
        if method not in _NEVER_REFUSED and (self._whole is not None or method in _ALL_BODY):
            return Fate.REFUSED
        return Fate.NEVER if entry.fixed else Fate.REMOVED

    @property
    def keeps_all(self) -> bool:
        """Whether every field passes as it came."""
        return self._keeps_all

    def contact_params(self, params: bytes) -> bytes:
        """Return those Contact header parameters that may pass, each in its form."""
        if self._keeps_all or not params:
            return params
        out = b""
        for name, value in parse_params(params).items():
            entry = self._catalogue.contact_params.find(name)
            cleaned: bytes | None = value
            if entry.fixed:
                continue
            if entry.category is None and self.takes_form(entry):
                cleaned = entry.form(value) if entry.form else value
            elif self._hides(entry.category) or self._leaks_in(name + b"=" + value):
                cleaned = None
            if cleaned is not None:
                out += b";%b=%b" % (name, cleaned) if cleaned else b";" + name
        return out

    def via(self, line: bytes) -> bytes:
        """Return a Via line with those parameters that may pass; answers get back what the request itself said."""
        name, _, value = line.partition(b":")
        return name.rstrip(b" \t") + b": " + b", ".join(map(self._via, split_list(unfold(value))))

    def _via(self, item: bytes) -> bytes:
        head, semicolon, params = item.partition(b";")
        out = head.rstrip(b" \t")
        for name, value in read_params(semicolon + params).items():
            param = b"%b=%b" % (name, value) if value else name
            if (name in _OF_VIA and not self._leaks_in(value)) or self._may_pass_in_uri(param):
                out += b";" + param
        return out

    def left_of_privacy(self, values: list[bytes]) -> bytes | None:
        """Return what Privacy says towards the hop; None where it stays as it came."""
        if not self.fulfils_privacy:
            return None
        text = b",".join(values)
        left = self._left.get(text)
        if left is None:
            left = left_over(values, self._decision)
            if self.indicates:
                left = left + b";id" if left and left != b"none" else b"id"
            if len(text) <= MAX_REMEMBERED:
                if len(self._left) >= MAX_LINES:
                    self._left.clear()
                self._left[text] = left
        return left

    def address(
        self, original: NameAddr, domain: bytes, *, is_from: bool, pseudonym: Callable[[bytes], bytes] | None = None
    ) -> NameAddr:
        """Return the outward form of a From or To."""
        return original if self._keeps_all else _shown(self, original, domain, is_from, pseudonym)

    def _address(
        self, original: NameAddr, domain: bytes, is_from: bool, pseudonym: Callable[[bytes], bytes] | None
    ) -> NameAddr:
        if not is_from and self._prefixes is not None:
            original = original._replace(uri=without_prefix(original.uri, self._prefixes))
        shown = outward(original, self._decision, domain, is_from=is_from, pseudonym=pseudonym)
        if not hides(self._decision, Category.NETWORK):
            shown = shown._replace(uri=self._open_uri(shown.uri))
        # The dialled number is what the call is for.
        if is_from and self._leaks_in(self._senders_own(shown.uri)):
            return ANONYMOUS
        return shown._replace(display=b"") if self._leaks_in(shown.display) else shown


def forget_plans() -> None:
    """Let go of the plans of former engines."""
    forget(_shown)


@remembered_by_all
def _shown(
    plan: CompiledPlan, original: NameAddr, domain: bytes, is_from: bool, pseudonym: Callable[[bytes], bytes] | None
) -> NameAddr:
    """Remember the outward forms of all plans together: each message of a call asks for the same two."""
    return plan._address(original, domain, is_from, pseudonym)


def _nothing(value: bytes) -> bytes | None:
    return None


def _by_token(value: bytes) -> bytes | None:
    """Stand for an edit that needs more than the line, and is not remembered."""
    return None


def _by_party(value: bytes) -> bytes | None:
    """Stand for an edit that needs to know what stands for the networks of others, and is not remembered."""
    return value


def _refuse_unknown_extensions(value: bytes, cleaned: bytes | None) -> None:
    """Refuse a Require that would lose option tags: the far side could not know that it fails.

    Raises:
        Refused: 420 with the tags in Unsupported.
    """
    kept = {tag.lower() for tag in split_list(cleaned or b"")}
    lost = [tag for tag in split_list(value) if tag.lower() not in kept]
    if lost:
        raise Refused(420, "Bad Extension", b"Unsupported: " + b", ".join(lost))


@remembered
def _network_address(origin: bytes) -> bytes:
    """Return host[:port] as SDP writes an address (RFC 8866 §5.2)."""
    if origin[:1] == b"[":
        return b"IP6 " + origin[1:].partition(b"]")[0]
    return b"IP4 " + origin.partition(b":")[0]
