"""`sipveil scan` as a command."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tap.main import main
from tests.tap.pcap import PHONE, SBC, TRUNK, message, packet, pcap, pcapng

ORIGINAL, OUTWARD = b"sip:+4930555018270@sip.example.net", b"sip:anonymous@anonymous.invalid"
VSF = b64encode(bytes(a ^ b for a, b in zip(ORIGINAL, OUTWARD.ljust(len(ORIGINAL), b"\0"), strict=True))).decode()
HIDDEN = message("INVITE sip:+1@b SIP/2.0", f"Record-Route: <sip:192.0.2.1;vsf={VSF};lr>").replace(
    b"From: <sip:alice@example.net>", b"From: <%b>" % OUTWARD
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [packet(message()), packet(HIDDEN, SBC, TRUNK), packet(b"\x80rtp" * 20, SBC, TRUNK)]
    Path("call.pcap").write_bytes(pcap(frames))
    Path("call.pcapng").write_bytes(pcapng([(0, frame) for frame in frames]))


def call(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["scan", *arguments], input=given)


@pytest.mark.parametrize("file", ["call.pcap", "call.pcapng"])
def test_an_original_under_xor(file: str) -> None:
    """As Kamailio leaves it: found towards the trunk, exit code 3."""
    result = call(file, "--to", "198.51.100.7", "--secret", "+4930555018270", "--json")
    assert result.exit_code == 3, result.output
    found = json.loads(result.output)
    (hit,) = found["findings"]
    assert (hit["frame"], hit["destination"], hit["title"]) == (2, "198.51.100.7:5060", "INVITE")
    assert (hit["secret"], hit["place"], hit["form"]) == (1, "Record-Route", "XOR with From")
    assert set(found) == {
        "version", "frames", "messages", "passed_over", "other_packets", "unreadable", "secrets", "left_out",
        "directions", "findings", "further_findings",
    }  # fmt: skip
    assert (found["frames"], found["messages"], found["passed_over"], found["other_packets"]) == (3, 1, 1, 1)


def test_exit_codes() -> None:
    """0 where nothing is found, 3 where something is; from standard input too."""
    assert call("call.pcap", "--secret", "nowhere.in.it").exit_code == 0
    assert call("call.pcap", "--to", "198.51.100.0/24", "--secret", "alice").exit_code == 0
    assert call("call.pcap", "--secret", "alice").exit_code == 3
    result = call("-", "--secret", "alice", given=Path("call.pcap").read_bytes())
    assert result.exit_code == 3
    assert str(PHONE[1]) in result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("absent", "--secret", "alice"), "cannot be read"),
        (("text", "--secret", "alice"), "neither pcap nor pcapng"),
        (("empty", "--secret", "alice"), "neither pcap nor pcapng"),
        (("rtp.pcap", "--secret", "alice"), "no SIP message"),
        (("call.pcap",), "--secret"),
        (("call.pcap", "--secret", "al"), "fewer than 3"),
        (("call.pcap", "--secret", "alice", "--to", "host.example"), "IP address or network"),
    ],
)
def test_mistakes_of_use(arguments: tuple[str, ...], why: str) -> None:
    """A sentence, exit code 1 (2 for an option), never a traceback."""
    Path("text").write_bytes(message())
    Path("empty").write_bytes(b"")
    Path("rtp.pcap").write_bytes(pcap([packet(b"\x80rtp" * 20)]))
    result = call(*arguments)
    assert result.exit_code in (1, 2)
    assert why in result.output
    assert isinstance(result.exception, SystemExit)


def test_truncated_anywhere() -> None:
    """No length of a file makes a traceback."""
    data = Path("call.pcapng").read_bytes()
    for length in range(0, len(data), 29):
        result = call("-", "--secret", "alice", given=data[:length])
        assert result.exit_code in (0, 1, 3)
        assert result.exception is None or isinstance(result.exception, SystemExit)
