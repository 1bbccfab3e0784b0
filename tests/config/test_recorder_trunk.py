"""A recorder as a trunk: what it may be told, and by what it is known."""

from __future__ import annotations

from typing import Any

from config.recorder_trunk import names_of, recorder_trunks
from config.settings import Settings
from tests.recording_sessions import RECORDER
from tests.world import settings


def of(**changes: Any) -> Settings:
    return settings(recorders=[{**RECORDER, **changes}])


def test_it_is_told_of_recordings_whatever_subscribers_say_and_of_nothing_else() -> None:
    (trunk,) = recorder_trunks(of())
    assert trunk.privacy.model_dump(exclude_none=True) == {"recording": "keep"}
    assert (trunk.name, trunk.trusted, trunk.emergency, trunk.recorder.name) == ("srs", False, False, "srs")
    assert recorder_trunks(settings()) == ()


def test_its_certificate_tells_who_it_is() -> None:
    (trunk,) = recorder_trunks(of())
    assert (trunk.tls_names, trunk.believed_on) == (("srs.example.net",), ("tls",))
    (trunk,) = recorder_trunks(of(hosts=["192.0.2.9:5061", "b.example.net"], tls_name=None))
    assert trunk.tls_names == ("b.example.net",)


def test_what_both_have_is_taken_over() -> None:
    health = {"options": 30.0, "failures": 2}
    (trunk,) = recorder_trunks(of(country="DE", transfer_basis="clauses", health=health, networks=["192.0.2.0/24"]))
    assert (trunk.country, trunk.transfer_basis, trunk.health.options) == ("DE", "clauses", 30.0)
    assert [str(each) for each in trunk.networks] == ["192.0.2.0/24"]


def test_names_are_those_of_both() -> None:
    assert names_of(of()) == ("carrier", "second", "psap", "srs")
