"""A recorder as the core sees it: a trunk whose contract is to be told of recordings, over mutual TLS alone.

So outages, groups, regions and dialog records are the same for both, and a recorder needs no routing table.
"""

from __future__ import annotations

from config.address import HostPortValue
from config.privacy_section import Privacy
from config.recorders_section import Recorder
from config.settings import Settings, Trunk
from config.vocabulary import Action

MAX_CALL_ID = 255
"""Recorders are servers, and take what a server writes."""


class RecorderTrunk(Trunk):
    """A trunk that is a recorder."""

    recorder: Recorder


def recorder_trunks(settings: Settings) -> tuple[RecorderTrunk, ...]:
    """Return the recorders of a configuration, in its order."""
    return tuple(map(_as_trunk, settings.recorders))


def _as_trunk(recorder: Recorder) -> RecorderTrunk:
    expected = recorder.tls_name or _first_name(recorder.hosts)
    return RecorderTrunk(
        name=recorder.name, hosts=recorder.hosts, networks=recorder.networks, listener=recorder.listener,
        believed_on=(recorder.listener,), tls_name=recorder.tls_name,
        # Its address alone makes nobody a recorder: what it sends is believed by its certificate.
        tls_names=(expected,) if expected else (), privacy=Privacy(recording=Action.KEEP), max_call_id=MAX_CALL_ID,
        country=recorder.country, transfer_basis=recorder.transfer_basis, health=recorder.health, recorder=recorder,
    )  # fmt: skip


def _first_name(hosts: tuple[HostPortValue, ...]) -> str:
    return next((hop.host for hop in hosts if not hop.is_ip), "")


def names_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of trunks and recorders, as gauges and subscribers' exceptions have them."""
    return tuple([each.name for each in (*settings.trunks, *recorder_trunks(settings))])
