"""Recorders and their clients: what keeps a session from going where it may, each mistake by name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.check_recorders import RFC_7865, recorder_mistakes
from config.load import load
from config.problem import ConfigError, key_text
from filters.metadata_fields import SPACES

GOOD = """
listeners = [
  { name = "udp", address = "127.0.0.1" },
  { name = "tls", address = "127.0.0.1", transport = "tls", certificates = ["a"], keys = ["b"], client_ca = "c" },
  { name = "all", address = "127.0.0.2", transport = "tls", certificates = ["a"], keys = ["b"] },
]
core = { networks = ["203.0.113.5", "192.0.2.0/24"], listener = "udp" }
trunks = [{ name = "t", hosts = ["192.0.2.1"], listener = "udp" }]
recorders = [
  { name = "one", hosts = ["srs.example.net"], networks = ["192.0.2.8"], listener = "tls", certificate = "one.pem" },
  { name = "two", hosts = ["192.0.2.9"], listener = "all", tls_name = "b.example.net", certificate = "two.pem" },
  { name = "e", hosts = ["e.example"], networks = ["192.0.2.10"], listener = "tls", group = "edges", @edge },
]
recording_clients = [
  { name = "sbc", networks = ["192.0.2.0/24"], listener = "tls", tls_names = ["sbc.example.net"] },
  { name = "pbx", networks = ["203.0.113.5"], listener = "tls", tls_names = ["pbx.example.net"], to = "edges" },
]
""".replace("@edge", 'role = "recorder-edge", certificate = "e.pem", key = "k"')


def found(text: str) -> list[str]:
    draft = tomllib.loads(text)
    return [
        f"{key_text(each.path)}: {each.wrong}" + (f" {key_text(each.also)}" if each.also else "")
        for each in recorder_mistakes(draft)
    ]


def test_a_good_file_has_none() -> None:
    assert found(GOOD) == []
    assert found("") == []
    assert found("recorders = 3\nrecording_clients = [4]\nlisteners = {}") == [], "the schema says so"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('name = "two"', 'name = "one"', 'recorders[1].name: "one" is taken by recorders[0].name'),
        ('name = "two"', 'name = "t"', 'recorders[1].name: "t" is taken by trunks[0].name'),
        ('name = "pbx"', 'name = "sbc"', 'recording_clients[1].name: "sbc" is taken by recording_clients[0].name'),
        ('listener = "all"', 'listener = "x"', 'recorders[1].listener: there is no listener "x"'),
        ('listener = "all"', 'listener = "udp"', 'recorders[1].listener: "udp" is no listener of TLS'),
        ('tls_name = "b.example.net", ', "", "recorders[1].tls_name: is missing, and 192.0.2.9 has no name"),
        (', certificate = "one.pem"', "", "recorders[0].certificate: is missing"),
        (', key = "k"', "", "recorders[2].key: is missing"),
        ('"one.pem"', '"one.pem", key = "x"', "recorders[0].key: is of use for a recorder-edge alone"),
        ('"one.pem"', '"one.pem", former_keys = []', "recorders[0].former_keys: is of use for a recorder-edge alone"),
        ('"192.0.2.0/24"], listener = "tls"', '"192.0.2.0/24"], listener = "all"',
         'recording_clients[0].listener: "all" asks nobody for a certificate'),
        ('"192.0.2.0/24"], listener = "tls"', '"192.0.2.0/24"], listener = "udp"',
         'recording_clients[0].listener: "udp" is no listener of TLS'),
        ('"203.0.113.5"]', '"203.0.113.6"]',
         "recording_clients[1].networks[0]: 203.0.113.6/32 is in none of access, core and the trunks"),
        ('to = "edges"', 'to = "x"', 'recording_clients[1].to: no recorder is of the group "x"'),
        ('group = "edges"', 'group = "recorders"', 'recording_clients[1].to: no recorder is of the group "edges"'),
    ],
)  # fmt: skip
def test_each_mistake_is_named(old: str, new: str, mistake: str) -> None:
    assert GOOD.count(old) == 1
    assert found(GOOD.replace(old, new)) == [mistake]


@pytest.mark.parametrize(
    ("networks", "name", "listener", "same"),
    [
        ("203.0.113.5", "PBX.example.net.", "tls", True),
        ("203.0.113.0/24", "pbx.example.net", "tls", True),
        ("203.0.113.5", "other.example.net", "tls", False),
        ("192.0.2.7", "pbx.example.net", "tls", False),
        ("203.0.113.5", "pbx.example.net", "tls2", False),
    ],
    ids=["same", "around", "another name", "another address", "another listener"],
)
def test_two_clients_can_be_told_apart(networks: str, name: str, listener: str, same: bool) -> None:
    other = f'{{ name = "x", networks = ["{networks}"], listener = "{listener}", tls_names = ["{name}"] }},\n]'
    text = GOOD.replace("listeners = [", 'listeners = [\n{ name = "tls2", transport = "tls", client_ca = "c" },')
    text = text.replace('"203.0.113.5", "192.0.2.0/24"', '"203.0.113.0/24", "192.0.2.0/24"')
    head, _, clients = text.partition("recording_clients = [")
    mistakes = found(head + "recording_clients = [" + clients.replace("\n]", "\n  " + other))
    told = "recording_clients[2]: shows the same certificate at the same address as recording_clients[1]"
    assert mistakes == ([told] if same else [])


def test_recorders_without_clients_are_of_no_use() -> None:
    text = GOOD.partition("recording_clients")[0]
    assert found(text) == ["recorders[0]: nobody may open a session with it"]


def test_all_mistakes_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace('listener = "all"', 'listener = "udp"').replace(', certificate = "one.pem"', "")
    file = tmp_path / "sipveil.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert [(each.line, each.key) for each in refused.value.problems] == [
        (10, "recorders[0].certificate"), (11, "recorders[1].listener"),
    ]  # fmt: skip


def test_a_good_file_loads_and_its_ports_are_those_of_tls(tmp_path: Path) -> None:
    file = tmp_path / "sipveil.toml"
    file.write_text(GOOD)
    settings = load(file)
    assert [str(hop) for recorder in settings.recorders for hop in recorder.hosts] == [
        "srs.example.net", "192.0.2.9:5061", "e.example",
    ]  # fmt: skip


EXTENSIONS = """
[[recording.metadata_extensions]]
namespace = "urn:example:acd"
structure = ["call"]
texts = ["queue"]
[[recording.metadata_extensions]]
namespace = "urn:example:crm"
texts = ["queue"]
"""


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('["queue"]', '["queue", "call"]', 'metadata_extensions[0].texts[1]: "call" of this namespace is named by '
         "recording.metadata_extensions[0].structure[0]"),
        ("urn:example:crm", "urn:example:acd", 'metadata_extensions[1].texts[0]: "queue" of this namespace is named by '
         "recording.metadata_extensions[0].texts[0]"),
        ("urn:example:acd", "urn:ietf:params:xml:ns:recording:1",
         'metadata_extensions[0].namespace: nothing can be added to "urn:ietf:params:xml:ns:recording:1"'),
        ("urn:example:acd", "urn:ietf:params:xml:ns:siprec",
         'metadata_extensions[0].namespace: nothing can be added to "urn:ietf:params:xml:ns:siprec"'),
        ("urn:example:acd", "http://www.w3.org/2000/xmlns/",
         'metadata_extensions[0].namespace: nothing can be added to "http://www.w3.org/2000/xmlns/"'),
        ('"urn:example:crm"\ntexts = ["queue"]', '"urn:example:crm"', "metadata_extensions[1]: names no element"),
    ],
    ids=["two kinds", "two tables", "RFC 7865", "BroadWorks", "XML", "none"],
)  # fmt: skip
def test_what_an_element_tells_is_said_once(old: str, new: str, mistake: str) -> None:
    assert found(EXTENSIONS) == []
    assert found(EXTENSIONS.replace(old, new, 1)) == [f"recording.{mistake}"]


def test_the_namespaces_of_metadata_are_those_that_are_read() -> None:
    assert set(RFC_7865) == SPACES


@pytest.mark.parametrize("text", ["recording = 3", "[recording]\nmetadata_extensions = [3, { namespace = 4 }]"])
def test_what_the_schema_refuses_is_passed_over(text: str) -> None:
    assert found(text) == []
