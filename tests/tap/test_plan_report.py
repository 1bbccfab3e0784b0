"""A resolved plan as data. What is said of fields: tests/filters/test_fates.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.subscriber import Setting, Value, profile
from config.subscribers import Mark, Subscribers
from config.tomlfile import read as read_toml
from config.vocabulary import Action, Category
from filters.engine import Engine, build, catalogue_of
from filters.fate import Fate
from filters.leaks import Search
from proxy.policy import pack
from tap.explain import Replay, Wish
from tap.explain_ends import ExplainError
from tap.explain_input import Conversation, Given
from tap.explain_report import explain
from tap.plan_report import Document, Question, resolve
from tap.rule_line import RuleLines
from tests.agents import Agent
from tests.tap.fakes import CONFIG
from tests.world import WALL, keyring

TEXT = (
    CONFIG.replace('to = ["carrier"]', 'to = ["carrier", "friend"]')
    + """\
[[trunks]]
name = "friend"
hosts = ["127.0.0.1:5081"]
listener = "access"
trusted = true
privacy = { content = "keep" }
[[trunks]]
name = "psap"
hosts = ["127.0.0.1:5082"]
listener = "access"
emergency = true
[[rules]]
level = "floor"
trunks = ["carrier"]
methods = ["MESSAGE"]
privacy = { location = "remove" }
[privacy.default]
software = "generalise"
location = "keep"
"""
)
ALICE = b"alice@sip.example.net"
SETTINGS = (
    Setting("", "number", Value.SHOW),
    Setting("carrier", "number", Value.HIDE),
    Setting("", "status", Value.SHOW),
)


FATES = {
    "removed": {Fate.REMOVED}, "changed": {Fate.GENERALISED, Fate.ANONYMOUS, Fate.SEALED},
    "kept": {Fate.KEPT, Fate.SWEPT, Fate.FORM},
}  # fmt: skip
"""What `explain` saw, and what a plan may have said of it."""


class Asked:
    """A configuration, its engine, and what is asked of it."""

    def __init__(self, folder: Path, text: str = TEXT, *, known: bool = True, **flags: bool) -> None:
        path = folder / "sipveil.toml"
        path.write_text(text)
        self.settings = load(path)
        self.lines = RuleLines(self.settings, read_toml(path, ""))
        self.subscribers = Subscribers() if known else Subscribers(stale_after=60)
        if known:
            self.subscribers.replace({ALICE: profile(SETTINGS, **flags)}, Mark(1, 1), 0.0)
        self.engine: Engine = build(self.settings, self.subscribers)

    def __call__(self, trunk: str = "carrier", **question: Any) -> Document:
        return resolve(self.settings, self.engine, Question(trunk, **question), self.lines, "sipveil.toml")


def ruling(document: Document, category: str) -> Any:
    return next(one for one in document["categories"] if one["category"] == category)


def fate(document: Document, name: str, section: str = "headers") -> str:
    return next(one["fate"] for one in document["fields"] if (one["section"], one["name"]) == (section, name))


def test_each_category_names_level_rule_line_and_what_it_overrode(tmp_path: Path) -> None:
    ask = Asked(tmp_path)
    number = ruling(ask(subscriber="sip:alice@SIP.example.net"), "number")
    default = {
        "action": "anonymise",
        "level": "default",
        "rule": "privacy.default.number",
        "line": None,
        "built_in": True,
    }
    assert number == {
        "category": "number", "action": "anonymise", "level": "subscriber", "rule": "subscriber.number@carrier",
        "line": None, "built_in": False, "overrode": [],
    }  # fmt: skip
    assert ruling(ask("friend", subscriber=ALICE.decode()), "number")["overrode"] == [default]
    location = ruling(ask(method="MESSAGE"), "location")
    rules = next(place for place, line in enumerate(TEXT.splitlines(), 1) if 'location = "remove"' in line)
    assert (location["level"], location["rule"], location["line"]) == ("floor", "rules[0].privacy.location", rules)
    assert [(one["rule"], one["line"]) for one in location["overrode"]] == [
        ("privacy.default.location", len(TEXT.splitlines()))
    ]
    assert ruling(ask(), "location")["action"] == "keep"


def test_it_is_what_the_engine_decides_and_explain_says(tmp_path: Path) -> None:
    """The same message through `explain`: the same rulings; and the fields that it changed were said to change."""
    ask = Asked(tmp_path)
    for privacy in (b"", b"Privacy: id", b"Privacy: user;header"):
        lines = [b"User-Agent: Soft/1", b"Subject: hello", b"Organization: Us", b"Allow: INVITE"]
        lines += [privacy] if privacy else []
        phone = Agent(("127.0.0.1", 5099), b"alice")
        replay = Replay(
            ask.settings, Wish(trunk="carrier", subscriber=ALICE), ring=keyring(), now=0.0, wall=WALL,
            subscribers=ask.subscribers,
        )  # fmt: skip
        given = Conversation([Given(phone.invite(headers=tuple(lines)).data, phone.address, ())], [])
        catalogue = catalogue_of(ask.settings)
        [crossed] = explain(replay, given, Search(()), catalogue)["messages"][0]["forwarded"]
        document = ask(subscriber=ALICE.decode(), privacy=privacy.decode().partition(": ")[2])
        said = {one["category"]: (one["level"], one["rule"]) for one in document["categories"]}
        for edit in crossed["edits"]:
            if edit["level"]:
                assert (edit["level"], edit["rule"]) in {said[category] for category in edit["categories"]}
        done = {edit["field"]: edit["action"] for edit in crossed["edits"]}
        for name in ("user-agent", "subject", "organization", "allow", "from", "call-id"):
            assert fate(document, name) in FATES[done.get(name, "kept")], name


def test_the_decision_is_that_of_the_proxy(tmp_path: Path) -> None:
    """Whatever is asked: what the page says is what `decide` packs."""
    ask = Asked(tmp_path)
    for inward in (False, True):
        for trunk in ("carrier", "friend"):
            document = ask(trunk, inward=inward, privacy="id")
            actions = {
                Category[one["category"].upper()]: Action[one["action"].upper()] for one in document["categories"]
            }
            assert pack(actions) in ask.engine._policy._decided.values()


def test_whose_profile_holds_is_said(tmp_path: Path) -> None:
    """Own, default for who is not in the store, strict while nobody can be read; nobody else is named."""
    ask = Asked(tmp_path, TEXT + "[subscribers]\n")
    own, stranger, anybody = ask(subscriber=ALICE.decode()), ask(subscriber="bob@b.example"), ask()
    assert [one["profile"] for one in (own, stranger, anybody)] == ["own", "default", "default"]
    assert stranger["remarks"] == ["this subscriber is not in the store, and so has the default profile"]
    assert "said nothing" in anybody["remarks"][0]
    assert own["remarks"] == []
    assert "alice" not in repr(stranger)
    assert stranger["categories"] == anybody["categories"]
    assert "no [subscribers]" in Asked(tmp_path)(subscriber="bob@b.example")["remarks"][0]
    unread = Asked(tmp_path, known=False)(subscriber=ALICE.decode())
    assert (unread["profile"], "strict" in unread["remarks"][0]) == ("strict", True)


def test_a_number_is_one_subscriber_in_either_form(tmp_path: Path) -> None:
    """As the proxy finds it."""
    ask = Asked(tmp_path, TEXT + "[subscribers]\n")
    ask.subscribers.replace({b"+15550123": profile(SETTINGS)}, Mark(2, 2), 0.0)
    told = ask(subscriber="sip:+15550123@sip.example.net")
    assert told["profile"] == "own"
    assert ruling(told, "number")["rule"].startswith("subscriber.number")


def test_remarks_about_what_the_tables_cannot_show(tmp_path: Path) -> None:
    ask = Asked(tmp_path, telemarketer=True, reject_anonymous=True)
    said = "; ".join(ask("psap", subscriber=ALICE.decode(), method="BYE")["remarks"])
    for words in ("telemarketer", "433", "BYE comes within a dialog", "an emergency call goes to psap complete"):
        assert words in said
    inward = Asked(tmp_path, TEXT + "[subscribers]\n")(subscriber=ALICE.decode(), inward=True)
    assert "the other direction" in inward["remarks"][0]


def test_a_refusal_is_a_result(tmp_path: Path) -> None:
    """500 without a plan, since nothing is decided; 433 beside what would be told."""
    ask = Asked(tmp_path, reject_anonymous=True)
    document = ask(privacy="session;critical")
    assert document["refused"] == {"status": 500, "reason": "Privacy cannot be met: session"}
    assert (document["categories"], document["fields"]) == ([], [])
    document = ask(privacy="id", inward=True, subscriber=ALICE.decode())
    assert document["refused"] == {"status": 433, "reason": "Anonymity Disallowed"}
    assert ruling(document, "number")["rule"] == "Privacy: id"
    assert ask()["refused"] is None


def test_direction_in_is_what_phones_see(tmp_path: Path) -> None:
    document = Asked(tmp_path)(inward=True)
    assert (document["direction"], document["receiver"]) == ("in", "the phone (access, untrusted)")
    assert ruling(document, "device")["rule"] == "access.privacy.device"
    assert fate(document, "from") == Fate.IN_PART
    core = CONFIG.replace("[access]", "[core]")
    assert "core" in Asked(tmp_path, core)(inward=True)["receiver"]


def test_without_a_trunk_the_only_ordinary_one_is_meant(tmp_path: Path) -> None:
    assert Asked(tmp_path, CONFIG)("")["trunk"] == "carrier"
    text = TEXT.replace('name = "friend"', 'name = "friend"\nemergency = true').replace(', "friend"]', "]")
    assert Asked(tmp_path, text)("")["trunk"] == "carrier"
    only = re.sub(r'name = "carrier"', 'name = "carrier"\nemergency = true', CONFIG)
    assert Asked(tmp_path, only)("")["trunk"] == "carrier"


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"trunk": ""}, "say which trunk: --trunk carrier or friend or psap"),
        ({"trunk": "nobody"}, "write one of carrier, friend, psap"),
        ({"subscriber": "alice"}, "the subscriber is no address of record"),
        ({"method": "invite"}, "in capitals"),
        ({"method": "A B"}, "in capitals"),
        ({"privacy": "id\r\nX: 1"}, "as in a Privacy header"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, question: dict[str, Any], why: str) -> None:
    with pytest.raises(ExplainError, match=re.escape(why)):
        Asked(tmp_path)(**question)


def test_a_configuration_without_trunks(tmp_path: Path) -> None:
    text = CONFIG.partition("[[trunks]]")[0]
    with pytest.raises(ExplainError, match="has no trunk"):
        Asked(tmp_path, text)("")
    with pytest.raises(ExplainError, match="no trunk is called 'x'; there is none"):
        Asked(tmp_path, text)("x")


def test_a_recorder_has_a_plan_too(tmp_path: Path) -> None:
    """What it is told in headers; of metadata each participant decides."""
    text = (
        TEXT
        + """
[[listeners]]
name = "secure"
address = "127.0.0.1"
port = 5099
transport = "tls"
certificates = ["own.pem"]
keys = ["own.key"]
client_ca = "ca.pem"
[[recorders]]
name = "srs"
hosts = ["127.0.0.1:5098"]
listener = "secure"
tls_name = "srs.example.net"
certificate = "srs.pem"
[[recording_clients]]
name = "pbx"
networks = ["127.0.0.1:5080"]
listener = "secure"
tls_names = ["pbx.example.net"]
"""
    )
    document = Asked(tmp_path, text)("srs")
    assert ruling(document, "recording")["action"] == "keep"
    assert fate(document, "application/rs-metadata*", "bodies") == "kept"
    assert fate(document, "x-nice-*") == "removed", "nobody can encrypt a header"
