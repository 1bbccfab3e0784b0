"""The key that signs: for which numbers, and when."""

from __future__ import annotations

import json

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from filters import credential as module
from filters.credential import Credential
from tests.passports import KEY, X5U, unb64


def test_which_numbers_are_the_operators() -> None:
    """By how they begin; without any it answers for none."""
    credential = Credential(KEY, X5U, ["1555010", "4930123456"])
    assert credential.is_bounded
    numbers = (b"15550100", b"1555010", b"4930123456789", b"155501", b"4930123457", b"1555010#", b"", b"555010")
    assert [credential.answers_for(number) for number in numbers] == [True] * 3 + [False] * 5
    assert not Credential(KEY, X5U).is_bounded
    assert not Credential(KEY, X5U).answers_for(b"15550100")


def test_a_certificate_that_lapses_is_told_of_once() -> None:
    """Until it holds again: a clock that jumps to and fro is told of each time, a thousand calls a second are not."""
    told: list[int] = []
    credential = Credential(KEY, X5U, begins=100, ends=200, tell=lambda: told.append(1))
    assert [credential.holds(wall) for wall in (100, 150, 200)] == [True] * 3
    assert told == []
    assert [credential.holds(wall) for wall in (201, 202, 99, 1 << 40)] == [False] * 4
    assert len(told) == 1
    assert credential.holds(150)
    assert not credential.holds(99)
    assert len(told) == 2


def test_without_chain_it_holds_always() -> None:
    assert Credential(KEY, X5U).holds(0)
    assert Credential(KEY, X5U).holds(1 << 40)


def test_the_header() -> None:
    """RFC 8225 §9: names in order, no blanks, for header and payload alike."""
    line = Credential(KEY, X5U).identity("div", {"iat": 1, "dest": {"tn": ["1"]}})
    token, _, params = line.removeprefix(b"Identity: ").partition(b";")
    head, payload, _ = token.split(b".")
    assert params == b"info=<%b>;alg=ES256;ppt=div" % X5U.encode()
    assert unb64(head) == json.dumps({"alg": "ES256", "ppt": "div", "typ": "passport", "x5u": X5U}).replace(
        " ", ""
    ).encode()  # fmt: skip
    assert unb64(payload) == b'{"dest":{"tn":["1"]},"iat":1}'


def test_a_library_without_rfc_6979(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its random signatures are as good."""

    def refuse(algorithm: object, deterministic_signing: bool = False) -> ec.ECDSA:
        if deterministic_signing:
            raise UnsupportedAlgorithm("no")
        return ec.ECDSA(algorithm)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "ECDSA", refuse)
    assert module._ecdsa().deterministic_signing is False
