"""Who asked for privacy in which call, as numbers in a block of memory: nothing in it says who that is.

Two tables of fixed size. One has the calls: until when each counts, and which dialogs came of it. The other has who is
private in them: a keyed hash of a name, the call, and what is to be hidden (`policy.pack`). So a person is private as
long as any of its calls lasts, however many there are at once, and a call that ends takes nothing from another one.

    head    magic, version, sizes, when it was made | until when all are to be taken for private, by worker
    calls   key (8 bytes) | until (4) | dialogs (4 of 4)        in buckets of WAYS
    people  key (8 bytes) | call (8) | decision (8)             in buckets of WAYS

All workers may have one block in common, and it may be a file: whoever is killed leaves nothing half written that could
be found, for the key is written last, and nobody waits for anybody, for each worker takes places in its own share of a
bucket alone. Each key has two buckets to choose from, so that chance fills none long before the others.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from proxy.memo import Recent
from proxy.policy import stricter

WAYS: Final = 512
"""Places in a bucket: eight for each of 64 workers, so that half of a share is full before any bucket is."""
BUCKETS: Final = 256
"""Buckets of calls: all together have room for 131,072 calls that somebody is private in at this moment."""
_PEOPLE: Final = 2
"""Names to a call, as far as room goes: a sip and a tel URI."""
DIALOGS: Final = 4
"""Dialogs of one call that are told apart; a call with more is not over before its time is."""
MOST_CALLS: Final = 8
"""Calls of one name that are told apart. Who makes more at once is private for the longest that a call may last: so
nobody fills a bucket of names by calling often."""
FOREVER: Final = (1 << 32) - 1
_MANY: Final = (1 << 32) - 1
_MAGIC: Final = b"sipveilw"
_VERSION: Final = 1
_HEAD: Final = struct.Struct("<8sIII")
_WORKERS: Final = 64
_HEAD_SIZE: Final = 64 + 4 * _WORKERS
_KEY: Final = 8


def size_of(buckets: int = BUCKETS) -> int:
    """Return how many bytes a table takes: 10 MB as it is by default."""
    return _HEAD_SIZE + buckets * WAYS * (8 + 4 + 4 * DIALOGS) + buckets * _PEOPLE * WAYS * 24


def is_table(head: bytes, buckets: int = BUCKETS) -> bool:
    """Tell whether a block begins as a table of this version and size does; an empty one is all zeros."""
    begins = head[: _HEAD.size]
    return begins in (bytes(_HEAD.size), _HEAD.pack(_MAGIC, _VERSION, buckets, WAYS))


class WishTable:
    """One worker's view of the block."""

    __slots__ = (
        "_buckets", "_call_keys", "_dialogs", "_first", "_found", "_made", "_next_call", "_next_person", "_people",
        "_people_buckets", "_person_calls", "_person_keys", "_share", "_strict", "_until", "_worker", "is_shared",
    )  # fmt: skip

    def __init__(self, block: memoryview, worker: int = 0, workers: int = 1, buckets: int = BUCKETS) -> None:
        """Work on a block of `size_of(buckets)` bytes, all zeros or as another table has left it.

        Args:
            block: writable, of bytes.
            worker: who we are.
            workers: how many there are.
            buckets: of calls.
        """
        calls, people = buckets * WAYS, buckets * _PEOPLE * WAYS
        ends = [_HEAD_SIZE]
        for size in (8 * calls, 4 * calls, 4 * DIALOGS * calls, 8 * people, 8 * people, 8 * people):
            ends.append(ends[-1] + size)
        block[: _HEAD.size] = _HEAD.pack(_MAGIC, _VERSION, buckets, WAYS)
        self._buckets = buckets
        self._people_buckets = buckets * _PEOPLE
        self._made = block[_HEAD.size : _HEAD.size + 4].cast("I")
        self._strict = block[64:_HEAD_SIZE].cast("I")
        self._call_keys = block[ends[0] : ends[1]]
        self._until = block[ends[1] : ends[2]].cast("I")
        self._dialogs = block[ends[2] : ends[3]].cast("I")
        self._person_keys = block[ends[3] : ends[4]]
        self._person_calls = block[ends[4] : ends[5]].cast("Q")
        self._people = block[ends[5] : ends[6]].cast("Q")
        self._found: Recent[int, int] = Recent()
        """Where calls were found of late: a call is looked for with each of its messages."""
        self._worker = worker % _WORKERS
        self._first = worker * WAYS // workers
        self._share = max((worker + 1) * WAYS // workers - self._first, 1)
        self._next_call = [0] * buckets
        self._next_person = [0] * self._people_buckets
        """Of each bucket the place in our share that is tried first: behind the one that was taken last."""
        self.is_shared = True
        """Whether others see it and a restart finds it, where that was wanted."""

    def begin(self, wall: int) -> None:
        """Note when the table was made, where that is not known yet."""
        if not self._made[0]:
            self._made[0] = wall

    @property
    def made(self) -> int:
        """When it was made, by `begin` (Unix seconds): what it does not know of calls before then was lost."""
        return self._made[0]

    # --- what may be told

    def decision(self, person: int, wall: int) -> int:
        """Return what is to be hidden of somebody, packed: the strictest of what it asked for in calls that last."""
        hidden = 0
        for place in self._places(self._person_keys, person, self._people_buckets):
            if self._lasts(self._person_calls[place], wall):
                hidden = stricter(hidden, self._people[place])
        return hidden

    def is_strict(self, wall: int) -> bool:
        """Tell whether somebody is private of whom nobody knows who that is: then all are to be taken for that one."""
        return self.strict_until > wall

    @property
    def strict_until(self) -> int:
        """Until when that is so (Unix seconds); 0 where it never was."""
        return max(self._strict.tolist())

    def be_strict(self, until: int) -> None:
        """Take all for private until then (Unix seconds)."""
        self._strict[self._worker] = max(self._strict[self._worker], min(until, FOREVER))

    # --- calls

    def note(
        self, call: int, people: list[int], decision: int, until: int, wall: int, longest: int, *, is_new: bool = False
    ) -> bool:  # fmt: skip
        """Remember that people are private in a call; False where there is no room, and then not all are remembered.

        Args:
            call: key of the call, not 0.
            people: keys of their names, not 0.
            decision: what is to be hidden of them.
            until: how long that counts unless more is heard of the call (Unix seconds).
            wall: now.
            longest: until when a call that begins now may last at most.
            is_new: whether nobody can have noted anything of this call before.
        """
        fits = (not is_new and self.renew(call, until)) or self._put_call(call, until, wall)
        for person in people:
            places, its_call = self._places(self._person_keys, person, self._people_buckets), call
            if self._is_busy(places, call, wall):
                # Of whom nobody could tell the calls apart: one entry for all of them, until the last may have ended.
                its_call = person
                fits = (self.renew(person, longest) or self._put_call(person, longest, wall)) and fits
            fits = self._note_person(places, person, its_call, decision, wall) and fits
        return fits

    def renew(self, call: int, until: int, dialog: int = 0) -> bool:
        """Have a call count until then at least, and note a dialog that came of it; False where it is not known."""
        places = self._calls_at(call)
        for place in places:
            self._until[place] = max(self._until[place], until)
            if dialog:
                self._add_dialog(place, dialog)
        return bool(places)

    def leave(self, call: int, dialog: int, until: int) -> None:
        """Note that a dialog has ended: with the last one of its call this counts until then and no longer."""
        for place in self._calls_at(call):
            first = place * DIALOGS
            dialogs = self._dialogs[first : first + DIALOGS].tolist()
            if dialog in dialogs:
                self._dialogs[first + dialogs.index(dialog)] = 0
                dialogs.remove(dialog)
            if not any(dialogs):
                self._until[place] = min(self._until[place], until)

    def calls(self, wall: int) -> int:
        """Return how many calls somebody is private in; it looks at all places, some 2 ms."""
        return sum(1 for until in self._until.tolist() if until > wall)

    # --- inner works

    def _put_call(self, call: int, until: int, wall: int) -> bool:
        place = self._free(call, self._next_call, lambda each: self._until[each] <= wall)
        if place < 0:
            return False
        first = place * DIALOGS
        _set_key(self._call_keys, place, 0)
        self._until[place] = until
        for each in range(first, first + DIALOGS):
            self._dialogs[each] = 0
        _set_key(self._call_keys, place, call)
        self._found.put(call, place)
        return True

    def _add_dialog(self, place: int, dialog: int) -> None:
        first = place * DIALOGS
        dialogs = self._dialogs[first : first + DIALOGS].tolist()
        if dialog not in dialogs:
            self._dialogs[first + dialogs.index(0) if 0 in dialogs else first] = dialog if 0 in dialogs else _MANY

    def _is_busy(self, places: list[int], call: int, wall: int) -> bool:
        """Tell whether somebody with these places is in so many other calls that this one is not told apart."""
        if len(places) < MOST_CALLS:
            return False
        others = [each for each in [self._person_calls[place] for place in places] if self._lasts(each, wall)]
        return len(others) >= MOST_CALLS and call not in others

    def _note_person(self, places: list[int], person: int, call: int, decision: int, wall: int) -> bool:
        for place in places:
            if self._person_calls[place] == call:
                self._people[place] = stricter(self._people[place], decision)
                return True
        return self._put_person(person, call, decision, wall)

    def _put_person(self, person: int, call: int, decision: int, wall: int) -> bool:
        calls = self._person_calls
        place = self._free(person, self._next_person, lambda each: not self._lasts(calls[each], wall))
        if place < 0:
            return False
        _set_key(self._person_keys, place, 0)
        calls[place] = call
        self._people[place] = decision
        _set_key(self._person_keys, place, person)
        return True

    def _lasts(self, call: int, wall: int) -> bool:
        """Tell whether a call counts; False for one that is not known, as that of a place where nothing ever stood."""
        if not call:
            return False
        if self._ends(self._calls_at(call)) > wall:
            return True
        # Two workers may have put it in at once, and the place that is not known here lasts.
        return self._ends(self._places(self._call_keys, call, self._buckets)) > wall

    def _ends(self, places: list[int]) -> int:
        """Return until when the last of these places counts; 0 for none."""
        return max([self._until[place] for place in places]) if places else 0

    def _calls_at(self, call: int) -> list[int]:
        """Return where a call stands: where it was found last, or else where a search finds it."""
        place = self._found.get(call)
        if place is not None and self._call_keys[place * _KEY : (place + 1) * _KEY] == call.to_bytes(_KEY, "little"):
            return [place]
        places = self._places(self._call_keys, call, self._buckets)
        if places:
            self._found.put(call, places[0])
        return places

    def _free(self, key: int, following: list[int], is_free: Callable[[int], bool]) -> int:
        """Return a place of ours that nothing stands in any more; -1 for none.

        What was taken longest ago is mostly free first, so hardly more than one place is looked at; and of both buckets
        the one gets it where fewer have to be.
        """
        for step in range(self._share):
            for bucket in _both(key, len(following)):
                way = (following[bucket] + step) % self._share
                place = bucket * WAYS + self._first + way
                if is_free(place):
                    following[bucket] = way + 1
                    return place
        return -1

    @staticmethod
    def _places(keys: memoryview, key: int, buckets: int) -> list[int]:
        """Return the places of a key in both of its buckets; a search of bytes, which replaces reading numbers."""
        found: list[int] = []
        wanted = key.to_bytes(_KEY, "little")
        for bucket in _both(key, buckets):
            row = bytes(keys[bucket * WAYS * _KEY : (bucket + 1) * WAYS * _KEY])
            at = row.find(wanted)
            while at >= 0:
                if not at % _KEY:
                    found.append(bucket * WAYS + at // _KEY)
                at = row.find(wanted, at + 1)
        return found


def _set_key(keys: memoryview, place: int, key: int) -> None:
    keys[place * _KEY : (place + 1) * _KEY] = key.to_bytes(_KEY, "little")


def _both(key: int, buckets: int) -> tuple[int, ...]:
    """Return the buckets of a key: two, unless chance has it that they are one."""
    one, other = key % buckets, (key >> 32) % buckets
    return (one,) if one == other else (one, other)


def in_memory(buckets: int = 2, worker: int = 0, workers: int = 1) -> WishTable:
    """Return a table of this process alone, which ends with it."""
    return WishTable(memoryview(bytearray(size_of(buckets))), worker, workers, buckets)
