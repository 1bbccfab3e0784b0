"""From a file to Settings, or to all of its mistakes."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import load as module
from config.check_names import name_mistakes
from config.check_networks import network_mistakes
from config.load import ConfigError, load, warnings
from config.privacy_section import ACCESS_DEFAULT, STRICT_DEFAULT
from config.vocabulary import Action

EXAMPLE = Path(module.__file__).parent / "example.toml"

SMALL = """\
[[listeners]]
name = "a"
address = "127.0.0.1"
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "sipveil.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems(path: Path) -> list[str]:
    """Return the problems of a file that must not load, without its folder."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_the_example_loads_without_warnings() -> None:
    loaded = load(EXAMPLE)
    assert warnings(loaded, EXAMPLE) == ()
    assert [(listener.name, listener.address, listener.port) for listener in loaded.listeners] == [
        ("access", "127.0.0.1", 5060)
    ]
    assert {trunk.name: (str(trunk.hosts[0]), trunk.trusted, trunk.emergency) for trunk in loaded.trunks} == {
        "carrier": ("127.0.0.1:5080", False, False),
        "psap": ("127.0.0.1:5082", False, True),
    }
    assert loaded.privacy.default == STRICT_DEFAULT
    assert (loaded.metrics.address, loaded.metrics.port) == ("127.0.0.1", 9464)


def test_the_state_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    assert load(write(tmp_path, SMALL)).state_dir == str(tmp_path / "state")
    assert load(write(tmp_path, f'state_dir = "/var/lib/sipveil"\n{SMALL}')).state_dir == "/var/lib/sipveil"


def test_privacy_given_in_part_replaces_only_its_keys(tmp_path: Path) -> None:
    text = f'{SMALL}[privacy.default]\nname = "keep"\n[access]\nlistener = "a"\nprivacy.network = "keep"\n'
    loaded = load(write(tmp_path, text))
    assert loaded.privacy.default == STRICT_DEFAULT.model_copy(update={"name": Action.KEEP})
    assert loaded.access is not None
    assert loaded.access.privacy == ACCESS_DEFAULT.model_copy(update={"network": Action.KEEP})


def test_a_mistake_in_part_of_privacy_is_at_its_line(tmp_path: Path) -> None:
    found = problems(write(tmp_path, f'{SMALL}[privacy.default]\nname = "keep"\nnumber = "remove"\n'))
    assert found == [
        'sipveil.toml:6: privacy.default.number: "remove" is not an action for number; write one of keep, '
        "indicate, pseudonymise, anonymise"
    ]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Wrong types, ranges, unknown and missing keys do not hide names that lead nowhere."""
    text = """\
relms = []

[[listeners]]
name = "a"
address = "0.0.0.0"
port = "5060"

[[trunks]]
name = "t"
hosts = [
    "good.example",
    # a comment
    "foo bar",
]
listener = "b"
max_user = 3

[access]
networks = ["10.0.0.0/8"]
privacy = { name = "seal" }

[[routes]]
source = "access"
to = ["t", "x"]
emergency = true
"""
    assert problems(write(tmp_path, text)) == [
        "sipveil.toml:1: relms: is not a key that Sipveil knows; did you mean realms?",
        "sipveil.toml:3: listeners[0].advertised: is missing for the wildcard address 0.0.0.0; "
        'write advertised = "host", the name or address that others reach it by',
        'sipveil.toml:6: listeners[0].port: "5060" is not a whole number; write digits only, without quotes',
        "sipveil.toml:8: trunks[0].networks: is missing, and good.example is a name; "
        "write the networks that good.example is in and sends from",
        'sipveil.toml:13: trunks[0].hosts[1]: "foo bar" is not a host; write "host", "host:port" or "[IPv6]:port"',
        'sipveil.toml:15: trunks[0].listener: there is no listener "b"; write "a" or add it to [[listeners]]',
        "sipveil.toml:16: trunks[0].max_user: 3 is out of range; write 128 to 1500",
        "sipveil.toml:18: access.listener: is missing; write listener = ... (the listener that phones are reached "
        "through)",
        'sipveil.toml:20: access.privacy.name: "seal" is not an action for name; write one of keep, pseudonymise, '
        "anonymise, remove",
        'sipveil.toml:24: routes[0].to[1]: there is no trunk "x"; write "t", "access" or add it to [[trunks]]',
        'sipveil.toml:24: routes[0].to[0]: "t" does not carry emergency calls, see trunks[0] (line 8); '
        "write emergency = true in that trunk or route these calls elsewhere",
    ]


def test_the_other_place_of_a_contradiction_has_its_line(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, f'{SMALL}[[listeners]]\nname = "a"\naddress = "::1"\n'))
    assert problem.endswith(':5: listeners[1].name: "a" is taken by listeners[0].name (line 2); give each its own name')


def test_what_is_missing_at_the_top_is_at_the_first_line(tmp_path: Path) -> None:
    assert problems(write(tmp_path, "")) == ["sipveil.toml:1: listeners: is missing; write listeners = ... (sockets)"]


def test_an_array_is_not_called_empty_because_all_in_it_is_wrong(tmp_path: Path) -> None:
    assert len(problems(write(tmp_path, SMALL.replace("127.0.0.1", "localhost")))) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = = 2\n", 2), ("a = 1\n\na = 2", 3), ('a = """\n\n', 3), (b"a = 1\nb = '\xff'", 2)],
)
def test_a_broken_file_is_told_by_its_line(tmp_path: Path, text: str | bytes, line: int) -> None:
    (problem,) = problems(write(tmp_path, text))
    assert problem.startswith(f"sipveil.toml:{line}: is not ")
    assert "(at " not in problem


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path: Path) -> None:
    (absent,) = problems(tmp_path / "absent.toml")
    assert absent.startswith("absent.toml: cannot be read: No such file or directory; give the path")
    (folder,) = problems(tmp_path)
    assert "cannot be read: Is a directory" in folder


def test_warnings_have_lines_when_the_file_is_given(tmp_path: Path) -> None:
    path = write(tmp_path, f'{SMALL}[[trunks]]\nname = "t"\nhosts = ["192.0.2.1"]\nlistener = "a"\n')
    loaded = load(path)
    numbers, trunk = warnings(loaded, path)
    assert str(trunk).startswith(f'{path}:4: trunks[0]: no route leads to trunk "t"; name it in the `to` of a route')
    assert numbers.key == "emergency.numbers"
    assert [problem.line for problem in warnings(loaded)] == [0, 0]


def test_a_default_that_all_contracts_decide_is_a_warning_that_names_both_lines(tmp_path: Path) -> None:
    """And a rule that can never apply a mistake that does."""
    trunk = '[[trunks]]\nname = "t"\nhosts = ["192.0.2.1"]\nlistener = "a"\nprivacy = { content = "keep" }\n'
    path = write(tmp_path, f'{SMALL}{trunk}[privacy.default]\ncontent = "remove"\n')
    told = str(warnings(load(path), path)[-1])
    assert told.startswith(f'{path}:10: privacy.default.content: "remove" applies to no trunk that there is')
    assert "the contract decides, in trunks[0].privacy.content (line 8); keep it for trunks to come" in told
    path = write(
        tmp_path, f'{SMALL}{trunk}[[rules]]\nlevel = "default"\ntrunks = ["t"]\nprivacy = {{ content = "remove" }}\n'
    )
    [mistake] = problems(path)
    assert mistake.startswith(
        'sipveil.toml:12: rules[0].privacy.content: "remove" can never apply: the contract decides'
    )
    assert "trunks[0].privacy.content (line 8); take one of them out" in mistake


SCALARS = st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(datetime.time(1, 2))
KEYS = st.sampled_from(["name", "to", "x y"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def spoil(node: Any, data: st.DataObject) -> None:
    """Put something else somewhere into a parsed file."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = data.draw(st.sampled_from(keys))
    if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
        spoil(node[key], data)
    else:
        node[key] = data.draw(VALUES)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_stands_in_a_file_becomes_settings_or_mistakes(data: st.DataObject) -> None:
    draft = tomllib.loads(EXAMPLE.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(draft, data)
    found, mistakes = module._validated(draft)
    assert (found is None) == bool(mistakes)
    assert all(each.wrong and each.right for each in (*mistakes, *name_mistakes(draft), *network_mistakes(draft)))


def test_the_policys_mistakes_are_among_them(tmp_path: Path) -> None:
    """Contradictions of rules are told like any other mistake."""
    found = problems(write(tmp_path, f'{SMALL}[privacy.floor]\nname = "anonymise"\n[privacy.default]\nname = "keep"\n'))
    assert [line for line in found if "can never apply" in line and "privacy.floor.name" in line]


def test_every_check_is_asked(tmp_path: Path) -> None:
    """A check that nobody asks is none: rules against the law, rules without effect, prefixes that contradict."""
    trunk = '[[trunks]]\nname = "t"\nhosts = ["192.0.2.1:5060"]\nlistener = "a"\ntrusted = true\npstn = true\n'
    rule = '[[rules]]\nlevel = "contract"\ntrunks = ["t"]\nmethods = ["BYE"]\nprivacy = { number = "anonymise" }\n'
    found = problems(write(tmp_path, f'{SMALL}{trunk}{rule}[privacy]\nshow = ["*67"]\nwithhold = ["*67"]\n'))
    for part in ("trunks[0].pstn (line 9)", "BYE begins no dialog", "privacy.withhold[0] (line 17)"):
        assert [line for line in found if part in line], part
