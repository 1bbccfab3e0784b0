"""Names that must be unique, or must lead somewhere."""

from __future__ import annotations

import tomllib

import pytest

from config import check_names
from config.check_names import name_mistakes
from config.problem import key_text

GOOD = """
access = { listener = "a" }
core = { listener = "b" }
listeners = [{ name = "a" }, { name = "b" }]
trunks = [{ name = "t", listener = "a" }, { name = "sos", listener = "b", emergency = true }]
routes = [{ to = ["t", "core", "access"] }, { emergency = true, to = ["sos", "core"] }]
"""


def found(text: str) -> list[str]:
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in name_mistakes(tomllib.loads(text))
    ]


def test_a_good_file_has_none() -> None:
    assert found(GOOD) == []
    assert found("") == []


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('name = "b"', 'name = "a"', 'listeners[1].name: "a" is taken by listeners[0].name'),
        ('name = "sos"', 'name = "t"', 'trunks[1].name: "t" is taken by trunks[0].name'),
        ('name = "t"', 'name = "any"', 'trunks[0].name: "any" means something else in routes'),
        ('"t", listener = "a"', '"t", listener = "x"', 'trunks[0].listener: there is no listener "x"'),
        ('access = { listener = "a"', 'access = { listener = "x"', 'access.listener: there is no listener "x"'),
        ('core = { listener = "b"', 'core = { listener = "x"', 'core.listener: there is no listener "x"'),
        ('to = ["t",', 'to = ["x",', 'routes[0].to[0]: there is no trunk "x"'),
        ("core =", "corr =", "routes[0].to[1]: there is no section [core]"),
        ("access =", "acess =", "routes[0].to[2]: there is no section [access]"),
        (
            'to = ["sos"',
            'to = ["t"',
            'routes[1].to[0]: "t" does not carry emergency calls, see trunks[0]',
        ),
    ],
)
def test_each_mistake_is_found(old: str, new: str, mistake: str) -> None:
    assert mistake in found(GOOD.replace(old, new, 1))


def test_a_listener_without_a_name_raises_no_false_alarm() -> None:
    """Once a name is missing nobody can say that a reference leads nowhere."""
    assert found(GOOD.replace('{ name = "a" }', "{ nmae = 'a' }")) == []
    assert found(GOOD.replace('{ name = "t",', "{ name = 3,")) == []


def test_two_names_with_one_id_in_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_names, "trunk_id", len)
    mistake = 'trunks[1].name: "xyz" has the same id in dialog records as trunks[0].name'
    assert found('trunks = [{ name = "abc" }, { name = "xyz" }]') == [mistake]
