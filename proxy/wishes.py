"""Who asked for privacy in a call that runs, for recordings of it: their clients need not say so again (RFC 3323).

A call in which somebody asks for privacy has `Mark.PRIVATE` in its records, so that nothing has to be looked for in any
other call, and every message of its dialogs keeps the wish alive. It is kept by keyed hashes of names and call
(`proxy/wish_table.py`) from the INVITE on:

    INVITE, 1xx      as long as a call may ring, and BRIEFLY longer
    2xx, in a dialog `limits.max_dialog_age`: what is not heard of for longer is no dialog of ours any more
    BYE, refusal     BRIEFLY: what is told of a call soon after its end

What cannot be kept makes all participants of all recordings private, for as long (fail closed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from config.accounts import Accounts, addresses_of, is_disabled
from config.recorder_trunk import RecorderTrunk
from config.settings import Trunk
from config.vocabulary import Category
from proxy.address_of_record import addresses_of_record
from proxy.counters import Counters
from proxy.crossing import Crossing
from proxy.dialled import Wish
from proxy.errors import Malformed, Refused
from proxy.guard import source_of
from proxy.headers import parse_name_addr
from proxy.identity import Identity
from proxy.message import Message
from proxy.party import Party, is_phone
from proxy.policy import ALL_HIDDEN, Privacy, Private, action, pack, stricter
from proxy.rate import RateLimit, part_of
from proxy.record import Mark
from proxy.tokens import Tokens
from proxy.wish_table import WishTable, in_memory

if TYPE_CHECKING:
    from proxy.initial import Arrival
    from proxy.routing import Network

BRIEFLY: Final = 120
"""Seconds for which a call that is over still counts: its recording session ends a little later."""
RENEWED: Final = 60
"""Seconds in which a call that rings need not be renewed: each minute another 1xx may come (RFC 3261 §13.3.1.1)."""
MOST_NAMES: Final = 160
"""Names of one call that are kept: an account has 64 addresses at most, of one or two names each."""
MOST_ASSERTED: Final = 4
"""Asserted identities that are looked at: there are a sip and a tel URI (RFC 3325 §9.1)."""
WISHES_A_MINUTE: Final = 1200
"""Calls with a wish that one address may make in a minute where phones are not asked who they are: so that nobody
fills the table with callers of its own invention."""
LEAST_WISHES: Final = 120
"""Of them, those that each worker allows."""
_ASSERTED: Final = (b"p-asserted-identity", b"remote-party-id")
_SAYS_NOTHING_NEW: Final = (b"ACK", b"BYE")
"""Of a call: an ACK follows what has just renewed it, and a BYE ends it."""
_ENDED: Final = (408, 481)
"""Answers to a BYE by which the dialog is over, besides 2xx (RFC 3261 §15.1.1)."""
_MANY: Final = (1 << 32) - 1
_SPREAD: Final = 0x9E3779B97F4A7C15
"""Odd, so that no two calls become one: 2^64 divided by the golden ratio (Knuth, TAOCP 3, §6.4)."""
_ALL_BITS: Final = (1 << 64) - 1
_SHOWN: Final = pack({category: action(ALL_HIDDEN, category) for category in (Category.NAME, Category.NUMBER)})


class Wishes:
    """The wishes of one generation; the table is that of all."""

    __slots__ = (
        "_accounts", "_counters", "_identity", "_life", "_limit", "_network", "_privacy", "_realm", "_ringing",
        "_tokens", "table",
    )  # fmt: skip

    def __init__(
        self, table: WishTable, network: Network, privacy: Privacy, tokens: Tokens, identity: Identity,
        accounts: Accounts | None, counters: Counters, limit: RateLimit,
    ) -> None:  # fmt: skip
        """Keep wishes in table.

        Args:
            table: what all workers have in common.
            network: with the running settings.
            privacy: reads what messages ask for, and knows under which names.
            tokens: whose keys make hashes.
            identity: opens tags.
            accounts: who phones may be; None where they are not asked.
            counters: of the core.
            limit: how often one address may wish, where nobody is asked who it is.
        """
        settings = network.settings
        asked = settings.authentication
        self.table = table
        self._privacy = privacy
        self._tokens = tokens
        self._identity = identity
        self._network = network
        self._accounts = accounts if asked is not None else None
        self._realm = asked.realm.encode() if asked is not None else b""
        self._counters = counters
        self._limit = limit
        self._life = settings.limits.max_dialog_age
        self._ringing = int(settings.timers.timer_c) + BRIEFLY

    # --- what recordings ask

    def hidden_at(self, wall: int) -> Private:
        """Return what tells of names what is to be hidden of whom has one of them, at a time (Unix seconds)."""
        if self.table.is_strict(wall):
            self._counters.add("privacy_wishes", "strict")
            return all_hidden
        known: dict[tuple[bytes, ...], int] = {}

        def hidden(names: tuple[bytes, ...]) -> int:
            found = known.get(names)
            if found is None:
                found = known[names] = self._hidden(names, wall)
            return found

        return hidden

    def _hidden(self, names: tuple[bytes, ...], wall: int) -> int:
        found = 0
        for key in self._tokens.ring.keys:  # a call has the one that it began with
            for name in names:
                found = stricter(found, self.table.decision(_person(self._tokens, key.id, name), wall))
        if found:
            self._counters.add("privacy_wishes", "applied")
        return found

    # --- calls that begin

    def mark(self, arrival: Arrival) -> int:
        """Return the mark of a call whose caller wants privacy and is known, 0 for others; who it is stands in arrival.

        Of a call for help nothing is hidden. arrival: an INVITE outside dialogs.
        """
        request = arrival.request
        if not arrival.private:
            may_ask = arrival.wish is Wish.WITHHOLD or request.shape.asks or request.caller is not None
            if not (may_ask or b"p-asserted-identity" in request.index):
                return 0
            if self._network.calls_for_help(request, arrival.dialled):
                return 0
            arrival.withheld = self._privacy.withheld(request, arrival.wish)
            if arrival.withheld:
                arrival.private = self._names_of_sender(arrival)
        return Mark.PRIVATE if arrival.private else 0

    def note(self, arrival: Arrival, crossing: Crossing) -> None:
        """Keep the wish of a new call.

        Raises:
            Refused: 503 where an address of which nobody knows who is there wants too much.
        """
        if is_phone(arrival.source) and not arrival.account and self._accounts is None:
            key = source_of(arrival.flow).encode()
            if not self._limit.allow(key, arrival.wall):
                self._counters.add("privacy_wishes", "limited")
                raise Refused(503, "Service Unavailable", b"Retry-After: 60")
        until = arrival.wall + self._ringing
        self._note(crossing, arrival.private, arrival.withheld, until, arrival.wall, is_new=True)

    def answered(self, crossing: Crossing, response: Message, wall: int) -> None:
        """Follow a call with the mark by an answer that goes back."""
        method, status, call = response.cseq_method, response.status, _call(crossing)
        if method == b"BYE" and (status in _ENDED or 200 <= status < 300):
            self.over(crossing, wall)
        elif method != b"INVITE" or not crossing.forms_dialog:
            return
        elif status < 200:
            if wall - crossing.issued >= RENEWED:
                self.table.renew(call, wall + self._ringing)
        elif status >= 300:
            self.table.leave(call, 0, wall + BRIEFLY)
        else:
            tag = self._identity.open_tag(response.to_tag, crossing.far.end)
            if not self.table.renew(call, wall + self._life, self._dialog(crossing, tag)):
                self._note_again(crossing, wall)

    def over(self, crossing: Crossing, wall: int) -> None:
        """Follow a call with the mark whose dialog has ended, by a BYE that nobody has anything against."""
        self.table.leave(_call(crossing), self._dialog(crossing, self._callees_tag(crossing)), wall + BRIEFLY)

    def note_callee(self, crossing: Crossing, response: Message) -> None:
        """Keep what an answer to a new call asks for, of the callee; before the answer is written."""
        wall = crossing.issued
        is_answer = response.cseq_method == b"INVITE" and crossing.forms_dialog and 100 < response.status < 300
        if not is_answer or crossing.emergency or crossing.base.marks & Mark.RECORDING:
            return
        withheld = self._privacy.withheld(response, Wish.NONE)
        names = self._names_of_callee(crossing, response) if withheld else ()
        if not names:
            return
        if not crossing.base.marks & Mark.PRIVATE:
            crossing.base = crossing.base.replace(marks=crossing.base.marks | Mark.PRIVATE)
            crossing.mould = None
            crossing.sealed.clear()
        self._note(crossing, names, withheld, wall + self._life, wall)

    # --- calls that run

    def within(self, crossing: Crossing) -> None:
        """Keep the wish of a call with the mark, of which a message has come; and what that asks for itself."""
        request, wall = crossing.request, crossing.issued
        is_private = crossing.base.marks & Mark.PRIVATE and request.method not in _SAYS_NOTHING_NEW
        if is_private and not self.table.renew(_call(crossing), wall + self._life):
            self._note_again(crossing, wall)
        if request.shape.asks and not crossing.emergency and not crossing.base.marks & Mark.RECORDING:
            withheld = self._privacy.withheld(request, Wish.NONE)
            names = self._names_within(crossing, near=True) if withheld else ()
            if names:
                self._note(crossing, names, withheld, wall + self._life, wall)

    def _note_again(self, crossing: Crossing, wall: int) -> None:
        """Keep the wish of a call that the table does not know any longer."""
        names = self._names_within(crossing, near=True) + self._names_within(crossing, near=False)
        if names:
            self._note(crossing, names, _SHOWN, wall + self._life, wall)
            return
        self._counters.add("privacy_wishes", "unknown")
        if wall - self.table.made < self._life:
            # The call may be older than the table. One that is younger has ended long ago, and a late message of it,
            # whose From may be anybody's, is to hide nobody.
            self.table.be_strict(wall + self._life)

    def _note(
        self, crossing: Crossing, names: tuple[bytes, ...], decision: int, until: int, wall: int, *,
        is_new: bool = False,
    ) -> None:  # fmt: skip
        key_id = crossing.key_id
        people = [_person(self._tokens, key_id, name) for name in dict.fromkeys(names)]
        fits = len(people) <= MOST_NAMES
        call, longest = _call(crossing), wall + self._life
        if fits and self.table.note(call, people, decision, until, wall, longest, is_new=is_new):
            self._counters.add("privacy_wishes", "noted")
        else:
            self._counters.add("privacy_wishes", "full")
            self.table.be_strict(until)

    # --- who that is

    def _names_of_sender(self, arrival: Arrival) -> tuple[bytes, ...]:
        """Return the names of the caller: of an account those of all its addresses; () where nobody knows who it is."""
        request, source = arrival.request, arrival.source
        if arrival.account:
            return self._names(_uris(self._addresses(arrival.account.encode())), believed=True)
        uris = [request.from_.uri]
        if source.trusted:
            uris += _asserted(request)
        return self._names_by(uris, source)

    def _names_of_callee(self, crossing: Crossing, response: Message) -> tuple[bytes, ...]:
        """Return the names of who answers: whom the call was for, by what its caller could not choose."""
        hop, phone = crossing.hop.party, crossing.phone
        uris = _asserted(response) if hop.trusted else []
        if phone is not None:
            return self._names_by([*uris, *_uris((phone.aor, phone.called))], hop)
        uris.append(crossing.request.callee or crossing.target)
        to = crossing.request.to.uri  # the caller's to choose, and the number as others write it
        if crossing.source.in_core:
            uris.append(to)
        return self._names_by(uris, hop) + self._names([to], believed=False)

    def _names_within(self, crossing: Crossing, *, near: bool) -> tuple[bytes, ...]:
        """Return the names of one side of a dialog, as its record vouches for them; () where that does not tell.

        Nobody is asked within a dialog, so what stands in From there proves nothing by itself.
        """
        base, request = crossing.base, crossing.request
        party = crossing.source if near else crossing.hop.party
        is_caller = crossing.near_is_caller is near
        known = base.from_original if is_caller else base.to_original
        if known is not None:
            return self._names_by([known.uri], party)
        said = request.from_.uri if near else request.to.uri
        if is_caller and self._identity.subscriber(crossing.key_id, said) == base.subscriber:
            return self._names_by([said], party)
        return ()

    def _names_by(self, uris: list[bytes], party: Party) -> tuple[bytes, ...]:
        """Return the names of whom URIs name; phones and core are believed as everywhere, and trusted trunks."""
        believed = party.trunk is None or party.trusted
        known = [address for uri in uris for address in self._account_addresses(uri)] if believed else []
        return self._names([*uris, *_uris(tuple(known))], believed=believed)

    def _names(self, uris: list[bytes], *, believed: bool) -> tuple[bytes, ...]:
        return tuple([name for uri in uris for name in self._privacy.noted_as(uri, believed=believed)])

    def _account_addresses(self, uri: bytes) -> tuple[bytes, ...]:
        """Return all addresses of the one account that has an address; () where several have it, or none."""
        accounts = self._accounts
        if accounts is None:
            return ()
        for address in addresses_of_record(uri, (self._realm,)):
            usernames = accounts.sharing.find(self._realm, address)
            if len(usernames) == 1:
                return self._addresses(usernames[0])
        return ()

    def _addresses(self, username: bytes) -> tuple[bytes, ...]:
        packed = self._accounts.find(self._realm, username) if self._accounts is not None else None
        return () if packed is None or is_disabled(packed) else addresses_of(packed, username, self._realm)

    # --- keys

    def _callees_tag(self, crossing: Crossing) -> bytes:
        request = crossing.request
        tag = request.to_tag if crossing.near_is_caller else request.from_tag
        return self._identity.open_tag(tag, crossing.near.end)

    def _dialog(self, crossing: Crossing, tag: bytes) -> int:
        """Return what tells a dialog of a call by the callee's tag: never 0, nor what stands for many."""
        if self._tokens.ring.get(crossing.key_id) is None:
            return 1
        digest = self._tokens.mac(crossing.key_id, b"dialog", tag, size=4)
        return min(int.from_bytes(digest, "big") or 1, _MANY - 1)


class Keeper:
    """What outlives a generation: the table, made when there is somebody to record, and how much was wished for."""

    __slots__ = ("_accounts", "_counters", "_limit", "_make", "table")

    def __init__(
        self, accounts: Accounts | None, counters: Counters, make: Callable[[], WishTable] = in_memory
    ) -> None:
        """Keep nothing yet; make returns the table that all workers have in common."""
        self._accounts = accounts
        self._counters = counters
        self._make = make
        self._limit = RateLimit(WISHES_A_MINUTE, 60)
        self.table: WishTable | None = None

    @property
    def strict_until(self) -> int:
        """Until when all are private (Unix seconds); 0 where nothing is kept."""
        return self.table.strict_until if self.table is not None else 0

    def wishes(
        self, network: Network, retired: Sequence[Trunk], privacy: Privacy, tokens: Tokens, identity: Identity
    ) -> Wishes | None:
        """Return the wishes of a generation; None where there is no recorder, or none any more."""
        if not network.settings.recorders and not any(isinstance(each, RecorderTrunk) for each in retired):
            return None
        if self.table is None or not self.table.is_shared:
            self.table = self._make()
        self._limit.limit = part_of(WISHES_A_MINUTE, network.settings.workers, LEAST_WISHES)
        return Wishes(self.table, network, privacy, tokens, identity, self._accounts, self._counters, self._limit)


def private_at(wishes: Wishes | None, wall: int) -> Private:
    """Return what tells of names what is to be hidden at a time; of everybody all, where nobody keeps wishes."""
    return all_hidden if wishes is None else wishes.hidden_at(wall)


def all_hidden(names: tuple[bytes, ...]) -> int:
    """Return what is to be hidden where nobody knows of whom: of everybody, all."""
    return ALL_HIDDEN


def _person(tokens: Tokens, key_id: int, name: bytes) -> int:
    return int.from_bytes(tokens.mac(key_id, b"private", name, size=8), "big") or 1


def _call(crossing: Crossing) -> int:
    """Return the key of a call: all its records have it. It is spread over eight bytes, which are found faster."""
    return (int.from_bytes(crossing.base.call, "big") or 1) * _SPREAD & _ALL_BITS


def _uris(addresses: tuple[bytes, ...]) -> list[bytes]:
    """Return the URIs of canonical addresses of record."""
    return [(b"sip:" if b"@" in address else b"tel:") + address for address in addresses]


def _asserted(message: Message) -> list[bytes]:
    """Return whom somebody whom we trust asserts to have sent a message."""
    found: list[bytes] = []
    for header in _ASSERTED:
        for item in message.items(header)[:MOST_ASSERTED] if header in message.index else ():
            try:
                found.append(parse_name_addr(item).uri)
            except Malformed:
                continue
    return found
