"""Who may vouch for a recorder: what is read of it, and what becomes of one that is configured no more."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from config.recorder_trunk import recorder_trunks
from config.recorder_trust import RecorderTrustError, load
from config.tls_files import read_authorities
from tests.recording_sessions import LISTENERS, RECORDER
from tests.tls import TlsAuthority
from tests.world import settings

PIN = base64.b64encode(bytes(32)).decode()


def of(tmp_path: Path, *recorders: dict[str, Any]) -> Any:
    return settings(listeners=LISTENERS, recorders=list(recorders), state_dir=str(tmp_path))


def test_without_either_any_certificate_of_its_name_will_do(tmp_path: Path) -> None:
    (trust,) = load(of(tmp_path, RECORDER))
    assert (trust.pins, trust.ca, trust.retired) == (frozenset(), None, False)
    assert trust.hosts == {("198.51.100.20", 5061)}
    assert trust.names == {"srs.example.net"}


def test_pins_and_authorities_are_read(tmp_path: Path) -> None:
    authority = TlsAuthority(tmp_path)
    named = {**RECORDER, "hosts": ["SRS.example.net."], "tls_name": "Other.example.net", "networks": ["192.0.2.0/28"]}
    (trust,) = load(of(tmp_path, {**named, "pins": [PIN], "ca": authority.file.name}))
    assert trust.pins == {bytes(32)}
    assert trust.ca == read_authorities(authority.file)
    assert trust.names == {"srs.example.net", "other.example.net"}
    assert (trust.hosts, [str(each) for each in trust.networks]) == (frozenset(), ["192.0.2.0/28"])


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_a_file_without_authorities_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(RecorderTrustError, match=r"ca\.pem: .*; put the authorities"):
        load(of(tmp_path, {**RECORDER, "ca": "ca.pem"}))


def test_who_is_configured_no_more_keeps_what_was_asked_of_it(tmp_path: Path) -> None:
    """And where its authorities are gone nobody vouches for it, rather than anybody."""
    authority = TlsAuthority(tmp_path)
    gone = recorder_trunks(of(tmp_path, {**RECORDER, "pins": [PIN], "ca": authority.file.name}))
    (trust,) = load(of(tmp_path), gone)
    assert trust.retired
    assert trust.pins == {bytes(32)}
    assert trust.ca == read_authorities(authority.file)
    authority.file.unlink()
    assert load(of(tmp_path), gone)[0].ca == ()
