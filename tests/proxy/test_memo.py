"""Remembered results: the same answers, within bounds."""

from __future__ import annotations

import pytest

from proxy.memo import REMEMBERED, Recent, forget, remembered, remembered_by_all


def test_a_function_is_called_once_for_the_same_argument() -> None:
    calls: list[bytes] = []

    @remembered
    def double(text: bytes) -> bytes:
        calls.append(text)
        return text * 2

    assert [double(b"a"), double(b"b"), double(b"a")] == [b"aa", b"bb", b"aa"]
    assert calls == [b"a", b"b"]


def test_what_is_raised_is_not_remembered() -> None:
    calls: list[bytes] = []

    @remembered
    def fail(text: bytes) -> bytes:
        calls.append(text)
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):  # noqa: PT011 -- raised above
            fail(b"a")
    assert len(calls) == 2


def test_remembered_results_are_bounded() -> None:
    calls: list[int] = []

    @remembered
    def same(number: int) -> int:
        calls.append(number)
        return number

    for number in (*range(REMEMBERED + 1), 0):
        same(number)
    assert len(calls) == REMEMBERED + 2, "the first was forgotten"


def test_recent_entries_are_found_and_bounded() -> None:
    recent: Recent[int, str] = Recent(8)
    for number in range(100):
        recent.put(number, str(number))
        assert recent.get(number) == str(number)
        assert len(recent) <= 8
    assert recent.get(0) is None
    assert [recent.get(number) for number in (97, 98, 99)] == ["97", "98", "99"]


def test_what_is_asked_for_stays() -> None:
    recent: Recent[int, str] = Recent(8)
    recent.put(-1, "kept")
    for number in range(100):
        recent.put(number, "")
        assert recent.get(-1) == "kept"


def test_a_function_of_several_arguments_remembers_by_all_of_them() -> None:
    calls: list[tuple[int, int]] = []

    @remembered_by_all
    def total(one: int, other: int) -> int:
        calls.append((one, other))
        return one + other

    assert [total(1, 2), total(2, 1), total(1, 2)] == [3, 3, 3]
    assert calls == [(1, 2), (2, 1)]
    forget(total)
    total(1, 2)
    assert len(calls) == 3


def test_what_is_remembered_can_be_forgotten() -> None:
    """A result may keep alive what a reload has replaced."""
    asked: list[int] = []
    function = remembered(asked.append)
    function(1)
    function(1)
    forget(function)
    function(1)
    assert asked == [1, 1]
