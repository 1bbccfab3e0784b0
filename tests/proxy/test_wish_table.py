"""Who asked for privacy in which call: parallel calls, ends, forks, full tables, several workers, a crash."""

from __future__ import annotations

import random

import pytest

from config.vocabulary import Action, Category
from proxy.policy import action, pack
from proxy.wish_table import BUCKETS, DIALOGS, WAYS, WishTable, in_memory, is_table, size_of

NOW = 1_790_000_000
LIFE = 172_800
RINGING = 780
BRIEFLY = 120
ALICE, BOB = 0x1111_2222_3333_4444, 0x5555_6666_7777_8888
CALL, OTHER = 0xAAAA_BBBB_CCCC, 0xDDDD_EEEE_FFFF
ID = pack({Category.NAME: Action.ANONYMISE, Category.NUMBER: Action.ANONYMISE})
HEADER = pack({Category.NETWORK: Action.SEAL})


def noted(table: WishTable, call: int = CALL, who: int = ALICE, until: int = NOW + RINGING, hide: int = ID) -> bool:
    return table.note(call, [who], hide, until, NOW, NOW + LIFE)


def test_who_asked_is_private_and_nobody_else() -> None:
    table = in_memory()
    assert table.decision(ALICE, NOW) == 0
    assert noted(table)
    assert table.decision(ALICE, NOW) == ID
    assert table.decision(BOB, NOW) == 0
    assert not table.is_strict(NOW)


def test_what_was_asked_for_adds_up() -> None:
    table = in_memory()
    noted(table)
    noted(table, hide=HEADER)
    noted(table, OTHER, hide=HEADER)
    assert action(table.decision(ALICE, NOW), Category.NUMBER) is Action.ANONYMISE
    assert action(table.decision(ALICE, NOW), Category.NETWORK) is Action.SEAL


def test_it_lapses_unless_more_is_heard_of_the_call() -> None:
    table = in_memory()
    noted(table)
    assert table.decision(ALICE, NOW + RINGING - 1) == ID
    assert table.decision(ALICE, NOW + RINGING) == 0
    assert table.renew(CALL, NOW + LIFE)
    assert table.decision(ALICE, NOW + LIFE - 1) == ID
    assert table.renew(CALL, NOW + 1)
    assert table.decision(ALICE, NOW + LIFE - 1) == ID, "no message makes it end sooner"
    assert not table.renew(OTHER, NOW + LIFE)


def test_the_end_of_one_call_takes_nothing_from_another() -> None:
    table = in_memory()
    for call in (CALL, OTHER):
        noted(table, call)
        table.renew(call, NOW + LIFE, 7)
    table.leave(CALL, 7, NOW + BRIEFLY)
    assert table.decision(ALICE, NOW + BRIEFLY) == ID
    table.leave(OTHER, 7, NOW + BRIEFLY)
    assert table.decision(ALICE, NOW + BRIEFLY - 1) == ID, "what is told of it soon after its end is bound by it too"
    assert table.decision(ALICE, NOW + BRIEFLY) == 0


def test_the_first_dialog_of_a_fork_that_ends_does_not_end_the_call() -> None:
    """RFC 3261 §13.2.2.4: the caller ends all dialogs but one, while that one goes on."""
    table = in_memory()
    noted(table)
    for dialog in (7, 8, 7):
        table.renew(CALL, NOW + LIFE, dialog)
    table.leave(CALL, 8, NOW + BRIEFLY)
    table.leave(CALL, 8, NOW + BRIEFLY)
    assert table.decision(ALICE, NOW + LIFE - 1) == ID
    table.leave(CALL, 7, NOW + BRIEFLY)
    assert table.decision(ALICE, NOW + BRIEFLY) == 0


def test_a_call_with_more_dialogs_than_are_told_apart_is_not_over_before_its_time() -> None:
    table = in_memory()
    noted(table)
    for dialog in range(1, DIALOGS + 2):
        table.renew(CALL, NOW + LIFE, dialog)
    for dialog in range(1, DIALOGS + 2):
        table.leave(CALL, dialog, NOW + BRIEFLY)
    assert table.decision(ALICE, NOW + LIFE - 1) == ID


def test_who_makes_many_calls_takes_few_places_and_stays_private_longest() -> None:
    """Each call is known all the same: nothing has to be asked anew with each of its messages."""
    table = in_memory(1)
    names = [ALICE, ALICE + 1, ALICE + 2]  # in all its calls, more than there are places
    for call in range(1, WAYS - 4):
        assert table.note(call, names, ID, NOW + RINGING, NOW, NOW + LIFE)
        assert table.renew(call, NOW + RINGING)
    assert noted(table, OTHER, BOB)
    assert table.decision(ALICE, NOW + LIFE - 1) == ID
    assert table.decision(ALICE, NOW + LIFE) == 0


@pytest.mark.parametrize("people", [False, True])
def test_a_full_table_says_so_and_has_room_when_calls_have_ended(people: bool) -> None:
    table = in_memory(1, 0, 8)
    for number in range(1, 1 + WAYS // 8 * (2 if people else 1)):
        call = CALL if people else number
        assert table.note(call, [number << 32 | number], ID, NOW + RINGING, NOW, NOW + LIFE)
    assert not noted(table, CALL if people else CALL + 1)
    later = NOW + RINGING
    assert table.note(OTHER, [ALICE], ID, later + RINGING, later, later + LIFE)
    assert table.decision(ALICE, later) == ID


def test_who_cannot_be_remembered_makes_all_private() -> None:
    table = in_memory()
    table.be_strict(NOW + 10)
    table.be_strict(NOW + 5)
    assert table.is_strict(NOW + 9)
    assert not table.is_strict(NOW + 10)


def test_workers_see_what_each_of_them_notes_and_never_take_each_others_places() -> None:
    block = memoryview(bytearray(size_of(1)))
    one, other = WishTable(block, 0, 2, 1), WishTable(block, 1, 2, 1)
    assert noted(one)
    assert noted(other, OTHER, BOB)
    assert one.decision(BOB, NOW) == other.decision(ALICE, NOW) == ID
    assert other.renew(CALL, NOW + LIFE, 7)
    other.leave(CALL, 7, NOW + BRIEFLY)
    assert one.decision(ALICE, NOW + BRIEFLY) == 0
    other.be_strict(NOW + 5)
    assert one.is_strict(NOW)
    for number in range(1, WAYS):
        one.note(number, [number << 32 | number], ID, NOW + RINGING, NOW, NOW + LIFE)
    assert other.decision(BOB, NOW) == ID
    assert noted(other, OTHER + 1, BOB), "a half that is full takes nothing of the other"


def test_as_many_workers_as_there_may_be_have_a_place_each() -> None:
    block = memoryview(bytearray(size_of(1)))
    for worker in range(64):
        table = WishTable(block, worker, 64, 1)
        assert table.note(worker + 1, [worker + 1], ID, NOW + RINGING, NOW, NOW + LIFE)
    assert all(table.decision(worker + 1, NOW) == ID for worker in range(64))


@pytest.mark.parametrize("workers", [16, 64])
def test_chance_fills_no_bucket_before_half_of_a_share_is_used(workers: int) -> None:
    """Keys are keyed hashes; what would find no room made all participants of all recordings private."""
    buckets, chance = 16, random.Random(workers)
    table = WishTable(memoryview(bytearray(size_of(buckets))), workers - 1, workers, buckets)
    for _ in range(buckets * WAYS // workers // 2):
        people = [chance.getrandbits(64), chance.getrandbits(64)]
        assert table.note(chance.getrandbits(48), people, ID, NOW + RINGING, NOW, NOW + LIFE)


def test_what_one_process_leaves_the_next_one_finds_with_other_workers_too() -> None:
    block = memoryview(bytearray(size_of(16)))
    noted(WishTable(block, 3, 4, 16))
    assert WishTable(block, 0, 1, 16).decision(ALICE, NOW) == ID
    assert is_table(bytes(block[:64]), 16)
    assert not is_table(bytes(block[:64]), 32)
    assert not is_table(b"SQLite format 3\0" + bytes(48), 16)
    assert is_table(bytes(64), 16)


def test_its_size_is_what_the_documents_say() -> None:
    assert BUCKETS * WAYS == 131_072
    assert 9e6 < size_of() < 11e6
