"""Every kind of error that the schema can raise, in an operator's words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.settings import Settings
from config.wording import _PATTERNS, _WORDS, mistake

LISTENER = {"name": "a", "address": "::1"}
TRUNK = {"name": "t", "hosts": ("h",), "listener": "a"}


def worded(**values: object) -> str:
    """Return the wording of the one mistake in values."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"listeners": (LISTENER,)} | values, strict=True)
    details = caught.value.errors()
    assert details[0]["type"] in _WORDS
    found = mistake(details[0])
    return f"{found.wrong}; {found.right}"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"trnks": ()}, "is not a key that Sipveil knows; did you mean trunks?"),
        ({"log": {"xyz": 1}}, "is not a key that Sipveil knows; known here: level, format"),
        ({"access": {}}, "is missing; write listener = ... (the listener that phones are reached through)"),
        ({"listeners": ()}, "is empty; write at least one"),
        (
            {"recording": {"commands": ("a",) * 65}},
            "has 65 values; write 64 at most",
        ),
        ({"listeners": LISTENER}, "is a single table; write [[listeners]], once for each"),
        ({"realms": "a"}, '"a" is not a list; write it in brackets: [...]'),
        ({"access": ({},)}, "is there once only, and not an array; write [access]"),
        ({"trunks": (TRUNK | {"privacy": 3},)}, "3 is not a table; write [trunks.privacy] and its keys below"),
        ({"trunks": ("t",)}, '"t" is not a table; write [[trunks]] and its keys below'),
        ({"state_dir": 1}, '1 is not a text; write it in quotes: "..."'),
        ({"limits": {"message": "9"}}, '"9" is not a whole number; write digits only, without quotes'),
        ({"limits": {"message": 9}}, "9 is out of range; write 1300 to 65535"),
        ({"limits": {"message": 99999}}, "99999 is out of range; write 1300 to 65535"),
        ({"limits": {"parked": 0}}, "0 is out of range; write at least 1"),
        ({"timers": {"t1": "1"}}, '"1" is not a number; write digits, with a point if need be, without quotes'),
        ({"timers": {"t1": 0}}, "0 is out of range; write more than 0, at most 5"),
        ({"metrics": {"enabled": 1}}, "1 is not true or false; write true or false, without quotes"),
        ({"log": {"format": "x"}}, '"x" is not one of the words for this key; write "text" or "json"'),
        (
            {"metrics": {"address": "lo"}},
            '"lo" is not an IP address; write "192.0.2.1", "2001:db8::1", or "0.0.0.0" for all of IPv4',
        ),
        (
            {"trunks": (TRUNK | {"name": "A"},)},
            '"A" is not a name; write 1 to 32 of a-z, 0-9, "-" and "_", a letter or digit first',
        ),
        (
            {"signing": {"x5u": "https://a/", "numbers": ("1555",)}},
            '"1555" is not how a number with its country code begins; write "+" and up to 15 digits, such as "+1555"',
        ),
        ({"emergency": {"numbers": ("x",)}}, '"x" is not a dialled number; write its 1 to 15 digits, such as "112"'),
        (
            {"routes": ({"methods": ("x",), "to": ("t",)},)},
            '"x" is not a method; write it as in a request, such as "INVITE"',
        ),
        ({"trunks": (TRUNK | {"hosts": ("a b",)},)}, '"a b" is not a host; write "host", "host:port" or "[IPv6]:port"'),
        (
            {"privacy": {"default": {"name": "hide"}}},
            '"hide" is not an action for name; write one of keep, pseudonymise, anonymise, remove',
        ),
    ],
)
def test_wording(values: dict[str, object], text: str) -> None:
    assert worded(**values) == text


def test_every_pattern_of_the_schema_has_words() -> None:
    patterns = set()

    def collect(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                patterns.add(node["pattern"])
            node = list(node.values())
        for inner in node if isinstance(node, list) else ():
            collect(inner)

    collect(Settings.model_json_schema())
    assert patterns == set(_PATTERNS)


def test_what_has_no_words_of_ours_still_has_pydantic_s() -> None:
    found = mistake({"type": "new_type", "loc": ("a",), "msg": "Something is off", "input": 1})
    assert (found.wrong, found.right) == ("1 cannot stand here", "Something is off")
