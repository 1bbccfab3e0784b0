"""What is said in a command or a row, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from config.subscriber import EVERYWHERE, WORDS, Setting, Subscriber, Value
from config.subscriber_change import Change, Mistakes, changed, keys, of, read_change

TRUNKS = ["carrier", "other"]


def test_words_exceptions_and_flags() -> None:
    said = {"name": "hide", "number@carrier": "pseudonym", "telemarketer": "yes", "reject_anonymous": False}
    assert read_change("alice@Example.net", said, TRUNKS) == Change(
        "alice@example.net",
        {(EVERYWHERE, "name"): Value.HIDE, ("carrier", "number"): Value.PSEUDONYM},
        {"telemarketer": True, "reject_anonymous": False},
    )


@pytest.mark.parametrize("nothing", ["", "default", None])
def test_a_word_can_be_unset_for_a_trunk_that_is_gone_too(nothing: object) -> None:
    change = read_change("a@b", {"name@gone": nothing}, TRUNKS)
    assert change.settings == {("gone", "name"): None}


@pytest.mark.parametrize(
    ("said", "key", "right"),
    [
        ({"nmae": "hide"}, "nmae", "name"),
        ({"name": "hidden"}, "name", "hide, pseudonym, show, default"),
        ({"status": "pseudonym"}, "status", "hide, show, default"),
        ({"name": ["hide"]}, "name", "hide"),
        ({"name": True}, "name", "hide"),
        ({"name@": "hide"}, "name@", "word@trunk"),
        ({"name@nobody": "hide"}, "name@nobody", "carrier, other"),
        ({"telemarketer@carrier": "yes"}, "telemarketer@carrier", "without a trunk"),
        ({"telemarketer": "maybe"}, "telemarketer", "yes or no"),
        ({"telemarketer": 1}, "telemarketer", "yes or no"),
    ],
)
def test_mistakes(said: Mapping[str, object], key: str, right: str) -> None:
    with pytest.raises(Mistakes) as caught:
        read_change("a@b", said, TRUNKS)
    (found,) = caught.value.found
    assert found.key == key
    assert right in found.right


@pytest.mark.parametrize("address", [None, 7, "alice", ["a@b"]])
def test_all_mistakes_come_at_once(address: object) -> None:
    with pytest.raises(Mistakes) as caught:
        read_change(address, {"name": "x", "status": "y"}, TRUNKS)
    assert [found.key for found in caught.value.found] == ["subscriber", "name", "status"]


def test_no_trunk_is_configured() -> None:
    with pytest.raises(Mistakes) as caught:
        read_change("a@b", {"name@carrier": "hide"}, [])
    assert "configure it" in caught.value.found[0].right


def test_what_is_not_mentioned_stays() -> None:
    before = Subscriber("a@b", (Setting(EVERYWHERE, "name", Value.SHOW), Setting("carrier", "name", Value.HIDE)), True)
    after = changed(before, read_change("a@b", {"name": "", "status": "show", "reject_anonymous": "yes"}, TRUNKS))
    settings = (Setting(EVERYWHERE, "status", Value.SHOW), Setting("carrier", "name", Value.HIDE))
    assert after == Subscriber("a@b", settings, True, True)


def test_of_says_every_word() -> None:
    change = of(Subscriber("a@b", (Setting("carrier", "name", Value.HIDE),), True))
    assert keys(change) == {**dict.fromkeys(WORDS), "name@carrier": Value.HIDE}
    assert changed(Subscriber("a@b"), change) == Subscriber("a@b", (Setting("carrier", "name", Value.HIDE),), True)
