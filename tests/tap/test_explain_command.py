"""`sipveil explain` as a command: output, exit codes, and nothing left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tap.main import main
from tests.agents import ALICE, CARRIER
from tests.tap.fakes import CONFIG
from tests.tap.pcap import PHONE, SBC, packet, pcap

INVITE = ALICE.invite(headers=(b"User-Agent: LeakySoft/1", b"Content-Type: application/sdp")).data
FORWARDED = {"to", "address", "before", "after", "edits", "other_reasons", "disclosures", "leaks"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, with a configuration."""
    monkeypatch.chdir(tmp_path)
    Path("sipveil.toml").write_text(CONFIG)
    Path("invite.sip").write_bytes(INVITE)


def call(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["explain", "--config", "sipveil.toml", *arguments], input=given)


def document(*arguments: str, code: int = 0) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.output)


def test_shows_both_sides_and_why() -> None:
    """The diff, the edits with category and RFC, and what is still told to whom; plain where there is no terminal."""
    result = call("invite.sip", "--width", "400")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    for expected in (
        "- User-Agent: LeakySoft/1",
        '+ From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=from1',
        "software: remove",
        "RFC 3261 §20.41",
        "trunk carrier (untrusted)",
        "no media relay is",
        "c=IN IP4 10.1.1.23",
    ):
        assert expected in text, expected
    assert "\x1b[" not in result.output
    assert "\x1b[" in call("invite.sip", "--color").output
    assert max(map(len, call("invite.sip", "--width", "100").output.splitlines())) <= 100


def test_json_has_a_form_that_does_not_change() -> None:
    """Programs read it: keys that go are a new version."""
    found = document("invite.sip", "--secret", "LeakySoft")
    assert (found["version"], set(found)) == (1, {"version", "remarks", "messages", "secrets"})
    (message,) = found["messages"]
    assert set(message) == {"number", "title", "sender", "remarks", "forwarded", "made"}
    (forwarded,) = message["forwarded"]
    assert set(forwarded) == FORWARDED
    edit = next(edit for edit in forwarded["edits"] if edit["field"] == "user-agent")
    assert (edit["action"], edit["categories"], edit["rfc"]) == ("removed", ["software"], "RFC 3261 §20.41")
    assert set(edit) == {
        "field", "action", "before", "after", "categories", "level", "rule", "overrode", "why", "rfc",
    }  # fmt: skip
    assert set(forwarded["disclosures"][0]) == {"what", "field", "value", "category", "whom"}
    assert found["secrets"] == {"searched": 1, "left_out": [], "leaks": 0}
    assert forwarded["before"].encode() == INVITE
    assert [made["title"] for made in message["made"]] == ["100 Trying"]


def test_every_edit_says_why() -> None:
    """None is without a reason."""
    edits = document("invite.sip")["messages"][0]["forwarded"][0]["edits"]
    assert all(edit["why"] for edit in edits), [edit["field"] for edit in edits if not edit["why"]]


def test_a_secret_that_would_leak_is_exit_code_3() -> None:
    """With its place; the one that is hidden is not one."""
    Path("secrets.txt").write_bytes(b"LeakySoft\r\n\r\n 15550100 \n")
    found = document("invite.sip", "--secret", "alice.nobody", "--secrets", "secrets.txt", code=3)
    leaks = found["messages"][0]["forwarded"][0]["leaks"]
    assert {(leak["secret"], leak["place"], leak["form"]) for leak in leaks} == {
        (3, "start line", "in clear"),
        (3, "To", "in clear"),
    }
    result = call("invite.sip", "--secret", "15550100")
    assert result.exit_code == 3
    assert "LEAK: secret 1 in To, in clear" in result.output


def test_what_the_phone_gets_back_of_its_own_is_no_leak() -> None:
    """The 200 names the caller to the caller."""
    Path("call.sip").write_bytes(INVITE + CARRIER.answer(INVITE, 200).data)
    found = document("call.sip", "--secret", "alice@sip")
    assert [message["title"] for message in found["messages"]] == ["INVITE", "200 Whatever"]
    assert "alice@sip" in found["messages"][1]["forwarded"][0]["after"]


def test_inputs() -> None:
    """Standard input, a capture, LF alone, and an edited body."""
    assert call("-", given=INVITE).exit_code == 0
    Path("call.pcap").write_bytes(pcap([packet(INVITE, PHONE, SBC)]))
    assert document("call.pcap")["messages"][0]["title"] == "INVITE"
    Path("edited.sip").write_bytes(INVITE.replace(b"\r\n", b"\n").replace(b"s=Alice's laptop", b"s=x"))
    remarks = document("edited.sip")["messages"][0]["remarks"]
    assert len(remarks) == 2
    assert all("LF alone" in remark or "Content-Length" in remark for remark in remarks)


def test_a_refusal_is_a_result() -> None:
    """The response is shown, and the exit code is 0."""
    Path("lost.sip").write_bytes(ALICE.invite(max_forwards=0).data)
    result = call("lost.sip")
    assert result.exit_code == 0
    assert "483" in result.output
    assert "nothing was forwarded" in result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("absent.sip",), "cannot be read"),
        (("empty.sip",), "no SIP message"),
        (("garbage.sip",), "no SIP message"),
        (("short.pcap",), "file header"),
        (("invite.sip", "--trunk", "nobody"), "write one of carrier"),
        (("invite.sip", "--secret", "al"), "fewer than 3"),
        (("invite.sip", "--secrets", "absent"), "absent: cannot be read"),
        (("response.sip",), "give the request first"),
        (("invite.sip", "--call", "0"), "--call"),
    ],
)
def test_mistakes_of_use(arguments: tuple[str, ...], why: str) -> None:
    """One sentence, never a traceback, and the secret is not said."""
    Path("empty.sip").write_bytes(b"")
    Path("garbage.sip").write_bytes(bytes(range(256)) * 10)
    Path("short.pcap").write_bytes(pcap([])[:20])
    Path("response.sip").write_bytes(CARRIER.answer(ALICE.request(b"BYE").data, 200).data)
    result = call(*arguments)
    assert result.exit_code in (1, 2)
    assert why in result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_broken_configuration() -> None:
    """Its mistakes, one a line."""
    Path("sipveil.toml").write_text(CONFIG.replace("port = 0", 'port = "x"', 1))
    result = call("invite.sip")
    assert result.exit_code == 1
    assert "listeners[0].port" in result.output


def test_nothing_is_left_behind() -> None:
    """No state folder, no key ring: the files are those that were there."""
    before = sorted(os.listdir())
    assert call("invite.sip", "--secret", "alice").exit_code == 0
    assert sorted(os.listdir()) == before


def test_without_a_configuration() -> None:
    """The example's, and that is said."""
    result = CliRunner().invoke(main, ["explain", "invite.sip"])
    assert result.exit_code == 0
    assert "example's configuration" in result.output


def test_secrets_are_named_by_number() -> None:
    """What is said of secrets themselves never repeats them."""
    found = document("invite.sip", "--secret", "Quux4711", "--secret", "15550100", code=3)
    assert "Quux4711" not in json.dumps(found)
    assert "15550100" not in json.dumps(found["secrets"])
