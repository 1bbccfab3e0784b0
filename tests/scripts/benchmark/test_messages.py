"""What caller and trunk say."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.parse import parse
from scripts.benchmark.messages import CANARIES, TEMPLATES, as_file, fill

VALUES = {
    "call": "0000002a", "run": "r1", "subscriber": "00000007", "caller": "127.0.0.11:5060", "proxy": "127.0.0.1:5060",
    "trunk": "127.0.0.21:5060", "target": "sip:gateway@127.0.0.1", "to": "<sip:x@127.0.0.1>;tag=leg1",
    "routes": "Route: <sip:token@127.0.0.1;lr>\r\n",
    "copied": "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"
              "Call-ID: x\r\nCSeq: 1 INVITE\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_is_sip(name: str) -> None:
    """Parsed by our own parser; Content-Length is right, and no field is left over."""
    data = fill(name, **VALUES)
    message = parse(data, Limits())
    assert message.raw == data
    assert int(message.value(b"content-length") or -1) == len(message.body)
    assert b"{" not in data
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_the_invite_is_rich() -> None:
    """About what a softphone sends that says too much; every canary is in it."""
    invite = fill("invite", **VALUES)
    assert 1600 < len(invite) < 1800
    assert [canary for canary in CANARIES if canary.encode() not in invite] == []


def test_file_for_the_generator() -> None:
    text = as_file()
    assert text.count("%% ") == len(TEMPLATES) + 1
    assert "%% invite\nINVITE sip:+15551234567@{{proxy}} SIP/2.0\r\n" in text
    assert text.endswith(f"{CANARIES[-1]}\n")
