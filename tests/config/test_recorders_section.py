"""What the sections about recording take, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.recorders_section import Recorder, RecordingClient

PIN = "A" * 43 + "="
RECORDER: dict[str, Any] = {"name": "srs", "hosts": ("srs.example.net",), "listener": "tls"}
CLIENT: dict[str, Any] = {
    "name": "sbc", "networks": ("192.0.2.0/24",), "listener": "tls", "tls_names": ("sbc.example.net",),
}  # fmt: skip


def test_defaults_are_strict() -> None:
    recorder = Recorder.model_validate(RECORDER)
    assert (recorder.plain_rtp, recorder.real_ids, recorder.algorithm) == ("refuse", False, "aes-128-gcm")
    assert (recorder.role, recorder.key_transport, recorder.group) == ("recorder", "oaep", "recorders")
    assert RecordingClient.model_validate(CLIENT).to == "recorders"


@pytest.mark.parametrize(
    ("section", "base", "change"),
    [
        (Recorder, RECORDER, {"hosts": ()}),
        (Recorder, RECORDER, {"algorithm": "des3"}),
        (Recorder, RECORDER, {"role": "srs"}),
        (Recorder, RECORDER, {"plain_rtp": "maybe"}),
        (Recorder, RECORDER, {"country": "XX"}),
        (Recorder, RECORDER, {"tls_name": "192.0.2.1"}),
        (Recorder, RECORDER, {"transport": "udp"}),
        (Recorder, RECORDER, {"pins": ("00" * 32,)}),
        (Recorder, RECORDER, {"pins": (PIN[:-2] + "B=",)}),
        (Recorder, RECORDER, {"pins": ("sha256//" + PIN,)}),
        (Recorder, RECORDER, {"pins": (PIN,) * 9}),
        (Recorder, RECORDER, {"pins": PIN}),
        (RecordingClient, CLIENT, {"pins": (PIN,)}),
        (RecordingClient, CLIENT, {"networks": ()}),
        (RecordingClient, CLIENT, {"tls_names": ()}),
        (RecordingClient, CLIENT, {"addresses": ("sip:a@b",)}),
        (RecordingClient, CLIENT, {"to": ""}),
    ],
)
def test_what_makes_no_sense_is_refused(section: Any, base: dict[str, Any], change: dict[str, Any]) -> None:
    section.model_validate(base)
    with pytest.raises(ValidationError):
        section.model_validate(base | change)


def test_what_makes_sense_is_taken() -> None:
    Recorder.model_validate(RECORDER | {"country": "DE", "weight": 0, "pins": (PIN, "/" * 42 + "8="), "ca": "a.pem"})
    RecordingClient.model_validate(CLIENT | {"addresses": ("rec@pbx.example.net",)})
